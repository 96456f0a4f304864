//! Bugs of partings that wait for relocks (`backend/per_socket_wait.rs`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::control::{Control, at};
use super::stage;
use super::twin::{
    Injection, PerSocketWait, bound, close_all, layer, name, receive, send_byte, verify,
};
use crate::checked::Checked;
use crate::domain::{Domain, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::primitives::yield_now;
use crate::witness::{self, Check};

use Ordering::{Acquire, Release};

impl Control {
    pub(super) const NOT_WAITED: Control = Control {
        name: "part-in-relock",
        bug: "a parting does not wait for a relock, which does not look again",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/parting.rs", "fn reuse_in_relock<", "verify::<D>("),
        fault: Injection::at(Step::WaitForRelock, Window::Relock),
        program: close_in_relock::<PerSocketWait>,
    };
}

impl Control {
    pub(super) const NOT_COUNTED: Control = Control {
        name: "relocks-as-a-flag",
        bug: "the first of two relocks that is over lets a parting go on",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/parting.rs", "fn reuse_in_relock<", "verify::<D>("),
        fault: Injection::at(Step::CountRelocks, Window::Relock),
        program: close_in_the_longer_relock::<PerSocketWait>,
    };
}

impl Control {
    pub(super) const NOT_WOKEN: Control = Control {
        name: "parting-unwoken",
        bug: "a relock that is over does not wake the parting that waits for it",
        check: Check::Hang,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn unp_detach(", "self.policy.solock_referrer(so)"),
        fault: Injection::at(Step::WakeCounted, Window::Relock),
        program: close_in_relock::<PerSocketWait>,
    };
}

/// A datagram socket sends; in its relock the receiver is closed.
fn close_in_relock<D: Domain>() {
    reuse_in_relock::<D>(|_, _| {});
}

/// The same, after another thread has relocked from the same socket.
fn close_in_the_longer_relock<D: Domain>() {
    reuse_in_relock::<D>(|layer, s| _ = layer.getpeername(s).expect("a peer"));
}

/// In the relock of a datagram's send: another thread does this first, then closes the receiver,
/// and makes a socket, which takes its place.
fn reuse_in_relock<D: Domain>(first: impl FnOnce(&Checked<D>, D::Sock) + Send + 'static) {
    let layer = Arc::new(layer::<D>());
    let to = bound(&layer, SockType::Dgram, "to");
    let s = layer.socket(SockType::Dgram).expect("socket");
    layer.connect(s, &name("to")).expect("connect");
    let (other, made) = (Arc::clone(&layer), Arc::new(OnceLock::new()));
    let tell = Arc::clone(&made);
    stage::arm(move || {
        first(&other, s);
        other.close(to).expect("close");
        assert!(tell.set(other.socket(SockType::Dgram).expect("socket")).is_ok());
    });
    assert_eq!(send_byte(&layer, s), Ok(1));
    stage::end();
    let new = *made.get().expect("a new socket");
    let is_right = receive(&layer, new) == Err(Errno::Ewouldblock);
    let what = "a message sent to a socket that was closed arrived at the one that came after";
    verify::<D>(Check::BytesLost, is_right, what);
    close_all(&layer, &[s, new]);
}

impl Control {
    pub(super) const SLEEPS_LATE: Control = Control {
        name: "B37-parting-sleeps-late",
        bug: "a parting unlocks the socket that it waits for before it sleeps with its own",
        check: Check::Hang,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn unp_disconnect(", "self.policy.solock_to_part(so)"),
        fault: Injection::of(Step::SleepWithCounted),
        program: part_from_one_that_relocks::<PerSocketWait>,
    };
}

/// The middle one of three datagram sockets is connected to the highest, and that one to the
/// lowest. The highest sends, and relocks for that; meanwhile the middle one is closed, and waits
/// for it. Just before it sleeps the send goes on as far as it can.
fn part_from_one_that_relocks<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let [lowest, middle, highest] =
        ["lowest", "middle", "highest"].map(|path| bound(&layer, SockType::Dgram, path));
    layer.connect(middle, &name("highest")).expect("connect");
    layer.connect(highest, &name("lowest")).expect("connect");
    let (closer, sender) = (Arc::clone(&layer), witness::thread_number());
    let is_sent = Arc::new(AtomicBool::new(false));
    let sees = Arc::clone(&is_sent);
    stage::arm_for(Window::Relock, move || {
        stage::arm_for(Window::LinkSleeps, move || {
            // Acquire; pairs with the Release below.
            while !sees.load(Acquire) && !witness::is_waiting(sender) {
                yield_now();
            }
        });
        closer.close(middle).expect("close");
    });
    assert_eq!(send_byte(&layer, highest), Ok(1));
    is_sent.store(true, Release);
    close_all(&layer, &[lowest, highest]);
}

impl Control {
    pub(super) const TWO_PARTINGS: Control = Control {
        name: "two-partings",
        bug: "two partings are under way at once, and none of them looks again",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/parting.rs", "fn both_ends_close<", "verify::<D>("),
        fault: Injection::at(Step::PartOneAtATime, Window::Relock),
        program: both_ends_close::<PerSocketWait>,
    };
}

/// The higher end of a pair is closed; while it relocks for that, the lower one is closed, and a
/// new pair is made, of which one end takes its place.
fn both_ends_close<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (other, made) = (Arc::clone(&layer), Arc::new(OnceLock::new()));
    let tell = Arc::clone(&made);
    stage::arm(move || {
        other.close(lower).expect("close");
        assert!(tell.set(other.socketpair(SockType::Stream).expect("socketpair")).is_ok());
    });
    layer.close(higher).expect("close");
    stage::end();
    let (a, b) = *made.get().expect("a new pair");
    let is_right = send_byte(&layer, a) == Ok(1) && receive(&layer, b) == Ok(1);
    verify::<D>(Check::WrongAnswer, is_right, "a new pair was parted by the close of an old one");
    close_all(&layer, &[a, b]);
}
