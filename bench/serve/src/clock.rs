//! The one clock: the processor's time stamp counter, through `quanta`.
//!
//! A reading costs about as much as an uncontended lock, so its cost and its step are measured at
//! the start of a run and stored with every record: a latency of a few steps is not more than a few
//! steps.

use std::collections::BTreeMap;
use std::hint::black_box;

use results::stats::median;

/// What one reading costs, and by how much two readings differ at least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockFacts {
    /// Nanoseconds per reading, the median over slices.
    pub clock_ns: f64,
    /// The step of the clock, in nanoseconds.
    pub clock_step_ns: f64,
}

/// Readings per slice, and slices.
const READINGS: u64 = 10_000;
const SLICES: usize = 15;
/// The most additions between two readings whose difference is looked at: they spread the
/// differences over some 50 ns.
const ADDITIONS_MAX: u64 = 200;
/// A difference rarer than this is an accident of the measurement.
const SHARE_MIN: f64 = 0.005;

/// Measures the clock on the calling thread.
#[must_use]
pub fn measure(clock: &quanta::Clock) -> ClockFacts {
    let costs: Vec<f64> = (0..SLICES).map(|_| cost_ns(clock)).collect();
    let deltas: Vec<u64> = (0..READINGS).map(|i| delta(clock, i % ADDITIONS_MAX)).collect();
    let many_ticks = 1 << 30;
    let ns_per_tick = clock.delta_as_nanos(0, many_ticks) as f64 / many_ticks as f64;
    ClockFacts {
        clock_ns: median(&costs).unwrap_or_default(),
        clock_step_ns: step_ticks(&deltas) * ns_per_tick,
    }
}

fn cost_ns(clock: &quanta::Clock) -> f64 {
    let start = clock.raw();
    for _ in 0..READINGS {
        black_box(clock.raw());
    }
    clock.delta_as_nanos(start, clock.raw()) as f64 / (READINGS + 1) as f64
}

/// Two readings with so many additions between them.
fn delta(clock: &quanta::Clock, additions: u64) -> u64 {
    let start = clock.raw();
    for addition in 0..additions {
        black_box(addition);
    }
    clock.raw().wrapping_sub(start)
}

/// The step of a clock whose readings differ by these numbers of ticks.
///
/// A clock that counts in ticks gives every difference; one that a hypervisor scales steps over 24
/// of 25 and is one off at times (24 and 25, 49, 73 and 74, ...). So neighbours are taken together,
/// and the step is the least distance between such groups.
fn step_ticks(deltas: &[u64]) -> f64 {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for delta in deltas.iter().filter(|delta| **delta != 0) {
        *counts.entry(*delta).or_default() += 1;
    }
    counts.retain(|_, count| *count as f64 >= SHARE_MIN * deltas.len() as f64);
    let mut groups: Vec<Vec<(u64, usize)>> = Vec::new();
    for (delta, count) in counts {
        match groups.last_mut().filter(|group| group.last().is_some_and(|l| l.0 + 1 == delta)) {
            Some(group) => group.push((delta, count)),
            None => groups.push(vec![(delta, count)]),
        }
    }
    if groups.is_empty() || groups.iter().any(|group| group.len() > 2) {
        return 1.0;
    }
    let centres: Vec<f64> = groups.iter().map(|group| centre(group)).collect();
    let distances = centres.windows(2).map(|pair| pair[1] - pair[0]);
    distances.fold(centres[0], f64::min)
}

/// The mean of a group.
fn centre(group: &[(u64, usize)]) -> f64 {
    let count: usize = group.iter().map(|(_, count)| count).sum();
    group.iter().map(|(delta, count)| *delta as f64 * *count as f64).sum::<f64>() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_the_least_distance_between_differences() {
        let repeated = |deltas: &[u64]| -> Vec<u64> {
            deltas.iter().flat_map(|delta| [*delta; 20]).chain([4_711, 99_999]).collect()
        };
        assert_eq!(step_ticks(&repeated(&[26, 52, 78])), 26.0);
        assert_eq!(step_ticks(&repeated(&[52, 78, 104])), 26.0);
        assert_eq!(step_ticks(&repeated(&[24, 25, 49, 73, 74])), 24.5);
        assert_eq!(step_ticks(&repeated(&[20, 22, 24])), 2.0);
        assert_eq!(step_ticks(&repeated(&[20, 21, 22, 23, 40])), 1.0);
        assert_eq!(step_ticks(&[0, 0, 0]), 1.0);
    }

    #[test]
    fn this_machine_has_a_clock() {
        let facts = measure(&quanta::Clock::new());
        assert!(facts.clock_ns > 0.1 && facts.clock_ns < 100_000.0, "{facts:?}");
        assert!(facts.clock_step_ns > 0.0 && facts.clock_step_ns < 1e6, "{facts:?}");
    }
}
