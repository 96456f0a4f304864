//! Histories as plain text: a table per cell, a line per run, and a line where a level changes.

use std::collections::BTreeMap;

use crate::history::{Origin, Series};
use crate::table::{NONE, aligned, widths, wrap};
use crate::units::percent;

/// A table per cell, oldest commit first, then the notes, for so many columns.
#[must_use]
pub fn render(series: &[Series], notes: &[String], columns: usize) -> String {
    let mut cells: Vec<(String, Vec<&Series>)> = Vec::new();
    for one in series {
        let id = one.cell.id();
        match cells.iter_mut().find(|(other, _)| *other == id) {
            Some((_, together)) => together.push(one),
            None => cells.push((id, vec![one])),
        }
    }
    let mut text = String::new();
    for (id, series) in &cells {
        text.push_str(&format!("{id}\n{}\n", table(series)));
    }
    if cells.is_empty() {
        text.push_str("nothing was measured\n");
    }
    text.extend(notes.iter().map(|note| wrap(note, columns)));
    text
}

/// The table of one cell, whose series these are.
fn table(series: &[&Series]) -> String {
    let mut header = vec!["commit".to_owned(), "began (UTC)".to_owned()];
    header.extend(series.iter().map(|series| title(series)));
    let mut lines = vec![header];
    let (mut places, mut before) = (Vec::new(), None);
    for (place, origin) in runs(series) {
        // Of several runs of one program the first has its name; unknown ones are never one.
        let program = origin.commit.as_ref().map(|commit| (commit, origin.dirty));
        let is_same = program.is_some() && program == before;
        before = program;
        let commit = if is_same { String::new() } else { commit(origin) };
        let mut line = vec![commit, minute(&origin.started)];
        line.extend(series.iter().map(|series| value(series, place)));
        lines.push(line);
        places.push(place);
    }
    let widths = widths(&lines);
    let mut text = aligned(&lines[0], &widths, 1) + "\n";
    for (line, place) in lines[1..].iter().zip(places) {
        for series in series {
            text.extend(changes(series, place));
        }
        text += &(aligned(line, &widths, 1) + "\n");
    }
    text
}

/// The runs that any of the series has, in their order.
fn runs<'a>(series: &[&'a Series]) -> BTreeMap<usize, &'a Origin> {
    series.iter().flat_map(|series| &series.points).map(|point| (point.place, &point.run)).collect()
}

/// A metric's name as the head of a column.
fn title(series: &Series) -> String {
    match (series.metric.as_str(), &series.against) {
        (_, Some(against)) => format!("ratio to {against}"),
        ("throughput", _) => "op/s".to_owned(),
        ("acquisitions_per_operation", _) => "locks".to_owned(),
        ("relocks_per_operation", _) => "relocks".to_owned(),
        ("saved_per_operation", _) => "saved".to_owned(),
        (latency, _) => match latency.rsplit_once('_') {
            // Of the event that stands for the workload; a line has room for no more.
            Some((_, percentile)) => percentile.to_owned(),
            None => latency.to_owned(),
        },
    }
}

fn commit(origin: &Origin) -> String {
    origin.shown().unwrap_or_else(|| NONE.to_owned())
}

/// `2026-11-23 09:15` of `2026-11-23T09:15:00.250Z`.
fn minute(started: &str) -> String {
    started.chars().take("2026-11-23T09:15".len()).collect::<String>().replace('T', " ")
}

fn value(series: &Series, place: usize) -> String {
    let point = series.points.iter().find(|point| point.place == place);
    point.map_or(NONE.to_owned(), |point| series.shown_point(point))
}

/// What is said above the run with which a level changes.
fn changes(series: &Series, place: usize) -> Option<String> {
    let begins = |index: usize| series.points[index].place == place;
    let change = series.changes.iter().find(|change| begins(change.index))?;
    let (before, after) = (series.shown(change.before), series.shown(change.after));
    let share = change.share();
    let size = if share.is_finite() { format!(" {}", signed(share)) } else { String::new() };
    Some(format!("-- {}{size}: {before} before, {after} from here\n", title(series)))
}

fn signed(share: f64) -> String {
    let sign = if share < 0.0 { "-" } else { "+" };
    format!("{sign}{}", percent(share.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_its_sign() {
        assert_eq!([0.05, 0.0, -0.05].map(signed), ["+5.0%", "+0.0%", "-5.0%"]);
    }
}
