//! The harness: pinned threads, a measured instrument, slices in turns, and records of all of it.
//!
//! Other crates begin at [`program!`](crate::program!) and write with [`seam`], which has the
//! guide. The other modules are public for the program `solock`, its tests and its benchmarks
//! alone, and these pages leave them out. solock is used by path or by git: it is on no registry.
//!
//! It knows no backend and no workload by name: `matrix` crosses the two registries. Each side is
//! compiled once: a workload calls a layer through a table (`lockimpls::Layer`), and a slice calls
//! a workload's open sockets through another.
//!
//! * `cpus`, `pool`: which CPUs there are, and threads that stay on them.
//! * `clock`, `meter`, `noise`: what one lane measures, and what disturbed it.
//! * `instrument`, `echo`: what the measuring itself costs; `neighbours`: what two CPUs are
//!   to each other.
//! * `slice`: one cell for a fraction of a second; `session`: a whole run.
//! * `settings`, `plan`, `measured`: what was asked, what is done about it, the record of it.
//! * `turns`, `protocol`: slices in turns, each party a process of its own.
//! * `compare`: two programs.
//! * `profile`: where the time goes, in rounds of their own.
//! * `fuzzing`: programs drawn by chance, each finding in a process of its own.
//! * `grid`: cells on any number of machines.
//! * `git`: asked about commits; `children`: processes that were started.
//! * [`program`](mod@program), [`seam`]: the program, and what those of other crates are made of
//!   and written with.
//! * `cli`, `number`, `cmd`, `tell`: its commands; `words`: how its answers call
//!   the backends.

// What a user reads goes through `tell` and `cmd::print`, which do not panic.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[doc(hidden)]
pub mod children;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod cmd;
#[doc(hidden)]
pub mod compare;
#[doc(hidden)]
pub mod echo;
#[doc(hidden)]
pub mod finding;
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod git;
#[doc(hidden)]
pub mod grid;
#[doc(hidden)]
pub mod instrument;
#[doc(hidden)]
pub mod neighbours;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod profile;
pub mod program;
#[doc(hidden)]
pub mod progress;
pub mod seam;
#[doc(hidden)]
pub mod session;
#[doc(hidden)]
pub mod settings;
#[doc(hidden)]
pub mod turns;
#[doc(hidden)]
pub mod words;

pub use program::Program;
#[doc(hidden)]
pub use serve::{
    added, allocations, clock, complain, cpus, host, interrupt, job, locks, matrix, measured,
    meter, noise, number, pool, protocol, server, slice, tell, valid, watchdog,
};
