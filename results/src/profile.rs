//! Where the time went: what a profile says of the locks of one class in one cell, and what the
//! time of its operations was spent on. From rounds of their own, in which every lock keeps its
//! times: no operations per second are in them, and none may be made of them.

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::lock_counts::is_none;
use crate::record::{Host, Slices};

/// The locks of one class in one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// [`crate::Cell::id`] of what was run.
    pub cell: String,
    /// The class, by name.
    pub class: String,
    /// What happened to them.
    #[serde(flatten)]
    pub events: Events,
    /// The same by place of acquisition, the hottest first.
    pub sites: Vec<Site>,
    /// The commit the program was built from, if it was built in a checkout.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// When the first round began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

/// What happened to locks: lock_stat's columns, and what was done again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// Times one was taken.
    pub acquisitions: u64,
    /// Of these, times it was not free and was waited for.
    pub contentions: u64,
    /// Acquisitions of a lock that another thread had had last.
    pub acq_bounces: u64,
    /// Waits for a lock that another thread had, or had had last.
    pub con_bounces: u64,
    /// Times one was released and taken again only for the sake of the order.
    pub relocks: u64,
    /// Times the work began anew because the world had changed meanwhile.
    pub retries: u64,
    /// Times a try took one against the order, where a relock would have been needed; left out
    /// where there were none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub saved: u64,
    /// Waits.
    pub wait_ns: Times,
    /// Holds.
    pub hold_ns: Times,
}

/// How long something took, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The shortest; 0 where there was none.
    pub min: u64,
    /// The longest.
    pub max: u64,
    /// All together.
    pub total: u64,
    /// The total over how many there were; 0 where there was none.
    pub avg: f64,
    /// All of them, as in latencies; a place has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<String>,
}

/// The locks of a class that were taken at one place of the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// `file:line`.
    pub at: String,
    /// What happened to them.
    #[serde(flatten)]
    pub events: Events,
}

/// What the time of a cell's operations was spent on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// [`Cell::id`] of the coordinates below.
    #[serde(rename = "cell")]
    pub cell_id: String,
    /// The coordinates, each a field of the line.
    #[serde(flatten)]
    pub cell: Cell,
    /// Operations of the threads that count, in all rounds.
    pub operations: u64,
    /// The time of all threads together, for each operation.
    pub ns_per_operation: Parts,
    /// The same time by the threads' own intervals: what the parts must add up to.
    pub wall_ns_per_operation: f64,
    /// What keeping the profile adds to a lock and its unlock that nobody else wants.
    pub profiling_ns_per_pair: f64,
    /// Such a lock and unlock without it, the checker's part included.
    pub lock_ns_per_pair: f64,
    /// What became of the slices.
    #[serde(default)]
    pub slices: Slices,
    /// The commit the program was built from, if it was built in a checkout.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// When the first round began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

/// Parts of a time, in nanoseconds for each operation. Each moment of a thread is in one: the first
/// that is true of wait, copy, relock, hold, parked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Copying messages, with locks held or without.
    pub copy: f64,
    /// Waiting for locks.
    pub wait: f64,
    /// Holding locks.
    pub hold: f64,
    /// Releasing locks to take them again in order, waits left out.
    pub relock: f64,
    /// Waiting for anything else, with nothing held.
    pub parked: f64,
    /// All else.
    pub rest: f64,
}

impl Split {
    /// Cells that differ in the backend alone, in the order of the first of each.
    #[must_use]
    pub fn cases<'a>(splits: &[&'a Split]) -> Vec<Vec<&'a Split>> {
        let mut cases: Vec<Vec<&Split>> = Vec::new();
        for split in splits {
            match cases.iter_mut().find(|case| case[0].cell.group() == split.cell.group()) {
                Some(case) => case.push(split),
                None => cases.push(vec![split]),
            }
        }
        cases
    }
}

impl Parts {
    /// Every part, by name, as they are shown.
    #[must_use]
    pub fn all(&self) -> [(&'static str, f64); 6] {
        [
            ("copy", self.copy),
            ("wait", self.wait),
            ("hold", self.hold),
            ("relock", self.relock),
            ("parked", self.parked),
            ("rest", self.rest),
        ]
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.all().iter().map(|(_, ns)| ns).sum()
    }
}

impl Times {
    /// Times of this many, with their sum.
    #[must_use]
    pub fn new(count: u64, [min, max]: [u64; 2], total: u64) -> Times {
        let avg = if count == 0 { 0.0 } else { total as f64 / count as f64 };
        Times { min, max, total, avg, histogram: None }
    }
}

impl Events {
    /// What counts, by name.
    #[cfg(feature = "files")]
    pub(crate) fn counts(&self) -> [(&'static str, u64); 9] {
        [
            ("acquisitions", self.acquisitions),
            ("contentions", self.contentions),
            ("acq_bounces", self.acq_bounces),
            ("con_bounces", self.con_bounces),
            ("relocks", self.relocks),
            ("retries", self.retries),
            ("saved", self.saved),
            ("wait_ns.total", self.wait_ns.total),
            ("hold_ns.total", self.hold_ns.total),
        ]
    }
}
