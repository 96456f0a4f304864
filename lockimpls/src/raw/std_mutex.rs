//! `std`: the standard library's `Mutex`, of the version that the program was built with.
//!
//! Its guard is kept beside the lock and dropped by the release, so that this is the standard
//! library's whole path: what it spins, how it sleeps, and its look whether the thread panics.

#![allow(unsafe_code)]

use std::mem::{ManuallyDrop, transmute};
use std::sync::{MutexGuard, PoisonError, TryLockError};

use super::exclusively::Exclusively;
use crate::domain::Algorithm;
use crate::primitives::{Mutex, RawLock, RawMutex};

/// `std::sync::Mutex`, which the machine's primitives have.
pub struct Std(Mutex<()>);

/// The mutex's guard. Only [`Std::exit`](RawMutex::exit) drops it.
pub struct Held(ManuallyDrop<MutexGuard<'static, ()>>);

fn keep(guard: MutexGuard<'_, ()>) -> Held {
    // SAFETY: only the lifetime changes. The guard is used once more, by `exit`, whose caller says
    // that the lock stands where it stood; where it is never used, it is not dropped.
    Held(ManuallyDrop::new(unsafe {
        transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard)
    }))
}

// SAFETY: `std::sync::Mutex` has one holder at a time, and that is whoever has its guard.
unsafe impl RawMutex for Std {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Std);

    type Held = Held;
    type Turn = ();
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self(Mutex::new(()))
    }

    #[inline(always)]
    fn enter(&self) -> Result<Held, ()> {
        match self.0.try_lock() {
            Ok(guard) => Ok(keep(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(keep(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => Err(()),
        }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<Held> {
        self.enter().ok()
    }

    fn wait(&self, (): (), _may_spin: bool) -> Held {
        keep(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[inline(always)]
    unsafe fn exit(&self, held: Held) {
        drop(ManuallyDrop::into_inner(held.0));
    }
}
