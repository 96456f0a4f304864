//! A ratio of one run: a line for each cell that was measured in turns with another one.

use serde::{Deserialize, Serialize};

use crate::record::Host;

/// What is compared when a line does not say: operations per second.
pub const THROUGHPUT: &str = "throughput";

/// One metric of a cell, held against the same metric of another cell that was measured in turns
/// with it; or, where both are one, against itself: what no difference looks like here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// [`crate::Cell::id`] of the cell.
    pub cell: String,
    /// [`crate::Cell::id`] of the cell it is held against; its own name where it is held against
    /// itself (A/A).
    pub against: String,
    /// How many threads ran at once, in both.
    pub threads: u32,
    /// What is compared: `throughput`, or a percentile such as `send_p99`.
    #[serde(default = "throughput")]
    pub metric: String,
    /// The cell's over the other's: Hodges-Lehmann over the pairs; above 1 is more operations per
    /// second, or more nanoseconds. Absent where it has no interval: the pairs were too few, or the
    /// reference differs from itself.
    pub ratio: Option<f64>,
    /// The lower end of its interval; absent with fewer pairs than any interval of the level needs.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The probability with which such intervals cover the truth, all looks together: at least
    /// 0.95 where there is an interval.
    pub level: f64,
    /// Pairs of fresh processes.
    pub pairs: u32,
    /// How narrow it was asked to be: half the interval's width, as a share of the ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// Why it is not, in a few words; or that the host was busy, which it can have been all the
    /// same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the run was allowed to take, all cells together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_seconds: Option<f64>,
    /// The commit the program was built from, if it was built in a checkout.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// When the first pair began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

fn throughput() -> String {
    THROUGHPUT.to_owned()
}

impl Ratio {
    /// Whether the cell is held against itself.
    #[must_use]
    pub fn is_against_itself(&self) -> bool {
        self.cell == self.against
    }

    /// Why there is no narrower interval, without this cell's own numbers behind it.
    #[must_use]
    pub fn why_in_short(&self) -> Option<&str> {
        let why = self.why.as_deref()?;
        Some(why.split_once(": ").map_or(why, |(short, _)| short))
    }

    /// Whether the reference differs from itself, so that no number of pairs would give a ratio:
    /// its `why` begins with `invalid`.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.why_in_short() == Some("invalid")
    }

    /// Whether the host disturbed too much of it: its `why` begins with `host busy`.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.why_in_short() == Some("host busy")
    }

    /// What makes it impossible, if anything does.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let all = [self.ratio, self.low, self.high].into_iter().flatten();
        if !all.into_iter().all(|value| value.is_finite() && value > 0.0) {
            return Some("a ratio is a number above 0");
        }
        if !(0.0..=1.0).contains(&self.level) {
            return Some("a level is a probability");
        }
        // The widest interval there is misses where all pairs lie on one side of the truth.
        let most = 1.0 - 2.0 * 0.5_f64.powf(f64::from(self.pairs));
        if self.low.is_some() && self.level > most + 1e-9 {
            return Some("so few pairs have no interval of its level");
        }
        match (self.ratio, self.low, self.high) {
            (_, None, None) => None,
            (Some(ratio), Some(low), Some(high)) if low <= ratio && ratio <= high => None,
            (Some(_), Some(_), Some(_)) => Some("it lies outside of its interval"),
            _ => Some("an interval has a ratio and two ends"),
        }
    }
}

/// One sentence of the answer that a run gives. These lines are made from a run's other lines
/// whenever the run is shown, and are printed, not stored; read back they are left aside, so that a
/// sentence is never older than its rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked, in a few words: `private pairs`, `one busy pair` ...
    pub question: String,
    /// The sentence.
    pub sentence: String,
    /// [`crate::Cell::id`] of every cell that it speaks of.
    pub cells: Vec<String>,
    /// The ratio that carries it; absent where it has none, or several runs do not agree on it.
    pub ratio: Option<f64>,
    /// The lower end of that ratio's interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// How many kept runs of this program the two ends are over, where they do not agree; absent
    /// where they are this run's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// When the run began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}
