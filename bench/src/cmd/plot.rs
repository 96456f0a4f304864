//! `solock plot`: the figures and the report of a run, or of several of one machine.

use std::path::{Path, PathBuf};

use plots::{Options, Plots};
use results::{Foreign, Kept, Run, Store, summary};

use super::{EXIT_OK, history, print};
use crate::cli::PlotArgs;
use crate::words::{REFERENCE, words};
use crate::{matrix, settings};

/// Writes the figures of the runs that were asked for, and says where.
///
/// # Errors
/// There is no such run, it is damaged, the runs are of several machines, there is nothing to draw,
/// or a file cannot be written.
pub fn plot(args: &PlotArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let read = |name: &String| super::drawable(&store, name);
    let runs = args.runs.iter().map(read).collect::<Result<Vec<Run>, String>>()?;
    let (foreign, runs) = super::apart(runs);
    if runs.is_empty() {
        let what = "numbers of others alone are not drawn: name a run beside which they stand";
        return Err(what.to_owned());
    }
    let beside = runs.first().map_or_else(|| PathBuf::from("solock-plots"), beside);
    let kept = Kept::beside(&store, &runs);
    super::leave_no_half()?;
    let beside = args.out.as_ref().unwrap_or(&beside);
    print(&write(&runs, Around { kept, foreign }, beside)?)?;
    Ok(EXIT_OK)
}

/// Where figures go when nobody says: a folder beside the run's file, which git ignores there.
#[must_use]
pub fn beside(run: &Run) -> PathBuf {
    run.path.with_file_name(format!("{}.plots", run.id))
}

/// Draws a run that was just recorded, beside its file. What cannot be drawn is said, and is no
/// reason to call the run itself a failure.
///
/// # Errors
/// Standard output cannot be written.
pub fn recorded(store: &Store, id: &str) -> Result<(), String> {
    super::leave_no_half()?;
    let drawn = store.read(id).map_err(|error| error.to_string()).and_then(|run| {
        let (folder, runs) = (beside(&run), [run]);
        let kept = Kept::beside(store, &runs);
        write(&runs, Around { kept, foreign: Vec::new() }, &folder)
    });
    print(&drawn.unwrap_or_else(|why| format!("no figures: {why}\n")))
}

/// What stands beside runs.
#[derive(Debug, Default)]
pub struct Around {
    /// What other kept runs say.
    pub kept: Kept,
    /// Numbers of others.
    pub foreign: Vec<Foreign>,
}

/// Writes the figures of runs; the answer says where, and what could not be drawn.
///
/// # Errors
/// There is nothing to draw, or a file cannot be written.
pub fn write(runs: &[Run], around: Around, folder: &Path) -> Result<String, String> {
    let backends = matrix::backends().into_iter().map(|backend| backend.name.to_owned()).collect();
    // Only a history has an order.
    let commits = if runs.len() > 1 { history::commits() } else { Ok(Vec::new()) };
    let reference = summary::reference(runs, REFERENCE);
    let options = Options {
        backends,
        words: words(&reference),
        reference,
        kept: around.kept,
        foreign: around.foreign,
        commits: commits.clone().unwrap_or_default(),
    };
    let plots = Plots::of(runs, &options).map_err(|error| error.to_string())?;
    let written = plots.write(folder).map_err(|error| error.to_string())?;
    let mut text = format!(
        "report: {}\nfigures: {} SVG and PNG files beside it\n",
        written.report.display(),
        written.files.len()
    );
    if let Err(why) = commits {
        text.push_str(&format!("the history is in the order of time: {why}\n"));
    }
    for missing in &written.missing {
        text.push_str(&format!("not drawn: {missing}\n"));
    }
    Ok(text)
}
