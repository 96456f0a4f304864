//! futex(2): to sleep while a word has a value.
//!
//! On Linux it is the system call; elsewhere, and under a model checker, the layer's own queues,
//! which keep the same promise: whoever is woken, or finds another value, must look at the word
//! again.

#![allow(unsafe_code)]

pub(crate) use self::chosen::{futex_wait, futex_wake_one};

#[cfg(all(target_os = "linux", not(any(solock_loom, solock_shuttle))))]
mod chosen {
    use crate::primitives::AtomicU32;

    /// Sleeps if the word has this value; returns when it is woken, and perhaps before.
    pub(crate) fn futex_wait(word: &AtomicU32, value: u32) {
        let command = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        let forever = std::ptr::null::<libc::timespec>();
        // SAFETY: futex(2) reads the word as an atomic, and the borrow keeps it alive. What it
        // answers is not needed: the caller looks at the word again.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), command, value, forever) };
    }

    /// Wakes one thread that sleeps at the word, if one does.
    pub(crate) fn futex_wake_one(word: &AtomicU32) {
        let command = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: futex(2) does not touch the word here: its address is a key.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), command, 1) };
    }
}

#[cfg(not(all(target_os = "linux", not(any(solock_loom, solock_shuttle)))))]
mod chosen {
    use crate::primitives::{AtomicU32, Ordering, park, unpark_one};

    fn key(word: &AtomicU32) -> usize {
        std::ptr::from_ref(word) as usize
    }

    /// Sleeps if the word has this value.
    pub(crate) fn futex_wait(word: &AtomicU32, value: u32) {
        // Relaxed: the queue's lock orders it with the waker's look.
        park(key(word), || word.load(Ordering::Relaxed) == value, || {});
    }

    /// Wakes one thread that sleeps at the word, if one does.
    pub(crate) fn futex_wake_one(word: &AtomicU32) {
        unpark_one(key(word));
    }
}
