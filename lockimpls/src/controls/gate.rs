//! Controls of the lock-free path.

use super::control::{Control, at};
use super::twin::{Injection, LockFree, close_all, layer, receive, send_byte, verify};
use crate::domain::{Domain, SockType};
use crate::fault::Step;
use crate::witness::{self, Check};

impl Control {
    pub(super) const LEAK_GATE: Control = Control {
        name: "leak-gate",
        bug: "a thread that leaves the lock-free path does not clear in_use",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("backend/lock_free.rs", "fn fast_enter(", "gate::enter("),
        fault: Injection::of(Step::InUse),
        program: exchange::<LockFree>,
    };
}

impl Control {
    pub(super) const GATE_SHUT: Control = Control {
        name: "gate-shut",
        bug: "the gate of the lock-free path is never opened",
        check: Check::FastPath,
        operation: "verify",
        at: at!("controls/gate.rs", "fn exchange<", "verify::<D>("),
        fault: Injection::of(Step::Reopen),
        program: exchange::<LockFree>,
    };
}

/// How many messages the program exchanges, and how many of them may take locks while the pair
/// warms up.
const MESSAGES: u64 = 10_000;
const WARM_UP: u64 = 8;

/// One thread sends and receives on a pair.
fn exchange<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let before = witness::counters();
    for _ in 0..MESSAGES {
        assert_eq!(send_byte(&layer, a), Ok(1));
        assert_eq!(receive(&layer, b), Ok(1));
    }
    let counted = witness::counters().since(&before);
    let is_fast = counted.fast_sends + WARM_UP >= MESSAGES;
    let what = format!("{} of {MESSAGES} sends took no lock", counted.fast_sends);
    verify::<D>(Check::FastPath, is_fast, &what);
    close_all(&layer, &[a, b]);
}
