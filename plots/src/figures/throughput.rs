//! Figure 1: operations per second against threads, with what perfect scaling would be.

use results::summary::{Row, Throughput};

use super::{caveats, legend};
use crate::axis::{Axis, Range};
use crate::error::PlotError;
use crate::figure::{Content, Figure, Key, Lines, Panel, Point, Role, Series};
use crate::input::{Input, group_label};
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 9] =
    ["cell", "backend", "threads", "op/s", "slowest", "fastest", "rounds", "ideal", "with care"];

/// How far apart series stand, as a share of the panel's width.
const SHIFT: f64 = 0.012;

/// Throughput against threads.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "throughput",
        title: "Throughput against threads",
        about: "Operations per second of all threads together: the median over the rounds, and \
                the slowest and fastest round. The dotted line is what the backend would do if \
                threads did not disturb each other: its value with the fewest threads, times the \
                threads."
            .to_owned(),
        columns: 2,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let measured = || input.summary.rows.iter().filter(|row| row.throughput.is_some());
    if measured().next().is_none() {
        return Ok(figure.missing("no round measured throughput"));
    }
    figure.legend = legend(input, input.backends(measured()));
    for group in input.groups() {
        figure.panels.extend(panel(input, group, &figure.legend));
        figure.table.rows.extend(group.iter().filter_map(|row| entries(row, group)));
    }
    if measured().any(|row| !caveats(row).is_empty()) {
        figure.notes.push(
            "hollow markers: every round was flagged (a thread was kept off its CPU), threads \
             were unpinned, there were more threads than CPUs, or a rate was not kept up"
                .to_owned(),
        );
    }
    Ok(figure)
}

fn panel(input: &Input, group: &[Row], legend: &[Key]) -> Option<Panel> {
    let mut series = Vec::new();
    for (place, key) in legend.iter().enumerate() {
        let points = points(group, &key.name);
        let shift = (place as f64 - (legend.len() as f64 - 1.0) / 2.0) * SHIFT;
        let named = |role, points| {
            let (name, style) = (key.name.clone(), input.style(&key.name));
            Series { name, style, role, shift, points }
        };
        series.extend(ideal(&points).map(|ideal| named(Role::Ideal, ideal)));
        series.extend((!points.is_empty()).then(|| named(Role::Line, points)));
    }
    let all = || series.iter().flat_map(|series| &series.points);
    let x: Vec<f64> = all().map(|point| point.x).collect();
    let ends = |point: &Point| [Some(point.y), point.low, point.high];
    let y: Vec<f64> = all().flat_map(ends).flatten().collect();
    let title = group_label(&group.first()?.cell);
    (!x.is_empty()).then(|| Panel {
        title,
        x: thread_axis(&x),
        y: Axis::linear("operations per second", Unit::Rate, &y),
        content: Content::Lines(Lines { series, ..Lines::default() }),
    })
}

/// An axis of threads: as far as they were measured, with a tick at each number.
fn thread_axis(threads: &[f64]) -> Axis {
    let mut counts = threads.to_vec();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    let (low, high) = (counts[0], counts[counts.len() - 1]);
    let room = ((high - low) * 0.1).max(0.2);
    let ticks: Vec<(f64, String)> =
        counts.into_iter().map(|count| (count, Unit::Count.tick(count))).collect();
    let linear = Range { low: low - room, high: high + room, ticks };
    let log = Range { low: low * 0.85, high: high * 1.18, ..linear.clone() };
    let axis = Axis::linear("threads", Unit::Count, threads);
    Axis { linear: Some(linear), log: Some(log), ..axis }
}

fn points(group: &[Row], backend: &str) -> Vec<Point> {
    let rows = group.iter().filter(|row| row.cell.backend == backend);
    rows.filter_map(|row| Some(point(row, &row.throughput?))).collect()
}

fn point(row: &Row, found: &Throughput) -> Point {
    let note = caveats(row);
    Point {
        x: f64::from(row.cell.threads),
        y: found.operations_per_second,
        low: Some(found.low),
        high: Some(found.high),
        hollow: !note.is_empty(),
        note,
    }
}

/// The first point's value, times the threads; nothing where there is one point only.
fn ideal(points: &[Point]) -> Option<Vec<Point>> {
    let first = points.first().filter(|_| points.len() > 1)?;
    let scaled =
        |point: &Point| Point { x: point.x, y: first.y * point.x / first.x, ..Point::default() };
    Some(points.iter().map(scaled).collect())
}

fn entries(row: &Row, group: &[Row]) -> Option<Vec<Entry>> {
    let found = row.throughput?;
    let points = points(group, &row.cell.backend);
    let threads = f64::from(row.cell.threads);
    let ideal = ideal(&points).and_then(|line| line.into_iter().find(|point| point.x == threads));
    Some(vec![
        group_label(&row.cell).into(),
        row.cell.backend.clone().into(),
        Entry::count(u64::from(row.cell.threads)),
        Entry::Number(found.operations_per_second, Unit::Rate),
        Entry::Number(found.low, Unit::Rate),
        Entry::Number(found.high, Unit::Rate),
        Entry::count(found.round_count as u64),
        Entry::number(ideal.map(|point| point.y), Unit::Rate),
        caveats(row).into(),
    ])
}
