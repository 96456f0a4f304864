//! The locks of `per-buffer` (`backend/per_buffer.rs`): sends and receives that lock sides and no
//! peer, beside closes and shutdowns; and calls that have a reference on the file and no lock. The
//! programs are those of `state-queue` and `receive-buffer` too (`queue.rs`, `pins.rs`).

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::relock::send_or_epipe;
use super::shared::{ALL_LOOKS, Body, ByBuffer, Model, seen, small, threads};
use crate::ambient::Surroundings;
use crate::domain::{Config, Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::primitives::{Ordering, RawMutex};
use crate::uipc::Locked;

use Ordering::Relaxed;

/// A model of two threads.
pub(super) const fn model(
    name: &'static str,
    at_least: u64,
    branches: &'static [&'static str],
    program: fn(),
) -> Model {
    Model { name, threads: 2, bound: [None; 2], looks: ALL_LOOKS, at_least, branches, program }
}

/// What a send and a receive come to.
pub(super) const RECEIVES: &[&str] = &["sent", "received", "nothing there"];

/// What a receive beside a send comes to.
pub(super) const TAKEN: &[&str] = &["all taken", "some taken"];

pub(super) const MODELS: &[Model] = &[
    model("sides_there_and_gone", 29, RECEIVES, there_and_gone::<ByBuffer>),
    model("sides_both_ways", 5000, RECEIVES, both_ways::<ByBuffer>),
    model("sides_send_close", 27, &["sent", "EPIPE"], send_close::<ByBuffer>),
    model("sides_send_shutdown", 1800, &["sent", "EPIPE"], send_shutdown::<ByBuffer>),
    model("sides_close_in_call", 150, &["sent", "EBADF"], close_in_call::<ByBuffer>),
];

pub(super) fn layer<P: Policy>() -> Arc<Locked<P>> {
    layer_of(small())
}

/// The same of this size.
pub(super) fn layer_of<P: Policy>(config: Config) -> Arc<Locked<P>> {
    let lock = <<P::Ambient as Surroundings>::Raw as RawMutex>::ALGORITHM.unwrap_or_default();
    Arc::new(Locked::new(&Config { lock, ..config }).expect("a layer"))
}

/// Receives a byte, if it is there.
pub(super) fn receive<P: Policy>(layer: &Locked<P>, s: Fd) -> usize {
    match layer.recv(s, &mut [0], MsgFlags::DONTWAIT) {
        Ok(bytes) => {
            seen("received");
            bytes
        }
        Err(Errno::Ewouldblock) => {
            seen("nothing there");
            0
        }
        other => panic!("a receive answers {other:?}"),
    }
}

/// Both ends are closed, and nothing is left.
pub(super) fn close<P: Policy>(layer: &Locked<P>, ends: &[Fd]) {
    for end in ends {
        layer.close(*end).expect("a close");
    }
    assert!(layer.pools().iter().all(|pool| pool.in_use == 0), "something is left");
}

/// One thread sends a byte, another one receives it, if it is there already.
pub(super) fn there_and_gone<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let (sender, receiver) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || _ = send_or_epipe(&sender, a)),
        Box::new(move || _ = receive(&receiver, b)),
    ]);
    close(&layer, &[a, b]);
}

/// Each of two threads sends on its own end, and receives there what has come.
pub(super) fn both_ways<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let end = |s| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || {
            send_or_epipe(&layer, s);
            receive(&layer, s);
        })
    };
    threads(vec![end(a), end(b)]);
    close(&layer, &[a, b]);
}

/// A byte is sent to an end that is closed.
pub(super) fn send_close<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || _ = send_or_epipe(&sender, a)),
        Box::new(move || closer.close(b).expect("a close")),
    ]);
    close(&layer, &[a]);
}

/// A byte is sent on an end that is shut down, and what comes before the end is read.
pub(super) fn send_shutdown<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    // Not of the model: how many bytes are said to be sent, and how many came before the end.
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [sent, read] = counts.clone();
    let (sender, ender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || sent.store(send_or_epipe(&sender, a), Relaxed)),
        Box::new(move || {
            ender.shutdown(a, Shutdown::Write).expect("a shutdown");
            while ender.recv(b, &mut [0], MsgFlags::DONTWAIT) == Ok(1) {
                read.fetch_add(1, Relaxed);
            }
        }),
    ]);
    let [sent, read] = counts.map(|count| count.load(Relaxed));
    assert_eq!(sent, read, "bytes sent, and bytes read up to the end");
}

/// A buffer of four bytes is half full; one thread sends the other half, another one takes what is
/// there. Then there is room for just what was taken.
pub(super) fn account<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    assert_eq!(layer.send(a, b"xx", MsgFlags::DONTWAIT), Ok(2));
    let taken = Arc::new(AtomicUsize::new(0));
    let (sender, receiver, told) = (Arc::clone(&layer), Arc::clone(&layer), Arc::clone(&taken));
    threads(vec![
        Box::new(move || assert_eq!(sender.send(a, b"yy", MsgFlags::DONTWAIT), Ok(2))),
        Box::new(move || {
            let bytes = receiver.recv(b, &mut [0; 4], MsgFlags::DONTWAIT).expect("two at least");
            seen(if bytes == 4 { "all taken" } else { "some taken" });
            told.store(bytes, Relaxed);
        }),
    ]);
    // As the sender sees it: what fits goes whole.
    let fits = |bytes: &usize| layer.send(a, &b"zzzz"[..*bytes], MsgFlags::DONTWAIT) == Ok(*bytes);
    let room = (1..=4).rev().find(fits).unwrap_or(0);
    assert_eq!(room, taken.load(Relaxed), "room, and bytes taken");
    close(&layer, &[a, b]);
}

/// A descriptor is closed while a send on it is under way: the one that ends last frees the socket.
pub(super) fn close_in_call<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || match sender.send(a, b"x", MsgFlags::DONTWAIT) {
            Ok(1) => seen("sent"),
            Err(Errno::Ebadf) => seen("EBADF"),
            other => panic!("a send on a closed descriptor answers {other:?}"),
        }),
        Box::new(move || closer.close(a).expect("a close")),
    ]);
    close(&layer, &[b]);
}
