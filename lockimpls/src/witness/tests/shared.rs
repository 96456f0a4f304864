//! A lock of two modes.

use super::*;

/// Takes a lock in shared mode as `SharedLock` does.
#[track_caller]
fn take_shared(addr: usize, class: Class) {
    checkorder(addr, &class, Edge::None);
    lock_shared(addr, class);
}

#[test]
fn any_two_sockets_are_locked_with_all_connections() {
    take(C, Class::UnpLock);
    take_by(B, Class::SoLock, Edge::Linked { link: C });
    take_by(A, Class::SoLock, Edge::Linked { link: C });
    for (addr, class) in [(C, Class::UnpLock), (A, Class::SoLock), (B, Class::SoLock)] {
        unlock(addr, &class);
    }
    userret();
}

#[test]
fn whoever_reads_holds_it_too() {
    take_shared(A, Class::UnpLock);
    take(A + 1, Class::SoLock);
    assert!(is_held(A));
    assert_held(A, &Class::UnpLock);
    unlock_shared(A, &Class::UnpLock);
    assert!(!is_held(A));
    unlock(A + 1, &Class::SoLock);
    take(A, Class::UnpLock);
    assert_held_alone(A, &Class::UnpLock);
    unlock(A, &Class::UnpLock);
    userret();
}

reports!(
    a_lock_shared_twice,
    {
        take_shared(A, Class::UnpLock); // the first
        take_shared(A, Class::UnpLock);
    },
    "witness: locking against myself: exclusive rwlock unplock (0x10)
     #0 take_shared(A, Class::UnpLock);
     first acquired at:
     #0 take_shared(A, Class::UnpLock); // the first
     panic: rw_enter: unplock locking against myself  (operation none, backend none, thread 0)"
);

reports!(
    an_upgrade,
    {
        take_shared(A, Class::UnpLock); // the first
        take(A, Class::UnpLock);
    },
    "witness: locking against myself: exclusive rwlock unplock (0x10)
     #0 take(A, Class::UnpLock);
     first acquired at:
     #0 take_shared(A, Class::UnpLock); // the first
     panic: rw_enter: unplock locking against myself  (operation none, backend none, thread 0)"
);

reports!(
    a_shared_lock_after_a_socket,
    {
        take(A, Class::SoLock); // the first
        take_shared(B, Class::UnpLock);
    },
    "witness: lock order reversal:
     1st 0x10 solock (solock)
     2nd 0x20 unplock (unplock)
     lock order \"unplock\"(rwlock) -> \"solock\"(rwlock): lower rank first
     #0 take_shared(B, Class::UnpLock);
     1st acquired at:
     #0 take(A, Class::SoLock); // the first
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_shared_lock_that_leaks,
    {
        begin();
        take_shared(A, Class::UnpLock);
        userret();
    },
    "witness: userret: returning with the following locks held:
     shared rwlock unplock r = 0 (0x10)
     #0 take_shared(A, Class::UnpLock);
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     shared rwlock unplock r = 0 (0x10)
     #0 take_shared(A, Class::UnpLock);"
);

reports!(
    two_sockets_with_all_connections_shared,
    {
        take_shared(C, Class::UnpLock);
        take_by(B, Class::SoLock, Edge::Linked { link: C });
    },
    "witness: socket locked beside another without all connections (0x30)
     #0 take_by(B, Class::SoLock, Edge::Linked { link: C });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    two_sockets_without_the_connections,
    {
        take_by(B, Class::SoLock, Edge::Linked { link: C });
    },
    "witness: socket locked beside another without all connections (0x30)
     #0 take_by(B, Class::SoLock, Edge::Linked { link: C });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    the_wrong_unlock_of_a_shared_lock,
    {
        take_shared(A, Class::UnpLock);
        assert_mode(A, &Class::UnpLock, Mode::Exclusive);
    },
    "witness: exclusive unlock of shared (rwlock) unplock (0x10)
     #0 assert_mode(A, &Class::UnpLock, Mode::Exclusive);
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    the_wrong_unlock_of_an_exclusive_lock,
    {
        take(A, Class::UnpLock);
        unlock_shared(A, &Class::UnpLock);
    },
    "witness: shared unlock of exclusive (rwlock) unplock (0x10)
     #0 unlock_shared(A, &Class::UnpLock);
     panic: witness_unlock  (operation none, backend none, thread 0)"
);

reports!(
    a_write_with_a_shared_lock,
    {
        take_shared(A, Class::UnpLock);
        assert_held_alone(A, &Class::UnpLock);
    },
    "witness: rw_assert_wrlock: unplock (0x10) is held in shared mode
     #0 assert_held_alone(A, &Class::UnpLock);
     panic: splassert  (operation none, backend none, thread 0)"
);
