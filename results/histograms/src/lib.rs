//! Histograms as they stand in records: encoded, decoded, summed up, merged.
//!
//! A histogram has tens of thousands of counts, and the library's loops over them are compiled
//! where they are called. So they are called here, in a package that is optimised, and by
//! `results`, which is not, through these functions.

use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer, V2DeflateSerializeError, V2DeflateSerializer,
};
use thiserror::Error;

/// The longest latency that is told from longer ones: one minute.
pub const MAX_NS: u64 = 60_000_000_000;
/// Decimal digits that are kept.
pub const DIGITS: u8 = 3;
/// The longest encoded histogram that is read, in base64 and after decompression. One in which
/// every count is of full width has 250 KiB.
const ENCODED_BYTES_MAX: usize = 1 << 20;
/// What a compressed encoding begins with: its cookie and the length of the rest.
const COMPRESSED_HEAD_BYTES: usize = 8;
/// The cookie of the compressed V2 encoding.
const COMPRESSED_COOKIE: [u8; 4] = [0x1c, 0x84, 0x93, 0x14];
/// What is inside begins with a cookie, the length of the counts and 32 bytes of bounds.
const INNER_HEAD_BYTES: usize = 40;

/// Why a text is no encoded histogram.
#[derive(Debug, Error)]
pub enum HistogramError {
    /// Longer than any histogram of ours.
    #[error("the histogram is longer than {ENCODED_BYTES_MAX} bytes")]
    TooLong,
    /// Not base64.
    #[error("the histogram is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not compressed, or not as it should be.
    #[error("the histogram is not in HdrHistogram's compressed V2 encoding: {0}")]
    Compression(String),
    /// Not an HdrHistogram.
    #[error("the histogram is not in HdrHistogram's compressed V2 encoding: {0}")]
    Encoding(#[from] DeserializeError),
    /// Cannot be encoded.
    #[error("the histogram cannot be encoded: {0}")]
    Encode(#[from] V2DeflateSerializeError),
    /// Not the bounds that all of ours have.
    #[error(
        "the histogram has bounds {low_ns} to {high_ns} ns and {digits} digits; schema 1 has 1 to \
         {MAX_NS} ns and {DIGITS} digits, and only such can be merged"
    )]
    Bounds {
        /// The lowest value it tells from 0.
        low_ns: u64,
        /// The highest value it holds.
        high_ns: u64,
        /// Its decimal digits.
        digits: u8,
    },
}

/// An empty histogram with the bounds of all of ours: 1 ns to one minute, 3 digits.
///
/// # Panics
/// Never: the bounds are constants that fit together.
#[must_use]
pub fn new() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_NS, DIGITS).expect("1 ns to one minute with 3 digits")
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
/// The text is no such encoding, or its bounds are not those of [`new`].
pub fn decode(text: &str) -> Result<Histogram<u64>, HistogramError> {
    if text.len() > ENCODED_BYTES_MAX {
        return Err(HistogramError::TooLong);
    }
    let inner = inflate(&BASE64.decode(text)?)?;
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut inner.as_slice())?;
    let (low_ns, high_ns, digits) = (histogram.low(), histogram.high(), histogram.sigfig());
    if (low_ns, high_ns, digits) != (1, MAX_NS, DIGITS) {
        return Err(HistogramError::Bounds { low_ns, high_ns, digits });
    }
    Ok(histogram)
}

/// What is inside the compressed encoding. The library would reserve whatever length a damaged head
/// names, so the lengths are checked here, before it sees them.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, HistogramError> {
    if bytes.len() < COMPRESSED_HEAD_BYTES || bytes[..4] != COMPRESSED_COOKIE {
        return Err(HistogramError::Compression("wrong first bytes".to_owned()));
    }
    let mut inner = Vec::new();
    ZlibDecoder::new(&bytes[COMPRESSED_HEAD_BYTES..])
        .take(ENCODED_BYTES_MAX as u64)
        .read_to_end(&mut inner)
        .map_err(|error| HistogramError::Compression(error.to_string()))?;
    let counts_bytes = inner
        .get(4..8)
        .and_then(|length| length.try_into().ok())
        .map_or(u32::MAX, u32::from_be_bytes) as usize;
    if inner.len().checked_sub(INNER_HEAD_BYTES) != Some(counts_bytes) {
        return Err(HistogramError::Compression("its length is not what it says".to_owned()));
    }
    Ok(inner)
}

/// Adds the counts of another one.
///
/// # Errors
/// [`HistogramError::Bounds`]: it holds values that the first cannot.
pub fn add(merged: &mut Histogram<u64>, other: &Histogram<u64>) -> Result<(), HistogramError> {
    let (low_ns, high_ns, digits) = (other.low(), other.high(), other.sigfig());
    merged.add(other).map_err(|_| HistogramError::Bounds { low_ns, high_ns, digits })
}

/// The value, in ns, at a quantile from 0 to 1.
#[must_use]
pub fn value_at(histogram: &Histogram<u64>, quantile: f64) -> u64 {
    histogram.value_at_quantile(quantile)
}
