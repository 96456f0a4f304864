//! Whether several runs of one program agree on a ratio, or several machines.
//!
//! Two 95 % intervals of one truth lie apart now and then, and among many some two nearly always
//! do. So each is widened first, to the level at which all intervals of a table, of every run and
//! every ratio, hold their truths together in 99 % of folders. Where two of these lie apart, one of
//! them misses the truth, or there is not one.

use crate::kept::Kept;
use crate::ratio::Ratio;
use crate::student;
use crate::summary::{Row, Summary};

/// The share of folders of which it may be said by chance, of any ratio, that runs do not agree.
const CHANCE: f64 = 0.01;

/// What runs that do not agree on a ratio say of it together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disagreement {
    /// How many runs, the shown one among them.
    pub runs: u32,
    /// The lowest end of all their intervals.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Summary {
    /// Marks the rows on whose ratios the summed-up run and the kept ones do not agree; a ratio
    /// that may not be used is held against none.
    pub fn hold_against(&mut self, kept: &Kept) {
        let others: Vec<Vec<&Ratio>> =
            self.rows.iter().map(|row| self.others(row, kept).collect()).collect();
        // Where there is but one there is nothing to agree with.
        let counts = others.iter().map(Vec::len).filter(|count| *count > 0);
        let intervals = counts.map(|count| count + 1).sum();
        let rows = self.rows.iter().zip(&others);
        let found: Vec<Option<Disagreement>> = rows
            .map(|(row, others)| disagreement(row.ratio.as_ref()?, others, intervals))
            .collect();
        self.rows.iter_mut().zip(found).for_each(|(row, found)| row.disagreement = found);
    }

    fn others<'k>(&'k self, row: &'k Row, kept: &'k Kept) -> impl Iterator<Item = &'k Ratio> {
        let is_used = row.interval().is_some() && self.spoiled(row).is_none();
        row.ratio.iter().filter(move |_| is_used).flat_map(|ratio| kept.of(ratio))
    }
}

/// What a run and others say together, where they do not agree; `intervals` are looked at in all.
pub(crate) fn disagreement(
    own: &Ratio,
    others: &[&Ratio],
    intervals: usize,
) -> Option<Disagreement> {
    let all = || others.iter().copied().chain([own]);
    if others.is_empty() || !do_differ(all(), intervals) {
        return None;
    }
    let runs = others.len() as u32 + 1;
    let low = all().filter_map(|ratio| ratio.low).fold(f64::INFINITY, f64::min);
    let high = all().filter_map(|ratio| ratio.high).fold(0.0, f64::max);
    Some(Disagreement { runs, low, high })
}

/// Whether the runs differ, whichever of them is shown; `intervals` are all that are looked at,
/// these among them.
fn do_differ<'a>(ratios: impl Iterator<Item = &'a Ratio>, intervals: usize) -> bool {
    let chance = CHANCE / intervals.max(1) as f64;
    let [mut low, mut high] = [f64::NEG_INFINITY, f64::INFINITY];
    for [from, to] in ratios.filter_map(|ratio| widened(ratio, chance)) {
        (low, high) = (low.max(from), high.min(to));
    }
    low > high
}

/// The logarithms of the ends that miss the truth with this probability.
fn widened(ratio: &Ratio, chance: f64) -> Option<[f64; 2]> {
    let [middle, low, high] = [ratio.ratio?, ratio.low?, ratio.high?].map(f64::ln);
    let freedom = ratio.pairs.saturating_sub(1).max(1) as usize;
    let times = student::exceeded(chance, freedom) / student::exceeded(1.0 - ratio.level, freedom);
    // Never narrower, even for a level that leaves no chance.
    let half = (high - low) / 2.0 * times.max(1.0);
    Some([(middle - half).min(low), (middle + half).max(high)])
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::narrow;

    /// A ratio of one run whose processes do `truth` but for chance.
    fn measured(random: &mut fastrand::Rng, truth: f64) -> Ratio {
        let pairs = [10, 15, 27][random.usize(..3)];
        let normal = |random: &mut fastrand::Rng| {
            let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
            radius * (std::f64::consts::TAU * random.f64()).cos()
        };
        let logs: Vec<f64> = (0..pairs).map(|_| truth.ln() + 0.05 * normal(random)).collect();
        let found = narrow::interval(&logs).expect("enough pairs");
        let [ratio, low, high] = [found.estimate, found.low, found.high].map(Some);
        Ratio { ratio, low, high, level: narrow::LEVEL, pairs, ..Ratio::default() }
    }

    #[test]
    fn runs_of_one_truth_agree() {
        const FOLDERS: u64 = 200;
        let (ratios, runs) = (12, 20);
        let is_wrong = |seed: &u64| {
            let mut random = fastrand::Rng::with_seed(*seed);
            (0..ratios).any(|_| {
                let found: Vec<Ratio> = (0..runs).map(|_| measured(&mut random, 2.0)).collect();
                do_differ(found.iter(), ratios * runs)
            })
        };
        let wrong = (0..FOLDERS).into_par_iter().filter(is_wrong).count();
        assert!(wrong <= 4, "{wrong} of {FOLDERS}");
    }

    #[test]
    fn runs_that_differ_are_found_whichever_is_shown() {
        let with = |ratio: f64, low: f64, high: f64| Ratio {
            ratio: Some(ratio),
            low: Some(low),
            high: Some(high),
            level: 0.95,
            pairs: 24,
            ..Ratio::default()
        };
        let runs = [with(2.2, 2.17, 2.23), with(3.1, 3.06, 3.16), with(2.6, 2.0, 3.3)];
        for shown in 0..runs.len() {
            let order = runs.iter().cycle().skip(shown).take(runs.len());
            assert!(do_differ(order, 240), "{shown}");
        }
        assert!(!do_differ([&runs[0], &runs[2]].into_iter(), 240));
        assert!(!do_differ([&runs[1], &runs[2]].into_iter(), 240));
        // Two intervals that merely lie apart.
        let near = [with(2.0, 1.95, 2.05), with(2.11, 2.06, 2.16)];
        assert!(!do_differ(near.iter(), 24));
        assert!(!do_differ([].into_iter(), 0));
    }

    #[test]
    fn an_interval_is_widened_by_what_students_t_says() {
        let ends = |pairs: u32, chance: f64| {
            let [low, high] = [-0.1_f64, 0.1].map(|end| Some(end.exp()));
            let found =
                Ratio { ratio: Some(1.0), low, high, level: 0.95, pairs, ..Ratio::default() };
            widened(&found, chance).expect("an interval")
        };
        let is = |[low, high]: [f64; 2], half: f64| {
            assert!((low + half).abs() < 1e-4 && (high - half).abs() < 1e-4, "{low} {high}");
        };
        is(ends(24, 0.05), 0.1);
        // Student's t of 23: 3.7676 at 0.1 %, 2.0687 at 5 %.
        is(ends(24, 0.001), 0.182_13);
        is(ends(24, 0.5), 0.1);
        // Of one degree of freedom there is always one.
        is(ends(1, 0.05), 0.1);
        assert_eq!(ends(1, 0.01), ends(2, 0.01));
        assert_ne!(ends(3, 0.01), ends(2, 0.01));
    }

    #[test]
    fn intervals_that_touch_do_not_lie_apart() {
        let exact = Ratio {
            ratio: Some(2.0),
            low: Some(2.0),
            high: Some(2.0),
            level: 0.95,
            pairs: 24,
            ..Ratio::default()
        };
        assert!(!do_differ([&exact, &exact].into_iter(), 2));
    }

    #[test]
    fn truths_that_differ_by_a_third_are_found() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..20 {
            let runs = [2.2, 2.2, 3.1].map(|truth| measured(&mut random, truth));
            assert!(do_differ(runs.iter(), 36));
        }
    }
}
