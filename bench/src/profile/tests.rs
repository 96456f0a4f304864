//! What the rounds say against what they were made of.

use lockimpls::witness::{CLASSES, LockCounts};
use profiled::Times;
use results::{Cell, HostNoise};
use workloads::LaneSums;

use super::*;
use crate::cpus::Cpus;
use crate::interrupt::Interrupt;
use crate::job::job;
use crate::meter::Lane;
use crate::pool::Pin;
use crate::slice::LaneOutcome;
use crate::watchdog::{self, Watchdog};

fn cell(workload: &str, backend: &str, threads: u32) -> Cell {
    Cell {
        backend: backend.to_owned(),
        workload: workload.to_owned(),
        socket_type: "stream".to_owned(),
        message_bytes: 64,
        threads,
        wait: "park".to_owned(),
        ..Cell::default()
    }
}

fn process() -> Process {
    Process {
        clock: Clock::new(),
        interrupt: Interrupt::default(),
        watchdog: Watchdog::start(watchdog::LIMIT).expect("a thread"),
    }
}

/// A place with so many acquisitions and waits of a nanosecond each, and more of all else.
fn place(class: Class, at: &str, [holds, waits]: [u64; 2]) -> Place {
    let times = |count| Times { count, min_ns: 1, max_ns: 1, total_ns: count };
    Place {
        class,
        at: at.to_owned(),
        hold: times(holds),
        acq_bounces: 10 * holds,
        wait: times(waits),
        con_bounces: 20 * waits,
        relocks: 30 * holds,
        retries: 40 * holds,
        saved: 50 * holds,
    }
}

fn counted(class: Class, acquisitions: u64, contended: u64) -> Counters {
    let mut locks = [LockCounts::default(); CLASSES];
    locks[class as usize] = LockCounts {
        acquisitions,
        contended,
        relocks: 30 * acquisitions,
        retries: 40 * acquisitions,
        saved: 50 * acquisitions,
        ..LockCounts::default()
    };
    Counters { locks, ..Counters::default() }
}

#[test]
fn a_profile_that_is_not_what_the_layer_counted_is_refused() {
    let places = vec![place(Class::SoLock, "a:1", [3, 1]), place(Class::SoLock, "b:2", [4, 1])];
    let profile = Profile { places, ..Profile::default() };
    assert_eq!(disagreement(&counted(Class::SoLock, 7, 2), &profile), None);
    let wrong = disagreement(&counted(Class::SoLock, 8, 2), &profile).unwrap();
    assert_eq!(wrong, "the profile has 7 acquisitions of solock, the layer counted 8");
    let wrong = disagreement(&counted(Class::SoLock, 7, 3), &profile).unwrap();
    assert!(wrong.starts_with("the profile has 2 contentions of solock"), "{wrong}");
    assert!(disagreement(&counted(Class::Pool, 1, 0), &Profile::default()).is_some());
    type Change = fn(&mut LockCounts);
    let changes: [(&str, Change); 3] = [
        ("210 relocks", |counts| counts.relocks += 1),
        ("280 retries", |counts| counts.retries += 1),
        ("350 saved relocks", |counts| counts.saved += 1),
    ];
    for (what, change) in changes {
        let mut counters = counted(Class::SoLock, 7, 2);
        change(&mut counters.locks[Class::SoLock as usize]);
        let wrong = disagreement(&counters, &profile).unwrap();
        assert!(wrong.starts_with(&format!("the profile has {what} of solock")), "{wrong}");
    }
}

#[test]
fn a_line_has_what_its_places_have_each_in_its_field() {
    let job = job(&cell("duplex", "global", 2), 1).expect("a cell");
    let places = vec![place(Class::SoLock, "a:1", [3, 1]), place(Class::SoLock, "b:2", [4, 2])];
    let gathered = Gathered {
        profile: Profile { places, ..Profile::default() },
        operations: 1,
        slices: Slices { kept: 1, ..Slices::default() },
        ..Gathered::default()
    };
    let records = records(&job, &gathered, Cost::default(), &results::Host::default());
    let records = records.expect("lines");
    let results::Record::Profile(line) = &records[0] else { panic!("{records:?}") };
    let expected = results::Events {
        acquisitions: 7,
        contentions: 3,
        acq_bounces: 70,
        con_bounces: 60,
        relocks: 210,
        retries: 280,
        saved: 350,
        wait_ns: results::Times::new(3, [1, 1], 3),
        hold_ns: results::Times::new(7, [1, 1], 7),
    };
    assert_eq!(line.events, expected);
    assert_eq!(line.sites.len(), 2);
    records[0].to_line().expect("its places add up to it");
}

#[test]
fn what_the_host_disturbed_is_left_out_unless_there_is_nothing_else() {
    let time = Duration::from_millis(20);
    let slice = |share: f64, operations| {
        let counters = counted(Class::SoLock, 3, 1);
        let lane = Lane { operations, interval_ns: 100, counters, allocations: 0, latencies: None };
        let lane = LaneOutcome { lane, sums: LaneSums::default(), counts: true };
        let noise = HostNoise { on_cpu_share_min: Some(share), ..HostNoise::default() };
        let (started, complete) = (SystemTime::UNIX_EPOCH, true);
        let outcome = Outcome { lanes: vec![lane], noise, started, complete };
        let places = vec![place(Class::SoLock, "a:1", [3, 1])];
        (outcome, Profile { places, ..Profile::default() })
    };
    let add = |gathered: &mut Gathered, (outcome, profile), may_repeat| {
        gathered.add(outcome, profile, time, may_repeat)
    };
    let mut busy = Gathered::default();
    assert!(!add(&mut busy, slice(0.5, 1), true));
    assert!(!add(&mut busy, slice(0.5, 2), false));
    assert_eq!((busy.operations, busy.slices.repeated, busy.slices.given_up), (0, 1, 1));
    busy.conclude();
    assert_eq!((busy.operations, busy.wall_ns, busy.slices.kept), (3, 200, 0));
    assert_eq!((busy.slices.repeated, busy.slices.given_up), (1, 1));
    let mut quiet = Gathered::default();
    assert!(add(&mut quiet, slice(1.0, 3), true));
    assert!(!add(&mut quiet, slice(0.5, 4), true));
    assert!(add(&mut quiet, slice(1.0, 5), true));
    quiet.conclude();
    assert_eq!((quiet.operations, quiet.wall_ns, quiet.slices.kept), (8, 200, 2));
    assert_eq!(quiet.profile.places[0].hold.count, 6);
    assert_eq!(disagreement(&quiet.counters, &quiet.profile), None);
}

#[test]
fn the_lines_of_a_round_add_up() {
    let process = process();
    let lanes = Lanes::start(2, &Cpus::allowed().unwrap(), Pin::None).expect("threads");
    for backend in lockimpls::backends().iter().filter(|backend| backend.modelled) {
        let job = job(&cell("duplex", backend.name, 2), 1).expect("a cell");
        let mut gathered = Gathered::default();
        gathered.round(&job, &lanes, Duration::from_millis(10), &process).expect("a round");
        gathered.conclude();
        let cost = Cost { lock_ns: 5.0, profiling_ns: 40.0 };
        let records = records(&job, &gathered, cost, &results::Host::default()).expect("lines");
        let Some((results::Record::Split(split), classes)) = records.split_last() else {
            panic!("{records:?}")
        };
        let apart = split.ns_per_operation.total() / split.wall_ns_per_operation - 1.0;
        assert!(apart.abs() <= 0.05, "{split:?}");
        for class in Class::ALL.into_iter().filter(|class| class.is_lock()) {
            let counted = gathered.counters.of(class);
            let line = classes.iter().find_map(|record| match record {
                results::Record::Profile(line) if line.class == class.name() => Some(line),
                _ => None,
            });
            let has = line.map_or([0; 5], |it| {
                let results::Events { acquisitions, contentions, .. } = it.events;
                [acquisitions, contentions, it.events.relocks, it.events.retries, it.events.saved]
            });
            let LockCounts { acquisitions, contended, relocks, retries, saved, .. } = counted;
            if acquisitions > 0 {
                let counted = [acquisitions, contended, relocks, retries, saved];
                assert_eq!(has, counted, "{} {class:?}", backend.name);
            }
        }
        let waited: u64 = gathered.profile.places.iter().map(|place| place.wait.total_ns).sum();
        let spent = gathered.profile.spent.of(profiled::Part::Wait);
        // Each sum is rounded down to whole nanoseconds once.
        let roundings = 4 * gathered.profile.places.len() as u64 + 4 * 2;
        assert!(waited.abs_diff(spent) <= roundings, "{waited} {spent}");
        for record in &records {
            results::Record::from_line(&record.to_line().expect("a line")).expect("a record");
        }
    }
}

#[test]
fn a_profile_costs_something_that_is_measured() {
    let lanes = Lanes::start(1, &Cpus::allowed().unwrap(), Pin::None).expect("a thread");
    let cost = cost(&lanes, Algorithm::default(), &process());
    assert!(cost.lock_ns > 0.0 && cost.profiling_ns.is_finite(), "{cost:?}");
}
