//! Records of runs: the format, the store, the statistics. Knows nothing of locks.
//!
//! * [`record`] is the format, [`line`] its JSON, [`histogram`] the histograms inside it.
//! * [`store`] is the folder of run files, [`writer`] writes one, [`run`] reads one.

#![forbid(unsafe_code)]

pub mod error;
pub mod histogram;
pub mod line;
pub mod record;
pub mod run;
pub mod stats;
pub mod store;
pub mod time;
pub mod writer;

pub use error::StoreError;
pub use line::LineError;
pub use record::{
    Cell, Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA,
};
pub use run::{Run, same_machine};
pub use store::{RunFile, Store};
pub use writer::RunWriter;
