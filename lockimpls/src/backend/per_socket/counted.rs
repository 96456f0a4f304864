//! A socket's lock, and how many threads have the socket unlocked to lock its peer first: where
//! others wait for those threads, in one way or another.

use crate::ambient;
use crate::domain::Algorithm;
use crate::fault::{Fault, Step, Window};
use crate::objects::socket::{Part, SoLock, SocketLocks, WaitPoint};
use crate::primitives::{AtomicU32, Ordering, RawMutex, park};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::{self, Class, WaitsFor};

use Ordering::Relaxed;

/// A socket's `so_lock`, and who relocks for its peer.
pub(crate) struct CountedLock<R: RawMutex = DefaultRaw> {
    so_lock: RwLock<R>,
    /// `rw_thrcount` (XNU), `unp_pairbusy` (FreeBSD). Relaxed throughout: written and read under
    /// `so_lock`, which orders it.
    relocks: AtomicU32,
    /// Where others wait for those that are counted. Woken under `so_lock`.
    pub(crate) counted_out: WaitPoint,
}

impl<R: RawMutex> CountedLock<R> {
    /// Whether anybody is counted. The socket is locked.
    pub(crate) fn is_counted(&self) -> bool {
        self.relocks.load(Relaxed) != 0
    }

    /// With the socket locked, about to be unlocked for its peer: one more is counted.
    pub(crate) fn relock_begins(&self) {
        self.relocks.store(self.relocks.load(Relaxed) + 1, Relaxed);
    }

    /// With the socket locked again: one less. The last wakes whoever waits for that.
    pub(crate) fn relock_ends<F: Fault>(&self) {
        let left = if F::omits(Step::CountRelocks) { 0 } else { self.relocks.load(Relaxed) - 1 };
        self.relocks.store(left, Relaxed);
        if left == 0 && !F::omits(Step::WakeCounted) {
            self.counted_out.wakeup(false);
        }
    }
}

/// Locks of a socket among which it has such a one.
pub(crate) trait Counts: SoLock {
    fn counted(&self) -> &CountedLock<Self::Raw>;
}

impl<R: RawMutex> Counts for CountedLock<R> {
    #[inline(always)]
    fn counted(&self) -> &Self {
        self
    }
}

impl<R: RawMutex> SocketLocks for CountedLock<R> {
    #[inline(always)]
    fn guard(&self, _part: Part) -> (usize, Class) {
        (self.so_lock.addr(), Class::SoLock)
    }
}

impl<R: RawMutex> SoLock for CountedLock<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            so_lock: RwLock::of(Class::SoLock, algorithm),
            relocks: AtomicU32::new(0),
            counted_out: WaitPoint::new(),
        }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        &self.so_lock
    }
}

/// `msleep`: sleeps at a point until it is woken. `lock` is held, and no other; `unlock` unlocks it
/// when the thread is queued. Whoever wakes has that lock, and so finds the thread in the queue.
#[track_caller]
pub(crate) fn msleep<F: Fault>(point: &WaitPoint, lock: usize, unlock: impl FnMut()) {
    let depth = ambient::sleep_begins();
    witness::sleep(point.key(), WaitsFor::Link, lock);
    F::window(Window::LinkSleeps);
    // Relaxed: under the lock, as is whoever reads it.
    point.waiting.store(1, Relaxed);
    park(point.key(), || true, unlock);
    witness::awake();
    ambient::sleep_ends(depth);
}
