//! The line of a party, from slices in which no two numbers are alike.

use super::*;
use crate::turns::disturbed::Signs;

/// A latency whose values are so many times `value_ns`.
fn latency(value_ns: u64, count: u64) -> Latency {
    let mut recorded = histogram::new();
    recorded.record_n(value_ns, count).unwrap();
    histogram::latency(&recorded, 1).unwrap()
}

/// A slice in which every number is its own; `n` times it in all.
fn done(n: u64) -> SliceDone {
    SliceDone {
        seconds: 0.02 * n as f64,
        operations: 30 * n,
        operations_per_second: 1500.0,
        operations_per_thread: vec![10 * n, 20 * n],
        rate_achieved: Some(700.0 * n as f64),
        overloaded: n == 2,
        was_not_run: false,
        latency_ns: Latencies {
            send: Some(latency(100 * n, 5 * n)),
            receive: Some(latency(1000 * n, 6 * n)),
            ..Latencies::default()
        },
        locks: vec![LockCounts {
            class: "solock".to_owned(),
            acquisitions: 40 * n,
            contended: 4 * n,
            relocks: 3 * n,
            retries: 2 * n,
            saved: 8 * n,
        }],
        fast_path: FastPath {
            sends: 11 * n,
            receives: 12 * n,
            slow_sends: 13 * n,
            slow_receives: 14 * n,
            gate_closings: 15 * n,
        },
        allocations: Some(7 * n),
        checks: Checks { operations_checked: 60 * n, ..Checks::default() },
        host_noise: HostNoise {
            on_cpu_share_min: Some(1.0 - 0.001 * n as f64),
            run_delay_ns: Some(21 * n),
            involuntary_switches: Some(22 * n),
            steal_ns: Some(0),
            flagged: true,
        },
    }
}

fn slice(n: u64, is_used: bool, is_last: bool) -> Slice {
    let signs = Signs { off_cpu: !is_used, stolen: !is_used && is_last, switched: false };
    Slice { measure: Measure::Latency, turn: 0, done: done(n), signs, is_used, is_last }
}

fn recorded(slices: Vec<Slice>) -> Measured {
    let pinning = Pinning { asked: vec![1, 0], got: vec![1, 0], ..Pinning::default() };
    let (pinning, uncopied) = (Some(pinning), Some("refused".to_owned()));
    let taken = Taken { slices, clock_step_ns: 10.0, pinning, uncopied };
    let cell = Cell { message_bytes: 64, ..Cell::default() };
    let started = "2026-11-23T09:15:02.250Z".to_owned();
    let two_cpus = Some(TwoCpus { cpus: [1, 0], at_once_share: 0.6, line_round_trip_ns: None });
    let (round, order_in_run, measure) = (3, 17, Measure::Latency);
    let place = Place { round, order_in_run, measure, started, two_cpus };
    record(&cell, &taken, &place, &context()).unwrap()
}

fn context() -> Context {
    Context {
        host: Host { cpu: "a processor".to_owned(), ..Host::default() },
        instrument: Instrument { clock_ns: 11.5, ..Instrument::default() },
        on_lock: [("mcs".to_owned(), Instrument { clock_ns: 7.5, ..Instrument::default() })].into(),
        seed: 99,
    }
}

#[test]
fn the_instrument_is_that_of_the_cells_lock() {
    let context = context();
    let of = |lock: &str| {
        let cell = Cell { lock: lock.to_owned(), ..Cell::default() };
        context.instrument_of(&cell).clock_ns
    };
    assert_eq!((of(""), of("mcs")), (11.5, 7.5));
}

#[test]
fn too_many_threads_are_worse_on_locks_that_spin() {
    let spinning = |lock: &str, oversubscribed: bool| {
        let pinning = Some(Pinning { oversubscribed, ..Pinning::default() });
        let taken = Taken { clock_step_ns: 10.0, pinning, ..Taken::default() };
        let found = pinning_of(lock, &taken);
        assert_eq!(found.oversubscribed, oversubscribed);
        found.spinning
    };
    for lock in Algorithm::ALL.into_iter().skip(1) {
        assert_eq!(spinning(lock.name(), true), lock.spins(), "{}", lock.name());
        assert!(!spinning(lock.name(), false));
    }
    assert!(!spinning("", true));
}

fn pinning_of(lock: &str, taken: &Taken) -> Pinning {
    pinning(&Cell { lock: lock.to_owned(), ..Cell::default() }, taken)
}

#[test]
fn a_line_is_the_sum_of_the_slices_that_count() {
    // Two count, a third was repeated, a fourth given up; one of throughput is another line's.
    let other = Slice { measure: Measure::Throughput, ..slice(50, true, true) };
    let slices = vec![slice(1, true, true), slice(7, false, false), slice(2, true, true), other];
    let line = recorded([slices, vec![slice(9, false, true)]].concat());
    assert_eq!((line.round, line.order_in_run, line.seed), (3, 17, 99));
    assert!(line.two_cpus.as_ref().is_some_and(|two| two.cpus == [1, 0] && two.are_as_one_core()));
    assert_eq!((line.operations, line.bytes), (90, 90 * 64));
    assert_eq!(line.operations_per_thread, [30, 60]);
    assert!((line.fairness_jain - 0.9).abs() < 1e-9);
    assert!((line.seconds - 0.06).abs() < 1e-9);
    assert!((line.operations_per_second - 1500.0).abs() < 1e-6);
    // The second slice is twice as long and reached twice as much.
    assert!((line.rate_achieved.unwrap() - (700.0 + 2.0 * 1400.0) / 3.0).abs() < 1e-6);
    assert!(line.overloaded);
    let locks = LockCounts {
        class: "solock".to_owned(),
        acquisitions: 120,
        contended: 12,
        relocks: 9,
        retries: 6,
        saved: 24,
    };
    assert_eq!(line.locks, [locks]);
    let fast_path =
        FastPath { sends: 33, receives: 36, slow_sends: 39, slow_receives: 42, gate_closings: 45 };
    assert_eq!((line.fast_path, line.allocations), (fast_path, Some(21)));
    assert_eq!(line.checks, Checks { operations_checked: 180, ..Checks::default() });
    let noise = HostNoise {
        on_cpu_share_min: Some(0.998),
        run_delay_ns: Some(63),
        involuntary_switches: Some(66),
        steal_ns: Some(0),
        flagged: false,
    };
    assert_eq!(line.host_noise, noise);
    assert_eq!((line.pinning.got, line.instrument.clock_ns), (vec![1, 0], 11.5));
    assert_eq!((line.own_copy, line.host.cpu.as_str()), (Some(false), "a processor"));
    assert_eq!(line.started, "2026-11-23T09:15:02.250Z");
}

#[test]
fn percentiles_are_of_what_counts_and_the_longest_is_of_all() {
    let line = recorded(vec![slice(1, true, true), slice(9, false, false), slice(2, true, true)]);
    let send = line.latency_ns.send.unwrap();
    assert_eq!((send.count, send.p50, send.p99, send.max), (15, 200, 200, 200));
    assert_eq!((send.count_all, send.max_all), (Some(60), Some(900)));
    assert_eq!(send.lost_count, 2);
    let receive = line.latency_ns.receive.unwrap();
    assert_eq!((receive.count, receive.count_all), (18, Some(72)));
    assert!(line.latency_ns.round_trip.is_none());
}

#[test]
fn what_became_of_the_slices_stands_in_the_line() {
    let slices = vec![
        slice(1, true, true),
        slice(1, false, false),
        slice(1, false, false),
        slice(1, false, true),
    ];
    let expected = Slices { kept: 1, repeated: 2, given_up: 1, off_cpu: 3, stolen: 1, switched: 0 };
    assert_eq!(recorded(slices).slices, Some(expected));
    // Each reason by itself, and none of a slice that is used all the same.
    let signs = |off_cpu: bool, switched: bool, stolen: bool, is_used: bool| {
        let signs = Signs { off_cpu, switched, stolen };
        Slice { signs, is_used, ..slice(1, is_used, false) }
    };
    let all = [
        signs(false, true, false, false),
        signs(true, true, false, false),
        signs(false, true, true, false),
        signs(true, true, true, true),
    ];
    let expected = Slices { kept: 1, repeated: 3, given_up: 0, off_cpu: 1, stolen: 1, switched: 3 };
    assert_eq!(ledger(&all.each_ref()), expected);
}

#[test]
fn without_time_there_is_no_rate() {
    let mut idle = slice(1, true, true);
    idle.done.seconds = 0.0;
    let line = recorded(vec![idle]);
    assert_eq!((line.operations_per_second, line.rate_achieved), (0.0, Some(0.0)));
}

#[test]
fn where_no_slice_counts_the_line_is_of_all_and_flagged() {
    let line = recorded(vec![slice(1, false, false), slice(2, false, true)]);
    assert!(line.host_noise.flagged);
    assert_eq!(line.operations, 90);
    assert_eq!(line.latency_ns.send.unwrap().count, 15);
}
