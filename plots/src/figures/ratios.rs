//! Figure 5: every workload under every backend, as a ratio to one of them.

use results::outward::Printed;
use results::stats::Interval;
use results::summary::Row;

use super::{caveats, is_spoiled};
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, MatrixCell, Panel};
use crate::input::{Input, case_label};
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 7] = ["cell", "backend", "ratio", "low", "high", "level", "with care"];
/// The most rows of a panel.
const ROWS_MAX: usize = 16;

/// The matrix of ratios.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let reference = &input.summary.reference;
    let mut figure = Figure {
        id: "ratios",
        title: "Throughput as a ratio to one backend",
        about: format!(
            "Operations per second as a ratio to {reference}, of what was measured in turns, with \
             an interval of 95% at least, its ends rounded outward; blue is faster, orange slower, \
             white the same."
        ),
        columns: 1,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let others = |row: &&Row| row.cell.backend != *reference;
    let rows: Vec<&Row> = input.summary.rows.iter().filter(others).collect();
    if rows.iter().all(|row| row.interval().is_none()) {
        return Ok(figure.missing(&why_not(&rows, input)));
    }
    let backends = input.backends(rows.iter().copied());
    let cases: Vec<&[Row]> = input
        .cases()
        .filter(|case| case.iter().any(|row| others(&row) && row.interval().is_some()))
        .collect();
    figure.panels =
        cases.chunks(ROWS_MAX).map(|chunk| panel(chunk, &backends, reference)).collect();
    figure.table.rows = rows.iter().filter_map(|row| entries(row)).collect();
    if cases.iter().any(|case| case.iter().any(is_spoiled)) {
        figure.notes.push("* more threads than CPUs, or threads were unpinned".to_owned());
    }
    figure.notes.extend(rows.iter().filter_map(|row| no_ratio(row)));
    Ok(figure)
}

fn why_not(rows: &[&Row], input: &Input) -> String {
    let reference = &input.summary.reference;
    if input.summary.rows.is_empty() {
        return "nothing was measured".to_owned();
    }
    if rows.is_empty() {
        return format!("there is no backend but {reference}");
    }
    if !input.summary.rows.iter().any(|row| row.cell.backend == *reference) {
        return format!("{reference}, which ratios are to, was not measured");
    }
    "no ratio has an interval of 95%".to_owned()
}

/// Why a row has no ratio, if it has none.
fn no_ratio(row: &Row) -> Option<String> {
    let ratio = row.ratio.as_ref().filter(|_| row.interval().is_none())?;
    let why = ratio.why.as_deref().unwrap_or("no interval of 95%");
    Some(format!("no ratio of {}, {}: {why}", case_label(&row.cell), row.cell.backend))
}

fn panel(cases: &[&[Row]], backends: &[String], reference: &str) -> Panel {
    let mut cells = Vec::new();
    for (row, case) in cases.iter().rev().enumerate() {
        for found in case.iter() {
            let column = backends.iter().position(|name| *name == found.cell.backend);
            if let (Some(column), Some(ratio)) = (column, found.interval()) {
                cells.push(cell(column, row, &ratio));
            }
        }
    }
    let names = cases.iter().rev().map(|case| label(case)).collect();
    Panel {
        title: format!("ratio to {reference}"),
        x: Axis::names("", backends.to_vec()),
        y: Axis::names("", names),
        content: Content::Matrix { cells },
    }
}

/// There is little room beside a row: a star stands for what spoils it.
fn label(case: &[Row]) -> String {
    let star = if case.iter().any(is_spoiled) { " *" } else { "" };
    case_label(&case[0].cell) + star
}

fn cell(x: usize, y: usize, ratio: &Interval) -> MatrixCell {
    let interval = Printed::new(ratio.estimate, ratio.low, ratio.high).interval();
    MatrixCell { x, y, ratio: ratio.estimate, interval }
}

fn entries(row: &Row) -> Option<Vec<Entry>> {
    let ratio = row.interval()?;
    Some(vec![
        case_label(&row.cell).into(),
        row.cell.backend.clone().into(),
        Entry::Number(ratio.estimate, Unit::Ratio),
        Entry::Number(ratio.low, Unit::Ratio),
        Entry::Number(ratio.high, Unit::Ratio),
        Entry::Number(ratio.level, Unit::Share),
        caveats(row).into(),
    ])
}
