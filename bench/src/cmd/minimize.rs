//! `solock minimize`: the smallest program that still fails in the same way.

use super::{EXIT_OK, print, replay};
use crate::cli::MinimizeArgs;
use crate::complain;
use crate::fuzzing::{self, EXIT_FOUND, Found, candidate};
use programs::{Program, minimize};

/// Minimizes a program that fails; exit code 2 if it does, 0 if it does not fail at all.
///
/// # Errors
/// The file cannot be read or written, or is no program; an unknown backend.
pub fn run(args: &MinimizeArgs) -> Result<i32, String> {
    let mut program = replay::read(&args.file)?;
    if !args.backend.is_empty() {
        program.backends = fuzzing::expand(&args.backend)?;
    }
    fuzzing::targets_for(&program, &[])?;
    let Some(found) = candidate::run(&program)? else {
        complain!("the program finds nothing; there is nothing to minimize");
        return Ok(EXIT_OK);
    };
    let text = text_of(&smallest(&program, &found)?, &found);
    match &args.out {
        Some(file) => {
            super::leave_no_half()?;
            results::files::replace(file, text.as_bytes())
                .map_err(|error| format!("cannot write {error}"))?;
        }
        None => print(&text)?,
    }
    Ok(EXIT_FOUND)
}

/// The smallest program found that fails like `found`, each candidate run in a process of its own.
///
/// # Errors
/// A process could not be started.
pub fn smallest(program: &Program, found: &Found) -> Result<Program, String> {
    let mut program = program.clone();
    program.backends = vec![found.backend.clone()];
    let mut failed = None;
    let smallest = minimize(&program, |candidate| match candidate::run(candidate) {
        Ok(Some(other)) => found.is_like(&other),
        Ok(None) => false,
        Err(error) => {
            failed = Some(error);
            false
        }
    });
    failed.map_or(Ok(smallest), Err)
}

/// The file of a program that fails.
#[must_use]
pub fn text_of(program: &Program, found: &Found) -> String {
    format!("# {}: {}\n{program}", found.backend, found.kind)
}
