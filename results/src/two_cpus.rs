//! What two CPUs were to each other when something was measured on them.

use serde::{Deserialize, Serialize};

/// With private work on both, two CPUs do less than this share of what each does alone where one
/// core runs them: two hardware threads of a core reach a half to two thirds, two cores nearly all.
const ONE_CORE_BELOW: f64 = 0.75;

/// The first two CPUs of a cell, looked at just before its launch. A virtual CPU is wherever its
/// host puts it: on a core of its own or on another's, near or far, and not for long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TwoCpus {
    /// Their numbers.
    pub cpus: [u32; 2],
    /// What both together do of work that shares nothing, over what each does alone, added up: 1 of
    /// two cores, a half where they take turns.
    pub at_once_share: f64,
    /// How long a cache line takes from one to the other and back; absent where it hardly moved,
    /// the two not running at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_round_trip_ns: Option<f64>,
}

impl TwoCpus {
    /// Whether both together did no more than one core does. That is how two hardware threads of a
    /// core look, and also a CPU of which the host took a part just then.
    #[must_use]
    pub fn are_as_one_core(&self) -> bool {
        self.at_once_share < ONE_CORE_BELOW
    }
}
