//! Numbers as people read them: three digits and a unit, a count and its noun.

/// Two or three significant digits, such as `4.2e-5`, `0.0042`, `0.051`, `0.98`, `12.3`, `456`.
#[must_use]
pub fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => format!("{value:.2}"),
        size if size < 0.000_995 => format!("{value:.1e}"),
        size if size < 0.009_95 => format!("{value:.4}"),
        size if size < 0.0995 => format!("{value:.3}"),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A count per second, such as `12.3M`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    with_unit(per_second, &[(1e3, "k"), (1e6, "M"), (1e9, "G")], "")
}

/// A time, such as `41ns`, `1.23µs`.
#[must_use]
pub fn time(nanoseconds: u64) -> String {
    if nanoseconds < 1000 {
        return format!("{nanoseconds}ns");
    }
    with_unit(nanoseconds as f64, &[(1e3, "µs"), (1e6, "ms"), (1e9, "s")], "ns")
}

/// A share as a percentage, such as `35.0%`.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    // 99.96 % must not look like all.
    if (99.9..100.0).contains(&percent) {
        return format!("{:.2}%", (percent * 100.0).floor() / 100.0);
    }
    format!("{percent:.1}%")
}

/// So many of something, such as `1 thread`, `2 threads`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn with_unit(value: f64, units: &[(f64, &str)], bare: &str) -> String {
    let fitting = units.iter().rev().find(|(size, _)| value >= size * 0.9995);
    let (size, unit) = fitting.copied().unwrap_or((1.0, bare));
    format!("{}{unit}", digits(value / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        assert_eq!(
            [0.0, 9.99, 9.996, 99.94, 99.96, 1234.0].map(digits),
            ["0.00", "9.99", "10.0", "99.9", "100", "1234"]
        );
        assert_eq!(
            [0.0994, 0.0123, 0.009_94, 0.0042, 0.001, 0.000_994, 0.000_051_4, -0.000_051]
                .map(digits),
            ["0.099", "0.012", "0.0099", "0.0042", "0.0010", "9.9e-4", "5.1e-5", "-5.1e-5"]
        );
        // Where one more digit would be rounded up.
        assert_eq!(
            [0.000_995, 0.009_95, 0.0995, 9.995, 99.95].map(digits),
            ["0.0010", "0.010", "0.10", "10.0", "100"]
        );
        assert_eq!(
            [12.0, 999.6, 1000.0, 12_345_678.0, 2.5e9].map(rate),
            ["12.0", "1.00k", "1.00k", "12.3M", "2.50G"]
        );
        assert_eq!(
            [0, 999, 1000, 999_999, 60_000_000_000].map(time),
            ["0ns", "999ns", "1.00µs", "1.00ms", "60.0s"]
        );
        assert_eq!(
            [0.0, 0.35, 0.9996, 0.999_999, 1.0].map(percent),
            ["0.0%", "35.0%", "99.96%", "99.99%", "100.0%"]
        );
    }
}
