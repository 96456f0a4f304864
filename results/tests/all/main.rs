//! Records, run files, histograms, summaries and exports, from outside the crate.

mod answers;
mod closed;
mod exports;
mod fixture;
mod grids;
mod histograms;
mod histories;
mod imports;
mod kept;
mod lines;
mod narrowing;
mod profiles;
mod runs;
mod schema;
mod summaries;
mod synthetic;
mod tables;
mod trust;
mod two_cpus;
mod verdicts;
mod widths;
