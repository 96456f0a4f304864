//! Google Benchmark's JSON, for its `compare.py`: a row per throughput round, the rounds of a cell
//! as repetitions of one benchmark, so that the program can test them against another file's.
//!
//! The program leaves out rows without a `cpu_time`. No round knows how much CPU time its
//! operations took, so it is the real time once more, and the file says so in its context.

use serde_json::{Value, json};

use super::names::plain;
use super::sample::{sample, seconds_per_operation};
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;
use crate::record::Measured;

pub(super) const FORMAT: Format = Format {
    name: "google-benchmark",
    about: "Google Benchmark's JSON, rounds as repetitions, for its compare.py",
    needs: "throughput round",
    contents,
};

/// The version of that JSON.
const JSON_SCHEMA_VERSION: u32 = 1;

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let (mut rows, mut first) = (Vec::new(), None);
    for (family, (cell, rounds)) in chosen.by_cell().into_iter().enumerate() {
        let rounds = sample(&rounds);
        first = first.or(rounds.first().copied());
        let row = |(index, round): (usize, &&Measured)| {
            repetition(cell, round, [family, index, rounds.len()])
        };
        rows.extend(rounds.iter().enumerate().map(row));
    }
    let Some(first) = first else { return Ok(Vec::new()) };
    let file = json!({ "context": context(chosen, first), "benchmarks": rows });
    let name = format!("{}.json", plain(&chosen.run.id));
    Ok(vec![(name.into(), format!("{file:#}\n").into_bytes())])
}

/// The machine and the program. What a run does not know of them is left out: the names of the
/// computer and of the executable, clock rate and caches, how busy the computer was before.
fn context(chosen: &Chosen, first: &Measured) -> Value {
    json!({
        "date": first.started,
        "num_cpus": first.host.cpus,
        "json_schema_version": JSON_SCHEMA_VERSION,
        "run": chosen.run.id,
        "cpu": first.host.cpu,
        "kernel": first.host.kernel,
        "rustc": first.rustc,
        "commit": first.commit,
        "cpu_time": "not measured: real_time once more",
    })
}

/// A round of a cell: the number of the cell, its own number, and how many there are.
fn repetition(cell: &Cell, round: &Measured, [family, index, count]: [usize; 3]) -> Value {
    let nanoseconds = seconds_per_operation(round) * 1e9;
    json!({
        "name": cell.id(),
        "family_index": family,
        "per_family_instance_index": 0,
        "run_name": cell.id(),
        "run_type": "iteration",
        "repetitions": count,
        "repetition_index": index,
        "threads": cell.threads,
        "iterations": round.operations,
        "real_time": nanoseconds,
        "cpu_time": nanoseconds,
        "time_unit": "ns",
        "items_per_second": round.operations_per_second,
        "bytes_per_second": round.bytes as f64 / round.seconds,
    })
}
