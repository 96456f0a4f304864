//! `solock check`: every workload on a backend, for so many operations, with every check and no
//! clock: each message is verified, each call and each end looked at. For a layer or a lock that
//! somebody has just written.
//!
//! Each backend and workload is a process of its own, which is this program again with hidden
//! flags: what is found ends it, and the others go on.

mod child;
mod errors;

use std::process::{Command, Output, Stdio};

use lockimpls::Algorithm;
use lockimpls::witness::EXIT_FINDING;
use results::text::wrapped;
use serde::{Deserialize, Serialize};

use super::run::this_program;
use super::{EXIT_OK, EXIT_USAGE, print};
use crate::added::{added, is_added};
use crate::cli::CheckArgs;
use crate::compare::verdicts::EXIT_UNCLEAR;
use crate::job::may_have;
use crate::matrix::{self, Case};
use crate::{complain, locks, valid};

/// The width of what is shown.
const COLUMNS: usize = 80;
/// What a line that belongs to the one above begins with.
const INDENT: &str = "    ";

/// What came of a backend and a workload: what its process says, as a line.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum Came {
    /// Nothing was found.
    Clean {
        /// How many layers were made and used.
        runs: u32,
        /// Types of sockets that were left out, and why.
        skipped: Vec<String>,
        /// Locks taken for a message that one thread sends to itself, by class; none: no run has
        /// one thread alone.
        locks_per_message: Option<Vec<(String, f64)>>,
    },
    /// It cannot run.
    Skipped {
        /// Why.
        why: String,
    },
    /// A check found something.
    Found {
        /// Which.
        check: String,
        /// The call.
        operation: String,
        /// Where a lock was taken, or what it was about.
        at: String,
        /// All that is said of it.
        report: String,
    },
    /// Its process ended otherwise.
    Broken {
        /// How, and its last words.
        why: String,
    },
}

/// One line of `solock check --json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    backend: &'a str,
    workload: &'a str,
    lock: &'a str,
    #[serde(flatten)]
    came: &'a Came,
}

/// A backend on a lock, under a workload.
#[derive(Clone, Copy, Debug)]
struct Job {
    case: Case,
    lock: Algorithm,
}

/// Runs what was asked for; exit code 2 where a check found something, 4 where nothing was checked.
///
/// # Errors
/// An unknown name, or a backend that cannot have the lock that is named with it; this program
/// could not be started again; standard output cannot be written.
pub fn check(args: &CheckArgs) -> Result<i32, String> {
    let jobs = jobs(args)?;
    if args.child {
        let job = jobs.first().ok_or("nothing is asked for")?;
        return child::child(job, !args.lock_is_checked);
    }
    let (mut code, mut is_checked) = (EXIT_OK, false);
    let mut locks = Locks::default();
    for job in &jobs {
        let came = locks.come(job)?;
        is_checked |= !matches!(came, Came::Skipped { .. });
        code = match came {
            Came::Found { .. } => EXIT_FINDING,
            Came::Broken { .. } if code == EXIT_OK => EXIT_USAGE,
            _ => code,
        };
        print(&if args.json { json(job, &came)? } else { text(job, &came) })?;
    }
    if !is_checked {
        complain!("nothing was checked: all that was asked for is skipped");
        return Ok(EXIT_UNCLEAR);
    }
    Ok(code)
}

/// What is asked for, backend by backend.
fn jobs(args: &CheckArgs) -> Result<Vec<Job>, String> {
    let backends: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
    let workloads: Vec<&str> = matrix::workloads().iter().map(|workload| workload.name).collect();
    let known = |what, names: &[String], valid: &[&str]| {
        names.iter().try_for_each(|name| matrix::check_name(what, name, valid))
    };
    known("backend", &args.backend, &backends)?;
    known("workload", &args.workload, &workloads)?;
    let asked = match &args.lock[..] {
        [] => None,
        names => Some(valid::named(names, "lock", &locks::all(), Algorithm::name)?),
    };
    let is_asked = |names: &[String], name: &str| names.iter().any(|one| one == name);
    let mut jobs = Vec::new();
    for case in matrix::cases() {
        let is_meant = args.backend.is_empty() || is_asked(&args.backend, case.backend.name);
        let of_all = args.workload.is_empty() || is_asked(&args.workload, case.workload.name);
        if is_meant && of_all {
            let locks = asked.clone().unwrap_or_else(|| usual_locks(&case, &args.backend));
            // Both by name: to leave it out would look as if it were fine.
            if asked.is_some() && !args.backend.is_empty() {
                let no_ambient = lockimpls::Ambient::empty();
                locks.iter().try_for_each(|lock| may_have(&case.backend, *lock, no_ambient))?;
            }
            jobs.extend(locks.into_iter().map(|lock| Job { case, lock }));
        }
    }
    Ok(jobs)
}

/// The locks of a backend when nobody names any. A program with a layer or a lock of its own checks
/// those alone, but for what is asked for by name.
fn usual_locks(case: &Case, named: &[String]) -> Vec<Algorithm> {
    let own = added().locks.own();
    let has_own = !own.is_empty() || !added().backends.is_empty();
    let is_meant = case.backend.modelled && !has_own;
    let default = is_added(&case.backend) || is_meant || !named.is_empty();
    let default = default.then(Algorithm::default);
    let own = own.iter().copied().filter(|_| case.backend.modelled);
    default.into_iter().chain(own).collect()
}

/// What is known of locks by themselves: a check of one takes its time, and ends alike each time.
#[derive(Debug, Default)]
struct Locks {
    sound: Vec<Algorithm>,
    broken: Vec<Algorithm>,
}

impl Locks {
    fn come(&mut self, job: &Job) -> Result<Came, String> {
        if self.broken.contains(&job.lock) {
            let why = format!("the lock {} is wrong by itself, as found above", job.lock.name());
            return Ok(Came::Skipped { why });
        }
        let came = come(job, self.sound.contains(&job.lock))?;
        match &came {
            Came::Clean { .. } => self.sound.push(job.lock),
            Came::Found { at, .. } if *at == by_itself(job.lock) => self.broken.push(job.lock),
            _ => {}
        }
        Ok(came)
    }
}

/// The place of what is found in a lock by itself.
fn by_itself(lock: Algorithm) -> String {
    format!("lock {}", lock.name())
}

fn come(job: &Job, lock_is_checked: bool) -> Result<Came, String> {
    if let Err(why) = may_have(&job.case.backend, job.lock, lockimpls::Ambient::empty()) {
        return Ok(Came::Skipped { why });
    }
    let mut command = Command::new(this_program()?);
    command.args(["check", "--child", "--lock", job.lock.name()]);
    command.args(["--backend", job.case.backend.name, "--workload", job.case.workload.name]);
    command.args(lock_is_checked.then_some("--lock-is-checked"));
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("this program cannot be started: {error}"))?;
    Ok(said(&output))
}

/// What a process said, or how it ended.
fn said(output: &Output) -> Came {
    let (out, err) = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it)).into();
    let last = out.lines().last().and_then(|line| serde_json::from_str(line).ok());
    match (output.status.code(), last) {
        (Some(EXIT_OK), Some(came @ (Came::Clean { .. } | Came::Skipped { .. }))) => came,
        (Some(EXIT_FINDING), Some(came @ Came::Found { .. })) => came,
        _ => Came::Broken { why: format!("its process ended ({})\n{}", output.status, err.trim()) },
    }
}

fn json(job: &Job, came: &Came) -> Result<String, String> {
    let Case { backend, workload } = &job.case;
    let line = Line { backend: backend.name, workload: workload.name, lock: job.lock.name(), came };
    Ok(serde_json::to_string(&line).map_err(|error| error.to_string())? + "\n")
}

fn text(job: &Job, came: &Came) -> String {
    let Case { backend, workload } = &job.case;
    let is_usual = job.lock == Algorithm::default();
    let on = if is_usual { String::new() } else { format!(" on {}", job.lock.name()) };
    let name = format!("{}{on}, {}", backend.name, workload.name);
    let (how, what) = match came {
        Came::Clean { runs, skipped, locks_per_message } => {
            let locks = locks_per_message.as_deref().map_or_else(String::new, told);
            let skipped: String = skipped.iter().map(|why| format!("; {why}")).collect();
            ("clean", format!("{runs} runs{locks}{skipped}"))
        }
        Came::Skipped { why } => ("skipped", why.clone()),
        Came::Found { check, operation, at, report } => {
            return format!("{name:<32} FOUND    {check} in {operation} at {at}\n{report}\n");
        }
        Came::Broken { why } => return format!("{name:<32} BROKEN   {why}\n"),
    };
    let line = format!("{name:<32} {how:<8} {what}");
    if line.len() <= COLUMNS {
        line + "\n"
    } else {
        format!("{name:<32} {how}\n") + &wrapped(&what, INDENT, INDENT, COLUMNS)
    }
}

/// The locks that a message takes.
fn told(locks: &[(String, f64)]) -> String {
    let each = |(class, count): &(String, f64)| format!("{} {class}", shown(*count));
    let all: Vec<String> = locks.iter().map(each).collect();
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    format!("; locks a message: {all}")
}

/// A count as it is shown: most are whole.
fn shown(count: f64) -> String {
    let text = format!("{count:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
