//! Student's t.

/// The probability of a |t| at least so high: the finite series for whole degrees of freedom
/// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4).
pub(crate) fn p_value(t: f64, freedom: usize) -> f64 {
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    let first = if is_odd { 3 } else { 2 };
    for step in (first..freedom.saturating_sub(1)).step_by(2) {
        term *= cosine * cosine * (step - 1) as f64 / step as f64;
        sum += term;
    }
    let inside =
        if is_odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum };
    (1.0 - inside).clamp(0.0, 1.0)
}

/// What Student's t of so many degrees of freedom exceeds, on either side, with this probability.
pub(crate) fn exceeded(chance: f64, freedom: usize) -> f64 {
    let [mut low, mut high] = [0.0, f64::from(1 << 30)];
    // Far beyond what a double can tell apart.
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if p_value(middle, freedom) > chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_those_of_students_table() {
        for (t, freedom, expected) in [
            (12.706_204_736, 1, 0.05),
            (4.302_652_730, 2, 0.05),
            (31.599_054_577, 2, 0.001),
            (12.923_978_637, 3, 0.001),
            (2.776_445_105, 4, 0.05),
            (6.868_826_626, 5, 0.001),
            (2.228_138_852, 10, 0.05),
            (3.645_958_635, 30, 0.001),
            (2.009_575_237, 49, 0.05),
        ] {
            let found = p_value(t, freedom);
            assert!((found - expected).abs() < 1e-9, "t = {t}, {freedom}: {found}");
        }
        assert_eq!(p_value(f64::INFINITY, 7), 0.0);
        assert_eq!(p_value(0.0, 8), 1.0);
    }

    #[test]
    fn what_is_exceeded_is_that_of_the_tables() {
        for (chance, freedom, expected) in [
            (0.05, 1, 12.706_2),
            (0.05, 2, 4.302_7),
            (0.05, 5, 2.570_6),
            (0.05, 10, 2.228_1),
            (0.001, 9, 4.780_9),
            (0.001, 24, 3.745_4),
            (0.05, 399, 1.965_9),
        ] {
            let found = exceeded(chance, freedom);
            assert!((found - expected).abs() < 1e-4, "{chance} {freedom}: {found}");
        }
    }
}
