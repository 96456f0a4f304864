//! `solock show`: the answer and the table of a run, or of several of one machine; of a comparison,
//! its verdicts; of numbers of others, these; a profile.

use crate::tell;
use results::answer::{self, Answers};
use results::{Kept, Record, Run, Store, Summary, foreign_table, summary, table};

use super::{EXIT_OK, print, profile};
use crate::cli::ShowArgs;
use crate::compare::{self, verdicts};
use crate::settings;
use crate::words::{REFERENCE, words};

/// The columns of a table that goes to a file or a pipe.
const COLUMNS: usize = table::COLUMNS_DEFAULT;

/// Shows the table of the runs that were asked for.
///
/// # Errors
/// There is no such run, it is damaged, or the runs are of several machines.
pub fn show(args: &ShowArgs) -> Result<i32, String> {
    let store = Store::at(settings::folder(args.from.as_ref()));
    let runs = args.runs.iter().map(|name| store.read(name).map_err(|error| error.to_string()));
    let runs = runs.collect::<Result<Vec<Run>, String>>()?;
    for run in runs.iter().filter(|run| run.partial) {
        let said = format!("this run is cut short: {} was killed, or goes on\n", run.id);
        if args.json { tell!("{}", said.trim_end()) } else { print(&said)? }
    }
    let (foreign, runs) = super::apart(runs);
    let (compared, runs): (Vec<Run>, Vec<Run>) =
        runs.into_iter().partition(|run| run.compared().next().is_some());
    let (profiled, measured): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(Run::is_profile);
    let kept = Kept::beside(&store, &measured);
    for run in &profiled {
        print(&if args.json { profile_lines(run)? } else { profile::text(run, columns()) })?;
    }
    if args.json && (profiled.is_empty() || !measured.is_empty()) {
        let summary = summarised(&measured, &kept)?;
        print(&ratio_lines(&summary)?)?;
        print(&answer_lines(&measured, &summary)?)?;
    }
    if args.json {
        print(&finding_lines(&measured)?)?;
        print(&lines(foreign.into_iter().map(Record::from))?)?;
        return Ok(EXIT_OK);
    }
    if !measured.is_empty() {
        print(&text(&measured, &kept, args.wide)?)?;
    }
    for run in &compared {
        print(&compare::table::text(&verdicts::stored(run.compared())))?;
    }
    if !foreign.is_empty() {
        let is_first = profiled.is_empty() && measured.is_empty() && compared.is_empty();
        let space = if is_first { "" } else { "\n" };
        print(&(space.to_owned() + &foreign_table::render(&foreign, columns())))?;
    }
    Ok(EXIT_OK)
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line for each cell, and the answer.
    Table,
    /// Every number there is.
    Wide,
    /// A JSON object per line.
    Json,
}

/// What is printed when these runs have ended, `kept` beside them; as JSON the records were printed
/// already.
///
/// # Errors
/// The runs are of several machines.
pub fn ended(runs: &[Run], kept: &Kept, form: Form) -> Result<String, String> {
    match form {
        Form::Json => answer_lines(runs, &summarised(runs, kept)?),
        Form::Table | Form::Wide => text(runs, kept, form == Form::Wide),
    }
}

/// The table of these runs, its closing lines, and the answer; `wide`: every number there is.
///
/// # Errors
/// The runs are of several machines.
pub fn text(runs: &[Run], kept: &Kept, wide: bool) -> Result<String, String> {
    let (summary, columns) = (summarised(runs, kept)?, columns());
    let wide = if wide { table::wide(&summary) } else { String::new() };
    let table = table::render(&summary, columns);
    Ok(wide + &table + "\n" + &answer::text(&answers(runs, &summary), columns))
}

/// The table of these runs and its closing lines, for so many columns.
///
/// # Errors
/// The runs are of several machines.
pub fn table_text(runs: &[Run], kept: &Kept, columns: usize) -> Result<String, String> {
    Ok(table::render(&summarised(runs, kept)?, columns))
}

/// What these runs answer, `kept` beside them, for so many columns.
///
/// # Errors
/// The runs are of several machines.
pub fn answer_text(runs: &[Run], kept: &Kept, columns: usize) -> Result<String, String> {
    Ok(answer::text(&answers(runs, &summarised(runs, kept)?), columns))
}

fn answers(runs: &[Run], summary: &Summary) -> Answers {
    Answers::of(runs, summary, &words(&summary.reference))
}

fn summarised(runs: &[Run], kept: &Kept) -> Result<Summary, String> {
    let mut summary = summary::summarise(runs, &summary::reference(runs, REFERENCE))
        .map_err(|error| error.to_string())?;
    summary.hold_against(kept);
    Ok(summary)
}

/// A line of kind `ratio` for each ratio: those that the runs hold, and what rounds say of the
/// others.
fn ratio_lines(summary: &Summary) -> Result<String, String> {
    let itself = summary.rows.iter().filter_map(|row| row.itself.clone());
    let ratios = summary.rows.iter().filter_map(|row| row.ratio.clone());
    lines(ratios.chain(itself).map(Record::from))
}

/// A line of kind `answer` for each sentence.
fn answer_lines(runs: &[Run], summary: &Summary) -> Result<String, String> {
    let answers = answers(runs, summary);
    lines(answers.iter().cloned().map(Record::from))
}

/// The lines of what a check found, as they were stored.
fn finding_lines(runs: &[Run]) -> Result<String, String> {
    let all = runs.iter().flat_map(|run| &run.records);
    lines(all.filter(|record| matches!(record, Record::Finding(_))).cloned())
}

/// The lines of a profile, as they were stored.
fn profile_lines(run: &Run) -> Result<String, String> {
    let is_shown = |record: &&Record| matches!(record, Record::Profile(_) | Record::Split(_));
    lines(run.records.iter().filter(is_shown).cloned())
}

fn lines(records: impl Iterator<Item = Record>) -> Result<String, String> {
    let mut lines = String::new();
    for record in records {
        lines += &record.to_line().map_err(|error| error.to_string())?;
        lines.push('\n');
    }
    Ok(lines)
}

/// The width of the terminal, or of a file.
pub(super) fn columns() -> usize {
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
}
