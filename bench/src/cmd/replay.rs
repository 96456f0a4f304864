//! `solock replay`: runs a program again, in this process.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use workloads::program::check::Bench;
use workloads::program::{Program, parse};

use super::{EXIT_OK, print};
use crate::cli::ReplayArgs;
use crate::fuzzing::{self, EXIT_FOUND, Found};
use crate::watchdog::{self, Watchdog};

/// How often a program runs in one layer: closed sockets are used again in another order, so that
/// the addresses differ from round to round.
const ROUNDS: u32 = 6;
/// How often one with threads does: what it shows hangs on chance.
const ROUNDS_OF_THREADS: u32 = 300;

/// Runs a program on its backends; exit code 2 where it fails.
///
/// # Errors
/// The file cannot be read, or is no program; an unknown backend.
pub fn replay(args: &ReplayArgs) -> Result<i32, String> {
    let program = read(&args.file)?;
    let mut bench = Bench::new(fuzzing::targets_for(&program, &args.backend)?)
        .map_err(|errno| format!("the model could not be made: {errno}"))?;
    if args.json {
        fuzzing::say_findings();
    }
    Watchdog::start(args.hang_limit.map_or(watchdog::LIMIT, Duration::from_secs_f64))?;
    let usual = if program.threads.is_empty() { ROUNDS } else { ROUNDS_OF_THREADS };
    let rounds = args.rounds.unwrap_or(usual);
    for round in 1..=rounds {
        if let Err(difference) = bench.run(&program) {
            let found = Found::of(difference, 0);
            print(&if args.json { found.line() } else { report(&found, round) })?;
            return Ok(EXIT_FOUND);
        }
    }
    if !args.json {
        print(&summary(&bench, &program, rounds))?;
    }
    Ok(EXIT_OK)
}

/// Reads a program; `-` is standard input.
///
/// # Errors
/// It cannot be read, or is no program: the line, what is wrong there, and what is valid.
pub fn read(file: &Path) -> Result<Program, String> {
    let shown = file.display();
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| format!("{shown} cannot be read: {error}"))?;
    parse(&text).map_err(|error| format!("{shown}: {error} (the form: workloads/PROGRAMS.md)"))
}

fn report(found: &Found, round: u32) -> String {
    format!("{}: {} (round {round})\n{}", found.backend, found.kind, found.report)
}

/// What the calls answered, and on which backends.
fn summary(bench: &Bench, program: &Program, rounds: u32) -> String {
    let mut text = String::new();
    for (call, answer) in bench.last_answers(program) {
        text += &format!("{call:<48} {answer}\n");
    }
    text + &format!("nothing found: {rounds} rounds on {}\n", bench.names().join(", "))
}
