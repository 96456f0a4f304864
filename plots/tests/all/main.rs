//! Figures as data, their files, and the report, from outside the crate.

#[path = "../common/mod.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, reason = "shared with the browser's test")]
mod common;
mod edges;
mod figures;
mod files;
mod machines;
mod marks;
mod series;
mod tables;
mod top;
