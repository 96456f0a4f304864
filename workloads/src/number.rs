//! Numbers as users write them: digits and nothing else. Rust reads `+0` too, and a program or a
//! list with a slip in it would be taken for another one.

use std::str::FromStr;

/// A whole number without a sign; none if it is not one, or too large.
#[must_use]
pub fn whole<T: FromStr>(text: &str) -> Option<T> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

/// A whole number, perhaps with a minus before it.
#[must_use]
pub fn signed<T: FromStr>(text: &str) -> Option<T> {
    is_digits(text.strip_prefix('-').unwrap_or(text)).then(|| text.parse().ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(whole::<u8>("255"), Some(255));
        assert_eq!((signed::<i8>("-128"), signed::<i8>("7")), (Some(-128), Some(7)));
        for bad in ["", " 3", "3 ", "+0", "-1", "1e3", "0x1", "1_000", "٣", "256", "1.0"] {
            assert_eq!(whole::<u8>(bad), None, "{bad:?}");
        }
        for bad in ["", "-", "+1", "--1", "- 1", "128"] {
            assert_eq!(signed::<i8>(bad), None, "{bad:?}");
        }
    }
}
