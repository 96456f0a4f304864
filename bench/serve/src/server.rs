//! `solock serve`: measures a cell slice by slice, as the driver at the other end of standard input
//! and output asks. `PROTOCOL.md` describes the lines.
//!
//! Between slices the threads are parked, so that two such processes can live side by side on the
//! same CPUs and only the one that is asked runs. The end of standard input ends the server: it
//! does not outlive a driver that was killed.

use crate::complain;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lockimpls::{Ambient, witness};
use workloads::panics::or_report;

use crate::clock;
use crate::cpus::Cpus;
use crate::finding::{self, Current};
use crate::host;
use crate::interrupt::{EXIT_INTERRUPTED, Interrupt};
use crate::job::{self, Job};
use crate::locks;
use crate::matrix;
use crate::measured;
use crate::number;
use crate::output::{EXIT_OK, print};
use crate::pool::{Lanes, Pin};
use crate::protocol::{Ask, Hello, PROTOCOL, Prepare, Prepared, Say, SliceAsked, SliceDone};
use crate::slice::{Process, Slice};
use crate::valid;
use crate::watchdog::Watchdog;

/// The longest slice that is measured.
const SLICE_SECONDS_MAX: f64 = 60.0;

/// Serves until it is told to end, or standard input ends; `hang_limit`: how long, in seconds, no
/// call may return before it is a hang. Answers with the exit code of the process.
///
/// # Errors
/// The system refused something, or a line of input was no question.
pub fn serve(hang_limit: Option<f64>) -> Result<i32, String> {
    keep_name();
    let allowed = Cpus::allowed()?;
    let hang_limit = valid::hang_limit(hang_limit)?;
    let process = Process {
        clock: quanta::Clock::new(),
        interrupt: Interrupt::catch()?,
        watchdog: Watchdog::start(hang_limit)?,
    };
    let current = Current::default();
    announce_findings(&allowed, &current);
    say(&hello(&process))?;
    let mut server = Server { allowed, process, current, ready: None };
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("standard input cannot be read: {error}"))?;
        match server.answer(&read(&line)?)? {
            Some(answer) => say(&answer)?,
            None => break,
        }
        if server.process.interrupt.is_set() {
            return Ok(EXIT_INTERRUPTED);
        }
    }
    Ok(EXIT_OK)
}

/// Run from a copy without a name, a process is called by a number in `ps` and `top`: by what it
/// was started as instead, and so are its threads.
fn keep_name() {
    let program = std::env::args_os().next().map(PathBuf::from);
    if let Some(name) = program.as_deref().and_then(Path::file_name) {
        let _ = std::fs::write("/proc/self/comm", name.as_encoded_bytes());
    }
}

fn read(line: &str) -> Result<Ask, String> {
    serde_json::from_str(line).map_err(|error| {
        format!(
            "{line:?} is no question ({error}); this is what `run` and `compare` \
             talk to, by protocol {PROTOCOL}: see bench/PROTOCOL.md"
        )
    })
}

fn say(what: &Say) -> Result<(), String> {
    print(&(serde_json::to_string(what).map_err(|error| error.to_string())? + "\n"))
}

/// A finding is the last line; then the process ends with the witness's own exit code.
fn announce_findings(allowed: &Cpus, current: &Current) {
    let (machine, current) = (host::describe(allowed), current.clone());
    witness::set_finding_hook(move |found| {
        let found = finding::of(found, &machine, current.get());
        if let Err(error) = say(&Say::Finding(Box::new(found))) {
            complain!("the finding could not be told: {error}");
        }
    });
}

fn hello(process: &Process) -> Say {
    let names = |names: Vec<&'static str>| names.into_iter().map(str::to_owned).collect();
    Say::Hello(Hello {
        protocol: PROTOCOL,
        commit: host::commit(),
        dirty: host::dirty(),
        rustc: host::RUSTC.to_owned(),
        backends: names(matrix::backends().iter().map(|backend| backend.name).collect()),
        workloads: names(matrix::workloads().iter().map(|workload| workload.name).collect()),
        ambient: names(if locks::VARIANTS { Ambient::all().names() } else { Vec::new() }),
        parameters: names(matrix::parameters().map(|parameter| parameter.field).collect()),
        locks: names(locks::all().iter().map(|lock| lock.name()).collect()),
        clock_step_ns: clock::measure(&process.clock).clock_step_ns,
    })
}

struct Server {
    allowed: Cpus,
    process: Process,
    current: Current,
    ready: Option<(Job, Lanes)>,
}

impl Server {
    /// The answer to a question; none to the last one.
    fn answer(&mut self, ask: &Ask) -> Result<Option<Say>, String> {
        let answer = match ask {
            Ask::Prepare(prepare) => self.prepare(prepare).map(Say::Prepared),
            Ask::Slice(asked) => self.slice(asked).map(|done| Say::Slice(Box::new(done))),
            Ask::End => return Ok(None),
        };
        Ok(Some(answer.unwrap_or_else(|why| Say::Refused { why })))
    }

    fn prepare(&mut self, prepare: &Prepare) -> Result<Prepared, String> {
        // The old threads first: they have the CPUs of the new ones.
        self.ready = None;
        let job = job::job(&prepare.cell, prepare.seed)?;
        let cpus = if prepare.cpus.is_empty() {
            self.allowed.clone()
        } else {
            let list: Vec<String> = prepare.cpus.iter().map(usize::to_string).collect();
            self.allowed.choose(&list.join(","))?
        };
        let pin = if prepare.pin { Pin::Each } else { Pin::None };
        let lanes = Lanes::start(job.plan.threads, &cpus, pin)?;
        self.current.set(&job.cell.id());
        let prepared = match program_start() {
            Some(start) => code(&job, start, &self.process.watchdog)?,
            None => Prepared::default(),
        };
        let pinning = Some(lanes.pinning().clone());
        self.ready = Some((job, lanes));
        Ok(Prepared { pinning, ..prepared })
    }

    fn slice(&self, asked: &SliceAsked) -> Result<SliceDone, String> {
        let (job, lanes) = self.ready.as_ref().ok_or("no cell was prepared")?;
        let (measured, warm_up) = (time(asked.seconds)?, time(asked.warm_up_seconds)?);
        let outcome = job.case.run(&Slice {
            lanes,
            plan: &job.plan,
            config: &job.config,
            measure: asked.measure,
            warm_up,
            measured,
            process: &self.process,
        })?;
        if !outcome.complete {
            return Err("interrupted".to_owned());
        }
        measured::slice((job.case.workload.pace)(&job.plan), &outcome)
    }
}

/// Where the code of a cell is, counted from where the program begins.
fn code(job: &Job, start: u64, watchdog: &Watchdog) -> Result<Prepared, String> {
    let calls = watchdog.outside(|| {
        or_report(|| locks::open(&job.case.backend, &job.config).map(|layer| layer.code()))
    });
    let calls = calls.map_err(|errno| format!("no layer: {errno}"))?;
    let from_start = |at: usize| at as u64 - start;
    Ok(Prepared {
        code: Some((job.case.workload.code)().map(from_start)),
        calls: calls.into_iter().map(from_start).collect(),
        pinning: None,
    })
}

/// Where this program begins in memory, if the system says.
fn program_start() -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with(&*program.to_string_lossy()))?;
    u64::from_str_radix(line.split('-').next()?, 16).ok()
}

fn time(seconds: f64) -> Result<Duration, String> {
    if (0.0..=SLICE_SECONDS_MAX).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    let seconds = number::shown(seconds);
    Err(format!("{seconds} is no time for a slice; valid are 0 to {SLICE_SECONDS_MAX} seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_question_says_what_this_is() {
        assert!(read("hello").unwrap_err().contains("PROTOCOL.md"));
        assert_eq!(read(r#"{"ask":"end","later":1}"#), Ok(Ask::End));
    }

    #[test]
    fn a_slice_lasts_a_minute_at_most() {
        assert!(time(f64::NAN).is_err() && time(-1.0).is_err() && time(61.0).is_err());
        assert_eq!(time(0.02), Ok(Duration::from_millis(20)));
    }
}
