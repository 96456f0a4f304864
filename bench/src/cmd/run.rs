//! `solock run`: measures, keeps every record in a file, and shows the table.

use crate::{complain, tell};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lockimpls::Algorithm;
use lockimpls::witness::EXIT_FINDING;
use results::{AgainstItself, Finding, Instrument, Kept, Record, RunWriter, Store};

use super::show::{self, Form};
use super::{EXIT_OK, EXIT_USAGE, controls, print, tell_skipped};
use crate::cli::RunArgs;
use crate::cpus::Cpus;
use crate::finding::{self, Current};
use crate::host;
use crate::instrument::{self, LockPairs};
use crate::interrupt::{self, EXIT_INTERRUPTED, Interrupt};
use crate::plan::{self, Group};
use crate::pool::Lanes;
use crate::progress::Progress;
use crate::session::{self, Observer, Planned, Session, Summary};
use crate::settings::{self, Settings};
use crate::slice::Process;
use crate::turns::copy;
use crate::turns::machine::Machine;
use crate::turns::record::Context;
use crate::watchdog::Watchdog;
use crate::words::REFERENCE;

/// Runs what the user asked for.
///
/// # Errors
/// The request makes no sense, or the system refused something.
pub fn run(args: &RunArgs) -> Result<i32, String> {
    let began = Instant::now();
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
    let program = args.program.clone().map_or_else(this_program, Ok)?;
    let run =
        Recording { settings: &settings, planned: &planned, process: &process, program, began };
    let form = match (args.json, args.wide) {
        (true, _) => Form::Json,
        (_, true) => Form::Wide,
        _ => Form::Table,
    };
    Ok(run.record(&store, form)?.code)
}

/// The program that is running.
///
/// # Errors
/// The system does not say where it is.
pub fn this_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))
}

/// A run that was kept.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: String,
    /// The exit code of the process.
    pub code: i32,
}

/// What is recorded, and how.
#[derive(Clone, Debug)]
pub struct Recording<'a> {
    /// What was asked.
    pub settings: &'a Settings,
    /// What is done about it.
    pub planned: &'a Planned,
    /// What there is once per process.
    pub process: &'a Process,
    /// What is started to measure: this program, or in tests another.
    pub program: PathBuf,
    /// From here on the budget is counted: what measures the instrument is in it.
    pub began: Instant,
}

impl Recording<'_> {
    /// Runs the plan, and keeps its records in the store.
    ///
    /// # Errors
    /// The system refused something; what was published stays.
    pub fn record(&self, store: &Store, form: Form) -> Result<Recorded, String> {
        let Recording { settings, planned, process, program, began } = self;
        let json = form == Form::Json;
        let writer = Arc::new(store.start(SystemTime::now()).map_err(|error| error.to_string())?);
        let (machine, current) = (host::describe(&settings.cpus), Current::default());
        finding::keep_in(Arc::clone(&writer), machine, current.clone(), json);
        announce(settings, planned);
        let context = self.context().inspect_err(|_| writer.discard_if_empty())?;
        let world = Machine::new(&process.interrupt).since(*began);
        let world = world.with_hang_limit(settings.hang_limit);
        let session = Session {
            settings,
            planned,
            world: &world,
            program,
            context: &context,
            current: &current,
        };
        let progress = Progress::new(planned.budget(settings), settings.rounds);
        let mut keeper = Keeper { writer: &writer, progress, json };
        let summary =
            session::run(&session, &mut keeper).inspect_err(|_| writer.discard_if_empty())?;
        keeper.progress.clear();
        if let Some(finding) = &summary.found {
            stopped(finding, summary.unkept.as_deref(), &mut keeper);
            return Ok(Recorded { id: writer.id().to_owned(), code: EXIT_FINDING });
        }
        if summary.interrupted {
            let interrupted = interrupt::record(current.get(), context.host.clone());
            writer.append(&interrupted).map_err(|error| error.to_string())?;
        }
        if writer.is_empty() {
            writer.discard_if_empty();
            summary.failed.iter().for_each(|failed| complain!("failed: {failed}"));
            return Err("nothing was measured, so there is no run to keep".to_owned());
        }
        let path = writer.finish().map_err(|error| error.to_string())?;
        tell!("run {}: {}", writer.id(), path.display());
        let code = conclude(&summary, store, writer.id(), form)?;
        Ok(Recorded { id: writer.id().to_owned(), code })
    }

    /// The instrument is measured here, before the first process is started.
    fn context(&self) -> Result<Context, String> {
        let Recording { settings, planned, process, .. } = self;
        let job = planned.groups().find_map(|group| group.first()).ok_or("nothing is planned")?;
        let lanes = Lanes::start(job.plan.threads, &settings.cpus, settings.pin)?;
        let instrument = instrument::measure(&lanes, job, process)?;
        let others = settings.locks.iter().filter(|lock| **lock != Algorithm::default());
        let on_lock = |lock: &Algorithm| {
            let LockPairs { plain_ns, checker_ns } = instrument::locks(&lanes, *lock, process);
            let [lock_ns_per_pair, checker_ns_per_pair] = [plain_ns, checker_ns];
            Instrument { lock_ns_per_pair, checker_ns_per_pair, ..instrument.clone() }
        };
        Ok(Context {
            host: host::describe(&settings.cpus),
            on_lock: others.map(|lock| (lock.name().to_owned(), on_lock(lock))).collect(),
            instrument,
            seed: settings.seed,
        })
    }
}

/// What is said before the run: what is left out, and what can spoil it.
pub(super) fn announce(settings: &Settings, planned: &Planned) {
    plan::told(&planned.skipped).iter().for_each(|skipped| tell_skipped(skipped));
    if cfg!(debug_assertions) {
        tell!("warning: a debug build ({}): it says nothing about the locks", host::build());
    }
    if let Some(most) = planned.parts.keys().last().filter(|most| **most > settings.cpus.count()) {
        tell!(
            "warning: up to {most} threads share {} CPUs; such rounds say more about the scheduler \
             than about the locks",
            settings.cpus.count()
        );
        let spins: Vec<&str> =
            settings.locks.iter().filter(|lock| lock.spins()).map(|lock| lock.name()).collect();
        if !spins.is_empty() {
            tell!(
                "warning: locks that spin: {}; whoever waits keeps the CPU that the holder needs",
                spins.join(", ")
            );
        }
    }
    let rounds = settings.rounds.map(|rounds| format!("{rounds} rounds"));
    let budget = planned.budget(settings);
    let budget = budget.map(|budget| format!("at most {} s", budget.as_secs_f64().ceil()));
    let length: Vec<String> = rounds.into_iter().chain(budget).collect();
    tell!("{} cells, {}; seed {}", planned.cells(), length.join(", "), settings.seed);
}

/// The end of a run in which a check found something. Its report comes first: no write that fails
/// after it can cost the report or the exit code.
fn stopped(finding: &Finding, unkept: Option<&str>, keeper: &mut Keeper<'_>) {
    tell!("{}", finding.report.trim_end());
    complain!("stopped by a check");
    let warn = |error: &str| tell!("warning: {error}");
    unkept.into_iter().for_each(warn);
    if let Err(error) = keeper.publish(&Record::from(finding.clone())) {
        warn(&error);
    }
    match keeper.writer.finish() {
        Ok(path) => tell!("run {}: {}", keeper.writer.id(), path.display()),
        Err(error) => warn(&error.to_string()),
    }
}

/// The table and the answer, or what is left of them, and the exit code.
fn conclude(summary: &Summary, store: &Store, id: &str, form: Form) -> Result<i32, String> {
    if summary.measured > 0 {
        let runs = [store.read(id).map_err(|error| error.to_string())?];
        print(&show::ended(&runs, &Kept::beside(store, &runs), form)?)?;
    }
    if let Some(why) = &summary.uncopied {
        tell!("{}", copy::told(why));
    }
    if let Some((AgainstItself { ratio, low, high, pairs }, differs)) = &summary.itself {
        let invalid = if *differs { ": something but the locking differs here" } else { "" };
        tell!(
            "{REFERENCE} with a copy of itself: {ratio:.3} [{low:.3}, {high:.3}], {pairs} \
             launches{invalid}"
        );
    }
    for failed in &summary.failed {
        complain!("failed: {failed}");
    }
    if summary.interrupted {
        tell!("interrupted: the rounds that had ended are kept");
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
    fn round(&mut self, round: u32, groups: usize, elapsed: Duration) {
        self.progress.round(round, groups, elapsed);
    }

    fn launch(&mut self, group: &Group, elapsed: Duration) {
        self.progress.launch(group, elapsed);
    }

    fn publish(&mut self, record: &Record) -> Result<(), String> {
        self.writer.append(record).map_err(|error| error.to_string())?;
        if self.json {
            let line = record.to_line().map_err(|error| error.to_string())?;
            print(&(line + "\n"))?;
        }
        Ok(())
    }
}
