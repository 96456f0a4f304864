//! Records of runs: the format, the store, the statistics. Knows nothing of locks.

#![forbid(unsafe_code)]

pub mod histogram;
pub mod line;
pub mod record;
pub mod time;

pub use line::LineError;
pub use record::{
    Cell, Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA,
};
