//! What each cell says of its ratio.

use super::questions::{self, Question};
use crate::cell::Cell;
use crate::kept::Kept;
use crate::outward::Printed;
use crate::ratio::Ratio;
use crate::stats::Interval;
use crate::summary::{Row, Summary};

/// An interval that lies this near to 1 is no difference, whichever side it lies on: the place of
/// the code alone may be worth as much.
const SAME_MARGIN: f64 = 0.03;
/// One that holds 1 is an answer as long as it lies this near to it.
const NARROW_MARGIN: f64 = 0.05;

/// What a printed interval allows to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// More than the reference.
    More,
    /// Less.
    Less,
    /// No difference within so many percent.
    Same(u32),
    /// Nothing: it holds 1 and is too wide.
    Open,
}

/// A cell with its ratio.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    /// The cell.
    pub(super) row: &'a Row,
    /// What its workload asks.
    pub(super) question: Question,
    /// Its interval as it is printed, if there is one that may be used; where another run's does
    /// not overlap with it, from the lowest to the highest end of all runs'.
    pub(super) printed: Option<Printed>,
    /// So many runs that interval is over.
    pub(super) runs: u32,
    /// What that allows to be said.
    pub(super) weight: Weight,
    /// Why the interval may not be used, though there is one.
    pub(super) spoiled: Option<Spoiled<'a>>,
}

/// Why an interval may not be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spoiled<'a> {
    /// A cell of its group differs from itself.
    Control(&'a Ratio),
    /// There were more threads than CPUs.
    Oversubscribed,
    /// The threads were not pinned.
    Unpinned,
}

impl Point<'_> {
    /// Whether it says nothing.
    pub(super) fn is_open(&self) -> bool {
        self.weight == Weight::Open
    }

    /// Whether it took no lock at all.
    pub(super) fn is_lockless(&self) -> bool {
        self.row.acquisitions_per_operation == Some(0.0)
    }

    /// The name of the question it belongs to.
    pub(super) fn asks(&self) -> &'static str {
        if self.is_lockless() { questions::NO_LOCK } else { self.question.name }
    }
}

impl Point<'_> {
    /// The ends of its interval, which is the ratio's own where it is over one run.
    pub(super) fn ends(&self) -> [Option<f64>; 2] {
        let ratio = self.row.ratio.as_ref();
        match self.printed.filter(|_| self.runs > 1) {
            Some(printed) => [Some(printed.low), Some(printed.high)],
            None => [ratio.and_then(|found| found.low), ratio.and_then(|found| found.high)],
        }
    }

    /// How many runs the interval is over, where that is more than one.
    pub(super) fn several(&self) -> Option<u32> {
        Some(self.runs).filter(|runs| *runs > 1)
    }
}

/// What a printed interval allows to be said.
pub(super) fn weigh(printed: &Printed) -> Weight {
    let reach = printed.reach_percent();
    let within = |margin: f64| reach <= margin * 100.0;
    let same = Weight::Same(reach as u32);
    match (printed.low > 1.0, printed.high < 1.0) {
        _ if within(SAME_MARGIN) => same,
        (true, _) => Weight::More,
        (_, true) => Weight::Less,
        _ if within(NARROW_MARGIN) => same,
        _ => Weight::Open,
    }
}

/// Every cell that is ranked, in the order of the answer.
pub(super) fn of<'a>(summary: &'a Summary, kept: &Kept) -> Vec<Point<'a>> {
    let rows = summary.rows.iter();
    let mut points: Vec<Point> = rows.filter_map(|row| point(row, summary, kept)).collect();
    points.sort_by_key(|point| questions::place(&point.row.cell.workload));
    points
}

fn point<'a>(row: &'a Row, summary: &'a Summary, kept: &Kept) -> Option<Point<'a>> {
    let question = questions::of(&row.cell.workload)?;
    let ratio = row.ratio.as_ref()?;
    row.acquisitions_per_operation?;
    let spoiled = spoiled(row, summary);
    let interval = row.interval().filter(|_| spoiled.is_none());
    let (interval, runs) = match interval {
        Some(found) => over_runs(found, kept.of(ratio)),
        None => (None, 1),
    };
    let printed = interval.map(|found| Printed::new(found.estimate, found.low, found.high));
    debug_assert!(ratio.cell == row.cell.id());
    Some(Point {
        row,
        question,
        printed,
        runs,
        weight: printed.as_ref().map_or(Weight::Open, weigh),
        spoiled,
    })
}

/// The interval of a run beside those of others: its own where each of them overlaps with it, else
/// from the lowest to the highest end of all; and of how many runs it is.
fn over_runs<'a>(
    own: Interval,
    others: impl Iterator<Item = &'a Ratio>,
) -> (Option<Interval>, u32) {
    let others: Vec<[f64; 2]> =
        others.filter_map(|other| Some([other.low?, other.high?])).collect();
    if others.iter().all(|[low, high]| *low <= own.high && own.low <= *high) {
        return (Some(own), 1);
    }
    let low = others.iter().map(|[low, _]| *low).fold(own.low, f64::min);
    let high = others.iter().map(|[_, high]| *high).fold(own.high, f64::max);
    (Some(Interval { low, high, ..own }), others.len() as u32 + 1)
}

fn spoiled<'a>(row: &'a Row, summary: &'a Summary) -> Option<Spoiled<'a>> {
    if row.flags.unpinned {
        return Some(Spoiled::Unpinned);
    }
    if row.flags.oversubscribed {
        return Some(Spoiled::Oversubscribed);
    }
    let is_beside =
        |other: &&Row| Cell { backend: row.cell.backend.clone(), ..other.cell.clone() } == row.cell;
    let controls = summary.rows.iter().filter(is_beside).filter_map(|row| row.control.as_ref());
    let differs = |control: &&Ratio| {
        control.low.is_some_and(|low| low > 1.0) || control.high.is_some_and(|high| high < 1.0)
    };
    controls.into_iter().find(differs).map(Spoiled::Control)
}

/// What cells have in common that differ in workload, backend and threads alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting(Cell);

impl Setting {
    pub(super) fn of(cell: &Cell) -> Setting {
        let (backend, workload) = (String::new(), String::new());
        Setting(Cell { backend, workload, threads: 0, ..cell.clone() })
    }

    /// In words, such as `64-byte stream messages`.
    pub(super) fn text(&self) -> String {
        let Cell { socket_type, message_bytes, wait, .. } = &self.0;
        let mut text = format!("{message_bytes}-byte {socket_type} messages");
        if wait != "adaptive" {
            text.push_str(&format!(", waiting by {wait}"));
        }
        if let (Some(groups), Some(fan)) = (self.0.groups, self.0.fan) {
            let many = if groups == 1 { "" } else { "s" };
            text.push_str(&format!(", {groups} group{many} of {fan} + {fan}"));
        }
        text + &self.0.surroundings()
    }
}
