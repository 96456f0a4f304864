//! `solock run`: measures, keeps every round in a file, and shows the table.

use std::sync::Arc;
use std::time::SystemTime;

use results::{Measured, Record, RunWriter, Store};

use super::show::{self, Form};
use super::{EXIT_OK, EXIT_USAGE, controls, print};
use crate::cli::RunArgs;
use crate::cpus::Cpus;
use crate::finding::{self, Current};
use crate::host;
use crate::interrupt::{self, EXIT_INTERRUPTED, Interrupt};
use crate::plan::Job;
use crate::progress::Progress;
use crate::session::{self, Observer, Planned, Summary};
use crate::settings::{self, Settings};
use crate::slice::Process;
use crate::watchdog::Watchdog;

/// Runs what the user asked for.
///
/// # Errors
/// The request makes no sense, or the system refused something.
pub fn run(args: &RunArgs) -> Result<i32, String> {
    let settings = Settings::new(args, &Cpus::allowed()?)?;
    let planned = session::plan(&settings)?;
    controls::quick()?;
    let store =
        Store::open(settings::folder(args.cells.out.as_ref())).map_err(|e| e.to_string())?;
    let process = Process {
        clock: quanta::Clock::new(),
        interrupt: Interrupt::catch()?,
        watchdog: Watchdog::start(settings.hang_limit)?,
    };
    let form = match (args.json, args.wide) {
        (true, _) => Form::Json,
        (_, true) => Form::Wide,
        _ => Form::Table,
    };
    Ok(record(&settings, &planned, &process, &store, form)?.code)
}

/// A run that was kept.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: String,
    /// The exit code of the process.
    pub code: i32,
}

/// Runs a plan, and keeps its records in the store.
///
/// # Errors
/// The system refused something; what was published stays.
pub fn record(
    settings: &Settings,
    planned: &Planned,
    process: &Process,
    store: &Store,
    form: Form,
) -> Result<Recorded, String> {
    let json = form == Form::Json;
    let writer = Arc::new(store.start(SystemTime::now()).map_err(|error| error.to_string())?);
    let (machine, current) = (host::describe(&settings.cpus), Current::default());
    finding::keep_in(Arc::clone(&writer), machine.clone(), current.clone(), json);
    announce(settings, planned);
    let progress = Progress::new(planned, settings.rounds);
    let mut keeper = Keeper { writer: &writer, progress, json };
    let summary = session::run(settings, planned, process, &current, &mut keeper)?;
    keeper.progress.clear();
    if summary.interrupted {
        let interrupted = interrupt::record(current.get(), machine);
        writer.append(&interrupted).map_err(|error| error.to_string())?;
    }
    let path = writer.finish().map_err(|error| error.to_string())?;
    eprintln!("run {}: {}", writer.id(), path.display());
    let code = conclude(&summary, store, writer.id(), form)?;
    Ok(Recorded { id: writer.id().to_owned(), code })
}

/// What is said before the run: what is left out, and what can spoil it.
fn announce(settings: &Settings, planned: &Planned) {
    for skipped in &planned.skipped {
        eprintln!("skipped: {}: {}", skipped.what, skipped.why);
    }
    if let Some(most) = planned.parts.keys().last().filter(|most| **most > settings.cpus.count()) {
        eprintln!(
            "warning: up to {most} threads share {} CPUs; such rounds say more about the scheduler \
             than about the locks",
            settings.cpus.count()
        );
    }
    let cells: usize = planned.parts.values().flatten().map(Vec::len).sum();
    eprintln!(
        "{cells} cells, {} rounds, about {} s; seed {}",
        settings.rounds,
        (planned.slice_time * planned.slices as u32).as_secs_f64().ceil(),
        settings.seed
    );
}

/// The table and the answer, or what is left of them, and the exit code.
fn conclude(summary: &Summary, store: &Store, id: &str, form: Form) -> Result<i32, String> {
    if !summary.measured.is_empty() {
        let run = store.read(id).map_err(|error| error.to_string())?;
        print(&show::ended(&[run], form)?)?;
    }
    for failed in &summary.failed {
        eprintln!("solock: failed: {failed}");
    }
    if summary.interrupted {
        eprintln!("interrupted: the rounds that had ended are kept");
        return Ok(EXIT_INTERRUPTED);
    }
    Ok(if summary.failed.is_empty() { EXIT_OK } else { EXIT_USAGE })
}

/// Keeps every record as soon as it is there.
struct Keeper<'a> {
    writer: &'a RunWriter,
    progress: Progress,
    json: bool,
}

impl Observer for Keeper<'_> {
    fn round(&mut self, threads: usize, round: u32) {
        self.progress.round(threads, round);
    }

    fn slice(&mut self, job: &Job) {
        self.progress.slice(job);
    }

    fn publish(&mut self, measured: &Measured) -> Result<(), String> {
        let record = Record::from(measured.clone());
        self.writer.append(&record).map_err(|error| error.to_string())?;
        if self.json {
            let line = record.to_line().map_err(|error| error.to_string())?;
            print(&(line + "\n"))?;
        }
        self.progress.done();
        Ok(())
    }
}
