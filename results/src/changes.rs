//! Where a series changes its level: E-divisive means, with a t-test in place of permutations.
//!
//! A split is proposed where the energy distance between the values before and after it is largest
//! (Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of
//! Multivariate Data", JASA 2014). Whether it counts is decided by Student's t-test, in windows,
//! and with weak points merged away (Fleming et al., "Hunter: Using Change Point Detection to Hunt
//! for Performance Regressions", ICPE 2023): so the same series always has the same points, and a
//! point does not move when values are appended far behind it.

use serde::Serialize;

use crate::student;

/// How many values are looked at together.
pub const WINDOW: usize = 50;
/// The highest p-value of a point.
pub const P_VALUE_MAX: f64 = 0.001;
/// The smallest change of the mean, as a share, of a point.
pub const CHANGE_MIN: f64 = 0.02;
/// Proposals may be weaker than points by this factor: merging makes their neighbours stronger.
const PROPOSAL_FACTOR: f64 = 10.0;
/// The fewest values between two proposals.
const LENGTH_MIN: usize = 2;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangePoint {
    /// The first value of the new level.
    pub index: usize,
    /// The mean since the change before, in the series' unit.
    pub before: f64,
    /// The mean until the next change, in the series' unit.
    pub after: f64,
    /// The t-test's p-value of the two.
    pub p_value: f64,
}

impl ChangePoint {
    /// How much more the new level is, as a share of the old.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.after / self.before - 1.0
    }

    /// The size of the change, as a share of the lower level; infinite from or to 0.
    fn size(&self) -> f64 {
        let (low, high) = (self.before.min(self.after), self.before.max(self.after));
        if low == high { 0.0 } else { high / low - 1.0 }
    }
}

/// The points at which a series of values above or at 0 changes its level, in ascending order.
#[must_use]
pub fn change_points(series: &[f64]) -> Vec<ChangePoint> {
    let mut borders = proposals(series);
    loop {
        let points = measured(series, &borders);
        let weakest = points.iter().max_by(|left, right| left.p_value.total_cmp(&right.p_value));
        let smallest = points.iter().min_by(|left, right| left.size().total_cmp(&right.size()));
        let refused = weakest
            .filter(|point| point.p_value > P_VALUE_MAX)
            .or(smallest.filter(|point| point.size() < CHANGE_MIN));
        match refused {
            Some(refused) => borders.retain(|border| *border != refused.index),
            None => return points,
        }
    }
}

/// Every split that might be a point, from overlapping windows.
fn proposals(series: &[f64]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut start = 0;
    while let Some(rest @ [_, ..]) = series.get(start..) {
        let mut splits = Vec::new();
        split(&rest[..rest.len().min(WINDOW)], start, &mut splits);
        let last = splits.iter().copied().max().unwrap_or(start);
        found.extend(splits);
        start = last.max(start + WINDOW / 2);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Splits a part of a series, and its parts, as long as the t-test allows it.
fn split(part: &[f64], offset: usize, found: &mut Vec<usize>) {
    let Some(index) = best_split(part) else { return };
    let (before, after) = part.split_at(index);
    if t_test(before, after) > P_VALUE_MAX * PROPOSAL_FACTOR {
        return;
    }
    found.push(offset + index);
    split(before, offset, found);
    split(after, offset + index, found);
}

/// Where the values before a split and some of those behind it lie farthest apart; `None` where
/// there are too few, or all are equal.
fn best_split(part: &[f64]) -> Option<usize> {
    let sums = DistanceSums::new(part);
    let mut best = (0.0, None);
    for index in LENGTH_MIN..part.len() {
        for end in index + LENGTH_MIN..=part.len() {
            let energy = sums.energy(index, end);
            if energy > best.0 {
                best = (energy, Some(index));
            }
        }
    }
    best.1
}

/// Sums of the distances between values, so that each energy distance takes a few steps.
struct DistanceSums {
    /// Row by row: the sum of the distances of the first i values to the first j.
    sums: Vec<f64>,
    width: usize,
}

impl DistanceSums {
    fn new(part: &[f64]) -> DistanceSums {
        let width = part.len() + 1;
        let mut sums = vec![0.0; width * width];
        for (row, first) in part.iter().enumerate() {
            let mut row_sum = 0.0;
            for (column, second) in part.iter().enumerate() {
                row_sum += (first - second).abs();
                sums[(row + 1) * width + column + 1] = sums[row * width + column + 1] + row_sum;
            }
        }
        DistanceSums { sums, width }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.sums[row * self.width + column]
    }

    /// The scaled energy distance between the values up to `index` and those from it to `end`.
    fn energy(&self, index: usize, end: usize) -> f64 {
        let (before, after) = (index as f64, (end - index) as f64);
        let between = self.at(index, end) - self.at(index, index);
        let within_before = self.at(index, index);
        let within_after = self.at(end, end) - 2.0 * self.at(index, end) + self.at(index, index);
        // Every distance within a side stands in its sum twice.
        let mean = |sum: f64, count: f64| sum / (count * (count - 1.0));
        let distance = 2.0 * between / (before * after)
            - mean(within_before, before)
            - mean(within_after, after);
        before * after / (before + after) * distance
    }
}

/// The points at these borders, each with what lies between it and its neighbours.
fn measured(series: &[f64], borders: &[usize]) -> Vec<ChangePoint> {
    let edges: Vec<usize> =
        [0].into_iter().chain(borders.iter().copied()).chain([series.len()]).collect();
    let point = |edges: &[usize]| {
        let (before, after) = (&series[edges[0]..edges[1]], &series[edges[1]..edges[2]]);
        let p_value = t_test(before, after);
        ChangePoint { index: edges[1], before: mean(before), after: mean(after), p_value }
    };
    edges.windows(3).map(point).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Student's two-sided p-value that two samples have one mean, given one spread; 1 where there are
/// too few values to tell.
fn t_test(left: &[f64], right: &[f64]) -> f64 {
    let count = left.len() + right.len();
    let (left_mean, right_mean) = (mean(left), mean(right));
    if count <= 2 || left_mean == right_mean {
        return 1.0;
    }
    let squares = |values: &[f64], mean: f64| -> f64 {
        values.iter().map(|value| (value - mean).powi(2)).sum()
    };
    let freedom = count - 2;
    let variance = (squares(left, left_mean) + squares(right, right_mean)) / freedom as f64;
    let scale = variance * (1.0 / left.len() as f64 + 1.0 / right.len() as f64);
    // No spread at all, as of counters: any difference is one.
    student::p_value((left_mean - right_mean).abs() / scale.sqrt(), freedom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_apart_as_by_r() {
        // R: t.test(c(1, 2, 3, 4), c(3, 4, 5, 6), var.equal = TRUE).
        let p_value = t_test(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]);
        assert!((p_value - 0.070_987_5).abs() < 1e-6, "{p_value}");
        assert_eq!(t_test(&[4.0, 4.0], &[5.0]), 0.0);
        assert_eq!(t_test(&[4.0, 4.0], &[4.0]), 1.0);
        assert_eq!(t_test(&[4.0], &[5.0]), 1.0);
    }

    #[test]
    fn distances_are_those_of_their_definition() {
        let part = [1.0, 4.0, 2.0, 9.0, 7.0];
        // Between {1, 4} and {2, 9, 7}: 1 + 8 + 6 + 2 + 5 + 3; inside: 3, and 7 + 5 + 2.
        let expected = 6.0 / 5.0 * (2.0 * 25.0 / 6.0 - 3.0 - 14.0 / 3.0);
        assert!((DistanceSums::new(&part).energy(2, 5) - expected).abs() < 1e-12);
    }

    #[test]
    fn exact_steps_are_found_where_they_are() {
        let steps = [[4.0; 6].as_slice(), &[5.0; 4], &[3.0; 9]].concat();
        let points = change_points(&steps);
        let found: Vec<_> = points.iter().map(|point| (point.index, point.after)).collect();
        assert_eq!(found, [(6, 5.0), (10, 3.0)]);
        assert_eq!(points[0].share(), 0.25);
        // The same from its other end: the largest step is the first one.
        let steps = [[3.0; 9].as_slice(), &[5.0; 4], &[4.0; 6]].concat();
        let found: Vec<_> = change_points(&steps).iter().map(|point| point.index).collect();
        assert_eq!(found, [9, 13]);
        // Windows overlap: behind the first one there is no step that only the third one sees.
        let far = [[4.0; WINDOW + 10], [5.0; WINDOW + 10]].concat();
        assert_eq!(change_points(&far).iter().map(|point| point.index).next(), Some(WINDOW + 10));
        assert!(change_points(&[[100.0; 9], [101.0; 9]].concat()).is_empty(), "1 % is too small");
    }

    #[test]
    fn of_splits_that_are_as_good_the_first_is_taken_and_none_where_all_is_equal() {
        let steps = [0.0, 0.0, 5.0, 5.0, 10.0, 10.0];
        let sums = DistanceSums::new(&steps);
        assert_eq!(sums.energy(2, 6), sums.energy(4, 6));
        assert_eq!(best_split(&steps), Some(2));
        assert_eq!(best_split(&[4.0; 6]), None);
    }

    /// A point is one at this p-value, and is proposed long before.
    #[test]
    fn a_point_that_is_hardly_one_is_found() {
        let level = [100.0, 104.0, 98.0, 102.0, 101.0, 97.0];
        let series = |step: f64| [level, level.map(|value| value + step)].concat();
        let points = change_points(&series(7.0));
        // R: t.test(level, level + 7, var.equal = TRUE).
        let [ChangePoint { index: 6, p_value, .. }] = points[..] else { panic!("{points:?}") };
        assert!((p_value - 0.000_847_02).abs() < 1e-7, "{p_value}");
        assert!(change_points(&series(6.0)).is_empty(), "p = 0.0024");
        assert_eq!(proposals(&series(6.0)), [6]);
    }

    #[test]
    fn short_and_flat_series_have_none() {
        for series in [&[][..], &[1.0], &[1.0, 2.0], &[1.0, 9.0, 1.0], &[0.0; 200]] {
            assert!(change_points(series).is_empty(), "{series:?}");
        }
    }
}
