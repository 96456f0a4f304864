//! What is allowed, and the tables and lists by themselves.

use super::*;

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
fn sockets_are_locked_in_the_order_of_their_numbers() {
    take(A, Class::Names);
    check_first(C);
    unlock(A, &Class::Names);
    take(C, Class::SoLock);
    take_by(B, Class::SoLock, Edge::Numbered { lower: C, rises: true });
    take_by(A, Class::SoLock, Edge::Numbered { lower: C, rises: true });
    take(A, Class::SbMtxRcv);
    unlock(A, &Class::SbMtxRcv);
    for addr in [B, A, C] {
        unlock(addr, &Class::SoLock);
    }
}

#[test]
fn an_edge_leads_from_one_lock_to_that_of_many() {
    take(C, Class::Vnode);
    take(B, Class::SoLock);
    take_by(A, Class::UnpLock, Edge::Switch { from: B });
    unlock(B, &Class::SoLock);
    take(B, Class::SoLock);
    for (addr, class) in [(A, Class::UnpLock), (B, Class::SoLock), (C, Class::Vnode)] {
        unlock(addr, &class);
    }
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
fn a_sender_keeps_a_reference_in_its_sleep() {
    let me = begin();
    take(A, Class::SbMtxRcv);
    keep(B, Class::UnpRef);
    sleep(C, WaitsFor::Side, A);
    assert!(awaits_wakeup(me));
    awake();
    unkeep(B, Class::UnpRef);
    unlock(A, &Class::SbMtxRcv);
    userret();
}

#[test]
fn a_parting_keeps_a_flag_in_its_sleep() {
    begin();
    take(A, Class::SoLock);
    keep(B, Class::Sblock);
    sleep(C, WaitsFor::Link, A);
    awake();
    unkeep(B, Class::Sblock);
    unlock(A, &Class::SoLock);
    userret();
}

#[test]
fn a_parting_keeps_the_right_to_send_in_its_sleep() {
    begin();
    take(B, Class::SbLock);
    take(A, Class::SoLock);
    sleep(C, WaitsFor::Link, A);
    awake();
    unlock(A, &Class::SoLock);
    unlock(B, &Class::SbLock);
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
    let is_near_top = || [A, B, C].map(|addr| list.is_near_top(addr));
    assert_eq!(is_near_top(), [false; 3]);
    lock(A, Class::Names);
    assert_eq!(is_near_top(), [true, false, false]);
    lock(B, Class::SoLock);
    assert_eq!(is_near_top(), [true, true, false]);
    let entries: Vec<_> = list.entries().map(|held| (held.class, held.addr)).collect();
    assert_eq!(entries, [(Class::Names as u8, A), (Class::SoLock as u8, B)]);
    lock(C, Class::Pool);
    assert_eq!(is_near_top(), [false, true, true]);
    assert!(!list.pop(B) && list.pop(C));
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
        ("sbuf", "rwlock", true),
        ("fdplock", "rwlock", true),
        ("names", "rwlock", true),
        ("vnode", "rwlock", true),
        ("unpgc", "rwlock", true),
        ("unplock", "rwlock", true),
        ("solock", "rwlock", true),
        ("unpgc_inner", "rwlock", true),
        ("unpdf", "rwlock", true),
        ("accept_mtx", "rwlock", true),
        ("sbrcv", "mutex", true),
        ("sbsnd", "mutex", true),
        ("unp_rights", "mutex", true),
        ("pool", "mutex", true),
        ("sblock", "flag", false),
        ("in_use", "flag", false),
        ("unp_ref", "reference", false),
        ("kernel_lock", "kernel_lock", true),
        ("fd_fplock", "mutex", true),
        ("f_mtx", "mutex", true),
        ("sched_lock", "sched_lock", true),
        ("unpdisc", "mutex", true),
        ("own1", "rwlock", true),
        ("own2", "rwlock", true),
        ("own3", "rwlock", true),
        ("own4", "rwlock", true),
    ];
    assert_eq!(Class::ALL.map(|class| (class.name(), class.kind(), class.is_lock())), expected);
    for (index, class) in Class::ALL.into_iter().enumerate() {
        assert_eq!((class as usize, Class::from_rank(class as u8)), (index + 1, class));
        let same = Class::ALL.iter().filter(|other| other.name() == class.name());
        assert_eq!(same.count(), 1, "{}", class.name());
    }
}

#[test]
fn a_class_of_another_crate_is_called_what_that_says() {
    // No other test looks at the last one's name, but whether it is one.
    let class = Class::Own3;
    for bad in ["", "a b", "own2", "solock"] {
        assert!(class.declare(bad).is_err(), "{bad:?}");
    }
    assert!(Class::SoLock.declare("mine").unwrap_err().contains("Own1 to Own4"));
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
