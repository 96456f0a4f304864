//! What is no part of a protocol: a thread's own tables and counters, which other threads read
//! racily for reports and for nothing else.
//!
//! A model checker tries every order of the accesses it sees. These decide nothing, so they stay the
//! machine's own under every checker: the search would only grow by them.

pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
