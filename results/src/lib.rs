//! Records of runs: the format, the store, the statistics. Knows nothing of locks.
//!
//! * [`record`] is the format, with [`ratio`] and [`compared`], [`mod@line`] its JSON,
//!   [`histogram`] the histograms inside it.
//! * [`store`] is the folder of run files, [`writer`] writes one, [`run`] reads one.
//! * [`summary`] makes the rows of a table from runs, with the statistics of [`stats`];
//!   [`table`] prints them in the units of [`units`].
//! * [`answer`] makes sentences from the ratios, beside those of other runs ([`kept`]); [`outward`]
//!   is how an interval is printed.
//! * [`verdict`] decides comparisons, with the test of [`rank`]; [`multiple`] is for many of them.
//! * [`history`] follows the cells from commit to commit, with the points that [`changes`] finds;
//!   [`history_table`] prints it.

#![forbid(unsafe_code)]

pub mod answer;
pub mod cell;
pub mod changes;
pub mod compared;
pub mod error;
pub mod export;
pub mod histogram;
pub mod history;
pub mod history_table;
pub mod kept;
pub mod line;
pub mod multiple;
pub mod narrow;
pub mod outward;
pub mod rank;
pub mod ratio;
pub mod record;
pub mod run;
pub mod stats;
pub mod store;
pub mod summary;
pub mod table;
pub mod text;
pub mod time;
pub mod units;
pub mod verdict;
pub mod writer;

mod latencies;
mod merged;
mod paired;
mod two_cpus;
mod wide;

pub use cell::Cell;
pub use compared::{Compared, Control, Side, Verdict};
pub use error::StoreError;
pub use export::{ExportError, Format, export};
pub use kept::Kept;
pub use line::LineError;
pub use merged::Quantiles;
pub use ratio::{Answer, Ratio};
pub use record::{
    Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA, Slices, TwoCpus,
};
pub use run::{Run, same_machine};
pub use store::{RunFile, Store};
pub use summary::{Summary, summarise};
pub use writer::RunWriter;
