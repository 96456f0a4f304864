//! The machine's own primitives: what every program but a model checker's is made of.

#![allow(unsafe_code)]

pub(crate) use std::cell::{Cell, UnsafeCell};
pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::Mutex;
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
pub(crate) use std::thread::yield_now;
pub(crate) use std::thread_local;

use std::sync::atomic::{AtomicU8, compiler_fence, fence};

use crossbeam_utils::CachePadded;
use parking_lot::RawRwLock;
use parking_lot::lock_api::RawRwLock as _;

use super::raw_mutex::RawMutex;
use super::raw_shared::RawShared;
use crate::domain::algorithm::Algorithm;

/// The raw lock under every backend: `parking_lot`'s lock for readers and writers. Most have no
/// readers.
pub struct RawLock(RawRwLock);

// SAFETY: `parking_lot`'s lock has one exclusive holder at a time, and no shared one where it is
// used by this trait alone.
unsafe impl RawMutex for RawLock {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Held = <RawRwLock as parking_lot::lock_api::RawRwLock>::ExclusiveGuard;
    type Turn = ();
    type Beside = Self;
    type Shared = Self;

    fn new() -> Self {
        Self(RawRwLock::INIT)
    }

    #[inline(always)]
    fn enter(&self) -> Result<Self::Held, ()> {
        self.0.try_lock_exclusive().ok_or(())
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<Self::Held> {
        self.0.try_lock_exclusive()
    }

    #[inline(always)]
    fn wait(&self, (): (), _may_spin: bool) -> Self::Held {
        self.0.lock_exclusive()
    }

    #[inline(always)]
    unsafe fn exit(&self, held: Self::Held) {
        // SAFETY: the caller has the lock, and this is what it was given.
        unsafe { self.0.unlock_exclusive(held) }
    }
}

// SAFETY: `parking_lot`'s lock has one exclusive holder, or shared ones, and its releases order
// what they did. The guards that it gives and takes are empty: which thread has the lock in which
// mode is the caller's promise.
unsafe impl RawShared for RawLock {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Turn = ();

    fn with(_algorithm: Algorithm) -> Self {
        Self(RawRwLock::INIT)
    }

    #[inline(always)]
    fn enter_write(&self) -> Result<(), ()> {
        self.0.try_lock_exclusive().map(drop).ok_or(())
    }

    #[inline(always)]
    fn wait_write(&self, (): (), _may_spin: bool) {
        self.0.lock_exclusive();
    }

    #[inline(always)]
    unsafe fn exit_write(&self) {
        // SAFETY: the caller has the lock exclusively.
        unsafe { self.0.unlock_exclusive(Default::default()) }
    }

    #[inline(always)]
    fn enter_read(&self) -> Result<(), ()> {
        self.0.try_lock_shared().map(drop).ok_or(())
    }

    #[inline(always)]
    fn wait_read(&self, (): (), _may_spin: bool) {
        self.0.lock_shared();
    }

    #[inline(always)]
    unsafe fn exit_read(&self) {
        // SAFETY: the caller has the lock in shared mode.
        unsafe { self.0.unlock_shared(Default::default()) }
    }
}

/// A table of atomics that the whole process shares, each on a line of its own.
macro_rules! table {
    ($(#[$meta:meta])* static $name:ident: [$type:ty; $len:expr] = const $init:block;) => {
        $(#[$meta])*
        static $name: [crossbeam_utils::CachePadded<$type>; $len] =
            [const { crossbeam_utils::CachePadded::new($init) }; $len];
    };
}

pub(crate) use table;

/// How many threads can be registered at once.
pub(crate) const THREADS_MAX: usize = 128;

/// How many queue nodes a thread has. The witness lets it hold fourteen locks; it may wait for one
/// more.
pub(crate) const NODES: usize = 16;

/// How often a thread looks before it parks. RW_SPINS of `kern_rwlock.c` 1.48: about what a wake-up
/// costs.
pub(crate) const SPINS: u32 = 1000;

/// The smallest ring of a receive buffer, in bytes.
pub(crate) const RING_MIN: usize = 4096;

/// See [`in_use`].
static IN_USE: [CachePadded<AtomicUsize>; THREADS_MAX + 1] =
    [const { CachePadded::new(AtomicUsize::new(0)) }; THREADS_MAX + 1];

/// By thread number: the socket on whose lock-free path the thread is, or 0. Written by that thread
/// alone, each on a line of its own; read by those who shut a gate.
#[inline(always)]
pub(crate) fn in_use(number: usize) -> &'static AtomicUsize {
    &IN_USE[number]
}

/// Bytes of a ring are read now: a model checker wants to know, because it sees atomics and cells
/// alone.
#[inline(always)]
pub(crate) fn note_read(_at: *const u8, _bytes: usize) {}

/// Bytes of a ring are written now; see [`note_read`].
#[inline(always)]
pub(crate) fn note_write(_at: *const u8, _bytes: usize) {}

/// What is known about membarrier(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Asymmetric {
    /// Not asked yet; fences are symmetric.
    Unknown = 0,
    /// Registered: the light fence is a compiler fence.
    Membarrier = 1,
    /// Refused: both fences are full.
    Fallback = 2,
}

/// `Asymmetric`, written once by [`register_asymmetric`] before any thread uses a fence in earnest.
static ASYMMETRIC: AtomicU8 = AtomicU8::new(Asymmetric::Unknown as u8);

/// The environment variable that forbids membarrier(2), so that its fallback can be tested and
/// measured.
pub(crate) const NO_MEMBARRIER: &str = "SOLOCK_NO_MEMBARRIER";

/// Asks the kernel for membarrier(2), once per process; says what the fences are made of from now
/// on.
///
/// Called when a layer that uses the fences is made. The answer never changes afterwards: a thread
/// that read `Unknown` or `Fallback` used a full fence, which is right with either slow side.
pub(crate) fn register_asymmetric() -> Asymmetric {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let forbidden = std::env::var_os(NO_MEMBARRIER).is_some();
        let answer = if !forbidden && membarrier_register() {
            Asymmetric::Membarrier
        } else {
            Asymmetric::Fallback
        };
        // Release; pairs with the Acquire in `asymmetric`.
        ASYMMETRIC.store(answer as u8, Ordering::Release);
    });
    asymmetric()
}

/// What the fences are made of.
#[inline]
pub(crate) fn asymmetric() -> Asymmetric {
    // Acquire; pairs with the Release in `register_asymmetric`: whoever sees `Membarrier`
    // is registered.
    match ASYMMETRIC.load(Ordering::Acquire) {
        1 => Asymmetric::Membarrier,
        2 => Asymmetric::Fallback,
        _ => Asymmetric::Unknown,
    }
}

/// What the two fences are made of, for the record of a run: `membarrier`, or `full`. Registers
/// this process first, if that was not done.
#[must_use]
pub fn fences() -> &'static str {
    if register_asymmetric() == Asymmetric::Membarrier { "membarrier" } else { "full" }
}

/// The fast side's fence. Pairs with [`heavy_fence`].
#[inline]
pub(crate) fn light_fence() {
    if asymmetric() == Asymmetric::Membarrier {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The slow side's fence. Pairs with [`light_fence`].
#[cold]
pub(crate) fn heavy_fence() {
    // For the fallback. membarrier(2) is a full fence for its caller too, so that with it nothing
    // can tell whether this one is there.
    fence(Ordering::SeqCst);
    if asymmetric() == Asymmetric::Membarrier {
        membarrier_everyone();
    }
}

/// A full fence right after an atomic operation that reads and writes. On x86-64 that is one locked
/// instruction, and as such a full fence already, so that only the compiler is held back.
#[inline(always)]
pub(crate) fn fence_after_rmw() {
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

#[cfg(target_os = "linux")]
fn membarrier_register() -> bool {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

#[cfg(target_os = "linux")]
fn membarrier_everyone() {
    // Once registered the call cannot fail (membarrier(2)); if it did, the protocol would be
    // broken.
    assert!(
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED),
        "membarrier failed after registration"
    );
}

#[cfg(target_os = "linux")]
fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: membarrier(2) takes three integers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn membarrier_register() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn membarrier_everyone() {}

/// Reads a word for a report, or reads its own thread's.
#[inline(always)]
pub(crate) fn peek(word: &AtomicUsize) -> usize {
    word.load(Ordering::Relaxed)
}

/// Ends the process: a check has found something.
pub(crate) fn end_process(code: i32) -> ! {
    std::process::exit(code)
}

/// Waits while another thread ends the process.
pub(crate) fn await_end() -> ! {
    loop {
        std::thread::park();
    }
}

/// Parks the calling thread under `key` until [`unpark_all`] is called with it.
///
/// `validate` runs after the queue of `key` is locked: where it answers `false` the thread does not
/// park. `before_sleep` runs when the thread is queued and the queue is unlocked again: a lock
/// released there cannot lose a wake-up, because the waker finds the thread in the queue. There is
/// no timeout, on purpose: a lost wake-up must hang, and be seen.
pub(crate) fn park(key: usize, validate: impl Fn() -> bool, mut before_sleep: impl FnMut()) {
    park_any(key, &validate, &mut before_sleep);
}

/// Not generic, so that the queue's code is compiled once, and not for each layer, lock and place
/// that sleeps.
fn park_any(key: usize, validate: &dyn Fn() -> bool, before_sleep: &mut dyn FnMut()) {
    // SAFETY: the key is the address of an object that this layer owns (parking_lot_core wants keys
    // that no one else uses); neither closure panics, parks, or calls into parking_lot_core:
    // `validate` only touches atomics, and `before_sleep` runs with no queue locked, where
    // releasing a lock is allowed.
    unsafe {
        parking_lot_core::park(
            key,
            validate,
            before_sleep,
            |_, _| {},
            parking_lot_core::DEFAULT_PARK_TOKEN,
            None,
        );
    }
}

/// Wakes the thread that has been parked under `key` the longest; says whether more are.
pub(crate) fn unpark_one(key: usize) -> bool {
    let token = |_: parking_lot_core::UnparkResult| parking_lot_core::DEFAULT_UNPARK_TOKEN;
    // SAFETY: as for `park_any`: the key is the address of an object of this layer; the closure
    // neither panics nor calls into parking_lot_core.
    unsafe { parking_lot_core::unpark_one(key, token) }.have_more_threads
}

/// Wakes every thread parked under `key`; says how many there were.
pub(crate) fn unpark_all(key: usize) -> usize {
    // SAFETY: as for `park_any`: the key is the address of an object of this layer.
    unsafe { parking_lot_core::unpark_all(key, parking_lot_core::DEFAULT_UNPARK_TOKEN) }
}

#[cfg(all(test, target_os = "linux"))]
mod litmus;
