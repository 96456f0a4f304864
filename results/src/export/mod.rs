//! A run in the formats of other tools. Nothing that exists is overwritten.

mod bmf;
mod criterion;
mod csv;
mod github;
mod google_benchmark;
mod hgrm;
mod hlog;
mod hyperfine;
mod ministat;
mod names;
mod openmetrics;
mod rows;
mod sample;
mod will_it_scale;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use crate::cell::Cell;
use crate::error::StoreError;
use crate::files::{Batch, Unwritten};
use crate::merged::Round;
use crate::record::Measured;
use crate::run::Run;
use crate::summary::reference;
use crate::time::parse_rfc3339;

/// A format of another tool.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The name used on the command line.
    pub name: &'static str,
    /// What is written, in a few words.
    pub about: &'static str,
    /// What a run must have that there is something to write.
    needs: &'static str,
    /// The files of a run, made in memory.
    contents: fn(&Chosen) -> Result<Vec<Content>, ExportError>,
}

/// Every format, in the order they are listed to users: a file here and its row.
pub static FORMATS: [Format; 11] = [
    hgrm::FORMAT,
    hlog::FORMAT,
    csv::FORMAT,
    criterion::FORMAT,
    ministat::FORMAT,
    google_benchmark::FORMAT,
    bmf::FORMAT,
    github::FORMAT,
    hyperfine::FORMAT,
    will_it_scale::FORMAT,
    openmetrics::FORMAT,
];

impl Format {
    /// The format of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// What of a run is exported.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The run.
    pub run: &'a Run,
    /// Only cells whose name contains this; empty: every cell.
    pub cells: &'a str,
}

impl<'a> Chosen<'a> {
    /// All of a run.
    #[must_use]
    pub fn all(run: &'a Run) -> Chosen<'a> {
        Chosen { run, cells: "" }
    }

    fn is_of(&self, cell: &str) -> bool {
        cell.contains(self.cells)
    }

    /// The rounds.
    fn measured(self) -> impl Iterator<Item = &'a Measured> {
        self.run.measured().filter(move |round| self.is_of(&round.cell_id))
    }

    /// The rounds by cell: groups in the order in which they were first measured; in each the cell
    /// that the run's ratios are to, then the others as they were measured.
    fn by_cell(self) -> Vec<(&'a Cell, Vec<Round<'a>>)> {
        let mut cells: Vec<(&Cell, Vec<Round>)> = Vec::new();
        for measured in self.measured() {
            match cells.iter_mut().find(|(cell, _)| **cell == measured.cell) {
                Some((_, rounds)) => rounds.push((0, measured)),
                None => cells.push((&measured.cell, vec![(0, measured)])),
            }
        }
        let reference = reference(std::slice::from_ref(self.run), "");
        let groups: Vec<Cell> = cells.iter().map(|(cell, _)| cell.group()).collect();
        cells.sort_by_cached_key(|(cell, _)| {
            let group = cell.group();
            (groups.iter().position(|other| *other == group), cell.backend != reference)
        });
        cells
    }
}

/// Why a run cannot be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The run has nothing that the format could hold.
    #[error("run {run} has no {what}, so there is nothing to export as {format}")]
    Nothing {
        /// The run.
        run: String,
        /// What is missing.
        what: String,
        /// The format asked for.
        format: &'static str,
    },
    /// A log has a time for each of its lines, and a metric for each of its points.
    #[error(
        "{path}:{line}: started is {started:?}, which is no time such as 2026-11-23T09:15:00.250Z"
    )]
    Time {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        started: String,
    },
    /// A file of that name is there.
    #[error("{path} exists already and nothing is overwritten; name another folder with --out DIR")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record is damaged.
    #[error(transparent)]
    Run(#[from] StoreError),
}

/// A file to be: its path inside the folder, and what goes into it.
pub type Content = (PathBuf, Vec<u8>);

/// What a run is in another tool's format, in memory: at least one file.
///
/// # Errors
/// The run has nothing to export, or a histogram is damaged.
pub fn contents(chosen: &Chosen, format: &Format) -> Result<Vec<Content>, ExportError> {
    let contents = (format.contents)(chosen)?;
    if contents.is_empty() {
        let run = chosen.run.id.clone();
        let of = match chosen.cells {
            "" => String::new(),
            cells => format!(" of a cell whose name contains {cells:?}"),
        };
        let what = format!("{}{of}", format.needs);
        return Err(ExportError::Nothing { run, what, format: format.name });
    }
    Ok(contents)
}

/// Writes a run in another tool's format; returns the files written.
///
/// # Errors
/// The run has nothing to export, a histogram is damaged, or a file exists or cannot be written.
/// Everything is made in memory first, so that a damaged run writes nothing; and all files appear,
/// or none.
pub fn export(
    chosen: &Chosen,
    format: &Format,
    folder: &Path,
) -> Result<Vec<PathBuf>, ExportError> {
    let contents = contents(chosen, format)?;
    let paths: Vec<PathBuf> = contents.iter().map(|(path, _)| folder.join(path)).collect();
    if let Some(taken) = paths.iter().find(|path| path.exists()) {
        return Err(ExportError::Exists { path: taken.clone() });
    }
    let mut batch = Batch::default();
    for (path, (_, content)) in paths.iter().zip(&contents) {
        batch.add(path, content)?;
    }
    Ok(batch.place_new()?)
}

impl From<Unwritten> for ExportError {
    fn from(Unwritten { path, source }: Unwritten) -> ExportError {
        match source.kind() {
            io::ErrorKind::AlreadyExists => ExportError::Exists { path },
            _ => ExportError::Write { path, source },
        }
    }
}

/// When a round began.
fn started(run: &Run, round: &Measured) -> Result<SystemTime, ExportError> {
    parse_rfc3339(&round.started).ok_or_else(|| ExportError::Time {
        path: run.path.clone(),
        line: run.line_of(round),
        started: round.started.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_taken_meanwhile_is_told_as_one_that_was_taken() {
        let of = |kind: io::ErrorKind| {
            ExportError::from(Unwritten { path: "x".into(), source: kind.into() })
        };
        assert!(matches!(of(io::ErrorKind::AlreadyExists), ExportError::Exists { .. }));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), ExportError::Write { .. }));
    }
}
