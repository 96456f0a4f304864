//! What a cell's throughput rounds are to programs that want a sample of it.

use crate::merged::Round;
use crate::record::{Measure, Measured};

/// The throughput rounds that were not flagged, or all of them if all were; without empty ones.
pub(super) fn sample<'a>(rounds: &[Round<'a>]) -> Vec<&'a Measured> {
    let usable: Vec<&Measured> = rounds
        .iter()
        .map(|(_, round)| *round)
        .filter(|round| round.measure == Measure::Throughput && round.operations > 0)
        .collect();
    let quiet: Vec<&Measured> =
        usable.iter().copied().filter(|round| !round.host_noise.flagged).collect();
    if quiet.is_empty() { usable } else { quiet }
}

/// Seconds per operation of a round: the whole machine's, by the operations of all threads.
pub(super) fn seconds_per_operation(round: &Measured) -> f64 {
    round.seconds / round.operations as f64
}

/// The mean of some values, and their standard deviation, which one value alone has not.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()))
}
