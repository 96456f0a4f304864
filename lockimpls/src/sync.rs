//! The lock under every backend: taken and released by hand, as a kernel does, and seen by the
//! witness.
//!
//! [`RwLock`] is rwlock(9) as unix(4) uses it: exclusively. [`SharedLock`] has readers, too. The
//! algorithm is a raw lock's ([`raw`](crate::raw)); the default is `parking_lot`'s. There are no
//! guards: a guard, or a closure that locks around its body, cannot leak a lock, and a checker that
//! looks for leaked locks would have nothing to look at. Every acquisition names its place in the
//! source.

#![allow(unsafe_code)]

mod shared;

use std::mem::MaybeUninit;
use std::panic::Location;

use crate::ambient;
use crate::domain::Algorithm;
use crate::primitives::{RawMutex, UnsafeCell};
use crate::witness::{self, Class, Edge, WaitsFor};

pub(crate) use self::shared::SharedLock;
pub use crate::primitives::RawLock as DefaultRaw;

/// A lock taken and released by hand; `CHECKED` is `false` only in the twin that measures the
/// checker's cost.
///
/// A locked one is not moved, put elsewhere or dropped, because its address is all that the witness
/// knows of it. In this crate that holds: locks stand in pools, boxes and layers, and all of these
/// stay where they are while the layer is in use. Other crates have [`movable`](crate::movable).
pub(crate) struct RwLock<R: RawMutex = DefaultRaw, const CHECKED: bool = true> {
    raw: R,
    /// What the raw lock wants back at the release (a queue node, say; nothing for `parking_lot`).
    /// Written and read by the holder alone.
    held: UnsafeCell<MaybeUninit<R::Held>>,
    class: Class,
}

// SAFETY: `raw` is `Sync`; `held` is touched only by the thread that has the lock, from where it
// took it until it releases it (`exit` asks the witness), so what may not be sent is not sent.
unsafe impl<R: RawMutex, const CHECKED: bool> Sync for RwLock<R, CHECKED> {}
// SAFETY: in an unlocked lock `held` is empty; of a locked one it is read by the thread that wrote
// it alone, as above.
unsafe impl<R: RawMutex, const CHECKED: bool> Send for RwLock<R, CHECKED> {}

impl<R: RawMutex, const CHECKED: bool> RwLock<R, CHECKED> {
    /// An unlocked lock of this class.
    #[must_use]
    pub(crate) fn new(class: Class) -> Self {
        Self::with(R::new(), class)
    }

    /// An unlocked lock of this class and this algorithm.
    #[must_use]
    pub(crate) fn of(class: Class, algorithm: Algorithm) -> Self {
        Self::with(R::of(algorithm), class)
    }

    fn with(raw: R, class: Class) -> Self {
        Self { raw, held: UnsafeCell::new(MaybeUninit::uninit()), class }
    }

    /// The address by which the witness knows this lock.
    #[inline]
    pub(crate) fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Its class.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// `rw_enter_write`: takes the lock, waiting for it if it must.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn enter(&self) {
        self.enter_edge(Edge::None);
    }

    /// Takes the lock by an exception of the lock-order table.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn enter_edge(&self, edge: Edge) {
        if CHECKED {
            witness::checkorder(self.addr(), &self.class, edge);
        }
        let held = match self.raw.enter() {
            Ok(held) => held,
            Err(turn) => self.enter_slow(turn),
        };
        // SAFETY: this thread has the lock, alone, since the line above.
        unsafe { (*self.held.get()).write(held) };
        if CHECKED {
            witness::lock(self.addr(), self.class);
            self.raw.taken(self.class as u8, Location::caller());
        }
    }

    /// `rw_enter(RW_WRITE | RW_NOSLEEP)`: takes the lock if it is free; whether it did. Whoever
    /// does not wait closes no circle, so the order is not asked; what the thread takes next is
    /// compared with this lock, too.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn try_enter(&self) -> bool {
        let Some(held) = self.raw.try_enter() else { return false };
        // SAFETY: this thread has the lock, alone, since the line above.
        unsafe { (*self.held.get()).write(held) };
        if CHECKED {
            witness::lock(self.addr(), self.class);
            self.raw.taken(self.class as u8, Location::caller());
        }
        true
    }

    #[cold]
    #[track_caller]
    fn enter_slow(&self, turn: R::Turn) -> R::Held {
        if CHECKED {
            witness::contended(self.class);
            witness::sleep(self.addr(), WaitsFor::Lock, 0);
        }
        let depth = if CHECKED { ambient::sleep_begins() } else { 0 };
        let held = self.raw.wait(turn, depth == 0);
        ambient::sleep_ends(depth);
        if CHECKED {
            witness::awake();
        }
        held
    }

    /// `rw_exit_write`: releases the lock, which the calling thread must hold.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn exit(&self) {
        if CHECKED {
            // Ends the process if this thread does not hold the lock: so the release below is
            // sound.
            witness::unlock(self.addr(), &self.class);
        }
        // SAFETY: the calling thread has the lock: kept by the witness, which was just asked; in
        // the unchecked twin by `calibrate`, whose only use is a loop of pairs. `held` was written
        // when the lock was taken, and is read once; a locked lock is not moved (see the type), and
        // `movable` asks for that itself.
        unsafe { self.raw.exit((*self.held.get()).assume_init_read()) }
    }

    /// Whether the calling thread holds this lock.
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        witness::is_held(self.addr())
    }

    /// `soassertlocked`: ends the process with a report unless the calling thread holds this lock.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn assert_mine(&self) {
        witness::assert_held(self.addr(), &self.class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::{counters, is_waiting, thread_number};

    #[test]
    fn a_lock_is_its_holders_alone() {
        let lock: RwLock = RwLock::new(Class::SoLock);
        assert!(!lock.is_mine());
        lock.enter();
        assert!(lock.is_mine());
        lock.assert_mine();
        assert_eq!(lock.addr(), std::ptr::from_ref(&lock) as usize);
        std::thread::scope(|threads| {
            assert!(!threads.spawn(|| lock.is_mine()).join().unwrap());
            assert!(threads.spawn(|| lock.raw.enter().is_err()).join().unwrap());
        });
        lock.exit();
        assert!(!lock.is_mine() && lock.raw.enter().is_ok());
    }

    #[test]
    fn a_lock_that_is_not_free_is_not_waited_for() {
        let lock: RwLock = RwLock::new(Class::SbLock);
        assert!(lock.try_enter() && lock.is_mine());
        std::thread::scope(|threads| {
            assert!(threads.spawn(|| !lock.try_enter() && !lock.is_mine()).join().unwrap());
        });
        lock.exit();
        assert!(lock.try_enter());
        lock.exit();
    }

    #[test]
    fn who_finds_it_taken_waits_and_counts_that() {
        let lock: RwLock = RwLock::new(Class::SoLock);
        let (tell, told) = std::sync::mpsc::channel();
        lock.enter();
        std::thread::scope(|threads| {
            let other = threads.spawn(|| {
                tell.send(thread_number()).unwrap();
                lock.enter();
                lock.exit();
                assert!(!is_waiting(thread_number()));
                counters().of(Class::SoLock)
            });
            let number = told.recv().unwrap();
            while !is_waiting(number) {
                std::thread::yield_now();
            }
            assert!(!other.is_finished());
            lock.exit();
            let counts = other.join().unwrap();
            assert_eq!((counts.acquisitions, counts.contended), (1, 1));
        });
    }
}
