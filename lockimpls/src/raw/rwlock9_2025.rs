//! `rwlock9-2025`: rwlock(9) as `kern_rwlock.c` 1.58 has it, taken exclusively
//! (`rw_do_enter_write`, `rw_exit_write`, `rw_exited`).
//!
//! Beside the word that says whose the lock is stands a count of those that sleep or are about to.
//! The release looks at the count and wakes one of them; a thread that comes just then may pass it,
//! as in `rwlock9`.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use super::rwlock9::own_word;
use crate::domain::Algorithm;
use crate::primitives::{
    AtomicU32, AtomicUsize, Ordering, RawLock, RawMutex, SPINS, fence_after_rmw, park, spin_loop,
    unpark_one,
};

use Ordering::{Acquire, Relaxed, Release};

/// rwlock(9) of July 2025.
pub struct Rwlock9Of2025 {
    /// `rwl_owner`.
    owner: AtomicUsize,
    /// `rwl_waiters`: how many sleep, or are about to.
    waiters: AtomicU32,
}

impl Rwlock9Of2025 {
    fn key(&self) -> usize {
        std::ptr::from_ref(&self.waiters) as usize
    }

    #[inline(always)]
    fn enter_try(&self) -> bool {
        // Acquire; pairs with the Release in `exit`: what the last holder did is visible.
        self.owner.compare_exchange(0, own_word(), Acquire, Relaxed).is_ok()
    }

    /// Looks RW_SPINS times: whether it got the lock.
    fn spin(&self) -> bool {
        (0..SPINS).any(|_| {
            spin_loop();
            // Relaxed: the exchange decides.
            self.owner.load(Relaxed) == 0 && self.enter_try()
        })
    }

    /// Sleeps until it gets the lock.
    ///
    /// No wake-up is lost. Here `waiters` is counted before `owner` is read, there `owner` is
    /// written before `waiters` is read, each with a fence between: so either this thread reads
    /// that the lock is free and does not sleep, or the release reads that somebody waits. Then it
    /// locks the queue: after this thread was queued there, and it wakes one; or before, and then
    /// this thread reads what the release, or somebody after it, has written, for whom the same
    /// holds.
    fn sleep(&self) {
        // Relaxed, all three: the fences order them.
        self.waiters.fetch_add(1, Relaxed);
        // Pairs with the fence in `exit`.
        fence_after_rmw();
        loop {
            park(self.key(), || self.owner.load(Relaxed) != 0, || {});
            if self.enter_try() {
                break;
            }
        }
        self.waiters.fetch_sub(1, Relaxed);
    }
}

// SAFETY: a thread has the lock from its exchange of 0 for its own word, which is never 0, to its
// exchange for 0; between these nobody writes the word. Every word 0 after the first is written by
// an exit, with Release, and read by the next one's exchange, with Acquire.
unsafe impl RawMutex for Rwlock9Of2025 {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Rwlock9Of2025);

    type Held = ();
    type Turn = ();
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { owner: AtomicUsize::new(0), waiters: AtomicU32::new(0) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<(), ()> {
        if self.enter_try() { Ok(()) } else { Err(()) }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<()> {
        self.enter_try().then_some(())
    }

    fn wait(&self, (): (), may_spin: bool) {
        if !(may_spin && self.spin()) {
            self.sleep();
        }
    }

    /// `rw_exit_write`, `rw_exited`.
    #[inline(always)]
    unsafe fn exit(&self, (): ()) {
        // Release; pairs with the Acquire in `enter_try`.
        let was = self.owner.compare_exchange(own_word(), 0, Release, Relaxed);
        assert!(was.is_ok(), "exit write when lock not held");
        // Pairs with the fence in `sleep`.
        fence_after_rmw();
        // Relaxed: see `sleep`.
        if self.waiters.load(Relaxed) > 0 {
            unpark_one(self.key());
        }
    }
}
