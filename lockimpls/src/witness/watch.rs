//! What every thread is doing: for a watchdog, and for the report of another thread.

#![allow(unsafe_code)]

use super::WaitsFor;
use super::report::{Check, Operation, describe_held, found_in, operation_of, site_of};
use super::thread::{Thread, location, registry};
use crate::primitives::Ordering;

use Ordering::Relaxed;

/// What every thread of the layer is doing and holding, as ddb's `show all locks` prints it.
#[must_use]
pub fn show_all_locks() -> String {
    let registry = registry();
    let mut text = String::new();
    for address in registry.iter().filter(|address| **address != 0) {
        // SAFETY: an address is in the registry from `register` to `thread_exit`, both under its
        // lock, which is held here; between them the thread and its `Thread` are alive.
        describe_thread(unsafe { &*(*address as *const Thread) }, &mut text);
    }
    text
}

fn describe_thread(thread: &Thread, text: &mut String) {
    let operation = operation_of(thread).map_or("none", |operation| operation.name);
    text.push_str(&format!("Thread {} ({operation})", thread.number.load(Relaxed)));
    let waits_for = thread.waits_for.load(Relaxed);
    if waits_for != 0 {
        let what = match thread.waits_kind.load(Relaxed) {
            0 => "for the lock",
            1 => "for a wake-up on",
            2 => "for threads to leave the lock-free path of",
            _ => "for references on",
        };
        text.push_str(&format!(
            " waits {what} {waits_for:#x} at {}",
            site_of(location(&thread.waits_at))
        ));
    }
    text.push('\n');
    describe_held(thread, text);
}

/// How far every thread has come: what a watchdog compares with an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// (thread number, calls returned) of each thread that is inside a call.
    inside: Vec<(u32, u64)>,
    /// Calls returned, all living threads together, with their number.
    pub(super) returned: Vec<(u32, u64)>,
}

/// How far every thread has come by now.
#[must_use]
pub fn progress() -> Progress {
    let registry = registry();
    let mut progress = Progress { inside: Vec::new(), returned: Vec::new() };
    for address in registry.iter().filter(|address| **address != 0) {
        // SAFETY: as in `show_all_locks`.
        let thread = unsafe { &*(*address as *const Thread) };
        let entry = (thread.number.load(Relaxed), thread.returned.load(Relaxed));
        progress.returned.push(entry);
        if !thread.operation.load(Relaxed).is_null() {
            progress.inside.push(entry);
        }
    }
    progress
}

/// Whether the thread with this number waits for something just now.
pub(crate) fn is_waiting(number: u32) -> bool {
    let registry = registry();
    let address = (number as usize).checked_sub(1).map_or(0, |place| registry[place]);
    // SAFETY: as in `show_all_locks`.
    address != 0 && unsafe { (*(address as *const Thread)).waits_for.load(Relaxed) != 0 }
}

/// Whether the thread with this number sleeps, or spins, until another one wakes it: it waits for no
/// lock. For tests, which must know when a call has got as far as it can.
#[must_use]
pub fn awaits_wakeup(number: u32) -> bool {
    let registry = registry();
    let address = (number as usize).checked_sub(1).map_or(0, |place| registry[place]);
    if address == 0 {
        return false;
    }
    // SAFETY: as in `show_all_locks`.
    let thread = unsafe { &*(address as *const Thread) };
    let kind = thread.waits_kind.load(Relaxed);
    thread.waits_for.load(Relaxed) != 0 && kind == WaitsFor::Wakeup as u8
}

/// Whether nothing moved between two moments although some thread was inside a call at both: a
/// hang, if the moments were far enough apart.
#[must_use]
pub fn is_stuck(earlier: &Progress, now: &Progress) -> bool {
    !now.inside.is_empty() && earlier == now
}

/// A watchdog gave up waiting: prints what every thread holds and waits for, and ends the process.
pub fn report_hang(limit: std::time::Duration) -> ! {
    let all = show_all_locks();
    let at = all
        .lines()
        .find_map(|line| line.contains(" waits ").then(|| line.rsplit(" at ").next()).flatten())
        .unwrap_or("?")
        .to_owned();
    let report = format!("witness: no call returned for {limit:?}\n{all}panic: watchdog");
    found_in(Check::Hang, 1, stuck_operation(), at, report)
}

/// The operation of some thread that waits, for the head line of a hang's report.
fn stuck_operation() -> Option<&'static Operation> {
    let registry = registry();
    registry.iter().filter(|address| **address != 0).find_map(|address| {
        // SAFETY: as in `show_all_locks`.
        let thread = unsafe { &*(*address as *const Thread) };
        if thread.waits_for.load(Relaxed) == 0 { None } else { operation_of(thread) }
    })
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
