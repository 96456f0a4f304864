//! Bookkeeping that no protocol relies on: a thread's own tables and counters, which other threads
//! read racily for reports and for nothing else.
//!
//! A model checker tries every order of the accesses it sees. Nothing depends on these, so they
//! stay the machine's own under every checker: they would only make the search longer.

pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
