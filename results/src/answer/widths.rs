//! Intervals that stayed wider than the run was asked for, and what it recorded of why.
//!
//! An interval is wide because its launches were few, or because they differed. What made them
//! differ is in no record; what the machine did beside them is. So what is out of the ordinary
//! there is said, without a word of what it did to the ratio; where nothing is, nothing is said.

use super::open;
use super::points::Point;
use super::questions;
use super::two_cpus;
use crate::cell::Cell;
use crate::narrow::{self, PAIRS_MIN};
use crate::ratio::Answer;
use crate::record::Slices;
use crate::run::Run;
use crate::summary::{Row, Summary};

/// A smaller share of slices that had to be repeated is nothing out of the ordinary.
const REPEATED_MIN: f64 = 0.1;

/// What runs recorded of their rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recorded<'a> {
    pub(super) runs: &'a [Run],
    pub(super) summary: &'a Summary,
}

impl<'a> Recorded<'a> {
    /// A sentence for each reason why intervals of this setting are too wide; where none is known
    /// nothing is said, and those of `points` that say nothing are told elsewhere.
    pub(super) fn answers(&self, setting: &Cell, points: &[Point]) -> Vec<Answer> {
        let is_told_elsewhere =
            |row: &Row| points.iter().any(|point| point.is_open() && point.row.cell == row.cell);
        let rows = self.summary.rows.iter().filter(|row| row.cell.setting() == *setting);
        let rows: Vec<&Row> =
            rows.filter(|row| self.wider_than(row).is_some() && !is_told_elsewhere(row)).collect();
        let mut reasons: Vec<(String, Vec<&[&Row]>)> = Vec::new();
        for group in rows.chunk_by(|one, other| one.cell.group() == other.cell.group()) {
            let Some(reason) = self.reason(group) else { continue };
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, groups)) => groups.push(group),
                None => reasons.push((reason, vec![group])),
            }
        }
        reasons.iter().map(|(reason, groups)| answer(reason, groups)).collect()
    }

    /// What was asked for, and what is known of why it was not reached.
    fn reason(&self, rows: &[&Row]) -> Option<String> {
        let why = self.why(rows)?;
        let percent = self.wider_than(rows.first()?)? * 100.0;
        // The arithmetic is not exact, and nobody asks for less than a thousandth.
        let percent = (percent * 1000.0).round() / 1000.0;
        Some(format!("wider than the {percent} % asked for: {why}"))
    }

    /// The share that was asked for, if a run that had a budget left the interval wider.
    fn wider_than(&self, row: &Row) -> Option<f64> {
        let ratio = row.ratio.as_ref().filter(|ratio| ratio.budget_seconds.is_some())?;
        let interval = row.interval().filter(|_| self.summary.spoiled(row).is_none())?;
        ratio.within.filter(|within| narrow::half_width(&interval) > within * (1.0 + 1e-9))
    }

    /// What is out of the ordinary behind the ratios of rows of one group, in a few words.
    pub(super) fn why(&self, rows: &[&Row]) -> Option<String> {
        let interrupted = self.runs.iter().any(Run::interrupted);
        let interrupted = interrupted.then(|| "the run was interrupted".to_owned());
        let all = [interrupted, few(rows), self.repeated(rows), self.cpus(rows)];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// What became of the slices, the reference's among them.
    fn repeated(&self, rows: &[&Row]) -> Option<String> {
        let reference = rows.first()?.cell.on(&self.summary.reference);
        let reference = self.summary.rows.iter().find(|row| row.cell == reference);
        let all = rows.iter().copied().chain(reference).filter_map(|row| row.slices);
        let all = all.reduce(Slices::plus)?;
        let repeated = all.measured() - u64::from(all.kept);
        let share = repeated as f64 / all.measured().max(1) as f64;
        (share >= REPEATED_MIN).then(|| {
            let causes = causes(&all, repeated).map_or_else(String::new, |why| format!(", {why}"));
            format!("{:.0} % of the slices had to be repeated{causes}", share * 100.0)
        })
    }

    /// Whether the first two CPUs were always the same to each other.
    fn cpus(&self, rows: &[&Row]) -> Option<String> {
        let is_one = |cell: &Cell| rows.iter().any(|row| row.cell == *cell);
        two_cpus::changes(self.runs, is_one)
    }
}

/// The sentence for groups of one reason.
fn answer(reason: &str, groups: &[&[&Row]]) -> Answer {
    let names: Vec<String> = groups.iter().map(|rows| open::group(rows)).collect();
    Answer {
        question: questions::WIDTHS.to_owned(),
        sentence: format!("{}: {reason}", names.join("; ")),
        cells: groups.iter().copied().flatten().map(|row| row.cell.id()).collect(),
        ..Answer::default()
    }
}

/// Whether there were too few pairs for any interval to end a run.
fn few(rows: &[&Row]) -> Option<String> {
    let pairs = rows.iter().filter_map(|row| Some(row.ratio.as_ref()?.pairs));
    let (low, high) = (pairs.clone().min()?, pairs.max()?);
    let pairs = if low == high { low.to_string() } else { format!("{low} to {high}") };
    (high < PAIRS_MIN).then(|| format!("only {pairs} pairs of processes"))
}

/// What most of the slices were repeated for, or each of them; a slice can have several reasons.
fn causes(all: &Slices, repeated: u64) -> Option<String> {
    let causes = all.causes().into_iter().map(|(count, why)| (u64::from(count), why));
    let (count, why) = causes.max_by_key(|(count, _)| *count)?;
    let how_many = if count >= repeated { "" } else { "most " };
    (2 * count > repeated).then(|| format!("{how_many}because {why}"))
}
