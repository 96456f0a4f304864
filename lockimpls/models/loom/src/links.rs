//! The lock of all links, which senders share (`backend/shared_link.rs`): sends beside partings,
//! shutdowns and other sends; a message and its account; and an addressed send, which lets go of
//! the lock to connect, takes it again in the other mode, and looks again.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::relock::send_or_epipe;
use super::shared::{ALL_LOOKS, ByLink, Links, Model, seen, small, threads};
use super::sides::{TAKEN, account};
use crate::domain::{Domain, MsgFlags, SendMsg, Shutdown, SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::primitives::Ordering;

use Ordering::Relaxed;

/// A model of two threads.
const fn model(
    name: &'static str,
    at_least: u64,
    branches: &'static [&'static str],
    program: fn(),
) -> Model {
    Model { name, threads: 2, bound: [None; 2], looks: ALL_LOOKS, at_least, branches, program }
}

pub(super) const MODELS: &[Model] = &[
    model("links_two_senders", 6, &["sent"], two_senders),
    model("links_send_close", 7, &["sent", "EPIPE"], send_close),
    model("links_send_shutdown", 200, &["sent", "EPIPE"], send_shutdown),
    model("links_account", 80, TAKEN, account::<Links>),
    model("links_addressed", 350, &["sent", "gone"], addressed),
];

fn layer() -> Arc<ByLink> {
    Arc::new(ByLink::new(&small()).expect("a layer"))
}

/// All are closed, and nothing is left.
fn close(layer: &ByLink, ends: &[Fd]) {
    for end in ends {
        layer.close(*end).expect("a close");
    }
    assert!(layer.pools().iter().all(|pool| pool.in_use == 0), "something is left");
}

/// Each end of a pair sends to the other: both read what is connected to what at once, and each has
/// the other's lock.
fn two_senders() {
    let layer = layer();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let send = |s| {
        let layer = Arc::clone(&layer);
        Box::new(move || _ = send_or_epipe(&layer, s))
    };
    threads(vec![send(a), send(b)]);
    close(&layer, &[a, b]);
}

/// A byte is sent to an end that is closed.
fn send_close() {
    let layer = layer();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || _ = send_or_epipe(&sender, a)),
        Box::new(move || closer.close(b).expect("a close")),
    ]);
    close(&layer, &[a]);
}

/// A byte is sent on an end that is shut down, and what comes before the end is read.
fn send_shutdown() {
    let layer = layer();
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

/// A datagram is sent to a name while the socket there is closed: it goes there, or there is
/// nobody, whether that is seen before the sender is connected, when it is, or after.
fn addressed() {
    let layer = layer();
    let name = SockAddr::new("there").expect("a name");
    let [s, there] = [(); 2].map(|()| layer.socket(SockType::Dgram).expect("a socket"));
    layer.bind(there, &name).expect("a bind");
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let (to, flags) = (Some(&name), MsgFlags::DONTWAIT);
            match sender.sendmsg(s, &SendMsg { to, data: b"x", rights: &[], flags }) {
                Ok(1) => seen("sent"),
                Err(Errno::Econnrefused) => seen("gone"),
                other => panic!("an addressed send answers {other:?}"),
            }
        }),
        Box::new(move || closer.close(there).expect("a close")),
    ]);
    layer.close(s).expect("a close");
    layer.unlink(&name).expect("an unlink");
}
