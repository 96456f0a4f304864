//! Controls of what is sent: data overwritten, data after the end, messages not freed.

use std::sync::Arc;

use super::control::{At, Control, at};
use super::stage;
use super::twin::{
    Injection, PerSocket, bound, close_all, layer, name, receive, send_byte, verify,
};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const NO_LOCK: Control = Control {
        name: "no-lock",
        bug: "the receiver's lock is dropped between reading the ring's tail and writing it",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/data.rs", "fn two_senders<", "verify::<D>("),
        fault: Injection {
            clean_window: Some(Window::Lookup),
            ..Injection::at(Step::HoldForAppend, Window::Append)
        },
        program: two_senders::<PerSocket>,
    };
}

/// Two datagram senders, one receiver: the second sends while the first is under way.
fn two_senders<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let [first, second] = [(); 2].map(|()| layer.socket(SockType::Dgram).expect("socket"));
    // The receiver is made last: it has the highest address, and no sender relocks.
    let receiver = bound(&layer, SockType::Dgram, "receiver");
    layer.connect(first, &name("receiver")).expect("connect");
    layer.connect(second, &name("receiver")).expect("connect");
    let other = Arc::clone(&layer);
    let two = move || assert_eq!(other.send(second, b"second", MsgFlags::empty()), Ok(6));
    stage::arm(two);
    assert_eq!(layer.send(first, b"first", MsgFlags::empty()), Ok(5));
    let received = [(); 2].map(|()| receive(&layer, receiver));
    let is_lost = received.contains(&Err(Errno::Ewouldblock));
    let what = "two messages were sent, one arrived";
    verify::<D>(Check::BytesLost, !is_lost, what);
    let [one, other] = received.map(|bytes| bytes.expect("recv"));
    assert_eq!(one + other, 11);
    close_all(&layer, &[first, second, receiver]);
}

impl Control {
    pub(super) const SHUTDOWN_UNSEEN: Control = Control {
        name: "shutdown-unseen",
        bug: "a send does not look after its relock whether its stream was ended meanwhile",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/data.rs", "fn shutdown_in_relock<", "verify::<D>("),
        fault: Injection::at(Step::EndRecheck, Window::Relock),
        program: shutdown_in_relock::<PerSocket>,
    };
}

/// While a send relocks, or is about to lock its peer, another thread ends the stream, and the
/// reader is told so.
pub(super) fn shutdown_in_relock<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        other.shutdown(higher, Shutdown::Write).expect("shutdown");
        assert_eq!(receive(&other, lower), Ok(0));
    });
    let is_right = send_byte(&layer, higher) == Err(Errno::Epipe);
    let what = "a byte is said to be sent of which the reader was told that there is no more";
    verify::<D>(Check::BytesLost, is_right, what);
    close_all(&layer, &[lower, higher]);
}

impl Control {
    pub(super) const LEAK_MESSAGE: Control = Control {
        name: "leak-message",
        bug: "a message that finds no room (ENOBUFS) is not freed",
        check: Check::ObjectsLeft,
        operation: "end of run",
        at: At::Pool("mbuf"),
        fault: Injection::of(Step::FreeOnNobufs),
        program: fill_up::<PerSocket>,
    };
}

/// Datagrams until the receiver is full.
fn fill_up<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Dgram).expect("socketpair");
    while layer.send(a, &[0; 1024], MsgFlags::empty()).is_ok() {}
    assert_eq!(layer.send(a, &[0; 1024], MsgFlags::empty()), Err(Errno::Enobufs));
    close_all(&layer, &[a, b]);
}
