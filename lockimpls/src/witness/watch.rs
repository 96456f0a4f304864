//! What every thread is doing: for a watchdog, and for the report of another thread.

use std::time::Duration;

use super::report::{Check, found_in, operation_of, show_all_locks};
use super::thread::{Operation, WaitsFor, each_thread};
use crate::primitives::Ordering;

use Ordering::Relaxed;

/// How far every thread has come: what a watchdog compares with an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// (thread number, calls returned) of each thread that is inside a call.
    inside: Vec<(u32, u64)>,
    /// The same of every living thread.
    returned: Vec<(u32, u64)>,
}

/// How far every thread has come by now.
#[must_use]
pub fn progress() -> Progress {
    let mut progress = Progress { inside: Vec::new(), returned: Vec::new() };
    each_thread(|thread| {
        let entry = (thread.number.load(Relaxed), thread.returned.load(Relaxed));
        progress.returned.push(entry);
        if !thread.operation.load(Relaxed).is_null() {
            progress.inside.push(entry);
        }
    });
    progress
}

/// Whether the thread with this number waits for something just now: a lock, or an event.
#[must_use]
pub fn is_waiting(number: u32) -> bool {
    what_waits(number).is_some()
}

/// Whether the thread with this number sleeps, or spins, until another one wakes it: it waits for
/// no lock. For tests, which must know when a call has got as far as it can.
#[must_use]
pub fn awaits_wakeup(number: u32) -> bool {
    [WaitsFor::Wakeup, WaitsFor::Side].iter().any(|kind| what_waits(number) == Some(*kind as u8))
}

/// What the thread with this number waits for just now: a [`WaitsFor`], if anything.
fn what_waits(number: u32) -> Option<u8> {
    let mut kind = None;
    each_thread(|thread| {
        if thread.number.load(Relaxed) == number && thread.waits_for.load(Relaxed) != 0 {
            kind = Some(thread.waits_kind.load(Relaxed));
        }
    });
    kind
}

/// Whether nothing moved between two moments although some thread was inside a call at both: a
/// hang, if the moments were far enough apart.
#[must_use]
pub fn is_stuck(earlier: &Progress, now: &Progress) -> bool {
    !now.inside.is_empty() && earlier == now
}

/// A watchdog gave up waiting: prints what every thread holds and waits for, and ends the process.
pub fn report_hang(limit: Duration) -> ! {
    hang(&format!("no call returned for {limit:?}"))
}

/// The same of threads whose calls return, and which were to end so long ago.
pub fn report_endless(limit: Duration) -> ! {
    hang(&format!("a thread should have ended {limit:?} ago"))
}

fn hang(what: &str) -> ! {
    let all = show_all_locks();
    let at = all
        .lines()
        .find_map(|line| line.contains(" waits ").then(|| line.rsplit(" at ").next()).flatten())
        .unwrap_or("?")
        .to_owned();
    let report = format!("witness: {what}\n{all}panic: watchdog");
    found_in(Check::Hang, 1, stuck_operation(), at, report)
}

/// The operation of some thread that waits, for the head line of a hang's report.
fn stuck_operation() -> Option<&'static Operation> {
    let mut stuck = None;
    each_thread(|thread| {
        if stuck.is_none() && thread.waits_for.load(Relaxed) != 0 {
            stuck = operation_of(thread);
        }
    });
    stuck
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_inside_a_call_is_stuck() {
        let of = |inside: &[(u32, u64)], returned: &[(u32, u64)]| Progress {
            inside: inside.to_vec(),
            returned: returned.to_vec(),
        };
        let blocked = of(&[(1, 7)], &[(1, 7), (2, 9)]);
        assert!(is_stuck(&blocked, &blocked.clone()));
        // Another thread got further, or none is in a call.
        assert!(!is_stuck(&blocked, &of(&[(1, 7)], &[(1, 7), (2, 10)])));
        assert!(!is_stuck(&of(&[], &[(1, 7)]), &of(&[], &[(1, 7)])));
    }
}
