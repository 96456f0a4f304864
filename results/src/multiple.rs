//! Many tests at once: which of them still count.

/// Holm's step-down method: which hypotheses fall when the probability that any falls wrongly is
/// held to `alpha`. In the order of the p-values given.
#[must_use]
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    let mut fallen = vec![false; p_values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        if p_values[index] > alpha / (p_values.len() - rank) as f64 {
            break;
        }
        fallen[index] = true;
    }
    fallen
}
