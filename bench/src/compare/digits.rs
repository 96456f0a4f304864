//! Digits that stand for a value. They name files in a folder that `cargo clean` may take away, so
//! it does not matter that another version of Rust may give others.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Sixteen digits for a value.
#[must_use]
pub fn digits(value: &(impl Hash + ?Sized)) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_digits_stand_for_a_value() {
        let [one, same, other] = ["a", "a", "b"].map(digits);
        assert!(one.len() == 16 && one.bytes().all(|digit| digit.is_ascii_hexdigit()), "{one}");
        assert!(one == same && one != other);
    }
}
