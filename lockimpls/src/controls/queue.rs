//! Bugs where a sender locks its peer alone: what it looks at again there, how it sleeps, what
//! keeps the account; and the order of two states.

use std::sync::{Arc, OnceLock};

use super::buffer::close_before_register;
use super::control::{Control, at};
use super::data::shutdown_in_relock;
use super::stage;
use super::twin::{
    Injection, StateQueue, bound, close_all, layer, layer_of, name, receive, send_byte, verify,
};
use crate::domain::{Config, Domain, MsgFlags, SockType, WaitStrategy};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    /// Those of a granularity where a sender locks its peer alone.
    pub(super) const OF_QUEUES: [Control; 7] = [
        Control::FORMER_PEER,
        Control::END_BEFORE_LOCK,
        Control::NO_LOOK_BEFORE_SLEEP,
        Control::OWN_KEPT,
        Control::CLIENT_FIRST,
        Control::ACCOUNT_UNLOCKED,
        Control::TWO_READERS,
    ];
}

impl Control {
    const FORMER_PEER: Control = Control {
        name: "send-to-former-peer",
        bug: "a send does not look again, with what it took for its peer locked, whether it \
              still is",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/queue.rs", "fn close_before_lock<", "verify::<D>("),
        fault: Injection::at(Step::PeerLookAgain, Window::PeerRead),
        program: close_before_lock::<StateQueue>,
    };
}

/// After a send has read where it is connected that socket is closed, and another one gets its
/// place.
fn close_before_lock<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (s, old) =
        (layer.socket(SockType::Dgram).expect("socket"), bound(&layer, SockType::Dgram, "old"));
    layer.connect(s, &name("old")).expect("connect");
    let stranger = Arc::new(OnceLock::new());
    let (other, its) = (Arc::clone(&layer), Arc::clone(&stranger));
    stage::arm(move || {
        other.close(old).expect("close");
        its.set(other.socket(SockType::Dgram).expect("socket")).expect("one");
    });
    let sent = send_byte(&layer, s);
    stage::end();
    let stranger = *stranger.get().expect("a stranger");
    let is_refused = sent.is_err() && receive(&layer, stranger).is_err();
    let what = "a message is at a socket that its sender was never connected to";
    verify::<D>(Check::BytesLost, is_refused, what);
    close_all(&layer, &[s, stranger]);
}

impl Control {
    const END_BEFORE_LOCK: Control = Control {
        name: "end-before-lock",
        bug: "a send does not look, with its peer locked, whether its stream was ended meanwhile",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/data.rs", "fn shutdown_in_relock<", "verify::<D>("),
        fault: Injection::at(Step::EndRecheck, Window::PeerRead),
        program: shutdown_in_relock::<StateQueue>,
    };
}

impl Control {
    const NO_LOOK_BEFORE_SLEEP: Control = Control {
        name: "B30-no-look-before-sleep",
        bug: "a writer goes to sleep with nothing held, and does not ask for wake-ups that came \
              before",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn sosend(", "self.await_room(so, seen)"),
        fault: Injection::at(Step::RetestWaiting, Window::BeforeRegister),
        program: close_before_register::<StateQueue>,
    };
}

impl Control {
    const OWN_KEPT: Control = Control {
        name: "own-state-kept",
        bug: "a record's sender keeps its own state, with which it has read its peer",
        check: Check::OrderViolation,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::OwnBeforePeer),
        program: send_down::<StateQueue>,
    };
}

/// A record goes from the higher end of a pair to the lower.
fn send_down<D: Domain>() {
    let layer = layer::<D>();
    let (lower, higher) = layer.socketpair(SockType::Seqpacket).expect("socketpair");
    assert_eq!(send_byte(&layer, higher), Ok(1));
    assert_eq!(receive(&layer, lower), Ok(1));
    close_all(&layer, &[lower, higher]);
}

impl Control {
    const CLIENT_FIRST: Control = Control {
        name: "client-before-listener",
        bug: "a connect locks its own socket, and then the listener",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn connect_stream(", "self.policy.head_to_pair("),
        fault: Injection::of(Step::ListenerFirst),
        program: connect_down::<StateQueue>,
    };
}

/// A connect from a higher socket to a lower listener.
fn connect_down<D: Domain>() {
    let layer = layer::<D>();
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    close_all(&layer, &[client, head]);
}

impl Control {
    const ACCOUNT_UNLOCKED: Control = Control {
        name: "account-unlocked",
        bug: "a receive gives room back with the queue unlocked: what was sent since is forgotten",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/queue.rs", "fn send_before_account<", "verify::<D>("),
        fault: Injection::at(Step::AccountLocked, Window::Account),
        program: send_before_account::<StateQueue>,
    };
}

/// A message is sent while the one before is accounted.
pub(super) fn send_before_account<D: Domain>() {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let size = config.pipsiz_bytes;
    assert_eq!(send_byte(&layer, a), Ok(1));
    let other = Arc::clone(&layer);
    stage::arm(move || {
        assert_eq!(other.send(a, &vec![7; size - 1], MsgFlags::DONTWAIT), Ok(size - 1))
    });
    assert_eq!(receive(&layer, b), Ok(1));
    stage::end();
    // One byte of room is left.
    let full = layer.send(a, &[7; 2], MsgFlags::DONTWAIT) == Err(Errno::Ewouldblock);
    verify::<D>(Check::WrongAnswer, full, "more goes into a buffer than it has room for");
    close_all(&layer, &[a, b]);
}

impl Control {
    const TWO_READERS: Control = Control {
        name: "two-readers",
        bug: "a receive does not take the iolock: two copy the same bytes",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/queue.rs", "fn receive_in_copy<", "verify::<D>("),
        fault: Injection::at(Step::ReaderAlone, Window::CopiedOut),
        program: receive_in_copy::<StateQueue>,
    };
}

/// Another thread receives while one copies.
pub(super) fn receive_in_copy<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(layer.send(a, b"xy", MsgFlags::empty()), Ok(2));
    let other = Arc::clone(&layer);
    stage::arm(move || _ = other.recv(b, &mut [0; 1], MsgFlags::DONTWAIT));
    let mut data = [0; 1];
    assert_eq!(layer.recv(b, &mut data, MsgFlags::empty()), Ok(1));
    stage::end();
    let next = layer.recv(b, &mut data, MsgFlags::DONTWAIT);
    let is_there = next == Ok(1) && data == *b"y";
    verify::<D>(Check::BytesLost, is_there, "of two bytes one came twice, and one never");
    close_all(&layer, &[a, b]);
}
