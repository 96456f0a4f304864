//! By a clock that only the tests move every sum is known.

use lockimpls::raw::RawMutex;
use lockimpls::witness::show_all_locks;
use lockimpls::{DefaultRaw, RwLock};
use quanta::Mock;
use std::sync::Arc;

use super::*;
use crate::Profiled;

type Lock = RwLock<Profiled<DefaultRaw>>;

/// Times of this many, all of them together, the shortest and the longest.
fn times(count: u64, total_ns: u64, [min_ns, max_ns]: [u64; 2]) -> Times {
    Times { count, min_ns, max_ns, total_ns }
}

/// What was spent, in the order of [`Part::ALL`].
fn spent(profile: &Profile) -> [u64; 6] {
    Part::ALL.map(|part| profile.spent.of(part))
}

/// The places of a class, in the order of the source.
fn places(profile: &Profile, class: Class) -> Vec<&Place> {
    let mut places: Vec<&Place> =
        profile.places.iter().filter(|place| place.class == class).collect();
    let line = |place: &&Place| place.at.rsplit(':').next().and_then(|line| line.parse().ok());
    places.sort_by_key(line as fn(&&Place) -> Option<u32>);
    places
}

fn pass(mock: &Arc<Mock>, ns: u64) {
    mock.increment(ns);
}

#[test]
fn every_moment_is_in_one_part() {
    let (clock, mock) = Clock::mock();
    let (first, second) = (Lock::new(Class::UnpLock), Lock::new(Class::SoLock));
    begin(clock);
    pass(&mock, 3); // rest
    first.enter();
    pass(&mock, 5); // held
    second.enter();
    pass(&mock, 7); // held, both
    note(Event::Copy);
    pass(&mock, 11); // a copy under locks is a copy
    note(Event::Copied);
    second.exit();
    pass(&mock, 13); // held
    first.exit();
    note(Event::Copy);
    pass(&mock, 17); // a copy
    note(Event::Copied);
    first.enter();
    note(Event::Sleep);
    pass(&mock, 19); // held until it is released
    first.exit();
    pass(&mock, 23); // parked
    first.enter();
    note(Event::Awake);
    first.exit();
    pass(&mock, 29); // rest
    let profile = take().unwrap();
    // Wait, copy, relock, hold, parked, rest.
    assert_eq!(spent(&profile), [0, 28, 0, 44, 23, 32]);
    assert_eq!(profile.spent.total(), 3 + 5 + 7 + 11 + 13 + 17 + 19 + 23 + 29);
    let held = places(&profile, Class::UnpLock);
    assert_eq!(held.len(), 3, "a place each");
    assert_eq!(held[0].hold, times(1, 36, [36, 36]));
    assert_eq!(held[1].hold, times(1, 19, [19, 19]));
    assert_eq!(places(&profile, Class::SoLock)[0].hold, times(1, 18, [18, 18]));
    assert!(held[0].at.contains("recorder/tests.rs:"), "{}", held[0].at);
    assert!(take().is_none(), "it is over");
}

#[test]
fn a_wait_is_the_waiters_and_a_bounce_is_told() {
    let (clock, mock) = Clock::mock();
    let lock = Lock::new(Class::SoLock);
    let waits = format!(" {:#x} at ", lock.addr());
    begin(clock.clone());
    lock.enter();
    let other = std::thread::scope(|threads| {
        let other = threads.spawn(|| {
            begin(clock);
            lock.enter();
            lock.exit();
            lock.enter();
            lock.exit();
            take().unwrap()
        });
        let is_waiting = |line: &str| line.contains(" waits ") && line.contains(&waits);
        while !show_all_locks().lines().any(is_waiting) {
            std::thread::yield_now();
        }
        pass(&mock, 31);
        lock.exit();
        other.join().unwrap()
    });
    let mut mine = take().unwrap();
    assert_eq!(mine.places[0].hold, times(1, 31, [31, 31]));
    assert_eq!((mine.places[0].wait.count, mine.places[0].acq_bounces), (0, 0));
    let [waited, again] = places(&other, Class::SoLock)[..] else { panic!("{other:?}") };
    assert_eq!((waited.wait, waited.con_bounces), (times(1, 31, [31, 31]), 1));
    assert_eq!((waited.acq_bounces, waited.hold), (1, times(1, 0, [0, 0])));
    assert_eq!((again.acq_bounces, again.wait.count), (0, 0), "it had it before");
    assert_eq!(spent(&other), [31, 0, 0, 0, 0, 0]);
    let (_, histograms) = &other.histograms[0];
    assert_eq!((histograms.wait.len(), histograms.wait.max()), (1, 31));
    mine.add(other);
    let sum = |of: fn(&Place) -> u64| mine.places.iter().map(of).sum::<u64>();
    assert_eq!((sum(|place| place.hold.count), sum(|place| place.wait.total_ns)), (3, 31));
    assert_eq!((mine.histograms.len(), mine.histograms[0].1.hold.len()), (1, 3));
    assert_eq!(mine.spent.total(), 62);
}

#[test]
fn a_relock_lasts_until_a_lock_is_released_and_its_wait_is_a_wait() {
    let (clock, mock) = Clock::mock();
    let lock = Lock::new(Class::SoLock);
    begin(clock);
    lock.enter();
    lock.exit();
    note(Event::Relock);
    pass(&mock, 3);
    wanted(true);
    pass(&mock, 5);
    lock.enter();
    pass(&mock, 7);
    lock.exit();
    pass(&mock, 11);
    let profile = take().unwrap();
    assert_eq!(spent(&profile), [5, 0, 10, 0, 0, 11]);
}

#[test]
fn what_was_before_it_begins_anew_and_after_its_end_is_left_out() {
    let (clock, mock) = Clock::mock();
    let lock = Lock::new(Class::SoLock);
    begin(clock);
    lock.enter();
    pass(&mock, 40);
    lock.exit();
    restart();
    pass(&mock, 2);
    finish();
    lock.enter();
    pass(&mock, 50);
    lock.exit();
    let profile = take().unwrap();
    assert_eq!(profile.spent.total(), 2);
    assert!(profile.places.is_empty() && profile.histograms.is_empty(), "{profile:?}");
}

#[test]
fn a_thread_without_a_profile_takes_such_a_lock_as_any() {
    let lock = Lock::new(Class::SoLock);
    lock.enter();
    assert!(lock.is_mine());
    lock.exit();
    assert!(lock.try_enter());
    lock.exit();
    assert!(take().is_none());
    assert_eq!(Profiled::<DefaultRaw>::ALGORITHM, DefaultRaw::ALGORITHM);
}
