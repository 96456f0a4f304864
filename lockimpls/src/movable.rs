//! The locks of other crates: as those of [`sync`](crate::sync), and whatever safe code does with
//! them is sound.
//!
//! The witness knows a lock by its address. The layers of this crate never move a lock that is
//! held, so there the address is the lock. A layer elsewhere can: it assigns another lock to the
//! place, swaps two, drops one, sends one to another thread. So these locks have beside them which
//! thread took them and where that was, and both move with the lock. A lock that was put where a
//! held one was is not held; one that was moved while it was held can neither be released nor lend
//! what it guards, until it is back. What the witness lists stays there, and is its finding when
//! the call returns or the thread ends.
//!
//! # Why that is sound
//!
//! *The calling thread has the lock, here*, is what a release and a use of the data need. It is so
//! wherever `holder.name` is the thread's own name and `holder.place` the lock's address:
//!
//! * A name is one thread's and is never given again. (The witness's numbers are, and its list ends
//!   with its thread.)
//! * A thread's name is stored by that thread alone, after it took the lock, and it stores
//!   [`NOBODY`] before it releases it. A thread reads no older value than the last that it stored
//!   itself, so Relaxed is enough: if it reads its name, it has not released the lock since. What
//!   it reads while another thread has the lock is not its name, whichever value it is.
//! * Whoever moves, drops or overwrites a lock has it alone (`&mut` or by value), so that no access
//!   here races with that; and a new lock has no holder.
//! * `place` is written by the holder before it writes its name, and is read by the same thread.
//! * A lock whose holder unwinds, ends, or forgets or drops it is released by nobody: nobody else
//!   gets it, and what the raw lock left with it is not read.

#![allow(unsafe_code)]

use std::ops::Deref;
use std::panic::Location;

use crate::domain::Algorithm;
use crate::primitives::own::{AtomicU64, AtomicUsize};
use crate::primitives::{Cell, Ordering, RawMutex, thread_local};
use crate::sync::{self, DefaultRaw};
use crate::witness::{self, Check, Class};

use Ordering::Relaxed;

/// No thread's name.
const NOBODY: u64 = 0;

/// The last name that was given to a thread.
static NAMED: AtomicU64 = AtomicU64::new(NOBODY);

thread_local! {
    /// The thread's name, once it has one. Without a destructor, so that it is there to the end.
    static ME: Cell<u64> = const { Cell::new(NOBODY) };
}

/// The calling thread's name.
#[inline(always)]
fn me() -> u64 {
    match ME.get() {
        NOBODY => give_name(),
        name => name,
    }
}

#[cold]
fn give_name() -> u64 {
    // The witness asks at the thread's end what it holds, though it never was in a call.
    witness::thread_number();
    // Relaxed: each addition makes another number. 2^64 threads are not started.
    let name = NAMED.fetch_add(1, Relaxed) + 1;
    ME.set(name);
    name
}

/// Which thread has a lock, and where the lock was when it took it.
struct Holder {
    name: AtomicU64,
    place: AtomicUsize,
}

/// A lock taken and released by hand, which the witness sees.
///
/// It may be moved while it is free. Whatever else is done with it is sound, and a finding: a lock
/// is not released where it was not taken.
///
/// Its twin without the checks is nobody's but this crate's:
///
/// ```compile_fail,E0107
/// use lockimpls::{DefaultRaw, RwLock, witness::Class};
/// RwLock::<DefaultRaw, false>::new(Class::Own1).exit();
/// ```
///
/// ```compile_fail,E0603
/// use lockimpls::sync::RwLock;
/// ```
pub struct RwLock<R: RawMutex = DefaultRaw> {
    lock: sync::RwLock<R>,
    holder: Holder,
}

impl<R: RawMutex> RwLock<R> {
    /// An unlocked lock of this class.
    #[must_use]
    pub fn new(class: Class) -> Self {
        Self::with(sync::RwLock::new(class))
    }

    /// An unlocked lock of this class and this algorithm.
    #[must_use]
    pub fn of(class: Class, algorithm: Algorithm) -> Self {
        Self::with(sync::RwLock::of(class, algorithm))
    }

    fn with(lock: sync::RwLock<R>) -> Self {
        Self { lock, holder: Holder { name: AtomicU64::new(NOBODY), place: AtomicUsize::new(0) } }
    }

    /// The address by which the witness knows this lock, and by which locks of one class are
    /// ordered.
    #[inline]
    pub fn addr(&self) -> usize {
        self.lock.addr()
    }

    /// Takes the lock, waiting for it if it must.
    #[inline(always)]
    #[track_caller]
    pub fn enter(&self) {
        let me = me();
        self.lock.enter();
        self.taken_by(me);
    }

    /// Notes that the calling thread has taken the lock.
    #[inline(always)]
    fn taken_by(&self, me: u64) {
        // Relaxed: see the top.
        self.holder.place.store(self.addr(), Relaxed);
        self.holder.name.store(me, Relaxed);
    }

    /// Releases the lock. Ends the process with a report unless the calling thread has taken it,
    /// where it is.
    #[inline(always)]
    #[track_caller]
    pub fn exit(&self) {
        if !self.is_mine() {
            self.refuse(Check::NotHeld, Location::caller());
        }
        // Relaxed: see the top.
        self.holder.name.store(NOBODY, Relaxed);
        self.lock.exit();
    }

    /// Whether the calling thread holds this lock.
    #[inline(always)]
    pub fn is_mine(&self) -> bool {
        // Relaxed: see the top.
        self.holder.name.load(Relaxed) == me() && self.holder.place.load(Relaxed) == self.addr()
    }

    /// Ends the process with a report unless the calling thread holds this lock.
    #[inline(always)]
    #[track_caller]
    pub fn assert_mine(&self) {
        if !self.is_mine() {
            self.refuse(Check::Unlocked, Location::caller());
        }
    }

    #[cold]
    fn refuse(&self, check: Check, site: &'static Location<'static>) -> ! {
        // Relaxed: see the top.
        if self.holder.name.load(Relaxed) == me() {
            let from = self.holder.place.load(Relaxed);
            witness::moved(check, (from, self.addr()), self.lock.class(), site);
        }
        match check {
            Check::NotHeld => witness::not_held(self.addr(), self.lock.class(), site),
            _ => witness::unlocked(self.addr(), self.lock.class(), site),
        }
    }

    /// Takes the lock if it is free; whether it did. Whoever does not wait closes no circle, so the
    /// order is not asked; what the thread takes next is compared with this lock, too.
    #[inline(always)]
    #[track_caller]
    pub fn try_enter(&self) -> bool {
        let me = me();
        let is_taken = self.lock.try_enter();
        if is_taken {
            self.taken_by(me);
        }
        is_taken
    }
}

/// A lock, and data that its holder alone can reach. It is taken and released by hand, as the lock
/// that it is; no guard and no second lock stands for that.
pub struct Guarded<T, R: RawMutex = DefaultRaw> {
    lock: RwLock<R>,
    /// None while [`Guarded::with`] has it. Boxed, so that taking it out moves a pointer.
    data: Cell<Option<Box<T>>>,
}

// SAFETY: `data` is touched in `with` alone, by the thread that has `lock` here: kept by
// `assert_mine` (see the top), which is asked before each of the two accesses. So by one at a time,
// and each after what the holder before it did, for the lock orders them. Nothing outlives the
// hold: `with` lends what it has taken out. The data goes from thread to thread, hence `Send`.
unsafe impl<T: Send, R: RawMutex> Sync for Guarded<T, R> {}

impl<T, R: RawMutex> Guarded<T, R> {
    /// An unlocked lock with what it guards.
    #[must_use]
    pub fn new(lock: RwLock<R>, data: T) -> Self {
        Self { lock, data: Cell::new(Some(Box::new(data))) }
    }

    /// What the lock guards. Ends the process with a report unless the calling thread holds it.
    ///
    /// # Panics
    /// Where it is used already, by a caller of this one, or such a use has unwound.
    #[track_caller]
    pub fn with<A>(&self, f: impl FnOnce(&mut T) -> A) -> A {
        self.lock.assert_mine();
        let mut data = self.data.take().expect("one use at a time");
        let result = f(&mut data);
        self.lock.assert_mine();
        self.data.set(Some(data));
        result
    }
}

impl<T, R: RawMutex> Deref for Guarded<T, R> {
    type Target = RwLock<R>;

    #[inline(always)]
    fn deref(&self) -> &RwLock<R> {
        &self.lock
    }
}

#[cfg(test)]
mod tests;
