//! The numbers of the command line: how they are written. What they may be is said in
//! [`valid`](crate::valid) and the settings of a run.

use std::time::Duration;

use workloads::number;

/// A whole number: digits.
///
/// # Errors
/// It is no number, or too large.
pub fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let largest = u64::MAX >> (64 - 8 * size_of::<T>().min(8));
    let found = number::whole::<u64>(text).filter(|number| *number <= largest);
    let fits = found.and_then(|number| T::try_from(number).ok());
    fits.ok_or_else(|| format!("a whole number is meant, in digits, at most {largest}"))
}

/// A number: digits, perhaps with a point among them and a power of ten behind them. A minus is
/// read, so that it can be said what is valid.
///
/// # Errors
/// It is no number; `inf` and its like are none here, either.
pub fn real(text: &str) -> Result<f64, String> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".e-".contains(&byte));
    let number = is_number.then(|| text.parse::<f64>().ok()).flatten();
    let number = number.filter(|number| number.is_finite());
    number.ok_or_else(|| "a number is meant, in digits, such as 0.5 or 60".to_owned())
}

/// A number as it is said to a user: one of three hundred digits is not written out.
#[must_use]
pub fn shown(number: f64) -> String {
    let plain = number.to_string();
    if plain.len() > 20 { format!("{number:e}") } else { plain }
}

/// A time with its units, such as `500ms`, `60s`, `2m` or `1m30s`; a number alone is seconds.
#[must_use]
pub fn time(text: &str) -> Option<Duration> {
    if let Ok(seconds) = real(text) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    // humantime lets spaces pass.
    let is_one_word = !text.contains(char::is_whitespace);
    is_one_word.then(|| humantime::parse_duration(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no number anywhere.
    const NONE: [&str; 11] =
        ["", " ", " 3", "3 ", "+0", "nan", "NaN", "inf", "-inf", "3%%", "0x10"];

    #[test]
    fn whole_numbers_are_digits_and_fit() {
        assert_eq!(whole::<u32>("4294967295"), Ok(u32::MAX));
        assert_eq!(whole::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert!(whole::<u32>("4294967296").unwrap_err().ends_with("at most 4294967295"));
        assert!(whole::<u64>("18446744073709551616").unwrap_err().contains("18446744073709551615"));
        for bad in NONE.into_iter().chain(["-1", "1e3", "0.5", "1e300"]) {
            assert!(whole::<u64>(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!((real("0.5"), real("1e3"), real("-1")), (Ok(0.5), Ok(1e3), Ok(-1.0)));
        for bad in NONE.into_iter().chain(["1e999", ".", "-", "1-2", "e3", "1.5.2"]) {
            assert!(real(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            (shown(1e300), shown(0.5), shown(0.0)),
            ("1e300".into(), "0.5".into(), "0".into())
        );
    }

    #[test]
    fn times_have_units() {
        for (text, ms) in [("500ms", 500), ("60s", 60_000), ("1m30s", 90_000), ("0.5m", 30_000)] {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!((time("2h"), time("5")), (Some(Duration::from_secs(7200)), time("5s")));
        for bad in NONE.into_iter().chain(["-1", "-1s", "s", "1 s", "1x", "1e300", "1s2", "soon"]) {
            assert_eq!(time(bad), None, "{bad:?}");
        }
    }
}
