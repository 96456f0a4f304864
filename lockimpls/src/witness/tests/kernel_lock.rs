//! The kernel lock: no order with what may be slept for, before every mutex, given back as any
//! lock.

use super::*;

#[test]
fn it_comes_before_and_after_what_may_be_slept_for() {
    if let Some((code, said)) =
        in_child(here!("it_comes_before_and_after_what_may_be_slept_for"), || {
            begin();
            for class in [Class::Vnode, Class::UnpGcLock, Class::UnpLock, Class::SoLock] {
                take(B, class);
                kernel_lock_wanted(A);
                kernel_lock_taken(A);
                take(C, Class::UnpDfLock);
                take(C + 8, Class::SchedLock);
                for (addr, class) in [(C + 8, Class::SchedLock), (C, Class::UnpDfLock), (B, class)]
                {
                    unlock(addr, &class);
                }
                assert!(has_kernel_lock());
                unkeep(A, Class::KernelLock);
                assert!(!has_kernel_lock());
                userret();
            }
        })
    {
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn it_does_not_come_after_a_mutex() {
    use Class::{FMtx, FdFplock, Pool, SchedLock, UnpRightsMtx};
    let class = [UnpRightsMtx, Pool, FdFplock, FMtx, SchedLock];
    let asked = std::env::var(ASKED).ok().and_then(|number| number.parse::<usize>().ok());
    if let Some(number) = asked {
        child::begin();
        begin();
        take(A, class[number]);
        kernel_lock_wanted(B);
        return;
    }
    let (_, test) = here!("it_does_not_come_after_a_mutex").split_once("::").unwrap();
    for (number, class) in class.iter().enumerate() {
        let (code, said) = child::run(test, ASKED, &number.to_string());
        assert!(said.contains("lock order reversal"), "{class:?}: {said}");
        assert!(said.contains("2nd 0x20 kernel_lock"), "{class:?}: {said}");
        assert_eq!(code, Some(EXIT_FINDING));
    }
}

#[test]
fn nothing_comes_after_the_mutexes_around_the_layer() {
    is_found(
        here!("nothing_comes_after_the_mutexes_around_the_layer"),
        "lock order reversal",
        || {
            begin();
            take(A, Class::FdFplock);
            take(B, Class::SoLock);
        },
    );
}

#[test]
fn it_is_not_kept_to_the_end_of_a_call() {
    is_found(here!("it_is_not_kept_to_the_end_of_a_call"), "exclusive kernel_lock", || {
        begin();
        kernel_lock_taken(A);
        userret();
    });
}

#[test]
fn nobody_sleeps_with_it() {
    is_found(here!("nobody_sleeps_with_it"), "sleeping with the following locks held", || {
        begin();
        kernel_lock_taken(A);
        sleep(B, WaitsFor::Wakeup, 0);
    });
}

#[test]
fn whoever_has_it_not_cannot_give_it_back() {
    is_found(here!("whoever_has_it_not_cannot_give_it_back"), "not locked", || {
        begin();
        assert_kept(A, Class::KernelLock);
    });
}

#[test]
fn it_is_not_taken_on_the_lock_free_path() {
    is_found(here!("it_is_not_taken_on_the_lock_free_path"), "taken on the lock-free path", || {
        enter_fast(begin(), A);
        kernel_lock_wanted(B);
    });
}
