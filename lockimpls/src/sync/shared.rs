//! A lock of two modes, taken and released by hand: rwlock(9) where it has readers.

#![allow(unsafe_code)]

use std::panic::Location;

use crate::ambient;
use crate::domain::Algorithm;
use crate::primitives::{RawLock, RawMutex, RawShared};
use crate::witness::{self, Class, Edge, Mode, WaitsFor};

/// Such a lock, of the algorithm of `R`. Where that has no shared mode, whoever asks for it has the
/// lock exclusively, and the witness is told what was asked for.
///
/// A thread has one such lock in shared mode at most. It neither takes it twice nor goes from one
/// mode to the other: whoever waits for a lock that it has in shared mode may wait for a writer
/// that waits for it.
pub(crate) struct SharedLock<R: RawMutex = RawLock> {
    raw: R::Shared,
    class: Class,
}

impl<R: RawMutex> SharedLock<R> {
    /// An unlocked lock of this class and this algorithm.
    #[must_use]
    pub(crate) fn of(class: Class, algorithm: Algorithm) -> Self {
        Self { raw: R::Shared::with(algorithm), class }
    }

    /// The address by which the witness knows this lock.
    #[inline]
    pub(crate) fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// `rw_enter_write`: takes the lock exclusively, waiting for it if it must.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn enter(&self) {
        witness::checkorder(self.addr(), &self.class, Edge::None);
        if let Err(turn) = self.raw.enter_write() {
            self.enter_slow(|may_spin| self.raw.wait_write(turn, may_spin));
        }
        witness::lock(self.addr(), self.class);
        self.raw.taken(self.class as u8, Location::caller());
    }

    /// `rw_exit_write`: releases the lock, which the calling thread must hold exclusively.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn exit(&self) {
        // Ends the process if this thread does not hold the lock in this mode: so the release below
        // is sound.
        witness::assert_mode(self.addr(), &self.class, Mode::Exclusive);
        witness::unlock(self.addr(), &self.class);
        // SAFETY: the calling thread has the lock exclusively: kept by the witness, which was just
        // asked. A locked lock is not moved.
        unsafe { self.raw.exit_write() }
    }

    /// `rw_enter_read`: takes the lock in shared mode, waiting for it if it must.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn enter_read(&self) {
        witness::checkorder(self.addr(), &self.class, Edge::None);
        if let Err(turn) = self.raw.enter_read() {
            self.enter_slow(|may_spin| self.raw.wait_read(turn, may_spin));
        }
        witness::lock_shared(self.addr(), self.class);
        self.raw.taken(self.class as u8, Location::caller());
    }

    /// `rw_exit_read`: releases the lock, which the calling thread must hold in shared mode.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn exit_read(&self) {
        // As in `exit`.
        witness::unlock_shared(self.addr(), &self.class);
        // SAFETY: the calling thread has the lock in shared mode: kept by the witness, which was
        // just asked. A locked lock is not moved.
        unsafe { self.raw.exit_read() }
    }

    #[cold]
    #[track_caller]
    fn enter_slow(&self, wait: impl FnOnce(bool)) {
        witness::contended(self.class);
        witness::sleep(self.addr(), WaitsFor::Lock, 0);
        let depth = ambient::sleep_begins();
        wait(depth == 0);
        ambient::sleep_ends(depth);
        witness::awake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::witness::{counters, is_held, is_waiting, thread_number};

    fn lock() -> SharedLock {
        SharedLock::of(Class::UnpLock, Algorithm::default())
    }

    #[test]
    fn readers_share_it_and_are_counted_apart() {
        let (lock, before) = (lock(), counters());
        lock.enter_read();
        std::thread::scope(|threads| {
            let other = || {
                lock.enter_read();
                assert!(is_held(lock.addr()) && lock.raw.enter_write().is_err());
                lock.exit_read();
            };
            threads.spawn(other).join().unwrap();
        });
        lock.exit_read();
        lock.enter();
        lock.exit();
        let counts = counters().since(&before).of(Class::UnpLock);
        assert_eq!((counts.acquisitions, counts.shared, counts.contended), (2, 1, 0));
    }

    #[test]
    fn a_writer_waits_for_readers_and_they_for_it() {
        for is_reader in [false, true] {
            let (lock, (tell, told)) = (lock(), channel());
            if is_reader {
                lock.enter()
            } else {
                lock.enter_read()
            }
            std::thread::scope(|threads| {
                let other = threads.spawn(|| {
                    tell.send(thread_number()).unwrap();
                    if is_reader {
                        lock.enter_read();
                        lock.exit_read();
                    } else {
                        lock.enter();
                        lock.exit();
                    }
                    counters().of(Class::UnpLock)
                });
                let number = told.recv().unwrap();
                while !is_waiting(number) {
                    std::thread::yield_now();
                }
                assert!(!other.is_finished());
                if is_reader {
                    lock.exit()
                } else {
                    lock.exit_read()
                }
                let counts = other.join().unwrap();
                let shared = u64::from(is_reader);
                assert_eq!((counts.acquisitions, counts.shared, counts.contended), (1, shared, 1));
            });
        }
    }

    #[test]
    fn a_lock_without_a_shared_mode_is_taken_exclusively() {
        let lock: SharedLock<crate::raw::Mutex9> =
            SharedLock::of(Class::UnpLock, Algorithm::Mutex9);
        lock.enter_read();
        std::thread::scope(|threads| {
            let is_taken = || lock.raw.enter_read().is_err();
            assert!(threads.spawn(is_taken).join().unwrap());
        });
        lock.exit_read();
        lock.enter();
        lock.exit();
    }
}
