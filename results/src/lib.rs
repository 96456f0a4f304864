#![doc = include_str!("../README.md")]
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
//! * [`element`] is a part of a grid, [`sealed`] its file, with a [`checksum`]; [`collected`] sifts
//!   the files of several machines, and [`machines`] shows them side by side.
//! * [`history`] follows the cells from commit to commit, with the points that [`changes`] finds;
//!   [`history_table`] prints it.

#![forbid(unsafe_code)]

pub mod cell;
pub mod checksum;
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
mod lock_counts;
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
