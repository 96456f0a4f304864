//! Lanes on a made-up clock.

use super::*;

/// A lane of `before` operations in the warm-up and `during` measured ones, each of 100 ns of
/// send and 30 ns of receive after 7 ns that are skipped; then a draining lap.
pub(super) fn lane<'a, M: LaneMeter<'a>>(
    phase: &'a Phase,
    clock: &'a Clock,
    time: &quanta::Mock,
    (before, during): (u64, u64),
) -> Lane {
    let mut meter = M::begin(phase, clock);
    time.increment(60);
    assert_eq!(meter.now_ns(), 60);
    for operation in 0..before + during {
        if operation == before {
            phase.measure();
        }
        assert!(meter.running());
        time.increment(7);
        meter.skip();
        time.increment(100);
        meter.lap(Event::Send);
        time.increment(30);
        meter.lap(Event::Receive);
    }
    assert!(!meter.stopping());
    phase.stop();
    assert!(meter.stopping());
    assert!(!meter.running());
    assert!(!meter.running());
    time.increment(5_000);
    meter.lap(Event::Receive);
    meter.end()
}

#[test]
fn warm_up_and_draining_are_not_counted() {
    let (clock, time) = Clock::mock();
    let measured = lane::<ThroughputMeter<'_>>(&Phase::new(), &clock, &time, (3, 10));
    assert_eq!((measured.operations, measured.interval_ns), (10, 1_370));
    assert!(measured.latencies.is_none());
}

#[test]
fn stamps_are_chained_and_skipped_time_is_left_out() {
    let (clock, time) = Clock::mock();
    let measured = lane::<LatencyMeter<'_>>(&Phase::new(), &clock, &time, (3, 10));
    assert_eq!((measured.operations, measured.interval_ns), (10, 1_370));
    let latencies = measured.latencies.unwrap();
    let of = |event: Event| {
        let histogram = &latencies.histograms[event as usize];
        (histogram.len(), histogram.min(), histogram.max())
    };
    assert_eq!(of(Event::Send), (10, 100, 100));
    assert_eq!(of(Event::Receive), (10, 30, 30));
    assert_eq!(of(Event::RoundTrip).0, 0);
}

#[test]
fn a_value_above_the_bound_is_kept_and_counted_as_lost() {
    let (clock, _) = Clock::mock();
    let phase = Phase::new();
    let mut meter = LatencyMeter::begin(&phase, &clock);
    phase.measure();
    assert!(meter.running());
    meter.record(Event::Response, results::histogram::MAX_NS * 2);
    meter.record(Event::Response, 5);
    let latencies = meter.end().latencies.unwrap();
    assert_eq!(latencies.lost[Event::Response as usize], 1);
    assert_eq!(latencies.histograms[Event::Response as usize].len(), 2);
}

#[test]
fn a_lane_that_slept_through_the_measuring_measured_nothing() {
    let (clock, time) = Clock::mock();
    let measured = lane::<ThroughputMeter<'_>>(&Phase::new(), &clock, &time, (3, 0));
    assert_eq!((measured.operations, measured.interval_ns), (0, 0));
}

/// Locks and allocations of the warm-up and of the draining are no part of the measured interval.
#[test]
fn counters_are_those_of_the_measured_interval() {
    fn work(times: u64) {
        lockimpls::calibrate::lock_pairs_checked(times);
        (0..times).for_each(|_| drop(std::hint::black_box(Box::new(1_u64))));
    }
    fn counted<'a, M: LaneMeter<'a>>(phase: &'a Phase, clock: &'a Clock) -> (u64, u64) {
        let mut meter = M::begin(phase, clock);
        assert!(meter.running());
        work(1_000);
        phase.measure();
        assert!(meter.running());
        work(20);
        phase.stop();
        assert!(!meter.running());
        work(300);
        let lane = meter.end();
        (lane.counters.acquisitions(), lane.allocations)
    }
    // The first checked lock of a thread may allocate.
    work(1);
    let (clock, _) = Clock::mock();
    assert_eq!(counted::<ThroughputMeter<'_>>(&Phase::new(), &clock), (20, 20));
    assert_eq!(counted::<LatencyMeter<'_>>(&Phase::new(), &clock), (20, 20));
}

/// What was recorded, and lost, before the measuring is forgotten.
#[test]
fn latencies_are_those_of_the_measured_interval() {
    let (clock, time) = Clock::mock();
    let phase = Phase::new();
    let mut meter = LatencyMeter::begin(&phase, &clock);
    time.increment(40);
    assert_eq!(meter.now_ns(), 40);
    meter.record(Event::Response, results::histogram::MAX_NS * 2);
    meter.record(Event::Service, 7);
    phase.measure();
    assert!(meter.running());
    meter.record(Event::Service, 9);
    phase.stop();
    assert!(!meter.running());
    meter.record(Event::Service, 11);
    meter.record(Event::Service, results::histogram::MAX_NS * 2);
    let latencies = meter.end().latencies.unwrap();
    assert_eq!(latencies.lost, [0; EVENTS]);
    let of = |event: Event| {
        let histogram = &latencies.histograms[event as usize];
        (histogram.len(), histogram.min(), histogram.max())
    };
    assert_eq!(of(Event::Service), (1, 9, 9));
    assert_eq!(of(Event::Response).0, 0);
    // The exact bound is no loss.
    let mut meter = LatencyMeter::begin(&phase, &clock);
    meter.record(Event::Response, results::histogram::MAX_NS);
    assert_eq!(meter.latencies.lost, [0; EVENTS]);
}

/// A lane that ends by itself has an interval that ends there.
#[test]
fn a_lane_may_end_before_its_time() {
    let (clock, time) = Clock::mock();
    let phase = Phase::new();
    phase.measure();
    let mut meter = ThroughputMeter::begin(&phase, &clock);
    assert!(meter.running() && meter.running());
    time.increment(25);
    assert_eq!(meter.now_ns(), 25);
    let lane = meter.end();
    assert_eq!((lane.operations, lane.interval_ns), (2, 25));
}

#[test]
fn the_first_latency_begins_with_the_measuring() {
    let (clock, time) = Clock::mock();
    let phase = Phase::new();
    let mut meter = LatencyMeter::begin(&phase, &clock);
    time.increment(4_000);
    phase.measure();
    assert!(meter.running());
    time.increment(30);
    meter.lap(Event::Send);
    let latencies = meter.end().latencies.unwrap();
    assert_eq!(latencies.histograms[Event::Send as usize].max(), 30);
}
