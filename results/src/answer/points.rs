//! What each cell says of its ratio.

use super::agreement;
use super::questions::{self, Question};
use crate::cell::Cell;
use crate::kept::Kept;
use crate::outward::Printed;
use crate::ratio::Ratio;
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
    /// Its interval as it is printed, if there is one that may be used; where the kept runs do not
    /// agree, from the lowest to the highest end of all of them.
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
    /// The ratio and the ends of its interval; over several runs, the ends alone.
    pub(super) fn numbers(&self) -> [Option<f64>; 3] {
        match (self.printed.filter(|_| self.runs > 1), &self.row.ratio) {
            (Some(printed), _) => [None, Some(printed.low), Some(printed.high)],
            (None, Some(ratio)) => [ratio.ratio, ratio.low, ratio.high],
            (None, None) => [None; 3],
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
    let mut points: Vec<Point> =
        summary.rows.iter().filter_map(|row| point(row, summary)).collect();
    let beside = |point: &Point| others(point, kept).count();
    // Where there is but one there is nothing to agree with.
    let intervals = points.iter().map(beside).filter(|others| *others > 0).map(|others| others + 1);
    let intervals = intervals.sum();
    points.iter_mut().for_each(|point| point.hold_against(kept, intervals));
    points.sort_by_key(|point| questions::place(&point.row.cell.workload));
    points
}

fn point<'a>(row: &'a Row, summary: &'a Summary) -> Option<Point<'a>> {
    let question = questions::of(&row.cell.workload)?;
    let ratio = row.ratio.as_ref()?;
    row.acquisitions_per_operation?;
    let spoiled = spoiled(row, summary);
    let interval = row.interval().filter(|_| spoiled.is_none());
    let printed = interval.map(|found| Printed::new(found.estimate, found.low, found.high));
    debug_assert!(ratio.cell == row.cell.id());
    let weight = printed.as_ref().map_or(Weight::Open, weigh);
    Some(Point { row, question, printed, runs: 1, weight, spoiled })
}

/// What other runs say of a point's ratio; nothing where its own may not be used.
fn others<'k>(point: &Point<'k>, kept: &'k Kept) -> impl Iterator<Item = &'k Ratio> {
    let ratio = point.row.ratio.as_ref().filter(|_| point.printed.is_some());
    ratio.into_iter().flat_map(|ratio| kept.of(ratio))
}

impl Point<'_> {
    /// Widens the interval to the ends of all runs', where they do not agree; `intervals` are
    /// looked at in all.
    fn hold_against(&mut self, kept: &Kept, intervals: usize) {
        let others: Vec<&Ratio> = others(self, kept).collect();
        let (Some(own), Some(ratio)) = (self.row.interval(), &self.row.ratio) else { return };
        let all = others.iter().copied().chain([ratio]);
        if others.is_empty() || !agreement::do_differ(all.clone(), intervals) {
            return;
        }
        let low = all.clone().filter_map(|ratio| ratio.low).fold(own.low, f64::min);
        let high = all.filter_map(|ratio| ratio.high).fold(own.high, f64::max);
        let printed = Printed::new(own.estimate, low, high);
        (self.printed, self.weight) = (Some(printed), weigh(&printed));
        self.runs = others.len() as u32 + 1;
    }
}

fn spoiled<'a>(row: &'a Row, summary: &'a Summary) -> Option<Spoiled<'a>> {
    if row.flags.unpinned {
        return Some(Spoiled::Unpinned);
    }
    if row.flags.oversubscribed {
        return Some(Spoiled::Oversubscribed);
    }
    let is_beside = |other: &&Row| other.cell.group() == row.cell.group();
    let controls = summary.rows.iter().filter(is_beside).filter_map(|row| row.control.as_ref());
    let differs = |control: &&Ratio| {
        control.low.is_some_and(|low| low > 1.0) || control.high.is_some_and(|high| high < 1.0)
    };
    controls.into_iter().find(differs).map(Spoiled::Control)
}

/// What cells of one setting have in common, such as `64-byte stream messages`.
pub(super) fn setting(cell: &Cell) -> String {
    let Cell { socket_type, message_bytes, wait, .. } = cell;
    let wait = if wait == "adaptive" { "" } else { &format!(", waiting by {wait}") };
    format!("{message_bytes}-byte {socket_type} messages{wait}{}", cell.particulars())
}
