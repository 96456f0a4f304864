//! How the collector locks: the verbs, and the two locks that it has had since OpenBSD of
//! 2021-11-16.

use crate::domain::Algorithm;
use crate::guarded::Guarded;
use crate::objects::in_flight::Deferred;
use crate::objects::socket::SocketLocks;
use crate::primitives::RawMutex;
use crate::sync::RwLock;
use crate::witness::Class;

/// The verbs of the collector. Those with a body here do nothing where one lock guards all. `L`:
/// the locks that a socket has.
pub(crate) trait Collector<L> {
    /// What its locks are made of.
    type Raw: RawMutex;

    /// The collector's lock: its address and class.
    fn gc_guard(&self) -> (usize, Class);
    /// Locks the collector and what it counts, with no socket locked.
    #[track_caller]
    fn gc_enter(&self);
    /// Unlocks them.
    #[track_caller]
    fn gc_exit(&self);

    /// What guards the count of a socket's references in flight (`global` counts atomically).
    #[track_caller]
    fn flight_enter(&self) {}
    #[track_caller]
    fn flight_exit(&self) {}

    /// The deferred closes, with their lock.
    fn deferred(&self) -> &Guarded<Deferred<L>, Self::Raw>;
    /// The lock of the deferred closes: whether it had to be taken (`global` may hold it already).
    #[track_caller]
    fn deferred_enter(&self) -> bool;
    /// Leaves the deferred closes: unlocks them if `taken`, which is what `deferred_enter` said.
    #[track_caller]
    fn deferred_exit(&self, taken: bool);
    /// The collector goes from its lock to that of the deferred closes.
    #[track_caller]
    fn gc_to_deferred(&self) {}
    /// The collector leaves the deferred closes for a while, and holds nothing.
    #[track_caller]
    fn deferred_leave(&self);
    /// It comes back to them.
    #[track_caller]
    fn deferred_return(&self);
    /// It goes back from the lock of the deferred closes to its own.
    #[track_caller]
    fn deferred_to_gc(&self) {}
}

/// `unp_gc_lock` over the list of all control blocks and what the collector counts, `unp_df_lock`
/// over the deferred closes.
pub(crate) struct CollectorLocks<L, R: RawMutex> {
    unp_gc_lock: RwLock<R>,
    unp_df_lock: Guarded<Deferred<L>, R>,
}

impl<L: SocketLocks, R: RawMutex> CollectorLocks<L, R> {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let unp_df_lock = RwLock::of(Class::UnpDfLock, algorithm);
        Self {
            unp_gc_lock: RwLock::of(L::GC, algorithm),
            unp_df_lock: Guarded::new(unp_df_lock, Deferred::none()),
        }
    }

    /// The address of the lock of the deferred closes.
    #[cfg(test)]
    pub(crate) fn deferred_guard(&self) -> usize {
        self.unp_df_lock.addr()
    }
}

impl<L: SocketLocks, R: RawMutex> Collector<L> for CollectorLocks<L, R> {
    type Raw = R;

    fn gc_guard(&self) -> (usize, Class) {
        (self.unp_gc_lock.addr(), L::GC)
    }

    fn gc_enter(&self) {
        self.unp_gc_lock.enter();
    }

    fn gc_exit(&self) {
        self.unp_gc_lock.exit();
    }

    fn flight_enter(&self) {
        self.gc_enter();
    }

    fn flight_exit(&self) {
        self.gc_exit();
    }

    fn deferred(&self) -> &Guarded<Deferred<L>, R> {
        &self.unp_df_lock
    }

    fn deferred_enter(&self) -> bool {
        self.unp_df_lock.enter();
        true
    }

    fn deferred_exit(&self, _taken: bool) {
        self.unp_df_lock.exit();
    }

    fn gc_to_deferred(&self) {
        self.gc_exit();
        self.deferred_return();
    }

    fn deferred_leave(&self) {
        self.deferred_exit(true);
    }

    fn deferred_return(&self) {
        self.unp_df_lock.enter();
    }

    fn deferred_to_gc(&self) {
        self.deferred_exit(true);
        self.gc_enter();
    }
}
