//! The subcommands, one file each. Each answers with the exit code of the process.

pub mod compare;
pub mod controls;
pub mod export;
pub mod fuzz;
pub mod grid;
pub mod history;
pub mod list;
pub mod minimize;
pub mod plot;
pub mod replay;
pub mod run;
pub mod show;

use std::process::exit;

use results::{Run, Store, files};

use crate::interrupt::{self, EXIT_INTERRUPTED};

pub use serve::output::{EXIT_OK, EXIT_USAGE, print, print_to_parent};

/// Finds and reads a run for what needs measured lines.
///
/// # Errors
/// There is none, it is damaged, or it is a comparison.
fn measured(store: &Store, name: &str) -> Result<Run, String> {
    let run = store.read_measured(name).map_err(|error| error.to_string())?;
    if run.is_comparison() {
        return Err(format!(
            "run {} is a comparison: it has verdicts, which `solock show` shows, and nothing \
             measured",
            run.id
        ));
    }
    Ok(run)
}

/// From now on a signal that asks for the end leaves the files that a command writes whole, or not
/// at all.
///
/// # Errors
/// The system refuses.
fn leave_no_half() -> Result<(), String> {
    interrupt::at_first(|| files::abandon(|| exit(EXIT_INTERRUPTED)))
}
