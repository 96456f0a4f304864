//! futex(2) of Linux: to sleep while a word has a value. Whoever is woken, or finds another value,
//! must look at the word again.

#![allow(unsafe_code)]

use std::sync::atomic::AtomicU32;

/// Sleeps if the word has this value; returns when it is woken, and perhaps before.
pub(crate) fn futex_wait(word: &AtomicU32, value: u32) {
    let command = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let forever = std::ptr::null::<libc::timespec>();
    // SAFETY: futex(2) reads the word as an atomic, and the borrow keeps it alive. What it answers
    // is not needed: the caller looks at the word again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), command, value, forever) };
}

/// Wakes one thread that sleeps at the word, if one does.
pub(crate) fn futex_wake_one(word: &AtomicU32) {
    let command = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: futex(2) does not touch the word here: its address is a key.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), command, 1) };
}
