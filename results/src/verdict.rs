//! When a comparison is decided, and how: the sequential rule.
//!
//! The unit is a pair of fresh processes, one per side. Inside a pair slices of both sides
//! alternate in quads, ABBA or BAAB by a coin, so that a steady drift cancels; a pair then says one
//! number, the median over its quads of ln second - ln first. Slices of one process have its luck
//! in common (its addresses, its pages), so they are no sample: pairs are.
//!
//! The rule looks at the pairs a few times, at numbers fixed beforehand. Each look makes the
//! Hodges-Lehmann estimate and its exact signed-rank interval at a level high enough that all looks
//! together seldom err; `bench/COMPARING.md` has the table.

use crate::compared::{AgainstItself, Verdict};
use crate::rank;
use crate::stats::{self, Interval, PAIRS_MAX, WalshAverages};

/// The share of changes of [`Estimate::smallest_visible`] that is found.
const POWER: f64 = 0.9;
/// The probability that any of a family of comparisons errs.
pub const FAMILY_ERROR: f64 = 0.05;
/// The fewest pairs with which a side against itself says anything.
pub const ITSELF_PAIRS_MIN: usize = 10;

/// The sequential rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The numbers of pairs at which it looks, ascending.
    pub looks: Vec<u32>,
    /// The level of the interval at each look.
    pub level_per_look: f64,
    /// The smallest change, as a share, that is called FASTER or SLOWER.
    pub threshold: f64,
    /// A change that is surely smaller than this share is called SAME.
    pub same_margin: f64,
}

/// Which direction of a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better, as of operations per second.
    Higher,
    /// Less is better, as of nanoseconds.
    Lower,
}

/// What the pairs say of the ratio, second side over first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The ratio: Hodges-Lehmann of the logarithms.
    pub ratio: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many pairs that is from.
    pub pairs: u32,
    /// The level of the interval at one look.
    pub level: f64,
    /// The smallest change, as a share, that so many pairs with this spread show nine times in ten.
    pub smallest_visible: f64,
}

/// What a look ends with.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// FASTER, SLOWER or SAME only where it is final.
    pub verdict: Verdict,
    /// `None` with fewer pairs than any verdict needs, or when a pair has no ratio.
    pub estimate: Option<Estimate>,
    /// No more pairs are wanted.
    pub is_final: bool,
    /// Why so, as the end of a sentence.
    pub why: &'static str,
}

/// What the first side against itself says.
#[derive(Clone, Debug, PartialEq)]
pub enum ItselfVerdict {
    /// Fewer than [`ITSELF_PAIRS_MIN`] pairs, or one has no ratio: it says nothing.
    TooFew,
    /// The interval holds 1, as it should.
    Agrees(AgainstItself),
    /// A side differs from itself: something but the code makes a difference here, and no verdict
    /// of the comparison can be trusted.
    Differs(AgainstItself),
}

impl Default for Rule {
    /// The rule for one comparison: ten looks, each half as many pairs again as the last, at
    /// 99.8 %. Ten pairs are the fewest that reach this level; about sixty fit in a minute.
    fn default() -> Self {
        Rule {
            looks: vec![10, 15, 22, 33, 50, 75, 110, 165, 250, 375],
            level_per_look: 0.998,
            threshold: 0.01,
            same_margin: 0.03,
        }
    }
}

impl Rule {
    /// The rule for one of so many comparisons whose verdicts stand together: the more there are,
    /// the stricter, so that whatever it calls FASTER or SLOWER has a [`Rule::p_value`] that Holm's
    /// method at [`FAMILY_ERROR`] finds significant too, and no verdict is reached only to be taken
    /// back.
    #[must_use]
    pub fn of_family(comparisons: usize) -> Rule {
        let rule = Rule::default();
        let error = FAMILY_ERROR / (rule.looks.len() * comparisons.max(1)) as f64;
        Rule { level_per_look: rule.level_per_look.max(1.0 - error), ..rule }
    }

    /// Looks at the logarithms of the ratios so far. Between looks nothing is decided. With
    /// `budget_spent` no more pairs will come, and this look, in the place of those that would have
    /// followed, is the last.
    #[must_use]
    pub fn look(&self, log_ratios: &[f64], better: Better, budget_spent: bool) -> Decision {
        let pairs = u32::try_from(log_ratios.len()).unwrap_or(u32::MAX);
        let is_last = budget_spent || self.looks.last().is_none_or(|last| pairs >= *last);
        let unclear = |estimate, why| Decision {
            verdict: Verdict::Unclear,
            estimate,
            is_final: is_last,
            why,
        };
        if !log_ratios.iter().all(|value| value.is_finite()) {
            return unclear(None, "a pair has no ratio");
        }
        let Some((interval, estimate)) = self.estimate(log_ratios) else {
            return unclear(None, "there are too few pairs for any verdict");
        };
        if !is_last && !self.looks.contains(&pairs) {
            return unclear(Some(estimate), "no look is due");
        }
        match self.decide(&interval, better) {
            Some((verdict, why)) => {
                Decision { verdict, estimate: Some(estimate), is_final: true, why }
            }
            None if is_last => unclear(Some(estimate), "the pairs leave room for either"),
            None => unclear(Some(estimate), "more pairs may tell"),
        }
    }

    /// The first number of pairs at or after this one at which a look is due.
    #[must_use]
    pub fn next_look(&self, pairs: u32) -> Option<u32> {
        self.looks.iter().copied().find(|look| *look >= pairs)
    }

    /// The p-value of a comparison that could have ended at any look: that of the pairs at hand,
    /// times the number of looks (Bonferroni). This is what [`holm`](crate::multiple::holm) takes.
    #[must_use]
    pub fn p_value(&self, log_ratios: &[f64]) -> f64 {
        (p_value(log_ratios) * self.looks.len() as f64).min(1.0)
    }

    fn estimate(&self, log_ratios: &[f64]) -> Option<(Interval, Estimate)> {
        let mut averages = WalshAverages::new(log_ratios)?;
        let interval = averages.interval(self.level_per_look);
        if !interval.level_reached {
            return None;
        }
        // To be found, an estimate must lie half an interval away from no change; once in ten it is
        // too low by more than half of this narrower one, so the change must exceed both.
        let power = averages.interval(2.0 * POWER - 1.0);
        let half_width = |interval: &Interval| (interval.high - interval.low) / 2.0;
        let visible = (half_width(&interval) + half_width(&power)).exp_m1();
        let estimate = Estimate {
            ratio: interval.estimate.exp(),
            low: interval.low.exp(),
            high: interval.high.exp(),
            pairs: u32::try_from(log_ratios.len()).unwrap_or(u32::MAX),
            level: interval.level,
            smallest_visible: visible.max(self.threshold),
        };
        Some((interval, estimate))
    }

    fn decide(&self, interval: &Interval, better: Better) -> Option<(Verdict, &'static str)> {
        let excludes_zero = interval.low > 0.0 || interval.high < 0.0;
        let is_up = interval.estimate > 0.0;
        if excludes_zero && interval.estimate.abs() >= self.threshold.ln_1p() {
            let why = "the interval excludes 1";
            let verdict = match better {
                Better::Higher if is_up => Verdict::Faster,
                Better::Lower if !is_up => Verdict::Faster,
                _ => Verdict::Slower,
            };
            return Some((verdict, why));
        }
        let margin = self.same_margin.ln_1p();
        (interval.low >= -margin && interval.high <= margin)
            .then_some((Verdict::Same, "the interval lies inside the margin"))
    }
}

/// Judges the first side against itself by pairs of all cells together; of more than
/// [`PAIRS_MAX`] by the newest.
#[must_use]
pub fn against_itself(log_ratios: &[f64]) -> ItselfVerdict {
    let newest = &log_ratios[log_ratios.len().saturating_sub(PAIRS_MAX)..];
    let interval = stats::hodges_lehmann(newest, Rule::default().level_per_look);
    let Some(interval) = interval.filter(|_| newest.len() >= ITSELF_PAIRS_MIN) else {
        return ItselfVerdict::TooFew;
    };
    let itself = AgainstItself {
        ratio: interval.estimate.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        pairs: newest.len() as u32,
    };
    if interval.low > 0.0 || interval.high < 0.0 {
        return ItselfVerdict::Differs(itself);
    }
    ItselfVerdict::Agrees(itself)
}

/// The two-sided signed-rank p-value of pairs that were looked at once; 1 where there is none.
#[must_use]
pub fn p_value(log_ratios: &[f64]) -> f64 {
    rank::p_value(log_ratios).unwrap_or(1.0)
}

/// What one quad says: the mean of ln b less the mean of ln a, whichever order they ran in.
#[must_use]
pub fn quad(a1: f64, b1: f64, b2: f64, a2: f64) -> f64 {
    (b1.ln() + b2.ln() - a1.ln() - a2.ln()) / 2.0
}

/// What a pair of processes says: the median over its quads; `None` without any.
#[must_use]
pub fn pair(quads: &[f64]) -> Option<f64> {
    stats::median(quads)
}
