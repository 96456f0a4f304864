//! Figure 4: what an operation is made of: locks taken, taken again, found taken, and done without.

use results::Cell;
use results::summary::Row;

use super::legend;
use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Bars, Content, Figure, Key, Panel};
use crate::input::{Input, case_label};
use crate::table::Entry;
use crate::unit::Unit;

/// The column of relocks that a try saved: there where there was one.
const SAVED: &str = "relocks saved per operation";
/// The most cells next to each other in a panel.
const CELLS_MAX: usize = 8;

/// One number that an operation has.
struct Part {
    column: &'static str,
    title: &'static str,
    label: &'static str,
    unit: Unit,
    of: fn(&Row) -> Option<f64>,
}

const PARTS: [Part; 5] = [
    Part {
        column: "locks per operation",
        title: "Locks taken",
        label: "locks per operation",
        unit: Unit::Count,
        of: |row| row.acquisitions_per_operation,
    },
    Part {
        column: "relocks per operation",
        title: "Locks released and taken again for the sake of the order",
        label: "relocks per operation",
        unit: Unit::Count,
        of: |row| row.relocks_per_operation,
    },
    Part {
        column: SAVED,
        title: "Relocks that a try saved",
        label: "relocks saved per operation",
        unit: Unit::Count,
        of: |row| row.saved_per_operation,
    },
    Part {
        column: "contended",
        title: "Locks that were not free at once",
        label: "share of the locks taken",
        unit: Unit::Share,
        of: |row| row.contended_share,
    },
    Part {
        column: "without a lock",
        title: "Sends and receives that took no lock",
        label: "share of sends and receives",
        unit: Unit::Share,
        of: |row| row.fast_path_share,
    },
];

/// What an operation is made of.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "anatomy",
        title: "What an operation is made of",
        about: "Counted, not timed, over all rounds. A place without a marker has no such count: \
                where no lock of ours is taken, none can be contended."
            .to_owned(),
        columns: 1,
        ..Figure::default()
    };
    let is_tried = input.summary.rows.iter().any(|row| row.saved_per_operation.is_some());
    let parts: Vec<&Part> = PARTS.iter().filter(|part| is_tried || part.column != SAVED).collect();
    let columns = parts.iter().map(|part| part.column);
    figure.table.columns = ["cell", "backend"].into_iter().chain(columns).collect();
    let counted = |row: &&Row| parts.iter().any(|part| (part.of)(row).is_some());
    let rows = || input.summary.rows.iter().filter(counted);
    if rows().next().is_none() {
        return Ok(figure.missing("no round counted locks"));
    }
    figure.legend = legend(input, input.backends(rows()));
    let cases: Vec<&[Row]> =
        input.cases().filter(|case| case.iter().any(|row| counted(&row))).collect();
    for chunk in cases.chunks(CELLS_MAX) {
        let panels = parts.iter().filter_map(|part| panel(input, part, chunk, &figure.legend));
        figure.panels.extend(panels);
    }
    figure.table.rows = rows().map(|row| entries(row, &parts)).collect();
    Ok(figure)
}

fn panel(input: &Input, part: &Part, cases: &[&[Row]], legend: &[Key]) -> Option<Panel> {
    let bars: Vec<Bars> = legend.iter().map(|key| bars(part, cases, key)).collect();
    let values: Vec<f64> = bars.iter().flat_map(|bars| &bars.values).flatten().copied().collect();
    let names = cases.iter().map(|case| short_label(input, case)).collect();
    (!values.is_empty()).then(|| Panel {
        title: part.title.to_owned(),
        x: Axis::names("", names),
        y: Axis::linear(part.label, part.unit, &values).fixed(),
        content: Content::Bars { bars },
    })
}

fn bars(part: &Part, cases: &[&[Row]], key: &Key) -> Bars {
    let value = |case: &&[Row]| {
        case.iter().find(|row| row.cell.backend == key.name).and_then(|row| (part.of)(row))
    };
    let values = cases.iter().map(value).collect();
    Bars { name: key.name.clone(), style: key.style, values }
}

/// There is little room under a bar: the workload, the threads, and what else tells the cases of a
/// run apart; the table has the whole cell.
fn short_label(input: &Input, case: &[Row]) -> String {
    let cell = &case[0].cell;
    let all = || input.summary.rows.iter().map(|row| &row.cell);
    let mut label = vec![cell.workload.clone()];
    // What a cell does not have it is not called by.
    let mut tell = |differ: bool, text: String| {
        label.extend(Some(text).filter(|text| differ && !text.is_empty()));
    };
    tell(all().any(|one| one.socket_type != cell.socket_type), cell.socket_type.clone());
    let bytes = format!("{}B", cell.message_bytes);
    tell(all().any(|one| one.message_bytes != cell.message_bytes), bytes);
    tell(all().any(|one| one.wait != cell.wait), cell.wait.clone());
    let like = |one: &&Cell| one.workload == cell.workload;
    tell(all().filter(like).any(|one| one.own != cell.own), cell.own.id());
    tell(all().any(|one| one.lock != cell.lock), cell.lock.clone());
    tell(all().any(|one| one.ambient != cell.ambient), cell.ambient.join("+"));
    label.push(format!("t{}", cell.threads));
    label.join(" ")
}

fn entries(row: &Row, parts: &[&Part]) -> Vec<Entry> {
    let mut entries = vec![case_label(&row.cell).into(), row.cell.backend.clone().into()];
    entries.extend(parts.iter().map(|part| Entry::number((part.of)(row), part.unit)));
    entries
}
