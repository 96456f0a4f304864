//! `solock history`: each cell's figures from commit to commit, over the stored runs of this
//! machine.

use std::path::Path;

use results::history::{Series, history, left_out, of_one_build, without_ratio};
use results::{Host, Record, Run, Store, history_table};
use serde::Serialize;

use super::{EXIT_OK, print, show};
use crate::cli::HistoryArgs;
use crate::cpus::Cpus;
use crate::words::REFERENCE;
use crate::{complain, git, host, settings};

/// One line of `solock history --json`.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "history")]
struct Line<'a> {
    #[serde(flatten)]
    series: &'a Series,
}

/// Shows the history of the cells that were asked for.
///
/// # Errors
/// The folder cannot be read, or holds no run of this machine, or no such cell.
pub fn run(args: &HistoryArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let (runs, mut notes) = of_this_machine(&store)?;
    let (runs, others) = of_one_build(runs);
    notes.extend(left_out(others));
    let commits = commits().unwrap_or_else(|why| {
        notes.push(format!("runs are in the order of time, as commits are not known: {why}"));
        Vec::new()
    });
    let mut series = history(&runs, &commits, REFERENCE).map_err(|error| error.to_string())?;
    if let Some(pattern) = &args.cell {
        let known = names(&series);
        series.retain(|series| series.cell.id().contains(pattern));
        if series.is_empty() {
            return Err(format!("no cell's name contains {pattern:?}; there are:\n{known}"));
        }
    }
    let missing = without_ratio(&series, REFERENCE);
    if missing > 0 {
        notes.push(format!(
            "without a ratio: {missing} figures; too few rounds for an interval of 95 %, or \
             {REFERENCE} was not measured beside them or differed from itself"
        ));
    }
    if args.json {
        notes.iter().for_each(|note| complain!("{note}"));
        print(&json(&series)?)?;
    } else {
        print(&history_table::render(&series, &notes, show::columns()))?;
    }
    Ok(EXIT_OK)
}

/// The runs of this machine, and what is to be said of the others.
fn of_this_machine(store: &Store) -> Result<(Vec<Run>, Vec<String>), String> {
    let host = host::describe(&Cpus::allowed()?);
    let (mut runs, mut notes, mut others) = (Vec::new(), Vec::new(), 0);
    for file in store.list().map_err(|error| error.to_string())? {
        match Run::read(&file) {
            Ok(run) if run.is_foreign() => {}
            Ok(run) if machine(&run).is_some_and(|there| *there != host) => others += 1,
            Ok(run) => runs.push(run),
            Err(error) => notes.push(format!("left out: {error}")),
        }
    }
    if others > 0 {
        notes.push(format!("runs of other machines left out: {others}"));
    }
    if runs.is_empty() {
        notes.insert(0, format!("no run of this machine is in {}", store.folder().display()));
        return Err(notes.join("\n"));
    }
    Ok((runs, notes))
}

fn machine(run: &Run) -> Option<&Host> {
    run.records.iter().find_map(Record::host)
}

/// Every commit of the checkout that one stands in, parents before children.
///
/// # Errors
/// git's own words.
pub(super) fn commits() -> Result<Vec<String>, String> {
    let all = git::text(Path::new("."), &["rev-list", "--topo-order", "--reverse", "--all"])?;
    Ok(all.lines().map(str::to_owned).collect())
}

/// The cells, each once, a line each.
fn names(series: &[Series]) -> String {
    let mut names: Vec<String> = series.iter().map(|series| series.cell.id()).collect();
    names.sort();
    names.dedup();
    names.join("\n")
}

fn json(series: &[Series]) -> Result<String, String> {
    let mut lines = String::new();
    for series in series {
        lines += &serde_json::to_string(&Line { series }).map_err(|error| error.to_string())?;
        lines.push('\n');
    }
    Ok(lines)
}
