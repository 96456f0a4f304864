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
//! * [`record`] is the format, with [`ratio`], [`compared`] and [`profile`], [`mod@line`] its JSON,
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

pub mod cell;
pub mod compared;
pub mod element;
pub mod foreign;
pub mod histogram;
pub mod profile;
pub mod rank;
pub mod ratio;
pub mod record;
pub mod stats;
pub mod time;
pub mod units;

mod latencies;
mod own;
mod two_cpus;

pub use cell::Cell;
pub use compared::{AgainstItself, Compared, Side, Verdict};
pub use element::{Element, Origin};
pub use foreign::Foreign;
pub use own::Own;
pub use profile::{Events, Parts, Profile, Site, Split, Times};
pub use ratio::{Answer, Ratio};
pub use record::{
    Checks, FastPath, Finding, Host, HostNoise, Instrument, Interrupted, Latencies, Latency,
    LockCounts, Measure, Measured, ON_CPU_SHARE_MIN, Pinning, Record, SCHEMA, Slices, TwoCpus,
};

// Run files, and all that is made of them. rustfmt looks into this macro.
cfg_if::cfg_if! {
    if #[cfg(feature = "files")] {
        pub mod answer;
        pub mod changes;
        pub mod collected;
        pub mod error;
        pub mod export;
        pub mod files;
        pub mod foreign_table;
        pub mod history;
        pub mod history_table;
        pub mod import;
        pub mod kept;
        pub mod line;
        pub mod machines;
        pub mod multiple;
        pub mod narrow;
        pub mod outward;
        pub mod profile_table;
        pub mod run;
        pub mod sealed;
        pub mod store;
        pub mod summary;
        pub mod table;
        pub mod text;
        pub mod verdict;
        pub mod writer;

        mod agreement;
        mod bounds;
        mod merged;
        mod paired;
        mod spoiled;
        mod student;
        mod wide;

        pub use agreement::Disagreement;
        pub use error::StoreError;
        pub use export::{Chosen, ExportError, FORMATS, Format, export};
        pub use import::{IMPORTS, ImportError, ImportFormat, import};
        pub use kept::Kept;
        pub use line::LineError;
        pub use merged::Quantiles;
        pub use run::{Run, same_machine};
        pub use store::{RunFile, Store};
        pub use summary::{Summary, summarise};
        pub use writer::RunWriter;
    }
}
