//! Whether a lock lets one thread in at a time: steps that are counted under it, and lost if not.

use crate::domain::Algorithm;
use crate::primitives::own::AtomicU64;
use crate::primitives::{Ordering, RawMutex};
use crate::sync::RwLock;
use crate::witness::Class;

use Ordering::Relaxed;

/// A lock, and the steps that were made under it.
pub struct Steps<R: RawMutex> {
    lock: RwLock<R>,
    count: AtomicU64,
}

impl<R: RawMutex> Steps<R> {
    /// A free lock of this algorithm, and no step.
    #[must_use]
    pub fn of(algorithm: Algorithm) -> Self {
        Self { lock: RwLock::of(Class::SoLock, algorithm), count: AtomicU64::new(0) }
    }

    /// One step, in two halves with this between them: another thread's, made meanwhile, is lost.
    pub fn step(&self, between: impl FnOnce()) {
        self.lock.enter();
        // Relaxed: only the lock orders them, and keeps others from between them.
        let now = self.count.load(Relaxed);
        between();
        self.count.store(now + 1, Relaxed);
        self.lock.exit();
    }

    /// How many steps were not lost.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count.into_inner()
    }
}
