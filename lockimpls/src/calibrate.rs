//! What a lock costs with the checker and without it: lock and unlock loops; the caller times them.

use std::hint::black_box;

use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// Takes and releases a lock nobody wants, `pairs` times, with the checker: what the backends do.
#[inline(never)]
pub fn lock_pairs_checked(pairs: u64) {
    let lock: RwLock<DefaultRaw, true> = RwLock::new(Class::SoLock);
    for _ in 0..pairs {
        black_box(&lock).enter();
        black_box(&lock).exit();
    }
}

/// The same without the checker: the twin that nothing else can reach.
#[inline(never)]
pub fn lock_pairs_unchecked(pairs: u64) {
    let lock: RwLock<DefaultRaw, false> = RwLock::new(Class::SoLock);
    for _ in 0..pairs {
        black_box(&lock).enter();
        black_box(&lock).exit();
    }
}
