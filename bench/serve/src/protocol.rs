//! What `solock run` or `solock compare` and `solock serve` say to each other: one JSON object per
//! line.
//!
//! `PROTOCOL.md` describes it for other programs. An old program must stay comparable, so fields
//! are only added, and readers leave aside what they do not know; anything else makes a new
//! [`PROTOCOL`].

use results::{
    Cell, Checks, FastPath, Finding, HostNoise, Latencies, LockCounts, Measure, Pinning,
};
use serde::{Deserialize, Serialize};

/// The number of the protocol that this program speaks.
pub const PROTOCOL: u32 = 1;

/// What the driver asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Get ready for a cell: answered with [`Say::Prepared`] or [`Say::Refused`].
    Prepare(Prepare),
    /// Measure the cell for a moment: answered with [`Say::Slice`] or [`Say::Refused`].
    Slice(SliceAsked),
    /// Go: not answered.
    End,
}

/// A cell, and where its threads run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prepare {
    /// The coordinates, as in a record.
    pub cell: Cell,
    /// CPU numbers, in the order threads get them; empty: all that are allowed.
    #[serde(default)]
    pub cpus: Vec<usize>,
    /// Whether each thread stays on its CPU.
    pub pin: bool,
    /// What the workload draws from.
    pub seed: u64,
}

/// How long to measure, and what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceAsked {
    /// Operations per second, or latencies.
    pub measure: Measure,
    /// The time measured.
    pub seconds: f64,
    /// The time run before that.
    pub warm_up_seconds: f64,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Say {
    /// The first line, unasked.
    Hello(Hello),
    /// The cell is ready.
    Prepared(Prepared),
    /// It cannot be done, and why; the server goes on.
    Refused {
        /// For a user.
        why: String,
    },
    /// What a slice measured, all checks passed.
    Slice(Box<SliceDone>),
    /// A check found something: the last line, the process ends with code 2.
    Finding(Box<Finding>),
}

/// What program the server is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the server.
    pub protocol: u32,
    /// The commit it was built from, if it was built in a checkout.
    #[serde(default)]
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// The compiler, as `rustc --version` prints it.
    #[serde(default)]
    pub rustc: String,
    /// The backends it knows.
    #[serde(default)]
    pub backends: Vec<String>,
    /// The workloads it knows.
    #[serde(default)]
    pub workloads: Vec<String>,
    /// The locks around the layer that it knows.
    #[serde(default)]
    pub ambient: Vec<String>,
    /// The numbers of workloads' own that it knows, by their names in records; older programs name
    /// none.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// The algorithms of the layer's locks that it knows.
    #[serde(default)]
    pub locks: Vec<String>,
    /// The smallest step of its clock, in nanoseconds.
    #[serde(default)]
    pub clock_step_ns: f64,
}

/// Where the code is that the cell's lanes run, and where they run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Addresses of the function of a throughput slice and of that of a latency slice, counted from
    /// the beginning of the program in memory; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<[u64; 2]>,
    /// Addresses of the calls of the layer, which those functions reach through a table; an old
    /// program has no such table, and leads from `code` to all of its code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<u64>,
    /// Which CPU each thread was given, and has; an old program does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinning: Option<Pinning>,
}

/// A slice; the fields are those of a record of kind `measured`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceDone {
    /// The time in which the operations were done.
    pub seconds: f64,
    /// Operations of all threads that count.
    pub operations: u64,
    /// Operations per second.
    pub operations_per_second: f64,
    /// Operations of each thread that counts.
    #[serde(default)]
    pub operations_per_thread: Vec<u64>,
    /// `paced`: operations per second and thread that were reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_achieved: Option<f64>,
    /// `paced`: some thread did not keep up its rate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overloaded: bool,
    /// A thread never saw the measured time, so that what it did is not in the sums.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_not_run: bool,
    /// By kind of event; empty in a throughput slice.
    #[serde(default)]
    pub latency_ns: Latencies,
    /// Lock operations by class.
    #[serde(default)]
    pub locks: Vec<LockCounts>,
    /// Operations without locks.
    #[serde(default)]
    pub fast_path: FastPath,
    /// Allocations of all threads; an old program does not say.
    #[serde(default)]
    pub allocations: Option<u64>,
    /// What the checks counted: all 0 but the last, or the process would have ended.
    #[serde(default)]
    pub checks: Checks,
    /// What else the machine did.
    #[serde(default)]
    pub host_noise: HostNoise,
}
