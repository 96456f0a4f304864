//! What the numbers of a line can be. A line whose numbers no machine could have measured is no
//! record: from a damaged or made-up one, tables and sentences would be made all the same.

use crate::compared::Compared;
use crate::profile::{Profile, Split};
use crate::ratio::Ratio;
use crate::record::{Instrument, Measured};
use crate::two_cpus::TwoCpus;

/// A field that is out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outside {
    /// The field's name.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    pub(crate) what: &'static str,
}

/// No two backends differ by a factor of a million.
const RATIO: [f64; 2] = [1e-6, 1e6];
/// From nothing to a thousand times what a processor can do.
const RATE: [f64; 2] = [0.0, 1e15];
/// Up to a second, for what takes nanoseconds.
const NANOSECONDS: [f64; 2] = [0.0, 1e9];
/// The difference of two measurements in nanoseconds.
const DIFFERENCE: [f64; 2] = [-1e9, 1e9];
/// Up to a day, for what all threads do for an operation.
const SPENT: [f64; 2] = [0.0, 1e14];
/// Jain's index, which the arithmetic may miss by its last digits.
const INDEX: [f64; 2] = [0.0, 1.0 + 1e-9];
/// Clocks of different kinds do not agree wholly on a share of the time.
const SHARE: [f64; 2] = [0.0, 10.0];

impl Measured {
    /// The first field that cannot be.
    pub(crate) fn outside(&self) -> Option<Outside> {
        let share = self.host_noise.on_cpu_share_min;
        outside("operations_per_second", self.operations_per_second, RATE)
            .or_else(|| outside("seconds", self.seconds, [0.0, 1e9]))
            .or_else(|| outside("fairness_jain", self.fairness_jain, INDEX))
            .or_else(|| outside("rate_achieved", self.rate_achieved?, RATE))
            .or_else(|| outside("host_noise.on_cpu_share_min", share?, SHARE))
            .or_else(|| self.instrument.outside())
            .or_else(|| self.two_cpus.as_ref()?.outside())
    }
}

impl Instrument {
    fn outside(&self) -> Option<Outside> {
        let pair = self.lock_ns_per_pair;
        let too_short = Outside { field: "instrument.lock_ns_per_pair", what: "too short a time" };
        outside("instrument.clock_ns", self.clock_ns, NANOSECONDS)
            .or_else(|| outside("instrument.clock_step_ns", self.clock_step_ns, NANOSECONDS))
            .or_else(|| outside("instrument.lock_ns_per_pair", pair, NANOSECONDS))
            // 0 where it was not measured.
            .or_else(|| (pair > 0.0 && pair < 1e-3).then_some(too_short))
            .or_else(|| {
                outside("instrument.checker_ns_per_pair", self.checker_ns_per_pair, DIFFERENCE)
            })
            .or_else(|| {
                outside("instrument.aa_spread_percent", self.aa_spread_percent?, [0.0, 1e9])
            })
            .or_else(|| {
                let around = self.loop_ns_per_operation?;
                outside("instrument.loop_ns_per_operation", around, DIFFERENCE)
            })
    }
}

impl TwoCpus {
    fn outside(&self) -> Option<Outside> {
        let one = Outside { field: "two_cpus.cpus", what: "two numbers of one CPU" };
        let way = self.line_round_trip_ns;
        let none = Outside { field: "two_cpus.line_round_trip_ns", what: "no time" };
        (self.cpus[0] == self.cpus[1])
            .then_some(one)
            .or_else(|| outside("two_cpus.at_once_share", self.at_once_share, SHARE))
            .or_else(|| outside("two_cpus.line_round_trip_ns", way?, NANOSECONDS))
            .or_else(|| (way? == 0.0).then_some(none))
    }
}

impl Profile {
    /// The first field that cannot be: a sum that its places do not add up to.
    pub(crate) fn outside(&self) -> Option<Outside> {
        let differs = |(place, (_, sum)): &(usize, (&'static str, u64))| {
            let parts = self.sites.iter().map(|site| site.events.counts()[*place].1);
            parts.fold(0_u64, u64::saturating_add) != *sum
        };
        let sums = self.events.counts().into_iter().enumerate();
        let what = "not the sum over its places";
        sums.into_iter().find(differs).map(|(_, (field, _))| Outside { field, what }).or_else(
            || {
                outside("wait_ns.avg", self.events.wait_ns.avg, SPENT)
                    .or_else(|| outside("hold_ns.avg", self.events.hold_ns.avg, SPENT))
            },
        )
    }
}

impl Split {
    /// The first field that cannot be.
    pub(crate) fn outside(&self) -> Option<Outside> {
        let parts = self.ns_per_operation.all().into_iter();
        parts
            .chain([("wall_ns_per_operation", self.wall_ns_per_operation)])
            .find_map(|(part, ns)| outside(part, ns, SPENT))
            .or_else(|| outside("lock_ns_per_pair", self.lock_ns_per_pair, NANOSECONDS))
            .or_else(|| outside("profiling_ns_per_pair", self.profiling_ns_per_pair, DIFFERENCE))
    }
}

impl Ratio {
    /// The first field that cannot be.
    pub(crate) fn outside(&self) -> Option<Outside> {
        ratios([self.ratio, self.low, self.high])
    }
}

impl Compared {
    /// The first field that cannot be.
    pub(crate) fn outside(&self) -> Option<Outside> {
        ratios([self.ratio, self.low, self.high]).or_else(|| {
            let Some(itself) = &self.itself else { return None };
            ratios([itself.ratio, itself.low, itself.high].map(Some))
        })
    }
}

fn ratios(values: [Option<f64>; 3]) -> Option<Outside> {
    let fields = ["ratio", "low", "high"].into_iter().zip(values);
    fields.into_iter().find_map(|(field, value)| outside(field, value?, RATIO))
}

/// What is wrong with a field that has to lie from one number to another.
fn outside(field: &'static str, value: f64, [low, high]: [f64; 2]) -> Option<Outside> {
    let what = if !value.is_finite() {
        "no number"
    } else if value < low {
        "too small"
    } else if value > high {
        "too large"
    } else {
        return None;
    };
    Some(Outside { field, what })
}
