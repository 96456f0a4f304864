//! Many tests at once: which of them still count.

/// Holm's step-down method: which hypotheses fall when the probability that any falls wrongly is
/// held to `alpha` (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
/// Journal of Statistics 1979). In the order of the p-values given.
#[must_use]
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let count = p_values.len();
    let falls = |rank: usize, p: f64| p <= alpha / (count - rank) as f64;
    let order = ascending(p_values);
    let fallen = (0..count).take_while(|rank| falls(*rank, p_values[order[*rank]])).count();
    marked(&order[..fallen], count)
}

/// Benjamini and Hochberg's step-up method: which hypotheses fall when the share of wrongly fallen
/// ones among them is held to `q` (Benjamini and Hochberg, "Controlling the false discovery rate",
/// Journal of the Royal Statistical Society B 1995). In the order of the p-values given.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64], q: f64) -> Vec<bool> {
    let count = p_values.len();
    let falls = |rank: usize, p: f64| p <= q * (rank + 1) as f64 / count as f64;
    let order = ascending(p_values);
    let fallen = (0..count).rev().find(|rank| falls(*rank, p_values[order[*rank]]));
    marked(&order[..fallen.map_or(0, |rank| rank + 1)], count)
}

/// The indexes in ascending order of p-value.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    order
}

fn marked(indexes: &[usize], count: usize) -> Vec<bool> {
    let mut marks = vec![false; count];
    for index in indexes {
        marks[*index] = true;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_steps_down() {
        // 0.01 / 4, 0.013 <= 0.05 / 3, 0.03 > 0.05 / 2: the rest stays, though 0.04 < 0.05.
        assert_eq!(holm(&[0.03, 0.01, 0.04, 0.013], 0.05), [false, true, false, true]);
        assert_eq!(holm(&[0.05], 0.05), [true]);
        assert_eq!(holm(&[0.02, 0.02, 0.02], 0.05), [false; 3]);
        assert_eq!(holm(&[], 0.05), [] as [bool; 0]);
        assert_eq!(holm(&[f64::NAN, 0.001], 0.05), [false, true]);
    }

    #[test]
    fn benjamini_hochberg_steps_up() {
        // The example of the paper: 15 p-values, of which four fall at 5 %.
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let fallen = benjamini_hochberg(&p_values, 0.05);
        assert_eq!(fallen.iter().filter(|fallen| **fallen).count(), 4);
        assert!(fallen[..4].iter().all(|fallen| *fallen));
        let by_holm = holm(&p_values, 0.05);
        assert_eq!(by_holm.iter().filter(|fallen| **fallen).count(), 3);
        // A high one is carried by a higher one that falls.
        assert_eq!(benjamini_hochberg(&[0.04, 0.03], 0.05), [true, true]);
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.01], 0.05), [false, true]);
        assert_eq!(benjamini_hochberg(&[], 0.05), [] as [bool; 0]);
    }
}
