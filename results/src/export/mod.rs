//! A run in the formats of other tools. Nothing that exists is overwritten.

mod criterion;
mod csv;
mod hgrm;
mod hlog;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::cell::Cell;
use crate::error::StoreError;
use crate::files::{Batch, Unwritten};
use crate::merged::Round;
use crate::run::Run;

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
    contents: fn(&Run) -> Result<Vec<Content>, ExportError>,
}

/// Every format, in the order they are listed to users: a file here and its row.
pub static FORMATS: [Format; 4] = [hgrm::FORMAT, hlog::FORMAT, csv::FORMAT, criterion::FORMAT];

impl Format {
    /// The format of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
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
        what: &'static str,
        /// The format asked for.
        format: &'static str,
    },
    /// A log has a time for each of its lines.
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
type Content = (PathBuf, Vec<u8>);

/// Writes a run in another tool's format; returns the files written.
///
/// # Errors
/// The run has nothing to export, a histogram is damaged, or a file exists or cannot be written.
/// Everything is made in memory first, so that a damaged run writes nothing; and all files appear,
/// or none.
pub fn export(run: &Run, format: &Format, folder: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let contents = (format.contents)(run)?;
    if contents.is_empty() {
        let Format { name: format, needs: what, .. } = *format;
        return Err(ExportError::Nothing { run: run.id.clone(), what, format });
    }
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

/// The rounds of a run by cell, cells in the order they were first measured.
fn by_cell(run: &Run) -> Vec<(&Cell, Vec<Round<'_>>)> {
    let mut cells: Vec<(&Cell, Vec<Round>)> = Vec::new();
    for measured in run.measured() {
        match cells.iter_mut().find(|(cell, _)| **cell == measured.cell) {
            Some((_, rounds)) => rounds.push((0, measured)),
            None => cells.push((&measured.cell, vec![(0, measured)])),
        }
    }
    cells
}

/// A text as part of a file's name or a tag: letters, digits, `.`, `_` and `-`, the rest as `_`,
/// and no dot at the beginning.
fn plain(text: &str) -> String {
    let allowed = |character: char| {
        if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
    };
    let plain: String = text.chars().map(allowed).collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => plain,
    }
}
