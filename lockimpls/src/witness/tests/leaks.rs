//! What a call leaves behind.

use super::*;

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
    is_found(here!("more_than_there_is_place_for"), "witness: more than 14 locks held", || {
        for addr in 1..=HELD_MAX + 1 {
            take(addr, Class::SoLock);
        }
    });
}
