//! Numbers of others: measured by another program, perhaps on another machine. They are shown
//! beside ours and compared with nothing.

use serde::{Deserialize, Serialize};

/// One number that another program measured. It has no machine: nobody wrote down which it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Foreign {
    /// Where it comes from: the name of the file that was imported, or what the user said.
    pub source: String,
    /// The format of that file.
    pub format: String,
    /// What was measured, in the other program's words.
    pub name: String,
    /// How many threads or processes ran at once, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// The number.
    pub value: f64,
    /// Its unit, in the other program's words; empty where it has none.
    pub unit: String,
    /// When it was imported: UTC, RFC 3339, milliseconds.
    pub started: String,
}
