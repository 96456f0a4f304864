//! `rwlock9`: rwlock(9) as it was when the per-socket locks came, taken exclusively
//! (`kern_rwlock.c` 1.48: `rw_enter_write`, 117; `rw_enter`, 224; `rw_exit_write`, 148;
//! `rw_do_exit`, 337; the bits of the word: `rwlock.h` 1.28, 100).
//!
//! A free lock is whose exchange comes first, so a thread that comes just then passes those that
//! were woken. The release wakes all who sleep, and leaves no bit behind: those that must sleep
//! again set the bits again.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use crate::domain::Algorithm;
use crate::primitives::{
    AtomicUsize, Ordering, RawLock, RawMutex, SPINS, park, spin_loop, unpark_all,
};
use crate::witness;

use Ordering::{Acquire, Relaxed, Release};

/// RWLOCK_WAIT: somebody sleeps.
const WAIT: usize = 0x01;
/// RWLOCK_WRWANT: one of them wants to write. Every one here does, so it is set with `WAIT` and
/// asked for nowhere.
const WRWANT: usize = 0x02;
/// RWLOCK_WRLOCK: a writer has the lock. Set in every word that is not 0, for nobody reads.
const WRLOCK: usize = 0x04;
/// How far the owner is shifted: it stands above RWLOCK_MASK.
const OWNER_SHIFT: u32 = 3;

/// The word of a lock that the calling thread has, and nobody waits for.
#[inline(always)]
pub(super) fn own_word() -> usize {
    (witness::thread_number() as usize) << OWNER_SHIFT | WRLOCK
}

/// rwlock(9) of July 2022.
pub struct Rwlock9 {
    /// `rwl_owner`.
    owner: AtomicUsize,
}

impl Rwlock9 {
    fn key(&self) -> usize {
        std::ptr::from_ref(&self.owner) as usize
    }

    #[inline(always)]
    fn enter_try(&self) -> bool {
        // Acquire; pairs with the Release in `exit` and `do_exit`: what the last holder did is
        // visible.
        self.owner.compare_exchange(0, own_word(), Acquire, Relaxed).is_ok()
    }

    /// `sleep_setup` to `sleep_finish`: sleeps, if the word is what it was.
    ///
    /// No wake-up is lost: the bits are set with the queue locked, where the thread is queued next.
    /// The release that reads them locks the queue after that, so it finds the thread there.
    fn sleep(&self, owner: usize) {
        let set = owner | WAIT | WRWANT;
        // Relaxed: the release reads the bits in its own exchange of the word, and the queue's lock
        // orders the rest.
        let do_sleep = || self.owner.compare_exchange(owner, set, Relaxed, Relaxed).is_ok();
        park(self.key(), do_sleep, || {});
    }

    /// `rw_do_exit`.
    #[cold]
    fn do_exit(&self) {
        // Release; pairs with the Acquire in `enter_try`. 1.48 exchanges until it succeeds, for the
        // new word hangs on the old one where readers leave; a writer's is 0.
        let owner = self.owner.swap(0, Release);
        if owner & WAIT != 0 {
            unpark_all(self.key());
        }
    }
}

// SAFETY: a thread has the lock from its exchange of 0 for its own word, which is never 0, to its
// exchange for 0. Between these, others only add bits to the word. Every word 0 after the first is
// written by an exit, with Release, and read by the next one's exchange, with Acquire.
unsafe impl RawMutex for Rwlock9 {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Rwlock9);

    type Held = ();
    type Turn = ();
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { owner: AtomicUsize::new(0) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<(), ()> {
        if self.enter_try() { Ok(()) } else { Err(()) }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<()> {
        self.enter_try().then_some(())
    }

    /// `rw_enter`, where `rw_enter_write` did not succeed at once.
    fn wait(&self, (): (), may_spin: bool) {
        let mut spins = if may_spin { SPINS } else { 0 };
        loop {
            // Relaxed: the exchanges decide.
            let owner = self.owner.load(Relaxed);
            if owner == 0 {
                if self.enter_try() {
                    return;
                }
            } else if spins != 0 {
                spins -= 1;
                spin_loop();
            } else {
                self.sleep(owner);
            }
        }
    }

    /// `rw_exit_write`.
    #[inline(always)]
    unsafe fn exit(&self, (): ()) {
        // Relaxed: the exchange below fails unless it is still this.
        let owner = self.owner.load(Relaxed);
        // Release; pairs with the Acquire in `enter_try`.
        if owner & WAIT != 0 || self.owner.compare_exchange(owner, 0, Release, Relaxed).is_err() {
            self.do_exit();
        }
    }
}
