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

/// A model of two threads of which one takes a lock twice, and so uses its nodes again, and one of
/// three that take it once.
macro_rules! models {
    ($($lock:ident: $two:literal $three:literal, $bound:expr, $sleeps:expr;)*) => {
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
                bound: [Some($bound), None],
                looks: 4,
                at_least: 500,
                branches: $sleeps,
                program: || run::<$lock>(&[once::<$lock>, once::<$lock>, once::<$lock>], 3),
            },
        )*];
    };
}

/// What a lock that sleeps must have shown.
const SLEEPS: &[&str] = &["free", "waited", "parked", "woken", "park refused"];
/// What one that spins must have shown.
const SPINS: &[&str] = &["free", "waited"];

models! {
    Rwlock9: "raw_rwlock9_two" "raw_rwlock9_three", 3, SLEEPS;
    Rwlock9Of2025: "raw_rwlock9_2025_two" "raw_rwlock9_2025_three", 3, SLEEPS;
    Futex: "raw_futex_two" "raw_futex_three", 3, SLEEPS;
    Mutex9: "raw_mutex9_two" "raw_mutex9_three", 3, SPINS;
    Ticket: "raw_ticket_two" "raw_ticket_three", 3, SPINS;
    Mcs: "raw_mcs_two" "raw_mcs_three", 3, SPINS;
    Clh: "raw_clh_two" "raw_clh_three", 3, SPINS;
}

/// A lock, and what it guards.
struct Guarded<R: RawMutex> {
    lock: RwLock<R>,
    /// Read and written under the lock without an order of its own: what the last holder wrote must
    /// be seen.
    value: AtomicUsize,
    /// Not of the model, and exact at every moment: how many threads have the lock.
    inside: Exact,
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

fn run<R: RawMutex + 'static>(bodies: &[fn(&Guarded<R>)], adds: usize) {
    let (value, inside) = (AtomicUsize::new(0), Exact::new(0));
    let guarded = Arc::new(Guarded { lock: RwLock::new(Class::SoLock), value, inside });
    let body = |body: &fn(&Guarded<R>)| -> Body {
        let (body, guarded) = (*body, Arc::clone(&guarded));
        Box::new(move || body(&guarded))
    };
    threads(bodies.iter().map(body).collect());
    assert_eq!(guarded.value.load(Relaxed), adds, "an update is lost");
    guarded.add_one();
}
