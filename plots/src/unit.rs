//! What a number counts, and how it reads: in a tick, in a table.

use results::units;
use serde::Serialize;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Operations per second.
    Rate,
    /// Nanoseconds.
    Time,
    /// A ratio; 1 is no difference.
    Ratio,
    /// A part of a whole, 0 to 1.
    Share,
    /// How many, or how many per operation.
    Count,
    /// `1 / (1 - p)`, which is read as the percentile p.
    Percentile,
    /// The name of a place on an axis of names.
    Name,
}

impl Unit {
    /// A value with three digits and its unit.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Unit::Rate => units::rate(value),
            Unit::Time => units::time(value.max(0.0).round() as u64),
            // What is there must not look like nothing.
            Unit::Share if value > 0.0 && value < 0.0005 => "<0.1%".to_owned(),
            Unit::Share => units::percent(value),
            Unit::Percentile => percentile(value),
            Unit::Ratio | Unit::Count if value > 0.0 && value < 0.0005 => "<0.001".to_owned(),
            Unit::Ratio | Unit::Count | Unit::Name => units::digits(value),
        }
    }

    /// The same without zeros that say nothing: `5M`, not `5.00M`.
    #[must_use]
    pub fn short(self, value: f64) -> String {
        if matches!(self, Unit::Count) && value.fract() == 0.0 {
            return format!("{value}");
        }
        trimmed(&self.text(value))
    }

    /// A tick, which is a round value: all its digits, so that two ticks never read the same.
    #[must_use]
    pub fn tick(self, value: f64) -> String {
        match self {
            Unit::Count | Unit::Ratio => plain(value),
            Unit::Share => plain(value * 100.0) + "%",
            _ => self.short(value),
        }
    }
}

/// A round value with all its decimals, six at most.
fn plain(value: f64) -> String {
    trimmed(&format!("{value:.6}"))
}

/// `1.50µs` is `1.5µs`, `2.00M` is `2M`, `100` stays.
fn trimmed(text: &str) -> String {
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let end = text.find(|c| !digits(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if !number.contains('.') {
        return text.to_owned();
    }
    format!("{}{unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// The percentile that `1 / (1 - p)` stands for: 2 is 50%, 1000 is 99.9%.
fn percentile(inverse: f64) -> String {
    let nines = inverse.max(1.0).log10();
    let decimals = (nines.ceil() as usize).saturating_sub(2) + usize::from(nines.fract() != 0.0);
    trimmed(&format!("{:.decimals$}%", 100.0 * (1.0 - 1.0 / inverse.max(1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_no_idle_zeros() {
        assert_eq!(Unit::Rate.tick(5e6), "5M");
        assert_eq!(Unit::Time.tick(1500.0), "1.5µs");
        assert_eq!(Unit::Time.tick(100.0), "100ns");
        assert_eq!(Unit::Count.tick(20.0), "20");
        assert_eq!(Unit::Rate.tick(0.0), "0");
    }

    #[test]
    fn ticks_close_together_differ() {
        assert_eq!([0.9995, 1.0].map(|x| Unit::Ratio.tick(x)), ["0.9995", "1"]);
        assert_eq!([0.0, 0.0002, 0.5].map(|x| Unit::Share.tick(x)), ["0%", "0.02%", "50%"]);
    }

    #[test]
    fn little_is_not_nothing() {
        assert_eq!([0.0, 0.0003, 0.125].map(|x| Unit::Share.text(x)), ["0.0%", "<0.1%", "12.5%"]);
        assert_eq!([0.0, 0.0003, 16.0].map(|x| Unit::Count.short(x)), ["0", "<0.001", "16"]);
        assert_eq!(Unit::Count.short(0.25), "0.25");
    }

    #[test]
    fn percentiles_read_as_nines() {
        assert_eq!(
            [1.0, 2.0, 10.0, 100.0, 1e3, 1e6].map(|x| Unit::Percentile.text(x)),
            ["0%", "50%", "90%", "99%", "99.9%", "99.9999%"]
        );
    }
}
