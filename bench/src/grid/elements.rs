//! The elements of a grid: groups of cells that must be measured together, each a command line of
//! its own.
//!
//! Cells that differ in the backend alone are one element, with every side. A run measures them in
//! turns, as one group; a comparison measures all of its pairs in one allocation on one node.

use std::time::Duration;

use results::Cell;
use results::checksum::digits;
use results::collected::Wanted;

use super::flags::{Asked, Flags, asked};
use crate::cli::{CompareArgs, RunArgs};
use crate::compare::request::Request;
use crate::cpus::Cpus;
use crate::matrix;
use crate::plan;
use crate::session::{self, Planned};
use crate::settings::Settings;

/// A group of cells that is measured as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its name: the group's, and the digits of its words.
    pub id: String,
    /// Its place in the file, from 0: the order of tables, which is not that of measuring.
    pub place: usize,
    /// The cells, in the order of the group.
    pub cells: Vec<Cell>,
    /// How many comparisons it makes; none for a run.
    pub comparisons: usize,
    /// The longest it may take, building left aside.
    pub longest: Duration,
    /// The words behind `solock`, but for what is the machine's.
    pub words: Vec<String>,
}

/// The cells of one `[[cells]]` of a grid, and the grid's part in them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The flags.
    pub flags: Flags,
    /// The sides of a comparison; none: a run.
    pub sides: Vec<String>,
    /// What is drawn by chance draws from.
    pub seed: u32,
}

/// What an entry comes to.
#[derive(Debug, Default)]
pub struct Elements {
    /// In the order of a run.
    pub elements: Vec<Element>,
    /// What cannot run as asked, and why.
    pub skipped: Vec<String>,
}

impl Entry {
    /// Its elements.
    ///
    /// # Errors
    /// The flags make no sense, or they hang on the machine.
    pub fn elements(&self) -> Result<Elements, String> {
        if !self.flags.has("threads") {
            return Err("`threads` is missing, and its default differs by machine; say which, as \
                        in threads = \"1,2\""
                .into());
        }
        self.check_sides()?;
        match asked(&self.words(&self.flags))? {
            Asked::Run(args) => self.of_run(&args),
            Asked::Compare(args) => self.of_comparison(&args),
        }
    }

    /// A side must mean the same wherever and whenever it is built.
    fn check_sides(&self) -> Result<(), String> {
        let is_wrong = |side: &&String| *side == "." || *side == "last" || side.starts_with('-');
        if let Some(side) = self.sides.iter().find(is_wrong) {
            return Err(format!("side {side:?}: a side of a grid is a commit, by hash or tag"));
        }
        if self.sides.len() == 1 {
            return Err(format!(
                "side {:?} alone cannot be compared; sides = [..] takes two or more",
                self.sides[0]
            ));
        }
        Ok(())
    }

    /// A command line with these flags.
    fn words(&self, flags: &Flags) -> Vec<String> {
        let command = if self.sides.is_empty() { "run" } else { "compare" };
        let sides = self.sides.iter().cloned();
        let seed = format!("--seed={}", self.seed);
        let words = [command.to_owned()].into_iter().chain(sides);
        words.chain(flags.words()).chain([seed]).collect()
    }

    fn of_run(&self, args: &RunArgs) -> Result<Elements, String> {
        let (settings, planned) = planned(args)?;
        let budget = settings.budget.unwrap_or(session::BUDGET_PER_CELL);
        let is_by_rounds = settings.rounds.is_some() && settings.budget.is_none();
        let element = |cells: Vec<Cell>| {
            let mut flags = narrowed(&self.flags, &cells)?;
            if !is_by_rounds {
                let budget = budget * cells.len() as u32;
                flags.set("budget", &[&format!("{}ms", budget.as_millis())]);
            }
            let words = self.words(&flags);
            let Asked::Run(args) = asked(&words)? else { return Err("no run".to_owned()) };
            let (settings, again) = self::planned(&args)?;
            let longest = again.longest(&settings);
            self.element(cells, &groups(&again), Element { longest, words, ..none() })
        };
        let elements = groups(&planned).into_iter().map(element).collect::<Result<_, _>>()?;
        Ok(Elements { elements, skipped: plan::told(&planned.skipped) })
    }

    fn of_comparison(&self, args: &CompareArgs) -> Result<Elements, String> {
        let request = Request::without_sides(args, &Cpus::allowed()?)?;
        let element = |cells: Vec<Cell>| {
            let comparisons = cells.len() * (self.sides.len() - 1);
            let words = self.words(&narrowed(&self.flags, &cells)?);
            let Asked::Compare(args) = asked(&words)? else { return Err("no comparison".into()) };
            let again = Request::without_sides(&args, &Cpus::allowed()?)?;
            let longest = request.budget * comparisons as u32;
            let blank = Element { comparisons, longest, words, ..none() };
            self.element(cells, &alike(again.cells), blank)
        };
        let elements = alike(request.cells).into_iter().map(element).collect::<Result<_, _>>()?;
        Ok(Elements { elements, skipped: request.skipped })
    }

    /// The element of a group, if its words mean this group and nothing else.
    fn element(
        &self,
        cells: Vec<Cell>,
        meant: &[Vec<Cell>],
        blank: Element,
    ) -> Result<Element, String> {
        if meant != [cells.clone()] {
            return Err(format!("no flags mean {} and its group alone", cells[0].id()));
        }
        Ok(Element { cells, ..blank }.named())
    }
}

impl Element {
    /// The same, named by its cells and its words.
    #[must_use]
    pub fn named(self) -> Element {
        let group = self.cells[0].group().id().replace("//", "/");
        let is_kept = |it: char| it.is_ascii_alphanumeric() || ".=+".contains(it);
        let plain: String = group.chars().map(|it| if is_kept(it) { it } else { '-' }).collect();
        let id = format!("{plain}-{}", digits(self.words.join("\n").as_bytes()));
        Element { id, ..self }
    }

    /// What a collection expects of it.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted { id: self.id.clone(), cells: self.cells.iter().map(Cell::id).collect() }
    }

    /// What it is, in words.
    #[must_use]
    pub fn about(&self) -> String {
        let backends: Vec<&str> = self.cells.iter().map(|cell| cell.backend.as_str()).collect();
        format!("{} on {}", plan::describe(&self.cells[0]), backends.join(", "))
    }
}

fn none() -> Element {
    let (id, cells, words) = (String::new(), Vec::new(), Vec::new());
    Element { id, place: 0, cells, comparisons: 0, longest: Duration::ZERO, words }
}

fn planned(args: &RunArgs) -> Result<(Settings, Planned), String> {
    let settings = Settings::new(args, &Cpus::allowed()?)?;
    let planned = session::plan(&settings)?;
    Ok((settings, planned))
}

fn groups(planned: &Planned) -> Vec<Vec<Cell>> {
    let cells = |group: &plan::Group| group.iter().map(|job| job.cell.clone()).collect();
    planned.groups().map(cells).collect()
}

/// Cells that differ in the backend alone, together.
fn alike(cells: Vec<Cell>) -> Vec<Vec<Cell>> {
    let mut groups: Vec<Vec<Cell>> = Vec::new();
    for cell in cells {
        match groups.iter_mut().find(|group| group[0].group() == cell.group()) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    groups
}

/// The flags of an entry, for one group of its cells alone.
fn narrowed(flags: &Flags, cells: &[Cell]) -> Result<Flags, String> {
    let first = &cells[0];
    let mut flags = flags.clone();
    let backends: Vec<&str> = cells.iter().map(|cell| cell.backend.as_str()).collect();
    flags.set("backend", &backends);
    flags.set("workload", &[&first.workload]);
    flags.set("type", &[&first.socket_type]);
    flags.set("size", &[&first.message_bytes.to_string()]);
    flags.set("threads", &[&first.threads.to_string()]);
    flags.set("wait", &[&first.wait]);
    flags.remove("lock");
    if !first.lock.is_empty() {
        flags.set("lock", &[&first.lock]);
    }
    flags.remove("ambient");
    if !first.ambient.is_empty() {
        flags.set("ambient", &[&first.ambient.join(",")]);
    }
    matrix::parameters().for_each(|parameter| flags.remove(parameter.flag));
    for (field, value) in first.own.iter() {
        let known = matrix::parameters().find(|parameter| parameter.field == field);
        let flag = known.ok_or_else(|| format!("no flag gives {field}"))?.flag;
        flags.set(flag, &[&value.to_string()]);
    }
    Ok(flags)
}
