//! What a raw lock of two modes is.

#![allow(unsafe_code)]

use std::panic::Location;

use crate::domain::algorithm::Algorithm;

/// A lock that one thread can have exclusively, or several in shared mode.
///
/// # Safety
/// From the return of `enter_write` with `Ok`, or of `wait_write`, to the call of `exit_write`, no
/// other thread has the lock in either mode; from that of `enter_read` or `wait_read` to that of
/// `exit_read` no thread has it exclusively. Whoever has it next sees what was done by those
/// before, but for two that have it in shared mode, one after the other.
pub unsafe trait RawShared: Send + Sync + Sized + 'static {
    /// Which algorithm it is; none: the one that it is made with.
    const ALGORITHM: Option<Algorithm>;

    /// What a thread has that found the lock taken: its place, where there are places.
    type Turn;

    /// A free lock of this algorithm, where the type does not say it already.
    fn with(algorithm: Algorithm) -> Self;

    /// Takes the lock exclusively if it is free; else the thread must go on to
    /// [`wait_write`](Self::wait_write).
    ///
    /// # Errors
    /// The lock is taken: the thread's turn.
    fn enter_write(&self) -> Result<(), Self::Turn>;

    /// Waits for the lock and takes it exclusively; the rest as in `RawMutex::wait`.
    fn wait_write(&self, turn: Self::Turn, may_spin: bool);

    /// Releases the lock.
    ///
    /// # Safety
    /// The calling thread has the lock exclusively, and the lock has not moved since it took it.
    unsafe fn exit_write(&self);

    /// Takes the lock in shared mode if nobody has it exclusively or waits for that; else the
    /// thread must go on to [`wait_read`](Self::wait_read).
    ///
    /// # Errors
    /// The thread's turn.
    fn enter_read(&self) -> Result<(), Self::Turn>;

    /// Waits for the lock and takes it in shared mode.
    fn wait_read(&self, turn: Self::Turn, may_spin: bool);

    /// Releases the lock.
    ///
    /// # Safety
    /// The calling thread has the lock in shared mode, and the lock has not moved since it took it.
    unsafe fn exit_read(&self);

    /// The calling thread has the lock since just now, in either mode; the rest as in
    /// `RawMutex::taken`.
    #[inline(always)]
    fn taken(&self, class: u8, site: &'static Location<'static>) {
        let _ = (class, site);
    }
}
