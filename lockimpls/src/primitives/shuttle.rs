//! shuttle's primitives: what the layer is made of where a model checker schedules its threads.
//!
//! Every operation on an atomic, and every lock, unlock, park, spin and yield, is a point where
//! shuttle may let another thread go on. Cells are the machine's: between two such points a thread
//! is alone. All of it is sequentially consistent whatever ordering is named, so a missing fence or
//! a weak ordering shows nothing here; membarrier(2) is outside the model, and fences stand for it.
//!
//! One check runs on one thread of the system, in a process of its own: shuttle's threads are
//! stacks that take turns, and its atomics may stand in statics as long as no second check touches
//! them. A finding fails the schedule, which ends that process.

#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use ::shuttle::sync::{Condvar, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use super::own;
use super::raw_mutex::RawMutex;
use super::raw_shared::RawShared;
use crate::domain::algorithm::Algorithm;

pub(crate) use ::shuttle::hint::spin_loop;
pub(crate) use ::shuttle::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
pub(crate) use ::shuttle::thread::yield_now;
pub(crate) use std::cell::{Cell, UnsafeCell};
/// The machine's: the witness's list of threads is behind one, and nothing inside it is a point
/// where another thread could go on, so nobody ever waits for it.
pub(crate) use std::sync::Mutex;

/// How many threads can be registered at once: whatever shuts a gate looks at each place, and each
/// look is a point to schedule.
pub(crate) const THREADS_MAX: usize = 15;

/// How many queue nodes a thread has.
pub(crate) const NODES: usize = 16;

/// The smallest ring of a receive buffer, in bytes.
pub(crate) const RING_MIN: usize = 4096;

/// See [`in_use`].
static IN_USE: [AtomicUsize; THREADS_MAX + 1] = [const { AtomicUsize::new(0) }; THREADS_MAX + 1];

/// By thread number: the socket on whose lock-free path the thread is, or 0.
pub(crate) fn in_use(number: usize) -> &'static AtomicUsize {
    &IN_USE[number]
}

/// Bytes of a ring are read now: between two points to schedule a thread is alone with them.
pub(crate) fn note_read(_at: *const u8, _bytes: usize) {}

/// Bytes of a ring are written now; see [`note_read`].
pub(crate) fn note_write(_at: *const u8, _bytes: usize) {}

/// How often a thread looks before it parks: enough to see both ends of the wait.
pub(crate) const SPINS: u32 = 3;

/// shuttle ends a thread's variables oldest first: the check at the thread's end is made before the
/// thread that it looks at.
macro_rules! thread_and_exit {
    (
        $(#[$of_attr:meta])* static $of:ident: $of_type:ty = const $of_init:block;
        $(#[$exit_attr:meta])* static $exit:ident: $exit_type:ty = const $exit_init:block;
    ) => {
        ::shuttle::thread_local! {
            $(#[$exit_attr])* static $exit: $exit_type = $exit_init;
            $(#[$of_attr])* static $of: $of_type = {
                $exit.with(|_| {});
                $of_init
            };
        }
    };
}

pub(crate) use thread_and_exit as thread_local;

/// The raw lock under every backend: shuttle's mutex, whose guard is what the lock keeps of its
/// acquisition.
pub struct RawLock(::shuttle::sync::Mutex<()>);

impl RawLock {
    /// The guard, for `lock`, which keeps it beside the lock.
    fn keep(guard: MutexGuard<'_, ()>) -> MutexGuard<'static, ()> {
        // SAFETY: a locked lock neither moves nor goes (`RwLock` says so), and the guard is kept in
        // that lock and dropped by its release.
        unsafe { std::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) }
    }
}

// SAFETY: shuttle's mutex has one holder at a time.
unsafe impl RawMutex for RawLock {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Held = MutexGuard<'static, ()>;
    type Turn = ();
    type Beside = Self;
    type Shared = RawRw;

    fn new() -> Self {
        Self(::shuttle::sync::Mutex::new(()))
    }

    fn enter(&self) -> Result<Self::Held, ()> {
        self.0.try_lock().map(Self::keep).map_err(drop)
    }

    fn try_enter(&self) -> Option<Self::Held> {
        self.enter().ok()
    }

    fn wait(&self, (): (), _may_spin: bool) -> Self::Held {
        Self::keep(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    unsafe fn exit(&self, held: Self::Held) {
        drop(held);
    }
}

/// The lock of two modes: shuttle's, with a place for the guard of its writer. Those of readers are
/// their threads'.
pub struct RawRw {
    lock: ::shuttle::sync::RwLock<()>,
    writer: std::cell::Cell<Option<RwLockWriteGuard<'static, ()>>>,
}

/// The guard of a reader.
type Reader = std::cell::Cell<Option<RwLockReadGuard<'static, ()>>>;

::shuttle::thread_local! {
    /// That of the one lock that the thread has in shared mode.
    static READER: Reader = Reader::new(None);
}

// SAFETY: the guard of the writer is touched by the one thread that has the lock exclusively.
unsafe impl Sync for RawRw {}
// SAFETY: as above.
unsafe impl Send for RawRw {}

impl RawRw {
    fn lock(&self) -> &'static ::shuttle::sync::RwLock<()> {
        // SAFETY: a locked lock neither moves nor goes (`SharedLock` says so).
        unsafe { &*std::ptr::from_ref(&self.lock) }
    }

    fn keep_reader(guard: RwLockReadGuard<'static, ()>) {
        READER.with(|reader| reader.set(Some(guard)));
    }
}

// SAFETY: shuttle's lock has one writer at a time, or readers.
unsafe impl RawShared for RawRw {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Turn = ();

    fn with(_algorithm: Algorithm) -> Self {
        Self { lock: ::shuttle::sync::RwLock::new(()), writer: std::cell::Cell::new(None) }
    }

    fn enter_write(&self) -> Result<(), ()> {
        self.lock().try_write().map(|guard| self.writer.set(Some(guard))).map_err(drop)
    }

    fn wait_write(&self, (): (), _may_spin: bool) {
        self.writer.set(Some(self.lock().write().unwrap_or_else(PoisonError::into_inner)));
    }

    unsafe fn exit_write(&self) {
        drop(self.writer.take());
    }

    fn enter_read(&self) -> Result<(), ()> {
        self.lock().try_read().map(Self::keep_reader).map_err(drop)
    }

    fn wait_read(&self, (): (), _may_spin: bool) {
        Self::keep_reader(self.lock().read().unwrap_or_else(PoisonError::into_inner));
    }

    unsafe fn exit_read(&self) {
        drop(READER.with(Reader::take));
    }
}

/// A table of atomics that the whole process shares.
macro_rules! table {
    ($(#[$meta:meta])* static $name:ident: [$type:ty; $len:expr] = const $init:block;) => {
        $(#[$meta])*
        static $name: [$type; $len] = [const $init; $len];
    };
}

pub(crate) use table;

/// The fences have nothing to ask the kernel for.
pub(crate) fn register_asymmetric() {}

/// What the two fences are made of.
#[must_use]
pub fn fences() -> &'static str {
    "full"
}

/// The fast side's fence. Pairs with [`heavy_fence`].
pub(crate) fn light_fence() {
    ::shuttle::sync::atomic::fence(Ordering::SeqCst);
}

/// The slow side's fence. Pairs with [`light_fence`].
pub(crate) fn heavy_fence() {
    ::shuttle::sync::atomic::fence(Ordering::SeqCst);
}

/// Full, as all of them.
pub(crate) fn fence_after_rmw() {
    ::shuttle::sync::atomic::fence(Ordering::SeqCst);
}

/// Reads a word for a report, or reads its own thread's: no other thread goes on here, for a report
/// is written with a mutex of the machine locked.
pub(crate) fn peek(word: &AtomicUsize) -> usize {
    // SAFETY: shuttle's threads take turns on one of the system's: nobody writes meanwhile.
    unsafe { word.raw_load() }
}

/// A finding fails the schedule: shuttle prints what led here.
pub(crate) fn end_process(_code: i32) -> ! {
    panic!("a check has found something");
}

/// As [`end_process`]: nobody else goes on that could be waited for.
pub(crate) fn await_end() -> ! {
    panic!("another check has found something before");
}

/// A parked thread: whether it was woken, and its way to wait for that.
#[derive(Default)]
struct Parker {
    is_woken: ::shuttle::sync::Mutex<bool>,
    waker: Condvar,
}

impl Parker {
    fn wake(&self) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.waker.notify_all();
    }
}

/// Who is parked, by key.
type Queue = ::shuttle::sync::Mutex<Vec<(usize, Arc<Parker>)>>;

::shuttle::lazy_static! {
    /// One queue for all keys: it is locked for as long as parking_lot_core locks the key's own.
    static ref QUEUE: Queue = Queue::new(Vec::new());
}

fn queue() -> MutexGuard<'static, Vec<(usize, Arc<Parker>)>> {
    Queue::lock(&QUEUE).unwrap_or_else(PoisonError::into_inner)
}

/// How often a thread of this process has parked.
static PARKS: own::AtomicU64 = own::AtomicU64::new(0);

/// How often a thread of this process has parked.
#[must_use]
pub fn parks() -> u64 {
    PARKS.load(Relaxed)
}

/// Parks the calling thread under `key` until [`unpark_all`] is called with it.
///
/// `validate` runs with the queue locked, `before_sleep` when the thread is in the queue and that
/// is unlocked: what comes after `validate` finds the thread there. It does not wake by itself.
pub(crate) fn park(key: usize, validate: impl FnOnce() -> bool, before_sleep: impl FnOnce()) {
    let me = Arc::new(Parker::default());
    {
        let mut queue = queue();
        if !validate() {
            return;
        }
        queue.push((key, Arc::clone(&me)));
    }
    PARKS.fetch_add(1, Relaxed);
    before_sleep();
    let mut is_woken = me.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_woken {
        is_woken = me.waker.wait(is_woken).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Wakes the thread that has been parked under `key` the longest; says whether more are.
pub(crate) fn unpark_one(key: usize) -> bool {
    let (first, more) = {
        let mut queue = queue();
        let first = queue.iter().position(|(at, _)| *at == key);
        let first = first.map(|place| queue.remove(place).1);
        (first, queue.iter().any(|(at, _)| *at == key))
    };
    first.iter().for_each(|parker| parker.wake());
    more
}

/// Wakes every thread parked under `key`; says how many there were.
pub(crate) fn unpark_all(key: usize) -> usize {
    let mut woken = Vec::new();
    queue().retain(|(at, parker)| {
        if *at == key {
            woken.push(Arc::clone(parker));
        }
        *at != key
    });
    woken.iter().for_each(|parker| parker.wake());
    woken.len()
}
