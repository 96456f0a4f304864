//! `__mp_lock`: the recursive ticket lock under the kernel lock and the scheduler's (`kern_lock.c`
//! 1.72).
//!
//! # Why it is a lock
//!
//! A thread asks [`Ticket`] once for all the times that it takes the lock, and hands over when it
//! leaves for good. `depths` of a thread is touched by that thread alone.
//!
//! Checked by `lockimpls/models/loom`, `mp_lock_*`: in every order one thread at a time has the
//! lock, sees what the one before it did, and every thread gets it.

use crossbeam_utils::CachePadded;

use crate::primitives::own::AtomicU32 as OwnU32;
use crate::primitives::{Ordering, RawMutex, THREADS_MAX};
use crate::raw::Ticket;
use crate::raw::spin::spin_until;
use crate::witness::thread_number;

use Ordering::Relaxed;

/// A recursive lock that is given in the order of asking.
pub(crate) struct MpLock {
    /// `mpl_users` and `mpl_ticket`.
    turns: Ticket,
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
        Self { turns: Ticket::new(), depths: depths.collect() }
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
        let me = self.turns.ask();
        if self.turns.is_turn_of(me) {
            return Taken::Free;
        }
        wait();
        spin_until(|| self.turns.is_turn_of(me));
        Taken::Waited
    }

    /// `__mp_unlock`: whether the lock is another's now. The calling thread has it.
    pub(crate) fn unlock(&self) -> bool {
        let depth = self.depth();
        let left = depth.load(Relaxed) - 1;
        depth.store(left, Relaxed);
        if left == 0 {
            self.turns.hand_over();
        }
        left == 0
    }

    /// `__mp_release_all`: gives up the lock however often the thread has it, which it has; how
    /// often that was.
    pub(crate) fn release_all(&self) -> u32 {
        let depth = self.depth().load(Relaxed);
        self.depth().store(0, Relaxed);
        self.turns.hand_over();
        depth
    }
}
