//! A group under way: what its launches said, and whether another is wanted.

use std::time::Duration;

use results::{Slices, narrow, stats};

use crate::compare::counters;
use crate::plan::Group;
use crate::pool::Pin;
use crate::protocol::Prepare;
use crate::settings::Settings;
use crate::turns::launch::{Asked, Launch, Slice};
use crate::turns::record;
use crate::words::REFERENCE;

/// The length of a slice, but where something happens too seldom for it: long beside a change of
/// threads, short beside the host's drift.
pub const SLICE: Duration = Duration::from_millis(20);
/// A slice of a workload that keeps a rate has room for so many operations of a thread, but never
/// takes longer than that.
const PERIODS_MIN: f64 = 100.0;
const PACED_SLICE_MAX: Duration = Duration::from_secs(1);
/// Turns of a launch when nobody says: operations counted, and stamps taken.
const TURNS: [usize; 2] = [3, 1];
/// One launch of a group in so many has the reference twice, the first one to begin with.
pub(super) const ITSELF_EVERY: u32 = 5;
/// How narrow intervals shall be when nobody says: where no thread waits for another, and where one
/// does.
const WITHIN: [f64; 2] = [0.03, 0.1];

/// A group of cells that differ in the backend alone.
pub(super) struct State<'a> {
    pub(super) group: &'a Group,
    pub(super) asked: Asked,
    /// How narrow its ratios shall be.
    pub(super) within: f64,
    /// The place in the group of the backend that ratios are to: the reference, or the first.
    pub(super) reference: usize,
    pub(super) launches: u32,
    /// What the last launch took, for each of its processes.
    pub(super) cost: Option<Duration>,
    /// In the order of the group.
    pub(super) backends: Vec<Backend>,
    /// The logarithm of the copy's operations per second over the reference's.
    pub(super) itself: Vec<f64>,
    /// When the first launch began.
    pub(super) started: String,
}

/// One backend of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Backend {
    /// Launch by launch, the logarithm of its operations per second over the reference's.
    pub(super) log_ratios: Vec<f64>,
    /// What became of its slices.
    pub(super) slices: Slices,
    /// It failed once, and is not tried again.
    pub(super) has_failed: bool,
    /// Its ratio was narrow enough at a look.
    is_narrow: bool,
}

impl<'a> State<'a> {
    pub(super) fn new(group: &'a Group, settings: &Settings) -> State<'a> {
        let cell = &group[0].cell;
        // Counters are exact where no thread meets another, and there none waits.
        let within = WITHIN[usize::from(!counters::is_exact(cell))];
        State {
            group,
            asked: asked((group[0].case.workload.pace)(&group[0].plan), settings),
            within: settings.within.unwrap_or(within),
            reference: group.iter().position(|job| job.cell.backend == REFERENCE).unwrap_or(0),
            launches: 0,
            cost: None,
            backends: vec![Backend::default(); group.len()],
            itself: Vec::new(),
            started: String::new(),
        }
    }

    /// Whether another launch is wanted.
    pub(super) fn is_open(&self, rounds: Option<u32>) -> bool {
        if self.backends.iter().all(|backend| backend.has_failed) {
            return false;
        }
        rounds.map_or_else(|| !self.is_known(), |rounds| self.launches < rounds)
    }

    /// Whether all is known as well as was asked, or as it can be.
    fn is_known(&self) -> bool {
        let is_narrow = self.wanted().next().is_none() && self.launches >= narrow::PAIRS_MIN;
        is_narrow || self.launches as usize >= stats::PAIRS_MAX
    }

    /// The backends whose ratio is not known well enough; none where there is nothing to divide by.
    fn wanted(&self) -> impl Iterator<Item = usize> {
        let has_reference = !self.backends[self.reference].has_failed;
        let is_wanted = move |place: &usize| {
            let backend = &self.backends[*place];
            let is_open = !backend.has_failed && !backend.is_narrow;
            has_reference && *place != self.reference && is_open
        };
        (0..self.group.len()).filter(is_wanted)
    }

    /// The places in the group of those that take part in the next launch: where the ratios decide,
    /// those that are not known well enough, and the reference; from time to time the reference
    /// twice.
    pub(super) fn parties(&self, rounds: Option<u32>) -> Vec<usize> {
        let all = (0..self.group.len()).filter(|place| !self.backends[*place].has_failed);
        let mut parties: Vec<usize> = all.collect();
        if rounds.is_none() && self.wanted().next().is_some() {
            parties.retain(|place| *place == self.reference || !self.backends[*place].is_narrow);
        }
        if parties.contains(&self.reference) && self.launches.is_multiple_of(ITSELF_EVERY) {
            parties.push(self.reference);
        }
        parties
    }

    /// The longest that so many launches take: of them some have the reference twice.
    pub(super) fn longest(&self, launches: u32) -> Duration {
        let processes = launches * self.group.len() as u32 + launches.div_ceil(ITSELF_EVERY);
        self.asked.longest() * processes
    }

    /// How many processes the next launch has.
    pub(super) fn processes(&self, rounds: Option<u32>) -> u32 {
        self.parties(rounds).len() as u32
    }

    /// The question by which the next launch's process of a backend gets ready.
    pub(super) fn prepare(&self, place: usize, settings: &Settings) -> Prepare {
        Prepare {
            cell: self.group[place].cell.clone(),
            cpus: settings.cpus.order().to_vec(),
            pin: settings.pin == Pin::Each,
            seed: settings.seed + u64::from(self.launches),
        }
    }

    /// Takes in what a launch of these parties says; the answer is what the reference's copy says,
    /// if it took part.
    pub(super) fn add(&mut self, parties: &[usize], launch: &Launch) -> Option<f64> {
        self.launches += 1;
        let reference = parties.iter().position(|place| *place == self.reference);
        let mut itself = None;
        for (party, place) in parties.iter().enumerate() {
            let slices: Vec<&Slice> = launch.parties[party].slices.iter().collect();
            let backend = &mut self.backends[*place];
            backend.slices = backend.slices.plus(record::ledger(&slices));
            let Some(reference) = reference.filter(|reference| *reference != party) else {
                continue;
            };
            let ratio = launch.log_ratio(party, reference);
            if *place == self.reference {
                itself = ratio;
            } else if let Some(ratio) = ratio {
                self.backends[*place].look(ratio, self.within);
            }
        }
        self.itself.extend(itself);
        itself
    }
}

impl Backend {
    fn look(&mut self, log_ratio: f64, within: f64) {
        self.log_ratios.push(log_ratio);
        if narrow::is_look(self.log_ratios.len() as u32)
            && let Some(interval) = narrow::interval(&self.log_ratios)
        {
            self.is_narrow = narrow::half_width(&interval) <= within;
        }
    }
}

/// The slices of a launch.
fn asked(pace: Option<f64>, settings: &Settings) -> Asked {
    let periods = |rate: f64| Duration::from_secs_f64(PERIODS_MIN / rate.max(PERIODS_MIN));
    let slice = pace.map_or(SLICE, |rate| periods(rate).clamp(SLICE, PACED_SLICE_MAX));
    let Some(seconds) = settings.seconds else {
        let [throughput_turns, latency_turns] = TURNS;
        return Asked { slice, throughput_turns, latency_turns, noisy: false };
    };
    let half = seconds / 2;
    let turns = (half.as_secs_f64() / (2.0 * slice.as_secs_f64())).round().max(1.0) as u32;
    let [throughput_turns, latency_turns] = [turns as usize; 2];
    Asked { slice: half / (2 * turns), throughput_turns, latency_turns, noisy: false }
}

#[cfg(test)]
mod tests {
    use super::super::tests::in_session;
    use super::*;
    use crate::turns::made_up::{MadeUp, quiet};

    #[test]
    fn every_launch_draws_from_a_seed_of_its_own() {
        let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
        in_session(
            &world,
            |_| {},
            |session| {
                let mut state = State::new(&session.planned.parts[&1][0], session.settings);
                let seeds =
                    |state: &State<'_>| [0, 1].map(|at| state.prepare(at, session.settings).seed);
                assert_eq!(seeds(&state), [session.settings.seed; 2]);
                state.launches = 3;
                assert_eq!(seeds(&state), [session.settings.seed + 3; 2]);
            },
        );
    }

    #[test]
    fn threads_stay_on_their_cpus_unless_somebody_says_otherwise() {
        let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
        let pinned = |no_pin: bool| {
            in_session(
                &world,
                |args| args.cells.no_pin = no_pin,
                |session| {
                    let state = State::new(&session.planned.parts[&1][0], session.settings);
                    state.prepare(0, session.settings).pin
                },
            )
        };
        assert_eq!((pinned(false), pinned(true)), (true, false));
    }
}
