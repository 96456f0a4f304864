//! What the other kept runs of a program say of a run's ratios.
//!
//! A run's interval is that run's: what changes between runs and not within one (where the host
//! puts its virtual CPUs, where the program lies in memory) is in no interval. Whoever kept several
//! runs of one program on one machine has seen it.

use std::path::Path;

use crate::files;
use crate::ratio::{Ratio, THROUGHPUT};
use crate::record::{Host, Measured, Record};
use crate::run::Run;
use crate::store::Store;
use crate::summary::LEVEL;

/// So many runs are looked at, from the newest on.
const RUNS_MAX: usize = 20;
/// The longest first line that is read: lines of ours have some thousand bytes.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The ratios of other runs.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// From other runs: those that may be held against the shown run's.
    ratios: Vec<Ratio>,
}

impl Kept {
    /// The other runs of a store that have the machine and the program of these, with no change to
    /// its commit. With several runs shown there are none: each of those has its own ratios. What
    /// cannot be read is left aside.
    #[must_use]
    pub fn beside(store: &Store, runs: &[Run]) -> Kept {
        let [shown] = runs else { return Kept::default() };
        let Some(first) = shown.measured().next().filter(|line| is_known(line)) else {
            return Kept::default();
        };
        let files = store.list().unwrap_or_default();
        let is_other = |run: &Run| {
            run.id != shown.id && run.measured().next().is_some_and(|line| is_like(line, first))
        };
        let others = files
            .iter()
            .rev()
            .filter(|file| begins_like(&file.path, first))
            .filter_map(|file| Run::read(file).ok())
            .filter(is_other);
        let ratios = others.take(RUNS_MAX).flat_map(|run| comparable(&run, shown));
        Kept { ratios: ratios.collect() }
    }

    /// What the other runs say of the same ratio.
    pub(crate) fn of<'a>(&'a self, ratio: &'a Ratio) -> impl Iterator<Item = &'a Ratio> {
        let is_same = |other: &&Ratio| {
            (&other.cell, &other.against, &other.metric)
                == (&ratio.cell, &ratio.against, &ratio.metric)
        };
        self.ratios.iter().filter(is_same)
    }
}

/// Whether it can be said which program it was.
fn is_known(line: &Measured) -> bool {
    line.commit.is_some() && line.build.is_some() && line.dirty == Some(false)
}

/// Whether two lines are of one program on one machine, and not of one run.
fn is_like(line: &Measured, other: &Measured) -> bool {
    fn program(line: &Measured) -> (&Option<String>, Option<bool>, [&str; 2], &Host) {
        let build = line.build.as_deref().unwrap_or_default();
        (&line.commit, line.dirty, [&line.rustc, build], &line.host)
    }
    program(line) == program(other) && line.started != other.started
}

/// The same, by a file's first line alone: most runs of a folder are of other programs.
fn begins_like(path: &Path, first: &Measured) -> bool {
    let line =
        files::first_line(path, LINE_BYTES_MAX).ok().and_then(|line| String::from_utf8(line).ok());
    let record = line.and_then(|line| Record::from_line(&line).ok());
    record.is_some_and(|record| record.as_measured().is_some_and(|line| is_like(line, first)))
}

/// The ratios of a run that may be held against another's: those with an interval, measured on the
/// same CPUs, in whose group no cell differs from itself.
fn comparable(run: &Run, shown: &Run) -> Vec<Ratio> {
    let cpus = |run: &Run, cell: &str| {
        run.measured().find(|line| line.cell_id == cell).map(|line| line.pinning.asked.clone())
    };
    let is_spoiled = |ratio: &Ratio| {
        let itself = run.ratios().filter(|other| other.is_against_itself());
        itself.into_iter().any(|itself| {
            let differs = itself.low.is_some_and(|low| low > 1.0)
                || itself.high.is_some_and(|high| high < 1.0);
            differs && group(&itself.cell) == group(&ratio.cell)
        })
    };
    let is_fit = |ratio: &&Ratio| {
        let is_said = ratio.low.is_some() && ratio.level >= LEVEL && ratio.metric == THROUGHPUT;
        let is_there = cpus(run, &ratio.cell) == cpus(shown, &ratio.cell);
        is_said && is_there && !ratio.is_against_itself() && !is_spoiled(ratio)
    };
    run.ratios().filter(is_fit).cloned().collect()
}

/// A cell's name without its backend.
fn group(cell: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = cell.split('/').collect();
    if parts.len() > 1 {
        parts.remove(1);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_cell_without_its_backend() {
        assert_eq!(group("pairs/global/stream/64B"), ["pairs", "stream", "64B"]);
        assert_eq!(group("pairs/global"), ["pairs"]);
        assert_eq!(group("what has no parts"), ["what has no parts"]);
    }
}
