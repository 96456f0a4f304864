//! What two CPUs are to each other at this moment: whether one core runs both, and how long a cache
//! line takes from one to the other and back.
//!
//! It is a yardstick beside each launch, and decides nothing: a virtual CPU is wherever its host
//! puts it, so two runs of one program can differ by more than either of them shows within. It
//! takes some milliseconds, in which nothing else of this program runs.

use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use results::TwoCpus;
use results::stats::median;

use crate::cpus::Cpus;
use crate::pool::{Lanes, Pin};

/// How many times each part is done. The median counts, so that one disturbance does no harm.
const TURNS: usize = 5;
/// How long a thread works in each part.
const WORK: Duration = Duration::from_micros(300);
/// Words that are worked on at once: enough that a core has no room left for another thread's.
const WORDS: u64 = 8;
/// Changes of each word between two looks at the clock.
const BATCH: usize = 200;
/// Round trips in a turn.
const TRIPS: u32 = 400;
/// A line that takes so long for all trips of a turn is not going over: one of the threads does not
/// run.
const PATIENCE: Duration = Duration::from_millis(5);
/// Spins between two looks at the clock.
const SPINS: u32 = 1 << 10;

/// Looks at the first two of `cpus`; `None` where there are not two, or no thread can be put there.
#[must_use]
pub fn measure(cpus: &Cpus) -> Option<TwoCpus> {
    let [first, second, ..] = *cpus.order() else { return None };
    let lanes = Lanes::start(2, cpus, Pin::Each).ok()?;
    let shared = Shared::default();
    let both = lanes.run(|lane| shared.lane(lane), || ());
    let [one, other] = <[Seen; 2]>::try_from(both).ok()?;
    let shares: Vec<f64> =
        one.work.iter().zip(&other.work).map(|pair| at_once(*pair.0, *pair.1)).collect();
    // A turn in which the line hardly moved says nothing, unless most are so.
    let trips: Vec<f64> = one.trips_ns.into_iter().flatten().collect();
    Some(TwoCpus {
        cpus: [first as u32, second as u32],
        at_once_share: median(&shares)?,
        line_round_trip_ns: median(&trips).filter(|_| 2 * trips.len() > TURNS),
    })
}

/// What a thread does of its work in a second: alone, and while the other works.
#[derive(Clone, Copy, Debug)]
struct Rates {
    alone: f64,
    at_once: f64,
}

/// What both do at once over what each does alone. Added up, so that two that take turns, one of
/// which has most of this moment, are a half and not one.
fn at_once(one: Rates, other: Rates) -> f64 {
    (one.at_once + other.at_once) / (one.alone + other.alone)
}

/// What one thread saw, turn by turn.
#[derive(Debug, Default)]
struct Seen {
    work: Vec<Rates>,
    /// A round trip; `None` where the line hardly moved. Only the first thread looks at its clock.
    trips_ns: Vec<Option<f64>>,
}

/// What both threads use.
#[derive(Debug)]
struct Shared {
    /// Before each part: whoever has nothing to do in it sleeps here, and leaves the core alone.
    part: Barrier,
    /// How many came to a part that both begin at once.
    here: CachePadded<AtomicU32>,
    /// The line: odd on its way out, even on its way back.
    line: CachePadded<AtomicU32>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared { part: Barrier::new(2), here: CachePadded::default(), line: CachePadded::default() }
    }
}

impl Shared {
    fn lane(&self, lane: usize) -> Seen {
        let mut seen = Seen::default();
        for turn in 0..TURNS as u32 {
            let mut alone = 0.0;
            for worker in 0..2 {
                self.part.wait();
                if worker == lane {
                    alone = work();
                }
            }
            self.part.wait();
            self.meet(2 * turn + 1);
            seen.work.push(Rates { alone, at_once: work() });
            self.part.wait();
            self.meet(2 * turn + 2);
            seen.trips_ns.push(self.trips(lane, turn));
        }
        seen
    }

    /// Returns when both threads are running here for that time, or the other one does not come.
    ///
    /// Relaxed on both sides, here and at the line: what is waited for is the number itself, and
    /// nothing else is read because of it.
    fn meet(&self, time: u32) {
        self.here.fetch_add(1, Relaxed);
        comes(|| self.here.load(Relaxed) >= 2 * time);
    }

    /// Sends the line over and back: nanoseconds a round trip, if it goes.
    fn trips(&self, lane: usize, turn: u32) -> Option<f64> {
        let begun = Instant::now();
        let first = turn * TRIPS;
        for trip in first..first + TRIPS {
            let (out, back) = (2 * trip + 1, 2 * trip + 2);
            let (waits_for, answers) = if lane == 0 { (back, None) } else { (out, Some(back)) };
            if lane == 0 {
                // Read by the other thread's wait below.
                self.line.store(out, Relaxed);
            }
            if !comes(|| self.line.load(Relaxed) >= waits_for) {
                return None;
            }
            if let Some(back) = answers {
                self.line.store(back, Relaxed);
            }
        }
        Some(begun.elapsed().as_nanos() as f64 / f64::from(TRIPS))
    }
}

/// Spins until it is so; whether it was in time.
fn comes(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        for _ in 0..SPINS {
            if is_so() {
                return true;
            }
            spin_loop();
        }
        if begun.elapsed() > PATIENCE {
            return false;
        }
    }
}

/// Works on private words for a moment: batches per second.
fn work() -> f64 {
    let mut words: [u64; WORDS as usize] = std::array::from_fn(|word| word as u64);
    let begun = Instant::now();
    let mut batches = 0_u32;
    loop {
        for _ in 0..BATCH {
            for word in &mut words {
                *word = word.wrapping_mul(5).wrapping_add(1) ^ (*word >> 7);
            }
        }
        black_box(&mut words);
        batches += 1;
        let took = begun.elapsed();
        if took >= WORK {
            return f64::from(batches) / took.as_secs_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_that_take_turns_do_at_once_is_a_half_whoever_has_the_moment() {
        let rates = |alone, at_once| Rates { alone, at_once };
        assert_eq!(at_once(rates(10.0, 10.0), rates(30.0, 30.0)), 1.0);
        assert_eq!(at_once(rates(10.0, 9.0), rates(10.0, 1.0)), 0.5);
    }

    #[test]
    fn two_cpus_are_looked_at_and_one_is_not() {
        let allowed = Cpus::allowed().unwrap();
        let numbers: Vec<String> = allowed.order().iter().map(usize::to_string).collect();
        assert_eq!(measure(&allowed.choose(&numbers[0]).unwrap()), None);
        let [first, second, ..] = &numbers[..] else { return };
        let order = allowed.choose(&format!("{second},{first}")).unwrap();
        let seen = measure(&order).expect("two CPUs");
        assert_eq!(seen.cpus.map(|cpu| cpu.to_string()), [second.clone(), first.clone()]);
        // How busy the machine is now nobody knows; but something was done, and it took some time.
        assert!(seen.at_once_share > 0.0 && seen.at_once_share.is_finite(), "{seen:?}");
        assert!(seen.line_round_trip_ns.is_none_or(|ns| ns > 1.0), "{seen:?}");
    }

    #[test]
    fn a_line_that_is_not_answered_is_given_up() {
        let shared = Shared::default();
        assert_eq!(shared.trips(0, 0), None);
        assert!(comes(|| true));
    }
}
