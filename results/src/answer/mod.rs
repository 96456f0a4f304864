//! How fine should the lock be? Sentences made from the intervals of a run, and never beyond them.
//!
//! A cell says something where its ratio to the reference has an interval of 95 % at least; what it
//! says is decided by the interval as it is printed, rounded outward. `ANSWER.md` has the rules.
//!
//! A run's interval is that run's. Where the kept runs of the same program clearly do not agree
//! (`crate::agreement`), what is said is decided by the lowest and the highest end of all of them,
//! and these are printed in its place.
//!
//! 3 % is more than the place of the code is worth, which pairs of processes cannot show. A cell
//! beside one that differs from itself, or whose threads were more than the CPUs or not pinned,
//! says nothing, and it is said that it does not. Of what was not measured nothing is said, and a
//! backend whose locks cannot be seen, as those of a kernel's own sockets, is not ranked. An
//! interval that stayed wider than was asked for is told with what was recorded of why. What the
//! two CPUs were to each other is said last, with the ratios that clearly hung on it.

mod clauses;
mod open;
mod points;
mod questions;
mod reasons;
mod render;
mod two_cpus;
mod widths;

use crate::cell::Cell;
use crate::ratio::Answer;
use crate::run::Run;
use crate::summary::Summary;

use points::Point;
use widths::Recorded;

pub use points::{Weight, weigh};
pub use questions::Question;
pub use render::{SILENCE, TITLE, text, tied};

/// What sentences are made with: how a backend is called, and what a workload asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// By the backend's name, such as `("per-socket", "a lock per socket")`, in the order in which
    /// they are told; others are called by their names, behind them.
    pub backends: Vec<(String, String)>,
    /// The names of those whose locks are finer than the reference's: of no other is it said that
    /// finer is slower.
    pub finer: Vec<String>,
    /// What each workload asks, by its name, in the order of the answer. Of others nothing is said:
    /// their operations per second are no answer.
    pub questions: Vec<(String, Question)>,
}

impl Words {
    fn of<'a>(&'a self, backend: &'a str) -> &'a str {
        let found = self.backends.iter().find(|(name, _)| name == backend);
        found.map_or(backend, |(_, words)| words)
    }

    fn is_finer(&self, backend: &str) -> bool {
        self.finer.iter().any(|name| name == backend)
    }

    fn asks(&self, workload: &str) -> Option<&Question> {
        self.questions.iter().find(|(name, _)| name == workload).map(|(_, question)| question)
    }

    /// The place of a workload in the answer.
    fn order(&self, workload: &str) -> Option<usize> {
        self.questions.iter().position(|(name, _)| name == workload)
    }

    fn place(&self, backend: &str) -> usize {
        let found = self.backends.iter().position(|(name, _)| name == backend);
        found.unwrap_or(self.backends.len())
    }
}

/// The sentences about cells that differ in workload, backend and threads alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What they have in common, such as `64-byte stream messages`.
    pub setting: String,
    /// The sentences; what cannot be said, and what the CPUs were, last.
    pub answers: Vec<Answer>,
}

/// All that some runs of one machine answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// The CPUs that were used at most; 0 of no run.
    pub cpus: u32,
    /// In the order in which they were measured.
    pub sections: Vec<Section>,
}

impl Answers {
    /// What the runs say; `summary` is of the same runs, held against those that are kept.
    #[must_use]
    pub fn of(runs: &[Run], summary: &Summary, words: &Words) -> Answers {
        let first = runs.iter().flat_map(Run::measured).next();
        let recorded = Recorded { runs, summary };
        let mut sections: Vec<(Cell, Vec<Point>)> = Vec::new();
        for point in points::of(summary, words) {
            let setting = point.row.cell.setting();
            match sections.iter_mut().find(|(other, _)| *other == setting) {
                Some((_, points)) => points.push(point),
                None => sections.push((setting, vec![point])),
            }
        }
        let section = |(setting, points): (Cell, Vec<Point>)| {
            let mut answers = clauses::answers(&points, summary, words);
            answers.extend(open::answers(&points, recorded));
            answers.extend(recorded.answers(&setting, &points));
            answers.extend(two_cpus::answers(runs, &points));
            for answer in &mut answers {
                answer.started = first.map(|round| round.started.clone()).unwrap_or_default();
                answer.host = first.map(|round| round.host.clone()).unwrap_or_default();
            }
            Section { setting: points::setting(&setting), answers }
        };
        let sections: Vec<Section> = sections.into_iter().map(section).collect();
        Answers {
            cpus: first.map_or(0, |round| round.host.cpus),
            sections: sections.into_iter().filter(|one| !one.answers.is_empty()).collect(),
        }
    }

    /// What stands above a section: the machine, and what its cells have in common.
    #[must_use]
    pub fn head(&self, section: &Section) -> String {
        match self.cpus {
            0 => format!("{}:", section.setting),
            1 => format!("On this machine (1 CPU), {}:", section.setting),
            cpus => format!("On this machine ({cpus} CPUs), {}:", section.setting),
        }
    }

    /// Every sentence.
    pub fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.sections.iter().flat_map(|section| &section.answers)
    }
}
