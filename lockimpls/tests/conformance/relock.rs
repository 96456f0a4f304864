//! What another thread does in the middle of a relock, when a send has dropped its socket's lock to
//! take its peer's first.
//!
//! On the backends that relock, with the moment forced; `order.rs` has which requests do.

use std::sync::Arc;
use std::sync::mpsc::channel;

use lockimpls::controls::{Moment, in_next};
use lockimpls::{Errno, Fd, Shutdown, SockAddr, SockType};

use crate::battery::{AnyLayer, Program, name, with_another};

const KINDS: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

/// The stream ends, and its reader is told so.
fn end(lower: Fd, higher: Fd) -> impl FnOnce(&AnyLayer) + Send + 'static {
    move |layer| {
        layer.shutdown(higher, Shutdown::Write).unwrap();
        assert_eq!(layer.get(lower, 9).unwrap(), b"");
    }
}

// What was not sent must not be said to be sent: the reader would never ask for it.
staged!(nothing_is_sent_after_an_end_that_comes_in_the_relock, layer, {
    for kind in KINDS {
        let (lower, higher) = layer.pair(kind);
        let ends = end(lower, higher);
        let sent = with_another(layer, Moment::Relock, ends, |it| it.put(higher, b"x"));
        assert_eq!(sent, Err(Errno::Epipe));
        assert_eq!(layer.get(lower, 9).unwrap(), b"");
        // The lower one last: its place is the first to be used again.
        layer.close_all(&[higher, lower]);
    }
});

// The same with a descriptor, which must not stay in flight: the layer would not be empty.
staged!(no_descriptor_is_sent_after_an_end_that_comes_in_the_relock, layer, {
    for kind in KINDS {
        let (lower, higher) = layer.pair(kind);
        let ends = end(lower, higher);
        let sent = with_another(layer, Moment::Relock, ends, |it| it.pass(higher, b"x", &[lower]));
        assert_eq!(sent, Err(Errno::Epipe));
        let got = layer.take(lower, 9, 1).unwrap();
        assert_eq!((got.data.len(), got.fds.len()), (0, 0));
        layer.close_all(&[higher, lower]);
    }
});

/// Makes a call that parts from its peer in the relock: another thread closes the peer then, and
/// has to wait for the call, which refers to it. What the call answers, when the other has closed
/// it.
fn parted<A>(layer: &Arc<AnyLayer>, peer: Fd, call: impl FnOnce(&AnyLayer) -> A) -> A {
    let ((came, has_come), (told, is_closed)) = (channel(), channel());
    let other = Arc::clone(layer);
    in_next(Moment::Relock, move || {
        came.send(()).unwrap();
        other.close(peer).unwrap();
        told.send(()).unwrap();
    });
    let answer = call(layer);
    has_come.try_recv().expect("the call comes to the relock");
    is_closed.recv().expect("the peer is closed");
    answer
}

staged!(a_shutdown_whose_peer_parts_in_the_relock, layer, {
    for kind in KINDS {
        let (lower, higher) = layer.pair(kind);
        assert_eq!(parted(layer, lower, |it| it.shutdown(higher, Shutdown::Write)), Ok(()));
        // The peer's place is used again, and has not ended.
        let (c, d) = layer.pair(kind);
        assert_eq!(layer.get(c, 9), Err(Errno::Ewouldblock));
        layer.close_all(&[c, d, higher]);
    }
});

staged!(an_accept_whose_client_parts_in_the_relock, layer, {
    for (kind, path) in KINDS.into_iter().zip(["stream", "seqpacket"]) {
        let head = layer.listener(kind, path);
        let client = layer.bound(kind, "client");
        layer.connect(client, &name(path)).unwrap();
        let (server, from) = parted(layer, client, |it| it.accept(head)).unwrap();
        // It is connected to nobody, and so has nobody's name.
        assert_eq!(from, SockAddr::UNNAMED);
        assert_eq!(layer.put(server, b"x"), Err(Errno::Epipe));
        // In this order the next client has the lower address again.
        layer.close_all(&[head, server]);
        layer.unlink(&name("client")).unwrap();
    }
});
