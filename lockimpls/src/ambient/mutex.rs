//! mutex(9): a lock that is spun for (`kern_lock.c` 1.72, `mtx_enter`), seen by the witness.

use crate::primitives::{AtomicU32, Ordering, spin_loop, yield_now};
use crate::witness::{self, Class, Edge, WaitsFor};

use Ordering::{Acquire, Relaxed, Release};

/// See `mp_lock.rs`.
const SPINS_TO_YIELD: u32 = 256;

/// A mutex(9). It guards what its owner says; nothing sleeps while it is held.
pub(crate) struct Mutex {
    /// `mtx_owner`: the thread's number, or 0.
    owner: AtomicU32,
    class: Class,
}

impl Mutex {
    pub(crate) fn new(class: Class) -> Self {
        Self { owner: AtomicU32::new(0), class }
    }

    fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// `mtx_enter`.
    #[track_caller]
    pub(crate) fn enter(&self) {
        witness::checkorder(self.addr(), &self.class, Edge::None);
        if !self.enter_try() {
            self.enter_slow();
        }
        witness::lock(self.addr(), self.class);
    }

    /// `mtx_enter_try`.
    fn enter_try(&self) -> bool {
        // Acquire; pairs with the Release in `leave`: what the last holder did is visible.
        self.owner.compare_exchange(0, witness::thread_number(), Acquire, Relaxed).is_ok()
    }

    #[cold]
    #[track_caller]
    fn enter_slow(&self) {
        witness::contended(self.class);
        witness::sleep(self.addr(), WaitsFor::Lock, 0);
        let mut looks = 0_u32;
        while !self.enter_try() {
            spin_loop();
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(SPINS_TO_YIELD) {
                yield_now();
            }
        }
        witness::awake();
    }

    /// `mtx_leave`: the calling thread holds it, or the process ends with a report.
    #[track_caller]
    pub(crate) fn leave(&self) {
        witness::unlock(self.addr(), &self.class);
        // Release; pairs with the Acquire in `enter_try`.
        self.owner.store(0, Release);
    }
}
