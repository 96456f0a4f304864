//! The one place where a comparison meets the statistics.

use results::multiple;
use results::verdict::{self, Decision, FAMILY_ERROR, ItselfVerdict, Rule};
use results::{AgainstItself, Verdict};

use super::metric::{Metric, Series};

/// Decides when there are pairs enough, and what they say.
#[derive(Clone, Debug)]
pub struct Judge {
    rule: Rule,
    /// What gets a verdict, one at least.
    pub metrics: Vec<Metric>,
}

impl Default for Judge {
    /// For one comparison that stands alone.
    fn default() -> Judge {
        Judge { rule: Rule::default(), metrics: Metric::ALL.to_vec() }
    }
}

impl Judge {
    /// For a comparison of so many cells, each of which has a verdict per metric at most.
    #[must_use]
    pub fn of(cells: usize, metrics: &[Metric]) -> Judge {
        Judge { rule: Rule::of_family(cells * metrics.len()), metrics: metrics.to_vec() }
    }

    /// What the pairs say of a metric by now.
    #[must_use]
    pub fn look(&self, metric: Metric, series: &Series, budget_spent: bool) -> Decision {
        self.rule.look(&series.log_ratios, metric.better(), budget_spent)
    }

    /// After how many pairs, more than these, to look again; none after the last look.
    #[must_use]
    pub fn next_look(&self, pairs: u32) -> Option<u32> {
        self.rule.next_look(pairs + 1)
    }

    /// How easily chance alone would give these log ratios, at whichever look.
    #[must_use]
    pub fn p_value(&self, log_ratios: &[f64]) -> f64 {
        self.rule.p_value(log_ratios)
    }
}

/// A side against itself, if there were pairs enough, and whether it differs: nothing measured
/// beside that can be believed.
#[must_use]
pub fn against_itself(log_ratios: &[f64]) -> Option<(AgainstItself, bool)> {
    match verdict::against_itself(log_ratios) {
        ItselfVerdict::TooFew => None,
        ItselfVerdict::Agrees(itself) => Some((itself, false)),
        ItselfVerdict::Differs(itself) => Some((itself, true)),
    }
}

/// Which decided verdicts stand when all verdicts of the comparison are looked at together.
#[must_use]
pub fn stand(p_values: &[f64]) -> Vec<bool> {
    multiple::holm(p_values, FAMILY_ERROR)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_a_counter_is_worse_where_it_is_exact() {
        assert_eq!(count(4.0, 5.0, true), Verdict::Slower);
        assert_eq!(count(5.0, 4.0, true), Verdict::Faster);
        assert_eq!(count(4.0, 5.0, false), Verdict::Unclear);
        assert_eq!((count(4.0, 4.0, true), count(4.0, 4.0, false)), (Verdict::Same, Verdict::Same));
    }

    #[test]
    fn a_family_is_every_metric_of_every_cell() {
        assert_eq!(Judge::of(12, &Metric::ALL).rule, Rule::of_family(36));
        assert_eq!(Judge::of(5, &[Metric::SendP99]).rule, Rule::of_family(5));
        assert_eq!(Judge::default().rule, Rule::of_family(1));
    }

    #[test]
    fn the_next_look_is_at_more_pairs_than_there_are() {
        let judge = Judge::default();
        let looks = judge.rule.looks.clone();
        assert_eq!(judge.next_look(0), Some(looks[0]));
        for pair in looks.windows(2) {
            assert_eq!(judge.next_look(pair[0] - 1), Some(pair[0]));
            assert_eq!(judge.next_look(pair[0]), Some(pair[1]));
        }
        assert_eq!(judge.next_look(looks[looks.len() - 1]), None);
    }

    #[test]
    fn chance_gives_some_ratios_easily_and_others_seldom() {
        let p_value = |shift: f64| {
            let log_ratios: Vec<f64> = (0..20).map(|i| shift + f64::from(i) * 1e-3).collect();
            Judge::default().p_value(&log_ratios)
        };
        let (seldom, easily) = (p_value(0.1), p_value(-0.0095));
        assert!(seldom > 0.0 && seldom < 1e-4 && easily > 0.9, "{seldom} {easily}");
    }

    #[test]
    fn a_family_is_judged_more_strictly() {
        let level = |judge: Judge| {
            let log_ratios = (0..20).map(|i| f64::from(i) * 1e-3).collect();
            let series = Series { log_ratios, ..Series::default() };
            let found = judge.look(Metric::Throughput, &series, true);
            found.estimate.expect("twenty pairs").level
        };
        assert!(level(Judge::of(12, &Metric::ALL)) > level(Judge::of(1, &[Metric::Throughput])));
    }
}
