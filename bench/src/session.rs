//! A whole run: rounds, with the backends interleaved inside each, in an order that is shuffled
//! anew every time.
//!
//! A host drifts within seconds, so what is compared is measured as close together as can be: for
//! every workload, the throughput slices of all backends follow each other, then their latency
//! slices. A backend's record is handed over when its layer was closed and every check at its end
//! has found nothing.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use results::{Measure, Measured};
use workloads::Plan;

use crate::finding::Current;
use crate::instrument;
use crate::measured::{self, Context, Place};
use crate::plan::{self, Group, Job, Skipped};
use crate::pool::Lanes;
use crate::settings::Settings;
use crate::slice::{Outcome, Process, Slice};

/// What a run will do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The groups of each number of threads.
    pub parts: BTreeMap<usize, Vec<Group>>,
    /// What is left out.
    pub skipped: Vec<Skipped>,
    /// How many slices that makes.
    pub slices: u64,
    /// How long one takes, warm-up included.
    pub slice_time: Duration,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Every record, in the order of the run.
    pub measured: Vec<Measured>,
    /// Cells that could not be run to the end, and why.
    pub failed: Vec<String>,
    /// Whether somebody ended it before its plan was done.
    pub interrupted: bool,
}

/// Who watches a run.
pub trait Observer {
    /// A round of the cells with this number of threads begins.
    fn round(&mut self, threads: usize, round: u32);
    /// A slice begins.
    fn slice(&mut self, job: &Job);
    /// A slice has ended and passed its checks.
    ///
    /// # Errors
    /// The record could not be kept; this ends the run.
    fn publish(&mut self, record: &Measured) -> Result<(), String>;
}

/// Works out what the settings ask for.
///
/// # Errors
/// Nothing of it can run.
pub fn plan(settings: &Settings) -> Result<Planned, String> {
    let (parts, skipped) = plan::parts(settings);
    let cells: usize = parts.values().flatten().map(Vec::len).sum();
    if cells == 0 {
        let reasons: Vec<String> =
            skipped.iter().map(|s| format!("\n  {}: {}", s.what, s.why)).collect();
        return Err(format!(
            "nothing is left to run{}{}",
            if reasons.is_empty() { "" } else { "; every cell was skipped:" },
            reasons.concat()
        ));
    }
    let slices = cells as u64 * u64::from(settings.rounds) * MEASURES.len() as u64;
    let measured = settings.measured / MEASURES.len() as u32;
    Ok(Planned { parts, skipped, slices, slice_time: measured + warm_up(measured) })
}

/// What each cell is measured for in a round; the measured time is shared between them.
const MEASURES: [Measure; 2] = [Measure::Throughput, Measure::Latency];
/// The longest warm-up: no more is gained by waiting.
const WARM_UP_MAX: Duration = Duration::from_millis(250);

/// A fifth of the measured time at most.
#[must_use]
pub fn warm_up(measured: Duration) -> Duration {
    (measured / 5).min(WARM_UP_MAX)
}

/// Runs it all, or until somebody asks for the end.
///
/// # Errors
/// Threads could not be started or pinned, or a record could not be kept.
pub fn run(
    settings: &Settings,
    planned: &Planned,
    process: &Process,
    current: &Current,
    observer: &mut dyn Observer,
) -> Result<Summary, String> {
    let mut context = Context {
        host: crate::host::describe(&settings.cpus),
        instrument: results::Instrument::default(),
        pinning: results::Pinning::default(),
        seed: settings.seed,
    };
    let mut run = Run {
        settings,
        process,
        current,
        observer,
        random: fastrand::Rng::with_seed(settings.seed),
        summary: Summary::default(),
        dropped: HashSet::new(),
        order_in_run: 0,
    };
    for (part, (threads, groups)) in planned.parts.iter().enumerate() {
        let lanes = Lanes::start(*threads, &settings.cpus, settings.pin)?;
        if part == 0 {
            context.instrument = instrument::measure(&lanes, &groups[0][0], process)?;
        }
        context.pinning = lanes.pinning().clone();
        run.part(&lanes, groups, &context)?;
    }
    run.summary.interrupted = process.interrupt.is_set();
    Ok(run.summary)
}

/// A run under way.
struct Run<'a> {
    settings: &'a Settings,
    process: &'a Process,
    current: &'a Current,
    observer: &'a mut dyn Observer,
    random: fastrand::Rng,
    summary: Summary,
    /// Cells that failed once are not tried again.
    dropped: HashSet<String>,
    order_in_run: u32,
}

impl Run<'_> {
    /// All rounds with one number of threads.
    fn part(&mut self, lanes: &Lanes, groups: &[Group], context: &Context) -> Result<(), String> {
        for round in 0..self.settings.rounds {
            self.observer.round(lanes.count(), round);
            for group in shuffled(groups, &mut self.random) {
                for measure in MEASURES {
                    for job in shuffled(group, &mut self.random) {
                        if self.process.interrupt.is_set() {
                            return Ok(());
                        }
                        let place = Place { round, order_in_run: self.order_in_run, measure };
                        self.job(lanes, job, place, context)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn job(
        &mut self,
        lanes: &Lanes,
        job: &Job,
        place: Place,
        context: &Context,
    ) -> Result<(), String> {
        let cell = job.cell.id();
        if self.dropped.contains(&cell) {
            return Ok(());
        }
        self.current.set(&cell);
        self.observer.slice(job);
        match self.slice(lanes, job, place) {
            Ok(outcome) if outcome.complete => {
                let record = measured::record(job, &outcome, place, context)?;
                self.observer.publish(&record)?;
                self.summary.measured.push(record);
                self.order_in_run += 1;
            }
            Ok(_) => {} // Interrupted: checked, but too short to be a measurement.
            Err(error) => {
                self.summary.failed.push(format!("{cell}: {error}"));
                self.dropped.insert(cell);
            }
        }
        Ok(())
    }

    fn slice(&self, lanes: &Lanes, job: &Job, place: Place) -> Result<Outcome, String> {
        let measured = self.settings.measured / MEASURES.len() as u32;
        let plan = Plan { seed: self.settings.seed + u64::from(place.round), ..job.plan.clone() };
        job.case.run(&Slice {
            lanes,
            plan: &plan,
            config: &job.config,
            measure: place.measure,
            warm_up: warm_up(measured),
            measured,
            process: self.process,
        })
    }
}

fn shuffled<'a, T>(items: &'a [T], random: &mut fastrand::Rng) -> Vec<&'a T> {
    let mut items: Vec<&T> = items.iter().collect();
    random.shuffle(&mut items);
    items
}
