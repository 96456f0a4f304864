//! Wilcoxon's signed-rank test: its statistic, its exact distribution, its exact p-value.
//!
//! Differences of 0 say nothing for either side and are dropped; equal distances from 0 share the
//! mean of their ranks (Pratt, "Remarks on zeros and ties in the Wilcoxon signed rank procedures",
//! JASA 1959, discusses both). Nothing here is approximated, so a p-value of ten differences is as
//! true as one of a hundred.

use crate::stats::PAIRS_MAX;

/// The statistic V: the sum of the ranks of the differences above 0, by distance from 0.
#[must_use]
pub fn signed_rank(differences: &[f64]) -> f64 {
    let ranks = doubled_ranks(differences);
    ranks.iter().filter(|(positive, _)| *positive).map(|(_, rank)| *rank as f64 / 2.0).sum()
}

/// The probability, when the differences lie evenly around 0, of a statistic at least as far from
/// its middle as theirs, on either side; 1 when every difference is 0. `None` of more than
/// [`PAIRS_MAX`] differences, or of what is no number.
#[must_use]
pub fn p_value(differences: &[f64]) -> Option<f64> {
    let [at_most, at_least] = tails(differences)?;
    Some((2.0 * at_most.min(at_least)).min(1.0))
}

/// The same on one side: of a statistic at least as high as theirs.
#[must_use]
pub fn p_value_above(differences: &[f64]) -> Option<f64> {
    tails(differences).map(|[_, at_least]| at_least)
}

/// The probability of each value of the statistic of so many differences without ties or zeros,
/// when they lie evenly around 0.
pub(crate) fn distribution(count: usize) -> Vec<f64> {
    probabilities(&(1..=count).collect::<Vec<usize>>())
}

/// The largest value whose lower tail is at most the one asked for, and that tail. When even 0 has
/// a longer tail, it is 0 and that tail.
pub(crate) fn critical_value(distribution: &[f64], tail_asked: f64) -> (usize, f64) {
    let mut tail = 0.0;
    let mut best = None;
    for (value, probability) in distribution.iter().enumerate() {
        tail += probability;
        if best.is_some() && (tail > tail_asked || tail >= 0.5) {
            break;
        }
        best = Some((value, tail));
    }
    best.expect("a sum of ranks has at least the value 0")
}

/// The probabilities of a statistic at most and at least as high as the differences'.
fn tails(differences: &[f64]) -> Option<[f64; 2]> {
    if differences.len() > PAIRS_MAX || !differences.iter().all(|value| value.is_finite()) {
        return None;
    }
    let signed = doubled_ranks(differences);
    let statistic: usize =
        signed.iter().filter(|(positive, _)| *positive).map(|(_, rank)| rank).sum();
    let ranks: Vec<usize> = signed.iter().map(|(_, rank)| *rank).collect();
    let probabilities = probabilities(&ranks);
    let (below, from) = probabilities.split_at(statistic);
    Some([below.iter().sum::<f64>() + from[0], from.iter().sum()])
}

/// Whether each difference is above 0, and twice its rank, which is whole where ranks are shared.
fn doubled_ranks(differences: &[f64]) -> Vec<(bool, usize)> {
    let mut sorted: Vec<f64> = differences.iter().copied().filter(|value| *value != 0.0).collect();
    sorted.sort_by(|left, right| left.abs().total_cmp(&right.abs()));
    let mut ranks = Vec::with_capacity(sorted.len());
    for equal in sorted.chunk_by(|left, right| left.abs() == right.abs()) {
        let before = ranks.len();
        let doubled = 2 * before + equal.len() + 1;
        ranks.extend(equal.iter().map(|value| (*value > 0.0, doubled)));
    }
    ranks
}

/// The probability of each sum when a coin decides of every rank whether it counts.
fn probabilities(ranks: &[usize]) -> Vec<f64> {
    // How many ways lead to each sum; 2 to the power of PAIRS_MAX is within the range of a number.
    let mut ways = vec![0.0; ranks.iter().sum::<usize>() + 1];
    ways[0] = 1.0;
    let mut highest = 0;
    for rank in ranks {
        highest += rank;
        for sum in (*rank..=highest).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let scale = 0.5_f64.powi(ranks.len() as i32);
    ways.iter().map(|ways| ways * scale).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Differences of the depression scores in R's `wilcox.test` example.
    #[expect(clippy::approx_constant, reason = "3.14 is a score here")]
    pub(crate) fn depression() -> Vec<f64> {
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        before.iter().zip(after).map(|(before, after)| before - after).collect()
    }

    fn near(left: impl Into<Option<f64>>, right: f64) -> bool {
        left.into().is_some_and(|left| (left - right).abs() < 1e-9)
    }

    #[test]
    fn agrees_with_r() {
        assert_eq!(signed_rank(&depression()), 40.0);
        assert!(near(p_value_above(&depression()), 0.019_531_25));
        assert!(near(p_value(&depression()), 0.039_062_5));
        let swapped: Vec<f64> = depression().iter().map(|difference| -difference).collect();
        assert_eq!(signed_rank(&swapped), 5.0);
        assert!(near(p_value(&swapped), 0.039_062_5));
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // The largest value whose tail is at most alpha / 2 (two-sided tables).
        for (count, alpha, critical) in [
            (10, 0.01, 3),
            (20, 0.01, 37),
            (30, 0.01, 109),
            (40, 0.01, 220),
            (9, 0.05, 5),
            (10, 0.05, 8),
            (20, 0.05, 52),
            (30, 0.05, 137),
            (20, 0.003, 28),
            (40, 0.003, 193),
            (80, 0.003, 1007),
            (120, 0.003, 2504),
        ] {
            let (value, tail) = critical_value(&distribution(count), alpha / 2.0);
            assert_eq!(value, critical, "n = {count}");
            assert!(tail <= alpha / 2.0);
        }
        assert_eq!(critical_value(&distribution(3), 0.0015), (0, 0.125));
        // Never the middle: what is dropped at both ends would meet there.
        assert_eq!(critical_value(&distribution(2), 0.5), (0, 0.25));
    }

    #[test]
    fn ten_of_one_sign_have_the_smallest_p_value_of_ten() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert!(near(p_value(&ten), 0.001_953_125));
        assert!(near(p_value(&ten[..1]), 1.0));
    }

    #[test]
    fn zeros_are_dropped_and_ties_share_their_ranks() {
        let mut with_zeros = depression();
        with_zeros.extend([0.0, -0.0]);
        assert_eq!(signed_rank(&with_zeros), 40.0);
        assert!(near(p_value(&with_zeros), 0.039_062_5));
        // Ranks 1.5, 1.5, 3: of the 8 signs, {1.5 + 3}, {1.5 + 3} and all reach 4.5.
        assert_eq!(signed_rank(&[1.0, -1.0, 2.0]), 4.5);
        assert!(near(p_value_above(&[1.0, -1.0, 2.0]), 3.0 / 8.0));
        assert!(near(p_value(&[1.0, -1.0]), 1.0));
        assert!(near(p_value(&[0.0; 5]), 1.0));
        assert!(near(p_value(&[]), 1.0));
        assert_eq!(p_value(&[1.0, f64::NAN]), None);
        assert_eq!(p_value(&[1.0; PAIRS_MAX + 1]), None);
        assert!(p_value(&[1.0; PAIRS_MAX]).is_some_and(|p| p > 0.0 && p < 1e-9));
    }

    #[test]
    fn probabilities_add_up() {
        for count in [0, 1, 7, 120, PAIRS_MAX] {
            assert!(near(distribution(count).iter().sum::<f64>(), 1.0));
        }
    }
}
