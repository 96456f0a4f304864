//! Histograms as they stand in records, and what a record says of them.

use hdrhistogram::Histogram;

use crate::record::Latency;

pub use histograms::{DIGITS, HistogramError, MAX_NS, add, decode, encode, new, value_at};

/// What a record says of a histogram; `lost_count` is how many values lay above [`MAX_NS`].
///
/// # Errors
/// The histogram cannot be encoded.
pub fn latency(histogram: &Histogram<u64>, lost_count: u64) -> Result<Latency, HistogramError> {
    Ok(Latency {
        count: histogram.len(),
        p50: value_at(histogram, 0.5),
        p90: value_at(histogram, 0.9),
        p99: value_at(histogram, 0.99),
        p999: value_at(histogram, 0.999),
        max: histogram.max(),
        lost_count,
        histogram: encode(histogram)?,
        ..Latency::default()
    })
}

/// One histogram with the counts of all: the only way to a percentile of several rounds.
///
/// # Errors
/// One of them is damaged.
pub fn merge<'a>(
    latencies: impl IntoIterator<Item = &'a Latency>,
) -> Result<Histogram<u64>, HistogramError> {
    let mut merged = new();
    for latency in latencies {
        let histogram = decode(&latency.histogram)?;
        add(&mut merged, &histogram)?;
    }
    Ok(merged)
}
