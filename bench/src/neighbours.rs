//! What two CPUs are to each other at this moment: whether one core runs both, and how long a cache
//! line takes from one to the other and back.
//!
//! It is a yardstick beside each launch, and decides nothing: a virtual CPU is wherever its host
//! puts it, so two runs of one program can differ by more than either of them shows within. It
//! takes some milliseconds, in which nothing else of this program runs. A part in which one of the
//! two threads was ready to run and did not says nothing of the CPUs and is left out; so is a look
//! of which that leaves less than half.

use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use results::stats::median;
use results::{ON_CPU_SHARE_MIN, TwoCpus};

use crate::cpus::Cpus;
use crate::noise::TaskFiles;
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

/// Looks at the first two of `cpus`; `None` where there are not two, no thread can be put there, or
/// they were kept from them.
#[must_use]
pub fn measure(cpus: &Cpus) -> Option<TwoCpus> {
    let [first, second, ..] = *cpus.order() else { return None };
    let lanes = Lanes::start(2, cpus, Pin::Each).ok()?;
    let shared = Shared::default();
    let both = lanes.run(|lane| shared.lane(lane), || ());
    let [one, other] = <[Seen; 2]>::try_from(both).ok()?;
    two_cpus([first as u32, second as u32], &one, &other)
}

/// What both threads saw, turn by turn; a turn counts where both of them ran.
fn two_cpus(cpus: [u32; 2], one: &Seen, other: &Seen) -> Option<TwoCpus> {
    let work = one.work.iter().zip(&other.work);
    let shares: Vec<f64> = work.filter_map(|pair| Some(at_once((*pair.0)?, (*pair.1)?))).collect();
    let trips = one.trips_ns.iter().zip(&other.trips_ns);
    let trips: Vec<f64> = trips.filter_map(|(ns, other)| ns.filter(|_| other.is_some())).collect();
    let is_most = |turns: usize| 2 * turns > TURNS;
    Some(TwoCpus {
        cpus,
        at_once_share: median(&shares).filter(|_| is_most(shares.len()))?,
        line_round_trip_ns: median(&trips).filter(|_| is_most(trips.len())),
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

/// What one thread saw, turn by turn; `None` where it was kept off its CPU meanwhile.
#[derive(Debug, Default)]
struct Seen {
    work: Vec<Option<Rates>>,
    /// A round trip; `None` also where the line hardly moved.
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
        let (mut seen, files) = (Seen::default(), TaskFiles::of_this_thread());
        let delay = || files.run_delay_ns();
        for turn in 0..TURNS as u32 {
            let mut alone = None;
            for worker in 0..2 {
                self.part.wait();
                if worker == lane {
                    alone = on_cpu(delay, work);
                }
            }
            self.part.wait();
            let at_once = on_cpu(delay, || {
                self.meet(2 * turn + 1);
                work()
            });
            let rates = alone.zip(at_once).map(|(alone, at_once)| Rates { alone, at_once });
            seen.work.push(rates);
            self.part.wait();
            let trips = on_cpu(delay, || {
                self.meet(2 * turn + 2);
                self.trips(lane, turn)
            });
            seen.trips_ns.push(trips.flatten());
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

/// What is done meanwhile, unless this thread was ready to run and did not; `delay_ns` says for how
/// long that was so since it began, if the system tells.
fn on_cpu<T>(delay_ns: impl Fn() -> Option<u64>, doing: impl FnOnce() -> T) -> Option<T> {
    let (before, began) = (delay_ns(), Instant::now());
    let done = doing();
    let most = (1.0 - ON_CPU_SHARE_MIN) * began.elapsed().as_nanos() as f64;
    let is_off = |(before, now): (u64, u64)| now.saturating_sub(before) as f64 > most;
    (!before.zip(delay_ns()).is_some_and(is_off)).then_some(done)
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
        // A machine that is busy now may keep the threads from them.
        let Some(seen) = measure(&order) else { return };
        assert_eq!(seen.cpus.map(|cpu| cpu.to_string()), [second.clone(), first.clone()]);
        // How busy the machine is now nobody knows; but something was done, and it took some time.
        assert!(seen.at_once_share > 0.0 && seen.at_once_share.is_finite(), "{seen:?}");
        assert!(seen.line_round_trip_ns.is_none_or(|ns| ns > 1.0), "{seen:?}");
    }

    #[test]
    fn a_turn_in_which_a_thread_did_not_run_is_left_out_and_so_is_a_look_of_such_turns() {
        let rates = |at_once| Some(Rates { alone: 10.0, at_once });
        let seen = |work: [Option<Rates>; TURNS], trips_ns: [Option<f64>; TURNS]| Seen {
            work: work.to_vec(),
            trips_ns: trips_ns.to_vec(),
        };
        let all = seen([rates(10.0); TURNS], [Some(60.0); TURNS]);
        let whole = TwoCpus { cpus: [0, 1], at_once_share: 1.0, line_round_trip_ns: Some(60.0) };
        assert_eq!(two_cpus([0, 1], &all, &all), Some(whole.clone()));
        // Two of five turns, one of either thread, were disturbed; they had said something else.
        let [one, other] = [0, 1].map(|lost| {
            let mut one = seen([rates(10.0); TURNS], [Some(60.0); TURNS]);
            (one.work[lost], one.work[1 - lost]) = (None, rates(1.0));
            (one.trips_ns[lost], one.trips_ns[1 - lost]) = (None, Some(900.0));
            one
        });
        assert_eq!(two_cpus([0, 1], &one, &other), Some(whole));
        let few = seen(
            [None, None, None, rates(10.0), rates(10.0)],
            [None, None, None, Some(60.0), Some(60.0)],
        );
        assert_eq!(two_cpus([0, 1], &all, &few), None);
        assert_eq!(two_cpus([0, 1], &few, &all), None);
        let still = seen([rates(10.0); TURNS], [None; TURNS]);
        assert_eq!(two_cpus([0, 1], &still, &all).expect("a look").line_round_trip_ns, None);
    }

    #[test]
    fn what_was_done_while_the_thread_waited_for_its_cpu_is_left_out() {
        let done = |delays: [Option<u64>; 2]| {
            let mut delays = delays.into_iter();
            let delays = std::cell::RefCell::new(&mut delays);
            on_cpu(|| delays.borrow_mut().next().flatten(), || ())
        };
        assert_eq!(done([Some(5), Some(5)]), Some(()));
        assert_eq!(done([Some(5), Some(60_000_000_000)]), None);
        assert_eq!(done([None, None]), Some(()), "a system that does not tell");
    }

    #[test]
    fn a_line_that_is_not_answered_is_given_up() {
        let shared = Shared::default();
        assert_eq!(shared.trips(0, 0), None);
        assert!(comes(|| true));
    }
}
