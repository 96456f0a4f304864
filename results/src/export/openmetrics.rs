//! OpenMetrics text: a gauge for each cell and metric, at the time of its first round. Units are
//! the base units that the format asks for.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::names::plain;
use super::rows::percentiles;
use super::{Chosen, Content, ExportError, Format, started};
use crate::cell::Cell;
use crate::record::{Host, Measured};
use crate::summary::Row;

pub(super) const FORMAT: Format = Format {
    name: "openmetrics",
    about: "OpenMetrics text with the times of the run, one file",
    needs: "measured round",
    contents,
};

/// What a row has of a metric: a value, and one more label of it where there are several.
type Points = fn(&Row) -> Vec<(Option<(&'static str, &'static str)>, f64)>;

/// A metric: its name, its unit (the end of the name, or none), what it is, and its points.
struct Family(&'static str, &'static str, &'static str, Points);

const FAMILIES: [Family; 4] = [
    Family(
        "solock_throughput",
        "",
        "Operations per second of all threads together, the median of the rounds.",
        |row| row.throughput.iter().map(|found| (None, found.operations_per_second)).collect(),
    ),
    Family("solock_latency_seconds", "seconds", "Percentiles of all rounds together.", |row| {
        let point = |(name, nanoseconds)| (Some(("percentile", name)), nanoseconds as f64 / 1e9);
        percentiles(row).into_iter().map(point).collect()
    }),
    Family("solock_acquisitions_per_operation", "", "Locks taken per operation.", |row| {
        row.acquisitions_per_operation.iter().map(|count| (None, *count)).collect()
    }),
    Family(
        "solock_ratio",
        "",
        "Throughput over that of the backend in the label to, with its interval.",
        |row| {
            let ends = row.interval().map(|found| {
                [("estimate", found.estimate), ("low", found.low), ("high", found.high)]
            });
            let point = |(name, value)| (Some(("bound", name)), value);
            ends.into_iter().flatten().map(point).collect()
        },
    ),
];

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let (rows, times, origins) = (chosen.rows()?, times(chosen)?, origins(chosen));
    let mut text = String::new();
    for Family(name, unit, help, points) in FAMILIES {
        let of = |row: &Row| {
            let id = row.cell.id();
            let origin = origins.get(&id).map_or(&[][..], |origin| origin);
            samples(name, row, points, origin, times.get(&id))
        };
        let samples: String = rows.iter().map(of).collect();
        if samples.is_empty() {
            continue;
        }
        let unit = if unit.is_empty() { "" } else { &format!("# UNIT {name} {unit}\n") };
        text += &format!("# TYPE {name} gauge\n{unit}# HELP {name} {help}\n{samples}");
    }
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text += "# EOF\n";
    Ok(vec![(format!("{}.openmetrics", plain(&chosen.run.id)).into(), text.into_bytes())])
}

/// When the first round of each cell began.
fn times(chosen: &Chosen) -> Result<HashMap<String, SystemTime>, ExportError> {
    let mut times = HashMap::new();
    for round in chosen.measured() {
        let began = started(chosen.run, round)?;
        let first = times.entry(round.cell_id.clone()).or_insert(began);
        *first = began.min(*first);
    }
    Ok(times)
}

/// What the numbers are of, as labels: a series of one machine or commit is not another's.
type Origin = [(&'static str, String); 3];

/// Where each cell was measured, and what the program was built from: a commit, and a checkout that
/// differed from it.
fn origins(chosen: &Chosen) -> HashMap<String, Origin> {
    let origin = |round: &Measured| {
        let Host { cpu, cpus, kernel, .. } = &round.host;
        let machine = format!("{cpu}, {cpus} CPUs, {kernel}");
        let dirty = if round.dirty == Some(true) { "true" } else { "" };
        let commit = round.commit.clone().unwrap_or_default();
        [("machine", machine), ("commit", commit), ("dirty", dirty.to_owned())]
    };
    chosen.measured().map(|round| (round.cell_id.clone(), origin(round))).collect()
}

fn samples(
    name: &str,
    row: &Row,
    points: Points,
    origin: &[(&str, String)],
    began: Option<&SystemTime>,
) -> String {
    let began = began.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let time = began.map_or(String::new(), |began| format!(" {:.3}", began.as_secs_f64()));
    let mut text = String::new();
    for (label, value) in points(row) {
        let labels = labels(row, origin, label);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}{{{labels}}} {value}{time}");
    }
    text
}

/// The coordinates of the cell, each as a label, and its origin; one that it does not have (a lock
/// that is not the default, locks around the layer, numbers of the workload's own) is left out.
fn labels(row: &Row, origin: &[(&str, String)], more: Option<(&str, &str)>) -> String {
    let Cell {
        workload,
        backend,
        socket_type,
        message_bytes,
        threads,
        own,
        wait,
        lock,
        ambient,
        ..
    } = &row.cell;
    let (bytes, threads, cell) = (message_bytes.to_string(), threads.to_string(), row.cell.id());
    let (parameters, ambient) = (own.id(), ambient.join("+"));
    let event = more.filter(|(name, _)| *name == "percentile").and(row.latency.as_ref());
    let ratio = more.filter(|(name, _)| *name == "bound").and(row.ratio.as_ref());
    let to = ratio.and_then(|ratio| ratio.against.split('/').nth(1));
    let own = [
        ("cell", cell.as_str()),
        ("workload", workload),
        ("backend", backend),
        ("socket_type", socket_type),
        ("message_bytes", &bytes),
        ("threads", &threads),
        ("wait", wait),
        ("parameters", &parameters),
        ("lock", lock),
        ("ambient", &ambient),
    ];
    let own = own.into_iter().chain(origin.iter().map(|(name, value)| (*name, value.as_str())));
    let own = own.filter(|(_, value)| !value.is_empty());
    let own = own.chain(event.map(|latency| ("event", latency.event)));
    let all = own.chain(to.map(|to| ("to", to))).chain(more);
    let text = |(name, value): (&str, &str)| format!("{name}=\"{}\"", escaped(value));
    all.map(text).collect::<Vec<_>>().join(",")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
