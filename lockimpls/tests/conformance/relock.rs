//! What another thread does in the middle of a relock, when a send has dropped its socket's lock to
//! take its peer's first.
//!
//! On the backends that relock, with the moment forced; `order.rs` has which requests do.

use lockimpls::controls::Moment;
use lockimpls::{Checked, Domain, Errno, Shutdown, SockType};

use crate::battery::{Program, with_another};

const KINDS: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

/// The stream ends, and its reader is told so.
fn end<D: Domain>(lower: D::Sock, higher: D::Sock) -> impl FnOnce(&Checked<D>) + Send + 'static {
    move |layer| {
        layer.shutdown(higher, Shutdown::Write).unwrap();
        assert_eq!(layer.get(lower, 9).unwrap(), b"");
    }
}

// What was not sent must not be said to be sent: the reader would never ask for it.
staged!(nothing_is_sent_after_an_end_that_comes_in_the_relock, layer, {
    for kind in KINDS {
        let (lower, higher) = layer.pair(kind);
        let ends = end::<D>(lower, higher);
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
        let ends = end::<D>(lower, higher);
        let sent = with_another(layer, Moment::Relock, ends, |it| it.pass(higher, b"x", &[lower]));
        assert_eq!(sent, Err(Errno::Epipe));
        let got = layer.take(lower, 9, 1).unwrap();
        assert_eq!((got.data.len(), got.fds.len()), (0, 0));
        layer.close_all(&[higher, lower]);
    }
});
