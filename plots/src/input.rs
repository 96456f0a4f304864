//! What figures are made from: runs of one machine, their summary, and how backends look.

use std::collections::HashMap;
use std::ops::Range;

use results::summary::Row;
use results::{Cell, Measured, Run, Summary, units};

use crate::history::History;
use crate::style::{Palette, Style};

/// What figures are made from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The runs.
    pub runs: &'a [Run],
    /// Their rows, those that differ in the backend and the threads alone next to each other.
    pub summary: &'a Summary,
    /// The history of cells across commits.
    pub history: &'a History,
    palette: Palette,
    groups: Vec<Range<usize>>,
    rounds: HashMap<String, Vec<&'a Measured>>,
}

impl<'a> Input<'a> {
    /// Puts rows into groups and rounds under their cells.
    #[must_use]
    pub fn new(
        runs: &'a [Run],
        summary: &'a Summary,
        history: &'a History,
        backends: &[String],
    ) -> Input<'a> {
        let found = summary.rows.iter().map(|row| row.cell.backend.as_str());
        let mut rounds: HashMap<String, Vec<&Measured>> = HashMap::new();
        for measured in runs.iter().flat_map(Run::measured) {
            rounds.entry(measured.cell.id()).or_default().push(measured);
        }
        Input {
            runs,
            summary,
            history,
            palette: Palette::new(backends, found),
            groups: groups(&summary.rows),
            rounds,
        }
    }

    /// The style of a backend.
    #[must_use]
    pub fn style(&self, backend: &str) -> Style {
        self.palette.style(backend)
    }

    /// The place of a backend among all, in the order of legends.
    #[must_use]
    pub fn place(&self, backend: &str) -> usize {
        self.palette.place(backend)
    }

    /// The backends of some rows, in the order of the palette.
    #[must_use]
    pub fn backends<'b>(&self, rows: impl Iterator<Item = &'b Row>) -> Vec<String> {
        let mut names: Vec<String> = rows.map(|row| row.cell.backend.clone()).collect();
        names.sort_by_key(|name| (self.palette.place(name), name.clone()));
        names.dedup();
        names
    }

    /// Rows that differ in the backend and the threads alone.
    pub fn groups(&self) -> impl Iterator<Item = &'a [Row]> {
        let rows: &'a [Row] = &self.summary.rows;
        self.groups.iter().map(|range| &rows[range.clone()])
    }

    /// Rows that differ in the backend alone.
    pub fn cases(&self) -> impl Iterator<Item = &'a [Row]> {
        self.groups()
            .flat_map(|group| group.chunk_by(|left, right| left.cell.threads == right.cell.threads))
    }

    /// The rounds of a cell, run after run.
    #[must_use]
    pub fn rounds(&self, cell: &Cell) -> &[&'a Measured] {
        self.rounds.get(&cell.id()).map_or(&[], Vec::as_slice)
    }
}

fn groups(rows: &[Row]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for chunk in rows.chunk_by(|left, right| left.cell.family() == right.cell.family()) {
        groups.push(start..start + chunk.len());
        start += chunk.len();
    }
    groups
}

/// What the rows of a group have in common, such as `pairs: stream, 64 B, adaptive`.
#[must_use]
pub fn group_label(cell: &Cell) -> String {
    format!("{}: {}", cell.workload, cell.title())
}

/// The same with the threads.
#[must_use]
pub fn case_label(cell: &Cell) -> String {
    format!("{}, {}", group_label(cell), threads(cell.threads))
}

/// `1 thread`, `2 threads`.
#[must_use]
pub fn threads(count: u32) -> String {
    units::counted(count as usize, "thread")
}
