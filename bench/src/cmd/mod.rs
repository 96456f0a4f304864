//! The subcommands, one file each. Each answers with the exit code of the process.

pub mod compare;
pub mod controls;
pub mod export;
pub mod fuzz;
pub mod history;
pub mod list;
pub mod minimize;
pub mod plot;
pub mod replay;
pub mod run;
pub mod show;

pub use serve::output::{EXIT_OK, EXIT_USAGE, print, print_to_parent};
