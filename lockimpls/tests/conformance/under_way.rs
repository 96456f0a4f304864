//! What another thread is answered while a bind, a connect or an addressed send of the same socket is
//! under way: its flag stands for the lock that is not held then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lockimpls::controls::{Moment, in_next};
use lockimpls::{Checked, Domain, Errno, SockType};

use crate::battery::{NONE, Program, Staged, name, on_every_staged};

/// Runs `call` and lets another thread do `meanwhile` at the moment: what the call answers.
fn with_another<D: Domain, A>(
    layer: &Arc<Checked<D>>,
    moment: Moment,
    meanwhile: impl FnOnce(&Checked<D>) + Send + 'static,
    call: impl FnOnce(&Checked<D>) -> A,
) -> A {
    let was_there = Arc::new(AtomicBool::new(false));
    let (other, is_there) = (Arc::clone(layer), Arc::clone(&was_there));
    in_next(moment, move || {
        meanwhile(&other);
        // Relaxed: the call joins this thread before it goes on.
        is_there.store(true, Relaxed);
    });
    let answer = call(layer);
    assert!(was_there.load(Relaxed), "the call did not come to {moment:?}");
    answer
}

/// Declares a test: its body is generic over the backend.
macro_rules! staged {
    ($test:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl Staged for This {
                fn run<D: Domain>(&self, $layer: &Arc<Checked<D>>) $body
            }
            on_every_staged(&This);
        }
    };
}

staged!(a_socket_that_is_being_bound, layer, {
    let to = layer.bound(SockType::Dgram, "to");
    let s = layer.socket(SockType::Dgram).unwrap();
    let meanwhile = move |layer: &Checked<D>| {
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
    let s = layer.bound(SockType::Stream, "s");
    let fresh = layer.socket(SockType::Stream).unwrap();
    for s in [s, fresh] {
        let meanwhile = move |layer: &Checked<D>| {
            assert_eq!(layer.bind(s, &name("other")), Err(Errno::Einval));
            assert_eq!(layer.listen(s, 1), Err(Errno::Einval));
            assert_eq!(layer.connect(s, &name("head")), Err(Errno::Eisconn));
        };
        let done =
            with_another(layer, Moment::Connecting, meanwhile, |it| it.connect(s, &name("head")));
        assert_eq!(done, Ok(()));
        // The flag is gone with the call.
        assert_eq!(layer.put(s, b"x"), Ok(1));
    }
    layer.close_all(&[s, fresh, head]);
});

staged!(a_socket_whose_connect_fails, layer, {
    let s = layer.socket(SockType::Stream).unwrap();
    let meanwhile = move |layer: &Checked<D>| {
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
    let meanwhile = move |layer: &Checked<D>| {
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
