//! Figure 3: how latencies are distributed, so that a second hump is seen.

use hdrhistogram::Histogram;
use results::summary::Row;

use super::percentiles::{notes, shown};
use super::{case_title, legend};
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, Panel, Ridge};
use crate::input::{Input, case_label};
use crate::latency;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 5] = ["cell", "backend", "latency from", "to", "share of calls"];
/// A share below this is not in the table, which would be thousands of rows long.
const TABLE_SHARE_MIN: f64 = 0.01;

/// The distribution of latencies.
///
/// # Errors
/// A histogram is damaged.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "distribution",
        title: "Distribution of latencies",
        about: "How often each latency occurs, rounds merged, a ridge for each backend. Heights \
                are logarithmic, from one call in a million to all: a hump of half the height \
                holds one call in a thousand. A marker stands at the longest. The table has the \
                bins that hold at least 1% of the calls."
            .to_owned(),
        columns: 2,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let timed = || input.summary.rows.iter().filter(|row| shown(row));
    if timed().next().is_none() {
        return Ok(figure.missing("no round measured latencies"));
    }
    figure.legend = legend(input, input.backends(timed()));
    let cases = || input.cases().filter(|case| case.iter().any(shown));
    for case in cases().take(super::PANELS_MAX) {
        let ridges = ridges(input, case)?;
        figure.table.rows.extend(ridges.iter().flat_map(|ridge| entries(case, ridge)));
        figure.panels.extend(panel(case, ridges));
    }
    // Merging the histograms of all would take as long as everything else.
    if cases().count() > super::PANELS_MAX {
        let (some, all) = (super::PANELS_MAX, cases().count());
        let note = format!("the first {some} of {all} cases are drawn, and stand in the table");
        figure.notes.push(note);
    }
    notes(&mut figure, input);
    Ok(figure)
}

fn ridges(input: &Input, case: &[Row]) -> Result<Vec<Ridge>, PlotError> {
    let mut ridges = Vec::new();
    let mut rows: Vec<&Row> = case.iter().filter(|row| shown(row)).collect();
    // The first of the legend is the uppermost.
    rows.sort_by_key(|row| std::cmp::Reverse(input.place(&row.cell.backend)));
    for row in rows {
        let Some(found) = &row.latency else { continue };
        let rounds = input.rounds(&row.cell);
        let merged = latency::merged(rounds, found.event)
            .map_err(|source| PlotError::Histogram { cell: row.cell.id(), source })?;
        let step = rounds.iter().map(|round| round.instrument.clock_step_ns).fold(1.0, f64::max);
        ridges.push(ridge(input, row, &merged, step));
    }
    Ok(ridges)
}

fn ridge(input: &Input, row: &Row, merged: &Histogram<u64>, step: f64) -> Ridge {
    let (start, bins) = latency::bins(merged, step);
    let name = row.cell.backend.clone();
    Ridge { style: input.style(&name), name, start, bins, max: merged.max() as f64 }
}

fn panel(case: &[Row], ridges: Vec<Ridge>) -> Option<Panel> {
    let event = case.iter().find_map(|row| row.latency.as_ref()).map(|found| found.event)?;
    let ends = ridges.iter().flat_map(|ridge| [ridge.start, ridge.max]);
    let ends: Vec<f64> = ends.collect();
    let mut y = Axis::names("", ridges.iter().map(|ridge| ridge.name.clone()).collect());
    // Each ridge stands on its line and is almost as high as the distance to the next.
    if let Some(range) = &mut y.linear {
        (range.low, range.high) = (-0.15, ridges.len() as f64);
    }
    (!ridges.is_empty()).then(|| Panel {
        title: case_title(case),
        x: Axis::log(&format!("latency of {}", event.replace('_', " ")), Unit::Time, &ends).fixed(),
        y,
        content: Content::Ridges { ridges },
    })
}

fn entries(case: &[Row], ridge: &Ridge) -> Vec<Vec<Entry>> {
    let mut from = ridge.start;
    let mut rows = Vec::new();
    for (to, share) in &ridge.bins {
        if *share >= TABLE_SHARE_MIN {
            rows.push(vec![
                case_label(&case[0].cell).into(),
                ridge.name.clone().into(),
                Entry::Number(from, Unit::Time),
                Entry::Number(*to, Unit::Time),
                Entry::Number(*share, Unit::Share),
            ]);
        }
        from = *to;
    }
    rows
}
