//! What measures, and nothing else: one cell for a fraction of a second, and the program that does
//! so when it is asked. `solock` measures with this crate, and `solock compare` builds it alone of
//! each side, so what is compared is the machine code that a run measures.
//!
//! It knows no backend and no workload by name: [`matrix`] crosses the two registries. Each side
//! is compiled once: a workload calls a layer through a table ([`lockimpls::Layer`]), and a slice
//! calls a workload's open sockets through another.
//!
//! * [`cpus`], [`pool`]: which CPUs there are, and threads that stay on them.
//! * [`clock`], [`meter`], [`noise`], [`allocations`]: what one lane measures, what disturbed it.
//! * [`added`], [`locks`]: what a program has beside what is built in; locks by name.
//! * [`job`], [`valid`]: one cell, ready to run; what its coordinates can be.
//! * [`slice`](mod@slice), [`measured`]: one cell for a fraction of a second; the record of it.
//! * [`server`], [`protocol`]: slices on demand; [`output`], [`tell`](mod@tell), [`number`]: what
//!   is said and read.
//! * [`interrupt`], [`watchdog`], [`finding`]: what ends it early.
//! * [`host`], [`environment`]: where and from what.

// What a user reads goes through `tell` and `output`, which do not panic.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod added;
pub mod allocations;
pub mod clock;
pub mod cpus;
pub mod environment;
pub mod finding;
pub mod host;
pub mod interrupt;
pub mod job;
pub mod locks;
pub mod matrix;
pub mod measured;
pub mod meter;
pub mod noise;
pub mod number;
pub mod output;
pub mod pool;
pub mod protocol;
pub mod server;
pub mod slice;
pub mod tell;
pub mod valid;
pub mod watchdog;
