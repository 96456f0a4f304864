//! The raw locks (`raw/`): in every order one thread at a time has the lock, sees what the one
//! before it did, and every thread gets it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Exact;

use super::shared::{ALL_LOOKS, Body, Model, seen, threads};
use crate::primitives::{AtomicUsize, Ordering};
use crate::raw::{Clh, Futex, Mcs, Mutex9, RawMutex, Rwlock9, Rwlock9Of2025, Ticket};
use crate::sync::RwLock;
use crate::witness::{Class, counters};

use Ordering::Relaxed;

/// A model of two threads of which one takes a lock twice, and so uses its nodes again, one of
/// three that take it once, and one of two of which one takes it twice and the other only tries,
/// twice.
macro_rules! models {
    ($($lock:ident: $two:literal $three:literal $tried:literal, $sleeps:expr;)*) => {
        pub(super) const MODELS: &[Model] = &[$(
            Model {
                name: $two,
                threads: 2,
                bound: [None; 2],
                looks: ALL_LOOKS,
                at_least: 50,
                branches: $sleeps,
                program: || run::<$lock>(&[once::<$lock>, twice::<$lock>], 3),
            },
            Model {
                name: $three,
                threads: 3,
                bound: [Some(3), None],
                looks: 4,
                at_least: 500,
                branches: $sleeps,
                program: || run::<$lock>(&[once::<$lock>, once::<$lock>, once::<$lock>], 3),
            },
            Model {
                name: $tried,
                threads: 2,
                bound: [None; 2],
                looks: ALL_LOOKS,
                at_least: 20,
                branches: &["free", "waited", "tried", "refused"],
                program: || run::<$lock>(&[twice::<$lock>, tries_twice::<$lock>], 2),
            },
        )*];
    };
}

/// What a lock that sleeps must have shown.
const SLEEPS: &[&str] = &["free", "waited", "parked", "woken", "park refused"];
/// What one that spins must have shown.
const SPINS: &[&str] = &["free", "waited"];

models! {
    Rwlock9: "raw_rwlock9_two" "raw_rwlock9_three" "raw_rwlock9_try", SLEEPS;
    Rwlock9Of2025: "raw_rwlock9_2025_two" "raw_rwlock9_2025_three" "raw_rwlock9_2025_try", SLEEPS;
    Futex: "raw_futex_two" "raw_futex_three" "raw_futex_try", SLEEPS;
    Mutex9: "raw_mutex9_two" "raw_mutex9_three" "raw_mutex9_try", SPINS;
    Ticket: "raw_ticket_two" "raw_ticket_three" "raw_ticket_try", SPINS;
    Mcs: "raw_mcs_two" "raw_mcs_three" "raw_mcs_try", SPINS;
    Clh: "raw_clh_two" "raw_clh_three" "raw_clh_try", SPINS;
}

/// A lock, and what it guards.
struct Guarded<R: RawMutex> {
    lock: RwLock<R>,
    /// Read and written under the lock without an order of its own: what the last holder wrote must
    /// be seen.
    value: AtomicUsize,
    /// Not of the model, and exact at every moment: how many threads have the lock.
    inside: Exact,
    /// The same: how many tries were not in vain.
    tried: Exact,
}

/// How often this thread has waited.
fn waits() -> u64 {
    counters().of(Class::SoLock).contended
}

impl<R: RawMutex> Guarded<R> {
    /// Takes the lock, adds one, lets go.
    fn add_one(&self) {
        let before = waits();
        self.lock.enter();
        seen(if waits() == before { "free" } else { "waited" });
        self.add_locked();
    }

    /// The same, where the lock is free.
    fn try_to_add_one(&self) {
        let is_mine = self.lock.try_enter();
        seen(if is_mine { "tried" } else { "refused" });
        if is_mine {
            self.tried.fetch_add(1, Relaxed);
            self.add_locked();
        }
    }

    /// With the lock: adds one, lets go.
    fn add_locked(&self) {
        assert_eq!(self.inside.fetch_add(1, Relaxed), 0, "two threads have the lock");
        self.value.store(self.value.load(Relaxed) + 1, Relaxed);
        self.inside.fetch_sub(1, Relaxed);
        self.lock.exit();
    }
}

fn once<R: RawMutex>(guarded: &Guarded<R>) {
    guarded.add_one();
}

fn twice<R: RawMutex>(guarded: &Guarded<R>) {
    guarded.add_one();
    guarded.add_one();
}

fn tries_twice<R: RawMutex>(guarded: &Guarded<R>) {
    guarded.try_to_add_one();
    guarded.try_to_add_one();
}

fn run<R: RawMutex + 'static>(bodies: &[fn(&Guarded<R>)], adds: usize) {
    let (value, inside, tried) = (AtomicUsize::new(0), Exact::new(0), Exact::new(0));
    let guarded = Arc::new(Guarded { lock: RwLock::new(Class::SoLock), value, inside, tried });
    let body = |body: &fn(&Guarded<R>)| -> Body {
        let (body, guarded) = (*body, Arc::clone(&guarded));
        Box::new(move || body(&guarded))
    };
    threads(bodies.iter().map(body).collect());
    let adds = adds + guarded.tried.load(Relaxed);
    assert_eq!(guarded.value.load(Relaxed), adds, "an update is lost");
    guarded.add_one();
    // Whoever tried in vain has left nothing behind.
    assert!(guarded.lock.try_enter(), "a free lock is not to be had");
    guarded.lock.exit();
}
