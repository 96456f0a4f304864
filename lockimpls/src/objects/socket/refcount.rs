//! References that keep an object while its lock is dropped.
//!
//! Checked by `lockimpls/models/loom`, `refs_*`: in every order the object is made another one only
//! after its last reference was given back, and then whatever the holder did with it is seen.

use crate::primitives::{AtomicU32, Ordering};
use crate::witness::{self, Class};

use Ordering::{AcqRel, Acquire, Relaxed};

/// A reference count that keeps an object while its lock is dropped.
pub(crate) struct RefCount(pub(super) AtomicU32);

impl RefCount {
    /// Takes a reference, which the witness counts as held.
    #[inline]
    #[track_caller]
    pub(crate) fn take(&self) {
        // Relaxed: taken under the lock of the object, or of one that points to it.
        self.0.fetch_add(1, Relaxed);
        witness::keep(std::ptr::from_ref(self) as usize, Class::UnpRef);
    }

    /// Gives a reference back.
    #[inline]
    #[track_caller]
    pub(crate) fn rele(&self) {
        witness::unkeep(std::ptr::from_ref(self) as usize, Class::UnpRef);
        // Release (in AcqRel); pairs with the Acquire in `finalize`: our use of the object is over.
        self.0.fetch_sub(1, AcqRel);
    }

    /// Whether the own reference is the only one.
    pub(super) fn is_last(&self) -> bool {
        // Acquire; pairs with the Release in `rele`.
        self.0.load(Acquire) == 1
    }

    pub(super) fn reset(&self) {
        self.0.store(1, Relaxed);
    }

    /// `refcnt_finalize`: waits until the own reference is the only one left. No lock may be held
    /// that a holder of a reference might wait for.
    #[track_caller]
    pub(crate) fn finalize(&self) {
        // Acquire; pairs with the Release in `rele`.
        if self.0.load(Acquire) == 1 {
            return;
        }
        witness::sleep(std::ptr::from_ref(self) as usize, witness::WaitsFor::References, 0);
        while self.0.load(Acquire) != 1 {
            crate::primitives::yield_now();
        }
        witness::awake();
    }
}
