//! mutex(9): a lock that is spun for (`kern_lock.c` 1.72, `mtx_enter`), seen by the witness.

use crate::primitives::RawMutex;
use crate::raw::Mutex9;
use crate::raw::spin::spin_until;
use crate::witness::{self, Class, Edge, WaitsFor};

/// A mutex(9). It guards what its owner says; nothing sleeps while it is held.
pub(crate) struct Mutex {
    raw: Mutex9,
    class: Class,
}

impl Mutex {
    pub(crate) fn new(class: Class) -> Self {
        Self { raw: Mutex9::new(), class }
    }

    fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// `mtx_enter`.
    #[track_caller]
    pub(crate) fn enter(&self) {
        witness::checkorder(self.addr(), &self.class, Edge::None);
        if !self.raw.enter_try() {
            self.enter_slow();
        }
        witness::lock(self.addr(), self.class);
    }

    #[cold]
    #[track_caller]
    fn enter_slow(&self) {
        witness::contended(self.class);
        witness::sleep(self.addr(), WaitsFor::Lock, 0);
        spin_until(|| self.raw.enter_try());
        witness::awake();
    }

    /// `mtx_leave`: the calling thread holds it, or the process ends with a report.
    #[track_caller]
    pub(crate) fn leave(&self) {
        witness::unlock(self.addr(), &self.class);
        self.raw.leave();
    }
}
