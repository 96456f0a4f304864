//! Figure 9: where the time of an operation goes, a bar of parts for each backend.

use results::{Run, Split};

use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Bars, Content, Figure, Key, Panel};
use crate::input::{Input, case_label};
use crate::style;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 10] = [
    "cell",
    "backend",
    "copy",
    "wait",
    "hold",
    "relock",
    "parked",
    "rest",
    "all",
    "profiling per lock pair",
];

/// Where the time of an operation goes.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "split",
        title: "Where the time of an operation goes",
        about:
            "The time of all threads together, for each operation, in rounds in which every lock \
                keeps a profile; that costs time of its own, so no rate is to be read off it. Each \
                moment is in one part: waiting for a lock, else copying, else relocking, else \
                holding a lock, else parked, else the rest."
                .to_owned(),
        columns: 2,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let splits = newest(input);
    let Some(first) = splits.first() else {
        return Ok(figure.missing("no run is a profile; the command `profile` makes one"));
    };
    let names = first.ns_per_operation.all().map(|(name, _)| name);
    figure.legend = names
        .iter()
        .enumerate()
        .map(|(place, name)| Key { name: (*name).to_owned(), style: style::part(place) })
        .collect();
    for case in cases(&splits) {
        figure.panels.push(panel(&case, &figure.legend));
        figure.table.rows.extend(case.iter().map(|split| entries(split)));
    }
    if splits.iter().any(|split| split.slices.kept == 0) {
        figure.notes.push("* the host disturbed every slice of this cell".to_owned());
    }
    Ok(figure)
}

/// The splits of all runs, of each cell that of the last run; backends in their order.
fn newest<'a>(input: &Input<'a>) -> Vec<&'a Split> {
    let mut splits: Vec<&Split> = Vec::new();
    for split in input.runs.iter().flat_map(Run::splits) {
        match splits.iter_mut().find(|known| known.cell_id == split.cell_id) {
            Some(known) => *known = split,
            None => splits.push(split),
        }
    }
    splits.sort_by_key(|split| input.place(&split.cell.backend));
    splits
}

/// Cells that differ in the backend alone, by family and threads.
fn cases<'a>(splits: &[&'a Split]) -> Vec<Vec<&'a Split>> {
    let mut cases = Split::cases(splits);
    cases.sort_by_key(|case| (case[0].cell.family().id(), case[0].cell.threads));
    cases
}

fn panel(case: &[&Split], legend: &[Key]) -> Panel {
    let bars = legend.iter().enumerate().map(|(place, key)| Bars {
        name: key.name.clone(),
        style: key.style,
        values: case.iter().map(|split| Some(split.ns_per_operation.all()[place].1)).collect(),
    });
    let totals: Vec<f64> = case.iter().map(|split| split.ns_per_operation.total()).collect();
    let disturbed = |split: &Split| if split.slices.kept == 0 { " *" } else { "" };
    let names = case.iter().map(|split| format!("{}{}", split.cell.backend, disturbed(split)));
    Panel {
        title: case_label(&case[0].cell),
        x: Axis::names("", names.collect()),
        y: Axis::linear("time per operation", Unit::Time, &totals).fixed(),
        content: Content::Stacks { bars: bars.collect() },
    }
}

fn entries(split: &Split) -> Vec<Entry> {
    let mut entries = vec![case_label(&split.cell).into(), split.cell.backend.clone().into()];
    let parts = split.ns_per_operation.all().map(|(_, ns)| Entry::Number(ns, Unit::Time));
    entries.extend(parts);
    entries.push(Entry::Number(split.ns_per_operation.total(), Unit::Time));
    entries.push(Entry::Number(split.profiling_ns_per_pair, Unit::Time));
    entries
}
