//! Profiles: rounds of their own, on layers whose locks keep one.
//!
//! They run in this process: nothing is compared with anything, so it matters little where its
//! memory lies. A slice that the host disturbed is left out and measured again, as in a run;
//! whether it was is decided by what else the machine did, and never by what was measured. What the
//! locks counted by themselves must be what the profile counted, class by class, or the profile is
//! wrong and no line is made of it.

mod lines;

use std::time::{Duration, SystemTime};

use lockimpls::Algorithm;
use lockimpls::witness::{Class, Counters};
use profiled::{Place, Profile};
use quanta::Clock;
use results::{Measure, Slices, stats};

pub use self::lines::records;
use crate::instrument::{PAIRS, in_turn};
use crate::job::Job;
use crate::locks;
use crate::pool::Lanes;
use crate::session::{SLICE, warm_up};
use crate::slice::{Outcome, Process, Slice};
use crate::turns::disturbed::Signs;

/// What the rounds of one cell have shown so far.
#[derive(Debug, Default)]
pub struct Gathered {
    /// All threads together.
    pub profile: Profile,
    /// What the layer counted by itself.
    pub counters: Counters,
    /// Operations of the threads that count.
    pub operations: u64,
    /// The measured time of all threads together, by their own intervals, in nanoseconds.
    pub wall_ns: u64,
    /// What became of the slices.
    pub slices: Slices,
    /// When the first one began.
    pub started: Option<SystemTime>,
    /// The same of the slices that were left out: better than nothing.
    left_out: Option<Box<Gathered>>,
}

impl Gathered {
    /// Measures a cell for so long, in slices.
    ///
    /// # Errors
    /// The cell cannot run, or its profile is wrong. Interrupted: some slices are missing.
    pub fn round(
        &mut self,
        job: &Job,
        lanes: &Lanes,
        time: Duration,
        process: &Process,
    ) -> Result<(), String> {
        let count = (time.as_secs_f64() / SLICE.as_secs_f64()).round().max(1.0) as u32;
        let slice = Slice {
            lanes,
            plan: &job.plan,
            config: &job.config,
            measure: Measure::Throughput,
            warm_up: warm_up(time / count),
            measured: time / count,
            process,
        };
        // No more repeats than slices: where that is not enough the host is too busy.
        let mut repeats_left = count;
        for _ in 0..count {
            loop {
                let (outcome, profile) = job.case.profile(&slice)?;
                if !outcome.complete {
                    return Ok(());
                }
                if let Some(what) = disagreement(&counters(&outcome), &profile) {
                    return Err(what);
                }
                let may_repeat = repeats_left > 0;
                if self.add(outcome, profile, slice.measured, may_repeat) || !may_repeat {
                    break;
                }
                repeats_left -= 1;
            }
        }
        Ok(())
    }

    /// Adds a slice, unless the host disturbed it: whether it did.
    fn add(
        &mut self,
        outcome: Outcome,
        profile: Profile,
        time: Duration,
        may_repeat: bool,
    ) -> bool {
        self.started.get_or_insert(outcome.started);
        let mut signs = Signs::of(&outcome.noise, time.as_secs_f64());
        signs.off_cpu |= outcome.was_not_run();
        if !signs.any() {
            self.slices.kept += 1;
            self.take(&outcome, profile);
            return true;
        }
        self.left_out.get_or_insert_default().take(&outcome, profile);
        *(if may_repeat { &mut self.slices.repeated } else { &mut self.slices.given_up }) += 1;
        self.slices.off_cpu += u32::from(signs.off_cpu);
        self.slices.switched += u32::from(signs.switched);
        self.slices.stolen += u32::from(signs.stolen);
        false
    }

    fn take(&mut self, outcome: &Outcome, profile: Profile) {
        self.profile.add(profile);
        self.counters.add(&counters(outcome));
        self.operations += outcome.operations();
        self.wall_ns += outcome.lanes.iter().map(|lane| lane.lane.interval_ns).sum::<u64>();
    }

    /// No more slices come: where none was left alone, all the others stand for them.
    pub fn conclude(&mut self) {
        if let Some(others) = self.left_out.take()
            && self.slices.kept == 0
        {
            *self = Gathered { slices: self.slices, started: self.started, ..*others };
        }
    }
}

/// What all lanes counted, those that only drain included.
fn counters(outcome: &Outcome) -> Counters {
    let mut sum = Counters::default();
    outcome.lanes.iter().for_each(|lane| sum.add(&lane.lane.counters));
    sum
}

/// What is counted of a class both by the layer and by the profile.
type Counted = (&'static str, fn(&Place) -> u64, u64);

/// A count in which the profile and the layer differ, in words: the first.
fn disagreement(counters: &Counters, profile: &Profile) -> Option<String> {
    Class::ALL.into_iter().filter(|class| class.is_lock()).find_map(|class| {
        let own = counters.of(class);
        let all: [Counted; 5] = [
            ("acquisitions", |place| place.hold.count, own.acquisitions),
            ("contentions", |place| place.wait.count, own.contended),
            ("relocks", |place| place.relocks, own.relocks),
            ("retries", |place| place.retries, own.retries),
            ("saved relocks", |place| place.saved, own.saved),
        ];
        let places = || profile.places.iter().filter(|place| place.class == class);
        all.into_iter().find_map(|(what, of, counted)| {
            let found: u64 = places().map(of).sum();
            (found != counted).then(|| {
                let class = class.name();
                format!("the profile has {found} {what} of {class}, the layer counted {counted}")
            })
        })
    })
}

/// What keeping a profile costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// A lock and unlock that nobody else wants, with the checker and without a profile.
    pub lock_ns: f64,
    /// What a profile adds: the median of differences between neighbours in time.
    pub profiling_ns: f64,
}

const PAIR_SLICES: usize = 21;

/// Measures it for locks of this algorithm, on the first lane.
pub fn cost(lanes: &Lanes, algorithm: Algorithm, process: &Process) -> Cost {
    // A lock that nobody can take again is a hang.
    process.watchdog.ending(true);
    let cost = lanes.run_on_first(|| pairs(&process.clock, algorithm));
    process.watchdog.ending(false);
    cost
}

/// Both in slices that take turns, so that drift hits both alike.
fn pairs(clock: &Clock, algorithm: Algorithm) -> Cost {
    let time = |work: &dyn Fn()| {
        let start = clock.raw();
        work();
        clock.delta_as_nanos(start, clock.raw()) as f64 / PAIRS as f64
    };
    profiled::begin(clock.clone());
    let (mut without, mut added) = (Vec::new(), Vec::new());
    for slice in 0..PAIR_SLICES {
        let plain = || time(&|| locks::pairs(algorithm, true, PAIRS));
        let kept = || time(&|| locks::profiled_pairs(algorithm, PAIRS));
        let (plain, kept) = in_turn(slice, plain, kept);
        without.push(plain);
        added.push(kept - plain);
    }
    drop(profiled::take());
    Cost {
        lock_ns: stats::median(&without).unwrap_or_default(),
        profiling_ns: stats::median(&added).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
