//! How well a ratio is known, and when that is enough.
//!
//! A run adds pairs of processes until the interval of each ratio is as narrow as was asked. To
//! stop at a narrow interval is milder than to stop at one that excludes 1, but an interval that
//! was narrow by luck ends a run sooner than one that was wide by luck. So there are a few looks,
//! at fixed numbers of pairs, ten at least, and each interval is of a level that leaves 95 % for
//! all looks together: `bench/COMPARING.md` has the table.

use crate::stats::{Interval, PAIRS_MAX, WalshAverages};

/// The level that is promised of a ratio's interval, however often one looks.
pub const LEVEL: f64 = 0.95;
/// The level of the interval at each look.
pub const LEVEL_PER_LOOK: f64 = 0.96;
/// The fewest pairs that can end a run.
pub const PAIRS_MIN: u32 = 10;

/// The ratio of these pairs, given as logarithms, with its interval; none where they are too few
/// for one, or one is no number. Of more than [`PAIRS_MAX`] the newest say it.
#[must_use]
pub fn interval(log_ratios: &[f64]) -> Option<Interval> {
    let newest = &log_ratios[log_ratios.len().saturating_sub(PAIRS_MAX)..];
    let interval = WalshAverages::new(newest)?.interval(LEVEL_PER_LOOK);
    interval.level_reached.then(|| Interval {
        estimate: interval.estimate.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        ..interval
    })
}

/// Half the width of an interval, as a share of the ratio.
#[must_use]
pub fn half_width(interval: &Interval) -> f64 {
    ((interval.high / interval.low).ln() / 2.0).exp_m1()
}

/// Whether to look with so many pairs: at 10, and then at each number that is a quarter more.
#[must_use]
pub fn is_look(pairs: u32) -> bool {
    let mut look = PAIRS_MIN;
    while look < pairs {
        look += look / 4;
    }
    look == pairs
}

/// How many pairs would make the interval so narrow, at the spread of these: its width goes with
/// the root of their number.
#[must_use]
pub fn pairs_wanted(interval: &Interval, pairs: u32, within: f64) -> f64 {
    f64::from(pairs) * ((1.0 + half_width(interval)).ln() / within.ln_1p()).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(pairs: u32, by: f64) -> Vec<f64> {
        (0..pairs).map(|pair| by * (f64::from(pair) / f64::from(pairs - 1) - 0.5)).collect()
    }

    #[test]
    fn a_ratio_of_few_pairs_has_no_interval() {
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&spread(5, 0.1)), None, "93.75 % at most");
        let six = interval(&spread(6, 0.1)).expect("96.875 %");
        assert!(six.level >= LEVEL_PER_LOOK && six.low < 1.0 && six.high > 1.0);
        assert_eq!(interval(&[0.1, 0.1, 0.1, 0.1, 0.1, f64::NAN]), None);
    }

    #[test]
    fn a_long_run_is_judged_by_its_newest_pairs() {
        let mut pairs = vec![5.0; 100];
        pairs.extend(vec![0.0; PAIRS_MAX]);
        assert_eq!(interval(&pairs).expect("enough").estimate, 1.0);
    }

    #[test]
    fn four_times_the_pairs_halve_the_width() {
        let interval = interval(&spread(10, 0.2)).expect("ten pairs");
        let within = ((1.0 + half_width(&interval)).ln() / 2.0).exp_m1();
        assert!((pairs_wanted(&interval, 10, within) - 40.0).abs() < 1e-9);
        let exact = Interval { low: 1.0 / 1.03, high: 1.03, ..interval };
        assert!((half_width(&exact) - 0.03).abs() < 1e-12);
    }

    #[test]
    fn looks_are_few_and_fixed() {
        let looks: Vec<u32> = (0..=60).filter(|pairs| is_look(*pairs)).collect();
        assert_eq!(looks, [10, 12, 15, 18, 22, 27, 33, 41, 51]);
    }
}
