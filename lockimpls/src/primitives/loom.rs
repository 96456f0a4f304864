//! loom's primitives, for `lockimpls/models/loom`: it runs a model once for every order that its
//! threads' accesses can have, and for every value that a load may return in that order.
//!
//! * Atomics and cells are loom's. A cell that two threads touch, one of them writing, without an
//!   order between them ends the model: so `[s]` fields are checked in every execution.
//!   `UnsafeCell` stays the machine's: loom's has another interface. What stands in one is its
//!   lock's own guard, a pool's memory, or a ring's bytes, and those are noted one by one
//!   ([`note_write`]).
//! * `Mutex` and [`own`](super::own) stay the machine's: no protocol rests on them, and no thread
//!   of a model is exchanged for another while it holds such a mutex.
//! * The light and the heavy fence are both `fence(SeqCst)`: membarrier(2) is outside of what loom
//!   knows. That light and heavy together are as good as two full fences is membarrier's promise,
//!   and not checked here.
//! * The threads of a model all run on one thread of the machine, so that a thread-local is a place
//!   in a table ([`LocalKey`]), by the model thread's index.

#![allow(unsafe_code)]

mod asked;
mod raw_lock;
mod raw_rw;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::AtomicU64 as Count;
use std::sync::{Arc, OnceLock, PoisonError};

use ::loom::sync::atomic as checked;

pub(crate) use std::cell::UnsafeCell;
pub(crate) use std::sync::Mutex;
pub(crate) use std::sync::atomic::Ordering;

pub(crate) use ::loom::cell::Cell;

pub use self::asked::LEAVE_OUT;
pub(crate) use self::asked::{all_seen, leaves_out, seen};
pub use self::raw_lock::RawLock;

use Ordering::Relaxed;

/// How many threads loom can have, the first included.
pub(crate) const THREADS_MAX: usize = ::loom::MAX_THREADS;

/// How many queue nodes a thread has: loom keeps a record of each.
pub(crate) const NODES: usize = 2;

/// How often a thread looks before it parks: both ends of that are in the models.
pub(crate) const SPINS: u32 = 1;

/// Small, so that a ring of a model comes round.
pub(crate) const RING_MIN: usize = 4;

/// How many looks in vain are still told apart in this execution.
static LOOKS_LEFT: Count = Count::new(u64::MAX);

/// An execution begins. After so many looks in vain nothing more is tried in it: two threads that
/// wait for a third could be run in turns for ever, without the third.
pub(crate) fn begin_execution(looks: u64) {
    LOOKS_LEFT.store(looks, Relaxed);
}

/// A thread has looked in vain: the others go on.
pub(crate) fn yield_now() {
    match LOOKS_LEFT.load(Relaxed) {
        0 => {}
        1 => {
            LOOKS_LEFT.store(0, Relaxed);
            ::loom::skip_branch();
        }
        left => LOOKS_LEFT.store(left - 1, Relaxed),
    }
    ::loom::thread::yield_now();
}

/// See [`yield_now`].
pub(crate) fn spin_loop() {
    yield_now();
}

/// The ordering asked for, or none at all in the control that leaves the orderings out.
fn order(asked: Ordering) -> Ordering {
    if leaves_out("orderings") { Relaxed } else { asked }
}

/// An atomic of loom's, as far as the layer uses it.
macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name(checked::$name);

        #[allow(dead_code, reason = "not every width is used in every way")]
        impl $name {
            #[track_caller]
            pub(crate) fn new(value: $value) -> Self {
                Self(checked::$name::new(value))
            }

            #[track_caller]
            pub(crate) fn load(&self, asked: Ordering) -> $value {
                self.0.load(order(asked))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, asked: Ordering) {
                self.0.store(value, order(asked));
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $value, asked: Ordering) -> $value {
                self.0.swap(value, order(asked))
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange(current, new, order(success), order(failure))
            }

            #[track_caller]
            pub(crate) fn fetch_add(&self, value: $value, asked: Ordering) -> $value {
                self.0.fetch_add(value, order(asked))
            }

            #[track_caller]
            pub(crate) fn fetch_sub(&self, value: $value, asked: Ordering) -> $value {
                self.0.fetch_sub(value, order(asked))
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicUsize, usize);

/// A pointer of loom's, as far as the layer uses it.
#[derive(Debug)]
pub(crate) struct AtomicPtr<T>(checked::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    #[track_caller]
    pub(crate) fn new(value: *mut T) -> Self {
        Self(checked::AtomicPtr::new(value))
    }

    #[track_caller]
    pub(crate) fn load(&self, asked: Ordering) -> *mut T {
        self.0.load(order(asked))
    }

    #[track_caller]
    pub(crate) fn store(&self, value: *mut T, asked: Ordering) {
        self.0.store(value, order(asked));
    }

    #[track_caller]
    pub(crate) fn swap(&self, value: *mut T, asked: Ordering) -> *mut T {
        self.0.swap(value, order(asked))
    }

    #[track_caller]
    pub(crate) fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.0.compare_exchange(current, new, order(success), order(failure))
    }
}

/// A thread-local without a destructor: a place for each thread that a model can have. What a
/// thread leaves there the thread with the same index finds in the next execution, as if it lived
/// on.
pub(crate) struct LocalKey<T: 'static> {
    init: fn() -> T,
    values: [OnceLock<T>; THREADS_MAX],
}

impl<T> LocalKey<T> {
    pub(crate) const fn new(init: fn() -> T) -> Self {
        Self { init, values: [const { OnceLock::new() }; THREADS_MAX] }
    }

    pub(crate) fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        f(self.values[thread_index()].get_or_init(self.init))
    }
}

/// A table of atomics, made anew for each execution.
macro_rules! table {
    ($(#[$meta:meta])* static $name:ident: [$type:ty; $len:expr] = const $init:block;) => {
        ::loom::lazy_static! {
            $(#[$meta])*
            static ref $name: Vec<$type> = (0..$len).map(|_| $init).collect();
        }
    };
}

pub(crate) use table;

/// `thread_local!`, as far as the layer uses it.
macro_rules! local {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block;)*) => {
        $($(#[$meta])* static $name: $crate::primitives::LocalKey<$type> =
            $crate::primitives::LocalKey::new(|| $init);)*
    };
}

pub(crate) use local as thread_local;

::loom::thread_local! {
    static INDEX: std::cell::Cell<usize> = std::cell::Cell::new(0);
}

/// Which thread of the model this is: 0 is the one that begins.
pub(crate) fn thread_index() -> usize {
    INDEX.with(std::cell::Cell::get)
}

/// A thread of a model says which one it is.
pub(crate) fn set_thread_index(index: usize) {
    INDEX.with(|at| at.set(index));
}

::loom::lazy_static! {
    static ref IN_USE: [AtomicUsize; THREADS_MAX + 1] = std::array::from_fn(|_| AtomicUsize::new(0));
    static ref BYTES: Mutex<HashMap<usize, Rc<::loom::cell::UnsafeCell<()>>>> =
        Mutex::new(HashMap::new());
    static ref PLACES: Mutex<HashMap<usize, Arc<Place>>> = Mutex::new(HashMap::new());
}

/// By thread number: the socket on whose lock-free path the thread is, or 0.
pub(crate) fn in_use(number: usize) -> &'static AtomicUsize {
    &IN_USE[number]
}

/// Reads a word for a report, or reads its own thread's.
pub(crate) fn peek(word: &AtomicUsize) -> usize {
    word.load(Relaxed)
}

/// A finding ends the process, and with it the model.
pub(crate) fn end_process(code: i32) -> ! {
    std::process::exit(code)
}

/// Waits while another thread ends the process: here that thread is this one.
pub(crate) fn await_end() -> ! {
    panic!("another check has found something before");
}

/// Bytes of a ring are read now: ends the model unless whoever wrote them did so before.
#[track_caller]
pub(crate) fn note_read(at: *const u8, bytes: usize) {
    (0..bytes).for_each(|i| byte(at, i).with(|_| ()));
}

/// Bytes of a ring are written now: ends the model unless whoever touched them did so before.
#[track_caller]
pub(crate) fn note_write(at: *const u8, bytes: usize) {
    (0..bytes).for_each(|i| byte(at, i).with_mut(|_| ()));
}

/// What loom knows of the byte at an address. It begins with the first access.
fn byte(at: *const u8, i: usize) -> Rc<::loom::cell::UnsafeCell<()>> {
    let mut bytes = BYTES.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || Rc::new(::loom::cell::UnsafeCell::new(()));
    Rc::clone(bytes.entry(at as usize + i).or_insert_with(new))
}

/// Both fences are full: see the top.
pub(crate) fn light_fence() {
    if !leaves_out("light_fence") {
        checked::fence(Ordering::SeqCst);
    }
}

/// See [`light_fence`].
pub(crate) fn heavy_fence() {
    if !leaves_out("heavy_fence") {
        checked::fence(Ordering::SeqCst);
    }
}

/// Full here: loom knows no instruction that is a fence besides.
pub(crate) fn fence_after_rmw() {
    if !leaves_out("fence_after_rmw") {
        checked::fence(Ordering::SeqCst);
    }
}

/// There is nothing to ask the kernel for.
pub(crate) fn register_asymmetric() {}

/// What the two fences are made of.
#[must_use]
pub fn fences() -> &'static str {
    "full"
}

/// Where threads park under one key.
struct Place {
    queue: ::loom::sync::Mutex<Queue>,
    woken: ::loom::sync::Condvar,
}

/// Who is parked.
struct Queue {
    /// How many threads ever came: the number of the next one.
    came: u64,
    /// How many of them are awake again: those with lower numbers.
    woken: u64,
}

fn place(key: usize) -> Arc<Place> {
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || Place {
        queue: ::loom::sync::Mutex::new(Queue { came: 0, woken: 0 }),
        woken: ::loom::sync::Condvar::new(),
    };
    Arc::clone(places.entry(key).or_insert_with(|| Arc::new(new())))
}

/// Parks the calling thread under `key`; `validate` and `before_sleep` as in the machine's own.
pub(crate) fn park(key: usize, validate: impl FnOnce() -> bool, before_sleep: impl FnOnce()) {
    let place = place(key);
    let lock = || place.queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut queue = lock();
    if !validate() {
        seen("park refused");
        return;
    }
    let number = queue.came;
    queue.came += 1;
    drop(queue);
    before_sleep();
    let mut queue = lock();
    while queue.woken <= number {
        seen("parked");
        queue = place.woken.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
    seen("woken");
}

/// Wakes the thread that has been parked under `key` the longest; says whether more are.
pub(crate) fn unpark_one(key: usize) -> bool {
    unpark(key, 1).1 && !leaves_out("more")
}

/// Wakes every thread parked under `key`; says how many there were.
pub(crate) fn unpark_all(key: usize) -> usize {
    unpark(key, usize::MAX).0
}

/// Wakes at most so many; says how many there were, and whether more are.
fn unpark(key: usize, most: usize) -> (usize, bool) {
    let place = place(key);
    let mut queue = place.queue.lock().unwrap_or_else(PoisonError::into_inner);
    let parked = (queue.came - queue.woken) as usize;
    let woken = parked.min(most);
    queue.woken += woken as u64;
    drop(queue);
    if woken != 0 && !leaves_out("notify") {
        place.woken.notify_all();
    }
    (woken, woken < parked)
}
