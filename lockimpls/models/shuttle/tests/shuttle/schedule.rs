//! Running schedules: drawn ones, and stored ones.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use lockimpls_shuttle::witness::{self, Check, Finding};
use shuttle::scheduler::{
    PctScheduler, RandomScheduler, ReplayScheduler, Schedule, Scheduler, Task, TaskId,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::dice::Dice;
use crate::tally;

/// How many preemptions PCT looks for bugs with.
const PCT_DEPTH: usize = 3;
/// A schedule with more steps than this gets nowhere.
const STEPS_MAX: usize = 400_000;
/// The stack of a model's thread: reports are long.
const STACK_BYTES: usize = 256 << 10;
/// The exit code of a failed schedule.
const EXIT_FAILED: i32 = 2;

/// What ran when a schedule failed: the first line of a stored schedule.
static HEADER: OnceLock<String> = OnceLock::new();
/// What the witness found.
static FOUND: OnceLock<(String, String)> = OnceLock::new();

/// Where shuttle leaves a failing schedule.
fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("solock-shuttle-{}", std::process::id()))
}

/// How schedules are chosen.
pub(crate) enum Choice {
    Random {
        schedules: usize,
        seed: u64,
    },
    Pct {
        schedules: usize,
        seed: u64,
    },
    /// The steps of a stored schedule, as its text.
    Stored(String),
}

/// Runs a model's program under the chosen schedules; the process ends at the first that fails,
/// whose steps go to a file in `store`.
pub(crate) fn run(
    header: String,
    choice: Choice,
    store: Option<PathBuf>,
    program: impl Fn() + Send + Sync + 'static,
) {
    assert!(HEADER.set(header).is_ok(), "one check in a process");
    witness::set_finding_hook(note);
    std::fs::create_dir_all(scratch()).expect("a folder for the failing schedule");
    std::panic::set_hook(Box::new(move |info| fail(&info.to_string(), store.as_deref())));
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::File(Some(scratch()));
    config.max_steps = MaxSteps::FailAfter(STEPS_MAX);
    config.silence_warnings = true;
    let counted = move || {
        tally::count("schedules", 1);
        thread(&program);
    };
    match choice {
        Choice::Random { schedules, seed } => {
            Runner::new(RandomScheduler::new_from_seed(seed, schedules), config).run(counted)
        }
        Choice::Pct { schedules, seed } => {
            Runner::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, schedules), config)
                .run(counted)
        }
        Choice::Stored(steps) => {
            tally::trace();
            Runner::new(Replay::new(&steps), config).run(counted)
        }
    };
    let _ = std::fs::remove_dir_all(scratch());
}

/// The threads of the model that have begun and not ended.
static RUNNING: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<usize>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a thread of the model.
pub(crate) fn thread(body: impl FnOnce()) {
    let me = usize::from(shuttle::thread::current().id());
    running().push(me);
    body();
    running().retain(|thread| *thread != me);
}

/// Notes what the witness found. Where no thread can go on, shuttle ends them all, and what they
/// hold then is no leak: the schedule hangs.
fn note(finding: &Finding) {
    let me = shuttle::current::try_get_current_task().map(usize::from);
    let is_cut_short = finding.report.starts_with("witness: thread exiting")
        && me.is_none_or(|me| running().contains(&me));
    let found = if is_cut_short {
        (Check::Hang.name().to_owned(), String::from("-"))
    } else {
        (finding.check.name().to_owned(), finding.at.clone())
    };
    let _ = FOUND.set(found);
}

/// A schedule has failed, and shuttle has written its steps: says what was found and ends the
/// process, before anything unwinds.
fn fail(message: &str, store: Option<&Path>) -> ! {
    let (check, at) = FOUND.get().cloned().unwrap_or_else(|| {
        let stuck = message.contains("deadlock!") || message.contains("exceeded max_steps");
        let check = if stuck { Check::Hang } else { Check::Panic };
        (check.name().to_owned(), String::from("-"))
    });
    eprintln!("{message}");
    let steps = std::fs::read_dir(scratch())
        .ok()
        .and_then(|mut folder| folder.next()?.ok())
        .and_then(|file| std::fs::read_to_string(file.path()).ok());
    let _ = std::fs::remove_dir_all(scratch());
    if let (Some(steps), Some(header)) = (&steps, HEADER.get()) {
        let text = format!("{header} # {check} at {at}\n{steps}\n");
        println!("schedule:\n{text}");
        if let Some(folder) = store {
            println!("stored {}", keep(folder, header, &text).display());
        }
    }
    print!("{}", tally::lines());
    println!("failed {check}\nat {at}");
    std::process::exit(EXIT_FAILED)
}

/// Writes a stored schedule to the first name that is free.
fn keep(folder: &Path, header: &str, text: &str) -> PathBuf {
    let stem: String =
        header.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let path = (1..)
        .map(|number| folder.join(format!("{stem}-{number}.sched")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join("schedule.sched"));
    if let Err(error) = std::fs::write(&path, text) {
        eprintln!("{}: {error}", path.display());
    }
    path
}

/// A stored schedule's steps, and where the source has changed so much that they do not fit any
/// more, steps drawn from a fixed seed.
#[derive(Debug)]
struct Replay {
    stored: ReplayScheduler,
    is_over: bool,
    rest: u64,
}

impl Replay {
    fn new(steps: &str) -> Replay {
        let mut stored = ReplayScheduler::new_from_encoded(steps);
        stored.set_allow_incomplete();
        Replay { stored, is_over: false, rest: 1 }
    }
}

impl Scheduler for Replay {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.stored.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if !self.is_over {
            if let Some(task) = self.stored.next_task(runnable, current, is_yielding) {
                return Some(task);
            }
            self.is_over = true;
            tally::count("diverged", 1);
        }
        let mut dice = Dice::new(self.rest);
        let at = dice.roll(runnable.len());
        self.rest = dice.roll(1 << 31) as u64;
        Some(runnable[at].id())
    }

    fn next_u64(&mut self) -> u64 {
        self.stored.next_u64()
    }
}
