//! The protocols of the layer under loom: small programs of two to four threads over the layer's
//! own functions, run once for every order of their accesses.
//!
//! A model fails where an execution fails: an assertion, a finding of the witness, a deadlock, two
//! threads at one cell without an order. It also fails where it checked nothing: too few
//! executions, or a branch that no execution took. `README.md` of the package has the figures.

mod endpoint;
mod gate;
mod gate_calls;
mod links;
mod mp_lock;
mod parting;
mod pins;
mod queue;
mod raw;
mod refs;
mod relock;
mod ring;
mod shared;
mod sides;
mod switch;
mod tries;
mod wait;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use self::shared::{ALL_LOOKS, begin, number_of};
use crate::primitives::{self, Ordering};
use crate::witness;

pub use self::shared::Model;
pub use crate::primitives::LEAVE_OUT;

use Ordering::Relaxed;

/// The environment variable that asks for the longer setting (`long`), for nights; or for one bound
/// for every model that is run: `none`, or a number.
pub const SETTING: &str = "SOLOCK_MODELS";

/// The environment variable that says after how many seconds a model is left where it is. Its row
/// says so.
pub const SECONDS: &str = "SOLOCK_MODELS_SECONDS";

/// All models.
#[must_use]
pub fn all() -> Vec<Model> {
    [
        relock::MODELS,
        parting::MODELS,
        tries::MODELS,
        refs::MODELS,
        sides::MODELS,
        switch::MODELS,
        queue::MODELS,
        pins::MODELS,
        links::MODELS,
        endpoint::MODELS,
        gate::MODELS,
        gate_calls::MODELS,
        ring::MODELS,
        wait::MODELS,
        mp_lock::MODELS,
        raw::MODELS,
    ]
    .concat()
}

static EXECUTIONS: AtomicU64 = AtomicU64::new(0);

/// Whether a model was run, or runs.
static HAS_RUN: AtomicBool = AtomicBool::new(false);

/// Runs the model of this name in every order; prints its row of the table. Once in a process: the
/// witness's tables, and the counts here, are its own.
///
/// # Panics
/// Where an execution fails, or where too little was checked.
pub fn check(name: &str) {
    let model = all().into_iter().find(|model| model.name == name).expect("a model of this name");
    let is_first = !HAS_RUN.swap(true, Relaxed);
    assert!(is_first, "one model in a process: run it by `cargo test`, or with --exact");
    number_the_threads();
    let bound = bound_of(&model);
    let is_done = run(bound, limit(), move || {
        EXECUTIONS.fetch_add(1, Relaxed);
        primitives::begin_execution(model.looks);
        (model.program)();
    });
    let (executions, seen) = (EXECUTIONS.load(Relaxed), primitives::all_seen());
    let branches = model.branches.iter().map(|branch| {
        let times = seen.get(branch).copied().unwrap_or(0);
        assert!(
            times > 0 || !is_done,
            "{name}: no execution saw: {branch}; {executions} executions: {seen:?}"
        );
        format!("{branch} {times}")
    });
    let branches: Vec<_> = branches.collect();
    let bound = bound.map_or_else(|| "none".to_owned(), |bound| bound.to_string());
    let looks = if model.looks == ALL_LOOKS { "all".to_owned() } else { model.looks.to_string() };
    let end = if is_done { "" } else { ", not all" };
    println!(
        "| `{name}` | {} | {bound} | {looks} | {executions}{end} | {} |",
        model.threads,
        branches.join(", ")
    );
    assert!(executions >= model.at_least, "{name}: only {executions} executions: {seen:?}");
}

/// How often a thread of this model may be interrupted, as was asked for.
fn bound_of(model: &Model) -> Option<usize> {
    match std::env::var(SETTING).as_deref() {
        Err(_) => model.bound[0],
        Ok("long") => model.bound[1],
        Ok("none") => None,
        Ok(number) => Some(number.parse().expect("`long`, `none` or a number")),
    }
}

/// For how long a model is run.
fn limit() -> Option<Duration> {
    let seconds = std::env::var(SECONDS).ok()?;
    Some(Duration::from_secs(seconds.parse().expect("a number of seconds")))
}

/// How many executions loom makes before it looks at the time again.
const EXECUTIONS_TO_A_LOOK: usize = 1000;

/// Runs a program in every order, or as long as the limit allows: whether it were all.
fn run(
    bound: Option<usize>,
    limit: Option<Duration>,
    program: impl Fn() + Send + Sync + 'static,
) -> bool {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.max_branches = 10_000;
    builder.max_permutations = None;
    builder.max_duration = limit;
    builder.checkpoint_interval = EXECUTIONS_TO_A_LOOK;
    let begun = Instant::now();
    builder.check(program);
    // loom does not say why it ended.
    limit.is_none_or(|limit| begun.elapsed() < limit)
}

/// Registers the threads with the witness in the order of their indices: thread i of a model has
/// the number i + 1.
fn number_the_threads() {
    run(Some(0), None, || {
        assert_eq!(witness::thread_number(), 1);
        for index in 1..primitives::THREADS_MAX {
            let end = begin(index, move || {
                assert_eq!(witness::thread_number(), number_of(index));
            });
            end.join().expect("it ended");
        }
    });
}
