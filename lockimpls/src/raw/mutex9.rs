//! `mutex9`: mutex(9), as `kern_lock.c` 1.72 has it for every machine (`mtx_enter`, 255;
//! `mtx_enter_try`, 281; `mtx_leave`, 352), without the interrupt levels.
//!
//! Whoever waits tries to write the word at each look: 1.72 does not read it first.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use super::spin::spin_until;
use crate::domain::Algorithm;
use crate::primitives::{AtomicU32, Ordering, RawLock, RawMutex};
use crate::witness;

use Ordering::{Acquire, Relaxed, Release};

/// mutex(9).
pub struct Mutex9 {
    /// `mtx_owner`: the thread's number, or 0. In a kernel it is the processor's.
    owner: AtomicU32,
}

impl Mutex9 {
    /// `mtx_enter_try`.
    #[inline(always)]
    pub(crate) fn enter_try(&self) -> bool {
        // Acquire; pairs with the Release in `leave`: what the last holder did is visible.
        self.owner.compare_exchange(0, witness::thread_number(), Acquire, Relaxed).is_ok()
    }

    /// `mtx_leave`, by the holder.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        // Release; pairs with the Acquire in `enter_try`.
        self.owner.store(0, Release);
    }
}

// SAFETY: a thread has the lock from its exchange of 0 for its own number, which is never 0, to its
// store of 0; no exchange succeeds between. The next one's reads that store: Acquire and Release.
unsafe impl RawMutex for Mutex9 {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Mutex9);

    type Held = ();
    type Turn = ();
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { owner: AtomicU32::new(0) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<(), ()> {
        if self.enter_try() { Ok(()) } else { Err(()) }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<()> {
        self.enter_try().then_some(())
    }

    fn wait(&self, (): (), _may_spin: bool) {
        spin_until(|| self.enter_try());
    }

    #[inline(always)]
    unsafe fn exit(&self, (): ()) {
        self.leave();
    }
}
