//! What a lock costs with the checker and without it: lock and unlock loops; the caller times them.

use std::hint::black_box;

use crate::domain::Algorithm;
use crate::primitives::RawMutex;
use crate::raw::{WithLock, with_lock};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// Takes and releases a lock nobody wants, `pairs` times, with the checker: what the backends do.
pub fn lock_pairs_checked(pairs: u64) {
    lock_pairs::<DefaultRaw, true>(Algorithm::default(), pairs);
}

/// The same without the checker: the twin that nothing else can reach.
pub fn lock_pairs_unchecked(pairs: u64) {
    lock_pairs::<DefaultRaw, false>(Algorithm::default(), pairs);
}

/// The same with another algorithm.
pub fn lock_pairs_of(algorithm: Algorithm, pairs: u64) {
    struct Pairs(Algorithm, u64);
    impl WithLock for Pairs {
        type Output = ();

        fn with<R: RawMutex>(self) {
            lock_pairs::<R, false>(self.0, self.1);
        }
    }
    with_lock(algorithm, Pairs(algorithm, pairs));
}

/// The same with the lock under a layer that is made for any algorithm, which is asked which it is:
/// with the checker or without it.
pub fn lock_pairs_asked<R: RawMutex>(algorithm: Algorithm, checked: bool, pairs: u64) {
    if checked {
        lock_pairs::<R, true>(algorithm, pairs);
    } else {
        lock_pairs::<R, false>(algorithm, pairs);
    }
}

/// The same with the lock that `R` is, with the checker.
pub fn lock_pairs_made_of<R: RawMutex>(algorithm: Algorithm, pairs: u64) {
    lock_pairs::<R, true>(algorithm, pairs);
}

/// The loop: with this raw lock, with the checker or without it.
#[inline(never)]
fn lock_pairs<R: RawMutex, const CHECKED: bool>(algorithm: Algorithm, pairs: u64) {
    let lock: RwLock<R, CHECKED> = RwLock::of(Class::SoLock, algorithm);
    for _ in 0..pairs {
        black_box(&lock).enter();
        black_box(&lock).exit();
    }
}
