//! Grids: cells, sides and machines in one file, measured by whatever scheduler there is.
//!
//! * [`file`](mod@file): what stands in a `grid.toml`; [`flags`]: its cells as flags of `run` and
//!   `compare`; [`machine`]: its machines.
//! * [`elements`]: the groups of cells that are measured together, in their order.

pub mod elements;
pub mod file;
pub mod flags;
pub mod machine;

pub use elements::Element;
pub use file::Grid;
pub use machine::Machine;
