//! A launch: fresh processes side by side, one of each party, whose slices take turns. It is the
//! unit of every ratio.
//!
//! What differs from process to process (where the stack, the heap and the program's own pages lie)
//! hits a whole launch, so it is drawn anew for each. What drifts within a second is cancelled
//! inside it: a turn goes through all parties in an order that is drawn, and back (A B C, C B A),
//! so that neither a trend nor whatever repeats favours a party.

use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use results::{Latency, Measure, Pinning, TwoCpus, histogram, stats};

use super::disturbed::Signs;
use super::server::Failure;
use crate::cpus::Cpus;
use crate::protocol::{Prepare, SliceAsked, SliceDone};

/// The longest padding of the environment, in bytes.
const PADDING_MAX: usize = 4096;
/// How many times a disturbed slice is measured again at most.
const REPEATS_MAX: u32 = 10;
/// The same where disturbed slices are used in the end (`--noisy`).
const REPEATS_NOISY_MAX: u32 = 2;
/// The share of a slice's time that is run before it.
const WARM_UP_SHARE: f64 = 0.1;
/// What a process takes beside its slices, counted generously: it starts, and is checked.
const AROUND: Duration = Duration::from_millis(250);

/// Where processes come from, and what time it is: the machine, or one that is made up.
pub trait World {
    /// Starts a party's process, with so many more bytes in its environment, and gets it ready.
    ///
    /// # Errors
    /// There is none, or it cannot measure that cell.
    fn start(&self, party: Party<'_>, padding: usize) -> Result<Box<dyn Serving>, Failure>;
    /// What the first two of these CPUs are to each other at this moment; `None` where it cannot be
    /// told.
    fn two_cpus(&self, cpus: &Cpus) -> Option<TwoCpus>;
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
    /// Why it runs its program's own file and no copy, if so.
    fn uncopied(&self) -> Option<&str>;
    /// Tells it to end, and waits until it did.
    ///
    /// # Errors
    /// A check found something after its last slice.
    fn end(self: Box<Self>) -> Result<(), Failure>;
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

impl Asked {
    /// The longest that a process is measured, if each of its slices is repeated.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let slices = 2 * (self.throughput_turns + self.latency_turns) as u32;
        // The first one is thrown away, and never repeated.
        AROUND + self.slice.mul_f64(1.0 + WARM_UP_SHARE) * (1 + 2 * slices)
    }
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
    /// Why it ran its program's own file and no copy, if so.
    pub uncopied: Option<String>,
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
        // A slice in which nothing was done counts, and has no ratio: nor has its launch.
        let ratios: Vec<f64> = ratios.collect();
        stats::median(&ratios).filter(|_| ratios.iter().all(|ratio| ratio.is_finite()))
    }

    /// Why a party ran its program's own file and no copy, if one did.
    #[must_use]
    pub fn uncopied(&self) -> Option<&str> {
        self.parties.iter().find_map(|taken| taken.uncopied.as_deref())
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
        uncopied: server.uncopied().map(str::to_owned),
    });
    let launch = Launch { parties: taken.collect(), order: Vec::new() };
    let mut running = Running { servers, asked, random, launch, repeats_left: 0 };
    running.warm_up()?;
    for (measure, turns) in
        [(Measure::Throughput, asked.throughput_turns), (Measure::Latency, asked.latency_turns)]
    {
        // No more repeats than slices: where that is not enough the host is too busy, and time is
        // better spent later.
        running.repeats_left = (2 * turns * parties.len()) as u32;
        (0..turns).try_for_each(|turn| running.turn(measure, turn))?;
    }
    for (party, server) in running.servers.into_iter().enumerate() {
        server.end().map_err(|failure| Failed { party, failure })?;
    }
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
            let mut signs = Signs::of(&done.host_noise, done.seconds);
            // A thread that never saw the slice begin had no CPU.
            signs.off_cpu |= done.was_not_run;
            let is_last = !signs.any() || repeat == repeats;
            let is_used = !signs.any() || (noisy && is_last);
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
mod tests;
