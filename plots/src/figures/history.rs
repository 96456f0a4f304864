//! Figure 7: a cell's value from commit to commit, and where it changed.

use results::Run;
use results::history::{RATIO, left_out};
use results::summary::Row;

use super::legend;
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, Lines, Panel, Point, Role, Series};
use crate::history::{History, HistoryPoint, HistorySeries};
use crate::input::Input;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 8] =
    ["cell", "metric", "commit", "measured", "value", "low", "high", "changed here"];

/// History with change points.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "history",
        title: "History across commits",
        about:
            "First each run's ratio to one backend, with its interval; then its throughput, with \
                its slowest and fastest round, in the order of the commits. A vertical line marks \
                a change point. Throughputs of different days tell of the machine, too; a ratio \
                of one run tells less of it."
                .to_owned(),
        columns: 2,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let History { series, others } = input.history;
    figure.notes.extend(left_out(*others));
    if series.is_empty() {
        return Ok(figure.missing(why_not(input)));
    }
    let mut backends: Vec<String> = series.iter().map(|one| one.backend.clone()).collect();
    backends.sort_by_key(|name| input.place(name));
    backends.dedup();
    figure.legend = legend(input, backends);
    figure.panels = series.iter().map(|series| panel(input, series)).collect();
    figure.table.rows = series.iter().flat_map(entries).collect();
    Ok(figure)
}

fn why_not(input: &Input) -> &'static str {
    if input.history.others > 0 {
        return "no cell has a value of two runs of the newest build";
    }
    if input.summary.rows.iter().any(|row| runs(input, row) > 1) {
        return "no cell has a round that is not flagged (a thread was kept off its CPU) in two \
                runs, and flagged ones would tell of the machine";
    }
    "a history needs several runs that measured the same cells"
}

/// In how many runs a cell was measured.
fn runs(input: &Input, row: &Row) -> usize {
    let has = |run: &&Run| run.measured().any(|round| round.cell == row.cell);
    input.runs.iter().filter(has).count()
}

/// What a metric counts: a history has ratios and throughputs.
fn unit(metric: &str) -> Unit {
    if metric == RATIO { Unit::Ratio } else { Unit::Rate }
}

fn panel(input: &Input, series: &HistorySeries) -> Panel {
    let unit = unit(&series.metric);
    let points: Vec<Point> = series.points.iter().enumerate().map(point).collect();
    let y: Vec<f64> =
        series.points.iter().flat_map(|point| [point.value, point.low, point.high]).collect();
    let label = match unit {
        Unit::Ratio => format!("ratio to {}", input.summary.reference),
        _ => "operations per second".to_owned(),
    };
    let line = Series {
        name: series.backend.clone(),
        style: input.style(&series.backend),
        role: Role::Line,
        shift: 0.0,
        points,
    };
    Panel {
        title: series.cell.clone(),
        x: commits(&series.points),
        y: Axis::linear(&label, unit, &y),
        content: Content::Lines(Lines {
            series: vec![line],
            marks: series.changes.iter().map(|index| *index as f64 - 0.5).collect(),
            level: None,
        }),
    }
}

/// Commits by name, with a tick at about ten of them.
fn commits(points: &[HistoryPoint]) -> Axis {
    let mut axis = Axis::names("commit", points.iter().map(|point| point.commit.clone()).collect());
    let every = points.len().div_ceil(6).max(1);
    if let Some(range) = &mut axis.linear {
        range.ticks = std::mem::take(&mut range.ticks).into_iter().step_by(every).collect();
    }
    axis
}

fn point((index, point): (usize, &HistoryPoint)) -> Point {
    Point {
        x: index as f64,
        y: point.value,
        low: Some(point.low),
        high: Some(point.high),
        hollow: false,
        note: format!("{}, {}", point.commit, point.started),
    }
}

fn entries(series: &HistorySeries) -> Vec<Vec<Entry>> {
    let unit = unit(&series.metric);
    let row = |(index, point): (usize, &HistoryPoint)| {
        vec![
            series.cell.clone().into(),
            series.metric.clone().into(),
            point.commit.clone().into(),
            point.started.clone().into(),
            Entry::Number(point.value, unit),
            Entry::Number(point.low, unit),
            Entry::Number(point.high, unit),
            if series.changes.contains(&index) { "yes" } else { "" }.into(),
        ]
    };
    series.points.iter().enumerate().map(row).collect()
}
