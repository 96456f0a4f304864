//! Why a row's ratio may not be used, though it has an interval.

use crate::ratio::Ratio;
use crate::summary::{Row, Summary};

/// Why an interval may not be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spoiled<'a> {
    /// A cell of its group differs from itself.
    Itself(&'a Ratio),
    /// There were more threads than CPUs.
    Oversubscribed,
    /// The threads were not pinned.
    Unpinned,
}

impl Spoiled<'_> {
    /// The same in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Spoiled::Itself(_) => "the reference differs from itself",
            Spoiled::Oversubscribed => "more threads than CPUs",
            Spoiled::Unpinned => "threads unpinned",
        }
    }
}

impl Summary {
    /// Why the ratio of one of the rows may not be used though it may have an interval, in a few
    /// words; `None` where it may.
    #[must_use]
    pub fn why_spoiled(&self, row: &Row) -> Option<&'static str> {
        self.spoiled(row).map(Spoiled::words)
    }

    /// Why the ratio of one of the rows may not be used, if it may not.
    pub(crate) fn spoiled(&self, row: &Row) -> Option<Spoiled<'_>> {
        if row.flags.unpinned {
            return Some(Spoiled::Unpinned);
        }
        if row.flags.oversubscribed {
            return Some(Spoiled::Oversubscribed);
        }
        let is_beside = |other: &&Row| other.cell.group() == row.cell.group();
        let itself = self.rows.iter().filter(is_beside).filter_map(|row| row.itself.as_ref());
        let differs = |itself: &&Ratio| {
            itself.low.is_some_and(|low| low > 1.0) || itself.high.is_some_and(|high| high < 1.0)
        };
        itself.into_iter().find(differs).map(Spoiled::Itself)
    }
}
