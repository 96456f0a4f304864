//! What a raw lock is.

#![allow(unsafe_code)]

use std::panic::Location;

use super::raw_shared::RawShared;
use crate::domain::algorithm::Algorithm;

/// A lock that one thread at a time can have.
///
/// # Safety
/// From the return of `enter` with `Ok`, of `try_enter` with `Some`, or of `wait` with what `enter`
/// of the same lock gave, to the call of `exit`, no other thread has the lock; and whoever has it
/// next sees what was done until then. So it stays where the lock is moved while it is free, which
/// safe code may do, and where it is dropped while it is held: then there is no `exit`, what
/// `enter` gave is forgotten, and nothing may read the memory where the lock was. It is not moved
/// between `enter` and `exit`, but for one that comes back to the same place, and never while a
/// thread is in a call of it.
///
/// `new` and `of` make a free lock. `exit` is called once for each `Ok` of `enter`, each `Some` of
/// `try_enter` and each return of `wait`, by the thread that had that. If one of the three unwinds,
/// the thread does not have the lock, and never calls `exit` for it; it may be that nobody gets the
/// lock after that, but never two. If `exit` unwinds, it is not called again.
pub unsafe trait RawMutex: Send + Sync + Sized + 'static {
    /// Which algorithm it is; none: the one that it is made with.
    const ALGORITHM: Option<Algorithm>;

    /// What the holder keeps for the release. It stays in the thread that took the lock.
    type Held;
    /// What a thread has that found the lock taken: its place, where there are places.
    type Turn;
    /// What the locks are made of that stand beside these in every granularity, and whose algorithm
    /// is not exchanged.
    type Beside: RawMutex;
    /// The lock of two modes of the same algorithm, for a granularity that has one; where there is
    /// none, `Exclusively<Self>`.
    type Shared: RawShared;

    /// A free lock.
    fn new() -> Self;

    /// A free lock of this algorithm, which is the type's own where the type has one: a layer is
    /// made with no other.
    fn of(algorithm: Algorithm) -> Self {
        debug_assert_eq!(Self::ALGORITHM, Some(algorithm), "it would be measured as another lock");
        Self::new()
    }

    /// Takes the lock if it is free; else the thread must go on to [`wait`](Self::wait).
    ///
    /// # Errors
    /// The lock is taken: the thread's turn.
    fn enter(&self) -> Result<Self::Held, Self::Turn>;

    /// Takes the lock if it is free; else the thread leaves nothing behind, and others get the lock
    /// as if it had not come. It never waits. None may be answered, too, while another thread is in
    /// a call of this lock.
    fn try_enter(&self) -> Option<Self::Held>;

    /// Waits for the lock and takes it. `turn` is what `enter` of this lock gave this thread just
    /// now. `may_spin` is `false` where the thread had the kernel lock: rwlock(9) sleeps at once
    /// then.
    fn wait(&self, turn: Self::Turn, may_spin: bool) -> Self::Held;

    /// The calling thread has the lock since just now: a lock of this class, by its number
    /// ([`Class`](crate::witness::Class)), for a request at this place. For a profile.
    #[inline(always)]
    fn taken(&self, class: u8, site: &'static Location<'static>) {
        let _ = (class, site);
    }

    /// Releases the lock.
    ///
    /// # Safety
    /// `held` is what `enter`, `try_enter` or `wait` of this lock gave the calling thread, and the
    /// lock is where it was then.
    unsafe fn exit(&self, held: Self::Held);
}
