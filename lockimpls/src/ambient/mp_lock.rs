//! `__mp_lock`: the recursive ticket lock under the kernel lock and the scheduler's (`kern_lock.c`
//! 1.72).
//!
//! # Why it is a lock
//!
//! `users` hands out numbers, each once; `ticket` says whose turn it is. Only the thread whose turn
//! it is writes `ticket`, when it leaves for good, and makes it one more: so each number has its turn
//! once, after the one before it, and none is passed over as long as its thread comes to look. What
//! the holder did is visible to the next: the Release store of `ticket` is what the next one's Acquire
//! load reads, for no other store makes that value. (It comes again after 2^32 turns; fewer threads
//! than that wait.) `depth` and `number` of a thread are touched by that thread alone.
//!
//! Checked by `lockimpls/models/loom`, `mp_lock_*`: in every order one thread at a time has the lock, sees
//! what the one before it did, and every thread gets it.

use crossbeam_utils::CachePadded;

use crate::primitives::own::AtomicU32 as OwnU32;
use crate::primitives::{AtomicU32, Ordering, THREADS_MAX, spin_loop, yield_now};
use crate::witness::thread_number;

use Ordering::{Acquire, Relaxed, Release};

/// How often a waiting thread looks before it gives up the processor once. In a kernel the holder is
/// on another one; here the machine may have taken it off.
const SPINS_TO_YIELD: u32 = 256;

/// A recursive lock that is given in the order of asking.
pub(crate) struct MpLock {
    /// `mpl_users`: the last number handed out.
    users: AtomicU32,
    /// `mpl_ticket`: the number whose turn it is.
    ticket: AtomicU32,
    /// `mpl_cpus`: by thread number, how often the thread has the lock.
    depths: Box<[CachePadded<OwnU32>]>,
}

/// How the lock was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was free.
    Free,
    /// Another thread had it first.
    Waited,
    /// This thread had it already.
    Again,
}

impl MpLock {
    /// A lock that nobody has.
    pub(crate) fn new() -> Self {
        let depths = (0..=THREADS_MAX).map(|_| CachePadded::new(OwnU32::new(0)));
        Self { users: AtomicU32::new(0), ticket: AtomicU32::new(1), depths: depths.collect() }
    }

    fn depth(&self) -> &OwnU32 {
        &self.depths[thread_number() as usize]
    }

    /// `__mp_lock`. `wait` is told once, before the thread waits.
    pub(crate) fn lock(&self, wait: impl FnOnce()) -> Taken {
        let depth = self.depth();
        let before = depth.load(Relaxed);
        depth.store(before + 1, Relaxed);
        if before > 0 {
            return Taken::Again;
        }
        // Relaxed: a number; what the lock guards is ordered by `ticket`.
        let me = self.users.fetch_add(1, Relaxed).wrapping_add(1);
        // Acquire; pairs with the Release in `hand_over`.
        if self.ticket.load(Acquire) == me {
            return Taken::Free;
        }
        wait();
        let mut looks = 0_u32;
        while self.ticket.load(Acquire) != me {
            spin_loop();
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(SPINS_TO_YIELD) {
                yield_now();
            }
        }
        Taken::Waited
    }

    /// `__mp_unlock`: whether the lock is another's now. The calling thread has it.
    pub(crate) fn unlock(&self) -> bool {
        let depth = self.depth();
        let left = depth.load(Relaxed) - 1;
        depth.store(left, Relaxed);
        if left == 0 {
            self.hand_over();
        }
        left == 0
    }

    /// `__mp_release_all`: gives up the lock however often the thread has it, which it has; how often
    /// that was.
    pub(crate) fn release_all(&self) -> u32 {
        let depth = self.depth().load(Relaxed);
        self.depth().store(0, Relaxed);
        self.hand_over();
        depth
    }

    fn hand_over(&self) {
        // Release; pairs with the Acquire of the thread whose turn comes. Relaxed load: only the
        // holder writes it.
        self.ticket.store(self.ticket.load(Relaxed).wrapping_add(1), Release);
    }
}
