//! Records of runs: the format, the store, the statistics. Knows nothing of locks.
//!
//! * [`record`] is the format, [`mod@line`] its JSON, [`histogram`] the histograms inside it.
//! * [`store`] is the folder of run files, [`writer`] writes one, [`run`] reads one.
//! * [`summary`] makes the rows of a table from runs, with the statistics of [`stats`];
//!   [`table`] prints them in the units of [`units`].

#![forbid(unsafe_code)]

pub mod cell;
pub mod compared;
pub mod error;
pub mod export;
pub mod histogram;
pub mod line;
pub mod multiple;
pub mod record;
pub mod run;
pub mod stats;
pub mod store;
pub mod summary;
pub mod table;
pub mod time;
pub mod units;
pub mod verdict;
pub mod writer;

mod merged;

pub use cell::Cell;
pub use compared::{Compared, Control, Side, Verdict};
pub use error::StoreError;
pub use export::{ExportError, Format, export};
pub use line::LineError;
pub use merged::Quantiles;
pub use record::{
    Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA,
};
pub use run::{Run, same_machine};
pub use store::{RunFile, Store};
pub use summary::{Summary, summarise};
pub use writer::RunWriter;
