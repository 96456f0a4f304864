//! The harness: pinned threads, a measured instrument, slices in turns, and records of all of it.
//!
//! It knows no backend and no workload by name: [`matrix`] crosses the two registries and turns
//! every pair into one function pointer, called once per slice; inside it the code is monomorphic.
//!
//! * [`cpus`], [`pool`]: which CPUs there are, and threads that stay on them.
//! * [`clock`], [`meter`], [`noise`]: what one lane measures, and what disturbed it.
//! * [`instrument`], [`echo`]: what the measuring itself costs; [`neighbours`]: what two CPUs are
//!   to each other.
//! * [`slice`](mod@slice): one cell for a fraction of a second; [`session`]: a whole run.
//! * [`settings`], [`plan`], [`measured`]: what was asked, what is done about it, the record of it.
//! * [`turns`], [`protocol`]: slices in turns, each party a process of its own.
//! * [`compare`]: two programs.
//! * [`profile`]: where the time goes, in rounds of their own.
//! * [`fuzzing`]: programs drawn by chance, each finding in a process of its own.
//! * [`grid`](mod@grid): cells on any number of machines.
//! * [`git`](mod@git): asked about commits; [`children`]: processes that were started.
//! * [`program`](mod@program), [`seam`]: the program, and what those of other crates are made of
//!   and written with.
//! * [`cli`], [`number`], [`cmd`], [`tell`](mod@tell): its commands; [`words`]: how its answers call
//!   the backends.

// What a user reads goes through `tell` and `cmd::print`, which do not panic.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod children;
pub mod cli;
pub mod cmd;
pub mod compare;
pub mod echo;
pub mod finding;
pub mod fuzzing;
pub mod git;
pub mod grid;
pub mod instrument;
pub mod neighbours;
pub mod plan;
pub mod profile;
pub mod program;
pub mod progress;
pub mod seam;
pub mod session;
pub mod settings;
pub mod turns;
pub mod words;

pub use program::Program;
pub use serve::{
    added, allocations, clock, complain, cpus, host, interrupt, job, locks, matrix, measured,
    meter, noise, number, pool, protocol, server, slice, tell, valid, watchdog,
};
