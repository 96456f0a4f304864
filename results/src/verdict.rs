//! From log ratios of pairs to a verdict: a signed-rank interval, looked at a few times.

use crate::compared::{Control, Verdict};
use crate::stats::hodges_lehmann;

/// When to look, and what to say then.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// After how many pairs the verdict is tried; ascending.
    pub looks: Vec<u32>,
    /// The level of the interval at each look.
    pub level_per_look: f64,
    /// The smallest change, as a share, that is called one.
    pub threshold: f64,
    /// An interval that lies within this share of 1 is called the same.
    pub same_margin: f64,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule {
            looks: vec![10, 15, 22, 33, 50, 75, 110, 165, 250, 375],
            level_per_look: 0.998,
            threshold: 0.01,
            same_margin: 0.03,
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better: operations per second.
    Higher,
    /// Less is better: nanoseconds.
    Lower,
}

/// What the pairs say of the ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Second over first.
    pub ratio: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many pairs.
    pub pairs: u32,
    /// The level that the interval has.
    pub level: f64,
    /// The smallest change, as a share, that these pairs could have shown.
    pub smallest_visible: f64,
}

/// What a look says.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The verdict by now.
    pub verdict: Verdict,
    /// The estimate, if there are pairs enough for one.
    pub estimate: Option<Estimate>,
    /// Whether more pairs would not change it.
    pub is_final: bool,
}

impl Rule {
    /// The verdict that these log ratios (second over first) support; between looks only a spent
    /// budget decides.
    #[must_use]
    pub fn look(&self, log_ratios: &[f64], better: Better, budget_spent: bool) -> Decision {
        let estimate = estimate(log_ratios, self.level_per_look);
        let least = self.looks.first().copied().unwrap_or(0).min(PAIRS_MIN);
        let Some(found) = estimate.filter(|found| found.pairs >= least) else {
            return Decision { verdict: Verdict::Unclear, estimate, is_final: budget_spent };
        };
        let verdict = self.verdict(&found, better);
        let last = self.looks.last().is_some_and(|last| found.pairs >= *last);
        let is_final = budget_spent || last || verdict != Verdict::Unclear;
        Decision { verdict, estimate, is_final }
    }

    fn verdict(&self, found: &Estimate, better: Better) -> Verdict {
        let excludes_one = found.low > 1.0 || found.high < 1.0;
        if excludes_one && found.ratio.ln().abs() >= self.threshold.ln_1p() {
            let improved = (found.ratio > 1.0) == (better == Better::Higher);
            return if improved { Verdict::Faster } else { Verdict::Slower };
        }
        let margin = self.same_margin.ln_1p();
        if found.low.ln() >= -margin && found.high.ln() <= margin {
            return Verdict::Same;
        }
        Verdict::Unclear
    }

    /// The first number of pairs at or after this one at which a look is due.
    #[must_use]
    pub fn next_look(&self, pairs: u32) -> Option<u32> {
        self.looks.iter().copied().find(|look| *look >= pairs)
    }

    /// The rule for one of so many comparisons whose verdicts stand together.
    #[must_use]
    pub fn of_family(comparisons: usize) -> Rule {
        let rule = Rule::default();
        let error = FAMILY_ERROR / (rule.looks.len() * comparisons.max(1)) as f64;
        Rule { level_per_look: rule.level_per_look.max(1.0 - error), ..rule }
    }

    /// The p-value of a comparison that could have ended at any look.
    #[must_use]
    pub fn p_value(&self, log_ratios: &[f64]) -> f64 {
        (p_value(log_ratios) * self.looks.len() as f64).min(1.0)
    }
}

/// The probability that any of a family of comparisons errs.
pub const FAMILY_ERROR: f64 = 0.05;

/// Fewer pairs than this cannot exclude anything at the level of a look.
const PAIRS_MIN: u32 = 10;

fn estimate(log_ratios: &[f64], level: f64) -> Option<Estimate> {
    let interval = hodges_lehmann(log_ratios, level)?;
    let half = (interval.high - interval.low) / 2.0;
    Some(Estimate {
        ratio: interval.estimate.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        pairs: log_ratios.len() as u32,
        level: interval.level,
        smallest_visible: half.exp_m1(),
    })
}

/// What the first side against itself says.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlVerdict {
    /// Too few pairs, or one has no ratio: it says nothing.
    TooFew,
    /// The interval holds 1, as it should.
    Agrees(Control),
    /// A side differs from itself: no verdict of the comparison can be trusted.
    Differs(Control),
}

/// The fewest pairs with which a control says anything.
pub const CONTROL_PAIRS_MIN: usize = 10;

/// Judges the first side against itself.
#[must_use]
pub fn control(log_ratios: &[f64]) -> ControlVerdict {
    let found = estimate(log_ratios, Rule::default().level_per_look);
    let Some(found) = found.filter(|_| log_ratios.len() >= CONTROL_PAIRS_MIN) else {
        return ControlVerdict::TooFew;
    };
    let Estimate { ratio, low, high, pairs, .. } = found;
    let control = Control { ratio, low, high, pairs };
    if low > 1.0 || high < 1.0 {
        return ControlVerdict::Differs(control);
    }
    ControlVerdict::Agrees(control)
}

/// The two-sided p-value of the signed-rank test: the smallest level at which the interval excludes
/// no change.
#[must_use]
pub fn p_value(log_ratios: &[f64]) -> f64 {
    let excludes = |p: f64| {
        hodges_lehmann(log_ratios, 1.0 - p)
            .is_some_and(|found| found.level_reached && (found.low > 0.0 || found.high < 0.0))
    };
    if !excludes(1.0) {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..P_STEPS {
        let middle = f64::midpoint(low, high);
        if excludes(middle) { high = middle } else { low = middle }
    }
    high
}

/// Halvings until a p-value is known well enough.
const P_STEPS: u32 = 40;
