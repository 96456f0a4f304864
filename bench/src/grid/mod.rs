//! Grids: cells, sides and machines in one file, measured by whatever scheduler there is.
//!
//! * [`flags`]: a table of TOML as flags of `run` and `compare`; [`machine`]: a machine.
//! * [`elements`]: the groups of cells that are measured together.

pub mod elements;
pub mod flags;
pub mod machine;

pub use elements::Element;
pub use machine::Machine;
