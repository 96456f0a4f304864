//! What the models share: a model, its threads, and the small layers it runs on.

use std::sync::{Arc, OnceLock};

use crate::ambient::Nothing;
use crate::backend::endpoint_queue::EndpointPolicy;
use crate::backend::lock_free::LockFreeLayer;
use crate::backend::per_buffer::BufferPolicy;
use crate::backend::per_pair::PairPolicy;
use crate::backend::per_socket::{LockAlone, OnTake, OwnLock, SocketPolicy};
use crate::backend::receive_buffer::PinPolicy;
use crate::backend::shared_link::LinkPolicy;
use crate::backend::state_queue::QueuePolicy;
use crate::domain::{Config, Domain, SockType, WaitStrategy};
use crate::fault::{Fault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::socket;
use crate::primitives;
use crate::raw::Mutex9;
use crate::sync::DefaultRaw;
use crate::uipc::Locked;
use crate::witness::{self, Class, Operation};

pub(super) use crate::primitives::seen;

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
    pub(super) program: fn(),
}

/// For a model in which no two threads look for the same thing: no limit.
pub(super) const ALL_LOOKS: u64 = u64::MAX;

/// The witness's number of a model's thread.
pub(super) fn number_of(index: usize) -> u32 {
    index as u32 + 1
}

/// How much stack a thread that is begun has, in words. The first one has what loom gives it,
/// 0x1000.
const STACK_WORDS: usize = 0x8000;

pub(super) fn begin(
    index: usize,
    body: impl FnOnce() + Send + 'static,
) -> loom::thread::JoinHandle<()> {
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
pub(super) type Body = Box<dyn FnOnce() + Send>;

/// Runs these threads, the first of them as index 1, until all have ended.
///
/// The last runs on the thread that begins the others: one that only waited for them would add no
/// order of their accesses, and make loom try each several times. With a bound, it goes first for
/// nothing; another that goes first is an interruption.
pub(super) fn threads(mut bodies: Vec<Body>) {
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
pub(super) fn leaves_out(what: &str) -> bool {
    primitives::leaves_out(what)
}

/// The fault of the models' backends: the step named by [`LEAVE_OUT`], or none.
#[derive(Debug)]
pub(super) struct Left;

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
                Step::FinalizeUnlocked,
                Step::InUse,
                Step::GoBack,
                Step::OpenBefore,
                Step::OnTake,
                Step::SideOrder,
                Step::EndGuarded,
                Step::PeerToPart,
                Step::WakeReader,
                Step::MirrorReceived,
                Step::RetestWaiting,
                Step::LockLookAgain,
                Step::SwitchTakesNew,
                Step::AcceptTakesNew,
                Step::LeaveSpare,
                Step::WaitForRelock,
                Step::CountRelocks,
                Step::WakeCounted,
                Step::SleepWithCounted,
                Step::PartOneAtATime,
                Step::TryAnswer,
                Step::UnpRefTake,
                Step::HoldConnect,
                Step::LinkForAppend,
                Step::AddressedAlone,
                Step::HoldToAccount,
                Step::LookLocked,
                Step::PeerLookAgain,
                Step::AccountLocked,
                Step::PinTake,
                Step::PinLookAgain,
                Step::WakeWriter,
                Step::RightLooked,
                Step::ReaderKept,
                Step::WakeWanted,
                Step::NameReference,
            ];
            steps.into_iter().find(|step| leaves_out(&format!("{step:?}")))
        }) == Some(step)
    }
}

/// The policy of `per-socket`, or of `lock-free`'s locks.
pub(super) type Sockets<T> = SocketPolicy<Left, T>;

/// A socket of these layers.
pub(super) type SockRef = socket::SockRef<OwnLock>;

/// The token of one that is locked.
pub(super) type Held = socket::Held<OwnLock>;

/// `per-socket`, with little room.
pub(super) type Layer = Locked<Sockets<LockAlone>>;

/// The policy of `per-buffer`.
pub(super) type ByBuffer = BufferPolicy<Left>;

/// The policy of `state-queue`.
pub(super) type ByQueue = QueuePolicy<Left>;

/// The policy of `receive-buffer`, on a lock of atomics: loom's own mutex makes a try wait.
pub(super) type ByPin = PinPolicy<Left, Nothing<Mutex9>>;

/// The policy of `endpoint-queue`.
pub(super) type ByNumber = EndpointPolicy<Left>;

/// `per-pair`, with little room.
pub(super) type ByPair = Locked<PairPolicy<Left>>;

/// The policy of `shared-link`.
pub(super) type Links = LinkPolicy<Left>;

/// `shared-link`, with little room.
pub(super) type ByLink = Locked<Links>;

/// The whole `lock-free` backend.
pub(super) type LockFree = LockFreeLayer<Left>;

/// A layer of few and small objects, whose threads park at once when they must wait.
pub(super) fn small() -> Config {
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

pub(super) fn layer() -> Arc<Layer> {
    Arc::new(Layer::new(&small()).expect("a layer"))
}

/// A connected pair of a layer, the lower address first, with its descriptors.
pub(super) fn pair<T: OnTake<Locks<DefaultRaw> = OwnLock>>(
    layer: &Locked<Sockets<T>>,
    kind: SockType,
) -> ([SockRef; 2], [Fd; 2]) {
    let (a, b) = layer.socketpair(kind).expect("a pair");
    let sockets = [a, b].map(|fd| layer.fds.find(fd).expect("a socket"));
    assert!(sockets[0].guard_addr() < sockets[1].guard_addr());
    (sockets, [a, b])
}

/// How often this thread has dropped a socket's lock and taken it again, and how often it found
/// another peer then.
pub(super) fn relocks() -> (u64, u64) {
    let counts = witness::counters().of(Class::SoLock);
    (counts.relocks, counts.retries)
}
