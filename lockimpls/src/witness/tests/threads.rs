//! Numbers of threads, and their counters.

use super::*;

#[test]
fn a_number_is_given_again() {
    let numbers = || {
        let first = thread_number();
        assert_eq!((first, thread_number()), (1, 1));
        let of_another = || std::thread::spawn(thread_number).join().unwrap();
        assert_eq!((of_another(), of_another()), (2, 2));
        eprintln!("so it is");
    };
    if let Some((code, said)) = in_child(here!("a_number_is_given_again"), numbers) {
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
    let test = here!("there_is_no_number_for_one_thread_too_many");
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
    if let Some((code, said)) = in_child(here!("progress_is_a_call_that_returns"), alone) {
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
    (0..10).for_each(|_| relock_saved(Class::SoLock));
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
    let locks =
        LockCounts { acquisitions: 1, shared: 0, contended: 0, relocks: 3, retries: 4, saved: 10 };
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
        let LockCounts { acquisitions, shared, contended, relocks, retries, saved } = locks;
        for count in [acquisitions, shared, contended, relocks, retries, saved] {
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
    assert_eq!((difference.locks[3].retries, difference.locks[3].saved), (999, 999));
    assert_eq!(difference.gate_closings, 999);
}

#[test]
fn acquisitions_are_those_of_locks() {
    let mut counters = Counters::default();
    for class in Class::ALL {
        counters.locks[class as usize].acquisitions = 1 << class as u32;
    }
    // The classes from 1 to 14, and from 18 to 26.
    assert_eq!(counters.acquisitions(), 0b111_1111_1100_0111_1111_1111_1110);
}

/// Asks for the thread's number when the thread's own destructors run.
struct Late(std::sync::Arc<std::sync::Mutex<Option<bool>>>);

impl Drop for Late {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = Some(std::panic::catch_unwind(thread_number).is_err());
    }
}

std::thread_local! {
    static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_thread_that_was_asked_at_its_end_is_not_listed_again() {
    let alone = || {
        let is_refused = std::sync::Arc::new(std::sync::Mutex::new(None));
        let of_thread = is_refused.clone();
        std::thread::spawn(move || {
            // Made before the number, and so dropped after the check at the end.
            LATE.with(|late| *late.borrow_mut() = Some(Late(of_thread)));
            thread_number();
        })
        .join()
        .unwrap();
        assert_eq!(*is_refused.lock().unwrap(), Some(true));
        assert_eq!(show_all_locks(), "");
        eprintln!("so it is");
    };
    let test = here!("a_thread_that_was_asked_at_its_end_is_not_listed_again");
    if let Some((code, said)) = in_child(test, alone) {
        assert_eq!(code, Some(0), "{said}");
        assert!(said.ends_with("so it is\n"), "{said}");
    }
}
