//! The one place where a comparison meets the statistics.

use results::verdict::{self, Decision, Rule};
use results::{Control, Verdict};

use super::metric::{Metric, Series};

/// The share of comparisons without any difference that may end with exit code 3.
const ALPHA: f64 = 0.01;
/// As many pairs of a side with itself, and its interval decides.
const CONTROL_PAIRS_MIN: u32 = 10;

/// Decides when there are pairs enough, and what they say.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    rule: Rule,
}

impl Judge {
    /// What the pairs say of a metric by now.
    #[must_use]
    pub fn look(&self, metric: Metric, series: &Series, budget_spent: bool) -> Decision {
        self.rule.look(&series.log_ratios, metric.better(), budget_spent)
    }

    /// After how many pairs to look again; none after the last look.
    #[must_use]
    pub fn next_look(&self, pairs: u32) -> Option<u32> {
        self.rule.next_look(pairs)
    }
}

/// A side against itself, if there were pairs.
#[must_use]
pub fn control(log_ratios: &[f64]) -> Option<Control> {
    let found = verdict::control(log_ratios).estimate?;
    let (ratio, low, high, pairs) = (found.ratio, found.low, found.high, found.pairs);
    Some(Control { ratio, low, high, pairs })
}

/// Whether a side differs from itself: nothing measured beside that can be believed.
#[must_use]
pub fn is_invalid(control: &Control) -> bool {
    control.pairs >= CONTROL_PAIRS_MIN && (control.low > 1.0 || control.high < 1.0)
}

/// Which decided verdicts stand when all verdicts of the comparison are looked at together.
#[must_use]
pub fn stand(p_values: &[f64]) -> Vec<bool> {
    verdict::holm(p_values, ALPHA)
}

/// How easily chance alone would give these log ratios.
#[must_use]
pub fn p_value(log_ratios: &[f64]) -> f64 {
    verdict::p_value(log_ratios)
}

/// What a counter says: more is worse.
#[must_use]
pub fn count(first: f64, second: f64, exact: bool) -> Verdict {
    match second.total_cmp(&first) {
        std::cmp::Ordering::Equal => Verdict::Same,
        _ if !exact => Verdict::Unclear,
        std::cmp::Ordering::Greater => Verdict::Slower,
        std::cmp::Ordering::Less => Verdict::Faster,
    }
}
