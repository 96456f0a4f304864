//! Histograms of a cell, merged over its rounds, and cut down to what a figure can show.

use hdrhistogram::Histogram;
use results::histogram::{self, HistogramError};
use results::{Latency, Measured};

/// Points of a percentile curve for each factor of ten in `1 / (1 - p)`.
const POINTS_PER_DECADE: f64 = 24.0;
/// Bins of a distribution for each factor of ten.
const BINS_PER_DECADE: f64 = 20.0;

/// The histogram of one kind of event over all rounds, without those that are flagged as long as
/// there are others; a send's two sides count as one.
///
/// # Errors
/// A histogram is damaged.
pub fn merged(rounds: &[&Measured], event: &str) -> Result<Histogram<u64>, HistogramError> {
    let is_it = |name: &str| name == event || event == "send" && name == "send_higher_address";
    let has = |round: &&&Measured| round.latency_ns.iter().any(|(name, _)| is_it(name));
    let (flagged, quiet): (Vec<&Measured>, Vec<&Measured>) =
        rounds.iter().filter(has).partition(|round| round.host_noise.flagged);
    let rounds = if quiet.is_empty() { flagged } else { quiet };
    let latencies = rounds.into_iter().flat_map(|round| round.latency_ns.iter());
    histogram::merge(latencies.filter(|(name, _)| is_it(name)).map(pick))
}

fn pick<'a>((_, latency): (&'static str, &'a Latency)) -> &'a Latency {
    latency
}

/// `1 / (1 - p)` and the latency there, from the shortest to the longest, which is the last.
#[must_use]
pub fn curve(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let count = histogram.len() as f64;
    let mut points = Vec::new();
    let place = |number: i32| 10f64.powf(f64::from(number) / POINTS_PER_DECADE);
    let (mut number, mut seen) = (1, 0.0);
    each(histogram, |value, here| {
        seen += here;
        // Up to this share of all, no latency is longer than `value`.
        let reached = if seen >= count { count } else { count / (count - seen) };
        if points.is_empty() {
            points.push((1.0, value));
        }
        while place(number) <= reached {
            points.push((place(number), value));
            number += 1;
        }
    });
    if count > 0.0 {
        points.push((count.max(1.0), histogram.max() as f64));
    }
    points.dedup();
    points
}

/// A distribution: the lower edge of the first bin, then each bin's upper edge and its share.
///
/// A bin is never narrower than the clock's step, else every other one would be empty.
#[must_use]
pub fn bins(histogram: &Histogram<u64>, clock_step_ns: f64) -> (f64, Vec<(f64, f64)>) {
    let factor = 10f64.powf(1.0 / BINS_PER_DECADE);
    let step = clock_step_ns.max(1.0);
    let wider = |edge: f64| (edge * factor).max(edge + step);
    let start = first_edge(histogram.min() as f64, step, wider);
    let (mut bins, mut edge, mut inside) = (Vec::new(), wider(start), 0.0);
    let count = (histogram.len() as f64).max(1.0);
    each(histogram, |value, here| {
        while value > edge {
            bins.push((edge, inside / count));
            (edge, inside) = (wider(edge), 0.0);
        }
        inside += here;
    });
    bins.push((edge, inside / count));
    (start, bins)
}

/// Every histogram has its edges at the same places: they grow from half a step.
fn first_edge(min: f64, step: f64, wider: impl Fn(f64) -> f64) -> f64 {
    let mut edge = step / 2.0;
    while wider(edge) < min {
        edge = wider(edge);
    }
    edge
}

/// Every value that was recorded, in ascending order, with its count.
fn each(histogram: &Histogram<u64>, mut visit: impl FnMut(f64, f64)) {
    for step in histogram.iter_recorded() {
        let value = histogram.highest_equivalent(step.value_iterated_to()).min(histogram.max());
        visit(value as f64, step.count_since_last_iteration() as f64);
    }
}

#[cfg(test)]
mod tests {
    use results::{HostNoise, Latencies};

    use super::*;

    /// Sends of so many nanoseconds, ten of them by the higher address.
    fn round(send: u64, higher: u64, flagged: bool) -> Measured {
        let ten = |ns: u64| {
            let mut recorded = histogram::new();
            recorded.record_n(ns, 10).unwrap();
            Some(histogram::latency(&recorded, 0).unwrap())
        };
        let latency_ns =
            Latencies { send: ten(send), send_higher_address: ten(higher), ..Latencies::default() };
        let host_noise = HostNoise { flagged, ..HostNoise::default() };
        Measured { latency_ns, host_noise, ..Measured::default() }
    }

    #[test]
    fn flagged_rounds_are_in_no_curve_as_long_as_there_are_others() {
        let (quiet, flagged) = (round(100, 200, false), round(1000, 2000, true));
        let of = |rounds: &[&Measured]| {
            let merged = merged(rounds, "send").unwrap();
            (merged.len(), merged.min(), merged.max())
        };
        assert_eq!(of(&[&quiet, &flagged]), (20, 100, 200));
        assert_eq!(of(&[&flagged, &flagged]).0, 40);
        // A quiet round without latencies takes none away.
        assert_eq!(of(&[&flagged, &Measured::default()]).0, 20);
        assert!(merged(&[&quiet], "receive").unwrap().is_empty());
    }
}
