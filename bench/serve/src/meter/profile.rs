//! The meter beside which the locks keep a profile.

use quanta::Clock;
use workloads::{Event, Meter};

use super::{At, Lane, LaneMeter, Phase, ThroughputMeter};

/// Counts, while the layer's locks keep a profile of the same interval.
#[derive(Debug)]
pub struct ProfileMeter<'a>(ThroughputMeter<'a>);

impl<'a> LaneMeter<'a> for ProfileMeter<'a> {
    fn begin(phase: &'a Phase, clock: &'a Clock) -> Self {
        profiled::begin(clock.clone());
        ProfileMeter(ThroughputMeter::begin(phase, clock))
    }

    fn end(self) -> Lane {
        // A lane that ended by itself may have seen neither the end nor the measuring phase.
        if self.0.0.seen == At::WarmUp as u8 {
            profiled::restart();
        }
        profiled::finish();
        self.0.end()
    }
}

impl Meter for ProfileMeter<'_> {
    #[inline]
    fn running(&mut self) -> bool {
        let before = self.0.0.seen;
        let on = self.0.running();
        if self.0.0.seen != before {
            self.turned(before);
        }
        on
    }

    #[inline]
    fn lap(&mut self, _event: Event) {}

    #[inline]
    fn skip(&mut self) {}

    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn stopping(&self) -> bool {
        self.0.stopping()
    }

    fn record(&mut self, _event: Event, _latency_ns: u64) {}
}

impl ProfileMeter<'_> {
    /// The phase is another one: the profile begins where the counters do, and ends where they do.
    #[cold]
    fn turned(&self, before: u8) {
        if before == At::WarmUp as u8 {
            profiled::restart();
        }
        if self.0.0.seen == At::Over as u8 {
            profiled::finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lane;
    use super::*;

    #[test]
    fn a_profile_is_of_the_measured_interval() {
        let (clock, time) = Clock::mock();
        let measured = lane::<ProfileMeter<'_>>(&Phase::new(), &clock, &time, (3, 10));
        assert_eq!((measured.operations, measured.interval_ns), (10, 1_370));
        assert_eq!(profiled::take().unwrap().spent.total(), 1_370);
        // From warm-up to the end at once: nothing was measured.
        let phase = Phase::new();
        let mut meter = ProfileMeter::begin(&phase, &clock);
        assert!(meter.running());
        time.increment(70);
        phase.measure();
        phase.stop();
        assert!(!meter.running());
        time.increment(70);
        assert_eq!(meter.end().interval_ns, 0);
        assert_eq!(profiled::take().unwrap().spent.total(), 0);
        // And where it ended by itself.
        let meter = ProfileMeter::begin(&phase, &clock);
        time.increment(70);
        assert_eq!(meter.end().interval_ns, 0);
        assert_eq!(profiled::take().unwrap().spent.total(), 0);
    }
}
