//! The ticket lock under the kernel lock and the scheduler's (`ambient/mp_lock.rs`).

use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Exact;

use super::shared::{ALL_LOOKS, Body, Model, leaves_out, seen, threads};
use crate::ambient::{MpLock, Taken};
use crate::primitives::{AtomicUsize, Ordering};

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "mp_lock_two",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 300,
        branches: &["free", "waited", "again", "given up"],
        program: two,
    },
    Model {
        name: "mp_lock_three",
        threads: 3,
        bound: [Some(3), None],
        looks: 4,
        at_least: 10000,
        branches: &["free", "waited", "again", "given up"],
        program: three,
    },
];

/// The lock, and what it guards.
struct Guarded {
    lock: MpLock,
    /// Read and written under the lock without an order of its own: what the last holder wrote must
    /// be seen.
    value: AtomicUsize,
    /// Not of the model, and exact at every moment: how many threads have the lock.
    inside: Exact,
}

impl Guarded {
    fn lock(&self) {
        seen(match self.lock.lock(|| {}) {
            Taken::Free => "free",
            Taken::Waited => "waited",
            Taken::Again => "again",
        });
    }

    /// With the lock: nobody else has it.
    fn add_one(&self) {
        assert_eq!(self.inside.fetch_add(1, Relaxed), 0, "two threads have the lock");
        self.value.store(self.value.load(Relaxed) + 1, Relaxed);
        self.inside.fetch_sub(1, Relaxed);
    }
}

/// Takes it twice and lets go twice.
fn nests(guarded: &Guarded) {
    guarded.lock();
    guarded.lock();
    assert!(!guarded.lock.unlock(), "it is still this thread's");
    guarded.add_one();
    if !leaves_out("mp_unlock") {
        assert!(guarded.lock.unlock());
    }
}

/// Takes it twice and gives it up, as whoever sleeps does; takes it again.
fn sleeps(guarded: &Guarded) {
    guarded.lock();
    guarded.lock();
    guarded.add_one();
    assert_eq!(guarded.lock.release_all(), 2);
    seen("given up");
    guarded.lock();
    guarded.add_one();
    assert!(guarded.lock.unlock());
}

fn run(bodies: &[fn(&Guarded)], adds: usize) {
    let (value, inside) = (AtomicUsize::new(0), Exact::new(0));
    let guarded = Arc::new(Guarded { lock: MpLock::new(), value, inside });
    let body = |body: &fn(&Guarded)| -> Body {
        let (body, guarded) = (*body, Arc::clone(&guarded));
        Box::new(move || body(&guarded))
    };
    threads(bodies.iter().map(body).collect());
    guarded.lock();
    assert_eq!(guarded.value.load(Relaxed), adds, "an update is lost");
    guarded.lock.unlock();
}

fn two() {
    run(&[nests, sleeps], 3);
}

fn three() {
    run(&[nests, sleeps, nests], 4);
}
