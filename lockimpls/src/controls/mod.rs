//! The controls: backends broken on purpose, each with a program that reaches the bug.
//!
//! A checker that was never seen to fire proves nothing. A twin is a backend that leaves out one
//! step; it runs the same `uipc` code as the real one. Its program runs twice, in a process of its
//! own each time: on the twin, where the right check must find the bug at the right call and line,
//! and on the same backend without the fault, where nothing may be found. Where the bug needs
//! another thread at a certain moment, both have the same window opened,
//! so that they differ in the fault alone.
//!
//! Adding one: a type with its fault, a program, and an entry in [`all`].

mod data;
mod gate;
mod locks;
mod stage;
mod waiting;

use crate::backend::Visitor;
use crate::domain::Domain;
use crate::witness::Check;

/// A broken twin, its program, and what must find it.
#[derive(Clone, Copy)]
pub struct Control {
    /// The twin's name.
    pub name: &'static str,
    /// One line: what is left out.
    pub bug: &'static str,
    /// The check that must find it.
    pub check: Check,
    /// The call in which it must be found; `verify` and `end of run` are the program's own.
    pub operation: &'static str,
    /// Where: a file of this crate and the mark at the end of the line, or the pool that is not
    /// empty.
    at: At,
    twin: fn(),
    clean: fn(),
}

/// Where a control must be caught.
#[derive(Clone, Copy)]
enum At {
    /// The marked line of a file: its path, its text, the mark.
    Line(&'static str, &'static str, &'static str),
    /// A pool, by name.
    Pool(&'static str),
}

impl Control {
    /// Whether it is caught at once: lost wake-ups take the watchdog's limit.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.check != Check::Hang
    }

    /// Where it must be caught: the finding's `file:line:column` begins with this, or it is `pool
    /// NAME`.
    #[must_use]
    pub fn expected_at(&self) -> String {
        match self.at {
            At::Pool(name) => format!("pool {name}"),
            At::Line(path, text, mark) => {
                // The last: the mark also stands in the control's own entry, above.
                let marked = text.lines().enumerate().filter(|(_, line)| line.contains(mark));
                format!("{path}:{}:", marked.last().map_or(0, |(index, _)| index + 1))
            }
        }
    }

    /// Runs the program on the twin. Whoever calls it has a watchdog and expects the process to end
    /// with a finding.
    pub fn run_twin(&self) {
        (self.twin)();
    }

    /// Runs the program on the same backend without the fault; returns when it found nothing.
    pub fn run_clean(&self) {
        (self.clean)();
    }
}

/// Every control.
#[must_use]
pub fn all() -> Vec<Control> {
    vec![
        locks::LEAK_NOBUFS,
        locks::ORDER,
        locks::NO_RECHECK,
        locks::LEAK_REF,
        data::NO_LOCK,
        data::LEAK_MESSAGE,
        waiting::LOST_WAKEUP,
        gate::LEAK_GATE,
        gate::GATE_SHUT,
    ]
}

/// Calls the visitor for the twins that are wrong in any layer, not in their control's alone: their
/// [`Domain::NAME`] is the control's name.
pub fn visit_twins(visitor: &mut impl Visitor) {
    visitor.visit::<locks::LeakNobufsTwin>();
    visitor.visit::<locks::OrderTwin>();
    visitor.visit::<locks::NoRecheckTwin>();
    visitor.visit::<locks::LeakRefTwin>();
    visitor.visit::<data::NoLockTwin>();
    visitor.visit::<data::LeakMessageTwin>();
    visitor.visit::<waiting::LostWakeupTwin>();
    visitor.visit::<gate::LeakGateTwin>();
}

/// A line of `send.rs` that a control points to.
const fn send_line(mark: &'static str) -> At {
    At::Line("lockimpls/src/uipc/send.rs", include_str!("../uipc/send.rs"), mark)
}

/// Two descriptors of a layer.
type Pair<D> = (<D as Domain>::Sock, <D as Domain>::Sock);
