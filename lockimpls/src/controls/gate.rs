//! Controls of the lock-free path.

use super::twin::{Injection, LockFree};
use super::{At, Control, Pair};
use crate::checked::Checked;
use crate::domain::{Config, Domain, MsgFlags, SockType};
use crate::fault::Step;
use crate::witness::{self, Check};

pub(super) const LEAK_GATE: Control = Control {
    name: "leak-gate",
    bug: "a thread that leaves the lock-free path does not clear in_use",
    check: Check::LeakedLock,
    operation: "sys_sendto",
    at: At::Line(
        "lockimpls/src/backend/lock_free.rs",
        include_str!("../backend/lock_free.rs"),
        "// control: in use",
    ),
    fault: Injection::of(Step::InUse),
    program: exchange::<LockFree>,
};

pub(super) const GATE_SHUT: Control = Control {
    name: "gate-shut",
    bug: "the gate of the lock-free path is never opened",
    check: Check::FastPath,
    operation: "verify",
    at: At::Line(
        "lockimpls/src/controls/gate.rs",
        include_str!("gate.rs"),
        "// control: the path not taken",
    ),
    fault: Injection::of(Step::Reopen),
    program: exchange::<LockFree>,
};

/// How many messages the program exchanges, and how many of them may take locks while the pair
/// warms up.
const MESSAGES: u64 = 10_000;
const WARM_UP: u64 = 8;

/// One thread sends and receives on a pair.
fn exchange<D: Domain>() {
    let layer: Checked<D> = Checked::new(&Config::default()).expect("layer");
    let (a, b): Pair<D> = layer.socketpair(SockType::Stream).expect("socketpair");
    let before = witness::counters();
    for _ in 0..MESSAGES {
        assert_eq!(layer.send(a, b"x", MsgFlags::empty()), Ok(1));
        assert_eq!(layer.recv(b, &mut [0; 8], MsgFlags::empty()), Ok(1));
    }
    let counted = witness::counters().since(&before);
    if counted.fast_sends + WARM_UP < MESSAGES {
        let what = format!("{} of {MESSAGES} sends took no lock", counted.fast_sends);
        witness::report_data(Check::FastPath, 1, D::NAME, &what); // control: the path not taken
    }
    layer.close(a).expect("close");
    layer.close(b).expect("close");
    layer.check_end();
}
