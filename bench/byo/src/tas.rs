//! The test-and-set lock.

use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};

use solock::seam::{Algorithm, DefaultRaw, Exclusively, OwnLock, RawMutex};

pub struct Tas(AtomicBool);

const TAS: OwnLock = OwnLock { name: "tas", about: "spins: test and set", spins: true };

// SAFETY: only the thread that finds `false` goes on, and stores `true` in the same step; so nobody
// else does, until it stores `false`. The Acquire pairs with the Release of the holder before.
unsafe impl RawMutex for Tas {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Own(&TAS));
    type Held = ();
    type Turn = ();
    type Beside = DefaultRaw;
    type Shared = Exclusively<Self>;
    fn new() -> Self {
        Tas(AtomicBool::new(false))
    }
    fn enter(&self) -> Result<(), ()> {
        if self.0.swap(true, Acquire) { Err(()) } else { Ok(()) }
    }
    fn try_enter(&self) -> Option<()> {
        self.enter().ok()
    }
    fn wait(&self, (): (), _may_spin: bool) {
        while self.0.swap(true, Acquire) {
            std::thread::yield_now();
        }
    }
    unsafe fn exit(&self, (): ()) {
        self.0.store(false, Release);
    }
}
