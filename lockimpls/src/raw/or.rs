//! A lock of another crate beside those that are there: which of them it is, is chosen when it is
//! made, and asked at every step, as [`AnyLock`](super::AnyLock) is: the same for each, so that
//! they can be compared with each other.

#![allow(unsafe_code)]

use crate::domain::Algorithm;
use crate::primitives::{RawMutex, RawShared};

/// One or the other: of two locks, of what their holders keep, of two turns.
#[derive(Debug)]
pub enum Or<A, B> {
    /// The lock that is added, and what it gave.
    One(A),
    /// Another one.
    Other(B),
}

// SAFETY: each call goes to the one lock inside, which never becomes another, with what that lock
// gave.
unsafe impl<A: RawMutex, B: RawMutex> RawMutex for Or<A, B> {
    const ALGORITHM: Option<Algorithm> = None;

    type Held = Or<A::Held, B::Held>;
    type Turn = Or<A::Turn, B::Turn>;
    type Beside = B::Beside;
    type Shared = Or<A::Shared, B::Shared>;

    fn new() -> Self {
        Or::Other(B::new())
    }

    fn of(algorithm: Algorithm) -> Self {
        if A::ALGORITHM == Some(algorithm) {
            Or::One(A::new())
        } else {
            Or::Other(B::of(algorithm))
        }
    }

    #[inline(always)]
    fn enter(&self) -> Result<Self::Held, Self::Turn> {
        match self {
            Or::One(lock) => lock.enter().map(Or::One).map_err(Or::One),
            Or::Other(lock) => lock.enter().map(Or::Other).map_err(Or::Other),
        }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<Self::Held> {
        match self {
            Or::One(lock) => lock.try_enter().map(Or::One),
            Or::Other(lock) => lock.try_enter().map(Or::Other),
        }
    }

    fn wait(&self, turn: Self::Turn, may_spin: bool) -> Self::Held {
        match (self, turn) {
            (Or::One(lock), Or::One(turn)) => Or::One(lock.wait(turn, may_spin)),
            (Or::Other(lock), Or::Other(turn)) => Or::Other(lock.wait(turn, may_spin)),
            _ => another(),
        }
    }

    #[inline(always)]
    unsafe fn exit(&self, held: Self::Held) {
        match (self, held) {
            // SAFETY: kept by the caller.
            (Or::One(lock), Or::One(held)) => unsafe { lock.exit(held) },
            // SAFETY: kept by the caller.
            (Or::Other(lock), Or::Other(held)) => unsafe { lock.exit(held) },
            _ => another(),
        }
    }
}

// SAFETY: as above.
unsafe impl<A: RawShared, B: RawShared> RawShared for Or<A, B> {
    const ALGORITHM: Option<Algorithm> = None;

    type Turn = Or<A::Turn, B::Turn>;

    fn with(algorithm: Algorithm) -> Self {
        if A::ALGORITHM == Some(algorithm) {
            Or::One(A::with(algorithm))
        } else {
            Or::Other(B::with(algorithm))
        }
    }

    #[inline(always)]
    fn enter_write(&self) -> Result<(), Self::Turn> {
        match self {
            Or::One(lock) => lock.enter_write().map_err(Or::One),
            Or::Other(lock) => lock.enter_write().map_err(Or::Other),
        }
    }

    fn wait_write(&self, turn: Self::Turn, may_spin: bool) {
        match (self, turn) {
            (Or::One(lock), Or::One(turn)) => lock.wait_write(turn, may_spin),
            (Or::Other(lock), Or::Other(turn)) => lock.wait_write(turn, may_spin),
            _ => another(),
        }
    }

    #[inline(always)]
    unsafe fn exit_write(&self) {
        match self {
            // SAFETY: kept by the caller.
            Or::One(lock) => unsafe { lock.exit_write() },
            // SAFETY: kept by the caller.
            Or::Other(lock) => unsafe { lock.exit_write() },
        }
    }

    #[inline(always)]
    fn enter_read(&self) -> Result<(), Self::Turn> {
        match self {
            Or::One(lock) => lock.enter_read().map_err(Or::One),
            Or::Other(lock) => lock.enter_read().map_err(Or::Other),
        }
    }

    fn wait_read(&self, turn: Self::Turn, may_spin: bool) {
        match (self, turn) {
            (Or::One(lock), Or::One(turn)) => lock.wait_read(turn, may_spin),
            (Or::Other(lock), Or::Other(turn)) => lock.wait_read(turn, may_spin),
            _ => another(),
        }
    }

    #[inline(always)]
    unsafe fn exit_read(&self) {
        match self {
            // SAFETY: kept by the caller.
            Or::One(lock) => unsafe { lock.exit_read() },
            // SAFETY: kept by the caller.
            Or::Other(lock) => unsafe { lock.exit_read() },
        }
    }
}

#[cold]
fn another() -> ! {
    unreachable!("what another lock gave")
}
