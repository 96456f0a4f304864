//! Records of runs: the format, the store, the statistics. Knows nothing of locks.
//!
//! This crate alone reads any run file of solock. `FORMAT.md` says what a line is, `schema.json` as
//! a JSON Schema.
//!
//! ```
//! use std::path::Path;
//!
//! use results::{Run, RunFile, summarise};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/run.jsonl"));
//!     let run = Run::read(&RunFile::at(path).ok_or("a path with a name")?)?;
//!     let first = run.measured().next().ok_or("a round")?;
//!     println!("{}: {:.0} operations per second", first.cell_id, first.operations_per_second);
//!     // What tables show: rounds together, and ratios with their intervals.
//!     for row in summarise(&[run], "global")?.rows {
//!         if let Some(ratio) = row.interval() {
//!             println!("{}: {:.2}", row.cell.id(), ratio.estimate);
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! * [`record`] is the format, with [`ratio`] and [`compared`], [`mod@line`] its JSON,
//!   [`histogram`] the histograms inside it.
//! * [`store`] is the folder of run files, [`writer`] writes one, [`run`] reads one; [`files`]
//!   appear whole or not at all.
//! * [`summary`] makes the rows of a table from runs, with the statistics of [`stats`];
//!   [`table`] prints them in the units of [`units`].
//! * [`foreign`] numbers are others', which [`import`](mod@import) reads and [`foreign_table`]
//!   prints; [`export`](mod@export) writes runs in the formats of others.
//! * [`answer`] makes sentences from the ratios, beside those of other runs ([`kept`]); [`outward`]
//!   is how an interval is printed.
//! * [`verdict`] decides comparisons, with the test of [`rank`]; [`multiple`] is for many of them.
//! * [`element`] is a part of a grid, [`sealed`] its file; [`collected`] sifts the files of several
//!   machines, and [`machines`] shows them side by side.
//! * [`history`] follows the cells from commit to commit, with the points that [`changes`] finds;
//!   [`history_table`] prints it.

#![forbid(unsafe_code)]

#[cfg(feature = "files")]
pub mod answer;
pub mod cell;
#[cfg(feature = "files")]
pub mod changes;
#[cfg(feature = "files")]
pub mod collected;
pub mod compared;
pub mod element;
#[cfg(feature = "files")]
pub mod error;
#[cfg(feature = "files")]
pub mod export;
#[cfg(feature = "files")]
pub mod files;
pub mod foreign;
#[cfg(feature = "files")]
pub mod foreign_table;
pub mod histogram;
#[cfg(feature = "files")]
pub mod history;
#[cfg(feature = "files")]
pub mod history_table;
#[cfg(feature = "files")]
pub mod import;
#[cfg(feature = "files")]
pub mod kept;
#[cfg(feature = "files")]
pub mod line;
#[cfg(feature = "files")]
pub mod machines;
#[cfg(feature = "files")]
pub mod multiple;
#[cfg(feature = "files")]
pub mod narrow;
#[cfg(feature = "files")]
pub mod outward;
pub mod rank;
pub mod ratio;
pub mod record;
#[cfg(feature = "files")]
pub mod run;
#[cfg(feature = "files")]
pub mod sealed;
pub mod stats;
#[cfg(feature = "files")]
pub mod store;
#[cfg(feature = "files")]
mod student;
#[cfg(feature = "files")]
pub mod summary;
#[cfg(feature = "files")]
pub mod table;
#[cfg(feature = "files")]
pub mod text;
pub mod time;
#[cfg(feature = "files")]
pub mod units;
#[cfg(feature = "files")]
pub mod verdict;
#[cfg(feature = "files")]
pub mod writer;

#[cfg(feature = "files")]
mod agreement;
#[cfg(feature = "files")]
mod bounds;
mod latencies;
#[cfg(feature = "files")]
mod merged;
mod own;
#[cfg(feature = "files")]
mod paired;
#[cfg(feature = "files")]
mod spoiled;
mod two_cpus;
#[cfg(feature = "files")]
mod wide;

#[cfg(feature = "files")]
pub use agreement::Disagreement;
pub use cell::Cell;
pub use compared::{AgainstItself, Compared, Side, Verdict};
pub use element::{Element, Origin};
#[cfg(feature = "files")]
pub use error::StoreError;
#[cfg(feature = "files")]
pub use export::{Chosen, ExportError, FORMATS, Format, export};
pub use foreign::Foreign;
#[cfg(feature = "files")]
pub use import::{IMPORTS, ImportError, ImportFormat, import};
#[cfg(feature = "files")]
pub use kept::Kept;
#[cfg(feature = "files")]
pub use line::LineError;
#[cfg(feature = "files")]
pub use merged::Quantiles;
pub use own::Own;
pub use ratio::{Answer, Ratio};
pub use record::{
    Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA, Slices, TwoCpus,
};
#[cfg(feature = "files")]
pub use run::{Run, same_machine};
#[cfg(feature = "files")]
pub use store::{RunFile, Store};
#[cfg(feature = "files")]
pub use summary::{Summary, summarise};
#[cfg(feature = "files")]
pub use writer::RunWriter;
