//! What happened in all schedules together: the proof that they were not empty.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use lockimpls_shuttle::witness::{self, Counters};
use lockimpls_shuttle::{Errno, parks};

/// By name. The machine's mutex: no other thread goes on while it is locked.
static TALLY: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Counts `n` of something.
pub(crate) fn count(name: &str, n: u64) {
    if n == 0 {
        return;
    }
    let mut tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    match tally.get_mut(name) {
        Some(sum) => *sum += n,
        None => _ = tally.insert(name.to_owned(), n),
    }
}

/// Whether every answer is printed: in a replay. Relaxed: set before the schedule begins.
static TRACES: AtomicBool = AtomicBool::new(false);

/// Prints every answer from now on.
pub(crate) fn trace() {
    TRACES.store(true, Relaxed);
}

/// Counts a request and its answer.
#[track_caller]
pub(crate) fn answer<T: Debug>(result: Result<T, Errno>) -> Result<T, Errno> {
    count("requests", 1);
    if TRACES.load(Relaxed) {
        let (site, me) = (Location::caller(), usize::from(shuttle::thread::current().id()));
        eprintln!("thread {me} at {}:{}: {result:?}", site.file(), site.line());
    }
    if let Err(errno) = &result {
        count(errno.name(), 1);
    }
    result
}

/// Adds what the witness counted in the calling thread, which is about to end.
pub(crate) fn thread_ends() {
    let Counters { locks, fast_sends, fast_receives, slow_sends, slow_receives, gate_closings } =
        witness::counters();
    let all = |of: fn(&witness::LockCounts) -> u64| locks.iter().map(of).sum();
    count("threads", 1);
    count("acquisitions", all(|lock| lock.acquisitions));
    count("contended", all(|lock| lock.contended));
    count("relocks", all(|lock| lock.relocks));
    count("retries", all(|lock| lock.retries));
    count("saved", all(|lock| lock.saved));
    count("fast_sends", fast_sends);
    count("fast_receives", fast_receives);
    count("slow_sends", slow_sends);
    count("slow_receives", slow_receives);
    count("gate_closings", gate_closings);
}

/// Everything that was counted, a line each: name and number.
pub(crate) fn lines() -> String {
    count("parks", parks());
    let tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    tally.iter().map(|(name, sum)| format!("{name} {sum}\n")).collect()
}
