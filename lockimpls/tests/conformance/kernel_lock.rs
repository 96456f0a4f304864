//! Whoever sleeps gives up the kernel lock, which the one that it waits for may want (`ambient.rs`
//! of `lockimpls` has the source's lines). The moment is forced.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, yield_now};

use lockimpls::controls::{Moment, in_next};
use lockimpls::witness::{is_waiting, thread_number};
use lockimpls::{Fd, Shutdown, SockType};

use crate::battery::{AnyLayer, NONE, Program, name};

const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

// The shutdown has the kernel lock, and waits for the right to drain; the receive has that, and
// wants the kernel lock to wake its sender.
staged!(a_shutdown_waits_for_a_receive, on_under_kernel, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        layer.put(a, b"x").unwrap();
        let (other, (tell, told)) = (Arc::clone(layer), channel());
        in_next(Moment::CopiedOut, move || {
            tell.send(other.shutdown(b, Shutdown::Read)).unwrap();
        });
        assert_eq!(layer.recv(b, &mut [0], NONE), Ok(1));
        assert_eq!(told.recv().unwrap(), Ok(()));
        assert_eq!(layer.get(b, 1).unwrap(), b"");
        layer.close_all(&[a, b]);
    }
});

/// Begins to close a socket, in a thread whose parting goes on when another one waits for its end.
fn part_when_awaited(layer: &Arc<AnyLayer>, s: Fd, other: u32) -> JoinHandle<()> {
    let (came, has_come) = channel();
    in_next(Moment::Relock, move || {
        came.send(()).unwrap();
        while !is_waiting(other) {
            yield_now();
        }
    });
    let layer = Arc::clone(layer);
    let parting = std::thread::spawn(move || layer.close(s).unwrap());
    has_come.recv().unwrap();
    parting
}

// A bind has the kernel lock. Its socket is closed meanwhile, so that it is the bind that parts it;
// and the parting that it waits for wants the kernel lock to wake whoever waits at its sockets.
staged!(a_parting_waits_for_another, on_waiting_under_kernel, layer, {
    let pairs = CONNECTED.map(|kind| (layer.pair(kind), layer.pair(kind)));
    for ((a, b), (c, d)) in pairs {
        let (other, me, (tell, told)) = (Arc::clone(layer), thread_number(), channel());
        in_next(Moment::Binding, move || {
            other.close(b).unwrap();
            tell.send(part_when_awaited(&other, d, me)).unwrap();
        });
        assert_eq!(layer.bind(b, &name("here")), Ok(()));
        told.recv().unwrap().join().unwrap();
        layer.unlink(&name("here")).unwrap();
        layer.close_all(&[a, c]);
    }
});

/// Makes a call in another thread, which waits when this returns.
fn let_wait(call: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let (tell, told) = channel();
    let thread = std::thread::spawn(move || {
        tell.send(thread_number()).unwrap();
        call();
    });
    let number = told.recv().unwrap();
    while !is_waiting(number) {
        yield_now();
    }
    thread
}

// A close has all links, and waits for the end that it parts. The bind has the kernel lock, and
// waits for the links; and the receive at that end wants the kernel lock to wake its sender.
staged!(a_bind_waits_for_all_links, on_linked_under_kernel, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    let s = layer.socket(SockType::Stream).unwrap();
    layer.put(a, b"x").unwrap();
    let (other, (tell, told)) = (Arc::clone(layer), channel());
    in_next(Moment::Accounting, move || {
        let closer = Arc::clone(&other);
        let closes = let_wait(move || closer.close(a).unwrap());
        let binds = let_wait(move || other.bind(s, &name("here")).unwrap());
        tell.send([closes, binds]).unwrap();
    });
    assert_eq!(layer.recv(b, &mut [0], NONE), Ok(1));
    for thread in told.recv().unwrap() {
        thread.join().unwrap();
    }
    layer.close_all(&[b, s]);
    layer.unlink(&name("here")).unwrap();
});
