//! `solock`: the program.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    solock::Program::default().main()
}
