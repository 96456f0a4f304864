//! HdrHistogram's interval log: a line per round and kind of event, tagged by cell.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::names::plain;
use super::{Chosen, Content, ExportError, Format, started};
use crate::error::StoreError;
use crate::histogram;
use crate::record::Measured;
use crate::run::Run;

pub(super) const FORMAT: Format = Format {
    name: "hlog",
    about: "HdrHistogram's log, one file",
    needs: "latency round",
    contents,
};

/// The column of maxima is in milliseconds, as other writers have it.
const MAX_DIVISOR: f64 = 1e6;
/// The line that readers look for first, and the names of the columns.
const VERSION: &str = "[Histogram log format version 1.2]";
const LEGEND: &str =
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let run = chosen.run;
    let rounds: Vec<&Measured> =
        chosen.measured().filter(|round| round.latency_ns.iter().next().is_some()).collect();
    if rounds.is_empty() {
        return Ok(Vec::new());
    }
    let path = format!("{}.hlog", plain(&run.id)).into();
    let times = rounds.iter().map(|round| started(run, round)).collect::<Result<Vec<_>, _>>()?;
    let start = times.iter().min().copied().unwrap_or(SystemTime::UNIX_EPOCH);
    let mut bytes = head(start);
    for (round, began) in rounds.into_iter().zip(times) {
        let since = began.duration_since(start).unwrap_or_default();
        write_round(run, round, since, &mut bytes)?;
    }
    Ok(vec![(path, bytes)])
}

/// The lines before the first histogram. The library's writer puts its own comments first and has
/// no legend, so it is begun again for the rounds, without comments.
fn head(start: SystemTime) -> Vec<u8> {
    let mut bytes = Vec::new();
    IntervalLogWriterBuilder::new()
        .add_comment(VERSION)
        .with_start_time(start)
        .with_base_time(start)
        .with_max_value_divisor(MAX_DIVISOR)
        .begin_log_with(&mut bytes, &mut V2DeflateSerializer::new())
        .expect("writing to memory");
    bytes.extend_from_slice(LEGEND.as_bytes());
    bytes
}

fn write_round(
    run: &Run,
    round: &Measured,
    since: Duration,
    bytes: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let length = Duration::try_from_secs_f64(round.seconds).unwrap_or_default();
    let cell = plain(&round.cell_id.replace('/', "."));
    for (event, latency) in round.latency_ns.iter() {
        let decoded = histogram::decode(&latency.histogram).map_err(|source| {
            StoreError::Histogram { path: run.path.clone(), line: run.line_of(round), source }
        })?;
        let text = format!("{cell}.{event}");
        let tag = Tag::new(&text);
        let mut lines = Vec::new();
        IntervalLogWriterBuilder::new()
            .with_max_value_divisor(MAX_DIVISOR)
            .begin_log_with(&mut lines, &mut V2DeflateSerializer::new())
            .and_then(|mut writer| {
                writer.write_histogram(&decoded, since, length, tag).map_err(std::io::Error::other)
            })
            .expect("writing to memory what was just decoded");
        let last = lines.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default();
        bytes.extend_from_slice(last);
    }
    Ok(())
}
