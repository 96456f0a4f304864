//! The program as its users meet it: what it is asked, what it says and keeps, how it ends.
//!
//! One test program, and not one for each file: it is linked once, and tests that wait for other
//! processes wait at the same time.

mod building;
mod byo;
#[cfg(unix)]
mod checkout;
mod checkouts;
mod cli;
mod common;
mod compare;
mod copies;
mod formats;
mod fuzz;
mod grids;
mod history;
mod inputs;
mod locks;
mod profile;
mod recipe;
mod refusals;
mod run;
mod serve;
mod signals;
mod whole;
