//! The verdict on one metric of one cell: a line that a comparison adds to its run file.

use serde::{Deserialize, Serialize};

use crate::record::Host;

/// What a comparison says of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// The second side is better, by more than the threshold, and not by chance.
    Faster,
    /// The second side is worse.
    Slower,
    /// Any difference is too small to matter.
    Same,
    /// It cannot be told.
    #[default]
    Unclear,
}

/// One metric of one cell on two sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// [`crate::Cell::id`] of what was measured.
    pub cell: String,
    /// What was compared: `throughput`, `send_p50`, `send_p99`, or the name of a counter.
    pub metric: String,
    /// What it says.
    pub verdict: Verdict,
    /// Why it cannot be told, in a few words, where that is not just for want of pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The side compared with.
    pub first: Side,
    /// The side compared.
    pub second: Side,
    /// Second over first; above 1 is more operations per second, or more nanoseconds, or more
    /// counted. Absent where there was nothing to divide, or nothing is left.
    pub ratio: Option<f64>,
    /// The lower end of the ratio's interval; absent for counters.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Pairs of processes.
    pub pairs: u32,
    /// Whether the machine code of what was timed is the same on both sides, if that is known.
    pub same_code: Option<bool>,
    /// The smallest change, as a share, that these pairs could have shown.
    pub smallest_visible: Option<f64>,
    /// The same metric with the first side against itself, among the other pairs.
    #[serde(rename = "control")]
    pub itself: Option<AgainstItself>,
    /// Slices measured.
    pub slices: u32,
    /// Of these, slices left out because the host was busy.
    pub slices_rejected: u32,
    /// What the cell took, pairs and rejected slices of all metrics.
    pub seconds: f64,
    /// When it began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

impl Compared {
    /// Whether a side was linked in one order of its functions only.
    #[must_use]
    pub fn is_one_layout(&self) -> bool {
        [&self.first, &self.second].iter().any(|side| side.layouts == Some(1))
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// As the user named it: `HEAD~1`, `.`, a run.
    pub name: String,
    /// The commit it was built from, if it is known.
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    pub dirty: Option<bool>,
    /// The median over the pairs, in the metric's unit.
    pub value: Option<f64>,
    /// In how many orders of its functions the program ran in the pairs; absent for what was
    /// measured before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layouts: Option<u32>,
}

/// A side against itself: what no change looks like here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgainstItself {
    /// The ratio, which should be 1.
    pub ratio: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Pairs of processes.
    pub pairs: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layout_of_either_side_is_one() {
        let of = |layouts: [Option<u32>; 2]| {
            let [first, second] = layouts.map(|layouts| Side { layouts, ..Side::default() });
            Compared { first, second, ..Compared::default() }.is_one_layout()
        };
        for (layouts, expected) in [
            ([None, None], false),
            ([Some(2), Some(40)], false),
            ([Some(1), Some(40)], true),
            ([None, Some(1)], true),
        ] {
            assert_eq!(of(layouts), expected, "{layouts:?}");
        }
    }
}
