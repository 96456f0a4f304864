//! Locks and the lock-free path.

use super::*;

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
    is_found(here!("a_second_lock_on_the_fast_path"), "taken on the lock-free path", || {
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
