//! Every rule of the witness, broken: a report ends the process, so each program runs in one of its own.

use std::time::Duration;

use super::*;
use crate::child;
use crate::domain::PoolUse;
use crate::primitives::THREADS_MAX;

/// Addresses, lowest first: the witness never follows them.
const A: usize = 0x10;
const B: usize = 0x20;
const C: usize = 0x30;

static TEST: Operation = Operation { name: "sys_test", backend: "tested" };

/// The child's side: this says that the test is to run its program.
const ASKED: &str = "SOLOCK_TEST_RULE";

/// Declares a test: its program must end in just this report. A place in this file is written as the
/// code of its line.
macro_rules! reports {
    ($test:ident, $program:block, $report:literal) => {
        #[test]
        fn $test() {
            if let Some((code, said)) = in_child(stringify!($test), || $program) {
                assert_eq!(lines(&with_code(&said)), lines($report));
                assert_eq!(code, Some(EXIT_FINDING));
            }
        }
    };
}

/// Runs the program in a child: its exit code and what it said. In the child: nothing.
fn in_child(test: &str, program: impl FnOnce()) -> Option<(Option<i32>, String)> {
    if std::env::var_os(ASKED).is_some() {
        child::begin();
        program();
        return None;
    }
    Some(child::run(&format!("witness::tests::{test}"), ASKED, "1"))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The report with the code of a line for its place, and no word of the machine's.
fn with_code(report: &str) -> String {
    let code: Vec<&str> = include_str!("tests.rs").lines().map(str::trim).collect();
    let mut text = String::new();
    for line in report.lines() {
        let (before, place) =
            line.split_once("lockimpls/src/witness/tests.rs:").unwrap_or((line, ""));
        let number = place.split(':').next().unwrap().parse::<usize>();
        text.push_str(before);
        text.push_str(number.map_or("", |number| code[number - 1]));
        text.push('\n');
    }
    text
}

/// Takes a lock as `RwLock` does.
#[track_caller]
fn take(addr: usize, class: Class) {
    take_by(addr, class, Edge::None);
}

#[track_caller]
fn take_by(addr: usize, class: Class, edge: Edge) {
    checkorder(addr, &class, edge);
    lock(addr, class);
}

fn begin() -> u32 {
    enter(&TEST);
    thread_number()
}

// ---- what is allowed ----

#[test]
fn locks_in_order_are_given_back_in_any_order() {
    begin();
    take(C, Class::Names);
    take(A, Class::SoLock);
    take(B, Class::SoLock);
    take(A, Class::Pool);
    keep(A, Class::Sblock);
    assert!([A, B, C].into_iter().all(is_held) && !is_held(0x40));
    unlock(C, &Class::Names);
    assert!(!is_held(C));
    unlock(A, &Class::SoLock);
    unlock(A, &Class::Pool);
    assert!(!is_held(A) && is_held(B));
    assert_held(B, &Class::SoLock);
    unlock(B, &Class::SoLock);
    unkeep(A, Class::Sblock);
    userret();
}

#[test]
fn an_edge_allows_what_it_names() {
    take_by(A, Class::SoLock, Edge::Head { client: 0 });
    unlock(A, &Class::SoLock);
    take(C, Class::Names);
    take(C, Class::SoLock);
    take_by(B, Class::SoLock, Edge::Head { client: C });
    take_by(A, Class::SoLock, Edge::Embryo { head: B, client: C });
    for addr in [A, B, C] {
        unlock(addr, &Class::SoLock);
    }
    unlock(C, &Class::Names);
}

#[test]
fn a_sleep_releases_one_lock() {
    begin();
    take(A, Class::SoLock);
    sleep(B, WaitsFor::Wakeup, A);
    awake();
    take(B, Class::SoLock);
    sleep(C, WaitsFor::Lock, 0);
    awake();
    unlock(B, &Class::SoLock);
    unlock(A, &Class::SoLock);
    userret();
}

#[test]
fn a_thread_holds_as_much_as_there_is_place_for() {
    for addr in 1..=HELD_MAX {
        take(addr, Class::SoLock);
    }
    assert!((1..=HELD_MAX).all(is_held));
    for addr in 1..=HELD_MAX {
        unlock(addr, &Class::SoLock);
        assert!(!is_held(addr) && (addr + 1..=HELD_MAX).all(is_held));
    }
}

#[test]
fn a_list_knows_its_newest_two() {
    let list = &this().held;
    assert_eq!((list.newest(), list.below_newest()), (0, 0));
    lock(A, Class::Names);
    assert_eq!((list.newest(), list.below_newest()), (A, 0));
    lock(B, Class::SoLock);
    assert_eq!((list.newest(), list.below_newest()), (B, A));
    assert_eq!((list.class(1), list.class(2)), (Class::Names as u8, Class::SoLock as u8));
    assert!(!list.pop(A) && list.pop(B) && list.remove(A) && !list.remove(A));
    assert_eq!(list.len(), 0);
}

#[test]
fn what_is_read_while_it_is_written_is_left_out_of_a_report() {
    let (list, site) = (&this().held, Location::caller());
    assert!(list.push(A, 0, site) && list.push(B, CLASSES as u8, site));
    let mut report = String::new();
    assert_eq!(describe_held(this(), &mut report), (String::from("?"), 0));
    assert_eq!(report, "");
    assert!(list.pop(B) && list.pop(A));
}

#[test]
fn a_class_has_a_rank_a_name_and_a_kind() {
    let expected = [
        ("fdplock", "rwlock", true),
        ("names", "rwlock", true),
        ("vnode", "rwlock", true),
        ("unpgc", "rwlock", true),
        ("unplock", "rwlock", true),
        ("solock", "rwlock", true),
        ("unpdf", "rwlock", true),
        ("unp_rights", "rwlock", true),
        ("pool", "rwlock", true),
        ("sblock", "flag", false),
        ("in_use", "flag", false),
        ("unp_ref", "reference", false),
    ];
    assert_eq!(Class::ALL.map(|class| (class.name(), class.kind(), class.is_lock())), expected);
    for (index, class) in Class::ALL.into_iter().enumerate() {
        assert_eq!((class as usize, Class::from_rank(class as u8)), (index + 1, class));
    }
}

#[test]
#[should_panic(expected = "rank >= 1")]
fn no_class_has_rank_0() {
    let _ = Class::from_rank(std::hint::black_box(0));
}

#[test]
#[should_panic(expected = "rank >= 1")]
fn no_class_has_a_rank_beyond_the_last() {
    let _ = Class::from_rank(std::hint::black_box(CLASSES as u8));
}

#[test]
fn a_check_has_the_name_that_records_have() {
    let expected = [
        (Check::LeakedLock, "leaked_locks"),
        (Check::OrderViolation, "order_violations"),
        (Check::ObjectsLeft, "objects_left"),
        (Check::BytesLost, "bytes_lost"),
        (Check::OutOfOrder, "out_of_order"),
        (Check::NotHeld, "not_held"),
        (Check::Unlocked, "unlocked"),
        (Check::SleepingWithLock, "sleeping_with_lock"),
        (Check::Hang, "hang"),
        (Check::Panic, "panic"),
        (Check::WrongAnswer, "wrong_answers"),
        (Check::FastPath, "fast_path"),
    ];
    for (check, name) in expected {
        assert_eq!((check.name(), found_by(check)), (name, 0));
    }
}

// ---- order ----

reports!(
    a_lock_taken_twice,
    {
        begin();
        take(A, Class::SoLock); // the first
        checkorder(A, &Class::SoLock, Edge::None);
    },
    "witness: locking against myself: exclusive rwlock solock (0x10)
     #0 checkorder(A, &Class::SoLock, Edge::None);
     first acquired at:
     #0 take(A, Class::SoLock); // the first
     panic: rw_enter: solock locking against myself  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first"
);

reports!(
    a_higher_address_first,
    {
        begin();
        take(B, Class::SoLock); // the first
        checkorder(A, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x20 solock (solock)
     2nd 0x10 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower address first
     #0 checkorder(A, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(B, Class::SoLock); // the first
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the first
     panic: witness_checkorder  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the first"
);

reports!(
    a_higher_rank_first,
    {
        take(A, Class::Pool); // the first
        checkorder(B, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x10 pool (pool)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"pool\"(rwlock): lower rank first
     #0 checkorder(B, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(A, Class::Pool); // the first
     exclusive rwlock pool r = 0 (0x10)
     #0 take(A, Class::Pool); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_lower_address_second_of_three,
    {
        take(A, Class::SoLock); // the first
        take(C, Class::SoLock); // the second
        checkorder(B, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x30 solock (solock)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower address first
     #0 checkorder(B, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(C, Class::SoLock); // the second
     exclusive rwlock solock r = 0 (0x30)
     #0 take(C, Class::SoLock); // the second
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

/// A program must end in a report with these words.
fn is_found(test: &str, words: &str, program: impl FnOnce()) {
    if let Some((code, said)) = in_child(test, program) {
        assert!(said.contains(words), "{said}");
        assert_eq!(code, Some(EXIT_FINDING));
    }
}

#[test]
fn ranks_go_before_addresses() {
    is_found("ranks_go_before_addresses", "lower rank first", || {
        take(A, Class::Pool);
        take(B, Class::Names);
    });
}

#[test]
fn a_head_is_taken_with_its_client_alone() {
    is_found("a_head_is_taken_with_its_client_alone", "1st 0x10 solock", || {
        take(A, Class::SoLock);
        take(C, Class::SoLock);
        take_by(B, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn an_edge_is_of_sockets_alone() {
    is_found("an_edge_is_of_sockets_alone", "1st 0x30 pool", || {
        take(C, Class::Pool);
        take_by(B, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn an_edge_leads_to_a_socket() {
    is_found("an_edge_leads_to_a_socket", "2nd 0x20 names", || {
        take(C, Class::SoLock);
        take_by(B, Class::Names, Edge::Head { client: C });
    });
}

#[test]
fn an_edge_is_no_second_time() {
    is_found("an_edge_is_no_second_time", "locking against myself", || {
        take(C, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn an_embryo_is_taken_with_two_sockets_alone() {
    is_found("an_embryo_is_taken_with_two_sockets_alone", "1st 0x10 solock", || {
        take(A, Class::SoLock);
        take(B, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
    });
}

reports!(
    an_embryo_without_its_head,
    {
        take(A, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: A });
    },
    "witness: embryo locked without its listening socket (0x20)
     #0 take_by(C, Class::SoLock, Edge::Embryo { head: B, client: A });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    an_embryo_with_nothing_held,
    {
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
    },
    "witness: embryo locked without its listening socket (0x20)
     #0 take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

// ---- leaks ----

reports!(
    a_call_that_leaves_a_lock,
    {
        begin();
        take(A, Class::SoLock); // left
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left"
);

reports!(
    a_call_that_leaves_two_locks_of_three_and_a_reference,
    {
        begin();
        take(A, Class::Names); // given back
        take(B, Class::SoLock); // left first
        take(C, Class::SoLock); // left second
        keep(A, Class::UnpRef); // kept
        unlock(A, &Class::Names);
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive rwlock solock r = 0 (0x30)
     #0 take(C, Class::SoLock); // left second
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // left first
     exclusive reference unp_ref r = 0 (0x10)
     #0 keep(A, Class::UnpRef); // kept
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x30)
     #0 take(C, Class::SoLock); // left second
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // left first
     exclusive reference unp_ref r = 0 (0x10)
     #0 keep(A, Class::UnpRef); // kept"
);

reports!(
    a_call_that_leaves_a_flag,
    {
        begin();
        keep(A, Class::Sblock);
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive flag sblock r = 0 (0x10)
     #0 keep(A, Class::Sblock);
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag sblock r = 0 (0x10)
     #0 keep(A, Class::Sblock);"
);

reports!(
    a_call_that_stays_on_the_fast_path_with_a_lock,
    {
        let me = begin();
        take(A, Class::SoLock); // left
        enter_fast(me, B);
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive flag in_use r = 0 (0x20)
     #0 enter_fast(me, B);
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag in_use r = 0 (0x20)
     #0 enter_fast(me, B);
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left"
);

reports!(
    a_call_that_stays_on_the_fast_path,
    {
        let me = begin();
        enter_fast(me, B);
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive flag in_use r = 0 (0x20)
     #0 enter_fast(me, B);
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag in_use r = 0 (0x20)
     #0 enter_fast(me, B);"
);

reports!(
    a_call_that_leaves_a_lock_and_a_flag,
    {
        begin();
        take(A, Class::SoLock); // left
        keep(B, Class::Sblock); // kept
        std::thread::spawn(|| sleep_for_good(C, WaitsFor::Lock));
        let is_there = |text: String| text.contains("Thread 2");
        await_that(|| is_there(show_all_locks()));
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left
     exclusive flag sblock r = 0 (0x20)
     #0 keep(B, Class::Sblock); // kept
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left
     exclusive flag sblock r = 0 (0x20)
     #0 keep(B, Class::Sblock); // kept
     Thread 2 (none) waits for the lock 0x30 at std::thread::spawn(|| sleep_for_good(C, WaitsFor::Lock));"
);

reports!(
    a_thread_that_ends_with_a_lock,
    {
        std::thread::spawn(|| {
            thread_number();
            take(A, Class::SoLock); // left
        })
        .join()
        .unwrap();
    },
    "witness: thread exiting with the following locks held:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left
     panic: witness_thread_exit  (operation none, backend none, thread 1)
     Thread 1 (none)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // left"
);

#[test]
fn more_than_there_is_place_for() {
    is_found("more_than_there_is_place_for", "witness: more than 14 locks held", || {
        for addr in 1..=HELD_MAX + 1 {
            take(addr, Class::SoLock);
        }
    });
}

// ---- what is not held ----

reports!(
    an_unlock_of_what_is_not_held,
    {
        take(A, Class::SoLock);
        unlock(B, &Class::SoLock);
    },
    "witness: lock (rwlock) solock not locked (0x20)
     #0 unlock(B, &Class::SoLock);
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    an_unlock_with_nothing_held,
    {
        unlock(A, &Class::SoLock);
    },
    "witness: lock (rwlock) solock not locked (0x10)
     #0 unlock(A, &Class::SoLock);
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    a_flag_given_back_that_is_not_kept,
    {
        take(A, Class::SoLock);
        unkeep(A, Class::Sblock);
    },
    "witness: lock (flag) sblock not locked (0x10)
     #0 unkeep(A, Class::Sblock);
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    a_second_unlock,
    {
        take(A, Class::SoLock);
        take(B, Class::SoLock);
        unlock(A, &Class::SoLock); // right
        unlock(A, &Class::SoLock); // wrong
    },
    "witness: lock (rwlock) solock not locked (0x10)
     #0 unlock(A, &Class::SoLock); // wrong
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    what_a_lock_guards_without_the_lock,
    {
        take(A, Class::SoLock);
        take(C, Class::SoLock);
        assert_held(B, &Class::SoLock);
    },
    "witness: soassertlocked: solock (0x20) is not locked by this thread
     #0 assert_held(B, &Class::SoLock);
     panic: splassert  (operation none, backend none, thread 0)"
);

#[test]
fn an_assertion_of_a_lock_that_is_not_held() {
    is_found("an_assertion_of_a_lock_that_is_not_held", "soassertlocked: vnode", || {
        crate::sync::RwLock::<crate::sync::DefaultRaw>::new(Class::Vnode).assert_mine();
    });
}

reports!(
    a_lost_reference,
    {
        no_reference(A);
    },
    "witness: file of socket (0x10): no reference left
     #0 no_reference(A);
     panic: closef  (operation none, backend none, thread 0)"
);

reports!(
    a_socket_that_was_freed,
    {
        replaced(A);
    },
    "witness: socket (0x10) was freed and is used
     #0 replaced(A);
     panic: use after free  (operation none, backend none, thread 0)"
);

reports!(
    a_flag_of_another_thread,
    {
        kept_by_another(A, Class::Sblock);
    },
    "witness: sblock (0x10) is another thread's
     #0 kept_by_another(A, Class::Sblock);
     panic: splassert  (operation none, backend none, thread 0)"
);

// ---- the fast path ----

#[test]
fn the_fast_path_is_of_one_socket() {
    let me = begin();
    let number = me as usize;
    assert!(!is_on_fast_path(number, (A, B)));
    enter_fast(me, A);
    assert_on_fast_path(me, A);
    assert!(is_on_fast_path(number, (A, B)) && is_on_fast_path(number, (B, A)));
    assert!(!is_on_fast_path(number, (B, C)));
    leave_fast(me, A);
    assert!(!is_on_fast_path(number, (A, B)));
    // Locks may be taken again.
    take(A, Class::SoLock);
    unlock(A, &Class::SoLock);
    userret();
}

reports!(
    a_lock_on_the_fast_path,
    {
        let me = begin();
        enter_fast(me, A);
        checkorder(B, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     solock (0x20) taken on the lock-free path
     #0 checkorder(B, &Class::SoLock, Edge::None);
     exclusive flag in_use r = 0 (0x10)
     #0 enter_fast(me, A);
     panic: witness_checkorder  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag in_use r = 0 (0x10)
     #0 enter_fast(me, A);"
);

#[test]
fn a_second_lock_on_the_fast_path() {
    is_found("a_second_lock_on_the_fast_path", "taken on the lock-free path", || {
        let me = begin();
        take(A, Class::SoLock);
        enter_fast(me, A);
        take(B, Class::SoLock);
    });
}

reports!(
    leaving_another_fast_path,
    {
        let me = begin();
        enter_fast(me, A);
        leave_fast(me, B);
    },
    "witness: lock (flag) in_use not locked (0x20)
     #0 leave_fast(me, B);
     panic: witness_unlock  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag in_use r = 0 (0x10)
     #0 enter_fast(me, A);"
);

reports!(
    a_look_beside_the_fast_path,
    {
        let me = begin();
        enter_fast(me, A);
        assert_on_fast_path(me, B);
    },
    "witness: soassertlocked: in_use (0x20) is not locked by this thread
     #0 assert_on_fast_path(me, B);
     panic: splassert  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive flag in_use r = 0 (0x10)
     #0 enter_fast(me, A);"
);

// ---- sleeping ----

reports!(
    a_sleep_with_two_locks,
    {
        begin();
        take(A, Class::SoLock); // released
        take(B, Class::SoLock); // kept
        sleep(C, WaitsFor::Wakeup, A);
    },
    "witness: sleeping with the following locks held:
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // kept
     asleep at:
     #0 sleep(C, WaitsFor::Wakeup, A);
     panic: witness_sleep  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // kept
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // released"
);

reports!(
    a_sleep_that_releases_the_newest_lock,
    {
        begin();
        take(A, Class::SoLock); // kept
        take(B, Class::SoLock); // released
        sleep(C, WaitsFor::Wakeup, B);
    },
    "witness: sleeping with the following locks held:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // kept
     asleep at:
     #0 sleep(C, WaitsFor::Wakeup, B);
     panic: witness_sleep  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // released
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // kept"
);

/// A program must be found asleep with something.
fn is_asleep(test: &str, program: impl FnOnce()) {
    is_found(test, "witness: sleeping with the following locks held:", program);
}

#[test]
fn a_sleep_with_a_reference() {
    is_asleep("a_sleep_with_a_reference", || {
        keep(A, Class::UnpRef);
        sleep(C, WaitsFor::Wakeup, 0);
    });
}

#[test]
fn a_sleep_on_the_fast_path() {
    is_asleep("a_sleep_on_the_fast_path", || {
        enter_fast(begin(), A);
        sleep(C, WaitsFor::Wakeup, A);
    });
}

/// Waits, as far as the witness knows.
#[track_caller]
fn sleep_for_good(addr: usize, kind: WaitsFor) {
    thread_number();
    sleep(addr, kind, 0);
    loop {
        std::thread::park();
    }
}

fn await_that(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}

reports!(
    a_hang,
    {
        begin();
        // One after the other, so that their numbers are 2 to 5.
        let kinds = [WaitsFor::Lock, WaitsFor::Wakeup, WaitsFor::Gate, WaitsFor::References];
        for (number, kind) in (2..).zip(kinds) {
            std::thread::spawn(move || {
                if kind != WaitsFor::Lock {
                    enter(&TEST);
                }
                sleep_for_good(number as usize, kind);
            });
            await_that(|| is_waiting(number));
        }
        assert!(!is_waiting(0) && !is_waiting(1) && !is_waiting(6));
        report_hang(Duration::from_secs(7));
    },
    "witness: no call returned for 7s
     Thread 1 (sys_test)
     Thread 2 (none) waits for the lock 0x2 at sleep_for_good(number as usize, kind);
     Thread 3 (sys_test) waits for a wake-up on 0x3 at sleep_for_good(number as usize, kind);
     Thread 4 (sys_test) waits for threads to leave the lock-free path of 0x4 at sleep_for_good(number as usize, kind);
     Thread 5 (sys_test) waits for references on 0x5 at sleep_for_good(number as usize, kind);
     panic: watchdog  (operation sys_test, backend tested, thread 1)"
);

#[test]
fn who_was_woken_waits_no_more() {
    let me = begin();
    sleep(A, WaitsFor::Lock, 0);
    assert!(is_waiting(me));
    awake();
    assert!(!is_waiting(me));
    userret();
}

// ---- findings ----

reports!(
    a_finding_says_where_and_how_many,
    {
        set_finding_hook(|finding| {
            let found = found_by(finding.check);
            eprintln!("{} {} {} at", finding.check.name(), finding.count, found);
            eprintln!("{}", finding.at);
            eprintln!("{} {}", finding.operation, finding.backend);
            eprintln!("thread {} after {} calls", finding.thread, finding.calls);
        });
        std::thread::spawn(|| {
            (0..2).for_each(|_| {
                begin();
                userret()
            });
        })
        .join()
        .unwrap();
        (0..3).for_each(|_| {
            begin();
            userret()
        });
        begin();
        take(A, Class::Names); // the older
        take(B, Class::SoLock); // the newer
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the newer
     exclusive rwlock names r = 0 (0x10)
     #0 take(A, Class::Names); // the older
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the newer
     exclusive rwlock names r = 0 (0x10)
     #0 take(A, Class::Names); // the older
     leaked_locks 2 2 at
     take(B, Class::SoLock); // the newer
     sys_test tested
     thread 1 after 5 calls"
);

reports!(
    a_hang_is_at_the_first_that_waits,
    {
        set_finding_hook(|finding| eprintln!("{} {}", finding.check.name(), finding.at));
        begin();
        sleep(A, WaitsFor::Wakeup, 0); // the first
        report_hang(Duration::from_millis(1));
    },
    "witness: no call returned for 1ms
     Thread 1 (sys_test) waits for a wake-up on 0x10 at sleep(A, WaitsFor::Wakeup, 0); // the first
     panic: watchdog  (operation sys_test, backend tested, thread 1)
     hang sleep(A, WaitsFor::Wakeup, 0); // the first"
);

reports!(
    a_panic_with_a_lock,
    {
        begin();
        take(A, Class::SoLock);
        report_panic("why");
    },
    "witness: thread panicked: why
     while holding:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);
     panic: worker  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);"
);

reports!(
    a_panic_with_nothing_held,
    {
        begin();
        userret();
        report_panic("why");
    },
    "witness: thread panicked: why
     panic: worker  (operation none, backend none, thread 1)
     Thread 1 (none)"
);

reports!(
    wrong_data,
    {
        report_data(Check::BytesLost, 3, "tested", "what");
    },
    "witness: bytes_lost: what
     #0 report_data(Check::BytesLost, 3, \"tested\", \"what\");
     panic: data  (operation verify, backend tested, thread 0)"
);

fn pools(in_use: u64) -> [PoolUse; 2] {
    let of = |name, in_use| PoolUse { name, in_use, requests: 12, releases: 12 - in_use };
    [of("file", 0), of("mbuf", in_use)]
}

#[test]
fn empty_pools_are_no_finding() {
    check_pools("tested", &pools(0));
}

reports!(
    a_pool_that_is_not_empty,
    {
        set_finding_hook(|finding| eprintln!("{} {}", finding.count, finding.at));
        check_pools("tested", &pools(5));
    },
    "witness: objects in use after everything was closed:
     Name           InUse    Requests    Releases
     file               0          12          12
     mbuf               5          12           7
     panic: pool  (operation end of run, backend tested, thread 0)
     5 pool mbuf"
);

// ---- threads and their counters ----

#[test]
fn a_number_is_given_again() {
    let numbers = || {
        let first = thread_number();
        assert_eq!((first, thread_number()), (1, 1));
        let of_another = || std::thread::spawn(thread_number).join().unwrap();
        assert_eq!((of_another(), of_another()), (2, 2));
        eprintln!("so it is");
    };
    if let Some((code, said)) = in_child("a_number_is_given_again", numbers) {
        assert_eq!((code, &*said), (Some(0), "so it is\n"));
    }
}

#[test]
fn there_is_no_number_for_one_thread_too_many() {
    let too_many = || {
        let all_there = std::sync::Arc::new(std::sync::Barrier::new(THREADS_MAX + 1));
        for _ in 0..THREADS_MAX {
            let all_there = all_there.clone();
            std::thread::spawn(move || {
                begin();
                all_there.wait();
                sleep_for_good(A, WaitsFor::Lock);
            });
        }
        all_there.wait();
        begin();
    };
    let test = "there_is_no_number_for_one_thread_too_many";
    if let Some((code, said)) = in_child(test, too_many) {
        assert!(said.contains("more than 128 threads use the layer at once"), "{said}");
        assert_eq!(code, Some(101));
    }
}

#[test]
fn progress_is_a_call_that_returns() {
    let alone = || {
        begin();
        let inside = progress();
        assert!(is_stuck(&inside, &progress()));
        userret();
        let outside = progress();
        assert!(outside != inside && !is_stuck(&outside, &progress()));
        begin();
        assert_ne!(progress(), inside);
        userret();
        eprintln!("so it is");
    };
    if let Some((code, said)) = in_child("progress_is_a_call_that_returns", alone) {
        assert_eq!((code, &*said), (Some(0), "so it is\n"));
    }
}

#[test]
fn a_thread_counts_what_it_does() {
    let before = counters();
    take(A, Class::SoLock);
    unlock(A, &Class::SoLock);
    (0..2).for_each(|_| contended(Class::Pool));
    (0..3).for_each(|_| relocked(Class::SoLock));
    (0..4).for_each(|_| retried(Class::SoLock));
    let events = [
        FastEvent::FastSend,
        FastEvent::FastReceive,
        FastEvent::SlowSend,
        FastEvent::SlowReceive,
        FastEvent::GateClosing,
    ];
    for (times, event) in (5..).zip(events) {
        (0..times).for_each(|_| fast_event(event));
    }
    let mut expected = Counters::default();
    let locks = LockCounts { acquisitions: 1, contended: 0, relocks: 3, retries: 4 };
    expected.locks[Class::SoLock as usize] = locks;
    expected.locks[Class::Pool as usize].contended = 2;
    expected.fast_sends = 5;
    expected.fast_receives = 6;
    expected.slow_sends = 7;
    expected.slow_receives = 8;
    expected.gate_closings = 9;
    assert_eq!(counters().since(&before), expected);
    assert_eq!(expected.of(Class::SoLock), locks);
}

/// Counters that are all different.
fn counted(from: u64) -> Counters {
    let mut numbers = from..;
    let mut counters = Counters::default();
    for locks in &mut counters.locks {
        let LockCounts { acquisitions, contended, relocks, retries } = locks;
        for count in [acquisitions, contended, relocks, retries] {
            *count = numbers.next().unwrap();
        }
    }
    let Counters { fast_sends, fast_receives, slow_sends, slow_receives, gate_closings, .. } =
        &mut counters;
    for count in [fast_sends, fast_receives, slow_sends, slow_receives, gate_closings] {
        *count = numbers.next().unwrap();
    }
    counters
}

#[test]
fn counters_are_added_and_subtracted_one_by_one() {
    let (few, many) = (counted(1), counted(1000));
    let difference = many.since(&few);
    let mut sum = few;
    sum.add(&difference);
    assert_eq!(sum, many);
    assert_eq!(difference.locks[3].retries, 999);
    assert_eq!(difference.gate_closings, 999);
}

#[test]
fn acquisitions_are_those_of_locks() {
    let mut counters = Counters::default();
    for class in Class::ALL {
        counters.locks[class as usize].acquisitions = 1 << class as u32;
    }
    // The classes from 1 to 9.
    assert_eq!(counters.acquisitions(), 0b11_1111_1110);
}
