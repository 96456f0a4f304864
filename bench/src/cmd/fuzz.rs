//! `solock fuzz`: programs drawn by chance, until the time is up or every backend has failed.
//!
//! The programs run in a process of their own, which is this program again with hidden flags: a
//! finding ends that process, and this one minimizes the program, writes it to a file, and goes on
//! with the other backends.

use crate::tell;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use programs::check::Bench;
use programs::generate::generate;
use serde::{Deserialize, Serialize};

use super::minimize::{smallest, text_of};
use super::{EXIT_OK, print, print_to_parent};
use crate::children::{self, TooLong};
use crate::cli::FuzzArgs;
use crate::fuzzing::{self, EXIT_FOUND, Found, candidate};
use crate::interrupt::{EXIT_INTERRUPTED, Interrupt};
use crate::number;
use crate::settings::locks;
use crate::watchdog::{self, Watchdog};

/// How long it lasts when nobody says.
const SECONDS: f64 = 60.0;
/// How often the process that runs the programs says how far it is.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// How often a user without a terminal is told.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How long an interrupt can go unnoticed.
const NAP: Duration = Duration::from_millis(50);
/// Where failing programs go when nobody says.
const FOLDER: &str = "solock-findings";

/// How far the programs are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Done {
    programs: u64,
    operations: u64,
}

/// The last line of `solock fuzz --json`.
#[derive(Serialize)]
struct Summary {
    seed: u64,
    seconds: f64,
    programs: u64,
    operations: u64,
    findings: usize,
}

/// One finding of `solock fuzz --json`.
#[derive(Serialize)]
struct Finding<'a> {
    #[serde(flatten)]
    found: &'a Found,
    seed: u64,
    /// The calls of the minimized program.
    calls: usize,
    file: &'a Path,
}

/// Fuzzes; exit code 2 when something was found.
///
/// # Errors
/// An unknown backend; no time to run; a process that cannot be started, a file that cannot be
/// written.
pub fn fuzz(args: &FuzzArgs) -> Result<i32, String> {
    let seconds = args.seconds.unwrap_or(SECONDS);
    if !(seconds > 0.0 && seconds <= 1e6) {
        let shown = number::shown(seconds);
        return Err(format!("--seconds {shown}: must be above 0 and at most 1000000"));
    }
    let limit = Duration::from_secs_f64(seconds);
    if args.child {
        return child(args, limit);
    }
    let seed = args.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let backends = fuzzing::on_locks(fuzzing::expand(&args.backend)?, &locks(&args.lock)?)?;
    fuzzing::try_out(&backends.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut session = Session {
        backends,
        seed,
        out: args.out.clone().unwrap_or_else(|| PathBuf::from(FOLDER)),
        json: args.json,
        start: Instant::now(),
        limit,
        before: Done::default(),
        findings: 0,
        interrupt: Interrupt::catch()?,
        told: Instant::now(),
    };
    tell!("fuzzing {} for {seconds} s; seed {seed}", session.backends.join(", "));
    session.run()
}

/// The user's side: processes one after another.
struct Session {
    /// The backends that have not failed yet.
    backends: Vec<String>,
    seed: u64,
    out: PathBuf,
    json: bool,
    start: Instant,
    limit: Duration,
    /// What the processes that have ended did.
    before: Done,
    findings: usize,
    interrupt: Interrupt,
    told: Instant,
}

impl Session {
    fn run(&mut self) -> Result<i32, String> {
        while !self.backends.is_empty() && self.left() > Duration::ZERO && !self.interrupt.is_set()
        {
            match self.one_process()? {
                Some(found) => self.keep(&found)?,
                None => break,
            }
        }
        self.conclude()
    }

    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }

    /// Runs programs in a process until that ends: what it found.
    fn one_process(&mut self) -> Result<Option<Found>, String> {
        let arguments = [
            "fuzz".to_owned(),
            "--child".to_owned(),
            format!("--backend={}", self.backends.join(",")),
            format!("--seed={}", self.seed),
            format!("--from={}", self.before.programs),
            format!("--seconds={}", self.left().as_secs_f64().max(0.001)),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let failed = |error| format!("the programs could not be run: {error}");
        let mut child = candidate::this_program(&arguments)?.spawn().map_err(failed)?;
        let lines = children::lines(child.stdout.take());
        let (mut done, mut found) = (Done::default(), None);
        loop {
            match lines.recv_timeout(NAP) {
                Ok(Err(TooLong)) => {}
                Ok(Ok(line)) => match serde_json::from_str(&line) {
                    Ok(now) => done = now,
                    Err(_) => found = serde_json::from_str::<Found>(&line).ok().or(found),
                },
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.tell(done);
            if self.interrupt.is_set() {
                // It may have ended by itself just now.
                let _ = child.kill();
            }
        }
        let status = child.wait().map_err(failed)?;
        match &found {
            Some(found) => {
                self.before.programs = found.program + 1;
                self.before.operations += found.operations;
            }
            None if !status.success() && !self.interrupt.is_set() => {
                // It may have ended for want of a backend that works here; nobody reads its
                // standard error.
                let names: Vec<&str> = self.backends.iter().map(String::as_str).collect();
                fuzzing::try_out(&names)?;
                return Err(format!(
                    "the process that ran the programs ended with {status} and found nothing; the \
                     program is one of the first after number {} of seed {}",
                    self.before.programs + done.programs,
                    self.seed
                ));
            }
            None => {
                self.before.programs += done.programs;
                self.before.operations += done.operations;
            }
        }
        Ok(found)
    }

    /// Minimizes the program, writes it and says so; its backend runs no more.
    fn keep(&mut self, found: &Found) -> Result<(), String> {
        clear_line();
        tell!("found: {}: {}; minimizing", found.backend, found.kind);
        let mut program = generate(self.seed, found.program);
        program.backends = vec![found.backend.clone()];
        let small = match candidate::run(&program)? {
            Some(again) if found.is_like(&again) => smallest(&program, found)?,
            _ => {
                tell!("it does not fail by itself: the program is kept as it is");
                program
            }
        };
        let backend = found.backend.replace('/', "-");
        let name = format!("{backend}-{}-{}.txt", self.seed, found.program);
        let file = self.out.join(name);
        let text =
            format!("# seed {}, program {}\n{}", self.seed, found.program, text_of(&small, found));
        results::files::replace(&file, text.as_bytes())
            .map_err(|error| format!("cannot write {error}; the program:\n{text}"))?;
        self.findings += 1;
        self.backends.retain(|backend| *backend != found.backend);
        if self.json {
            let finding = Finding { found, seed: self.seed, calls: small.len(), file: &file };
            return print(&json(&finding)?);
        }
        print(&format!("{}\n{text}kept in {}\n\n", found.report.trim_end(), file.display()))
    }

    fn conclude(&self) -> Result<i32, String> {
        clear_line();
        let Done { programs, operations } = self.before;
        if programs == 0 && self.findings == 0 && !self.interrupt.is_set() {
            return Err(
                "no program ran in this time, so nothing was tested; give more --seconds".into()
            );
        }
        let seconds = self.start.elapsed().as_secs_f64();
        if self.json {
            let (seed, findings) = (self.seed, self.findings);
            print(&json(&Summary { seed, seconds, programs, operations, findings })?)?;
        } else {
            let rate = operations as f64 / seconds;
            print(&format!(
                "{programs} programs, {operations} operations in {seconds:.1} s ({rate:.0}/s), {} \
                 findings; seed {}\n",
                self.findings, self.seed
            ))?;
        }
        Ok(match (self.findings, self.interrupt.is_set()) {
            (0, true) => EXIT_INTERRUPTED,
            (0, false) => EXIT_OK,
            _ => EXIT_FOUND,
        })
    }

    /// Progress: a line that is written over on a terminal, a line now and then otherwise.
    fn tell(&mut self, done: Done) {
        let every = if stderr().is_terminal() { REPORT_EVERY } else { LINE_EVERY };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let text = format!(
            "{:.0} s left, {} programs, {} operations, {} findings",
            self.left().as_secs_f64(),
            self.before.programs + done.programs,
            self.before.operations + done.operations,
            self.findings
        );
        if stderr().is_terminal() {
            tell::text(format_args!("\r\x1b[K{text}"), "");
        } else {
            tell!("{text}");
        }
    }
}

/// Takes the progress off the terminal's line.
fn clear_line() {
    if stderr().is_terminal() {
        tell::text(format_args!("\r\x1b[K"), "");
    }
}

fn json(value: &impl Serialize) -> Result<String, String> {
    Ok(serde_json::to_string(value).map_err(|error| error.to_string())? + "\n")
}

/// The process that runs the programs.
fn child(args: &FuzzArgs, limit: Duration) -> Result<i32, String> {
    let (seed, start) = (args.seed.unwrap_or(0), Instant::now());
    let mut bench = Bench::new(fuzzing::targets(&args.backend)?)
        .map_err(|errno| format!("the model could not be made: {errno}"))?;
    fuzzing::say_findings();
    Watchdog::start(watchdog::LIMIT)?;
    let (mut done, mut said) = (Done::default(), start);
    while start.elapsed() < limit {
        let number = args.from + done.programs;
        fuzzing::begin(number, done.operations);
        let program = generate(seed, number);
        if let Err(difference) = bench.run(&program) {
            print_to_parent(&fuzzing::accuse(difference)?.line())?;
            return Ok(EXIT_FOUND);
        }
        done.programs += 1;
        done.operations += program.len() as u64;
        if said.elapsed() > REPORT_EVERY {
            said = Instant::now();
            print_to_parent(&json(&done)?)?;
        }
    }
    print_to_parent(&json(&done)?)?;
    Ok(EXIT_OK)
}
