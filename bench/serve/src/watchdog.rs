//! Looks from time to time whether any call still returns, and ends the process with a report if
//! none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use lockimpls::witness::{self, Progress};

/// How long nothing may move before it is a hang.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How often it looks within the limit. A machine that stood still as a whole is no hang: one look
/// counts for at most twice its share of the limit, whatever the clock says.
const LOOKS: u32 = 10;

/// A thread that watches the others.
#[derive(Clone, Debug)]
pub struct Watchdog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: Duration,
    /// Whether the lanes were told to end and have not yet. Relaxed: a word that is looked at now
    /// and then.
    ending: AtomicBool,
    /// Whether a layer or a workload is being made or given up. Relaxed, as well.
    outside: AtomicBool,
}

impl Watchdog {
    /// Starts watching. The thread lives as long as the process.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(limit: Duration) -> Result<Watchdog, String> {
        let shared = Arc::new(Shared { limit, ending: false.into(), outside: false.into() });
        let watched = Arc::clone(&shared);
        thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watch(&watched))
            .map_err(|error| format!("the watchdog could not be started: {error}"))?;
        Ok(Watchdog { shared })
    }

    /// The lanes were told to end (they have the limit to do so), or they have ended.
    pub fn ending(&self, ending: bool) {
        self.shared.ending.store(ending, Relaxed);
    }

    /// Does what is no operation, as making a layer is: in it some call must return from time to
    /// time, whether or not a thread is in one.
    pub fn outside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.shared.outside.store(true, Relaxed);
        let done = work();
        self.shared.outside.store(false, Relaxed);
        done
    }
}

/// Never returns, but through a report.
fn watch(shared: &Shared) {
    let nap = shared.limit / LOOKS;
    let mut watched = Watched::new(witness::progress());
    let mut looked = Instant::now();
    loop {
        thread::sleep(nap);
        let passed = looked.elapsed().min(nap * 2);
        looked = Instant::now();
        let asked =
            Asked { end: shared.ending.load(Relaxed), outside: shared.outside.load(Relaxed) };
        watched.look(witness::progress(), asked, passed);
        if watched.still.time >= shared.limit {
            witness::report_hang(shared.limit);
        }
        if watched.ending >= shared.limit {
            witness::report_endless(shared.limit);
        }
    }
}

/// What is asked of the threads at a moment.
#[derive(Clone, Copy, Default)]
struct Asked {
    /// To end.
    end: bool,
    /// To go on, although they may be in no call.
    outside: bool,
}

/// What was seen so far.
struct Watched {
    still: Still,
    /// For how long lanes have been told to end.
    ending: Duration,
}

impl Watched {
    fn new(since: Progress) -> Watched {
        Watched { still: Still { since, time: Duration::ZERO }, ending: Duration::ZERO }
    }

    fn look(&mut self, now: Progress, asked: Asked, passed: Duration) {
        self.ending = if asked.end { self.ending + passed } else { Duration::ZERO };
        self.still.look(now, asked, passed);
    }
}

/// For how long nothing has moved.
struct Still {
    since: Progress,
    time: Duration,
}

impl Still {
    fn look(&mut self, now: Progress, asked: Asked, passed: Duration) {
        if witness::is_stuck(&self.since, &now) || (asked.outside && self.since == now) {
            self.time += passed;
        } else {
            *self = Still { since: now, time: Duration::ZERO };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_rest_are_not_stuck() {
        // Nobody is inside a call.
        let mut still = Still { since: Progress::default(), time: Duration::ZERO };
        for _ in 0..3 {
            still.look(Progress::default(), Asked::default(), Duration::from_secs(60));
            assert_eq!(still.time, Duration::ZERO);
        }
    }

    #[test]
    fn what_is_no_operation_gets_on_too() {
        let mut still = Still { since: Progress::default(), time: Duration::ZERO };
        let (asked, second) = (Asked { end: false, outside: true }, Duration::from_secs(1));
        (0..3).for_each(|_| still.look(Progress::default(), asked, second));
        assert_eq!(still.time, 3 * second);
    }

    #[test]
    fn lanes_that_were_told_to_end_must_do_so_although_nobody_is_inside_a_call() {
        let (mut watched, second) = (Watched::new(Progress::default()), Duration::from_secs(1));
        let mut look = |end| {
            watched.look(Progress::default(), Asked { end, outside: false }, second);
            watched.ending
        };
        assert_eq!((look(true), look(true)), (second, 2 * second));
        assert_eq!((look(false), look(true)), (Duration::ZERO, second), "it begins anew");
    }
}
