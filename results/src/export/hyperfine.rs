//! hyperfine's JSON: a result per cell, whose runs are the throughput rounds, in seconds per
//! operation.
//!
//! Readers demand numbers for `user` and `system`, the CPU time, which no round knows: they are 0.
//! Only the threads are a parameter: hyperfine's script that draws a value against a parameter
//! takes results with one.

use serde_json::{Value, json};

use super::names::plain;
use super::sample::{mean_and_deviation, sample, seconds_per_operation};
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;
use crate::merged::Round;
use crate::stats::{median, quantile};

pub(super) const FORMAT: Format = Format {
    name: "hyperfine",
    about: "hyperfine's JSON: rounds as runs, seconds per operation",
    needs: "throughput round",
    contents,
};

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let cells = chosen.by_cell();
    let results: Vec<Value> =
        cells.iter().filter_map(|(cell, rounds)| result(cell, rounds)).collect();
    if results.is_empty() {
        return Ok(Vec::new());
    }
    let file = json!({ "results": results });
    let name = format!("{}.json", plain(&chosen.run.id));
    Ok(vec![(name.into(), format!("{file:#}\n").into_bytes())])
}

fn result(cell: &Cell, rounds: &[Round]) -> Option<Value> {
    let times: Vec<f64> = sample(rounds).into_iter().map(seconds_per_operation).collect();
    let middle = median(&times)?;
    let (mean, deviation) = mean_and_deviation(&times);
    Some(json!({
        "command": cell.id(),
        "mean": mean,
        "stddev": deviation,
        "median": middle,
        "user": 0.0,
        "system": 0.0,
        "min": quantile(&times, 0.0)?,
        "max": quantile(&times, 1.0)?,
        "times": times,
        // A process whose checks had found something would have no round.
        "exit_codes": vec![0; times.len()],
        "parameters": { "threads": cell.threads.to_string() },
    }))
}
