//! One cell for a fraction of a second: a fresh layer, all lanes at once, and every check at the
//! end.

mod opened;
#[cfg(feature = "variants")]
mod profile;

use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime};

use lockimpls::{Config, Layer};
use quanta::Clock;
use results::{HostNoise, Measure};
use workloads::panics::or_report;
use workloads::{Kind, LaneSums, Plan, Workload};

use crate::interrupt::Interrupt;
use crate::locks;
use crate::matrix::Case;
use crate::meter::{Lane, LaneMeter, LatencyMeter, Phase, ThroughputMeter};
use crate::noise::Snapshot;
use crate::pool::Lanes;
use crate::watchdog::Watchdog;

use self::opened::{OneLane, Opened, With};
pub(crate) use self::opened::{Open, open};
#[cfg(feature = "variants")]
pub use self::profile::{Profiled, profile};

/// What one slice is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// The threads that the plan names.
    pub lanes: &'a Lanes,
    /// What the workload is asked to do.
    pub plan: &'a Plan,
    /// The sizes of the layer, and how its calls wait.
    pub config: &'a Config,
    /// Count, or take stamps.
    pub measure: Measure,
    /// How long to run before measuring.
    pub warm_up: Duration,
    /// How long to measure.
    pub measured: Duration,
    /// What the slice needs of the process.
    pub process: &'a Process,
}

/// What there is once per process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The clock of all lanes.
    pub clock: Clock,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// Looks for hangs.
    pub watchdog: Watchdog,
}

/// What a slice measured.
#[derive(Debug)]
pub struct Outcome {
    /// Lane by lane.
    pub lanes: Vec<LaneOutcome>,
    /// What else the machine did meanwhile.
    pub noise: HostNoise,
    /// When it began.
    pub started: SystemTime,
    /// Whether it ran to its end; an interrupted one was checked, but is too short to be a
    /// measurement.
    pub complete: bool,
}

/// What one lane measured and did.
#[derive(Debug)]
pub struct LaneOutcome {
    /// What its meter says.
    pub lane: Lane,
    /// What it did in all, warm-up and draining included.
    pub sums: LaneSums,
    /// Whether its operations are the workload's.
    pub counts: bool,
}

impl Outcome {
    /// The lanes whose operations are the workload's.
    pub fn counting(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().filter(|lane| lane.counts).map(|lane| &lane.lane)
    }

    /// Operations of all counting lanes.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.counting().map(|lane| lane.operations).sum()
    }

    /// Whether a lane never ran during the measuring phase, whatever the system counts. That a lane
    /// did nothing does not show that it never ran.
    #[must_use]
    pub fn was_not_run(&self) -> bool {
        self.counting().any(|lane| lane.interval_ns == 0)
    }

    /// Operations per second: the sum of what each lane did in its own interval.
    #[must_use]
    pub fn operations_per_second(&self) -> f64 {
        self.counting().map(|l| l.operations as f64 * 1e9 / l.interval_ns.max(1) as f64).sum()
    }
}

/// Runs a workload on a backend. A check that finds something ends the process instead.
///
/// # Errors
/// The layer could not be made, or the workload's sockets could not be opened.
pub fn run(case: &Case, slice: &Slice<'_>) -> Result<Outcome, String> {
    on_layer(case, slice, locks::open, &|start, layer, workload| {
        let with = With::Meter(slice.measure);
        drive(start, &|number, ready| workload.lane(start, with, &OneLane { layer, number, ready }))
    })
}

/// What the lanes do on a layer, with the workload's sockets there.
type LanesFn<'a> = dyn Fn(Start<'_>, &dyn Layer, &dyn Opened) -> Outcome + 'a;

/// A fresh layer with the workload's sockets, what its lanes do, and every check.
fn on_layer(
    case: &Case,
    slice: &Slice<'_>,
    make: locks::Open,
    lanes: &LanesFn<'_>,
) -> Result<Outcome, String> {
    let Case { backend, workload } = case;
    // What the surroundings refuse is said with what to do about it.
    let failed = |what, errno| match (backend.try_out)() {
        Err(refused) => refused,
        Ok(()) => format!("{} on {}: {what}: {errno}", workload.name, backend.name),
    };
    let watchdog = &slice.process.watchdog;
    let opened = watchdog.outside(|| or_report(|| make(backend, slice.config)));
    let opened = opened.map_err(|errno| failed("no layer", errno))?;
    let layer = &*opened;
    let workload = watchdog.outside(|| or_report(|| (workload.open)(layer, slice.plan)));
    let workload = workload.map_err(|errno| failed("its sockets could not be opened", errno))?;
    let phase = Phase::new();
    let start = Start { phase: &phase, clock: &slice.process.clock, slice };
    let mut outcome = lanes(start, layer, &*workload);
    for (lane, outcome) in outcome.lanes.iter_mut().enumerate() {
        outcome.counts = workload.counts(lane);
    }
    outcome.noise.flagged |= outcome.was_not_run();
    let sums: Vec<LaneSums> = outcome.lanes.iter().map(|lane| lane.sums).collect();
    watchdog.outside(|| {
        or_report(|| {
            workload.finish(layer, &sums);
            layer.check_end();
        });
    });
    watchdog.outside(|| or_report(|| drop(opened)));
    Ok(outcome)
}

/// What a lane does: called once per lane, with the lane's number and the barrier before its first
/// operation.
type LaneFn<'a> = dyn Fn(usize, &Barrier) -> (Lane, LaneSums) + Sync + 'a;

/// What every lane needs.
#[derive(Clone, Copy)]
pub(crate) struct Start<'a> {
    phase: &'a Phase,
    clock: &'a Clock,
    slice: &'a Slice<'a>,
}

/// Where the code begins that a lane runs: counting, and taking stamps. What it calls of its layer
/// is [`Layer::code`].
#[must_use]
pub fn code<K: Kind>() -> [usize; 2] {
    type Run<W> = fn(Start<'static>, &dyn Layer, &W, usize, &Barrier) -> (Lane, LaneSums);
    let counting: Run<K::On> = run_lane::<K::On, ThroughputMeter<'static>>;
    let stamping: Run<K::On> = run_lane::<K::On, LatencyMeter<'static>>;
    [counting as usize, stamping as usize]
}

/// Not inlined, so that what a lane runs is a function with an address.
#[inline(never)]
fn run_lane<'a, W: Workload, M: LaneMeter<'a>>(
    start: Start<'a>,
    layer: &dyn Layer,
    workload: &W,
    lane: usize,
    ready: &Barrier,
) -> (Lane, LaneSums) {
    let mut meter = M::begin(start.phase, start.clock);
    ready.wait();
    let sums = workload.lane(layer, lane, &mut meter);
    (meter.end(), sums)
}

/// Runs all lanes at once, changes the phase meanwhile, and waits for their end.
fn drive(start: Start<'_>, lane: &LaneFn<'_>) -> Outcome {
    let Start { phase, slice, .. } = start;
    let started = SystemTime::now();
    let ready = Barrier::new(slice.lanes.count() + 1);
    let mut noise = HostNoise::default();
    let ran = slice.lanes.run(
        |index| or_report(|| lane(index, &ready)),
        || {
            ready.wait();
            noise = lead(slice, phase);
        },
    );
    slice.process.watchdog.ending(false);
    let lanes = ran.into_iter().map(|(lane, sums)| LaneOutcome { lane, sums, counts: true });
    let complete = !slice.process.interrupt.is_set();
    Outcome { lanes: lanes.collect(), noise, started, complete }
}

/// The leading thread's part: it only sleeps, and changes the phase.
fn lead(slice: &Slice<'_>, phase: &Phase) -> HostNoise {
    let Process { interrupt, watchdog, .. } = slice.process;
    let tasks = slice.lanes.tasks();
    interrupt.sleep(slice.warm_up / 2);
    // To read takes a CPU from a lane, which the system adds to its delay when it runs again. The
    // first reading, of files that nobody has looked at for a while, is a good part of what may be
    // missing from a slice; so it is not the one that counts.
    drop(Snapshot::take(tasks));
    interrupt.sleep(slice.warm_up / 2);
    let before = Snapshot::take(tasks);
    let began = Instant::now();
    phase.measure();
    interrupt.sleep(slice.measured);
    phase.stop();
    watchdog.ending(true);
    let interval = began.elapsed();
    Snapshot::take(tasks).since(&before, interval)
}

#[cfg(test)]
mod tests;
