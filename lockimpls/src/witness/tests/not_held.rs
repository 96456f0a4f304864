//! What is given back or asserted without being held.

use super::*;

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
    is_found(here!("an_assertion_of_a_lock_that_is_not_held"), "soassertlocked: vnode", || {
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
