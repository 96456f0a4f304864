//! On the backend that tries its peer first: what a try saves, and connects that wait for whoever
//! relocks from their socket. The moment is forced.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use lockimpls::controls::{Moment, in_next};
use lockimpls::witness::{Class, LockCounts, counters};
use lockimpls::{Errno, Fd, SockAddr, SockOpt, SockType};

use crate::battery::{AnyLayer, NONE, Program, name};

const DGRAM: SockType = SockType::Dgram;

/// In the next relock another thread connects this socket: what it tells when it has.
fn connects_in_the_relock(
    layer: &Arc<AnyLayer>,
    s: Fd,
    to: &'static str,
) -> Receiver<Result<(), Errno>> {
    let (other, (tell, told)) = (Arc::clone(layer), channel());
    in_next(Moment::Relock, move || tell.send(other.connect(s, &name(to))).unwrap());
    told
}

/// A socket that is connected to a lower one, and where it can be connected else.
fn connected(layer: &AnyLayer) -> [Fd; 3] {
    let there = ["one", "two"].map(|path| layer.bound(DGRAM, path));
    let s = layer.client(DGRAM, "one");
    [s, there[0], there[1]]
}

fn close(layer: &AnyLayer, sockets: &[Fd]) {
    layer.close_all(sockets);
    for path in ["one", "two"] {
        layer.unlink(&name(path)).unwrap();
    }
}

// The send finds no peer: the connect has parted the two, and has not made the next link yet.
staged!(a_connect_waits_for_a_send_that_relocks, on_trying, layer, {
    let [s, one, two] = connected(layer);
    let is_connected = connects_in_the_relock(layer, s, "two");
    assert_eq!(layer.put(s, b"x"), Err(Errno::Enotconn));
    is_connected.recv().unwrap().unwrap();
    assert_eq!(layer.put(s, b"y"), Ok(1));
    assert_eq!(layer.get(one, 1), Err(Errno::Ewouldblock));
    assert_eq!(layer.get(two, 1).unwrap(), b"y");
    close(layer, &[s, one, two]);
});

// The one that waits begins anew, and finds the socket on its way elsewhere, or there.
staged!(a_connect_waits_for_another_that_relocks_to_part, on_trying, layer, {
    let [s, one, two] = connected(layer);
    let three = layer.bound(DGRAM, "three");
    let is_connected = connects_in_the_relock(layer, s, "two");
    layer.connect(s, &name("three")).unwrap();
    let last = match is_connected.recv().unwrap() {
        Ok(()) => two,
        Err(errno) => {
            assert_eq!(errno, Errno::Eisconn);
            three
        }
    };
    assert_eq!(layer.put(s, b"x"), Ok(1));
    assert_eq!(layer.get(last, 1).unwrap(), b"x");
    close(layer, &[s, one, two, three]);
    layer.unlink(&name("three")).unwrap();
});

// It has the right to fill its buffer while it waits.
staged!(an_addressed_send_waits_for_a_name_that_is_asked_for, on_trying, layer, {
    let [s, one, two] = connected(layer);
    let (other, (tell, told)) = (Arc::clone(layer), channel());
    in_next(Moment::Relock, move || {
        // Parted by its destination, it is connected to nobody.
        let closer = Arc::clone(&other);
        let closed = std::thread::spawn(move || closer.close(one).unwrap());
        while other.getsockopt(s, SockOpt::Error) == Ok(0) {
            std::thread::yield_now();
        }
        let sent = other.sendto(s, b"x", &name("two"), NONE);
        closed.join().unwrap();
        tell.send(sent).unwrap();
    });
    assert_eq!(layer.getpeername(s), Ok(SockAddr::UNNAMED));
    assert_eq!(told.recv().unwrap(), Ok(1));
    assert_eq!(layer.get(two, 1).unwrap(), b"x");
    close(layer, &[s, two]);
});

// Detach has found it among those that refer to its socket, and looks again when it has locked it.
staged!(a_socket_is_connected_elsewhere_while_its_destination_goes, on_trying, layer, {
    let [s, one, two] = connected(layer);
    let is_connected = connects_in_the_relock(layer, s, "two");
    let counts = counted(|| layer.close(one).unwrap());
    is_connected.recv().unwrap().unwrap();
    assert_eq!((counts.relocks, counts.retries, counts.saved), (0, 1, 0));
    assert_eq!(layer.put(s, b"x"), Ok(1));
    assert_eq!(layer.get(two, 1).unwrap(), b"x");
    close(layer, &[s, two]);
});

/// What is counted while this is done.
fn counted(act: impl FnOnce()) -> LockCounts {
    let before = counters();
    act();
    counters().since(&before).of(Class::SoLock)
}

// A lock that is free is had at once, whatever the addresses: what the order would have cost is
// counted.
staged!(a_try_saves_a_relock, on_trying, layer, {
    let (lower, higher) = layer.pair(SockType::Stream);
    let counts = counted(|| assert_eq!(layer.put(higher, b"x"), Ok(1)));
    assert_eq!((counts.acquisitions, counts.relocks, counts.saved), (3, 0, 1));
    let counts = counted(|| assert_eq!(layer.put(lower, b"x"), Ok(1)));
    assert_eq!((counts.acquisitions, counts.relocks, counts.saved), (3, 0, 0));
    // Where it is not free the relock is as it was.
    in_next(Moment::Relock, || {});
    let counts = counted(|| assert_eq!(layer.put(higher, b"x"), Ok(1)));
    assert_eq!((counts.acquisitions, counts.relocks, counts.saved), (4, 1, 0));
    assert_eq!(counts.retries, 0);
    layer.close_all(&[lower, higher]);
});
