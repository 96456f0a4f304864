//! Running a workload without the harness: so many operations on each lane, and every check.
//!
//! Nothing here measures. It is for tests, of the workloads and of a backend somebody has just
//! written.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockimpls::witness::{self, Counters};
use lockimpls::{Backend, Config, Layer};

use crate::panics::or_report;
use crate::{Event, Kind, LaneSums, Meter, Plan, Workload};

/// No call returning for this long is a hang.
pub(crate) const HANG: Duration = Duration::from_secs(10);

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What each lane sent and received.
    pub sums: Vec<LaneSums>,
    /// The operations of the lanes that count.
    pub operations: u64,
    /// How often each event was recorded, all lanes together, by [`Event`].
    pub laps: [u64; crate::EVENTS],
    /// The lock operations of all lanes.
    pub counters: Counters,
}

/// Runs a workload on a new layer, with a thread for each lane, up to the check for whatever is
/// left over. Lost data, a panic, a hang and anything left end the process, as they do in a real
/// run.
///
/// # Panics
/// Where the layer or the sockets cannot be opened.
pub fn run<K: Kind>(backend: &Backend, config: &Config, plan: &Plan, operations: u64) -> Outcome {
    let layer = (backend.open)(config).expect("the layer opens");
    run_on::<K>(&*layer, plan, operations)
}

/// The same on a layer that is there, and has no sockets.
///
/// # Panics
/// Where the sockets cannot be opened.
pub fn run_on<K: Kind>(domain: &dyn Layer, plan: &Plan, operations: u64) -> Outcome {
    let on = K::On::new(domain, plan).expect("the workload's sockets open");
    let lane = |lane| lane_of::<K>(&on, domain, lane, operations);
    let outcome = of_all_lanes(plan.threads, &lane, &|lane| on.counts(lane));
    on.finish(domain, &outcome.sums);
    domain.check_end();
    outcome
}

/// What so many lanes do together: compiled once, whatever they do.
fn of_all_lanes(
    threads: usize,
    lane: &(dyn Fn(usize) -> Done + Sync),
    counts: &dyn Fn(usize) -> bool,
) -> Outcome {
    let done = AtomicBool::new(false);
    let lanes: Vec<Done> = std::thread::scope(|scope| {
        let watchdog = scope.spawn(|| {
            watch(HANG, || {
                std::thread::park_timeout(Duration::from_millis(20));
                !done.load(Relaxed)
            });
        });
        let lanes: Vec<_> = (0..threads).map(|number| scope.spawn(move || lane(number))).collect();
        let lanes = lanes.into_iter().map(|lane| lane.join().expect("lanes do not unwind"));
        let lanes = lanes.collect();
        // Relaxed: the watchdog only stops at it; what the lanes did came with their joins.
        done.store(true, Relaxed);
        watchdog.thread().unpark();
        lanes
    });
    let mut outcome = Outcome::default();
    for (lane, done) in lanes.into_iter().enumerate() {
        outcome.sums.push(done.sums);
        outcome.operations += if counts(lane) { done.meter.operations } else { 0 };
        outcome.counters.add(&done.counters);
        for (all, one) in outcome.laps.iter_mut().zip(done.meter.laps) {
            *all += one;
        }
    }
    outcome
}

/// What a lane did.
struct Done {
    sums: LaneSums,
    meter: Counted,
    counters: Counters,
}

/// A lane, to its end; a panic ends the process.
fn lane_of<K: Kind>(on: &K::On, domain: &dyn Layer, lane: usize, operations: u64) -> Done {
    let (mut meter, before) = (Counted::new(operations), witness::counters());
    let sums = or_report(|| on.lane(domain, lane, &mut meter));
    Done { sums, meter, counters: witness::counters().since(&before) }
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
