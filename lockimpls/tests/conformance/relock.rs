//! What another thread does in the middle of a relock, when a send has dropped its socket's lock to
//! take its peer's first.
//!
//! On the backends that relock, with the moment forced; `order.rs` has which requests do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lockimpls::controls::{Moment, in_next};
use lockimpls::{Checked, Domain, Errno, Shutdown, SockType};

use crate::battery::{Program, Staged, on_every_staged};

/// What happens on a connected pair, the lower end first.
trait Race {
    fn run<D: Domain>(&self, layer: &Arc<Checked<D>>, lower: D::Sock, higher: D::Sock);
}

/// Runs it on every backend that relocks.
fn on_every_relock(race: &impl Race) {
    struct OnEach<'a, R>(SockType, &'a R);
    impl<R: Race> Staged for OnEach<'_, R> {
        fn run<D: Domain>(&self, layer: &Arc<Checked<D>>) {
            let (lower, higher) = layer.pair(self.0);
            self.1.run(layer, lower, higher);
            layer.close_all(&[lower, higher]);
        }
    }
    for kind in [SockType::Stream, SockType::Seqpacket] {
        on_every_staged(&OnEach(kind, race));
    }
}

/// While the next relock is under way the stream ends, and its reader is told so. Answers whether
/// that was.
fn end_in_relock<D: Domain>(
    layer: &Arc<Checked<D>>,
    lower: D::Sock,
    higher: D::Sock,
) -> Arc<AtomicBool> {
    let was_there = Arc::new(AtomicBool::new(false));
    let (layer, is_there) = (Arc::clone(layer), Arc::clone(&was_there));
    in_next(Moment::Relock, move || {
        layer.shutdown(higher, Shutdown::Write).unwrap();
        assert_eq!(layer.get(lower, 9).unwrap(), b"");
        // Relaxed: the send joins this thread before it goes on.
        is_there.store(true, Relaxed);
    });
    was_there
}

/// What was not sent must not be said to be sent: the reader would never ask for it.
#[test]
fn nothing_is_sent_after_an_end_that_comes_in_the_relock() {
    struct This;
    impl Race for This {
        fn run<D: Domain>(&self, layer: &Arc<Checked<D>>, lower: D::Sock, higher: D::Sock) {
            let was_there = end_in_relock(layer, lower, higher);
            assert_eq!(layer.put(higher, b"x"), Err(Errno::Epipe));
            assert!(was_there.load(Relaxed), "the send did not relock");
            assert_eq!(layer.get(lower, 9).unwrap(), b"");
        }
    }
    on_every_relock(&This);
}

/// The same with a descriptor, which must not stay in flight: the layer would not be empty.
#[test]
fn no_descriptor_is_sent_after_an_end_that_comes_in_the_relock() {
    struct This;
    impl Race for This {
        fn run<D: Domain>(&self, layer: &Arc<Checked<D>>, lower: D::Sock, higher: D::Sock) {
            let was_there = end_in_relock(layer, lower, higher);
            assert_eq!(layer.pass(higher, b"x", &[lower]), Err(Errno::Epipe));
            assert!(was_there.load(Relaxed), "the send did not relock");
            let got = layer.take(lower, 9, 1).unwrap();
            assert_eq!((got.data.len(), got.fds.len()), (0, 0));
        }
    }
    on_every_relock(&This);
}
