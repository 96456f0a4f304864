//! Grids, as their users meet them: measured here, interrupted and gone on with; by GNU parallel;
//! by a real Slurm.
#![cfg(target_os = "linux")]

mod here;
mod night;
mod parallel;
mod slurm;
