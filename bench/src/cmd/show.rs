//! `solock show`: the table of a run, or of several of one machine; of a comparison, its verdicts.

use results::{Run, Store, summary, table};

use super::{EXIT_OK, print};
use crate::cli::ShowArgs;
use crate::compare::{self, verdicts};
use crate::settings;

/// The columns of a table that goes to a file or a pipe.
const COLUMNS: usize = 80;

/// The backend that ratios are to.
const REFERENCE: &str = "global";

/// Shows the table of the runs that were asked for.
///
/// # Errors
/// There is no such run, it is damaged, or the runs are of several machines.
pub fn show(args: &ShowArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let runs = args.runs.iter().map(|name| store.read(name).map_err(|error| error.to_string()));
    let runs = runs.collect::<Result<Vec<Run>, String>>()?;
    let (compared, measured): (Vec<Run>, Vec<Run>) =
        runs.into_iter().partition(|run| run.compared().next().is_some());
    if !measured.is_empty() {
        print(&text(&measured)?)?;
    }
    for run in &compared {
        print(&compare::table::text(&verdicts::stored(run.compared())))?;
    }
    Ok(EXIT_OK)
}

/// The table of these runs and its closing line.
///
/// # Errors
/// The runs are of several machines.
pub fn text(runs: &[Run]) -> Result<String, String> {
    let summary = summary::summarise(runs, REFERENCE).map_err(|error| error.to_string())?;
    Ok(table::render(&summary, columns()))
}

/// The width of the terminal, or of a file.
pub(super) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}
