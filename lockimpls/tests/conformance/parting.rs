//! Two threads at a pair that is parted, on the backend whose partings wait: for a relock, and for
//! each other. The moment is forced.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use lockimpls::controls::{Moment, in_next};
use lockimpls::witness::{Class, counters};
use lockimpls::{Errno, Fd, SockType};

use crate::battery::{AnyLayer, Program, name};

/// In the next relock another thread closes this socket: what it tells when it has.
fn closes_in_the_relock(layer: &Arc<AnyLayer>, s: Fd) -> Receiver<()> {
    let (other, (tell, told)) = (Arc::clone(layer), channel());
    in_next(Moment::Relock, move || {
        other.close(s).unwrap();
        tell.send(()).unwrap();
    });
    told
}

// The send goes on along the link that was there when it began.
staged!(a_close_waits_for_a_send_that_relocks, on_waiting, layer, {
    // All are made before one is closed, so that the first of each is the lower.
    let pairs = [SockType::Stream, SockType::Seqpacket].map(|kind| layer.pair(kind));
    for (lower, higher) in pairs {
        let is_closed = closes_in_the_relock(layer, lower);
        assert_eq!(layer.put(higher, b"x"), Ok(1));
        is_closed.recv().unwrap();
        assert_eq!(layer.put(higher, b"x"), Err(Errno::Epipe));
        layer.close_all(&[higher]);
    }
});

// The same where the socket that is closed does not refer to the sender, but the other way.
staged!(a_receiver_waits_for_a_datagram_that_relocks, on_waiting, layer, {
    let to = layer.bound(SockType::Dgram, "to");
    let s = layer.socket(SockType::Dgram).unwrap();
    layer.connect(s, &name("to")).unwrap();
    let is_closed = closes_in_the_relock(layer, to);
    assert_eq!(layer.put(s, b"x"), Ok(1));
    is_closed.recv().unwrap();
    assert_eq!(layer.put(s, b"x"), Err(Errno::Econnreset));
    layer.close_all(&[s]);
    layer.unlink(&name("to")).unwrap();
});

// Both ends are closed at once: the second parting finds that it is parted.
staged!(one_parting_waits_for_another, on_waiting, layer, {
    let pairs = SockType::ALL.map(|kind| layer.pair(kind));
    for (lower, higher) in pairs {
        let is_closed = closes_in_the_relock(layer, lower);
        layer.close(higher).unwrap();
        is_closed.recv().unwrap();
    }
});

// The sender is closed first: its receiver, which would drop it, finds that it has parted.
staged!(a_receiver_waits_for_a_parting_of_its_sender, on_waiting, layer, {
    let to = layer.bound(SockType::Dgram, "to");
    let s = layer.socket(SockType::Dgram).unwrap();
    layer.connect(s, &name("to")).unwrap();
    let is_closed = closes_in_the_relock(layer, to);
    layer.close(s).unwrap();
    is_closed.recv().unwrap();
    layer.unlink(&name("to")).unwrap();
    // The one that found nothing to part is over, too: others do not wait for it.
    let (a, b) = layer.pair(SockType::Stream);
    layer.close_all(&[a, b]);
});

// A relock finds the peer that it was for, and so none begins again.
staged!(nobody_looks_again, on_waiting, layer, {
    let (lower, higher) = layer.pair(SockType::Stream);
    let before = counters();
    layer.put(higher, b"x").unwrap();
    let counts = counters().since(&before);
    assert_eq!((counts.of(Class::SoLock).relocks, counts.of(Class::SoLock).retries), (1, 0));
    assert_eq!(counts.of(Class::UnpDisconnectLock).acquisitions, 0);
    layer.close(higher).unwrap();
    let parted = counters().since(&before).of(Class::UnpDisconnectLock).acquisitions;
    assert_eq!(parted, 2);
    layer.close_all(&[lower]);
});
