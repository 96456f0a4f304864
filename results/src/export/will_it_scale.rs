//! will-it-scale's table of throughput against tasks, which its `postprocess.py` draws: a file for
//! each backend, workload and setting, and a file with the title, which it demands.
//!
//! Threads are tasks. What is not measured is left empty: processes, and how idle the machine was.
//! The script cuts a file's name at the first dot, so there is none in it.

use std::fmt::Write as _;

use super::names::{distinct, plain};
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;
use crate::summary::Row;

pub(super) const FORMAT: Format = Format {
    name: "will-it-scale",
    about: "will-it-scale's table by tasks, one file per backend and workload, and its title",
    needs: "throughput round",
    contents,
};

/// The names of the columns, and the row of no task, with which its tables begin.
const HEAD: &str = "tasks,processes,processes_idle,threads,threads_idle,linear\n0,,,0,,0\n";

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let mut rows = chosen.rows()?;
    rows.retain(|row| row.throughput.is_some());
    let of = |row: &Row| row.cell.family().on(&row.cell.backend);
    let mut series: Vec<Cell> = Vec::new();
    for row in &rows {
        if !series.contains(&of(row)) {
            series.push(of(row));
        }
    }
    let mut files = Vec::new();
    for one in &series {
        let name = distinct(one, series.iter(), short).replace('.', "_");
        let rows = rows.iter().filter(|row| of(row) == *one);
        files.push((format!("{name}.csv").into(), table(rows).into_bytes()));
        files.push((format!("{name}.title").into(), title(one).into_bytes()));
    }
    Ok(files)
}

fn short(cell: &Cell) -> String {
    format!("{}-{}", plain(&cell.backend), plain(&cell.workload))
}

/// A line for each number of threads, fewest first: what they did, and what so many would do if
/// each did what one alone does.
fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut points: Vec<(u32, f64)> = rows
        .filter_map(|row| Some((row.cell.threads, row.throughput?.operations_per_second)))
        .collect();
    points.sort_by_key(|(threads, _)| *threads);
    let alone = points.iter().find(|(threads, _)| *threads == 1).map(|(_, rate)| *rate);
    let mut text = HEAD.to_owned();
    for (threads, rate) in points {
        let linear = alone.map(|alone| format!("{:.0}", alone * f64::from(threads)));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{threads},,,{rate:.0},,{}", linear.unwrap_or_default());
    }
    text
}

/// The script puts it into a text of JavaScript as it is.
fn title(cell: &Cell) -> String {
    let title = format!("{} on {}: {}", cell.workload, cell.backend, cell.title());
    let is_safe = |one: char| one.is_alphanumeric() || " ,.:+-_/".contains(one);
    title.chars().map(|one| if is_safe(one) { one } else { '_' }).collect::<String>() + "\n"
}
