//! An element of a grid: cells that were measured together on one node, in a file of their own.
//!
//! Each of its lines says in a field `grid` where it comes from, and the last one is of kind
//! `element` (`crate::sealed`).

use serde::{Deserialize, Serialize};

use crate::record::Host;

/// Where a line of an element's file comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The grid, by name.
    pub grid: String,
    /// The element, by name; its last digits are those of all that decides what it measures.
    pub element: String,
    /// The machine, by its name in the grid.
    pub machine: String,
    /// The node, by the name that the scheduler or the system has for it.
    pub node: String,
    /// The job of the scheduler, such as `118_4`; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How many times the scheduler had started this job before.
    pub restarts: u32,
}

/// The last line of an element's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// Where it comes from.
    #[serde(rename = "grid")]
    pub origin: Origin,
    /// How many lines stand before this one.
    pub lines: u64,
    /// CRC-32 of all bytes of the file, with this field empty: eight digits.
    pub checksum: String,
    /// The exit code of the run or comparison.
    pub code: i32,
    /// The CPUs that threads were put on, in the order in which they get them, as `--cpus` reads
    /// them; elements before this field do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<String>,
    /// What the system calls its own start: nodes that share it are one box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The commit the program was built from, if it was built in a checkout.
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    pub dirty: Option<bool>,
    /// CRC-32 of the program's file, where no commit says what it is: eight digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The compiler.
    pub rustc: String,
    /// What it was told.
    pub build: String,
    /// When it began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// When it had ended, in the same form.
    pub ended: String,
    /// The machine, before and after.
    pub host: Host,
}
