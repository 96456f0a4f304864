//! The subcommands, one file each. Each answers with the exit code of the process.

pub mod check;
pub mod compare;
pub mod controls;
pub mod export;
pub mod fuzz;
pub mod grid;
pub mod history;
pub mod import;
pub mod list;
pub mod minimize;
pub mod plot;
pub mod profile;
pub mod replay;
pub mod run;
pub mod show;

use std::process::exit;

use results::table::COLUMNS_DEFAULT;
use results::text::wrapped;
use results::{Foreign, Run, Store, files};

use crate::interrupt::{self, EXIT_INTERRUPTED};
use crate::{added, tell};

pub use serve::output::{EXIT_OK, EXIT_USAGE, print, print_to_parent};

/// Finds and reads a run for what needs measured lines.
///
/// # Errors
/// There is none, it is damaged, or it is a comparison, a profile or numbers of others.
fn measured(store: &Store, name: &str) -> Result<Run, String> {
    let run = store.read_measured(name).map_err(|error| error.to_string())?;
    let run = refuse_comparison(run)?;
    if run.is_foreign() {
        return Err(format!(
            "run {} holds numbers of others, which `{} show` shows, and nothing measured",
            run.id,
            added::name()
        ));
    }
    if run.is_profile() {
        return Err(no_rates(&run.id));
    }
    Ok(run)
}

/// The same for what draws profiles too, and where numbers of others may stand beside.
///
/// # Errors
/// There is none, it is damaged, or it is a comparison.
fn drawable(store: &Store, name: &str) -> Result<Run, String> {
    let run = store.read_drawable(name).map_err(|error| error.to_string())?;
    refuse_comparison(run)
}

fn refuse_comparison(run: Run) -> Result<Run, String> {
    if run.is_comparison() {
        return Err(format!(
            "run {} is a comparison: it has verdicts, which `{} show` shows, and nothing \
             measured",
            run.id,
            added::name()
        ));
    }
    Ok(run)
}

/// The numbers of others in some runs, and the runs that hold something else.
fn apart(runs: Vec<Run>) -> (Vec<Foreign>, Vec<Run>) {
    let foreign = runs.iter().flat_map(Run::foreign).cloned().collect();
    (foreign, runs.into_iter().filter(|run| !run.is_foreign()).collect())
}

/// Says what is left out, and why.
fn tell_skipped(skipped: &str) {
    tell!("{}", wrapped(skipped, "skipped: ", "    ", COLUMNS_DEFAULT).trim_end());
}

/// A profile stands where something measured is needed.
pub(crate) fn no_rates(id: &str) -> String {
    format!(
        "run {id} is a profile: it tells no operations per second; `{name} show` and `{name} plot` \
         show it",
        name = added::name()
    )
}

/// From now on a signal that asks for the end leaves the files that a command writes whole, or not
/// at all.
///
/// # Errors
/// The system refuses.
fn leave_no_half() -> Result<(), String> {
    interrupt::at_first(|| files::abandon(|| exit(EXIT_INTERRUPTED)))
}
