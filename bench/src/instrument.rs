//! The instrument is measured first: its clock, its checker, its loop, and how far two identical
//! series lie apart.
//!
//! All of it is stored with every record, so that a figure can be read beside what measuring it
//! costs.

use std::time::Duration;

use lockimpls::{Algorithm, calibrate};
use quanta::Clock;
use results::stats::{median, quantile};
use results::{Instrument, Measure};

use crate::clock;
use crate::echo;
use crate::job::Job;
use crate::locks;
use crate::pool::Lanes;
use crate::session::warm_up;
use crate::slice::{Process, Slice};

/// Measures the instrument on the first lane; the spread with the cell given.
///
/// # Errors
/// The cell cannot run.
pub fn measure(lanes: &Lanes, job: &Job, process: &Process) -> Result<Instrument, String> {
    let facts = lanes.run_on_first(|| clock::measure(&process.clock));
    let locks = lanes.run_on_first(|| lock_pairs(&process.clock, Algorithm::default()));
    let loop_ns = lanes.run_on_first(|| loop_ns_per_operation(&process.clock));
    Ok(Instrument {
        clock_ns: facts.clock_ns,
        clock_step_ns: facts.clock_step_ns,
        lock_ns_per_pair: locks.plain_ns,
        checker_ns_per_pair: locks.checker_ns,
        aa_spread_percent: aa_spread(lanes, job, process)?.map(|s| s.interleaved_percent),
        loop_ns_per_operation: Some(loop_ns),
        fences: Some(lockimpls::fences().to_owned()),
    })
}

/// A lock and its unlock, nobody else wanting it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LockPairs {
    /// Without the checker.
    pub plain_ns: f64,
    /// What the checker adds: the median of differences between neighbours in time.
    pub checker_ns: f64,
}

/// How many pairs a slice has, or operations: few in a debug build, which says nothing about locks.
pub(crate) const PAIRS: u64 = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
const PAIR_SLICES: usize = 41;

/// Locks of this algorithm as the layer has them, measured on the first lane.
pub fn locks(lanes: &Lanes, algorithm: Algorithm, process: &Process) -> LockPairs {
    // A lock that nobody can take again is a hang.
    process.watchdog.ending(true);
    let pairs = lanes.run_on_first(|| lock_pairs(&process.clock, algorithm));
    process.watchdog.ending(false);
    pairs
}

/// Measures both in slices that take turns (A B, B A, ...), so that drift hits both alike.
#[must_use]
pub fn lock_pairs(clock: &Clock, algorithm: Algorithm) -> LockPairs {
    let time = |checked: bool| {
        let start = clock.raw();
        match (algorithm == Algorithm::default(), checked) {
            (true, true) => calibrate::lock_pairs_checked(PAIRS),
            (true, false) => calibrate::lock_pairs_unchecked(PAIRS),
            (false, _) => locks::pairs(algorithm, checked, PAIRS),
        }
        clock.delta_as_nanos(start, clock.raw()) as f64 / PAIRS as f64
    };
    let (mut plain, mut added) = (Vec::new(), Vec::new());
    for slice in 0..PAIR_SLICES {
        let (with, without) = in_turn(slice, || time(true), || time(false));
        plain.push(without);
        added.push(with - without);
    }
    LockPairs {
        plain_ns: median(&plain).unwrap_or_default(),
        checker_ns: median(&added).unwrap_or_default(),
    }
}

/// Both, in an order that changes from turn to turn; the answers in the order of the arguments.
pub fn in_turn<A, B>(turn: usize, a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
    if turn.is_multiple_of(2) {
        let a = a();
        (a, b())
    } else {
        let b = b();
        (a(), b)
    }
}

const LOOP_SLICES: usize = 21;

/// The loop around an operation (tag, check, count, the question whether to go on): what `pairs`
/// takes longer on a layer that only copies than the same calls do without it.
#[must_use]
pub fn loop_ns_per_operation(clock: &Clock) -> f64 {
    let (mut lane, mut calls) = (echo::lane(), echo::calls());
    let time = |case: &mut dyn FnMut(u64)| {
        let start = clock.raw();
        case(PAIRS);
        clock.delta_as_nanos(start, clock.raw()) as f64 / PAIRS as f64
    };
    let around = (0..LOOP_SLICES).map(|turn| {
        let (with, without) = in_turn(turn, || time(&mut lane), || time(&mut calls));
        with - without
    });
    median(&around.collect::<Vec<f64>>()).unwrap_or_default()
}

/// Slices of each of the two series, and how long each is.
const AA_SLICES: usize = 10;
const AA_SLICE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 2 } else { 20 });
/// The spread is what this share of such comparisons stays under.
const AA_LEVEL: f64 = 0.95;

/// How far two series of the same cell lie apart, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AaSpread {
    /// Slices of both taking turns. One comparison of two series would be a lucky number: this is
    /// the 95th percentile over every way to say which slice of a pair belongs to which series, all
    /// of them equally true.
    pub interleaved_percent: f64,
    /// One series after the other, as programs do that measure one case after another: the host
    /// drifts between.
    pub in_turn_percent: f64,
}

/// Measures both on a cell; `None` if it was interrupted, or nothing was done.
///
/// # Errors
/// The cell cannot run.
pub fn aa_spread(lanes: &Lanes, job: &Job, process: &Process) -> Result<Option<AaSpread>, String> {
    let slice = Slice {
        lanes,
        plan: &job.plan,
        config: &job.config,
        measure: Measure::Throughput,
        warm_up: warm_up(AA_SLICE),
        measured: AA_SLICE,
        process,
    };
    let rate = || job.case.run(&slice).map(|outcome| outcome.operations_per_second());
    let mut pairs = Vec::with_capacity(AA_SLICES);
    for turn in 0..AA_SLICES {
        if process.interrupt.is_set() {
            return Ok(None);
        }
        let (a, b) = in_turn(turn, rate, rate);
        pairs.push((a?, b?));
    }
    let spread = spread_percent(&pairs).zip(drift_percent(&pairs));
    Ok(spread.map(|(interleaved_percent, in_turn_percent)| AaSpread {
        interleaved_percent,
        in_turn_percent,
    }))
}

/// The difference between the median of the first half and that of the second.
fn drift_percent(pairs: &[(f64, f64)]) -> Option<f64> {
    let all: Vec<f64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let (first, second) = all.split_at(all.len() / 2);
    let (first, second) = (median(first)?, median(second)?);
    (first > 0.0).then(|| 100.0 * (second / first - 1.0).abs())
}

/// The `AA_LEVEL` quantile of the difference between the two medians over all relabellings.
fn spread_percent(pairs: &[(f64, f64)]) -> Option<f64> {
    let differences: Vec<f64> = (0..1_u32 << pairs.len())
        .filter_map(|labels| {
            let swapped = |i: usize| labels >> i & 1 == 1;
            let pick = |first: bool| -> Vec<f64> {
                let of = |(i, pair): (usize, &(f64, f64))| {
                    if first == swapped(i) { pair.1 } else { pair.0 }
                };
                pairs.iter().enumerate().map(of).collect()
            };
            let (a, b) = (median(&pick(true))?, median(&pick(false))?);
            (b > 0.0).then(|| 100.0 * (a / b - 1.0).abs())
        })
        .collect();
    quantile(&differences, AA_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_series_lie_nowhere_apart_and_unlike_ones_do() {
        assert_eq!(spread_percent(&[(5.0, 5.0); 6]), Some(0.0));
        let apart = spread_percent(&[(100.0, 110.0); 6]).unwrap();
        assert!(apart > 4.0 && apart <= 10.1, "{apart}");
        assert_eq!(spread_percent(&[(0.0, 0.0); 2]), None);
    }

    #[test]
    fn drift_is_what_lies_between_the_halves() {
        let drift = drift_percent(&[(100.0, 100.0), (110.0, 110.0)]).unwrap();
        assert!((drift - 10.0).abs() < 1e-9, "{drift}");
    }

    #[test]
    fn turns_change_the_order_and_not_the_answer() {
        let log = std::cell::RefCell::new(Vec::new());
        let both =
            |turn| in_turn(turn, || log.borrow_mut().push('a'), || log.borrow_mut().push('b'));
        both(0);
        both(1);
        assert_eq!(*log.borrow(), ['a', 'b', 'b', 'a']);
        assert_eq!(in_turn(1, || 1, || 2), (1, 2));
    }

    #[test]
    fn the_loop_costs_little() {
        let loop_ns = loop_ns_per_operation(&Clock::new());
        assert!(loop_ns.abs() < 10_000.0, "{loop_ns}");
    }
}
