//! A lock with what it guards.

#![allow(unsafe_code)]

use std::ops::Deref;

use crate::primitives::{Cell, RawMutex};
use crate::sync::{DefaultRaw, RwLock};

/// A lock, and data that its holder alone can reach. It is taken and released by hand, as the lock
/// that it is; no guard and no second lock stands for that.
#[repr(C)]
pub(crate) struct Guarded<T, R: RawMutex = DefaultRaw> {
    lock: RwLock<R>,
    /// None while [`Guarded::with`] has it. Boxed, so that taking it out moves a pointer.
    data: Cell<Option<Box<T>>>,
}

// SAFETY: `data` is touched in `with` alone, by the thread of which the witness has just said that
// it holds `lock`, which is not moved meanwhile (see `RwLock`); so by one at a time, and each after
// what the holder before it did, for the lock orders them. Nothing outlives the hold: `with` lends
// what it has taken out, and looks again before it puts it back. The data goes from thread to
// thread, hence `Send`.
unsafe impl<T: Send, R: RawMutex> Sync for Guarded<T, R> {}

impl<T, R: RawMutex> Guarded<T, R> {
    /// An unlocked lock with what it guards.
    #[must_use]
    pub(crate) fn new(lock: RwLock<R>, data: T) -> Self {
        Self { lock, data: Cell::new(Some(Box::new(data))) }
    }

    /// What the lock guards. Ends the process with a report unless the calling thread holds it.
    ///
    /// # Panics
    /// Where it is used already, by a caller of this one.
    #[track_caller]
    pub(crate) fn with<A>(&self, f: impl FnOnce(&mut T) -> A) -> A {
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
mod tests {
    use super::*;
    use crate::child;
    use crate::witness::{Class, EXIT_FINDING};

    /// Set in the child.
    const ASKED: &str = "SOLOCK_TEST_GUARDED";

    fn seven() -> Guarded<u32> {
        Guarded::new(RwLock::new(Class::Names), 7)
    }

    #[test]
    fn its_holder_changes_it() {
        let guarded = seven();
        guarded.enter();
        guarded.with(|it| *it += 1);
        assert_eq!(guarded.with(|it| *it), 8);
        guarded.exit();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                guarded.enter();
                assert_eq!(guarded.with(std::mem::take), 8);
                guarded.exit();
            });
        });
        guarded.enter();
        assert_eq!(guarded.with(|it| *it), 0);
        guarded.exit();
    }

    #[test]
    #[should_panic(expected = "one use at a time")]
    fn it_is_not_lent_twice() {
        let guarded = seven();
        guarded.enter();
        guarded.with(|_| guarded.with(|_| {}));
    }

    /// The child's side: which misuse.
    #[test]
    fn misuse() {
        let Ok(asked) = std::env::var(ASKED) else { return };
        child::begin();
        let guarded = seven();
        if asked == "unlocked" {
            guarded.with(|_| {});
        } else {
            guarded.enter();
            guarded.with(|_| guarded.exit());
        }
    }

    #[test]
    fn whoever_does_not_hold_the_lock_gets_a_report() {
        for way in ["unlocked", "unlocked meanwhile"] {
            let (code, said) = child::run("guarded::tests::misuse", ASKED, way);
            assert_eq!(code, Some(EXIT_FINDING), "{said}");
            assert!(said.contains("is not locked by this thread"), "{said}");
        }
    }
}
