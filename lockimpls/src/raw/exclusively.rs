//! A lock without a shared mode in the place of one of two modes.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::domain::Algorithm;
use crate::primitives::{RawMutex, RawShared, UnsafeCell};

/// A lock without a shared mode in the place of one that has it: whoever asks for the shared mode
/// has it exclusively.
pub struct Exclusively<R: RawMutex> {
    raw: R,
    /// What the raw lock wants back at the release. Written and read by the holder alone.
    held: UnsafeCell<MaybeUninit<R::Held>>,
}

// SAFETY: `raw` is `Sync`; `held` is touched only by the thread that has the lock, from where it
// took it until it releases it, which the callers of the exits promise.
unsafe impl<R: RawMutex> Sync for Exclusively<R> {}
// SAFETY: in an unlocked lock `held` is empty, and a locked one is never moved.
unsafe impl<R: RawMutex> Send for Exclusively<R> {}

impl<R: RawMutex> Exclusively<R> {
    #[inline(always)]
    fn keep(&self, held: R::Held) {
        // SAFETY: this thread has the lock, alone, since `held` was given to it.
        unsafe { (*self.held.get()).write(held) };
    }
}

// SAFETY: both modes are the raw lock's one, which is exclusive, and whose releases order what
// its holders did.
unsafe impl<R: RawMutex> RawShared for Exclusively<R> {
    const ALGORITHM: Option<Algorithm> = R::ALGORITHM;

    type Turn = R::Turn;

    fn with(algorithm: Algorithm) -> Self {
        Self { raw: R::of(algorithm), held: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    #[inline(always)]
    fn enter_write(&self) -> Result<(), R::Turn> {
        self.raw.enter().map(|held| self.keep(held))
    }

    fn wait_write(&self, turn: R::Turn, may_spin: bool) {
        self.keep(self.raw.wait(turn, may_spin));
    }

    #[inline(always)]
    unsafe fn exit_write(&self) {
        // SAFETY: the caller has the lock, and `held` was written when it took it; it is read once.
        unsafe { self.raw.exit((*self.held.get()).assume_init_read()) }
    }

    #[inline(always)]
    fn enter_read(&self) -> Result<(), R::Turn> {
        self.enter_write()
    }

    fn wait_read(&self, turn: R::Turn, may_spin: bool) {
        self.wait_write(turn, may_spin);
    }

    #[inline(always)]
    unsafe fn exit_read(&self) {
        // SAFETY: the caller has the lock, as `exit_write` wants.
        unsafe { self.exit_write() }
    }
}
