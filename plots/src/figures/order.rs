//! Figure 8: every round in the order in which it ran, so that drift is seen.

use std::collections::HashMap;

use results::{Measure, Measured, Run, stats};

use super::legend;
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, Lines, Panel, Point, Role, Series};
use crate::input::Input;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 8] =
    ["run", "order", "cell", "round", "measure", "op/s", "to the median", "flagged"];
/// The most rounds that the table lists; more are in the run's file.
const TABLE_ROWS_MAX: usize = 2000;

/// Rounds in the order in which they ran.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "order",
        title: "Rounds in the order they ran",
        about: "The throughput of each round as a ratio to the median of its cell. Without drift \
                the points lie around 1 from left to right; hollow ones were flagged (a thread \
                was kept off its CPU)."
            .to_owned(),
        columns: 1,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    if input.summary.rows.is_empty() {
        return Ok(figure.missing("nothing was measured"));
    }
    figure.legend = legend(input, input.backends(input.summary.rows.iter()));
    for run in input.runs {
        let medians = medians(run);
        figure.panels.extend(panel(input, run, &medians));
        figure.table.rows.extend(run.measured().filter_map(|round| entries(run, round, &medians)));
    }
    let all = figure.table.rows.len();
    if all > TABLE_ROWS_MAX {
        figure.table.rows.truncate(TABLE_ROWS_MAX);
        figure.notes.push(format!("the table has the first {TABLE_ROWS_MAX} of {all} rounds"));
    }
    Ok(figure)
}

/// Rounds with a stamp per operation are slower than those without: they have a median apart.
type Medians = HashMap<(String, Measure), f64>;

fn key(round: &Measured) -> (String, Measure) {
    (round.cell.id(), round.measure)
}

fn medians(run: &Run) -> Medians {
    let mut values: HashMap<(String, Measure), Vec<f64>> = HashMap::new();
    for round in run.measured() {
        values.entry(key(round)).or_default().push(round.operations_per_second);
    }
    let median = |(key, values): (_, Vec<f64>)| Some((key, stats::median(&values)?));
    values.into_iter().filter_map(median).filter(|(_, median)| *median > 0.0).collect()
}

fn ratio(round: &Measured, medians: &Medians) -> Option<f64> {
    let ratio = round.operations_per_second / medians.get(&key(round))?;
    (ratio > 0.0).then_some(ratio)
}

fn panel(input: &Input, run: &Run, medians: &Medians) -> Option<Panel> {
    let mut by_backend: HashMap<&str, Vec<Point>> = HashMap::new();
    for round in run.measured() {
        if let Some(ratio) = ratio(round, medians) {
            by_backend.entry(&round.cell.backend).or_default().push(point(round, ratio));
        }
    }
    let mut names: Vec<&str> = by_backend.keys().copied().collect();
    names.sort_by_key(|name| (input.place(name), *name));
    let series: Vec<Series> = names
        .into_iter()
        .map(|name| Series {
            name: name.to_owned(),
            style: input.style(name),
            role: Role::Points,
            shift: 0.0,
            points: by_backend.remove(name).unwrap_or_default(),
        })
        .collect();
    let points = || series.iter().flat_map(|series| &series.points);
    let x: Vec<f64> = points().map(|point| point.x).collect();
    let y: Vec<f64> = points().map(|point| point.y).collect();
    (!x.is_empty()).then(|| Panel {
        title: format!("run {}", run.id),
        x: Axis::linear("place in the run", Unit::Count, &x).fixed(),
        y: Axis::log("ratio to the cell's median", Unit::Ratio, &y),
        content: Content::Lines(Lines { series, marks: Vec::new(), level: Some(1.0) }),
    })
}

fn point(round: &Measured, ratio: f64) -> Point {
    let measure = if round.measure == Measure::Latency { ", with stamps" } else { "" };
    Point {
        x: f64::from(round.order_in_run),
        y: ratio,
        hollow: round.host_noise.flagged,
        note: format!("{}, round {}{measure}", round.cell.id(), round.round),
        ..Point::default()
    }
}

fn entries(run: &Run, round: &Measured, medians: &Medians) -> Option<Vec<Entry>> {
    let measure = if round.measure == Measure::Latency { "latency" } else { "throughput" };
    Some(vec![
        run.id.clone().into(),
        Entry::count(u64::from(round.order_in_run)),
        round.cell.id().into(),
        Entry::count(u64::from(round.round)),
        measure.into(),
        Entry::Number(round.operations_per_second, Unit::Rate),
        Entry::number(ratio(round, medians), Unit::Ratio),
        if round.host_noise.flagged { "yes" } else { "" }.into(),
    ])
}
