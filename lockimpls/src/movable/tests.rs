//! What safe code can do with a lock, each program in a process of its own where it ends in a
//! report.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::child;
use crate::raw::Std;
use crate::witness::{EXIT_FINDING, Operation, enter, thread_number, userret};

/// The child's side: this says that the test is to run its program.
const ASKED: &str = "SOLOCK_TEST_MOVABLE";

fn five() -> Guarded<u32> {
    Guarded::new(RwLock::new(Class::Own1), 5)
}

/// Declares a test: its program must end in a report with this text.
macro_rules! finds {
    ($($test:ident, $says:literal, $program:block;)*) => { $(
        #[test]
        fn $test() {
            if std::env::var_os(ASKED).is_some() {
                child::begin();
                $program
                return;
            }
            let test = concat!("movable::tests::", stringify!($test));
            let (code, said) = child::run(test, ASKED, "1");
            assert_eq!(code, Some(EXIT_FINDING), "{said}");
            assert!(said.contains($says), "{said}");
            // The place is the program's, not the lock's.
            assert!(said.contains("#0 lockimpls/src/movable/tests.rs:"), "{said}");
        }
    )* };
}

/// Has a lock taken and kept by another thread, while the caller does something.
fn held_by_another(lock: &Guarded<u32>, meanwhile: impl FnOnce()) {
    let ((tell, told), (_stay, wait)) = (mpsc::channel(), mpsc::channel::<()>());
    thread::scope(|threads| {
        threads.spawn(move || {
            lock.enter();
            lock.with(|it| *it += 1);
            tell.send(()).unwrap();
            let _ = wait.recv();
        });
        told.recv().unwrap();
        meanwhile();
    });
}

finds! {
    another_in_its_place_lends_nothing, "is not locked by this thread", {
        let mut lock = five();
        lock.enter();
        lock = five();
        held_by_another(&lock, || lock.with(|it| *it += 1));
    };
    another_in_its_place_is_not_released, "own1 not locked", {
        let mut lock = five();
        lock.enter();
        lock = five();
        held_by_another(&lock, || lock.exit());
    };
    another_in_its_place_is_not_taken_either, "locking against myself", {
        let mut lock = five();
        lock.enter();
        lock = five();
        lock.enter();
    };
    one_that_was_swapped_for_a_free_one_is_not_released, "own1 not locked", {
        let (mut one, mut other) = (five(), five());
        one.enter();
        mem::swap(&mut one, &mut other);
        one.exit();
    };
    one_that_was_swapped_away_lends_nothing, "was moved while it was held", {
        let (mut one, mut other) = (five(), five());
        one.enter();
        mem::swap(&mut one, &mut other);
        other.with(|it| *it += 1);
    };
    two_that_were_swapped_are_not_released, "was moved while it was held", {
        let mut both = [five(), five()];
        both[0].enter();
        both[1].enter();
        let [one, other] = &mut both;
        mem::swap(one, other);
        one.exit();
    };
    one_of_a_vector_is_another_after_it_was_assigned, "own1 not locked", {
        let mut locks = Vec::from([five()]);
        locks[0].enter();
        locks[0] = five();
        locks[0].exit();
    };
    one_that_went_into_a_vector_was_moved, "was moved while it was held", {
        let lock = five();
        lock.enter();
        let locks = Vec::from([five(), lock]);
        locks[1].exit();
    };
    one_that_went_to_another_thread_is_not_that_ones, "own1 not locked", {
        let lock = Box::new(five());
        lock.enter();
        thread::spawn(move || lock.exit()).join().unwrap();
    };
    one_that_went_to_another_thread_lends_it_nothing, "is not locked by this thread", {
        let lock = Box::new(five());
        lock.enter();
        thread::spawn(move || lock.with(|_| {})).join().unwrap();
    };
    one_that_is_dropped_is_told_when_the_call_returns, "returning with the following locks held", {
        enter(const { &Operation { name: "sys_test", backend: "tested" } });
        let lock = Box::new(five());
        lock.enter();
        drop(lock);
        userret();
    };
    one_that_is_forgotten_is_told_when_the_thread_ends, "thread exiting with the following", {
        let keeps = || {
            let lock = five();
            lock.enter();
            mem::forget(lock);
        };
        thread::spawn(keeps).join().unwrap();
    };
    one_whose_holder_ends_is_told, "thread exiting with the following locks held", {
        let lock = five();
        thread::scope(|threads| threads.spawn(|| lock.enter()).join().unwrap());
    };
    one_that_was_tried_in_its_place_lends_nothing_after_its_exit, "is not locked by this", {
        // Two of this address are listed, and one stays when the other is released within.
        let mut lock = five();
        lock.enter();
        lock = five();
        assert!(lock.try_enter());
        lock.with(|_| lock.exit());
    };
    what_a_raw_lock_keeps_is_not_read_where_nothing_was_kept, "own2 not locked", {
        RwLock::<Std>::new(Class::Own2).exit();
    };
    two_holders_are_told, "own1 not locked", {
        let lock = RwLock::<LetsAllIn>::new(Class::Own1);
        lock.enter();
        thread::scope(|threads| {
            threads.spawn(|| {
                lock.enter();
                lock.exit();
            });
        });
        lock.exit();
    };
}

/// No lock at all.
struct LetsAllIn;

// SAFETY: none, on purpose; what the tests do with it guards nothing.
unsafe impl RawMutex for LetsAllIn {
    const ALGORITHM: Option<Algorithm> = None;
    type Held = ();
    type Turn = ();
    type Beside = DefaultRaw;
    type Shared = crate::raw::Exclusively<Self>;
    fn new() -> Self {
        LetsAllIn
    }
    fn enter(&self) -> Result<(), ()> {
        Ok(())
    }
    fn try_enter(&self) -> Option<()> {
        Some(())
    }
    fn wait(&self, (): (), _may_spin: bool) {}
    unsafe fn exit(&self, (): ()) {}
}

#[test]
fn it_is_moved_while_it_is_free() {
    let mut locks = vec![five()];
    for turn in 0..4 {
        locks[turn].enter();
        locks[turn].with(|it| *it += 1);
        locks[turn].exit();
        let last = locks.pop().unwrap();
        locks.extend([five(), last]);
        locks.swap(turn, turn + 1);
        locks.swap(turn, turn + 1);
    }
    let lock = locks.pop().unwrap();
    let lock = thread::spawn(move || {
        assert!(lock.try_enter() && lock.is_mine());
        assert_eq!(lock.with(|it| *it), 9);
        lock.exit();
        lock
    });
    let lock = lock.join().unwrap();
    assert!(!lock.is_mine());
    lock.enter();
    lock.assert_mine();
    lock.exit();
}

#[test]
fn one_that_is_back_where_it_was_is_released() {
    let (mut one, mut other) = (RwLock::<Std>::new(Class::Own1), RwLock::<Std>::new(Class::Own1));
    one.enter();
    mem::swap(&mut one, &mut other);
    assert!(!one.is_mine() && !other.is_mine());
    mem::swap(&mut one, &mut other);
    assert!(one.is_mine() && !other.is_mine());
    one.exit();
    assert!(one.try_enter());
    one.exit();
}

#[test]
fn one_whose_holder_unwound_is_still_its() {
    let lock = five();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        lock.enter();
        panic!("between the two");
    }));
    assert!(unwound.is_err() && lock.is_mine());
    assert_eq!(lock.with(|it| *it), 5);
    lock.exit();
    lock.enter();
    let unwound = catch_unwind(AssertUnwindSafe(|| lock.with(|_| panic!("within"))));
    assert!(unwound.is_err() && lock.is_mine());
    assert!(catch_unwind(AssertUnwindSafe(|| lock.with(|_| {}))).is_err());
    lock.exit();
}

#[test]
fn a_name_is_never_given_again() {
    thread_number();
    let (one, other) = (thread::spawn(me).join().unwrap(), thread::spawn(me).join().unwrap());
    assert!(one != other && me() != one && me() != other && me() == me());
}

#[test]
fn it_is_its_holders_alone() {
    let lock = five();
    lock.enter();
    let others = || (lock.is_mine(), lock.try_enter());
    thread::scope(|threads| assert_eq!(threads.spawn(others).join().unwrap(), (false, false)));
    lock.exit();
    let taken = || {
        let is_taken = lock.try_enter();
        lock.with(|it| *it += 1);
        lock.exit();
        is_taken
    };
    thread::scope(|threads| assert!(threads.spawn(taken).join().unwrap()));
    lock.enter();
    assert_eq!(lock.with(|it| *it), 6);
    lock.exit();
}
