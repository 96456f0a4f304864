//! Bugs of kernels around the two locks of a pair: relocks, self-connected sockets, references.

use std::sync::{Arc, OnceLock};

use super::control::{At, Control, at};
use super::stage;
use super::twin::{
    Injection, PerSocket, bound, close_all, layer, name, receive, send_byte, verify,
};
use crate::domain::{Domain, MsgFlags, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const MISDELIVERY: Control = Control {
        name: "B03-addressed-misdelivery",
        bug: "an addressed send follows the peer that another thread connects while it relocks",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/relock.rs", "fn connect_in_addressed_send<", "verify::<D>("),
        fault: Injection::at(Step::KeepConnecting, Window::Relock),
        program: connect_in_addressed_send::<PerSocket>,
    };
}

/// `sendto(s, "x", to)`; while it relocks, another thread connects `s` elsewhere.
fn connect_in_addressed_send<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let [to, elsewhere] = ["to", "elsewhere"].map(|path| bound(&layer, SockType::Dgram, path));
    let s = layer.socket(SockType::Dgram).expect("socket");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        let _ = other.connect(s, &name("elsewhere"));
    });
    let sent = layer.sendto(s, b"x", &name("to"), MsgFlags::empty());
    let arrived = receive(&layer, to);
    let what = "a datagram did not arrive where it was addressed to";
    verify::<D>(Check::BytesLost, sent == arrived, what);
    close_all(&layer, &[s, to, elsewhere]);
}

impl Control {
    pub(super) const NO_REVERSE_LOOK: Control = Control {
        name: "B08-detach-without-recheck",
        bug: "close drops a socket that another thread has connected elsewhere while it relocks",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/relock.rs", "fn reconnect_in_detach<", "verify::<D>("),
        fault: Injection::at(Step::ReferrerRecheck, Window::Relock),
        program: reconnect_in_detach::<PerSocket>,
    };
}

/// A receiver is closed; before it has locked its lower sender, that one is connected elsewhere.
pub(super) fn reconnect_in_detach<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let s = layer.socket(SockType::Dgram).expect("socket");
    let [old, new] = ["old", "new"].map(|path| bound(&layer, SockType::Dgram, path));
    layer.connect(s, &name("old")).expect("connect");
    let other = Arc::clone(&layer);
    stage::arm(move || other.connect(s, &name("new")).expect("connect"));
    layer.close(old).expect("close");
    let what = "the new destination lives, and a send to it is refused";
    verify::<D>(Check::WrongAnswer, send_byte(&layer, s) == Ok(1), what);
    assert_eq!(receive(&layer, new), Ok(1));
    close_all(&layer, &[s, new]);
}

impl Control {
    pub(super) const SELF_UNLOCKED: Control = Control {
        name: "B09-self-double-unlock",
        bug: "a datagram socket connected to itself is unlocked once too often",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!(
            "uipc/send.rs",
            "fn sosend_once(",
            "Ok(Room::Bytes(_))",
            "self.sbunlock(so, Side::Snd)"
        ),
        fault: Injection::of(Step::SelfUnlock),
        program: send_to_self::<PerSocket>,
    };
}

impl Control {
    pub(super) const SELF_LOCKED: Control = Control {
        name: "B31-self-double-lock",
        bug: "a datagram socket connected to itself is locked twice",
        check: Check::OrderViolation,
        operation: "sys_sendto",
        at: at!("uipc/datagram.rs", "fn append_to_peer(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::SelfLock),
        program: send_to_self::<PerSocket>,
    };
}

/// A socket connected to itself is filled up, and emptied.
fn send_to_self<D: Domain>() {
    let layer = layer::<D>();
    let s = bound(&layer, SockType::Dgram, "self");
    layer.connect(s, &name("self")).expect("connect");
    let mut sent = 0;
    while send_byte(&layer, s).is_ok() {
        sent += 1;
    }
    assert_eq!(send_byte(&layer, s), Err(Errno::Enobufs));
    for _ in 0..sent {
        assert_eq!(receive(&layer, s), Ok(1));
    }
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const FINALIZE_LOCKED: Control = Control {
        name: "B16-finalize-with-lock",
        bug: "close waits for a relocker's reference with the lock that the relocker waits for",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::FinalizeUnlocked, Window::Relock),
        program: close_in_relock::<PerSocket>,
    };
}

/// The lower end is closed while the higher one relocks to send to it.
pub(super) fn close_in_relock<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(lower).expect("close"));
    assert_eq!(send_byte(&layer, higher), Err(Errno::Epipe));
    close_all(&layer, &[higher]);
}

impl Control {
    pub(super) const COUNTED_EARLY: Control = Control {
        name: "B05-count-compared-early",
        bug: "the last user compares the count before it lowers it: nobody frees the closed socket",
        check: Check::ObjectsLeft,
        operation: "end of run",
        at: At::Pool("socket"),
        fault: Injection::at(Step::CountAfter, Window::Relock),
        program: close_in_send::<PerSocket>,
    };
}

/// A socket is closed by another thread while it relocks to send.
fn close_in_send<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(higher).expect("close"));
    assert_eq!(send_byte(&layer, higher), Ok(1));
    close_all(&layer, &[lower]);
}

impl Control {
    pub(super) const NO_SECOND_LOOK: Control = Control {
        name: "B36-lock-of-freed-socket",
        bug: "a send that waits for the lock of a socket that is freed locks the one that came \
              after",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/relock.rs", "fn reuse_before_lock<", "verify::<D>("),
        fault: Injection::at(Step::LookupRecheck, Window::Lookup),
        program: reuse_before_lock::<PerSocket>,
    };
}

/// A pair is closed before a send has locked it; a new pair takes its place.
fn reuse_before_lock<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (other, made) = (Arc::clone(&layer), Arc::new(OnceLock::new()));
    let tell = Arc::clone(&made);
    stage::arm(move || {
        other.close(a).expect("close");
        other.close(b).expect("close");
        let pair = other.socketpair(SockType::Stream).expect("socketpair");
        assert!(tell.set(pair).is_ok());
    });
    let sent = send_byte(&layer, a);
    let (c, d) = *made.get().expect("a new pair");
    let is_right = sent == Err(Errno::Ebadf) && receive(&layer, c) == Err(Errno::Ewouldblock);
    let what = "a message sent on a closed descriptor arrived at another socket";
    verify::<D>(Check::BytesLost, is_right, what);
    close_all(&layer, &[c, d]);
}
