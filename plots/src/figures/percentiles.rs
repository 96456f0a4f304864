//! Figure 2: latency by percentile, stretched so that every further nine has the same room.

use results::summary::Row;

use super::{case_title, caveats, legend};
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, Lines, Panel, Point, Role, Series};
use crate::input::{Input, case_label};
use crate::latency;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 9] =
    ["cell", "backend", "event", "count", "p50", "p99", "p99.9", "max", "with care"];

/// Latency by percentile.
///
/// # Errors
/// A histogram is damaged.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "percentiles",
        title: "Latency by percentile",
        about: "The latency that a share of the calls stays under, rounds merged. Each step to \
                the right is ten times rarer; a line ends at the longest latency."
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
    for case in input.cases().filter(|case| case.iter().any(shown)) {
        if figure.panels.len() < super::PANELS_MAX {
            figure.panels.extend(panel(input, case)?);
        } else {
            figure.undrawn += 1;
        }
        figure.table.rows.extend(case.iter().filter_map(entries));
    }
    notes(&mut figure, input);
    Ok(figure)
}

/// A rate that was not kept up makes the percentiles void.
pub(super) fn shown(row: &Row) -> bool {
    row.latency.is_some() && !row.flags.overloaded
}

pub(super) fn notes(figure: &mut Figure, input: &Input) {
    let rows = || input.summary.rows.iter();
    if rows().any(|row| row.flags.overloaded) {
        figure.notes.push("cells whose rate was not kept up are left out".to_owned());
    }
    let lost = rows().map(|row| row.flags.lost_count).fold(0, u64::saturating_add);
    if lost > 0 {
        figure.notes.push(format!("{lost} latencies over one minute count as one minute"));
    }
    if rows().any(|row| row.flags.quantised) {
        figure.notes.push(
            "some medians are under 10 steps of the clock: their curves go in steps".to_owned(),
        );
    }
}

fn panel(input: &Input, case: &[Row]) -> Result<Option<Panel>, PlotError> {
    let mut series = Vec::new();
    for row in case.iter().filter(|row| shown(row)) {
        series.extend(curve(input, row)?);
    }
    if series.is_empty() {
        return Ok(None);
    }
    let points = || series.iter().flat_map(|series: &Series| &series.points);
    let x: Vec<f64> = points().map(|point| point.x).collect();
    let y: Vec<f64> = points().map(|point| point.y).collect();
    let event = case.iter().find_map(|row| row.latency.as_ref()).map_or("", |found| found.event);
    Ok(Some(Panel {
        title: case_title(case),
        x: Axis::log("share of calls that take no longer", Unit::Percentile, &x).fixed(),
        y: Axis::log(&format!("latency of {}", event.replace('_', " ")), Unit::Time, &y),
        content: Content::Lines(Lines { series, ..Lines::default() }),
    }))
}

fn curve(input: &Input, row: &Row) -> Result<Option<Series>, PlotError> {
    let Some(found) = &row.latency else { return Ok(None) };
    let merged = latency::merged(input.rounds(&row.cell), found.event)
        .map_err(|source| PlotError::Histogram { cell: row.cell.id(), source })?;
    let points = latency::curve(&merged).into_iter();
    Ok(Some(Series {
        name: row.cell.backend.clone(),
        style: input.style(&row.cell.backend),
        role: Role::Curve,
        shift: 0.0,
        points: points.map(|(x, y)| Point { x, y: y.max(1.0), ..Point::default() }).collect(),
    }))
}

fn entries(row: &Row) -> Option<Vec<Entry>> {
    let found = row.latency.as_ref().filter(|_| shown(row))?;
    let quantiles = &found.quantiles;
    let time = |value: u64| Entry::Number(value as f64, Unit::Time);
    Some(vec![
        case_label(&row.cell).into(),
        row.cell.backend.clone().into(),
        found.event.into(),
        Entry::count(quantiles.count),
        time(quantiles.p50_ns),
        time(quantiles.p99_ns),
        time(quantiles.p999_ns),
        time(quantiles.max_ns),
        caveats(row).into(),
    ])
}
