//! Bugs with a try of the peer's lock, the relock behind it, and connects that wait for that
//! (`backend/per_socket_try.rs`).

use std::sync::Arc;

use super::control::{Control, at};
use super::relock::{close_in_relock, reconnect_in_detach};
use super::stage;
use super::twin::{
    Injection, PerSocketTry, bound, close_all, layer, name, receive, send_byte, send_rights,
};
use crate::checked::Checked;
use crate::domain::{Domain, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const OF_TRIES: [Control; 10] = [
        Control::NOT_HELD_BACK,
        Control::RELOCK_NOT_COUNTED,
        Control::RELOCK_NOT_WOKEN,
        Control::NOT_LOOKED_AT,
        Control::WAITS_ANYWAY,
        Control::KEEPS_PEER,
        Control::KEEPS_REFERENCE,
        Control::TAKES_NO_REFERENCE,
        Control::TRY_NOBUFS_LEAKS,
        Control::DROPS_ANYWAY,
    ];
}

impl Control {
    const NOT_HELD_BACK: Control = Control {
        name: "B19-connect-in-relock",
        bug: "a connect does not wait for a relock, which does not begin again",
        check: Check::Panic,
        operation: "sys_sendto",
        at: at!("uipc/datagram.rs", "fn append_to_peer(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::HoldConnect, Window::Relock),
        program: connect_in_relock::<PerSocketTry>,
    };
}

impl Control {
    const RELOCK_NOT_COUNTED: Control = Control {
        name: "connect-after-one-relock",
        bug: "the first of two relocks that is over lets a connect go on",
        check: Check::Panic,
        operation: "sys_sendto",
        at: at!("uipc/datagram.rs", "fn append_to_peer(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::CountRelocks, Window::Relock),
        program: connect_in_the_longer_relock::<PerSocketTry>,
    };
}

impl Control {
    const RELOCK_NOT_WOKEN: Control = Control {
        name: "connect-unwoken",
        bug: "a relock that is over does not wake the connect that waits for it",
        check: Check::Hang,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn soconnect(", "self.policy.connect_enter(so)"),
        fault: Injection::at(Step::WakeCounted, Window::Relock),
        program: connect_in_relock::<PerSocketTry>,
    };
}

/// A datagram socket sends; in its relock it is connected elsewhere.
fn connect_in_relock<D: Domain>() {
    reconnect_in_relock::<D>(|_, _| {});
}

/// The same, after another thread has relocked from the same socket.
fn connect_in_the_longer_relock<D: Domain>() {
    reconnect_in_relock::<D>(|layer, s| _ = layer.getpeername(s).expect("a peer"));
}

/// In the relock of a datagram's send: another thread does this first, then connects the socket
/// elsewhere. The send finds no peer, and the next one goes there.
fn reconnect_in_relock<D: Domain>(first: impl FnOnce(&Checked<D>, D::Sock) + Send + 'static) {
    let layer = Arc::new(layer::<D>());
    let [old, new] = ["old", "new"].map(|path| bound(&layer, SockType::Dgram, path));
    let s = layer.socket(SockType::Dgram).expect("socket");
    layer.connect(s, &name("old")).expect("connect");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        first(&other, s);
        other.connect(s, &name("new")).expect("connect");
    });
    assert_eq!(send_byte(&layer, s), Err(Errno::Enotconn));
    stage::end();
    assert_eq!(send_byte(&layer, s), Ok(1));
    assert_eq!(receive(&layer, new), Ok(1));
    close_all(&layer, &[s, old, new]);
}

impl Control {
    const NOT_LOOKED_AT: Control = Control {
        name: "try-for-a-lock",
        bug: "nobody looks whether a try has the lock",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "so2.rcv_fill("),
        fault: Injection::at(Step::TryAnswer, Window::Relock),
        program: send_from_higher::<PerSocketTry>,
    };
}

impl Control {
    const WAITS_ANYWAY: Control = Control {
        name: "try-then-wait",
        bug: "behind a try that failed the peer is waited for, whatever its address",
        check: Check::OrderViolation,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::AddressOrder, Window::Relock),
        program: send_from_higher::<PerSocketTry>,
    };
}

impl Control {
    const KEEPS_REFERENCE: Control = Control {
        name: "try-keeps-reference",
        bug: "the reference on the peer, taken for the relock, is not given back",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::UnpRefRelock, Window::Relock),
        program: send_from_higher::<PerSocketTry>,
    };
}

impl Control {
    const TAKES_NO_REFERENCE: Control = Control {
        name: "try-without-reference",
        bug: "no reference on the peer is taken for the relock, and one is given back",
        check: Check::NotHeld,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::UnpRefTake, Window::Relock),
        program: send_from_higher::<PerSocketTry>,
    };
}

/// A send from the end with the higher address, which does not get its peer's lock at once.
fn send_from_higher<D: Domain>() {
    let layer = layer::<D>();
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_byte(&layer, higher), Ok(1));
    assert_eq!(receive(&layer, lower), Ok(1));
    close_all(&layer, &[lower, higher]);
}

impl Control {
    const KEEPS_PEER: Control = Control {
        name: "relock-keeps-former-peer",
        bug: "a relock that finds no peer does not unlock what was the peer",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::at(Step::RelockChanged, Window::Relock),
        program: close_in_relock::<PerSocketTry>,
    };
}

impl Control {
    const TRY_NOBUFS_LEAKS: Control = Control {
        name: "try-leaks-at-nobufs",
        bug: "send does not unlock the peer that it tried, where a message finds no room (ENOBUFS)",
        check: Check::LeakedLock,
        operation: "sys_sendmsg",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::SendNobufsPeer),
        program: pass_to_shut::<PerSocketTry>,
    };
}

/// From the higher end, whose peer would be locked first.
fn pass_to_shut<D: Domain>() {
    let layer = layer::<D>();
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    layer.shutdown(lower, Shutdown::Read).expect("shutdown");
    assert_eq!(send_rights(&layer, higher, &[higher]), Err(Errno::Enobufs));
    close_all(&layer, &[lower, higher]);
}

impl Control {
    const DROPS_ANYWAY: Control = Control {
        name: "B08-drop-without-recheck",
        bug: "close drops a socket that another thread has connected elsewhere before it is locked",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/relock.rs", "fn reconnect_in_detach<", "verify::<D>("),
        fault: Injection::at(Step::ReferrerRecheck, Window::Relock),
        program: reconnect_in_detach::<PerSocketTry>,
    };
}
