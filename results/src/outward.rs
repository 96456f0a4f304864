//! An interval as it is printed: its ends are rounded away from its middle, so that no reader takes
//! it for narrower than it is; and whatever is said of it is said of what is printed.

/// What lies this near to a round number, as a share of it, is that number: the arithmetic is not
/// exact.
const EXACT: f64 = 1e-9;

/// A ratio and its interval, rounded for print.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Printed {
    /// The ratio, rounded to the nearest.
    pub ratio: f64,
    /// The lower end, rounded down.
    pub low: f64,
    /// The upper end, rounded up.
    pub high: f64,
    decimals: usize,
}

impl Printed {
    /// The ratio and its interval with two digits behind the point, or three where it is small, or
    /// fewer where it is large.
    #[must_use]
    pub fn new(ratio: f64, low: f64, high: f64) -> Printed {
        let decimals = decimals(ratio);
        let unit = 10_f64.powi(decimals as i32);
        Printed {
            ratio: (ratio * unit).round() / unit,
            low: down(low * unit) / unit,
            high: up(high * unit) / unit,
            decimals,
        }
    }

    /// The ratio alone, such as `3.05`.
    #[must_use]
    pub fn ratio(&self) -> String {
        format!("{:.*}", self.decimals, self.ratio)
    }

    /// The interval alone, such as `[2.98, 3.12]`.
    #[must_use]
    pub fn interval(&self) -> String {
        format!("[{:.*}, {:.*}]", self.decimals, self.low, self.decimals, self.high)
    }

    /// Its ends alone, such as `2.98 to 3.12`.
    #[must_use]
    pub fn span(&self) -> String {
        format!("{:.*} to {:.*}", self.decimals, self.low, self.decimals, self.high)
    }

    /// What is lost of 1 at least and at most, such as `19 to 23 %`.
    #[must_use]
    pub fn loss_span(&self) -> String {
        let (less, more) = self.losses();
        format!("{less:.0} to {more:.0} %")
    }

    /// What is lost of 1, in percent, such as `21 % [19, 23]`; of a ratio that lies below 1.
    #[must_use]
    pub fn loss(&self) -> String {
        let (less, more) = self.losses();
        format!("{:.0} % [{less:.0}, {more:.0}]", lost(self.ratio))
    }

    fn losses(&self) -> (f64, f64) {
        (down(lost(self.high)), up(lost(self.low)))
    }

    /// How far from 1 the interval reaches, in whole percent, rounded up.
    #[must_use]
    pub fn reach_percent(&self) -> f64 {
        up((self.high - 1.0).max(1.0 - self.low).max(0.0) * 100.0)
    }
}

/// The ratio with its interval, such as `3.05 [2.98, 3.12]`.
#[must_use]
pub fn text(ratio: f64, low: f64, high: f64) -> String {
    let printed = Printed::new(ratio, low, high);
    format!("{} {}", printed.ratio(), printed.interval())
}

/// As many digits behind the point as a ratio of this size is printed with.
fn decimals(ratio: f64) -> usize {
    match ratio {
        small if small < 0.0995 => 3,
        usual if usual < 9.995 => 2,
        large if large < 99.95 => 1,
        _ => 0,
    }
}

/// What a share leaves of 1, in percent.
fn lost(share: f64) -> f64 {
    (1.0 - share) * 100.0
}

fn down(value: f64) -> f64 {
    let near = value.round();
    if (value - near).abs() <= EXACT * near.abs() { near } else { value.floor() }
}

fn up(value: f64) -> f64 {
    -down(-value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_go_outward_and_round_numbers_stay() {
        for (numbers, expected) in [
            ((3.054, 2.9899, 3.1101), "3.05 [2.98, 3.12]"),
            ((0.51, 0.47, 0.55), "0.51 [0.47, 0.55]"),
            ((0.29, 0.29, 0.29), "0.29 [0.29, 0.29]"),
            ((0.0274, 0.0249, 0.0281), "0.027 [0.024, 0.029]"),
            ((1e-300, 1e-301, 1e-299), "0.000 [0.000, 0.001]"),
            ((9.996, 9.91, 10.13), "10.0 [9.9, 10.2]"),
            ((123.4, 119.9, 130.2), "123 [119, 131]"),
            ((1.004, 1.001, 1.009), "1.00 [1.00, 1.01]"),
        ] {
            assert_eq!(text(numbers.0, numbers.1, numbers.2), expected);
        }
    }

    #[test]
    fn where_one_more_digit_would_be_rounded_up_there_is_one_less() {
        assert_eq!([0.0994, 0.0995, 9.994, 9.995, 99.94, 99.95].map(decimals), [3, 2, 2, 1, 1, 0]);
    }

    #[test]
    fn losses_go_outward_too() {
        assert_eq!(Printed::new(0.79, 0.77, 0.81).loss(), "21 % [19, 23]");
        assert_eq!(Printed::new(0.791, 0.7701, 0.8099).loss(), "21 % [19, 23]");
        assert_eq!(Printed::new(0.05, 0.045, 0.055).loss(), "95 % [94, 96]");
        assert_eq!(Printed::new(0.8, 0.7801, 0.9199).loss_span(), "8 to 22 %");
    }

    #[test]
    fn no_interval_is_printed_narrower_than_it_is() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            let ratio = (random.f64() * 12.0 - 6.0).exp();
            let (low, high) = (ratio * (1.0 - random.f64()), ratio * (1.0 + random.f64()));
            let printed = Printed::new(ratio, low, high);
            let text = text(ratio, low, high);
            let numbers: Vec<f64> = text
                .split(|character| " [],".contains(character))
                .filter_map(|word| word.parse().ok())
                .collect();
            let [shown, from, to] = numbers[..] else { panic!("{text}") };
            assert!(from <= low * (1.0 + 1e-8) && to >= high * (1.0 - 1e-8), "{low} {high} {text}");
            assert!(from <= shown && shown <= to, "{text}");
            let reach = printed.reach_percent() / 100.0;
            assert!(1.0 - reach <= low + 1e-8 && high <= 1.0 + reach + 1e-8, "{low} {high}");
        }
    }
}
