//! Figures of runs: an SVG and a PNG file for each, and one HTML report that holds them all.
//!
//! Reads records through [`results`], and knows nothing else of solock: no lock, no backend by
//! name.
//!
//! * [`figures`] makes every figure as data: [`figure`], with its [`axis`] and its [`table`], a
//!   file for each in `figures/`.
//! * [`draw`] makes SVG and PNG of a figure; [`report`] makes the page.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use results::answer::{Answers, Words};
use results::files::Batch;
use results::{Foreign, Kept, Run, summarise};

pub mod axis;
pub mod draw;
pub mod error;
pub mod facts;
pub mod figure;
pub mod figures;
pub mod history;
pub mod input;
pub mod latency;
pub mod report;
pub mod style;
pub mod table;
pub mod unit;

pub use error::PlotError;
pub use facts::Facts;
pub use figure::Figure;
pub use history::{HistoryPoint, HistorySeries};
pub use input::Input;

/// The name of the report.
pub const REPORT: &str = "report.html";

/// What the runs do not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The backends in the order of legends; a backend's colour is its place here.
    pub backends: Vec<String>,
    /// The backend that ratios are to.
    pub reference: String,
    /// How the backends are called in sentences.
    pub words: Words,
    /// What other kept runs of the same program say.
    pub kept: Kept,
    /// Numbers of others, which stand in the report beside those of the runs.
    pub foreign: Vec<Foreign>,
    /// The commits, oldest first: the order of the history. Runs of none of them go by time.
    pub commits: Vec<String>,
}

/// Every figure of some runs, and what stands above them.
#[derive(Clone, Debug)]
pub struct Plots {
    /// What the runs say, in sentences; `None` where they measured nothing.
    pub answers: Option<Answers>,
    /// The machine, the program, the noise.
    pub facts: Facts,
    /// Numbers of others.
    pub foreign: Vec<Foreign>,
    /// The figures, those that cannot be drawn included.
    pub figures: Vec<Figure>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub report: PathBuf,
    /// The figures' files.
    pub files: Vec<PathBuf>,
    /// Figures that could not be drawn, each with the reason.
    pub missing: Vec<String>,
}

impl Plots {
    /// Makes the figures.
    ///
    /// # Errors
    /// The runs are of several machines, a histogram is damaged, or there is nothing to draw.
    pub fn of(runs: &[Run], options: &Options) -> Result<Plots, PlotError> {
        let mut summary = summarise(runs, &options.reference)?;
        summary.hold_against(&options.kept);
        let is_shown = |run: &Run| run.compared().next().is_some() || run.splits().next().is_some();
        if summary.rows.is_empty() && !runs.iter().any(is_shown) {
            return Err(nothing(runs));
        }
        let history = history::of_runs(runs, &options.commits, &options.reference)?;
        let input = Input::new(runs, &summary, &history, &options.backends);
        let answers = Answers::of(runs, &summary, &options.words);
        Ok(Plots {
            answers: (!summary.rows.is_empty()).then_some(answers),
            facts: Facts::of(runs, &summary),
            foreign: options.foreign.clone(),
            figures: figures::all(&input)?,
        })
    }

    /// Writes the report, and an SVG and a PNG file for each figure that can be drawn. Files of
    /// these names are replaced, when all of them could be written.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Written, PlotError> {
        let mut batch = Batch::default();
        let mut written = Written { report: folder.join(REPORT), ..Written::default() };
        for figure in &self.figures {
            if let Some(why) = &figure.missing {
                written.missing.push(format!("{}: {why}", figure.title));
                continue;
            }
            for (ending, bytes) in
                [("svg", draw::svg(figure)?.into_bytes()), ("png", draw::png(figure)?)]
            {
                let path = folder.join(format!("{}.{ending}", figure.id));
                batch.add(&path, &bytes)?;
                written.files.push(path);
            }
        }
        batch.add(&written.report, report::html(self)?.as_bytes())?;
        batch.replace()?;
        Ok(written)
    }
}

fn nothing(runs: &[Run]) -> PlotError {
    let what = |run: &Run| match (run.findings().next(), run.interrupted()) {
        (Some(found), _) => format!("run {} ended with a finding ({})", run.id, found.check),
        (None, true) => format!("run {} was interrupted before its first round ended", run.id),
        (None, false) => format!("run {} has no measured round", run.id),
    };
    let all: Vec<String> = runs.iter().map(what).collect();
    let what = if all.is_empty() { "no run was named".to_owned() } else { all.join("; ") };
    PlotError::Nothing { what }
}
