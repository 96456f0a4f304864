//! `solock replay`: runs a program again, or a file of cases, in this process.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use programs::cases::{Case, Profile, is_cases, parse_cases};
use programs::check::{Bench, Difference};
use programs::runner::Trace;
use programs::{ParseError, Program, parse};

use super::{EXIT_OK, print};
use crate::cli::ReplayArgs;
use crate::fuzzing::{self, EXIT_FOUND, Found};
use crate::settings;
use crate::valid;
use crate::watchdog::Watchdog;

/// Where the form of what is read is described.
const FORM: &str = "workloads/programs/PROGRAMS.md";

/// How often a program runs in one layer: closed sockets are used again in another order, so that
/// the addresses differ from round to round.
const ROUNDS: u32 = 6;
/// How often a program with threads runs: what it shows depends on chance.
const ROUNDS_OF_THREADS: u32 = 300;

/// The longest text of a program, or of cases, in bytes.
const TEXT_BYTES_MAX: u64 = 16 << 20;

/// Runs a program on its backends, or a file of cases on all that they speak of; exit code 2 where
/// it fails.
///
/// # Errors
/// The file cannot be read, or is no program; an unknown backend.
pub fn replay(args: &ReplayArgs) -> Result<i32, String> {
    args.rounds.map(settings::rounds).transpose()?;
    let hang_limit = valid::hang_limit(args.hang_limit)?;
    let text = text_of(&args.file)?;
    if is_cases(&text) {
        let cases = parse_cases(&text).map_err(|error| no_program(&args.file, &error))?;
        if cases.is_empty() {
            return Err(nothing_in(&args.file, "case"));
        }
        return replay_cases(args, &cases, hang_limit);
    }
    let program = program_of(&text, &args.file)?;
    let mut bench = Bench::new(fuzzing::targets_for(&program, &args.backend)?)
        .map_err(|errno| format!("the model could not be made: {errno}"))?;
    if args.json {
        fuzzing::say_findings();
    }
    Watchdog::start(hang_limit)?;
    let usual = if program.threads.is_empty() { ROUNDS } else { ROUNDS_OF_THREADS };
    let rounds = args.rounds.unwrap_or(usual);
    for round in 1..=rounds {
        if let Err(difference) = bench.run(&program) {
            return say(args, difference, round);
        }
    }
    if !args.json {
        print(&summary(&bench, &program, rounds))?;
    }
    Ok(EXIT_OK)
}

/// Runs every case on every backend that has a profile.
fn replay_cases(args: &ReplayArgs, cases: &[Case], hang_limit: Duration) -> Result<i32, String> {
    let mut targets = fuzzing::targets(&args.backend)?;
    targets.retain(|target| Profile::of(target.as_ref()).is_some());
    if targets.is_empty() {
        let names = args.backend.join(", ");
        return Err(format!("cases say nothing of {names}; they are for the backends of the list"));
    }
    if args.json {
        fuzzing::say_findings();
    } else {
        fuzzing::say_case();
    }
    Watchdog::start(hang_limit)?;
    let (rounds, mut trace) = (args.rounds.unwrap_or(ROUNDS), Trace::default());
    for (round, case) in (1..=rounds).flat_map(|round| cases.iter().map(move |case| (round, case)))
    {
        fuzzing::begin_case(format!("case {} ({})\n", case.name, case.kind.name()));
        for target in &mut targets {
            let Some(profile) = Profile::of(target.as_ref()) else { continue };
            if let Err(difference) = case.run(target.as_mut(), profile, &mut trace) {
                return say(args, difference, round);
            }
        }
    }
    if !args.json {
        let names: Vec<&str> = targets.iter().map(|target| target.name()).collect();
        let (cases, names) = (cases.len(), names.join(", "));
        print(&format!("nothing found: {cases} cases, {rounds} rounds on {names}\n"))?;
    }
    Ok(EXIT_OK)
}

/// Says what was found.
fn say(args: &ReplayArgs, difference: Difference, round: u32) -> Result<i32, String> {
    let found = fuzzing::accuse(difference)?;
    print(&if args.json { found.line() } else { report(&found, round) })?;
    Ok(EXIT_FOUND)
}

/// Reads a program; `-` is standard input.
///
/// # Errors
/// It cannot be read, or is no program: the line, what is wrong there, and what is valid.
pub fn read(file: &Path) -> Result<Program, String> {
    program_of(&text_of(file)?, file)
}

/// A program that calls something: one that does not would find nothing, whatever it runs on.
fn program_of(text: &str, file: &Path) -> Result<Program, String> {
    let program = parse(text).map_err(|error| no_program(file, &error))?;
    if program.is_empty() { Err(nothing_in(file, "call")) } else { Ok(program) }
}

fn nothing_in(file: &Path, what: &str) -> String {
    let file = file.display();
    format!("{file}: there is no {what} in it, so nothing is tested (the form: {FORM})")
}

fn text_of(file: &Path) -> Result<String, String> {
    let failed = |why: &str| format!("{} cannot be read: {why}", file.display());
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        results::files::read(file, TEXT_BYTES_MAX)
    };
    let bytes = bytes.map_err(|error| failed(&error.to_string()))?;
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return Err(failed(&format!("at most {TEXT_BYTES_MAX} bytes are")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(failed("a byte order mark (U+FEFF) stands before it; save it without"));
    }
    Ok(text)
}

fn no_program(file: &Path, error: &ParseError) -> String {
    format!("{}: {error} (the form: {FORM})", file.display())
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
