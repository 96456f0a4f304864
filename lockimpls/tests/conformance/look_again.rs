//! What is read with nothing held says which lock a call takes, and may say another one by then:
//! the call gives that lock back, and begins again. The moment is forced.

use lockimpls::controls::Moment;
use lockimpls::witness::{Class, counters};
use lockimpls::{Errno, SockType};

use crate::battery::{AnyLayer, Program, name, with_another};

const DGRAM: SockType = SockType::Dgram;

/// How often a call began again.
fn retries(call: impl FnOnce()) -> u64 {
    let before = counters();
    call();
    counters().since(&before).of(Class::SoLock).retries
}

// Its own lock was the socket's until it listened: the lock of all listeners is now.
staged!(a_socket_listens_before_its_lock_is_taken, on_switching, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let s = layer.bound(kind, "here");
        let listens = move |layer: &AnyLayer| layer.listen(s, 1).unwrap();
        let again = retries(|| {
            let named = with_another(layer, Moment::LockRead, listens, |it| it.getsockname(s));
            assert_eq!(named, Ok(name("here")));
        });
        assert_eq!(again, 1);
        layer.close_all(&[s]);
        layer.unlink(&name("here")).unwrap();
    }
});

staged!(a_sender_is_connected_elsewhere_before_its_peer_is_locked, on_sending_unlocked, layer, {
    let [one, two] = ["one", "two"].map(|path| layer.bound(DGRAM, path));
    let s = layer.client(DGRAM, "one");
    let connects = move |layer: &AnyLayer| layer.connect(s, &name("two")).unwrap();
    let again = retries(|| {
        assert_eq!(with_another(layer, Moment::PeerRead, connects, |it| it.put(s, b"x")), Ok(1));
    });
    assert_eq!(again, 1);
    assert_eq!(layer.get(one, 1), Err(Errno::Ewouldblock));
    assert_eq!(layer.get(two, 1).unwrap(), b"x");
    layer.close_all(&[s, one, two]);
    for path in ["one", "two"] {
        layer.unlink(&name(path)).unwrap();
    }
});

// Detach has found it among those that refer to its socket, and unlocks that to lock the lower one.
staged!(a_socket_is_connected_elsewhere_while_its_destination_is_closed, on_every_staged, layer, {
    let s = layer.socket(DGRAM).unwrap();
    let [one, two] = ["one", "two"].map(|path| layer.bound(DGRAM, path));
    layer.connect(s, &name("one")).unwrap();
    let connects = move |layer: &AnyLayer| layer.connect(s, &name("two")).unwrap();
    let again = retries(|| {
        assert_eq!(with_another(layer, Moment::Relock, connects, |it| it.close(one)), Ok(()));
    });
    assert_eq!(again, 1);
    assert_eq!(layer.put(s, b"x"), Ok(1));
    assert_eq!(layer.get(two, 1).unwrap(), b"x");
    layer.close_all(&[s, two]);
    for path in ["one", "two"] {
        layer.unlink(&name(path)).unwrap();
    }
});
