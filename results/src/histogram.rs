//! Histograms as they stand in records: encoded, decoded, summed up, merged.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer, V2DeflateSerializeError, V2DeflateSerializer,
};
use thiserror::Error;

use crate::record::Latency;

/// The longest latency that is told from longer ones: one minute.
pub const MAX_NS: u64 = 60_000_000_000;
/// Decimal digits that are kept.
pub const DIGITS: u8 = 3;
/// The longest encoded histogram that is read. A full one has 216 KiB before compression.
const ENCODED_BYTES_MAX: usize = 4 << 20;

/// Why an encoded histogram is none.
#[derive(Debug, Error)]
pub enum HistogramError {
    /// Longer than any histogram of ours.
    #[error("an encoded histogram of {0} bytes is too long; at most {ENCODED_BYTES_MAX} are read")]
    TooLong(usize),
    /// Not base64.
    #[error("the histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not an HdrHistogram.
    #[error("the histogram is not in HdrHistogram's compressed V2 encoding: {0:?}")]
    Encoding(DeserializeError),
    /// Cannot be encoded.
    #[error("the histogram cannot be encoded: {0}")]
    Encode(#[from] V2DeflateSerializeError),
    /// Bounds that do not fit together.
    #[error("the histograms have different bounds and cannot be merged")]
    Merge,
}

/// An empty histogram with the bounds of all of ours: 1 ns to one minute, 3 digits.
///
/// # Panics
/// Never: the bounds are constants that fit together.
#[must_use]
pub fn new() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_NS, DIGITS).expect("1 ns to one minute with 3 digits")
}

/// What a record says of a histogram; `lost_count` is how many values lay above [`MAX_NS`].
///
/// # Errors
/// The histogram cannot be encoded.
pub fn latency(histogram: &Histogram<u64>, lost_count: u64) -> Result<Latency, HistogramError> {
    Ok(Latency {
        count: histogram.len(),
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        lost_count,
        histogram: encode(histogram)?,
    })
}

/// Base64 of the compressed V2 encoding.
///
/// # Errors
/// The histogram cannot be encoded.
pub fn encode(histogram: &Histogram<u64>) -> Result<String, HistogramError> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes)?;
    Ok(BASE64.encode(bytes))
}

/// The histogram that [`encode`] wrote.
///
/// # Errors
/// The text is no such encoding.
pub fn decode(text: &str) -> Result<Histogram<u64>, HistogramError> {
    if text.len() > ENCODED_BYTES_MAX {
        return Err(HistogramError::TooLong(text.len()));
    }
    let bytes = BASE64.decode(text)?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(HistogramError::Encoding)
}

/// One histogram with the counts of all: the only way to a percentile of several rounds.
///
/// # Errors
/// One of them is damaged, or their bounds do not fit together.
pub fn merge<'a>(
    latencies: impl IntoIterator<Item = &'a Latency>,
) -> Result<Histogram<u64>, HistogramError> {
    let mut merged = new();
    for latency in latencies {
        merged.add(decode(&latency.histogram)?).map_err(|_| HistogramError::Merge)?;
    }
    Ok(merged)
}
