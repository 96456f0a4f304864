//! Every atomic, cell, thread-local, park, spin and fence of the layer comes from here.
//!
//! A model checker replaces what stands behind this one module; nothing else in the crate names
//! `std::sync::atomic`, `std::cell`, `parking_lot`, `parking_lot_core` or a fence. `native.rs` is
//! the machine; `loom.rs` and `shuttle.rs` are chosen by a cfg, which the packages in
//! `lockimpls/models/` set for their own builds of this source. [`own`] stays what it is under
//! every checker.
//!
//! # The asymmetric fence
//!
//! A store on the fast side and a later load on the same side must not be reordered against the
//! same pair on the slow side (Dekker's pattern). A full fence on both sides costs the fast side a
//! wait for its pending stores, so it is moved: the fast side calls [`light_fence`], which orders
//! only the compiler, and the slow side calls [`heavy_fence`], which makes every running thread of
//! the process execute a full barrier (membarrier(2), `PRIVATE_EXPEDITED`). Whatever the fast
//! thread did before that barrier is visible to the slow one, whatever it does after sees the slow
//! one's stores. Where membarrier is missing (other systems, old kernels, seccomp) both are
//! `fence(SeqCst)`.

#[cfg(all(target_os = "linux", not(any(solock_loom, solock_shuttle))))]
mod futex;
pub(crate) mod own;
mod raw_mutex;
mod raw_shared;

#[cfg(not(any(solock_loom, solock_shuttle)))]
mod native;
#[cfg(not(any(solock_loom, solock_shuttle)))]
use native as chosen;

#[cfg(solock_loom)]
mod loom;
#[cfg(solock_loom)]
use self::loom as chosen;

#[cfg(solock_shuttle)]
mod shuttle;
#[cfg(solock_shuttle)]
use self::shuttle as chosen;

#[cfg(all(target_os = "linux", not(any(solock_loom, solock_shuttle))))]
pub(crate) use self::futex::{futex_wait, futex_wake_one};
pub use self::raw_mutex::RawMutex;
pub use self::raw_shared::RawShared;
#[cfg(solock_loom)]
pub use chosen::LEAVE_OUT;
#[cfg(solock_shuttle)]
pub use chosen::parks;
pub(crate) use chosen::*;
pub use chosen::{RawLock, fences};

/// futex(2) on the layer's own queues, elsewhere than on Linux and under a model checker: sleeps if
/// the word has this value; returns when it is woken, and perhaps before.
#[cfg(not(all(target_os = "linux", not(any(solock_loom, solock_shuttle)))))]
pub(crate) fn futex_wait(word: &AtomicU32, value: u32) {
    // Relaxed: the queue's lock orders it with the waker's look.
    park(futex_key(word), || word.load(Ordering::Relaxed) == value, || {});
}

/// Wakes one thread that sleeps at the word, if one does.
#[cfg(not(all(target_os = "linux", not(any(solock_loom, solock_shuttle)))))]
pub(crate) fn futex_wake_one(word: &AtomicU32) {
    unpark_one(futex_key(word));
}

#[cfg(not(all(target_os = "linux", not(any(solock_loom, solock_shuttle)))))]
fn futex_key(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word) as usize
}
