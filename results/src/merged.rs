//! Latencies of one cell over its rounds: histograms merged, never quantiles averaged.

use hdrhistogram::Histogram;

use crate::error::StoreError;
use crate::histogram;
use crate::record::{Latencies, Latency, Measured};
use crate::run::Run;

/// The kinds of event in the order in which they stand for a workload: its send, if it times one.
const MAIN_EVENTS: [&str; 5] = ["send", "response", "round_trip", "service", "receive"];

/// What the send by the lower address is called when it stands apart.
pub(crate) const LOWER_ADDRESS: &str = "send_lower_address";

/// What the send by the higher address is called.
pub(crate) const HIGHER_ADDRESS: &str = "send_higher_address";

/// A round, and the index of the run it is of: rounds are paired inside a run.
pub(crate) type Round<'a> = (usize, &'a Measured);

/// Quantiles of a merged histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    /// How many were recorded.
    pub count: u64,
    /// The median.
    pub p50_ns: u64,
    /// The 90th percentile.
    pub p90_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The 99.9th percentile.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Quantiles {
    /// The quantiles that tables show.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Quantiles {
        Quantiles {
            count: histogram.len(),
            p50_ns: histogram::value_at(histogram, 0.5),
            p90_ns: histogram::value_at(histogram, 0.9),
            p99_ns: histogram::value_at(histogram, 0.99),
            p999_ns: histogram::value_at(histogram, 0.999),
            max_ns: histogram.max(),
        }
    }
}

/// The event that stands for the workload; a send's two sides count as one.
pub(crate) fn main_event(
    runs: &[Run],
    rounds: &[Round],
) -> Result<Option<(&'static str, Histogram<u64>)>, StoreError> {
    for event in MAIN_EVENTS {
        if let Some(merged) = merged_event(runs, rounds, event)? {
            return Ok(Some((event, merged)));
        }
    }
    Ok(None)
}

/// The send's two sides, lower and higher address, where both were recorded.
pub(crate) fn send_by_address(
    runs: &[Run],
    rounds: &[Round],
) -> Result<Option<[Quantiles; 2]>, StoreError> {
    let lower = merge(runs, rounds, |kinds| [kinds.send.as_ref(), None])?;
    let higher = merge(runs, rounds, |kinds| [kinds.send_higher_address.as_ref(), None])?;
    Ok(lower.zip(higher).map(|(lower, higher)| [Quantiles::of(&lower), Quantiles::of(&higher)]))
}

/// One kind of event of all latency rounds, by name; `None` when no round has it. A send's two
/// sides count as one.
pub(crate) fn merged_event(
    runs: &[Run],
    rounds: &[Round],
    event: &str,
) -> Result<Option<Histogram<u64>>, StoreError> {
    if event == "send" {
        return merge(runs, rounds, |kinds| {
            [kinds.send.as_ref(), kinds.send_higher_address.as_ref()]
        });
    }
    if event == LOWER_ADDRESS {
        return merge(runs, rounds, |kinds| {
            let both = kinds.send_higher_address.is_some();
            [kinds.send.as_ref().filter(|_| both), None]
        });
    }
    merge(runs, rounds, |kinds| {
        [kinds.iter().find(|(name, _)| *name == event).map(|(_, latency)| latency), None]
    })
}

fn merge(
    runs: &[Run],
    rounds: &[Round],
    pick: impl Fn(&Latencies) -> [Option<&Latency>; 2],
) -> Result<Option<Histogram<u64>>, StoreError> {
    let has = |round: &Measured| pick(&round.latency_ns).iter().flatten().next().is_some();
    let is_quiet = |round: &Measured| !round.host_noise.flagged;
    // As with throughputs: flagged rounds count where there are no others.
    let all_flagged = !rounds.iter().any(|(_, round)| is_quiet(round) && has(round));
    let mut merged: Option<Histogram<u64>> = None;
    for (run_index, round) in rounds.iter().filter(|(_, round)| all_flagged || is_quiet(round)) {
        for latency in pick(&round.latency_ns).into_iter().flatten() {
            let run = &runs[*run_index];
            let histogram = histogram::decode(&latency.histogram).map_err(|source| {
                let (path, line) = (run.path.clone(), run.line_of(round));
                StoreError::Histogram { path, line, source }
            })?;
            // `decode` accepts one set of bounds only.
            let merged = merged.get_or_insert_with(histogram::new);
            histogram::add(merged, &histogram).expect("histograms with the same bounds");
        }
    }
    Ok(merged)
}
