//! Bencher's metric format: by cell, then by measure, a value and its bounds.
//!
//! `latency` and `throughput` are Bencher's own measures, in nanoseconds and operations per second;
//! it makes the others when it first sees them. A latency is the median, and has no bounds; the
//! bounds of the throughput are the slowest and the fastest round.

use serde_json::{Map, Value, json};

use super::names::plain;
use super::rows::percentiles;
use super::{Chosen, Content, ExportError, Format};
use crate::summary::Row;

pub(super) const FORMAT: Format = Format {
    name: "bmf",
    about: "Bencher's metric format, one file",
    needs: "measured round",
    contents,
};

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let rows = chosen.rows()?;
    let cells: Map<String, Value> = rows
        .iter()
        .map(|row| (row.cell.id(), measures(row)))
        .filter(|(_, measures)| !measures.is_empty())
        .map(|(cell, measures)| (cell, Value::Object(measures)))
        .collect();
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    let file = Value::Object(cells);
    let name = format!("{}.json", plain(&chosen.run.id));
    Ok(vec![(name.into(), format!("{file:#}\n").into_bytes())])
}

fn measures(row: &Row) -> Map<String, Value> {
    let mut measures = Map::new();
    if let Some(found) = row.throughput {
        let bounds = json!({
            "value": found.operations_per_second,
            "lower_value": found.low,
            "upper_value": found.high,
        });
        measures.insert("throughput".to_owned(), bounds);
    }
    for (name, nanoseconds) in percentiles(row) {
        let name = if name == "p50" { "latency".to_owned() } else { format!("latency-{name}") };
        measures.insert(name, json!({ "value": nanoseconds }));
    }
    if let Some(count) = row.acquisitions_per_operation {
        measures.insert("acquisitions-per-operation".to_owned(), json!({ "value": count }));
    }
    measures
}
