//! What a thread counts: plain fields that no other thread writes, added up after the join.

use super::class::{CLASSES, Class};
use super::thread::{bump, this};
use crate::primitives::Ordering;

use Ordering::Relaxed;

/// The lock operations of one class, counted since the thread began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockCounts {
    /// Times the lock was taken.
    pub acquisitions: u64,
    /// Of these, times it was asked for in shared mode.
    pub shared: u64,
    /// Of these, times it was not free at the first try.
    pub contended: u64,
    /// Times it was dropped and taken again to keep the order.
    pub relocks: u64,
    /// Times that found another peer afterwards and began again.
    pub retries: u64,
    /// Times a try took it against the order, where it would have had to be dropped otherwise.
    pub saved: u64,
}

/// A thread's counters. Take them before and after, on the thread itself, and subtract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// By [`Class`], indexed by its discriminant.
    pub locks: [LockCounts; CLASSES],
    /// Sends that took no lock.
    pub fast_sends: u64,
    /// Receives that took no lock.
    pub fast_receives: u64,
    /// Sends of the `lock-free` backend that went through the locks.
    pub slow_sends: u64,
    /// Receives of the `lock-free` backend that went through the locks.
    pub slow_receives: u64,
    /// Times the lock-free path was closed for a pair.
    pub gate_closings: u64,
}

impl Counters {
    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Counters) -> Counters {
        let mut difference = *self;
        for (now, then) in difference.locks.iter_mut().zip(&earlier.locks) {
            now.acquisitions -= then.acquisitions;
            now.shared -= then.shared;
            now.contended -= then.contended;
            now.relocks -= then.relocks;
            now.retries -= then.retries;
            now.saved -= then.saved;
        }
        difference.fast_sends -= earlier.fast_sends;
        difference.fast_receives -= earlier.fast_receives;
        difference.slow_sends -= earlier.slow_sends;
        difference.slow_receives -= earlier.slow_receives;
        difference.gate_closings -= earlier.gate_closings;
        difference
    }

    /// Adds another thread's counters.
    pub fn add(&mut self, other: &Counters) {
        for (sum, one) in self.locks.iter_mut().zip(&other.locks) {
            sum.acquisitions += one.acquisitions;
            sum.shared += one.shared;
            sum.contended += one.contended;
            sum.relocks += one.relocks;
            sum.retries += one.retries;
            sum.saved += one.saved;
        }
        self.fast_sends += other.fast_sends;
        self.fast_receives += other.fast_receives;
        self.slow_sends += other.slow_sends;
        self.slow_receives += other.slow_receives;
        self.gate_closings += other.gate_closings;
    }

    /// The counts of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> LockCounts {
        self.locks[class as usize]
    }

    /// Acquisitions of real locks, all classes together.
    #[must_use]
    pub fn acquisitions(&self) -> u64 {
        Class::ALL.iter().filter(|c| c.is_lock()).map(|c| self.of(*c).acquisitions).sum()
    }
}

/// The calling thread's counters, since it began.
#[must_use]
pub fn counters() -> Counters {
    let thread = this();
    let mut counters = Counters::default();
    for (copy, shared) in counters.locks.iter_mut().zip(&thread.shared_acquisitions) {
        copy.shared = shared.load(Relaxed);
    }
    for (copy, saved) in counters.locks.iter_mut().zip(&thread.saved_relocks) {
        copy.saved = saved.load(Relaxed);
    }
    for (copy, class) in counters.locks.iter_mut().zip(&thread.classes) {
        copy.acquisitions = class.acquisitions.load(Relaxed);
        copy.contended = class.contended.load(Relaxed);
        copy.relocks = class.relocks.load(Relaxed);
        copy.retries = class.retries.load(Relaxed);
    }
    counters.fast_sends = thread.fast_sends.load(Relaxed);
    counters.fast_receives = thread.fast_receives.load(Relaxed);
    counters.slow_sends = thread.slow_sends.load(Relaxed);
    counters.slow_receives = thread.slow_receives.load(Relaxed);
    counters.gate_closings = thread.gate_closings.load(Relaxed);
    counters
}

/// How often the calling thread has relocked locks of this class, begun again after that, and been
/// saved a relock by a try.
#[inline]
#[must_use]
pub fn relock_counts(class: Class) -> [u64; 3] {
    let thread = this();
    let (counters, saved) =
        (&thread.classes[class as usize], &thread.saved_relocks[class as usize]);
    [counters.relocks.load(Relaxed), counters.retries.load(Relaxed), saved.load(Relaxed)]
}

/// The lock was not free at the first try.
#[inline]
pub(crate) fn contended(class: Class) {
    bump(&this().classes[class as usize].contended);
}

/// A lock was dropped and taken again to keep the order.
#[inline]
pub(crate) fn relocked(class: Class) {
    bump(&this().classes[class as usize].relocks);
}

/// After a relock the peer was another one, and the dance began again.
pub(crate) fn retried(class: Class) {
    bump(&this().classes[class as usize].retries);
}

/// A try took a lock against the order.
#[inline]
pub(crate) fn relock_saved(class: Class) {
    bump(&this().saved_relocks[class as usize]);
}

/// What happened on or beside the lock-free path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FastEvent {
    FastSend,
    FastReceive,
    SlowSend,
    SlowReceive,
    GateClosing,
}

/// Counts an event of the lock-free path.
#[inline(always)]
pub(crate) fn fast_event(event: FastEvent) {
    let thread = this();
    bump(match event {
        FastEvent::FastSend => &thread.fast_sends,
        FastEvent::FastReceive => &thread.fast_receives,
        FastEvent::SlowSend => &thread.slow_sends,
        FastEvent::SlowReceive => &thread.slow_receives,
        FastEvent::GateClosing => &thread.gate_closings,
    });
}
