//! `futex`: a word of three states and a queue in the kernel. Drepper, "Futexes Are Tricky" (2011),
//! the third mutex; released by one exchange instead of a decrement and a store, as glibc's
//! `lll_unlock` does.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use crate::domain::Algorithm;
use crate::primitives::{AtomicU32, Ordering, RawLock, RawMutex, futex_wait, futex_wake_one};

use Ordering::{Acquire, Relaxed, Release};

/// Nobody has the lock.
const FREE: u32 = 0;
/// A thread has it; nobody waits.
const TAKEN: u32 = 1;
/// A thread has it; others may wait.
const WANTED: u32 = 2;

/// A lock on a futex(2).
pub struct Futex {
    word: AtomicU32,
}

// SAFETY: a thread has the lock from its exchange that found FREE and left something else, to its
// exchange for FREE; between these, others write WANTED alone. Every FREE after the first is
// written by an exit, with Release, and read by the exchange that takes the lock, with Acquire. No
// wake-up is lost: a thread sleeps only while the word is WANTED, which the kernel asks with its
// queue locked; the exit that ends that word wakes one, and whoever is woken leaves WANTED again,
// so that its own exit wakes the next.
unsafe impl RawMutex for Futex {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Futex);

    type Held = ();
    /// What the word was instead of FREE.
    type Turn = u32;
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { word: AtomicU32::new(FREE) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<(), u32> {
        // Acquire; pairs with the Release in `exit`.
        self.word.compare_exchange(FREE, TAKEN, Acquire, Relaxed).map(drop)
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<()> {
        self.enter().ok()
    }

    fn wait(&self, found: u32, _may_spin: bool) {
        // Acquire; pairs with the Release in `exit`.
        let leave_wanted = || self.word.swap(WANTED, Acquire);
        let mut found = if found == WANTED { WANTED } else { leave_wanted() };
        while found != FREE {
            futex_wait(&self.word, WANTED);
            found = leave_wanted();
        }
    }

    #[inline(always)]
    unsafe fn exit(&self, (): ()) {
        // Release; pairs with the Acquires in `enter` and `wait`.
        if self.word.swap(FREE, Release) == WANTED {
            futex_wake_one(&self.word);
        }
    }
}
