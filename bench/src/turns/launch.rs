//! A launch: fresh processes side by side, one of each party, whose slices take turns. It is the
//! unit of every ratio.
//!
//! What differs from process to process (where the stack and the heap lie, which pages) hits a
//! whole launch, so it is drawn anew for each. What drifts within a second is cancelled inside it:
//! a turn goes through all parties in an order that is drawn, and back (A B C, C B A), so that
//! neither a trend nor whatever repeats favours a party.

use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use results::{Latency, Measure, Pinning, histogram, stats};

use super::disturbed::Signs;
use super::server::Failure;
use crate::protocol::{Prepare, SliceAsked, SliceDone};

/// The longest padding of the environment, in bytes.
const PADDING_MAX: usize = 4096;
/// As many times is a disturbed slice measured again.
const REPEATS_MAX: u32 = 10;
/// The same where disturbed slices are used in the end (`--noisy`).
const REPEATS_NOISY_MAX: u32 = 2;
/// All slices of a launch together are measured again this many times as often as they are many:
/// beyond that the host is too busy, and time is better spent later.
const REPEATS_PER_SLICE: u32 = 3;
/// The share of a slice's time that is run before it.
const WARM_UP_SHARE: f64 = 0.1;

/// Where processes come from, and what time it is: the machine, or one that is made up.
pub trait World {
    /// Starts a party's process, with so many more bytes in its environment, and gets it ready.
    ///
    /// # Errors
    /// There is none, or it cannot measure that cell.
    fn start(&self, party: Party<'_>, padding: usize) -> Result<Box<dyn Serving>, Failure>;
    /// How long all has taken by now.
    fn elapsed(&self) -> Duration;
    /// Whether somebody asked for the end.
    fn is_interrupted(&self) -> bool;
}

/// A process that is ready for its cell.
pub trait Serving {
    /// Measures a slice.
    ///
    /// # Errors
    /// It ended, or cannot.
    fn slice(&mut self, asked: SliceAsked) -> Result<SliceDone, Failure>;
    /// The smallest step of its clock, in nanoseconds.
    fn clock_step_ns(&self) -> f64;
    /// Where its threads are, if it says.
    fn pinning(&self) -> Option<Pinning>;
    /// Tells it to end, and waits until it did.
    fn end(self: Box<Self>);
}

/// What takes part in a launch.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The program.
    pub program: &'a Path,
    /// The cell, and where its threads run.
    pub prepare: &'a Prepare,
}

/// What is measured of each party.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The length of a slice.
    pub slice: Duration,
    /// Turns that count operations: two slices of each party.
    pub throughput_turns: usize,
    /// Turns that take stamps.
    pub latency_turns: usize,
    /// Whether disturbed slices are used when nothing better comes.
    pub noisy: bool,
}

/// What a launch measured, party by party.
#[derive(Debug, Default)]
pub struct Launch {
    /// In the order they were given.
    pub parties: Vec<Taken>,
    /// The parties in the order of their first slices.
    pub order: Vec<usize>,
}

/// What one party's process did.
#[derive(Debug, Default)]
pub struct Taken {
    /// Every slice, the repeated ones too, in their order.
    pub slices: Vec<Slice>,
    /// The smallest step of its clock, in nanoseconds.
    pub clock_step_ns: f64,
    /// Where its threads were, if it said.
    pub pinning: Option<Pinning>,
}

/// One slice.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// What it was for.
    pub measure: Measure,
    /// The number of its turn, counted for each measure.
    pub turn: usize,
    /// What it measured.
    pub done: SliceDone,
    /// What disturbed it.
    pub signs: Signs,
    /// Whether it counts.
    pub is_used: bool,
    /// Whether it was the last attempt at its place in the turn.
    pub is_last: bool,
}

/// A party that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Which, in the order they were given.
    pub party: usize,
    /// Why.
    pub failure: Failure,
}

impl Launch {
    /// The logarithm of one party's operations per second over another's: the median over the turns
    /// in which all slices of both count; none where there is no such turn.
    #[must_use]
    pub fn log_ratio(&self, party: usize, against: usize) -> Option<f64> {
        let [party, against] = [party, against].map(|index| &self.parties[index]);
        let turns = party.slices.iter().map(|slice| slice.turn + 1).max()?;
        let ratios = (0..turns).filter_map(|turn| Some(party.turn(turn)? - against.turn(turn)?));
        stats::median(&ratios.collect::<Vec<f64>>())
    }
}

impl Taken {
    /// The slices that count.
    pub fn used(&self, measure: Measure) -> impl Iterator<Item = &SliceDone> {
        let of = move |slice: &&Slice| slice.measure == measure && slice.is_used;
        self.slices.iter().filter(of).map(|slice| &slice.done)
    }

    /// Operations per second: the median over the slices that count.
    #[must_use]
    pub fn middle_rate(&self) -> Option<f64> {
        let rates = self.used(Measure::Throughput).map(|done| done.operations_per_second);
        stats::median(&rates.collect::<Vec<f64>>())
    }

    /// All sends; `pairs` counts those of the two ends apart, here they are one.
    ///
    /// # Errors
    /// A histogram is damaged.
    pub fn sends(&self) -> Result<Histogram<u64>, String> {
        let ends = |done: &'_ SliceDone| -> [Option<Latency>; 2] {
            [done.latency_ns.send.clone(), done.latency_ns.send_higher_address.clone()]
        };
        let sends: Vec<Latency> = self.used(Measure::Latency).flat_map(ends).flatten().collect();
        histogram::merge(&sends).map_err(|error| error.to_string())
    }

    /// The mean logarithm of the operations per second in a turn, if both its slices count.
    fn turn(&self, turn: usize) -> Option<f64> {
        let of = |slice: &&Slice| {
            slice.measure == Measure::Throughput && slice.turn == turn && slice.is_used
        };
        let slices: Vec<&Slice> = self.slices.iter().filter(of).collect();
        let [first, second] = slices[..] else { return None };
        Some((first.done.operations_per_second * second.done.operations_per_second).ln() / 2.0)
    }
}

/// Measures a launch.
///
/// # Errors
/// A party failed.
pub fn measure(
    world: &dyn World,
    parties: &[Party<'_>],
    asked: &Asked,
    random: &mut fastrand::Rng,
) -> Result<Launch, Failed> {
    let servers = start(world, parties, random)?;
    let taken = servers.iter().map(|server| Taken {
        slices: Vec::new(),
        clock_step_ns: server.clock_step_ns(),
        pinning: server.pinning(),
    });
    let launch = Launch { parties: taken.collect(), order: Vec::new() };
    let turns = (asked.throughput_turns + asked.latency_turns) as u32;
    let repeats_left = 2 * turns * parties.len() as u32 * REPEATS_PER_SLICE;
    let mut running = Running { servers, asked, random, launch, repeats_left };
    running.warm_up()?;
    for (measure, turns) in
        [(Measure::Throughput, asked.throughput_turns), (Measure::Latency, asked.latency_turns)]
    {
        (0..turns).try_for_each(|turn| running.turn(measure, turn))?;
    }
    running.servers.into_iter().for_each(Serving::end);
    Ok(running.launch)
}

/// Starts all of them, in an order that is drawn.
fn start(
    world: &dyn World,
    parties: &[Party<'_>],
    random: &mut fastrand::Rng,
) -> Result<Vec<Box<dyn Serving>>, Failed> {
    let mut servers: Vec<(usize, Box<dyn Serving>)> = Vec::with_capacity(parties.len());
    for party in drawn(parties.len(), random) {
        let padding = random.usize(0..=PADDING_MAX);
        let started = world.start(parties[party], padding);
        servers.push((party, started.map_err(|failure| Failed { party, failure })?));
    }
    servers.sort_by_key(|(party, _)| *party);
    Ok(servers.into_iter().map(|(_, server)| server).collect())
}

/// The numbers below this one in an order that chance decides.
fn drawn(count: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    random.shuffle(&mut order);
    order
}

/// Servers that are ready.
struct Running<'a> {
    servers: Vec<Box<dyn Serving>>,
    asked: &'a Asked,
    random: &'a mut fastrand::Rng,
    launch: Launch,
    repeats_left: u32,
}

impl Running<'_> {
    /// The first slice of each touches its memory, and is thrown away.
    fn warm_up(&mut self) -> Result<(), Failed> {
        (0..self.servers.len())
            .try_for_each(|party| self.slice(party, Measure::Throughput).map(|_| ()))
    }

    /// Every party once in an order that is drawn, and once more in its reverse.
    fn turn(&mut self, measure: Measure, turn: usize) -> Result<(), Failed> {
        let there = drawn(self.servers.len(), self.random);
        if self.launch.order.is_empty() {
            self.launch.order.clone_from(&there);
        }
        let back = there.iter().rev();
        there.iter().chain(back).try_for_each(|party| self.undisturbed(*party, measure, turn))
    }

    /// Measures a slice until the host leaves it alone, or has not done so too often.
    fn undisturbed(&mut self, party: usize, measure: Measure, turn: usize) -> Result<(), Failed> {
        let noisy = self.asked.noisy;
        let repeats = if noisy { REPEATS_NOISY_MAX } else { REPEATS_MAX }.min(self.repeats_left);
        for repeat in 0..=repeats {
            let done = self.slice(party, measure)?;
            // A slice without an operation was not run: its threads never saw it begin.
            let nothing = done.operations == 0;
            let mut signs = Signs::of(&done.host_noise, done.seconds);
            signs.off_cpu |= nothing;
            let is_last = !signs.any() || repeat == repeats;
            let is_used = !signs.any() || (noisy && is_last && !nothing);
            let slice = Slice { measure, turn, done, signs, is_used, is_last };
            self.launch.parties[party].slices.push(slice);
            if is_last {
                break;
            }
            self.repeats_left -= 1;
        }
        Ok(())
    }

    fn slice(&mut self, party: usize, measure: Measure) -> Result<SliceDone, Failed> {
        let seconds = self.asked.slice.as_secs_f64();
        let asked = SliceAsked { measure, seconds, warm_up_seconds: seconds * WARM_UP_SHARE };
        self.servers[party].slice(asked).map_err(|failure| Failed { party, failure })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::turns::made_up::{Event, MadeUp, disturbed, quiet};

    const ASKED: Asked = Asked {
        slice: Duration::from_millis(20),
        throughput_turns: 3,
        latency_turns: 1,
        noisy: false,
    };

    fn measured(world: &MadeUp, parties: usize, asked: &Asked, seed: u64) -> Launch {
        let (program, prepare) = (Path::new("program"), Prepare::default());
        let parties = vec![Party { program, prepare: &prepare }; parties];
        measure(world, &parties, asked, &mut fastrand::Rng::with_seed(seed)).unwrap()
    }

    #[test]
    fn a_turn_goes_there_and_back_through_fresh_processes() {
        let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
        let launch = measured(&world, 3, &ASKED, 1);
        let turns = [world.turns(Measure::Throughput), world.turns(Measure::Latency)].concat();
        assert_eq!(turns.len(), 3 * 2 * 3 + 2 * 3);
        for turn in turns.chunks(6) {
            let (there, back) = turn.split_at(3);
            assert!(there.iter().eq(back.iter().rev()), "{turn:?}");
            assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), 3, "{turn:?}");
        }
        let is = |wanted: fn(&Event) -> bool| world.events().iter().filter(|e| wanted(e)).count();
        assert_eq!(is(|event| matches!(event, Event::Start(..))), 3);
        assert_eq!(is(|event| matches!(event, Event::End(_))), 3);
        // One slice of each before all turns, which is in no figure.
        assert!(launch.parties.iter().all(|taken| taken.slices.len() == 8));
    }

    #[test]
    fn the_order_of_turns_and_of_starts_is_drawn_and_no_party_is_favoured() {
        let mut firsts = [0; 2];
        let mut starts = [0; 2];
        for seed in 0..200 {
            let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6 * (now.process + 1) as f64)));
            let launch = measured(&world, 2, &ASKED, seed);
            firsts[launch.order[0]] += 1;
            // The process that was started second does twice as much: which party is it?
            starts[usize::from(launch.log_ratio(1, 0).unwrap() > 0.0)] += 1;
        }
        assert!(firsts.iter().chain(&starts).all(|times| (70..=130).contains(times)), "a coin");
    }

    #[test]
    fn the_seed_decides_the_order() {
        let turns = |seed| {
            let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
            measured(&world, 4, &ASKED, seed);
            world.events()
        };
        assert_eq!(turns(7), turns(7));
        assert!((0..5).any(|seed| turns(seed) != turns(7)));
    }

    #[test]
    fn a_slice_is_repeated_for_its_covariates_and_never_for_its_value() {
        // Every third slice is disturbed and twice as fast; every fifth is slow, and nothing else.
        let world = MadeUp::new(|now| match now.slice {
            slice if slice % 3 == 0 => Ok(disturbed(now.asked, 2e6)),
            slice if slice % 5 == 0 => Ok(quiet(now.asked, 1e3)),
            _ => Ok(quiet(now.asked, 1e6)),
        });
        let launch = measured(&world, 2, &ASKED, 1);
        for taken in &launch.parties {
            let rates: Vec<f64> =
                taken.used(Measure::Throughput).map(|done| done.operations_per_second).collect();
            assert_eq!(rates.len(), 6);
            assert!(rates.contains(&1e3) && !rates.contains(&2e6), "{rates:?}");
            let repeated = taken.slices.iter().filter(|slice| slice.signs.off_cpu);
            assert_eq!(repeated.count(), taken.slices.len() - 8, "kept in sight");
            let last = taken.slices.iter().filter(|slice| slice.is_last);
            assert!(last.clone().count() == 8 && last.clone().all(|slice| slice.is_used));
        }
    }

    #[test]
    fn a_busy_host_ends_the_repeating_and_nothing_is_used() {
        let world = MadeUp::new(|now| Ok(disturbed(now.asked, 1e6)));
        let launch = measured(&world, 2, &ASKED, 1);
        assert_eq!(launch.log_ratio(1, 0), None);
        let measured = launch.parties.iter().map(|taken| taken.slices.len()).sum::<usize>();
        assert_eq!(measured, 16 + 16 * REPEATS_PER_SLICE as usize);
        let noisy = self::measured(&world, 2, &Asked { noisy: true, ..ASKED }, 1);
        assert_eq!(noisy.log_ratio(1, 0), Some(0.0));
        assert_eq!(noisy.parties[0].used(Measure::Throughput).count(), 6, "one attempt of each");
    }

    #[test]
    fn a_trend_that_is_even_in_time_cancels_and_the_ratio_is_of_the_named_over_the_other() {
        // Each slice of the launch is a tenth faster than the one before it; the second does half.
        let slices = std::cell::Cell::new(0);
        let world = MadeUp::new(move |now| {
            slices.set(slices.get() + 1);
            let share = if now.prepare.cell.backend == "half" { 0.5 } else { 1.0 };
            Ok(quiet(now.asked, 1e6 * 1.1_f64.powi(slices.get()) * share))
        });
        let program = Path::new("program");
        let [whole, half] = ["whole", "half"].map(|backend| Prepare {
            cell: results::Cell { backend: backend.to_owned(), ..results::Cell::default() },
            ..Prepare::default()
        });
        let parties = [&whole, &half].map(|prepare| Party { program, prepare });
        let launch = measure(&world, &parties, &ASKED, &mut fastrand::Rng::with_seed(3)).unwrap();
        let ratio = |of, against| launch.log_ratio(of, against).unwrap().exp();
        assert!((ratio(1, 0) - 0.5).abs() < 1e-9 && (ratio(0, 1) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_party_that_fails_is_named() {
        let world = MadeUp::new(|now| match now.process {
            1 => Err(Failure::Broken("gone".to_owned())),
            _ => Ok(quiet(now.asked, 1e6)),
        });
        let (program, prepare) = (Path::new("program"), Prepare::default());
        let parties = [Party { program, prepare: &prepare }; 2];
        let failed = |seed| {
            let random = &mut fastrand::Rng::with_seed(seed);
            measure(&world, &parties, &ASKED, random).map(|_| ()).unwrap_err()
        };
        assert_eq!(failed(1).failure, Failure::Broken("gone".to_owned()));
    }
}
