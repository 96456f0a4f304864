//! What has come of a grid: what is there, what is missing, what is set aside and why; and the
//! machines side by side.

use std::path::PathBuf;

use results::answer::{self, Answers};
use results::collected::{Collected, Fault, Machine, PUT_ASIDE, Why};
use results::text::wrapped;
use results::units::counted;
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
        let elements = counted(count, "element");
        text += &format!("nothing yet of {elements}; it will be in {}\n", grid.out.display());
    }
    for machine in &collected.machines {
        text += &wrapped(&machines::heading(machine), "", INDENT, columns);
    }
    text + &shortcomings(grid, collected, columns)
}

/// What is missing, what is there several times, and what is set aside, for so many columns.
#[must_use]
pub fn shortcomings(grid: &Grid, collected: &Collected, columns: usize) -> String {
    let notes = notes(grid, collected);
    notes.iter().map(|note| wrapped(note, "", INDENT, columns)).collect()
}

fn notes(grid: &Grid, collected: &Collected) -> Vec<String> {
    let machines = &collected.machines;
    let missing = machines.iter().filter_map(|machine| missing(grid, machine));
    let doubled = machines.iter().filter_map(|machine| doubled(grid, machine));
    missing.chain(doubled).chain(faults(grid, collected)).collect()
}

/// How many of the elements these are, and which, if there are any.
fn numbers<'a>(grid: &Grid, ids: impl Iterator<Item = &'a str>) -> Option<String> {
    let number = |id| grid.elements.iter().position(|element| element.id == id);
    let mut numbers: Vec<usize> = ids.filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (count, all) = (numbers.len(), counted(grid.elements.len(), "element"));
    (count > 0).then(|| format!("{count} of {all}: {}", super::slurm::ranges(&numbers)))
}

fn missing(grid: &Grid, machine: &Machine) -> Option<String> {
    let numbers = numbers(grid, machine.missing.iter().map(String::as_str))?;
    Some(format!("missing: {}: {numbers}", machine.name))
}

/// Sets of one element stand one after the other.
fn doubled(grid: &Grid, machine: &Machine) -> Option<String> {
    let pairs = machine.sets.windows(2).filter(|pair| pair[0].id() == pair[1].id());
    let numbers = numbers(grid, pairs.map(|pair| pair[0].id()))?;
    Some(format!(
        "doubled: {}: {numbers}, each measured by several nodes: the first one's is shown, and all \
         are held against each other",
        machine.name
    ))
}

/// What is set aside; of the grid's own folder what is left behind and measured anew is counted.
fn faults(grid: &Grid, collected: &Collected) -> Vec<String> {
    let work = grid.out.join(WORK);
    let is_left = |fault: &Fault| fault.path.starts_with(&work);
    let is_put = |fault: &Fault| fault.why == Why::PutAside;
    let others = collected.faults.iter().filter(|fault| !is_left(fault) && !is_put(fault));
    let line =
        |Fault { path, why }: &Fault| format!("set aside: {}: {}", path.display(), why.text());
    let mut notes: Vec<String> = others.map(line).collect();
    let counts = |is: &dyn Fn(&Fault) -> bool| {
        let count = collected.faults.iter().filter(|fault| is(fault)).count();
        (count > 0).then(|| counted(count, "file"))
    };
    notes.extend(counts(&is_left).map(|files| {
        let what = "of elements that are under way, or were cut short and are measured anew";
        format!("{files} {what}: {}", work.display())
    }));
    notes.extend(counts(&is_put).map(|files| {
        format!("{files} put aside, because their elements were to be measured again: *{PUT_ASIDE}")
    }));
    notes
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
    Ok(plots::report::page(&grid.name, collected, &lines, &answers?, &notes(grid, collected)))
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
