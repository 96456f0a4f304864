//! What can go wrong with run files: what was wrong, what is valid, what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::line::LineError;

/// Why a run cannot be written, found or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder cannot be written.
    #[error(
        "cannot write to the folder {folder}: {source}; run files go there: make it writable, or \
         name another with --out DIR"
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}; what it holds so far stays readable")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name at which a run should end is taken.
    #[error(
        "{path} exists already and nothing is overwritten; the whole run is in {partial}: rename \
         it by hand"
    )]
    Exists {
        /// The name that is taken.
        path: PathBuf,
        /// Where the run is.
        partial: PathBuf,
    },
    /// A record that must not be stored.
    #[error("a record of cell {cell} cannot be stored: {source}")]
    Record {
        /// The cell, if the record names one.
        cell: String,
        /// Why.
        source: LineError,
    },
    /// A damaged line.
    #[error("{path}:{line}: {source}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: LineError,
    },
    /// A text that is no histogram.
    #[error("{path}:{line}: {source}")]
    Histogram {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: crate::histogram::HistogramError,
    },
    /// A line of several machines.
    #[error(
        "{path}:{line}: another machine than in {first_path}:{first_line} ({what}); records of \
         different machines are never mixed: read them apart"
    )]
    Machines {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The file of the other machine.
        first_path: PathBuf,
        /// The line of the other machine.
        first_line: usize,
        /// The field that differs, and both values.
        what: String,
    },
    /// A finished run without a line.
    #[error("{path}:1: the file holds no record; a finished run has at least one")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Longer than any run file of ours.
    #[error("cannot read {path}: {source}: is it a run file?")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length, and the longest that is read.
        source: io::Error,
    },
    /// No run of that name.
    #[error(
        "there is no run {run:?} in {folder}; a run is a path, an id, the unique beginning of one, \
         or `last`; {known}"
    )]
    Unknown {
        /// What was asked for.
        run: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The newest ids there, as a sentence.
        known: String,
    },
    /// Several runs whose ids begin so.
    #[error("{run:?} is the beginning of several runs in {folder}: {known}; add characters")]
    Ambiguous {
        /// What was asked for.
        run: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The ids that match.
        known: String,
    },
}
