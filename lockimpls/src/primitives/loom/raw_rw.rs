//! loom's lock of two modes.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::sync::PoisonError;

use ::loom::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::domain::algorithm::Algorithm;
use crate::primitives::raw_shared::RawShared;

/// The guard of a reader.
type Reader = Cell<Option<RwLockReadGuard<'static, ()>>>;

::loom::thread_local! {
    /// That of the one lock that the thread has in shared mode.
    static READER: Reader = Reader::new(None);
}

/// The lock of two modes: loom's, with a place for the guard of its writer. Those of readers are
/// their threads'.
pub struct RawRw {
    lock: RwLock<()>,
    writer: Cell<Option<RwLockWriteGuard<'static, ()>>>,
}

// SAFETY: the guard of the writer is touched by the one thread that has the lock exclusively; loom
// runs one thread at a time.
unsafe impl Sync for RawRw {}
// SAFETY: as above.
unsafe impl Send for RawRw {}

impl RawRw {
    fn lock(&self) -> &'static RwLock<()> {
        // SAFETY: as for `RawLock`: the lock stays where it is, and outlives its holders.
        unsafe { &*std::ptr::from_ref(&self.lock) }
    }
}

// SAFETY: loom's lock lets in one writer at a time, or readers.
unsafe impl RawShared for RawRw {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::ParkingLot);

    type Turn = ();

    fn with(_algorithm: Algorithm) -> Self {
        Self { lock: RwLock::new(()), writer: Cell::new(None) }
    }

    /// Waits at once, as that of `RawLock`.
    fn enter_write(&self) -> Result<(), ()> {
        let guard = self.lock().write().unwrap_or_else(PoisonError::into_inner);
        self.writer.set(Some(guard));
        Ok(())
    }

    fn wait_write(&self, (): (), _may_spin: bool) {
        unreachable!("it is waited for where it is asked for");
    }

    unsafe fn exit_write(&self) {
        drop(self.writer.take());
    }

    fn enter_read(&self) -> Result<(), ()> {
        let guard = self.lock().read().unwrap_or_else(PoisonError::into_inner);
        READER.with(|reader| reader.set(Some(guard)));
        Ok(())
    }

    fn wait_read(&self, (): (), _may_spin: bool) {
        unreachable!("it is waited for where it is asked for");
    }

    unsafe fn exit_read(&self) {
        drop(READER.with(Cell::take));
    }
}
