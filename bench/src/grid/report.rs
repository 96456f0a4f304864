//! What has come of a grid: what is there, what is missing, what is set aside and why; and the
//! machines side by side.

use std::path::PathBuf;

use results::answer::{self, Answers};
use results::collected::{Collected, Fault, Machine};
use results::text::wrapped;
use results::{Kept, Verdict, machines, summarise, summary};

use super::Grid;
use super::measure::WORK;
use crate::cmd::EXIT_OK;
use crate::compare::verdicts::{EXIT_SLOWER, EXIT_UNCLEAR};
use crate::words::{REFERENCE, words};
use lockimpls::witness::EXIT_FINDING;

/// What a line that belongs to the one above begins with.
const INDENT: &str = "    ";

/// What is in these folders; none are the grid's own.
///
/// # Errors
/// A folder cannot be read.
pub fn collected(grid: &Grid, folders: &[PathBuf]) -> Result<Collected, String> {
    let own = [grid.out.clone()];
    let folders = if folders.is_empty() { &own[..] } else { folders };
    let is_begun = folders != own || grid.out.exists();
    Collected::read(if is_begun { folders } else { &[] }, &grid.expected())
}

/// What is there, for so many columns.
#[must_use]
pub fn status(grid: &Grid, collected: &Collected, columns: usize) -> String {
    let mut text = String::new();
    if collected.machines.is_empty() {
        let count = grid.elements.len();
        text += &format!("nothing of {count} elements yet; {}\n", grid.out.display());
    }
    for machine in &collected.machines {
        text += &wrapped(&machines::heading(machine), "", INDENT, columns);
    }
    text + &shortcomings(grid, collected, columns)
}

/// What is missing, and what is set aside, for so many columns.
#[must_use]
pub fn shortcomings(grid: &Grid, collected: &Collected, columns: usize) -> String {
    let missing = collected.machines.iter().map(|machine| missing(grid, machine, columns));
    missing.collect::<String>() + &faults(grid, collected, columns)
}

fn missing(grid: &Grid, machine: &Machine, columns: usize) -> String {
    let number = |id: &String| grid.elements.iter().position(|element| element.id == *id);
    let numbers: Vec<usize> = machine.missing.iter().filter_map(number).collect();
    if numbers.is_empty() {
        return String::new();
    }
    let numbers = super::slurm::ranges(&numbers);
    wrapped(&format!("missing: {}: {numbers}", machine.name), "", INDENT, columns)
}

/// What is set aside; those that a killed process left behind in the grid's own folder as a number.
fn faults(grid: &Grid, collected: &Collected, columns: usize) -> String {
    let work = grid.out.join(WORK);
    let is_left = |fault: &&Fault| fault.path.starts_with(&work);
    let mut text = String::new();
    for fault in collected.faults.iter().filter(|fault| !is_left(fault)) {
        let line = format!("{}: {}", fault.path.display(), fault.why.text());
        text += &wrapped(&format!("set aside: {line}"), "", INDENT, columns);
    }
    let left = collected.faults.iter().filter(is_left).count();
    if left > 0 {
        let what = "of elements that are under way, or were cut short and are measured anew";
        text += &wrapped(&format!("{left} files {what}: {}", work.display()), "", INDENT, columns);
    }
    text
}

/// The machines side by side, then the answer of each, for so many columns.
///
/// # Errors
/// A histogram is damaged.
pub fn text(collected: &Collected, columns: usize) -> Result<String, String> {
    let lines = machines::lines(collected, REFERENCE).map_err(|error| error.to_string())?;
    let mut text = machines::render(collected, &lines, columns);
    for machine in &collected.machines {
        if let Some(answers) = answers(machine)? {
            text += "\n";
            text += &wrapped(&machines::heading(machine), "", INDENT, columns);
            text += &answer::text(&answers, columns);
        }
    }
    Ok(text)
}

/// The same as a page.
///
/// # Errors
/// A histogram is damaged.
pub fn page(grid: &Grid, collected: &Collected) -> Result<String, String> {
    let lines = machines::lines(collected, REFERENCE).map_err(|error| error.to_string())?;
    let answers: Result<Vec<_>, String> = collected.machines.iter().map(answers).collect();
    let missing = |machine: &Machine| {
        let count = machine.missing.len();
        (count > 0).then(|| format!("{} has not {count} elements", machine.name))
    };
    let aside =
        |fault: &Fault| format!("set aside: {}: {}", fault.path.display(), fault.why.text());
    let notes = collected.machines.iter().filter_map(missing);
    let notes: Vec<String> = notes.chain(collected.faults.iter().map(aside)).collect();
    Ok(plots::report::page(&grid.name, collected, &lines, &answers?, &notes))
}

/// What a machine answers; nothing where it measured none but comparisons.
///
/// # Errors
/// A histogram is damaged.
pub fn answers(machine: &Machine) -> Result<Option<Answers>, String> {
    let runs = machines::measured(&machine.runs());
    if runs.is_empty() {
        return Ok(None);
    }
    let reference = summary::reference(&runs, REFERENCE);
    let mut summary = summarise(&runs, &reference).map_err(|error| error.to_string())?;
    summary.hold_against(&Kept::default());
    Ok(Some(Answers::of(&runs, &summary, &words(&reference))))
}

/// The exit code: a finding before slower, before what cannot be told or is missing.
#[must_use]
pub fn code(collected: &Collected) -> i32 {
    let has = |verdict: Verdict| {
        let mut lines = collected.sets().flat_map(|set| set.run.compared());
        lines.any(|line| line.verdict == verdict)
    };
    if collected.sets().any(|set| set.element.code == EXIT_FINDING) {
        return EXIT_FINDING;
    }
    if has(Verdict::Slower) {
        return EXIT_SLOWER;
    }
    let unclear = !collected.is_whole() || has(Verdict::Unclear);
    if unclear { EXIT_UNCLEAR } else { EXIT_OK }
}
