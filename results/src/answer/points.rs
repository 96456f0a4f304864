//! What each cell says of its ratio.

use super::Words;
use super::questions::{self, Question};
use crate::cell::Cell;
use crate::outward::Printed;
use crate::spoiled::Spoiled;
use crate::summary::{Row, Summary};

/// An interval that lies this near to 1 is no difference, whichever side it lies on: the place of
/// the code alone may be worth as much.
const SAME_MARGIN: f64 = 0.03;
/// One that holds 1 is an answer as long as it lies this near to it.
const NARROW_MARGIN: f64 = 0.05;

/// What a printed interval allows to be said: `ANSWER.md` has the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
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
    pub(super) question: &'a Question,
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

impl<'a> Point<'a> {
    /// Whether it says nothing.
    pub(super) fn is_open(&self) -> bool {
        self.weight == Weight::Open
    }

    /// Whether it took no lock at all.
    pub(super) fn is_lockless(&self) -> bool {
        self.row.acquisitions_per_operation == Some(0.0)
    }

    /// The name of the question it belongs to.
    pub(super) fn asks(&self) -> &'a str {
        if self.is_lockless() { questions::NO_LOCK } else { &self.question.name }
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

/// What the interval of a ratio allows to be said, by its ends as they are printed.
#[must_use]
pub fn weigh(printed: &Printed) -> Weight {
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
pub(super) fn of<'a>(summary: &'a Summary, words: &'a Words) -> Vec<Point<'a>> {
    let rows = summary.rows.iter();
    let mut points: Vec<Point> = rows.filter_map(|row| point(row, summary, words)).collect();
    points.sort_by_key(|point| words.order(&point.row.cell.workload));
    points
}

fn point<'a>(row: &'a Row, summary: &'a Summary, words: &'a Words) -> Option<Point<'a>> {
    let question = words.asks(&row.cell.workload)?;
    let ratio = row.ratio.as_ref()?;
    row.acquisitions_per_operation?;
    let spoiled = summary.spoiled(row);
    let interval = row.interval().filter(|_| spoiled.is_none());
    let printed = interval.map(|found| {
        let own = [found.low, found.high];
        let [low, high] = row.disagreement.map_or(own, |all| [all.low, all.high]);
        Printed::new(found.estimate, low, high)
    });
    debug_assert!(ratio.cell == row.cell.id());
    let weight = printed.as_ref().map_or(Weight::Open, weigh);
    let runs = row.disagreement.map_or(1, |all| all.runs);
    Some(Point { row, question, printed, runs, weight, spoiled })
}

/// What cells of one setting have in common, such as `64-byte stream messages`.
pub(super) fn setting(cell: &Cell) -> String {
    let Cell { socket_type, message_bytes, wait, .. } = cell;
    let wait = if wait == "adaptive" { "" } else { &format!(", waiting by {wait}") };
    format!("{message_bytes}-byte {socket_type} messages{wait}{}", cell.particulars())
}
