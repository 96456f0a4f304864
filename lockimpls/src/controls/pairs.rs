//! Bugs with a lock that can be another one: what is looked at again, what is held while it
//! changes, whose it is afterwards.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{Injection, PerPair, bound, close_all, layer, name, send_byte};
use crate::checked::Checked;
use crate::domain::{Domain, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const HALF_SWITCHED: Control = Control {
        name: "B24-switch-without-new-lock",
        bug: "accept gives the client its lock back without holding it: a send has one end alone",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "so2.so_rcv()"),
        fault: Injection::at(Step::AcceptTakesNew, Window::HalfSwitched),
        program: send_in_accept::<PerPair>,
    };
}

/// A listener, and a client of it that waits.
fn listener_and_client<D: Domain>(layer: &Checked<D>) -> (D::Sock, D::Sock) {
    let head = bound(layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    layer.set_nonblocking(head, true).expect("O_NONBLOCK");
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    (head, client)
}

/// The client sends while it is accepted.
fn send_in_accept<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (head, client) = listener_and_client(&layer);
    let other = Arc::clone(&layer);
    stage::arm(move || assert_eq!(send_byte(&other, client), Ok(1)));
    let (server, _) = layer.accept(head).expect("accept");
    close_all(&layer, &[client, server, head]);
}

impl Control {
    pub(super) const NOT_LOOKED_AGAIN: Control = Control {
        name: "lock-not-looked-at-again",
        bug: "a call goes on with the lock that its socket had before the call got it",
        check: Check::Unlocked,
        operation: "sys_getsockname",
        at: at!("uipc/name.rs", "fn sys_getsockname(", "self.solock_fd(s)"),
        fault: Injection::at(Step::LockLookAgain, Window::LockRead),
        program: listen_before_lock::<PerPair>,
    };
}

/// A socket begins to listen before another thread has locked it.
fn listen_before_lock<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let s = bound(&layer, SockType::Stream, "here");
    let other = Arc::clone(&layer);
    stage::arm(move || other.listen(s, 1).expect("listen"));
    assert_eq!(layer.getsockname(s), Ok(name("here")));
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const SWITCHED_WITHOUT_OLD: Control = Control {
        name: "lock-switched-without-old",
        bug: "listen lets go of its socket before that has its other lock",
        check: Check::OrderViolation,
        operation: "sys_listen",
        at: at!("uipc/bind.rs", "fn solisten(", "self.policy.listen_enter(so)"),
        fault: Injection::of(Step::SwitchHoldsOld),
        program: listen::<PerPair>,
    };
}

impl Control {
    pub(super) const SWITCHED_WITHOUT_NEW: Control = Control {
        name: "lock-switched-without-new",
        bug: "listen gives its socket another lock, which it does not take",
        check: Check::Unlocked,
        operation: "sys_listen",
        at: at!("uipc/bind.rs", "fn sys_listen(", "self.sounlock_fd("),
        fault: Injection::of(Step::SwitchTakesNew),
        program: listen::<PerPair>,
    };
}

/// A socket listens.
fn listen<D: Domain>() {
    let layer = layer::<D>();
    let s = bound(&layer, SockType::Stream, "here");
    layer.listen(s, 1).expect("listen");
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const SHARED_TAKEN_ALONG: Control = Control {
        name: "shared-lock-taken-along",
        bug: "the first of a pair to go takes their lock along, which the other has still",
        check: Check::Hang,
        operation: "sys_accept",
        at: at!("uipc/accept.rs", "fn soaccept(", "self.policy.accepted(&so)"),
        fault: Injection::at(Step::LeaveSpare, Window::Accepting),
        program: listen_in_accept::<PerPair>,
    };
}

/// One end of a pair is closed, and what comes in its place connects; while that is accepted, the
/// other end listens.
fn listen_in_accept<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (gone, left) = layer.socketpair(SockType::Stream).expect("socketpair");
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    layer.close(gone).expect("close");
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    let other = Arc::clone(&layer);
    stage::arm(move || assert_eq!(other.listen(left, 1), Err(Errno::Einval)));
    let (server, _) = layer.accept(head).expect("accept");
    close_all(&layer, &[left, client, server, head]);
}
