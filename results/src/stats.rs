//! The statistics of a handful of rounds: pure functions of short vectors.
//!
//! Rounds are few (3 to 5 by default), so nothing here assumes a distribution, and an interval says
//! which level it really has.

use crate::rank;

/// The most differences an exact interval is computed for (the work grows with the cube).
pub const PAIRS_MAX: usize = 400;

/// An estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate itself.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability with which such intervals cover the truth.
    pub level: f64,
    /// Whether that is at least the level asked for. Three pairs give 75 % at most, five 93.75 %.
    pub level_reached: bool,
}

/// The middle value, or the mean of the two middle ones; `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The median distance from the median, unscaled.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    median(&distances)
}

/// The distance between the quartiles, as a share of the median; `None` when the median is 0.
#[must_use]
pub fn quartile_spread(values: &[f64]) -> Option<f64> {
    let middle = median(values).filter(|middle| *middle != 0.0)?;
    Some((quantile(values, 0.75)? - quantile(values, 0.25)?) / middle)
}

/// A quantile, interpolated between neighbours as R does by default (type 7).
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    if below == above {
        return Some(below);
    }
    Some(below + (above - below) * place.fract())
}

/// Jain's fairness index: 1 when all are equal, 1/n when one has all; `None` when all are 0.
#[must_use]
pub fn jain_index(shares: &[u64]) -> Option<f64> {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    (squares > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
}

/// The ratio of the first to the second of each pair (Hodges-Lehmann of the logarithms), with its
/// signed-rank interval; `None` of nothing, or when a value is not positive.
#[must_use]
pub fn paired_ratio(pairs: &[(f64, f64)], level_asked: f64) -> Option<Interval> {
    let mut logarithms = Vec::with_capacity(pairs.len());
    for (value, reference) in pairs {
        // No number where either has no logarithm.
        let logarithm = value.ln() - reference.ln();
        if !logarithm.is_finite() {
            return None;
        }
        logarithms.push(logarithm);
    }
    let interval = hodges_lehmann(&logarithms, level_asked)?;
    Some(Interval {
        estimate: interval.estimate.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        ..interval
    })
}

/// The Hodges-Lehmann estimate of the middle of differences, with the interval that inverts the
/// exact signed-rank test; zeros are kept. Too few differences for the level asked for give the
/// widest interval there is. `None` of nothing, of more than [`PAIRS_MAX`], or of what is no
/// number.
#[must_use]
pub fn hodges_lehmann(differences: &[f64], level_asked: f64) -> Option<Interval> {
    let mut averages = WalshAverages::new(differences)?;
    Some(averages.interval(level_asked))
}

/// The means of every two differences, each with itself too: what every signed-rank interval of
/// these differences is cut from.
pub(crate) struct WalshAverages {
    /// In no order; not empty.
    averages: Vec<f64>,
    /// Of the signed-rank statistic of that many differences.
    distribution: Vec<f64>,
}

impl WalshAverages {
    /// `None` of nothing, of more than [`PAIRS_MAX`] differences, or of what is no number.
    pub(crate) fn new(differences: &[f64]) -> Option<WalshAverages> {
        let count = differences.len();
        if count == 0 || count > PAIRS_MAX || !differences.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mut averages = Vec::with_capacity(count * (count + 1) / 2);
        for (index, first) in differences.iter().enumerate() {
            averages.extend(differences[index..].iter().map(|second| (first + second) / 2.0));
        }
        Some(WalshAverages { averages, distribution: rank::distribution(count) })
    }

    /// Their median, and the interval that is left when at each end those are dropped that the
    /// level allows.
    pub(crate) fn interval(&mut self, level_asked: f64) -> Interval {
        let tail_asked = (1.0 - level_asked) / 2.0;
        let (dropped, tail) = rank::critical_value(&self.distribution, tail_asked);
        let last = self.averages.len() - 1;
        Interval {
            estimate: (self.nth(last / 2) + self.nth(last.div_ceil(2))) / 2.0,
            low: self.nth(dropped),
            high: self.nth(last - dropped),
            level: 1.0 - 2.0 * tail,
            level_reached: tail <= tail_asked,
        }
    }

    /// The one with so many below it. Looking for a few of them costs less than sorting all.
    fn nth(&mut self, index: usize) -> f64 {
        *self.averages.select_nth_unstable_by(index, f64::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rank::tests::depression;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn signed_rank_agrees_with_r() {
        let interval = hodges_lehmann(&depression(), 0.95).expect("nine differences");
        assert!(near(interval.estimate, 0.46), "{interval:?}");
        assert!(near(interval.low, 0.010) && near(interval.high, 0.786), "{interval:?}");
        assert!(interval.level_reached && interval.level >= 0.95);
    }

    #[test]
    fn too_few_pairs_say_so() {
        for (count, level) in [(1, 0.0), (2, 0.5), (3, 0.75), (4, 0.875), (5, 0.9375)] {
            let differences: Vec<f64> = (1..=count).map(f64::from).collect();
            let interval = hodges_lehmann(&differences, 0.95).expect("some differences");
            assert!(near(interval.level, level), "{count}: {interval:?}");
            assert!(!interval.level_reached);
            assert_eq!((interval.low, interval.high), (1.0, f64::from(count)));
        }
        let six = hodges_lehmann(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.95).expect("six");
        assert!(six.level_reached && near(six.level, 0.968_75));
    }

    #[test]
    fn of_an_even_number_of_averages_the_middle_is_between_two() {
        // 0, 0.5, 1, 2.5, 3, 5.
        let three = hodges_lehmann(&[5.0, 0.0, 1.0], 0.5).expect("three");
        assert_eq!(three.estimate, 1.75);
        // 1 - 2 * 2 / 8: one average is dropped at each end.
        assert_eq!((three.low, three.high, three.level), (0.5, 3.0, 0.5));
    }

    #[test]
    fn ratios_are_those_of_the_pairs() {
        let pairs = [(2.0, 1.0), (20.0, 10.0), (200.0, 100.0)];
        let ratio = paired_ratio(&pairs, 0.95).expect("positive pairs");
        assert!(near(ratio.estimate, 2.0) && near(ratio.low, 2.0) && near(ratio.high, 2.0));
        assert_eq!(paired_ratio(&[(1.0, 0.0)], 0.95), None);
        assert_eq!(paired_ratio(&[(0.0, 1.0)], 0.95), None);
        assert_eq!(paired_ratio(&[(0.0, 0.0)], 0.95), None);
        assert_eq!(paired_ratio(&[(-2.0, -1.0)], 0.95), None);
        assert_eq!(paired_ratio(&[(f64::NAN, 1.0)], 0.95), None);
        assert_eq!(paired_ratio(&[], 0.95), None);
        assert_eq!(hodges_lehmann(&vec![0.0; PAIRS_MAX + 1], 0.95), None);
    }

    #[test]
    fn middles_and_spreads() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median_absolute_deviation(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
        assert_eq!(median_absolute_deviation(&[10.0, 20.0, 40.0, 70.0]), Some(15.0));
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), Some(1.75));
        assert_eq!(quartile_spread(&[8.0, 9.0, 10.0, 11.0, 12.0]), Some(0.2));
        assert_eq!(quartile_spread(&[0.0, 0.0]), None);
        assert_eq!(median(&[f64::INFINITY, f64::INFINITY]), Some(f64::INFINITY));
    }

    #[test]
    fn fairness() {
        assert_eq!(jain_index(&[5, 5, 5]), Some(1.0));
        assert_eq!(jain_index(&[9, 0, 0]), Some(1.0 / 3.0));
        assert_eq!(jain_index(&[1, 3]), Some(0.8));
        assert_eq!(jain_index(&[0, 0]), None);
        assert_eq!(jain_index(&[]), None);
        assert_eq!(jain_index(&[u64::MAX, u64::MAX]), Some(1.0));
    }
}
