//! The protocols of the layer under loom: small programs of two to four threads over the layer's own
//! functions, run once for every order of their accesses.
//!
//! A model fails where an execution fails: an assertion, a finding of the witness, a deadlock, two
//! threads at one cell without an order. It also fails where it checked nothing: too few executions,
//! or a branch that no execution took. `README.md` of the package has the figures.

mod gate;
mod mp_lock;
mod refs;
mod relock;
mod ring;
mod wait;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::lock_free::LockFreeLayer;
use crate::backend::per_socket::{LockAlone, OnTake, SocketPolicy};
use crate::descriptors::Fd;
use crate::domain::{Config, Domain, SockType, WaitStrategy};
use crate::fault::{Fault, Step};
use crate::primitives::{self, Ordering};
use crate::socket::SockRef;
use crate::uipc::Locked;
use crate::witness::{self, Class, Operation};

use Ordering::Relaxed;

/// The environment variable that names what a negative control leaves out: `light_fence`,
/// `heavy_fence`, `orderings`, `notify`, a step of a model, or a step of the layer by its name.
pub const LEAVE_OUT: &str = "SOLOCK_LEAVE_OUT";

/// The environment variable that asks for the longer setting (`long`), for nights; or for one bound
/// for every model that is run: `none`, or a number.
pub const SETTING: &str = "SOLOCK_MODELS";

/// The environment variable that says after how many seconds a model is left where it is. Its row
/// says so.
pub const SECONDS: &str = "SOLOCK_MODELS_SECONDS";

/// A model: its name, what is asked of it, and the program.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The name of its test.
    pub name: &'static str,
    /// How many threads take part.
    pub threads: usize,
    /// How often a thread may be interrupted before its time in one execution; none: as often as it
    /// can be. In the short setting, and in the long one.
    pub bound: [Option<usize>; 2],
    /// How many looks in vain of one execution are told apart; after them its order is as it comes.
    pub looks: u64,
    /// How many executions there are at least, in the short setting.
    pub at_least: u64,
    /// What must happen in some execution.
    pub branches: &'static [&'static str],
    program: fn(),
}

/// For a model in which no two threads look for the same thing: no limit.
const ALL_LOOKS: u64 = u64::MAX;

/// All models.
#[must_use]
pub fn all() -> Vec<Model> {
    [relock::MODELS, refs::MODELS, gate::MODELS, ring::MODELS, wait::MODELS, mp_lock::MODELS]
        .concat()
}

/// What happened in the executions of the model that runs, and how often.
static SEEN: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

static EXECUTIONS: AtomicU64 = AtomicU64::new(0);

/// Whether a model was run, or runs.
static HAS_RUN: AtomicBool = AtomicBool::new(false);

/// Notes that this happened.
pub(crate) fn seen(branch: &'static str) {
    *lock(&SEEN).entry(branch).or_insert(0) += 1;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    let (executions, seen) = (EXECUTIONS.load(Relaxed), lock(&SEEN).clone());
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

/// Registers the threads with the witness in the order of their indices: thread i of a model has the
/// number i + 1.
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

/// The witness's number of a model's thread.
fn number_of(index: usize) -> u32 {
    index as u32 + 1
}

/// How much stack a thread that is begun has, in words. The first one has what loom gives it, 0x1000.
const STACK_WORDS: usize = 0x8000;

fn begin(index: usize, body: impl FnOnce() + Send + 'static) -> loom::thread::JoinHandle<()> {
    let thread = loom::thread::Builder::new().stack_size(STACK_WORDS);
    thread.spawn(move || run_as(index, body)).expect("a thread")
}

/// Runs a body as the thread with this index. It must hold nothing at its end.
fn run_as(index: usize, body: impl FnOnce()) {
    static OPERATION: Operation = Operation { name: "model", backend: "loom" };
    primitives::set_thread_index(index);
    witness::enter(&OPERATION);
    body();
    witness::userret();
}

/// What a thread of a model does.
type Body = Box<dyn FnOnce() + Send>;

/// Runs these threads, the first of them as index 1, until all have ended.
///
/// The last runs on the thread that begins the others: one that only waited for them would add no
/// order of their accesses, and make loom try each several times. With a bound, it goes first for
/// nothing; another that goes first is an interruption.
fn threads(mut bodies: Vec<Body>) {
    let last = bodies.pop().expect("a thread");
    let last_index = bodies.len() + 1;
    let begun: Vec<_> = bodies.into_iter().zip(1..).map(|(body, i)| begin(i, body)).collect();
    run_as(last_index, last);
    for thread in begun {
        thread.join().expect("it ended");
    }
    primitives::set_thread_index(0);
}

/// Whether this process is the negative control that leaves out a step of a model.
fn leaves_out(what: &str) -> bool {
    primitives::leaves_out(what)
}

/// The fault of the models' backends: the step named by [`LEAVE_OUT`], or none.
#[derive(Debug)]
struct Left;

impl Fault for Left {
    const TWIN: Option<&'static str> = Some("model");

    fn omits(step: Step) -> bool {
        static STEP: OnceLock<Option<Step>> = OnceLock::new();
        *STEP.get_or_init(|| {
            let steps = [
                Step::AddressOrder,
                Step::RelockRecheck,
                Step::RelockChanged,
                Step::ReferrerRecheck,
                Step::PartedIsEpipe,
                Step::EndRecheck,
                Step::UnpRefRelock,
                Step::UnpRefChanged,
                Step::FinalizeUnlocked,
                Step::InUse,
                Step::WakeReader,
                Step::MirrorReceived,
                Step::RetestWaiting,
            ];
            steps.into_iter().find(|step| leaves_out(&format!("{step:?}")))
        }) == Some(step)
    }
}

/// The policy of `per-socket`, or of `lock-free`'s locks.
type Sockets<T> = SocketPolicy<Left, T>;

/// `per-socket`, with little room.
type Layer = Locked<Sockets<LockAlone>>;

/// The whole `lock-free` backend.
type LockFree = LockFreeLayer<Left>;

/// A layer of few and small objects, whose threads park at once when they must wait.
fn small() -> Config {
    Config {
        pipsiz_bytes: 4,
        dgram_send_bytes: 32,
        dgram_recv_bytes: 64,
        maxfiles: 4,
        sockets_max: 4,
        reopen_after_calls: 128,
        wait: WaitStrategy::Park,
        ..Config::default()
    }
}

fn layer() -> Arc<Layer> {
    Arc::new(Layer::new(&small()).expect("a layer"))
}

/// A connected pair of a layer, the lower address first, with its descriptors.
fn pair<T: OnTake>(layer: &Locked<Sockets<T>>, kind: SockType) -> ([SockRef; 2], [Fd; 2]) {
    let (a, b) = layer.socketpair(kind).expect("a pair");
    let sockets = [a, b].map(|fd| layer.fds.find(fd).expect("a socket"));
    assert!(sockets[0].so_lock.addr() < sockets[1].so_lock.addr());
    (sockets, [a, b])
}

/// How often this thread has dropped a socket's lock and taken it again, and how often it found
/// another peer then.
fn relocks() -> (u64, u64) {
    let counts = witness::counters().of(Class::SoLock);
    (counts.relocks, counts.retries)
}
