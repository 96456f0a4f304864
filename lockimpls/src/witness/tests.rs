//! Every rule of the witness, broken: a report ends the process, so each program runs in one of its
//! own.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::child;
use crate::domain::PoolUse;
use crate::primitives::THREADS_MAX;

/// Addresses, lowest first: the witness never follows them.
const A: usize = 0x10;
const B: usize = 0x20;
const C: usize = 0x30;

static TEST: Operation = Operation { name: "sys_test", backend: "tested" };

/// Where these tests are.
const TESTS: &str = "lockimpls/src/witness/tests/";

/// The child's side: this says that the test is to run its program.
const ASKED: &str = "SOLOCK_TEST_RULE";

/// The whole name of a test of this module.
macro_rules! here {
    ($test:expr) => {
        concat!(module_path!(), "::", $test)
    };
}

/// Declares a test: its program must end in just this report. A place in these files is written as
/// the code of its line.
macro_rules! reports {
    ($test:ident, $program:block, $report:literal) => {
        #[test]
        fn $test() {
            if let Some((code, said)) = in_child(here!(stringify!($test)), || $program) {
                assert_eq!(lines(&with_code(&said)), lines($report));
                assert_eq!(code, Some(EXIT_FINDING));
            }
        }
    };
}

mod allowed;
mod fast_path;
mod findings;
mod kernel_lock;
mod leaks;
mod not_held;
mod order;
mod shared;
mod sleeping;
mod threads;

/// Runs the program in a child: its exit code and what it said. In the child: nothing.
fn in_child(test: &str, program: impl FnOnce()) -> Option<(Option<i32>, String)> {
    if std::env::var_os(ASKED).is_some() {
        child::begin();
        program();
        return None;
    }
    let (_, test) = test.split_once("::").expect("the crate's name");
    Some(child::run(test, ASKED, "1"))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The report with the code of a line for its place, and no word of the machine's.
fn with_code(report: &str) -> String {
    let mut text = String::new();
    for line in report.lines() {
        let (before, place) = line.split_once(TESTS).unwrap_or((line, ""));
        text.push_str(before);
        text.push_str(&code_at(place).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// The code of a line, by its file here and its number.
fn code_at(place: &str) -> Option<String> {
    let mut parts = place.split(':');
    let (file, number) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let whole = std::fs::read_to_string(root.join(TESTS).join(file)).unwrap();
    whole.lines().nth(number - 1).map(|code| code.trim().to_owned())
}

/// A program must end in a report with these words.
fn is_found(test: &str, words: &str, program: impl FnOnce()) {
    if let Some((code, said)) = in_child(test, program) {
        assert!(said.contains(words), "{said}");
        assert_eq!(code, Some(EXIT_FINDING));
    }
}

/// Takes a lock as `RwLock` does.
#[track_caller]
fn take(addr: usize, class: Class) {
    take_by(addr, class, Edge::None);
}

#[track_caller]
fn take_by(addr: usize, class: Class, edge: Edge) {
    checkorder(addr, &class, edge);
    lock(addr, class);
}

fn begin() -> u32 {
    enter(&TEST);
    thread_number()
}

/// Waits, as far as the witness knows.
#[track_caller]
fn sleep_for_good(addr: usize, kind: WaitsFor) {
    thread_number();
    sleep(addr, kind, 0);
    loop {
        std::thread::park();
    }
}

fn await_that(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}
