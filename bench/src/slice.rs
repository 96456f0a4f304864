//! One cell for a fraction of a second: a fresh layer, all lanes at once, and every check at the end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime};

use lockimpls::{Checked, Config, Domain, witness};
use quanta::Clock;
use results::{HostNoise, Measure};
use workloads::{Kind, LaneSums, Plan, Workload};

use crate::interrupt::Interrupt;
use crate::meter::{Lane, LaneMeter, LatencyMeter, Phase, ThroughputMeter};
use crate::noise::Snapshot;
use crate::pool::Lanes;
use crate::watchdog::Watchdog;

/// What one slice is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// The threads: as many as the plan says.
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
    /// Whether it ran to its end; an interrupted one was checked, but is too short to be a measurement.
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
pub fn run<D: Domain, K: Kind>(slice: &Slice<'_>) -> Result<Outcome, String> {
    let phase = Phase::new();
    match slice.measure {
        Measure::Throughput => measure::<D, K::On<D>, ThroughputMeter<'_>>(slice, &phase),
        Measure::Latency => measure::<D, K::On<D>, LatencyMeter<'_>>(slice, &phase),
    }
    .map_err(|error| format!("{} on {}: {error}", K::NAME, D::NAME))
}

fn measure<'a, D: Domain, W: Workload<D>, M: LaneMeter<'a>>(
    slice: &'a Slice<'_>,
    phase: &'a Phase,
) -> Result<Outcome, String> {
    let started = SystemTime::now();
    let domain = Checked::<D>::new(slice.config).map_err(|errno| format!("no layer: {errno:?}"))?;
    let workload = or_report(|| W::new(&domain, slice.plan))
        .map_err(|errno| format!("its sockets could not be opened: {errno:?}"))?;
    let ready = Barrier::new(slice.lanes.count() + 1);
    let lane = |lane: usize| {
        let mut meter = M::begin(phase, &slice.process.clock);
        ready.wait();
        let sums = or_report(|| workload.lane(&domain, lane, &mut meter));
        (meter.end(), sums)
    };
    let mut noise = None;
    let ran = slice.lanes.run(lane, || {
        ready.wait();
        noise = Some(control(slice, phase));
    });
    slice.process.watchdog.ending(false);
    let (lanes, sums): (Vec<Lane>, Vec<LaneSums>) = ran.into_iter().unzip();
    let counts: Vec<bool> = (0..lanes.len()).map(|lane| workload.counts(lane)).collect();
    or_report(|| workload.finish(&domain, &sums));
    or_report(|| domain.check_end());
    let lanes = lanes.into_iter().zip(&sums).zip(counts);
    Ok(Outcome {
        lanes: lanes
            .map(|((lane, sums), counts)| LaneOutcome { lane, sums: *sums, counts })
            .collect(),
        noise: noise.unwrap_or_default(),
        started,
        complete: !slice.process.interrupt.is_set(),
    })
}

/// The controlling thread's part: it only sleeps, and changes the phase.
fn control(slice: &Slice<'_>, phase: &Phase) -> HostNoise {
    let Process { interrupt, watchdog, .. } = slice.process;
    interrupt.sleep(slice.warm_up);
    let before = Snapshot::take(slice.lanes.tasks());
    let began = Instant::now();
    phase.measure();
    interrupt.sleep(slice.measured);
    phase.stop();
    watchdog.ending(true);
    let interval = began.elapsed();
    Snapshot::take(slice.lanes.tasks()).since(&before, interval)
}

/// Runs it; a panic is reported with what the thread holds, and ends the process: the other lanes may wait for it.
fn or_report<T>(work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| witness::report_panic(message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}
