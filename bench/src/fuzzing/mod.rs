//! What `fuzz`, `replay` and `minimize` share: backends by name, and what a process says that found
//! something.
//!
//! A backend whose locks are not the default's has their algorithm in its name, as in
//! `per-socket/mcs`: so do the program that is kept, and all that is said of it.

pub mod candidate;

use crate::{matrix, tell};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use lockimpls::{Algorithm, Ambient, Config, controls, witness};
use programs::check::Difference;
use programs::runner::{Target, Trace};
use programs::{Program, Runner};
use serde::{Deserialize, Serialize};

use crate::job;
use crate::valid;

/// The exit code of a process that found something.
pub const EXIT_FOUND: i32 = witness::EXIT_FINDING;

/// What was found: one JSON line on standard output.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The backend.
    pub backend: String,
    /// Short: the check and the call, or the kind of difference.
    pub kind: String,
    /// The number of the program under its seed.
    pub program: u64,
    /// How many calls the programs before it made.
    pub operations: u64,
    /// The whole report.
    pub report: String,
}

impl Found {
    /// Whether another process has found the same.
    #[must_use]
    pub fn is_like(&self, other: &Found) -> bool {
        self.backend == other.backend && self.kind == other.kind
    }

    /// What a comparison found.
    #[must_use]
    pub fn of(difference: Difference) -> Found {
        let Difference { backend, kind, report } = difference;
        let (program, operations) = (UNDER_WAY.load(Relaxed), OPERATIONS.load(Relaxed));
        Found { backend: backend.to_owned(), kind, program, operations, report }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| format!("no line: {error}")) + "\n"
    }
}

/// Whether this process has a twin: all twins are one backend, of one name.
static TWIN: OnceLock<()> = OnceLock::new();

/// The name by which the backend was asked for that runs a program now.
static RUNNING: Mutex<&'static str> = Mutex::new("");

/// The name by which a backend was asked for.
fn asked_name(backend: &str) -> String {
    let running = *RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.is_empty() { backend.to_owned() } else { running.to_owned() }
}

/// A backend by the name by which it was asked for.
struct Asked {
    /// Kept as long as the process, like the names of backends.
    name: &'static str,
    runner: Runner,
}

impl Target for Asked {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_modelled(&self) -> bool {
        self.runner.is_modelled()
    }

    fn run(&mut self, program: &Program, trace: &mut Trace) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = self.name;
        self.runner.run(program, trace);
    }
}

/// The number of the program under way, for the line that a check's finding leaves.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);
/// How many calls the programs before it made.
static OPERATIONS: AtomicU64 = AtomicU64::new(0);

/// From now on it is this one, after so many calls. Relaxed, as where they are read: they stand in
/// a report, and order nothing.
pub fn begin(program: u64, operations: u64) {
    UNDER_WAY.store(program, Relaxed);
    OPERATIONS.store(operations, Relaxed);
}

/// The case under way; empty where it is a program.
static CASE: Mutex<String> = Mutex::new(String::new());

/// From now on it is this one.
pub fn begin_case(name: String) {
    *case() = name;
}

fn case() -> std::sync::MutexGuard<'static, String> {
    CASE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the case stands before the report of a check that finds something. At most once.
pub fn say_case() {
    witness::set_finding_hook(|_| tell!("{}", case()));
}

/// From now on a finding of a check, and a panic, says on standard output what it is. At most once.
pub fn say_findings() {
    witness::set_finding_hook(|finding| {
        let found = Found {
            backend: asked_name(finding.backend),
            kind: format!("{} in {}", finding.check.name(), finding.operation),
            program: UNDER_WAY.load(Relaxed),
            operations: OPERATIONS.load(Relaxed),
            report: format!("{}{}", case(), finding.report),
        };
        // Nothing can be done about a reader that went away: the process ends.
        let _ = crate::cmd::print(&found.line());
    });
    std::panic::set_hook(Box::new(|panic| witness::report_panic(&panic.to_string())));
}

/// The backends of these names, ready to run programs; `all`: those of the registry. The twins of
/// the controls are backends here.
///
/// # Errors
/// A name that there is not, and the names that there are.
pub fn targets(names: &[String]) -> Result<Vec<Box<dyn Target>>, String> {
    let mut found = Vec::new();
    for name in expand(names)? {
        found.push(target(&name)?);
    }
    Ok(found)
}

/// The names meant: `all`, or nothing, is every backend of the registry.
///
/// # Errors
/// As [`targets`].
pub fn expand(names: &[String]) -> Result<Vec<String>, String> {
    let Names { registry, all, twins } = known();
    if names.is_empty() || names.iter().any(|name| name == "all") {
        return Ok(registry.into_iter().map(str::to_owned).collect());
    }
    for name in names {
        let (backend, lock) = parts(name)?;
        can_have(backend, lock)?;
        if !all.contains(&backend) && !twins.contains(&name.as_str()) {
            return Err(format!(
                "no backend is called {name:?}; there are: all, {}; and broken on purpose: {}",
                all.join(", "),
                twins.join(", ")
            ));
        }
    }
    if names.iter().filter(|name| twins.contains(&name.as_str())).count() > 1 {
        return Err("one backend broken on purpose at a time: a process can have one".to_owned());
    }
    Ok(names.to_vec())
}

/// A backend's own name, and the algorithm of its locks.
fn parts(name: &str) -> Result<(&str, Algorithm), String> {
    match name.split_once('/') {
        None => Ok((name, Algorithm::default())),
        Some((backend, lock)) => Ok((backend, valid::lock(lock)?)),
    }
}

/// These backends, each with each of these locks; one that cannot have a lock is left out with it,
/// and that is told.
///
/// # Errors
/// Nothing is left, or a backend names a lock itself.
pub fn on_locks(names: Vec<String>, locks: &[Algorithm]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for name in names {
        if name.contains('/') && locks != [Algorithm::default()] {
            return Err(format!("{name} names its lock, and so does --lock"));
        }
        for lock in locks {
            match can_have(&name, *lock) {
                Ok(()) if *lock == Algorithm::default() => found.push(name.clone()),
                Ok(()) => found.push(format!("{name}/{}", lock.name())),
                Err(why) => tell!("skipped: {name} on {}: {why}", lock.name()),
            }
        }
    }
    if found.is_empty() {
        Err("no backend is left to run programs on".to_owned())
    } else {
        Ok(found)
    }
}

/// Whether a backend, or a twin, can have such locks.
fn can_have(name: &str, lock: Algorithm) -> Result<(), String> {
    let known = lockimpls::backends().into_iter().find(|backend| backend.name == name);
    match known {
        Some(backend) => job::may_have(&backend, lock, Ambient::empty()),
        None if lock != Algorithm::default()
            && controls::twins().iter().any(|it| it.name == name) =>
        {
            Err(format!("{name} is broken on purpose, on the default lock alone"))
        }
        None => Ok(()),
    }
}

/// Whether the surroundings let every one of these backends work. Where they do not, what a backend
/// answers is no finding.
///
/// # Errors
/// What is refused, why, and what to do.
pub fn try_out(names: &[&str]) -> Result<(), String> {
    let meant = |backend: &lockimpls::Backend| names.contains(&backend.name);
    matrix::backends().into_iter().filter(meant).try_for_each(|backend| (backend.try_out)())
}

/// What a comparison found, if it is the backend's doing.
///
/// # Errors
/// The backend cannot work here.
pub fn accuse(difference: Difference) -> Result<Found, String> {
    try_out(&[difference.backend])?;
    Ok(Found::of(difference))
}

/// The backends a program is for: those asked for, those it names, or every modelled one.
///
/// # Errors
/// As [`targets`].
pub fn targets_for(program: &Program, asked: &[String]) -> Result<Vec<Box<dyn Target>>, String> {
    if !asked.is_empty() {
        return targets(asked);
    }
    if !program.backends.is_empty() {
        return targets(&program.backends);
    }
    Ok(targets(&[])?.into_iter().filter(|target| target.is_modelled()).collect())
}

struct Names {
    registry: Vec<&'static str>,
    /// Those of other crates, too.
    all: Vec<&'static str>,
    twins: Vec<&'static str>,
}

fn known() -> Names {
    let names = |all: Vec<lockimpls::Backend>| all.iter().map(|backend| backend.name).collect();
    let twins = controls::twins().iter().map(|control| control.name).collect();
    Names { registry: names(lockimpls::backends()), all: names(matrix::backends()), twins }
}

fn target(name: &str) -> Result<Box<dyn Target>, String> {
    let (own, lock) = parts(name)?;
    let mut found = matrix::backends().into_iter().find(|backend| backend.name == own);
    if found.is_none() && TWIN.set(()).is_ok() {
        found = controls::twin(name);
    }
    let backend = found.ok_or_else(|| format!("no backend is called {name:?}"))?;
    (backend.try_out)()?;
    let on_lock = move |config: &Config| job::layer(&backend, &Config { lock, ..config.clone() });
    let failed = |errno| format!("no layer of {name}: {errno}");
    let runner = Runner::opened_by(backend, Box::new(on_lock)).map_err(failed)?;
    Ok(Box::new(Asked { name: name.to_owned().leak(), runner }))
}
