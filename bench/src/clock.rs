//! The one clock: the processor's time stamp counter, through `quanta`.
//!
//! A reading costs about as much as an uncontended lock, so its cost and its step are measured at the start of a run and
//! stored with every record: a latency of a few steps is not more than a few steps.

use std::collections::HashMap;
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
/// A difference rarer than this is an accident of the measurement, not a step.
const SHARE_MIN: f64 = 0.05;

/// Measures the clock on the calling thread.
#[must_use]
pub fn measure(clock: &quanta::Clock) -> ClockFacts {
    let costs: Vec<f64> = (0..SLICES).map(|_| cost_ns(clock)).collect();
    let mut deltas = Vec::with_capacity(READINGS as usize);
    let mut last = clock.raw();
    for _ in 0..READINGS {
        let now = clock.raw();
        deltas.push(now.wrapping_sub(last));
        last = now;
    }
    let step = step(&deltas);
    let raw_per_step = 1 << 20;
    let clock_step_ns =
        clock.delta_as_nanos(0, step * raw_per_step) as f64 / raw_per_step as f64;
    ClockFacts { clock_ns: median(&costs).unwrap_or_default(), clock_step_ns }
}

fn cost_ns(clock: &quanta::Clock) -> f64 {
    let start = clock.raw();
    for _ in 0..READINGS {
        black_box(clock.raw());
    }
    clock.delta_as_nanos(start, clock.raw()) as f64 / (READINGS + 1) as f64
}

/// The greatest common divisor of the common differences between two readings in a row.
///
/// Rare differences are left out: an interrupt gives any number, and a scaled counter is now and then one off.
fn step(deltas: &[u64]) -> u64 {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for delta in deltas.iter().filter(|delta| **delta != 0) {
        *counts.entry(*delta).or_default() += 1;
    }
    let common = counts.iter().filter(|(_, n)| **n as f64 >= SHARE_MIN * deltas.len() as f64);
    let divisor = common.fold(0, |divisor, (delta, _)| gcd(divisor, *delta));
    if divisor != 0 { divisor } else { counts.keys().min().copied().unwrap_or(1) }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_that_of_the_common_differences() {
        let mut deltas = vec![26; 60];
        deltas.extend([52; 30]);
        deltas.extend([0; 5]);
        deltas.extend([77, 1, 4_000]);
        assert_eq!(step(&deltas), 26);
        assert_eq!(step(&[0, 0, 0]), 1);
    }

    #[test]
    fn this_machine_has_a_clock() {
        let facts = measure(&quanta::Clock::new());
        assert!(facts.clock_ns > 0.1 && facts.clock_ns < 100_000.0, "{facts:?}");
        assert!(facts.clock_step_ns > 0.0 && facts.clock_step_ns < 1e6, "{facts:?}");
    }
}
