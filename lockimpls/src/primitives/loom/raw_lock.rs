//! The lock under every backend.

#![allow(unsafe_code)]

use std::sync::PoisonError;

use super::raw_rw::RawRw;
use crate::domain::algorithm::Algorithm;
use crate::primitives::raw_mutex::RawMutex;

/// loom's mutex.
pub struct RawLock(::loom::sync::Mutex<()>);

/// The guard of loom's mutex, which the lock keeps beside it.
type Guard = ::loom::sync::MutexGuard<'static, ()>;

// SAFETY: loom's mutex lets one thread in at a time.
unsafe impl RawMutex for RawLock {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Held = Guard;
    type Turn = ();
    type Beside = Self;
    type Shared = RawRw;

    fn new() -> Self {
        Self(::loom::sync::Mutex::new(()))
    }

    /// Waits at once: the look before the wait only counts contention, and a model of it would be
    /// twice as large.
    fn enter(&self) -> Result<Guard, ()> {
        let lock = std::ptr::from_ref(&self.0);
        // SAFETY: the mutex stays where it is as long as the lock, and a lock outlives its holder
        // (its layer lives while calls are under way).
        Ok(unsafe { &*lock }.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits, too: loom lets no thread go on that tries a mutex that another one has (0.7.3). What
    /// whoever finds a lock taken does is modelled on those of `raw/`, which are made of atomics.
    fn try_enter(&self) -> Option<Guard> {
        self.enter().ok()
    }

    fn wait(&self, (): (), _may_spin: bool) -> Guard {
        unreachable!("it is waited for where it is asked for");
    }

    unsafe fn exit(&self, held: Guard) {
        drop(held);
    }
}
