//! Why: what the counters say, which are exact.

use super::points::{Point, Weight};
use crate::summary::{Row, Summary};
use crate::units;

/// Fewer per operation are not worth a word.
const COUNT_MIN: f64 = 0.01;
/// A smaller share of locks that were not free is not worth one, either.
const SHARE_MIN: f64 = 0.01;

/// What is counted at some cells that pay, or cost, beside the reference: what there is more of on
/// the slower side. Empty where the counters say nothing.
pub(super) fn of(points: &[Point], summary: &Summary) -> String {
    let pairs: Vec<(&Row, &Row)> = points
        .iter()
        .filter_map(|point| Some((point.row, reference(point.row, summary)?)))
        .collect();
    let Some(first) = points.first().filter(|_| pairs.len() == points.len()) else {
        return String::new();
    };
    let operation = first.question.operation.as_str();
    let found = match first.weight {
        Weight::Less => slower(&pairs, operation),
        Weight::More => faster(&pairs, operation, &summary.reference),
        _ => Vec::new(),
    };
    found.join(", ")
}

/// The same cell on the reference.
fn reference<'a>(row: &Row, summary: &'a Summary) -> Option<&'a Row> {
    let other = row.cell.on(&summary.reference);
    summary.rows.iter().find(|row| row.cell == other)
}

/// What a finer lock does more.
fn slower(pairs: &[(&Row, &Row)], operation: &str) -> Vec<String> {
    let locks = per_operation(pairs, |row| row.acquisitions_per_operation);
    let relocks = per_operation(pairs, |row| row.relocks_per_operation);
    let mut found = Vec::new();
    found.extend(locks.and_then(|found| found.text("more lock", operation)));
    found.extend(relocks.and_then(|found| found.text("relock", operation)));
    if let Some(share) = not_free(pairs, |(row, reference)| (row, reference)) {
        found.push(format!("{share} of the locks were not free"));
    }
    found
}

/// What the reference does more.
fn faster(pairs: &[(&Row, &Row)], operation: &str, reference: &str) -> Vec<String> {
    let swapped: Vec<(&Row, &Row)> = pairs.iter().map(|(row, other)| (*other, *row)).collect();
    let locks = per_operation(&swapped, |row| row.acquisitions_per_operation);
    // Nobody needs to be told that no lock takes fewer locks.
    let takes_some = pairs.iter().any(|(row, _)| row.acquisitions_per_operation != Some(0.0));
    let mut found = Vec::new();
    found
        .extend(locks.filter(|_| takes_some).and_then(|found| found.text("fewer lock", operation)));
    if let Some(share) = not_free(&swapped, |pair| pair) {
        found.push(format!("on {reference} {share} of the locks were not free"));
    }
    found
}

/// A count per operation, at least and at most.
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// Such as `3 more locks a message`; nothing where some have none.
    fn text(&self, what: &str, operation: &str) -> Option<String> {
        if self.low < COUNT_MIN {
            return None;
        }
        let (low, high) = (count(self.low), count(self.high));
        let many = if high == "1" { "" } else { "s" };
        let number = if low == high { low } else { format!("{low} to {high}") };
        Some(format!("{number} {what}{many} a {operation}"))
    }
}

/// How many more the first of each pair has.
fn per_operation(pairs: &[(&Row, &Row)], of: fn(&Row) -> Option<f64>) -> Option<Range> {
    let more: Option<Vec<f64>> =
        pairs.iter().map(|(row, other)| Some(of(row)? - of(other)?)).collect();
    let more = more.filter(|more| !more.is_empty())?;
    Some(Range {
        low: more.iter().copied().fold(f64::INFINITY, f64::min),
        high: more.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// The share of locks that were not free, where in every pair the first has more of it.
fn not_free<'a>(
    pairs: &[(&'a Row, &'a Row)],
    order: impl Fn((&'a Row, &'a Row)) -> (&'a Row, &'a Row),
) -> Option<String> {
    let shares: Option<Vec<f64>> = pairs
        .iter()
        .map(|pair| {
            let (row, other) = order(*pair);
            let share = row.contended_share?;
            let is_more = share >= other.contended_share.unwrap_or(0.0) + SHARE_MIN;
            is_more.then_some(share)
        })
        .collect();
    let shares = shares.filter(|shares| !shares.is_empty())?;
    let percent = |share: f64| (share * 100.0).round();
    let low = percent(shares.iter().copied().fold(f64::INFINITY, f64::min));
    let high = percent(shares.iter().copied().fold(0.0, f64::max));
    Some(if low == high { format!("{low:.0} %") } else { format!("{low:.0} to {high:.0} %") })
}

/// A count with the digits it needs: `3`, `0.5`.
fn count(value: f64) -> String {
    let text = units::digits(value);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}
