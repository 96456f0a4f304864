//! Grids: cells, sides and machines in one file, measured by whatever scheduler there is.
//!
//! * [`flags`]: a table of TOML as flags of `run` and `compare`; [`machine`]: a machine.

pub mod flags;
pub mod machine;

pub use machine::Machine;
