//! What can go wrong with figures: what was wrong, what is valid, what to do.

use std::io;
use std::path::PathBuf;

use results::StoreError;
use results::files::Unwritten;
use thiserror::Error;

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum PlotError {
    /// The runs cannot be drawn together, or one is damaged.
    #[error(transparent)]
    Runs(#[from] StoreError),
    /// A histogram is damaged.
    #[error("cell {cell}: {source}")]
    Histogram {
        /// The cell.
        cell: String,
        /// What is wrong with it.
        source: results::histogram::HistogramError,
    },
    /// Nothing was measured and nothing compared.
    #[error(
        "there is nothing to draw: {what}; figures need a run with measured rounds, or a \
         comparison: the command `run` makes one"
    )]
    Nothing {
        /// The runs, and what they hold instead.
        what: String,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {path}: {source}; name another folder with --out DIR")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The plotting library refused a figure.
    #[error("the figure {figure} cannot be drawn: {what}; please report this with the run's file")]
    Draw {
        /// The figure.
        figure: &'static str,
        /// What it said.
        what: String,
    },
}

impl From<Unwritten> for PlotError {
    fn from(Unwritten { path, source }: Unwritten) -> PlotError {
        PlotError::Write { path, source }
    }
}
