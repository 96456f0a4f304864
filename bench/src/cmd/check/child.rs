//! The process of one backend and workload.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lockimpls::witness::{self, Class, EXIT_FINDING, Finding};
use lockimpls::{Algorithm, Config, Layer, SockType};
use workloads::panics::or_report;
use workloads::testing::Outcome;
use workloads::{Own, Plan};

use super::{Came, Job, by_itself, errors};
use crate::added::is_added;
use crate::cmd::{EXIT_OK, print};
use crate::job::has_what_it_takes;
use crate::locks;
use crate::pool::THREADS_MAX;
use crate::watchdog::{self, Watchdog};

/// How many operations each lane of a run does.
const OPERATIONS: u64 = 300;
/// How many the longest does of a layer that was added, and how long it may take by what the others
/// took.
const OPERATIONS_LONG: u64 = 12_000;
const LONG: Duration = Duration::from_secs(3);
/// How long a run may take, whatever its calls do.
const RUN_LIMIT: Duration = Duration::from_secs(100);
/// How long a lock may take for its own check, and for how long it is checked.
const LOCK_LIMIT: Duration = watchdog::LIMIT;
const LOCK_TIME: Duration = Duration::from_secs(1);
/// How many threads, where the workload does not say.
const THREADS: [usize; 4] = [1, 2, 3, 4];
/// How long messages are, in bytes.
const BYTES: [usize; 3] = [1, 64, 1000];

/// Runs it all, and says what came of it.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn child(job: &Job, checks_lock: bool) -> Result<i32, String> {
    witness::set_finding_hook(|finding| {
        // Whoever reads this sees by the code that something was found.
        let _ = say(&found(finding));
    });
    if checks_lock && let Some(came) = lock(job.lock) {
        say(&came)?;
        // A thread may wait for the lock for good.
        std::process::exit(EXIT_FINDING);
    }
    let watchdog = Watchdog::start(watchdog::LIMIT)?;
    thread::spawn(each_run_ends);
    let came = watchdog.outside(|| or_report(|| runs(job)));
    say(&came)?;
    Ok(EXIT_OK)
}

/// How many runs have ended.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// Reports a run that goes on for ever although its calls return.
fn each_run_ends() {
    let mut last = (0, Instant::now());
    loop {
        thread::sleep(RUN_LIMIT / 100);
        // Relaxed: a number that is looked at now and then.
        let ended = ENDED.load(Relaxed);
        if ended != last.0 {
            last = (ended, Instant::now());
        } else if last.1.elapsed() > RUN_LIMIT {
            witness::report_endless(RUN_LIMIT);
        }
    }
}

fn say(came: &Came) -> Result<(), String> {
    print(&(serde_json::to_string(came).map_err(|error| error.to_string())? + "\n"))
}

fn found(finding: &Finding) -> Came {
    Came::Found {
        check: finding.check.name().to_owned(),
        operation: finding.operation.to_owned(),
        at: finding.at.clone(),
        report: finding.report.clone(),
    }
}

/// What is wrong with a lock by itself, if something is: it must let one thread in at a time, and
/// the next one when that has gone.
fn lock(algorithm: Algorithm) -> Option<Came> {
    if algorithm == Algorithm::default() {
        return None;
    }
    let (tell, told) = mpsc::channel();
    // It may be wrong once in a while only.
    thread::spawn(move || tell.send(or_report(|| locks::lost(algorithm, LOCK_TIME))));
    let (check, report) = match told.recv_timeout(LOCK_LIMIT) {
        Ok(0) => return None,
        Ok(lost) => ("exclusion", format!("it let several threads in: {lost} steps were lost")),
        Err(_) => ("hang", format!("it was released, and nobody gets it: {LOCK_LIMIT:?} passed")),
    };
    let (operation, at) = ("none".to_owned(), by_itself(algorithm));
    Some(Came::Found { check: check.to_owned(), operation, at, report })
}

fn runs(job: &Job) -> Came {
    let (mut count, mut skipped, mut locks_per_message) = (0, Vec::new(), None);
    for kind in SockType::ALL {
        if let Err(why) = has_what_it_takes(&job.case, kind) {
            skipped.push(why);
            continue;
        }
        if is_added(&job.case.backend) {
            errors::meet(job, kind);
        }
        for plan in plans(job, kind) {
            let began = Instant::now();
            let outcome = run(job, &plan, OPERATIONS);
            count += 1;
            if count == 1 && is_added(&job.case.backend) {
                let each = began.elapsed().as_secs_f64() / OPERATIONS as f64;
                let at_most = (LONG.as_secs_f64() / each) as u64;
                run(job, &plan, at_most.clamp(OPERATIONS, OPERATIONS_LONG));
                count += 1;
            }
            if plan.threads == 1 && locks_per_message.is_none() {
                let longer = run(job, &plan, 2 * OPERATIONS);
                locks_per_message = Some(per_message(&outcome, &longer));
                count += 1;
            }
        }
    }
    skipped.dedup();
    match (count, skipped.first()) {
        (0, Some(why)) => Came::Skipped { why: why.clone() },
        (0, None) => Came::Skipped { why: "it fits no plan of a check".to_owned() },
        (runs, _) => Came::Clean { runs, skipped, locks_per_message },
    }
}

/// The plans that the workload fits.
fn plans(job: &Job, socket_type: SockType) -> Vec<Plan> {
    let workload = &job.case.workload;
    let mut plans = Vec::new();
    for (threads, message_bytes) in THREADS.iter().flat_map(|n| BYTES.map(|bytes| (*n, bytes))) {
        let own = Own::default();
        let mut plan = Plan { threads, socket_type, message_bytes, verify: true, own, seed: 1 };
        plan.threads = (workload.threads)(&plan).unwrap_or(threads);
        let fits = plan.threads <= THREADS_MAX && (workload.fits)(&plan).is_ok();
        if fits && !plans.contains(&plan) {
            plans.push(plan);
        }
    }
    plans
}

fn run(job: &Job, plan: &Plan, operations: u64) -> Outcome {
    let outcome = (job.case.workload.checked)(&*layer(job), plan, operations);
    ENDED.fetch_add(1, Relaxed);
    outcome
}

/// A layer of the backend, with no sockets.
pub(super) fn layer(job: &Job) -> Box<dyn Layer> {
    let config = Config { lock: job.lock, sockets_max: 256, ..Config::default() };
    let layer = locks::open(&job.case.backend, &config);
    layer.unwrap_or_else(|errno| panic!("no layer can be made: {errno}"))
}

/// Locks taken for each message, by class: of one thread, so that they depend on nothing else. The
/// longer run differs from the shorter one in its messages alone, whatever both do at their ends.
fn per_message(shorter: &Outcome, longer: &Outcome) -> Vec<(String, f64)> {
    let messages = |of: &Outcome| of.sums.iter().map(|sums| sums.messages_sent).sum::<u64>();
    let taken = |of: &Outcome, class| of.counters.of(class).acquisitions;
    let more = messages(longer).saturating_sub(messages(shorter)).max(1) as f64;
    let each = |class: Class| {
        let count = taken(longer, class) as f64 - taken(shorter, class) as f64;
        (class.name().to_owned(), count / more)
    };
    let locks = Class::ALL.into_iter().filter(|class| class.is_lock()).map(each);
    locks.filter(|(_, count)| *count > 0.0).collect()
}
