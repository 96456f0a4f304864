//! Sleeps with something held, and hangs.

use super::*;

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
    is_asleep(here!("a_sleep_with_a_reference"), || {
        keep(A, Class::UnpRef);
        sleep(C, WaitsFor::Wakeup, 0);
    });
}

#[test]
fn a_parting_with_a_lock() {
    is_asleep(here!("a_parting_with_a_lock"), || {
        take(A, Class::SoLock);
        take(B, Class::SoLock);
        sleep(C, WaitsFor::Link, A);
    });
}

#[test]
fn a_parting_with_a_reference() {
    is_asleep(here!("a_parting_with_a_reference"), || {
        take(A, Class::SoLock);
        keep(B, Class::UnpRef);
        sleep(C, WaitsFor::Link, A);
    });
}

#[test]
fn a_sender_at_its_peer_with_the_right_to_send() {
    is_asleep(here!("a_sender_at_its_peer_with_the_right_to_send"), || {
        take(A, Class::SbLock);
        take(B, Class::SbMtxRcv);
        keep(C, Class::UnpRef);
        sleep(C, WaitsFor::Side, B);
    });
}

#[test]
fn a_sleep_on_the_fast_path() {
    is_asleep(here!("a_sleep_on_the_fast_path"), || {
        enter_fast(begin(), A);
        sleep(C, WaitsFor::Wakeup, A);
    });
}

reports!(
    a_hang,
    {
        begin();
        // One after the other, so that their numbers are 2 to 6.
        use WaitsFor::{Gate, Link, Lock, References, Wakeup};
        let kinds = [Lock, Wakeup, Gate, References, Link];
        for (number, kind) in (2..).zip(kinds) {
            std::thread::spawn(move || {
                if kind != WaitsFor::Lock {
                    enter(&TEST);
                }
                sleep_for_good(number as usize, kind);
            });
            await_that(|| is_waiting(number));
        }
        assert!(!is_waiting(0) && !is_waiting(1) && !is_waiting(7));
        report_hang(Duration::from_secs(7));
    },
    "witness: no call returned for 7s
     Thread 1 (sys_test)
     Thread 2 (none) waits for the lock 0x2 at sleep_for_good(number as usize, kind);
     Thread 3 (sys_test) waits for a wake-up on 0x3 at sleep_for_good(number as usize, kind);
     Thread 4 (sys_test) waits for threads to leave the lock-free path of 0x4 at sleep_for_good(number as usize, kind);
     Thread 5 (sys_test) waits for references on 0x5 at sleep_for_good(number as usize, kind);
     Thread 6 (sys_test) waits to part at 0x6 at sleep_for_good(number as usize, kind);
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
