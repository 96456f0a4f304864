//! The meters: one that only counts, one that takes a stamp per operation, and one beside which the
//! locks keep a profile.
//!
//! All read one shared word per operation, the phase, which the leading thread changes twice:
//! from warm-up to measuring, and from measuring to the end. A lane notes its own start and end
//! when it sees the change, so that its count and its time belong together; the stamps and the
//! copies of the counters are the only work at a change, and no file is read there (see
//! [`noise`](crate::noise)).

#[cfg(feature = "variants")]
mod profile;

use std::array;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;
use lockimpls::witness::{self, Counters};
use quanta::Clock;
use workloads::{EVENTS, Event, Meter};

use crate::allocations;

#[cfg(feature = "variants")]
pub use self::profile::ProfileMeter;

/// The phase of a slice, written by the leading thread and read by every lane. Relaxed on both
/// sides: it carries no data, and lanes are joined before anything they wrote is read.
#[derive(Debug, Default)]
pub struct Phase(CachePadded<AtomicU8>);

/// The values of a [`Phase`], in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum At {
    WarmUp = 0,
    Measure = 1,
    Stop = 2,
    /// Never stored in a [`Phase`]: what a lane that saw `Stop` compares with from then on.
    Over = 3,
}

impl Phase {
    /// Warm-up.
    #[must_use]
    pub fn new() -> Phase {
        Phase::default()
    }

    /// From now on operations are counted.
    pub fn measure(&self) {
        self.0.store(At::Measure as u8, Relaxed);
    }

    /// From now on no operation is begun.
    pub fn stop(&self) {
        self.0.store(At::Stop as u8, Relaxed);
    }
}

/// What a lane measured.
#[derive(Debug)]
pub struct Lane {
    /// Operations of the measured interval.
    pub operations: u64,
    /// Its length; 0 where the lane saw no measuring phase at all.
    pub interval_ns: u64,
    /// Lock operations in it.
    pub counters: Counters,
    /// Allocations in it.
    pub allocations: u64,
    /// Latencies by [`Event`]; `None` in a throughput slice.
    pub latencies: Option<Latencies>,
}

/// The histograms of one lane.
#[derive(Debug)]
pub struct Latencies {
    /// By [`Event`].
    pub histograms: [Histogram<u64>; EVENTS],
    /// Values above the histograms' bound, by [`Event`]; they are recorded as the bound.
    pub lost: [u64; EVENTS],
}

/// A meter that can be made for a lane, and taken apart afterwards.
pub trait LaneMeter<'a>: Meter {
    /// At the lane's beginning, on its thread.
    fn begin(phase: &'a Phase, clock: &'a Clock) -> Self;
    /// At the lane's end, on its thread.
    fn end(self) -> Lane;
}

/// The measured interval of one lane, and the count of its operations.
#[derive(Debug)]
struct Interval<'a> {
    phase: &'a AtomicU8,
    /// The phase last seen; while it lasts, an operation costs one load, one compare, one addition.
    seen: u8,
    operations: u64,
    clock: &'a Clock,
    /// Raw readings: when the lane began, when it saw the measuring phase, when it saw its end.
    began: u64,
    started: u64,
    ended: u64,
    counters: Counters,
    allocations: u64,
}

impl<'a> Interval<'a> {
    fn begin(phase: &'a Phase, clock: &'a Clock) -> Self {
        Interval {
            phase: &phase.0,
            seen: At::WarmUp as u8,
            operations: 0,
            clock,
            began: clock.raw(),
            started: 0,
            ended: 0,
            counters: Counters::default(),
            allocations: 0,
        }
    }

    /// Whether the phase is still the one last seen; counts the operation if so.
    #[inline(always)]
    fn same_phase(&mut self) -> bool {
        if self.phase.load(Relaxed) != self.seen {
            return false;
        }
        self.operations = self.operations.wrapping_add(1);
        true
    }

    /// The phase is another one: whether to go on.
    #[cold]
    fn turn(&mut self) -> bool {
        self.turn_to(self.phase.load(Relaxed))
    }

    fn turn_to(&mut self, phase: u8) -> bool {
        if phase == At::Measure as u8 {
            self.seen = At::Measure as u8;
            self.operations = 1;
            self.counters = witness::counters();
            self.allocations = allocations::of_this_thread();
            self.started = self.clock.raw();
            return true;
        }
        if self.seen != At::Over as u8 {
            self.ended = self.clock.raw();
            if self.seen == At::Measure as u8 {
                self.counters = witness::counters().since(&self.counters);
                self.allocations = allocations::of_this_thread() - self.allocations;
            } else {
                // From warm-up to the end at once: the lane slept through the measuring phase.
                (self.operations, self.started) = (0, self.ended);
            }
            self.seen = At::Over as u8;
        }
        false
    }

    fn now_ns(&self) -> u64 {
        self.clock.delta_as_nanos(self.began, self.clock.raw())
    }

    fn stopping(&self) -> bool {
        self.phase.load(Relaxed) == At::Stop as u8
    }

    fn end(mut self, latencies: Option<Latencies>) -> Lane {
        // A lane that ended by itself saw no end; its interval ends here.
        if self.seen != At::Over as u8 {
            self.turn_to(At::Stop as u8);
        }
        let interval_ns = self.clock.delta_as_nanos(self.started, self.ended);
        Lane {
            operations: self.operations,
            interval_ns,
            counters: self.counters,
            allocations: self.allocations,
            latencies,
        }
    }
}

/// Counts, and takes no stamp.
#[derive(Debug)]
pub struct ThroughputMeter<'a>(Interval<'a>);

impl<'a> LaneMeter<'a> for ThroughputMeter<'a> {
    fn begin(phase: &'a Phase, clock: &'a Clock) -> Self {
        ThroughputMeter(Interval::begin(phase, clock))
    }

    fn end(self) -> Lane {
        self.0.end(None)
    }
}

impl Meter for ThroughputMeter<'_> {
    #[inline(always)]
    fn running(&mut self) -> bool {
        self.0.same_phase() || self.0.turn()
    }

    #[inline(always)]
    fn lap(&mut self, _event: Event) {}

    #[inline(always)]
    fn skip(&mut self) {}

    #[inline]
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    #[inline]
    fn stopping(&self) -> bool {
        self.0.stopping()
    }

    #[inline(always)]
    fn record(&mut self, _event: Event, _latency_ns: u64) {}
}

/// One stamp per lap, chained: the end of one event is the beginning of the next.
#[derive(Debug)]
pub struct LatencyMeter<'a> {
    interval: Interval<'a>,
    /// The raw reading at the last stamp.
    last: u64,
    latencies: Latencies,
}

impl<'a> LaneMeter<'a> for LatencyMeter<'a> {
    fn begin(phase: &'a Phase, clock: &'a Clock) -> Self {
        let histograms = array::from_fn(|_| results::histogram::new());
        let latencies = Latencies { histograms, lost: [0; EVENTS] };
        LatencyMeter { interval: Interval::begin(phase, clock), last: clock.raw(), latencies }
    }

    fn end(self) -> Lane {
        self.interval.end(Some(self.latencies))
    }
}

impl LatencyMeter<'_> {
    /// The warm-up touches the histograms' memory as the measuring does; here it is forgotten.
    #[cold]
    fn turn(&mut self) -> bool {
        let forget = self.interval.seen == At::WarmUp as u8;
        if forget {
            self.latencies
                .histograms
                .iter_mut()
                .filter(|h| !h.is_empty())
                .for_each(Histogram::reset);
            self.latencies.lost = [0; EVENTS];
        }
        let on = self.interval.turn();
        self.last = self.interval.clock.raw();
        on
    }

    #[inline]
    fn add(&mut self, event: Event, latency_ns: u64) {
        if self.interval.seen == At::Over as u8 {
            return; // What is drained after the end is not measured.
        }
        if latency_ns > results::histogram::MAX_NS {
            self.latencies.lost[event as usize] += 1;
        }
        self.latencies.histograms[event as usize].saturating_record(latency_ns);
    }
}

impl Meter for LatencyMeter<'_> {
    #[inline(always)]
    fn running(&mut self) -> bool {
        self.interval.same_phase() || self.turn()
    }

    #[inline]
    fn lap(&mut self, event: Event) {
        let now = self.interval.clock.raw();
        let latency_ns = self.interval.clock.delta_as_nanos(self.last, now);
        self.last = now;
        self.add(event, latency_ns);
    }

    #[inline]
    fn skip(&mut self) {
        self.last = self.interval.clock.raw();
    }

    #[inline]
    fn now_ns(&self) -> u64 {
        self.interval.now_ns()
    }

    #[inline]
    fn stopping(&self) -> bool {
        self.interval.stopping()
    }

    #[inline]
    fn record(&mut self, event: Event, latency_ns: u64) {
        self.add(event, latency_ns);
    }
}

#[cfg(test)]
mod tests;
