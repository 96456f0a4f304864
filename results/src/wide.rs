//! What the first table leaves out: latencies, counters, and what became of the slices.

use crate::outward;
use crate::summary::Row;
use crate::table::{NAMES, NONE, VOID, coordinates, lined_up};
use crate::units::{digits, percent, time};

/// A column: its head, and what it says of a row; `None` is no number.
type Column = (&'static str, fn(&Row) -> Option<String>);

/// How long things took; void where a rate was not kept up.
const LATENCIES: [Column; 7] = [
    ("event", |row| Some(row.latency.as_ref()?.event.replace('_', " "))),
    ("p50", |row| quantile(row, |found| found.p50_ns)),
    ("p90", |row| quantile(row, |found| found.p90_ns)),
    ("p99", |row| quantile(row, |found| found.p99_ns)),
    ("p99.9", |row| quantile(row, |found| found.p999_ns)),
    ("max", |row| quantile(row, |found| found.max_ns)),
    ("max of all", |row| row.max_all_ns.map(time)),
];

/// The send's two sides apart: the order of the locks differs.
const BY_ADDRESS: [Column; 6] = [
    ("lower p50", |row| row.send_by_address.map(|[lower, _]| time(lower.p50_ns))),
    ("p99", |row| row.send_by_address.map(|[lower, _]| time(lower.p99_ns))),
    ("p99.9", |row| row.send_by_address.map(|[lower, _]| time(lower.p999_ns))),
    ("higher p50", |row| row.send_by_address.map(|[_, higher]| time(higher.p50_ns))),
    ("p99", |row| row.send_by_address.map(|[_, higher]| time(higher.p99_ns))),
    ("p99.9", |row| row.send_by_address.map(|[_, higher]| time(higher.p999_ns))),
];

/// What was counted.
const COUNTERS: [Column; 6] = [
    ("spread", |row| Some(format!("±{}", percent(row.throughput?.half_range_share)))),
    ("locks/op", |row| row.acquisitions_per_operation.map(digits)),
    ("relocks", |row| row.relocks_per_operation.map(digits)),
    ("not free", |row| row.contended_share.map(percent)),
    ("no lock", |row| row.fast_path_share.map(percent)),
    ("Jain", |row| row.fairness_jain.map(|index| format!("{index:.3}"))),
];

/// What trying a lock was good for, where one was tried.
const TRIES: [Column; 2] = [
    ("saved", |row| row.saved_per_operation.map(digits)),
    ("of all", |row| row.saved_share.map(percent)),
];

/// How the ratio came about.
const RATIOS: [Column; 6] = [
    ("level", |row| Some(percent(row.interval()?.level))),
    ("pairs", |row| Some(row.ratio.as_ref()?.pairs.to_string())),
    ("A/A", |row| {
        let itself = row.itself.as_ref()?;
        Some(outward::text(itself.ratio?, itself.low?, itself.high?))
    }),
    ("kept", |row| row.slices.map(|slices| slices.kept.to_string())),
    ("repeated", |row| row.slices.map(|slices| slices.repeated.to_string())),
    ("given up", |row| row.slices.map(|slices| slices.given_up.to_string())),
];

fn quantile(row: &Row, pick: fn(&crate::Quantiles) -> u64) -> Option<String> {
    let latency = row.latency.as_ref()?;
    Some(if row.flags.overloaded { VOID.to_owned() } else { time(pick(&latency.quantiles)) })
}

/// Every table of rows that stand together.
pub(crate) fn text(tables: &[Vec<&Row>]) -> String {
    let mut text = String::new();
    for rows in tables {
        for (name, columns) in [
            ("latencies", LATENCIES.as_slice()),
            ("sends by address", &BY_ADDRESS),
            ("counters", &COUNTERS),
            ("relocks that a try saved", &TRIES),
            ("ratios and slices", &RATIOS),
        ] {
            text.push_str(&table(name, columns, rows).unwrap_or_default());
        }
        text.push_str(&quantised(rows).unwrap_or_default());
    }
    text
}

/// One table, without the rows of which it has nothing to say; `None` if those are all.
fn table(name: &str, columns: &[Column], rows: &[&Row]) -> Option<String> {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned());
    let mut lines: Vec<Vec<String>> =
        vec![["workload", "backend", "t"].map(str::to_owned).into_iter().chain(heads).collect()];
    for row in rows {
        let found: Vec<Option<String>> = columns.iter().map(|(_, of)| of(row)).collect();
        if found.iter().any(Option::is_some) {
            let mut line = coordinates(row);
            line.extend(found.into_iter().map(|one| one.unwrap_or_else(|| NONE.to_owned())));
            lines.push(line);
        }
    }
    (lines.len() > 1)
        .then(|| format!("{name}: {}\n{}\n", rows[0].cell.title(), lined_up(&lines, NAMES)))
}

/// Rows whose median says more of the clock than of the operation.
fn quantised(rows: &[&Row]) -> Option<String> {
    let names: Vec<String> =
        rows.iter().filter(|row| row.flags.quantised).map(|row| crate::table::name(row)).collect();
    let what = "p50 is under 10 steps of the clock";
    (!names.is_empty())
        .then(|| crate::table::wrap(&format!("{what}: {}", names.join(", ")), 80) + "\n")
}
