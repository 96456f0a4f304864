//! `solock profile`: where the time goes, class of locks by class, place by place, part by part.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use lockimpls::{Algorithm, Backend};
use results::{Record, RunWriter, Store, profile_table};

use super::{EXIT_OK, EXIT_USAGE, controls, print, run, show};
use crate::cli::ProfileArgs;
use crate::cpus::Cpus;
use crate::finding::{self, Current};
use crate::interrupt::{self, EXIT_INTERRUPTED, Interrupt};
use crate::job::Job;
use crate::plan::{Group, Skipped};
use crate::pool::Lanes;
use crate::profile::{self, Cost, Gathered};
use crate::session::{self, Planned};
use crate::settings::{self, Settings};
use crate::slice::Process;
use crate::watchdog::Watchdog;
use crate::{added, complain, host, tell};

/// Profiles what the user asked for.
///
/// # Errors
/// The request makes no sense, or the system refused something.
pub fn profile(args: &ProfileArgs) -> Result<i32, String> {
    let settings = Settings::new(&args.as_run(), &Cpus::allowed()?)?;
    let planned = plan(&settings)?;
    controls::quick()?;
    let folder = settings::folder(args.cells.out.as_ref());
    let store = Store::open(folder).map_err(|error| error.to_string())?;
    let process = Process {
        clock: quanta::Clock::new(),
        interrupt: Interrupt::catch()?,
        watchdog: Watchdog::start(settings.hang_limit)?,
    };
    let writer = Arc::new(store.start(SystemTime::now()).map_err(|error| error.to_string())?);
    let (machine, current) = (host::describe(&settings.cpus), Current::default());
    finding::keep_in(Arc::clone(&writer), machine, current.clone(), args.json);
    run::announce(&settings, &planned);
    let profiling = Profiling { settings: &settings, process: &process, current: &current };
    let failed = profiling
        .cells(&planned, |record| publish(&writer, record, args.json))
        .inspect_err(|_| writer.discard_if_empty())?;
    failed.iter().for_each(|why| complain!("failed: {why}"));
    let is_interrupted = process.interrupt.is_set();
    if writer.is_empty() {
        writer.discard_if_empty();
        if is_interrupted {
            return Ok(EXIT_INTERRUPTED);
        }
        return Err("nothing was done, so there is no profile to keep".to_owned());
    }
    if is_interrupted {
        let line = interrupt::record(current.get(), host::describe(&settings.cpus));
        writer.append(&line).map_err(|error| error.to_string())?;
    }
    let path = writer.finish().map_err(|error| error.to_string())?;
    tell!("run {}: {}", writer.id(), path.display());
    if !args.json {
        let run = store.read(writer.id()).map_err(|error| error.to_string())?;
        print(&text(&run, show::columns()))?;
    }
    Ok(match (is_interrupted, failed.is_empty()) {
        (true, _) => EXIT_INTERRUPTED,
        (false, true) => EXIT_OK,
        (false, false) => EXIT_USAGE,
    })
}

/// A run's profile as text, for so many columns.
#[must_use]
pub fn text(run: &results::Run, columns: usize) -> String {
    let profiles: Vec<_> = run.profiles().collect();
    let splits: Vec<_> = run.splits().collect();
    profile_table::render(&profiles, &splits, columns)
}

/// What can be profiled of what the settings ask for.
///
/// # Errors
/// Nothing of it.
fn plan(settings: &Settings) -> Result<Planned, String> {
    if settings.ambients.iter().any(|ambient| !ambient.is_empty()) {
        return Err(
            "the locks around the layer keep no profile; ask for one without --ambient".to_owned()
        );
    }
    let mut planned = session::plan(settings)?;
    let is_profiled = |job: &Job| unseen(&job.case.backend).is_none();
    let mut others: Vec<Skipped> = Vec::new();
    for job in planned.groups().flatten() {
        let skipped = |why: &str| Skipped { what: job.cell.backend.clone(), why: why.to_owned() };
        if let Some(other) = unseen(&job.case.backend).map(skipped)
            && !others.contains(&other)
        {
            others.push(other);
        }
    }
    for groups in planned.parts.values_mut() {
        groups.iter_mut().for_each(|group| group.retain(is_profiled));
        groups.retain(|group| !group.is_empty());
    }
    if planned.cells() == 0 {
        let what: String = others.iter().map(|it| format!(": {}: {}", it.what, it.why)).collect();
        return Err(format!("there is nothing to profile{what}"));
    }
    planned.skipped.extend(others);
    Ok(planned)
}

/// Why the locks of a backend keep no profile, if they do not.
fn unseen(backend: &Backend) -> Option<&'static str> {
    if added::is_added(backend) {
        return Some("its locks are another crate's, which keep no profile");
    }
    (!backend.modelled).then_some("its locks are the machine's, of no class that could be seen")
}

fn publish(writer: &RunWriter, record: &Record, json: bool) -> Result<(), String> {
    writer.append(record).map_err(|error| error.to_string())?;
    if json {
        print(&(record.to_line().map_err(|error| error.to_string())? + "\n"))?;
    }
    Ok(())
}

/// What every cell needs.
struct Profiling<'a> {
    settings: &'a Settings,
    process: &'a Process,
    current: &'a Current,
}

impl Profiling<'_> {
    /// Profiles every cell, round by round, and publishes the lines of each when its threads' part
    /// is done; the cells that failed, and why.
    fn cells(
        &self,
        planned: &Planned,
        publish: impl Fn(&Record) -> Result<(), String>,
    ) -> Result<Vec<String>, String> {
        let mut failed = Vec::new();
        for (threads, groups) in &planned.parts {
            let Settings { cpus, pin, .. } = self.settings;
            let lanes = Lanes::start(*threads, cpus, *pin)?;
            let costs = self.costs(&lanes);
            let cells: Vec<&Job> = groups.iter().flatten().collect();
            for (job, gathered) in cells.iter().zip(self.rounds(groups, &lanes)) {
                let records = gathered.and_then(|gathered| {
                    let cost = costs.get(job.config.lock.name()).copied().unwrap_or_default();
                    profile::records(job, &gathered, cost, &host::describe(cpus))
                });
                match records {
                    Ok(records) => records.iter().try_for_each(&publish)?,
                    Err(why) => failed.push(format!("{}: {why}", job.cell.id())),
                }
            }
        }
        Ok(failed)
    }

    /// What a profile costs on each of the locks that were asked for.
    fn costs(&self, lanes: &Lanes) -> BTreeMap<&'static str, Cost> {
        let of = |lock: &Algorithm| (lock.name(), profile::cost(lanes, *lock, self.process));
        self.settings.locks.iter().map(of).collect()
    }

    /// What each cell has shown, in the order of the groups.
    fn rounds(&self, groups: &[Group], lanes: &Lanes) -> Vec<Result<Gathered, String>> {
        let Settings { rounds, seconds, .. } = self.settings;
        let cells: Vec<&Job> = groups.iter().flatten().collect();
        let mut all: Vec<Result<Gathered, String>> = Vec::new();
        all.resize_with(cells.len(), || Ok(Gathered::default()));
        for _ in 0..rounds.unwrap_or(1) {
            for (job, cell) in cells.iter().zip(&mut all) {
                let Ok(gathered) = cell else { continue };
                if self.process.interrupt.is_set() {
                    break;
                }
                self.current.set(&job.cell.id());
                let time = seconds.unwrap_or_default();
                if let Err(why) = gathered.round(job, lanes, time, self.process) {
                    *cell = Err(why);
                }
            }
        }
        all.iter_mut().flatten().for_each(Gathered::conclude);
        all
    }
}
