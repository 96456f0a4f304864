//! For github-action-benchmark, as `customSmallerIsBetter`: a list of values, all of which are
//! better when they are smaller. So the throughput is told as nanoseconds per operation.

use serde_json::{Value, json};

use super::names::plain;
use super::rows::percentiles;
use super::{Chosen, Content, ExportError, Format};
use crate::summary::{Row, Throughput};
use crate::units::{digits, rate};

pub(super) const FORMAT: Format = Format {
    name: "github",
    about: "github-action-benchmark's customSmallerIsBetter, one file",
    needs: "measured round",
    contents,
};

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let entries: Vec<Value> = chosen.rows()?.iter().flat_map(entries).collect();
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let name = format!("{}.json", plain(&chosen.run.id));
    Ok(vec![(name.into(), format!("{:#}\n", Value::Array(entries)).into_bytes())])
}

fn entries(row: &Row) -> Vec<Value> {
    let is_positive = |found: &Throughput| found.low > 0.0;
    let mut entries: Vec<Value> =
        row.throughput.iter().filter(|found| is_positive(found)).map(|of| time(row, of)).collect();
    let event = row.latency.as_ref().map_or("", |latency| latency.event);
    for (percentile, nanoseconds) in percentiles(row) {
        entries.push(json!({
            "name": format!("{} {event} {percentile}", row.cell.id()),
            "unit": "ns",
            "value": nanoseconds,
        }));
    }
    entries
}

/// Nanoseconds per operation: one over the throughput, of all threads together.
fn time(row: &Row, found: &Throughput) -> Value {
    let [middle, low, high] =
        [found.operations_per_second, found.high, found.low].map(|per_second| 1e9 / per_second);
    json!({
        "name": row.cell.id(),
        "unit": "ns/op",
        "value": middle,
        "range": format!("± {}", digits((high - low) / 2.0)),
        "extra": format!(
            "{} op/s, {} rounds from {} to {} ns/op",
            rate(found.operations_per_second),
            found.round_count,
            digits(low),
            digits(high)
        ),
    })
}
