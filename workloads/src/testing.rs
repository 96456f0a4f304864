//! Running a workload without the harness: so many operations on each lane, and every check.
//!
//! Nothing here measures. It is for tests, of the workloads and of a backend somebody has just
//! written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockimpls::{Backend, Config, witness};

use crate::{Event, Kind, LaneSums, Meter, Plan, Workload};

/// No call returning for this long is a hang.
const HANG: Duration = Duration::from_secs(10);

/// Goes on for so many operations, and counts the laps.
#[derive(Debug)]
pub struct Counted {
    left: u64,
    began: Instant,
    /// How often each event was recorded, by [`Event`]; what came after the last operation is not.
    pub laps: [u64; crate::EVENTS],
    /// How many operations were begun.
    pub operations: u64,
    over: bool,
}

impl Counted {
    /// A meter that stops after so many operations.
    #[must_use]
    pub fn new(operations: u64) -> Counted {
        Counted {
            left: operations,
            began: Instant::now(),
            laps: [0; crate::EVENTS],
            operations: 0,
            over: false,
        }
    }
}

impl Meter for Counted {
    fn running(&mut self) -> bool {
        self.over |= self.left == 0;
        if !self.over {
            self.left -= 1;
            self.operations += 1;
        }
        !self.over
    }

    fn lap(&mut self, event: Event) {
        self.record(event, 0);
    }

    fn skip(&mut self) {}

    fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    fn stopping(&self) -> bool {
        self.left == 0
    }

    fn record(&mut self, event: Event, _latency_ns: u64) {
        self.laps[event as usize] += u64::from(!self.over);
    }
}

/// What one run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What each lane sent and received.
    pub sums: Vec<LaneSums>,
    /// The operations of the lanes that count.
    pub operations: u64,
    /// How often each event was recorded, all lanes together, by [`Event`].
    pub laps: [u64; crate::EVENTS],
}

/// Runs a workload on a new layer, with a thread for each lane, up to the check for whatever is
/// left over. Lost data, a panic, a hang and anything left end the process, as they do in a real
/// run.
///
/// # Panics
/// Where the layer or the sockets cannot be opened.
pub fn run<K: Kind>(backend: &Backend, config: &Config, plan: &Plan, operations: u64) -> Outcome {
    let layer = (backend.open)(config).expect("the layer opens");
    let domain = &*layer;
    let on = K::On::new(domain, plan).expect("the workload's sockets open");
    let done = AtomicBool::new(false);
    let lanes: Vec<(LaneSums, Counted)> = std::thread::scope(|scope| {
        let watchdog = scope.spawn(|| {
            watch(HANG, || {
                std::thread::park_timeout(Duration::from_millis(20));
                !done.load(Relaxed)
            });
        });
        let lanes: Vec<_> = (0..plan.threads)
            .map(|lane| {
                scope.spawn({
                    let on = &on;
                    move || {
                        let mut meter = Counted::new(operations);
                        let sums =
                            catch_unwind(AssertUnwindSafe(|| on.lane(domain, lane, &mut meter)));
                        match sums {
                            Ok(sums) => (sums, meter),
                            Err(_) => {
                                witness::report_panic("a lane panicked; its message is above")
                            }
                        }
                    }
                })
            })
            .collect();
        let lanes = lanes.into_iter().map(|lane| lane.join().expect("lanes do not unwind"));
        let lanes = lanes.collect();
        done.store(true, Relaxed);
        watchdog.thread().unpark();
        lanes
    });
    let mut outcome = Outcome { sums: Vec::new(), operations: 0, laps: [0; crate::EVENTS] };
    for (lane, (sums, meter)) in lanes.into_iter().enumerate() {
        outcome.sums.push(sums);
        outcome.operations += if on.counts(lane) { meter.operations } else { 0 };
        for (all, one) in outcome.laps.iter_mut().zip(meter.laps) {
            *all += one;
        }
    }
    on.finish(domain, &outcome.sums);
    domain.check_end();
    outcome
}

/// Reports a hang: for so long no call returned although some thread is in one. `nap` sleeps
/// between two looks, and says whether to go on.
pub fn watch(limit: Duration, mut nap: impl FnMut() -> bool) {
    let mut last = (witness::progress(), Instant::now());
    while nap() {
        let now = witness::progress();
        if !witness::is_stuck(&last.0, &now) {
            last = (now, Instant::now());
        } else if last.1.elapsed() > limit {
            witness::report_hang(limit);
        }
    }
}
