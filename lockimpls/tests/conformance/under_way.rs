//! What another thread is answered while a bind, a connect or an addressed send of the same socket
//! is under way: its flag stands for the lock that is not held then.
//!
//! What bind and connect answer is from `uipc_bind` and `unp_connect` (`uipc_usrreq.c` 1.166). What
//! listen answers, and a connect when the addressed send has its peer, are corrections: B04 and B03
//! in `KERNEL_BUGS.md`.

use lockimpls::controls::Moment;
use lockimpls::{Errno, SockType};

use crate::battery::{AnyLayer, NONE, Program, name, with_another};

staged!(a_socket_that_is_being_bound, layer, {
    let to = layer.bound(SockType::Dgram, "to");
    let s = layer.socket(SockType::Dgram).unwrap();
    let meanwhile = move |layer: &AnyLayer| {
        assert_eq!(layer.bind(s, &name("second")), Err(Errno::Einval));
        assert_eq!(layer.connect(s, &name("to")), Err(Errno::Eisconn));
        assert_eq!(layer.sendto(s, b"x", &name("to"), NONE), Err(Errno::Eisconn));
    };
    let bound = with_another(layer, Moment::Binding, meanwhile, |it| it.bind(s, &name("first")));
    assert_eq!(bound, Ok(()));
    layer.connect(s, &name("to")).unwrap();
    layer.close_all(&[s, to]);
});

staged!(a_socket_that_is_being_connected, layer, {
    let head = layer.listener(SockType::Stream, "head");
    // Nothing but the flag keeps the one from listening, and the other from being bound.
    let s = layer.bound(SockType::Stream, "s");
    let fresh = layer.socket(SockType::Stream).unwrap();
    for s in [s, fresh] {
        let meanwhile = move |layer: &AnyLayer| {
            assert_eq!(layer.bind(s, &name("other")), Err(Errno::Einval));
            assert_eq!(layer.listen(s, 1), Err(Errno::Einval));
            assert_eq!(layer.connect(s, &name("head")), Err(Errno::Eisconn));
        };
        let done =
            with_another(layer, Moment::Connecting, meanwhile, |it| it.connect(s, &name("head")));
        assert_eq!(done, Ok(()));
    }
    // The flag is gone with the call: a connected socket may be bound.
    layer.bind(fresh, &name("other")).unwrap();
    layer.close_all(&[s, fresh, head]);
});

staged!(a_socket_whose_connect_fails, layer, {
    let s = layer.socket(SockType::Stream).unwrap();
    let meanwhile = move |layer: &AnyLayer| {
        assert_eq!(layer.bind(s, &name("other")), Err(Errno::Einval));
    };
    let done =
        with_another(layer, Moment::Connecting, meanwhile, |it| it.connect(s, &name("nobody")));
    assert_eq!(done, Err(Errno::Enoent));
    // The flag is gone with the call.
    layer.bind(s, &name("other")).unwrap();
    layer.listen(s, 1).unwrap();
    layer.close_all(&[s]);
});

staged!(an_addressed_send_is_under_way, layer, {
    let [to, elsewhere] = ["to", "elsewhere"].map(|path| layer.bound(SockType::Dgram, path));
    let s = layer.socket(SockType::Dgram).unwrap();
    let meanwhile = move |layer: &AnyLayer| {
        assert_eq!(layer.bind(s, &name("own")), Err(Errno::Einval));
        assert_eq!(layer.connect(s, &name("elsewhere")), Err(Errno::Eisconn));
    };
    for moment in [Moment::Connecting, Moment::Connected] {
        let sent =
            with_another(layer, moment, meanwhile, |it| it.sendto(s, b"x", &name("to"), NONE));
        assert_eq!(sent, Ok(1));
        assert_eq!(layer.get(to, 9).unwrap(), b"x");
    }
    assert_eq!(layer.get(elsewhere, 9), Err(Errno::Ewouldblock));
    layer.close_all(&[s, to, elsewhere]);
});
