//! Every algorithm, on its own and under the witness.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use super::*;
use crate::domain::{Algorithm, OwnLock};
use crate::primitives::NODES;
use crate::sync::RwLock;
use crate::witness::Class;

/// The tests of one algorithm, for each of them: of its own type, which is made with no other.
macro_rules! of_every_lock {
    ($($module:ident: $lock:ty;)*) => { $(
        mod $module {
            use crate::domain::Algorithm;
            use crate::primitives::RawMutex;

            const OWN: Algorithm = <$lock as RawMutex>::ALGORITHM.expect("one algorithm");

            #[test]
            fn lets_one_in_at_a_time() {
                super::lets_one_in_at_a_time::<$lock>(OWN);
            }

            #[test]
            fn is_given_back_in_any_order() {
                super::is_given_back_in_any_order::<$lock>(OWN);
            }

            #[test]
            fn one_thread_has_many_and_others_follow() {
                super::one_thread_has_many_and_others_follow::<$lock>(OWN);
            }

            #[test]
            fn whoever_sleeps_is_woken() {
                super::whoever_sleeps_is_woken::<$lock>(OWN);
            }

            #[test]
            fn whoever_only_tries_does_not_wait() {
                super::whoever_only_tries_does_not_wait::<$lock>(OWN);
            }

            #[test]
            fn whoever_tries_is_alone_too() {
                super::whoever_tries_is_alone_too::<$lock>(OWN);
            }

            #[test]
            fn is_seen_by_the_witness() {
                super::is_seen_by_the_witness::<$lock>(stringify!($module));
            }
        }
    )* };
}

of_every_lock! {
    parking_lot: crate::primitives::RawLock;
    rwlock9: crate::raw::Rwlock9;
    rwlock9_2025: crate::raw::Rwlock9Of2025;
    mutex9: crate::raw::Mutex9;
    ticket: crate::raw::Ticket;
    mcs: crate::raw::Mcs;
    clh: crate::raw::Clh;
    futex: crate::raw::Futex;
    std_mutex: crate::raw::Std;
}

/// Takes a raw lock whether it is free or not.
fn take<R: RawMutex>(lock: &R, may_spin: bool) -> R::Held {
    lock.enter().unwrap_or_else(|turn| lock.wait(turn, may_spin))
}

/// Gives it back.
fn give<R: RawMutex>(lock: &R, held: R::Held) {
    // SAFETY: the tests give back what this thread was given, to the lock that gave it.
    unsafe { lock.exit(held) }
}

/// A counter that only its lock makes exact.
struct Counter<R> {
    lock: R,
    value: UnsafeCell<u64>,
}

// SAFETY: `value` is touched with the lock alone; if the lock fails, so does the test.
unsafe impl<R: RawMutex> Sync for Counter<R> {}

const THREADS: u64 = 4;
const TIMES: u64 = 500;

fn lets_one_in_at_a_time<R: RawMutex>(algorithm: Algorithm) {
    let counter = Counter { lock: R::of(algorithm), value: UnsafeCell::new(0) };
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let counter = &counter;
            threads.spawn(move || {
                for i in 0..TIMES {
                    let held = take(&counter.lock, (i + thread) % 3 != 0);
                    // SAFETY: this thread has the lock.
                    let value = unsafe { &mut *counter.value.get() };
                    let before = *value;
                    if i % 64 == 0 {
                        // So that others come while the lock is taken, whatever the processors do.
                        std::thread::yield_now();
                    }
                    *value = before + 1;
                    give(&counter.lock, held);
                }
            });
        }
    });
    assert_eq!(counter.value.into_inner(), THREADS * TIMES);
}

fn is_given_back_in_any_order<R: RawMutex>(algorithm: Algorithm) {
    let locks: [R; 3] = std::array::from_fn(|_| R::of(algorithm));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut held: Vec<_> = locks.iter().map(|lock| Some(take(lock, true))).collect();
        for i in order {
            give(&locks[i], held[i].take().expect("it is held"));
            let again = locks[i].enter().ok().expect("it is free again");
            give(&locks[i], again);
        }
    }
}

/// As many locks as a thread has nodes, while others wait for each of them.
fn one_thread_has_many_and_others_follow<R: RawMutex>(algorithm: Algorithm) {
    let locks: Vec<Counter<R>> =
        (0..NODES).map(|_| Counter { lock: R::of(algorithm), value: UnsafeCell::new(0) }).collect();
    let add_one = |counter: &Counter<R>| {
        let held = take(&counter.lock, true);
        // SAFETY: this thread has the lock.
        unsafe { *counter.value.get() += 1 };
        give(&counter.lock, held);
    };
    for _ in 0..3 {
        let held: Vec<_> = locks.iter().map(|counter| take(&counter.lock, true)).collect();
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| locks.iter().for_each(add_one));
            }
            std::thread::yield_now();
            for (counter, held) in locks.iter().zip(held) {
                give(&counter.lock, held);
            }
        });
    }
    assert!(locks.into_iter().all(|counter| counter.value.into_inner() == 6));
}

/// The lock is kept until those that wait have had time to fall asleep; nobody is forgotten.
fn whoever_sleeps_is_woken<R: RawMutex>(algorithm: Algorithm) {
    let (lock, is_free) = (R::of(algorithm), AtomicBool::new(false));
    let held = take(&lock, true);
    std::thread::scope(|threads| {
        for thread in 0..3 {
            let (lock, is_free) = (&lock, &is_free);
            threads.spawn(move || {
                let held = take(lock, thread == 0);
                assert!(is_free.load(SeqCst), "it had the lock beside another");
                give(lock, held);
            });
        }
        std::thread::sleep(Duration::from_millis(20));
        is_free.store(true, SeqCst);
        give(&lock, held);
    });
}

/// More tries in vain than a thread has nodes, by the holder, too, and with others behind; then the
/// lock is free to be tried and to be taken.
fn whoever_only_tries_does_not_wait<R: RawMutex>(algorithm: Algorithm) {
    let lock = R::of(algorithm);
    let try_in_vain = || (0..3 * NODES).for_each(|_| assert!(lock.try_enter().is_none()));
    let held = lock.try_enter().expect("it is free");
    try_in_vain();
    std::thread::scope(|threads| {
        let before = threads.spawn(try_in_vain);
        threads.spawn(|| give(&lock, take(&lock, true)));
        let behind = threads.spawn(try_in_vain);
        // The lock is given back whatever they found: else the one that waits would hang.
        let found = [before.join(), behind.join()];
        give(&lock, held);
        assert!(found.iter().all(Result::is_ok), "a lock was had twice");
    });
    let held = lock.try_enter().expect("it is free again");
    give(&lock, held);
    let held = lock.enter().ok().expect("it is free again");
    give(&lock, held);
}

/// Some threads wait for the lock, others try until they get it.
fn whoever_tries_is_alone_too<R: RawMutex>(algorithm: Algorithm) {
    let counter = Counter { lock: R::of(algorithm), value: UnsafeCell::new(0) };
    let tried = |lock: &R| {
        loop {
            if let Some(held) = lock.try_enter() {
                return held;
            }
            std::thread::yield_now();
        }
    };
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (counter, tried) = (&counter, &tried);
            threads.spawn(move || {
                let lock = &counter.lock;
                for i in 0..TIMES {
                    let held = if thread % 2 == 0 { take(lock, true) } else { tried(lock) };
                    // SAFETY: this thread has the lock.
                    let value = unsafe { &mut *counter.value.get() };
                    let before = *value;
                    if i % 64 == 0 {
                        // As in `lets_one_in_at_a_time`.
                        std::thread::yield_now();
                    }
                    *value = before + 1;
                    give(lock, held);
                }
            });
        }
    });
    assert_eq!(counter.value.into_inner(), THREADS * TIMES);
}

/// Set in the process that leaves a lock held.
const HERE: &str = "SOLOCK_TEST_RAW_LEFT_HELD";

/// A lock that is left held is reported with its place, whatever the algorithm.
fn is_seen_by_the_witness<R: RawMutex>(name: &str) {
    let locks: [RwLock<R>; 3] = std::array::from_fn(|_| RwLock::new(Class::SoLock));
    let enter = |i: usize| {
        locks[i].enter();
        line!() - 1
    };
    if std::env::var_os(HERE).is_some() {
        crate::child::begin();
        let places = [enter(0), enter(1), enter(2)];
        assert_eq!(places[0], places[2]);
        locks[0].exit();
        locks[2].exit();
        crate::witness::userret();
        return;
    }
    let test = format!("raw::tests::{name}::is_seen_by_the_witness");
    let (code, said) = crate::child::run(&test, HERE, "1");
    assert_eq!(code, Some(crate::witness::EXIT_FINDING), "{said}");
    assert!(said.contains("returning with the following locks held"), "{said}");
    let at = enter(0);
    // The report; what every thread holds, this one too, comes behind it.
    let report = said.split("panic:").next().expect("a report");
    assert_eq!(report.matches(&format!("raw/tests.rs:{at}:")).count(), 1, "{said}");
    locks[0].exit();
}

#[test]
fn any_lock_is_what_it_was_made_as() {
    for algorithm in Algorithm::ALL {
        lets_one_in_at_a_time::<AnyLock>(algorithm);
        is_given_back_in_any_order::<AnyLock>(algorithm);
        one_thread_has_many_and_others_follow::<AnyLock>(algorithm);
        whoever_sleeps_is_woken::<AnyLock>(algorithm);
        whoever_only_tries_does_not_wait::<AnyLock>(algorithm);
        whoever_tries_is_alone_too::<AnyLock>(algorithm);
        crate::calibrate::lock_pairs_of(algorithm, 3);
    }
}

/// Another crate's lock, which is the ticket lock.
struct Mine(Ticket);

const MINE: OwnLock = OwnLock { name: "mine", about: "spins in turn", spins: true };

// SAFETY: each call is the ticket lock's.
unsafe impl RawMutex for Mine {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Own(&MINE));
    type Held = ();
    type Turn = u32;
    type Beside = crate::primitives::RawLock;
    type Shared = crate::raw::Exclusively<Self>;

    fn new() -> Self {
        Mine(Ticket::new())
    }

    fn enter(&self) -> Result<(), u32> {
        self.0.enter()
    }

    fn try_enter(&self) -> Option<()> {
        self.0.try_enter()
    }

    fn wait(&self, turn: u32, may_spin: bool) {
        self.0.wait(turn, may_spin);
    }

    unsafe fn exit(&self, held: ()) {
        // SAFETY: kept by the caller.
        unsafe { self.0.exit(held) }
    }
}

#[test]
fn a_lock_of_another_crate_is_beside_the_others() {
    for algorithm in [Algorithm::Own(&MINE)].into_iter().chain(Algorithm::ALL) {
        lets_one_in_at_a_time::<Or<Mine, AnyLock>>(algorithm);
        is_given_back_in_any_order::<Or<Mine, AnyLock>>(algorithm);
        one_thread_has_many_and_others_follow::<Or<Mine, AnyLock>>(algorithm);
        whoever_sleeps_is_woken::<Or<Mine, AnyLock>>(algorithm);
    }
    assert!(matches!(Or::<Mine, AnyLock>::of(Algorithm::Own(&MINE)), Or::One(_)));
    assert!(matches!(Or::<Mine, AnyLock>::of(Algorithm::Mcs), Or::Other(_)));
}
