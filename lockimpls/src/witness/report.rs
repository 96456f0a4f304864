//! Reports in witness(4)'s words, and the end of the process that comes with them.

#![allow(unsafe_code)]

use std::panic::Location;
use std::sync::OnceLock;

use super::class::{CLASSES, Class};
use super::thread::{Held, Operation, Thread, calls, each_thread, location, this};
use crate::primitives::own::{AtomicU32, AtomicU64};
use crate::primitives::{Ordering, await_end, end_process};

use Ordering::Relaxed;

/// The checks that can find something. The first five are the `checks` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// A lock, flag or reference held at a call's return or a thread's end.
    LeakedLock,
    /// A lock taken in the wrong order, or taken twice.
    OrderViolation,
    /// Objects in use when everything was closed.
    ObjectsLeft,
    /// Bytes or messages that went in and did not come out, or came out wrong.
    BytesLost,
    /// Messages that came out in another order.
    OutOfOrder,
    /// Something was unlocked that the thread did not hold.
    NotHeld,
    /// What a lock guards was touched without it, or after the socket was replaced.
    Unlocked,
    /// A thread parked while holding more than its sleep releases.
    SleepingWithLock,
    /// No thread got any further.
    Hang,
    /// A thread panicked.
    Panic,
    /// A call answered what no order of the calls explains.
    WrongAnswer,
    /// The lock-free path was there and was not taken.
    FastPath,
}

impl Check {
    /// The name in records and in the controls' table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Check::LeakedLock => "leaked_locks",
            Check::OrderViolation => "order_violations",
            Check::ObjectsLeft => "objects_left",
            Check::BytesLost => "bytes_lost",
            Check::OutOfOrder => "out_of_order",
            Check::NotHeld => "not_held",
            Check::Unlocked => "unlocked",
            Check::SleepingWithLock => "sleeping_with_lock",
            Check::Hang => "hang",
            Check::Panic => "panic",
            Check::WrongAnswer => "wrong_answers",
            Check::FastPath => "fast_path",
        }
    }
}

/// What a check found. It is the last thing a process does: see [`set_finding_hook`].
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// How many (locks held, objects left, bytes lost ...); at least 1.
    pub count: u64,
    /// The call that was under way, such as `sys_sendmsg`, or `none`.
    pub operation: &'static str,
    /// The backend the call was made on, or `none`.
    pub backend: &'static str,
    /// The number of the thread that found it.
    pub thread: u32,
    /// How many calls had returned by then, all threads together.
    pub calls: u64,
    /// The line of source where what is held was acquired, or where the fault is: `file:line`.
    pub at: String,
    /// The whole report, several lines, in witness(4)'s words.
    pub report: String,
}

/// What is wrong with a lock that is taken after another one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is the same one.
    Itself,
    /// It comes first by its rank, or in one class by its address.
    Order,
    /// It comes first by its number.
    Number,
}

#[cold]
pub(super) fn order_violation(
    thread: &Thread,
    held: Held,
    addr: usize,
    class: Class,
    site: &'static Location<'static>,
    wrong: Wrong,
) -> ! {
    let held_class = Class::from_rank(held.class);
    let held_addr = held.addr;
    let held_site = site_of(held.site);
    let rule = match wrong {
        Wrong::Number => "lower number first",
        _ if held_class == class => "lower address first",
        _ => "lower rank first",
    };
    let report = if wrong != Wrong::Itself {
        format!(
            "witness: lock order reversal:\n \
             1st {held_addr:#x} {first} ({first})\n 2nd {addr:#x} {second} ({second})\n\
             lock order \"{second}\"({}) -> \"{first}\"({}): {rule}\n#0 {site}\n\
             1st acquired at:\n#0 {held_site}\n{all}panic: witness_checkorder",
            class.kind(),
            held_class.kind(),
            first = held_class.name(),
            second = class.name(),
            all = {
                let mut all = String::new();
                describe_held(thread, &mut all);
                all
            },
        )
    } else {
        format!(
            "witness: locking against myself: exclusive {kind} {name} ({addr:#x})\n#0 {site}\n\
             first acquired at:\n#0 {held_site}\n\
             panic: {verb}: {name} locking against myself",
            kind = class.kind(),
            name = class.name(),
            verb = if class.is_mutex() { "mtx_enter" } else { "rw_enter" },
        )
    };
    found(Check::OrderViolation, 1, site.to_string(), report)
}

pub(super) fn site_of(site: Option<&Location<'_>>) -> String {
    site.map_or_else(|| String::from("?"), Location::to_string)
}

pub(super) fn operation_of(thread: &Thread) -> Option<&'static Operation> {
    let operation = thread.operation.load(Relaxed);
    // SAFETY: only ever set from a `&'static Operation`, or null.
    unsafe { operation.as_ref() }
}

/// Appends the lines of what the thread holds, newest first; the newest one's site, and how many.
pub(super) fn describe_held(thread: &Thread, report: &mut String) -> (String, u64) {
    describe_held_but(thread, 0, report)
}

/// The same without the lock at an address: the one that a sleep releases.
pub(super) fn describe_held_but(
    thread: &Thread,
    released: usize,
    report: &mut String,
) -> (String, u64) {
    let mut newest = None;
    let mut count = 0;
    let mut line = |class: Class, addr: usize, site: Option<&Location<'_>>| {
        let site = site_of(site);
        let mode = if thread.shared() == addr { "shared" } else { "exclusive" };
        report.push_str(&format!(
            "{mode} {} {} r = 0 ({addr:#x})\n#0 {site}\n",
            class.kind(),
            class.name()
        ));
        newest.get_or_insert(site);
        count += 1;
    };
    if thread.in_use() != 0 {
        line(Class::InUse, thread.in_use(), location(&thread.in_use_site));
    }
    for held in thread.held.entries().rev().chain(thread.kept.entries().rev()) {
        if held.addr != released && held.class != 0 && usize::from(held.class) < CLASSES {
            line(Class::from_rank(held.class), held.addr, held.site);
        }
    }
    (newest.unwrap_or_else(|| String::from("?")), count)
}

/// What every thread of the layer is doing and holding, as ddb's `show all locks` prints it.
#[must_use]
pub fn show_all_locks() -> String {
    let mut text = String::new();
    each_thread(|thread| describe_thread(thread, &mut text));
    text
}

fn describe_thread(thread: &Thread, text: &mut String) {
    let operation = operation_of(thread).map_or("none", |operation| operation.name);
    text.push_str(&format!("Thread {} ({operation})", thread.number.load(Relaxed)));
    let waits_for = thread.waits_for.load(Relaxed);
    if waits_for != 0 {
        let what = match thread.waits_kind.load(Relaxed) {
            0 => "for the lock",
            1 | 5 => "for a wake-up on",
            2 => "for threads to leave the lock-free path of",
            3 => "for references on",
            _ => "to part at",
        };
        text.push_str(&format!(
            " waits {what} {waits_for:#x} at {}",
            site_of(location(&thread.waits_at))
        ));
    }
    text.push('\n');
    describe_held(thread, text);
}

/// A worker panicked: prints what it held, and ends the process.
pub fn report_panic(message: &str) -> ! {
    panicked(message, None)
}

/// The same of a panic whose place is known: the report points there, and names the locks beside.
pub fn report_panic_at(message: &str, site: &str) -> ! {
    panicked(message, Some(site))
}

fn panicked(message: &str, site: Option<&str>) -> ! {
    let thread = this();
    let mut report = format!("witness: thread panicked: {message}\n");
    if let Some(site) = site {
        report.push_str(&format!("#0 {site}\n"));
    }
    if thread.holds_anything() {
        report.push_str("while holding:\n");
    }
    let (newest, _) = describe_held(thread, &mut report);
    report.push_str("panic: worker");
    found(Check::Panic, 1, site.map_or(newest, str::to_owned), report)
}

/// Data was lost, came out wrong or in another order: reported by the code that verifies it, which
/// is where the report points.
#[track_caller]
pub fn report_data(check: Check, count: u64, backend: &'static str, what: &str) -> ! {
    let site = Location::caller();
    let operation = Operation { name: "verify", backend };
    let report = format!("witness: {}: {what}\n#0 {site}\npanic: data", check.name());
    found_in(check, count, Some(&operation), site.to_string(), report)
}

/// Everything was closed and something is still in use.
///
/// Returns when every pool is empty.
pub fn check_pools(backend: &'static str, pools: &[crate::domain::PoolUse]) {
    let left: u64 = pools.iter().map(|pool| pool.in_use).sum();
    if left == 0 {
        return;
    }
    let operation = Operation { name: "end of run", backend };
    let report = format!(
        "witness: objects in use after everything was closed:\n{}panic: pool",
        pool_table(pools)
    );
    let first = pools.iter().find(|pool| pool.in_use != 0).map_or("?", |pool| pool.name);
    found_in(Check::ObjectsLeft, left, Some(&operation), format!("pool {first}"), report)
}

/// The table of pools, in the columns of ddb's `show all pools`.
#[must_use]
pub fn pool_table(pools: &[crate::domain::PoolUse]) -> String {
    let mut table = format!("{:<10}{:>10}{:>12}{:>12}\n", "Name", "InUse", "Requests", "Releases");
    for pool in pools {
        table.push_str(&format!(
            "{:<10}{:>10}{:>12}{:>12}\n",
            pool.name, pool.in_use, pool.requests, pool.releases
        ));
    }
    table
}

type Hook = Box<dyn Fn(&Finding) + Send + Sync>;
static HOOK: OnceLock<Hook> = OnceLock::new();

/// What to do with a finding before the process ends: append it to the run's file, say. At most
/// once.
///
/// The hook runs on the thread that found it while other threads may be blocked for good on a
/// leaked lock, so it must not wait for them. After it the report goes to standard error and the
/// process ends with code 2.
pub fn set_finding_hook(hook: impl Fn(&Finding) + Send + Sync + 'static) {
    assert!(HOOK.set(Box::new(hook)).is_ok(), "the finding hook was set before");
}

/// The exit code of a process in which a check found something.
pub const EXIT_FINDING: i32 = 2;

#[cold]
pub(super) fn found(check: Check, count: u64, at: String, report: String) -> ! {
    let operation = operation_of(this());
    found_in(check, count, operation, at, report)
}

/// How many checks there are.
const CHECKS: usize = Check::FastPath as usize + 1;

/// What each check has found in this process, by its discriminant.
static FOUND: [AtomicU64; CHECKS] = [const { AtomicU64::new(0) }; CHECKS];

/// What a check has found in this process: 0, until the finding with which it ends.
#[must_use]
pub fn found_by(check: Check) -> u64 {
    FOUND[check as usize].load(Relaxed)
}

/// 1 from the first finding on: the process is about to end.
static ENDING: AtomicU32 = AtomicU32::new(0);

/// Whether a check has found something: what threads hold is reported already.
pub(super) fn is_ending() -> bool {
    ENDING.load(Relaxed) != 0
}

/// Reports and ends the process; of several threads that get here only the first goes on.
#[cold]
pub(super) fn found_in(
    check: Check,
    count: u64,
    operation: Option<&Operation>,
    at: String,
    mut report: String,
) -> ! {
    if ENDING.swap(1, Relaxed) != 0 {
        await_end();
    }
    FOUND[check as usize].fetch_add(count, Relaxed);
    let (name, backend) = operation.map_or(("none", "none"), |op| (op.name, op.backend));
    let thread = this().number.load(Relaxed);
    report.push_str(&format!("  (operation {name}, backend {backend}, thread {thread})\n"));
    if check != Check::Hang {
        report.push_str(&show_all_locks());
    }
    // The names live as long as the process: it ends below.
    let finding = Finding {
        check,
        count,
        operation: Box::leak(name.to_owned().into_boxed_str()),
        backend: Box::leak(backend.to_owned().into_boxed_str()),
        thread,
        calls: calls(),
        at,
        report,
    };
    // Not by `eprint!`: a test's harness would capture that, and lose it when the process ends.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), finding.report.as_bytes());
    if let Some(hook) = HOOK.get() {
        hook(&finding);
    }
    end_process(EXIT_FINDING)
}
