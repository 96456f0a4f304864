//! A thread waits: for a lock, or for an event with nothing held but what its sleep releases.

use std::panic::Location;

use super::class::Class;
use super::report::{Check, describe_held_but, found};
use super::thread::{Thread, WaitsFor, this};
use crate::primitives::Ordering::Relaxed;

/// A thread is about to wait for a lock (`releases` is 0) or to sleep, giving up only `releases`.
#[track_caller]
pub(crate) fn sleep(channel: usize, kind: WaitsFor, releases: usize) {
    let thread = this();
    let site = Location::caller();
    match kind {
        WaitsFor::Wakeup => check_sleep(thread, &[], releases, site),
        WaitsFor::Link => check_sleep(thread, &[Class::Sblock, Class::SbLock], releases, site),
        WaitsFor::Side => check_sleep(thread, &[Class::UnpRef], releases, site),
        _ => {}
    }
    thread.waits_at.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
    thread.waits_kind.store(kind as u8, Relaxed);
    thread.waits_for.store(channel, Relaxed);
}

fn check_sleep(thread: &Thread, may_keep: &[Class], releases: usize, site: &Location<'_>) {
    let mut all = thread.held.entries().chain(thread.kept.entries());
    let is_kept = |class| may_keep.iter().any(|kept| *kept as u8 == class);
    let has_more = all.any(|lock| lock.addr != releases && !is_kept(lock.class));
    if has_more || thread.in_use() != 0 {
        let mut report = String::from("witness: sleeping with the following locks held:\n");
        let (at, count) = describe_held_but(thread, releases, &mut report);
        report.push_str(&format!("asleep at:\n#0 {site}\npanic: witness_sleep"));
        found(Check::SleepingWithLock, count, at, report);
    }
}

/// The wait is over.
pub(crate) fn awake() {
    this().waits_for.store(0, Relaxed);
}
