//! Grids: cells, sides and machines in one file, measured by whatever scheduler there is.
//!
//! * [`file`](mod@file): what stands in a `grid.toml`; [`flags`]: its cells as flags of `run` and
//!   `compare`; [`machine`]: its machines.
//! * [`elements`]: the groups of cells that are measured together, in their order.
//! * [`measure`]: one of them, in a file that appears whole or not at all; [`alone`]: one at a
//!   time; [`here`]: where this process is, and for which job.
//! * [`slurm`], [`parallel`]: what is handed to a scheduler.
//! * [`report`]: what has come of it.

pub mod alone;
pub mod elements;
pub mod file;
pub mod flags;
pub mod here;
pub mod machine;
pub mod measure;
pub mod parallel;
pub mod report;
pub mod slurm;

pub use elements::Element;
pub use file::Grid;
pub use machine::Machine;
