//! The backends under shuttle: stored schedules first, then random and PCT schedules, then the
//! broken twins, which must be found.
//!
//! Every check is a process of its own (a failed schedule ends it). The seeds are fixed, so that a
//! run repeats the last one. `SOLOCK_SHUTTLE_SCHEDULES` says how many schedules of each kind every
//! program runs, `SOLOCK_SHUTTLE_SEED` where they begin: for nights.

mod check;
mod dice;
mod programs;
mod schedule;
mod tally;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const BACKENDS: [&str; 13] = [
    "global",
    "global-gc",
    "per-socket",
    "per-socket-try",
    "per-socket-wait",
    "per-buffer",
    "per-pair",
    "state-queue",
    "shared-link",
    "receive-buffer",
    "endpoint-queue",
    "lock-free",
    "lock-free+1",
];
const PROGRAMS: [&str; 4] = ["pairs", "datagrams", "listener", "storm"];
const SCHEDULERS: [&str; 2] = ["random", "pct"];

/// `per-socket` on each of the locks that shuttle can look into; `per-socket-try` on those whose
/// tries are more than a look; and `per-buffer`, whose buffers are waited for under a mutex, on a
/// lock that spins and on one that sleeps. In random schedules alone, for time.
const ON_LOCKS: [&str; 11] = [
    "per-socket@rwlock9",
    "per-socket@rwlock9-2025",
    "per-socket@mutex9",
    "per-socket@ticket",
    "per-socket@mcs",
    "per-socket@clh",
    "per-socket@futex",
    "per-socket-try@mcs",
    "per-socket-try@clh",
    "per-buffer@mutex9",
    "per-buffer@rwlock9-2025",
];

/// How many schedules of each kind every program runs on every backend.
const SCHEDULES: usize = 400;
/// Within how many schedules each scheduler must find a twin.
const TWIN_SCHEDULES: usize = 200;
/// How many checks run at once.
const JOBS: usize = 2;

/// The twins, and the program that finds each.
const TWINS: [(&str, &str); 9] = [
    ("leak-nobufs", "pairs"),
    ("order", "pairs"),
    ("no-recheck", "datagrams"),
    ("leak-ref", "pairs"),
    ("no-lock", "datagrams"),
    ("leak-message", "datagrams"),
    ("lost-wakeup", "datagrams"),
    ("leak-gate", "pairs"),
    ("lock-not-looked-at-again", "listener"),
];

/// What one process printed.
struct Output {
    text: String,
    numbers: BTreeMap<String, u64>,
}

impl Output {
    fn get(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    /// What follows a word at the beginning of a line.
    fn after(&self, word: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
    }

    fn passed(&self) -> bool {
        self.text.lines().any(|line| line == "passed")
    }
}

/// Runs one check.
fn run(words: &[&str]) -> Output {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--exact", "check::one_check", "--nocapture"])
        .env(check::WORDS, words.join("\n"))
        .output()
        .expect("the check runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
        .collect();
    let output_of = Output { text, numbers };
    assert_eq!(output.status.success(), output_of.passed(), "{words:?}: {}", output_of.text);
    if !output_of.passed() {
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(output_of.after("failed").is_some(), "{words:?}: {report}");
    }
    output_of
}

/// Does this with every item, some at once.
///
/// Relaxed: who takes which item is all that it decides; the scope's end orders the rest.
fn each<T: Sync>(items: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..JOBS {
            threads.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Relaxed)) {
                    run(item);
                }
            });
        }
    });
}

/// A number from the environment.
fn setting(name: &str, otherwise: usize) -> String {
    std::env::var(name).unwrap_or_else(|_| otherwise.to_string())
}

fn regressions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// Every stored schedule, and the backend it failed on.
fn stored() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(regressions())
        .expect("the folder of stored schedules")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sched"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a stored schedule");
            let on = text.split(' ').next().expect("its backend").to_owned();
            (path.display().to_string(), on)
        })
        .collect();
    all.sort();
    all
}

/// The real backend that a twin is a broken version of.
fn real(on: &str) -> &str {
    match on.strip_prefix("twin:") {
        Some("leak-gate") => "lock-free",
        Some("lock-not-looked-at-again") => "per-pair",
        Some(_) => "per-socket",
        None => on,
    }
}

/// What all checks of one backend counted together.
fn assert_not_empty(on: &str, sum: &BTreeMap<String, u64>) {
    let mut wanted = vec![
        "parks",
        "contended",
        "EPIPE",
        "EWOULDBLOCK",
        "ENOBUFS",
        "ECONNREFUSED",
        "ECONNRESET",
        "ENOTCONN",
        "EISCONN",
        "EDESTADDRREQ",
        "EBADF",
        "EMSGSIZE",
        "EINVAL",
        "ENOENT",
    ];
    // On `shared-link` nothing is locked in an order of addresses.
    if !on.starts_with("global") && on != "shared-link" {
        // On `per-socket-wait` whoever relocks does not look again.
        wanted.extend((on != "per-socket-wait").then_some("retries"));
        wanted.extend(on.starts_with("per-socket-try").then_some("saved"));
        wanted.extend((on != "per-pair").then_some("relocks"));
    }
    if on.starts_with("lock-free") {
        wanted.extend([
            "fast_sends",
            "fast_receives",
            "slow_sends",
            "slow_receives",
            "gate_closings",
        ]);
    }
    for name in wanted {
        assert!(sum.get(name).is_some_and(|count| *count > 0), "{on}: no {name} in {sum:?}");
    }
}

#[test]
fn no_schedule_finds_anything() {
    // What failed once comes first.
    each(&stored(), |(file, on)| {
        let replayed = run(&["replay", real(on), file]);
        assert!(replayed.passed(), "{file}: {}", replayed.text);
    });
    let schedules = setting("SOLOCK_SHUTTLE_SCHEDULES", SCHEDULES);
    let seed = setting("SOLOCK_SHUTTLE_SEED", 1);
    let folder = regressions().display().to_string();
    let mut checks = Vec::new();
    for on in BACKENDS {
        for how in SCHEDULERS {
            checks.extend(PROGRAMS.map(|program| (on, program, how)));
        }
    }
    for on in ON_LOCKS {
        checks.extend(PROGRAMS.map(|program| (on, program, "random")));
    }
    let sums = Mutex::new(BTreeMap::<&str, BTreeMap<String, u64>>::new());
    each(&checks, |&(on, program, how)| {
        let output = run(&["check", on, program, how, &schedules, &seed, &folder]);
        assert!(output.passed(), "{on} {program} {how}: {}", output.text);
        assert_eq!(output.get("schedules").to_string(), schedules);
        let mut sums = sums.lock().unwrap();
        for (name, number) in output.numbers {
            *sums.entry(on).or_default().entry(name).or_default() += number;
        }
    });
    for (on, sum) in sums.into_inner().unwrap() {
        println!("{on} {sum:?}");
        assert_not_empty(on, &sum);
    }
}

#[test]
fn every_twin_is_found_and_its_schedule_fails_again() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().display().to_string();
    let checks: Vec<_> =
        TWINS.iter().flat_map(|twin| SCHEDULERS.map(|how| (twin.0, twin.1, how))).collect();
    each(&checks, |&(twin, program, how)| {
        let on = format!("twin:{twin}");
        let limit = TWIN_SCHEDULES.to_string();
        let found = run(&["check", &on, program, how, &limit, "1", &folder]);
        assert!(!found.passed(), "{twin} {how} was not found in {limit} schedules");
        println!("{twin} {program} {how} after {}", found.get("schedules"));
        let file = found.after("stored").expect("the schedule is stored");
        // The same steps find the same thing at the same place.
        let again = run(&["replay", &on, file]);
        assert_eq!(again.after("failed"), found.after("failed"), "{twin} {how}");
        assert_eq!(again.after("at"), found.after("at"), "{twin} {how}");
        assert_eq!(again.get("diverged"), 0, "{twin} {how}");
        // Without the fault they find nothing.
        let clean = run(&["replay", real(&on), file]);
        assert!(clean.passed(), "{twin} {how}: {}", clean.text);
    });
}

#[test]
fn a_stored_schedule_of_a_twin_fails_on_the_twin() {
    let of_twins: Vec<_> = stored().into_iter().filter(|(_, on)| on.starts_with("twin:")).collect();
    assert!(!of_twins.is_empty(), "no stored schedule of a twin");
    for (file, on) in of_twins {
        let replayed = run(&["replay", &on, &file]);
        assert!(!replayed.passed(), "{file} finds nothing on {on} any more: store a new one");
    }
}
