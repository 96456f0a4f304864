//! Criterion's folders, so that critcmp compares runs: `GROUP/FUNCTION/VALUE/RUN/`, where an
//! iteration is one operation and a sample is one throughput round.
//!
//! Time is the whole machine's: a round's nanoseconds divided by the operations of all threads.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use super::names::plain;
use super::sample::{mean_and_deviation, sample, seconds_per_operation};
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;
use crate::record::Measured;
use crate::stats;

pub(super) const FORMAT: Format = Format {
    name: "criterion",
    about: "criterion's estimates and samples, for critcmp",
    needs: "throughput round",
    contents,
};

const LEVEL: f64 = 0.95;
/// Student's t for a two-sided 95 %, by degrees of freedom from 1.
const STUDENT_95: [f64; 10] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
/// The same for any more; a little too wide, never too narrow.
const STUDENT_95_MORE: f64 = 2.228;

/// One of criterion's estimates.
#[derive(Serialize)]
struct Estimate {
    confidence_interval: ConfidenceInterval,
    point_estimate: f64,
    standard_error: f64,
}

#[derive(Serialize)]
struct ConfidenceInterval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let mut files = Vec::new();
    for (cell, rounds) in chosen.by_cell() {
        let rounds = sample(&rounds);
        if rounds.is_empty() {
            continue;
        }
        let names = Names::of(cell);
        let folder: PathBuf = PathBuf::from(&names.directory).join(plain(&chosen.run.id));
        for (name, value) in [
            ("benchmark.json", benchmark(&names, &rounds)),
            ("estimates.json", estimates(&rounds)),
            ("sample.json", sample_times(&rounds)),
        ] {
            files.push((folder.join(name), value.to_string().into_bytes()));
        }
    }
    Ok(files)
}

struct Names {
    group: String,
    function: String,
    value: String,
    directory: String,
}

impl Names {
    /// Workload, backend, and the rest of the cell's id.
    fn of(cell: &Cell) -> Names {
        let id = cell.id();
        let prefix = format!("{}/{}/", cell.workload, cell.backend);
        let value = id.strip_prefix(&prefix).unwrap_or(&id).to_owned();
        let directory = [&cell.workload, &cell.backend, &value].map(|part| plain(part)).join("/");
        Names { group: cell.workload.clone(), function: cell.backend.clone(), value, directory }
    }
}

fn benchmark(names: &Names, rounds: &[&Measured]) -> serde_json::Value {
    let Names { group, function, value, directory } = names;
    let id = format!("{group}/{function}/{value}");
    let bytes = rounds[0].bytes / rounds[0].operations;
    json!({
        "group_id": group,
        "function_id": function,
        "value_str": value,
        "throughput": if bytes > 0 { json!({ "Bytes": bytes }) } else { json!({ "Elements": 1 }) },
        "full_id": id,
        "directory_name": directory,
        "title": id,
    })
}

fn sample_times(rounds: &[&Measured]) -> serde_json::Value {
    let iterations: Vec<f64> = rounds.iter().map(|round| round.operations as f64).collect();
    let times: Vec<f64> = rounds.iter().map(|round| round.seconds * 1e9).collect();
    json!({ "sampling_mode": "Flat", "iters": iterations, "times": times })
}

/// Nanoseconds per operation. The interval of the mean is Student's; that of the median is the
/// range of the rounds, with the level it really has; the two spreads have none, and get their
/// point.
fn estimates(rounds: &[&Measured]) -> serde_json::Value {
    let times: Vec<f64> = rounds.iter().map(|round| seconds_per_operation(round) * 1e9).collect();
    let (mean, deviation) = mean_and_deviation(&times);
    let deviation = deviation.unwrap_or(0.0);
    let error = deviation / (times.len() as f64).sqrt();
    let student = STUDENT_95.get(times.len().saturating_sub(2)).copied().unwrap_or(STUDENT_95_MORE);
    let of = |share: f64| stats::quantile(&times, share).unwrap_or(mean);
    let range_level = 1.0 - 0.5_f64.powi(i32::try_from(times.len()).unwrap_or(i32::MAX) - 1);
    let spread = stats::median_absolute_deviation(&times).unwrap_or(0.0);
    json!({
        "mean": estimate(mean, error, LEVEL, mean - student * error, mean + student * error),
        "median": estimate(of(0.5), error, range_level, of(0.0), of(1.0)),
        "median_abs_dev": estimate(spread, 0.0, LEVEL, spread, spread),
        "slope": null,
        "std_dev": estimate(deviation, 0.0, LEVEL, deviation, deviation),
    })
}

fn estimate(point: f64, error: f64, level: f64, low: f64, high: f64) -> Estimate {
    Estimate {
        confidence_interval: ConfidenceInterval {
            confidence_level: level,
            lower_bound: low,
            upper_bound: high,
        },
        point_estimate: point,
        standard_error: error,
    }
}
