//! How backends are called in the sentences of the answer.

use results::answer::Words;

use crate::matrix;

/// The backend that ratios are to.
pub const REFERENCE: &str = "global";

/// What a sentence says in the place of a name. A backend that is not here is called by its name.
const WORDS: [(&str, &str); 4] = [
    (REFERENCE, "one lock for all"),
    ("global-gc", "one lock beside the collector's"),
    ("per-socket", "a lock per socket"),
    ("lock-free", "no lock"),
];

/// Those whose locks are finer than the reference's; `global-gc` is one lock over every socket,
/// too.
const FINER: [&str; 2] = ["per-socket", "lock-free"];

/// The words of every backend, in the order in which backends are shown, beside this reference.
#[must_use]
pub fn words(reference: &str) -> Words {
    let backends = matrix::backends().into_iter().map(|backend| {
        let found = WORDS.iter().find(|(name, _)| *name == backend.name);
        let words = found.map_or(backend.name, |(_, words)| words);
        (backend.name.to_owned(), words.to_owned())
    });
    let finer = FINER.iter().filter(|_| reference == REFERENCE);
    Words { backends: backends.collect(), finer: finer.map(|name| (*name).to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_backends() {
        assert!(words("per-socket").finer.is_empty() && words(REFERENCE).finer == FINER);
        let backends = words(REFERENCE).backends;
        for (name, words) in WORDS {
            let here = backends.contains(&(name.to_owned(), words.to_owned()));
            assert!(here, "{name} is no backend");
        }
        for name in FINER {
            assert!(WORDS.iter().any(|(other, _)| *other == name), "{name} has no words");
        }
    }
}
