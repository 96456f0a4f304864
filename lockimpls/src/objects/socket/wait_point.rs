//! Where threads wait, and how they are woken.
//!
//! Checked by `lockimpls/models/loom`, `wait_*`: readers and writers that wait, with the lock and
//! without it, for bytes, for room, for the end and for a connection, are woken in every order.

use crate::primitives::{AtomicU32, Ordering, light_fence, unpark_all, unpark_one};

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// A place where threads wait: the kernel's sleep channel.
pub(crate) struct WaitPoint {
    /// Counts wake-ups, for spinners. Written under the socket's lock. `[s]`, read by anyone.
    pub(crate) event: AtomicU32,
    /// 1 while somebody may be parked here. `[a]`: `lock-free`'s parker sets it without the lock.
    pub(crate) waiting: AtomicU32,
}

impl WaitPoint {
    pub(crate) fn new() -> Self {
        Self { event: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// The key under which threads park.
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Wakes whoever waits here. The caller holds the socket's lock; `biased` says that a thread
    /// may be about to park here without it.
    #[inline]
    pub(crate) fn wakeup(&self, biased: bool) {
        // Relaxed: a hint for spinners, who take the lock before they act on it.
        self.event.store(self.event.load(Relaxed).wrapping_add(1), Relaxed);
        if biased {
            self.published();
        } else {
            self.wake_waiting();
        }
    }

    /// `wakeup_one`: wakes the thread that has slept here the longest, and lets those that spin
    /// look. The caller holds the socket's lock, and everybody who parks here has parked with it.
    pub(crate) fn wakeup_one(&self) {
        // Relaxed, both: as in `wakeup`. Under the lock a set `waiting` says that the thread is in
        // the queue.
        self.event.store(self.event.load(Relaxed).wrapping_add(1), Relaxed);
        if self.waiting.load(Relaxed) != 0 {
            self.waiting.store(u32::from(unpark_one(self.key())), Relaxed);
        }
    }

    /// `wakeup` by whoever need not hold the socket's lock, of threads that sleep with it or
    /// without.
    #[inline]
    pub(crate) fn wakeup_unlocked(&self) {
        // Release; pairs with the Acquire in `seen`. Added, and not stored: others may be waking
        // too.
        self.event.fetch_add(1, Release);
        self.published();
    }

    /// How many wake-ups there were, for a thread that looks next whether it must wait.
    #[inline(always)]
    pub(crate) fn seen(&self) -> u32 {
        // Acquire; pairs with the Release in `wakeup_unlocked`: what that thread had changed is
        // seen by whoever sees its wake-up.
        self.event.load(Acquire)
    }

    /// Something that a thread may wait for here has changed, and that thread may be about to park
    /// without the socket's lock.
    #[inline(always)]
    pub(crate) fn published(&self) {
        // Pairs with the heavy fence before parking: either the parker sees what has changed, or
        // `waiting` is seen here.
        light_fence();
        self.wake_waiting();
    }

    /// Wakes whoever has set `waiting`.
    #[inline(always)]
    fn wake_waiting(&self) {
        // Relaxed: a thread that parks with the lock has set it under that lock, which the caller
        // holds; one that parks without it is seen by the fence in `published`.
        if self.waiting.load(Relaxed) != 0 {
            self.wakeup_slow();
        }
    }

    /// Wakes whoever is parked here or about to park.
    #[cold]
    fn wakeup_slow(&self) {
        // AcqRel: only one waker goes on to the queue; the parker's `validate` reads what this
        // wrote.
        if self.waiting.swap(0, AcqRel) != 0 {
            unpark_all(self.key());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::thread::Scope;

    use super::*;
    use crate::primitives::park;

    /// A thread that parks here; what it says when it is awake.
    fn parked<'s>(threads: &'s Scope<'s, '_>, point: &'s WaitPoint) -> Receiver<()> {
        let ((queued, is_queued), (woken, is_woken)) = (channel(), channel());
        threads.spawn(move || {
            point.waiting.store(1, Relaxed);
            park(point.key(), || true, || queued.send(()).unwrap());
            woken.send(()).unwrap();
        });
        is_queued.recv().unwrap();
        is_woken
    }

    #[test]
    fn one_is_woken_the_first_that_came() {
        let point = WaitPoint::new();
        std::thread::scope(|threads| {
            let [first, second, third] = [(); 3].map(|()| parked(threads, &point));
            point.wakeup_one();
            first.recv().unwrap();
            assert_eq!((point.event.load(Relaxed), point.waiting.load(Relaxed)), (1, 1));
            assert!(second.try_recv().is_err() && third.try_recv().is_err());
            point.wakeup(false);
            second.recv().unwrap();
            third.recv().unwrap();
            assert_eq!(point.waiting.load(Relaxed), 0);
            let last = parked(threads, &point);
            point.wakeup_one();
            last.recv().unwrap();
            assert_eq!((point.event.load(Relaxed), point.waiting.load(Relaxed)), (3, 0));
            point.wakeup_one();
        });
    }
}
