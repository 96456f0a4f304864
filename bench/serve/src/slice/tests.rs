//! Slices in this process, of one lane or of none.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use lockimpls::{Errno, witness};
use results::Cell;

use super::*;
use crate::cpus::Cpus;
use crate::job::{Job, job};
use crate::pool::Pin;
use crate::watchdog;

fn outcome(operations: u64, interval_ns: u64) -> Outcome {
    let counters = witness::Counters::default();
    let lane = Lane { operations, interval_ns, counters, allocations: 0, latencies: None };
    let lanes = vec![LaneOutcome { lane, sums: LaneSums::default(), counts: true }];
    let (noise, started) = (HostNoise::default(), SystemTime::UNIX_EPOCH);
    Outcome { lanes, noise, started, complete: true }
}

#[test]
fn a_slice_that_a_lane_slept_through_was_not_run() {
    assert!(outcome(5, 0).was_not_run());
    assert!(!outcome(0, 5).was_not_run(), "that nothing was done is a measured value");
    assert!(!outcome(5, 5).was_not_run());
}

fn of_pairs() -> Job {
    let cell = Cell {
        backend: "global".to_owned(),
        workload: "pairs".to_owned(),
        socket_type: "stream".to_owned(),
        message_bytes: 64,
        threads: 1,
        wait: "park".to_owned(),
        ..Cell::default()
    };
    job(&cell, 1).expect("a cell")
}

/// What a slice of so many milliseconds says, in a layer with room for so many files.
fn ran(
    measure: Measure,
    ms: u64,
    maxfiles: usize,
    interrupt: &Interrupt,
) -> Result<Outcome, String> {
    let job = of_pairs();
    let process = Process {
        clock: Clock::new(),
        interrupt: interrupt.clone(),
        watchdog: Watchdog::start(watchdog::LIMIT).expect("a thread"),
    };
    let allowed = Cpus::allowed().expect("CPUs");
    job.case.run(&Slice {
        lanes: &Lanes::start(1, &allowed, Pin::None).expect("a thread"),
        plan: &job.plan,
        config: &Config { maxfiles, ..job.config.clone() },
        measure,
        warm_up: Duration::ZERO,
        measured: Duration::from_millis(ms),
        process: &process,
    })
}

#[test]
fn what_a_layer_refuses_is_told_by_the_name_of_its_error() {
    // A pair has two files.
    let refused = ran(Measure::Throughput, 1, 1, &Interrupt::default());
    let refused = refused.expect_err("no room for a pair");
    let begin = "pairs on global: its sockets could not be opened: ";
    assert_eq!(refused.strip_prefix(begin), Some(Errno::Emfile.name()), "{refused}");
}

#[test]
fn a_slice_is_of_its_measure_and_says_what_the_machine_did() {
    for measure in [Measure::Throughput, Measure::Latency] {
        let before = SystemTime::now();
        // A busy machine may let the lane sleep through one.
        let outcome = (0..100)
            .map(|_| ran(measure, 20, 2, &Interrupt::default()).expect("measured"))
            .find(|outcome| !outcome.was_not_run())
            .expect("one of many is run");
        assert!(outcome.complete && outcome.operations() > 0 && outcome.started >= before);
        assert_eq!(outcome.noise.on_cpu_share_min.is_some(), cfg!(target_os = "linux"));
        let [lane] = &outcome.lanes[..] else { panic!("{} lanes", outcome.lanes.len()) };
        assert!(lane.counts && lane.sums.messages_sent >= lane.lane.operations);
        assert_eq!(lane.lane.latencies.is_some(), measure == Measure::Latency);
    }
}

#[test]
fn a_slice_is_flagged_where_a_lane_slept_through_it() {
    let outcome = (0..1_000)
        .map(|_| ran(Measure::Throughput, 0, 2, &Interrupt::default()).expect("measured"))
        .inspect(|outcome| assert!(outcome.noise.flagged || !outcome.was_not_run()))
        .find(Outcome::was_not_run);
    assert!(outcome.is_some(), "no time is enough to be seen");
}

#[test]
fn a_slice_that_was_interrupted_is_checked_and_is_not_complete() {
    let interrupt = Interrupt::default();
    interrupt.set();
    assert!(!ran(Measure::Throughput, 60_000, 2, &interrupt).expect("measured").complete);
}

#[test]
fn no_lane_begins_before_all_are_ready() {
    let job = of_pairs();
    let process = Process {
        clock: Clock::new(),
        interrupt: Interrupt::default(),
        watchdog: Watchdog::start(watchdog::LIMIT).expect("a thread"),
    };
    let allowed = Cpus::allowed().expect("CPUs");
    let slice = Slice {
        lanes: &Lanes::start(2, &allowed, Pin::None).expect("threads"),
        plan: &job.plan,
        config: &job.config,
        measure: Measure::Throughput,
        warm_up: Duration::ZERO,
        measured: Duration::ZERO,
        process: &process,
    };
    // Relaxed: the barrier orders it.
    let (phase, arrived) = (Phase::new(), AtomicU64::new(0));
    let start = Start { phase: &phase, clock: &process.clock, slice: &slice };
    let seen = drive(start, &|lane, ready| {
        thread::sleep(Duration::from_millis(50 * lane as u64));
        arrived.fetch_add(1, Relaxed);
        ready.wait();
        let LaneOutcome { lane, sums, .. } = outcome(arrived.load(Relaxed), 1).lanes.remove(0);
        (lane, sums)
    });
    assert!(seen.lanes.iter().all(|lane| lane.lane.operations == 2), "{:?}", seen.lanes);
}

#[test]
fn what_counts_and_what_takes_stamps_are_two_functions() {
    let [counting, stamping] = (of_pairs().case.workload.code)();
    assert!(counting.min(stamping) > 1 && counting != stamping);
}

#[test]
fn operations_are_those_of_every_lane_that_counts_each_in_its_own_time() {
    let mut all = outcome(3, 1_000_000_000);
    all.lanes.extend(outcome(8, 500_000_000).lanes);
    all.lanes.extend(outcome(100, 0).lanes);
    all.lanes[2].counts = false;
    assert_eq!((all.operations(), all.operations_per_second()), (11, 19.0));
    assert!(!all.was_not_run(), "one that does not count may sleep");
    all.lanes.swap(0, 2);
    assert_eq!((all.operations(), all.operations_per_second()), (11, 19.0));
    all.lanes[0].counts = true;
    assert!(all.was_not_run(), "one of several is enough");
}
