//! How backends are called in the sentences of the answer, and what workloads ask.

use results::answer::{Question, Words};

use crate::matrix;

/// The backend that ratios are to.
pub const REFERENCE: &str = "global";

/// What a sentence says in the place of a name. A backend that is not here is called by its name.
const WORDS: [(&str, &str); 12] = [
    (REFERENCE, "one lock for all"),
    ("global-gc", "one lock beside the collector's"),
    ("per-socket", "a lock per socket"),
    ("per-socket-try", "a lock per socket with a try first"),
    ("per-socket-wait", "a lock per socket with partings that wait"),
    ("per-buffer", "a lock per buffer"),
    ("per-pair", "a lock per connection"),
    ("state-queue", "a lock of the receiver's"),
    ("shared-link", "a shared lock over a lock per buffer"),
    ("receive-buffer", "a lock of the receiver's buffer"),
    ("endpoint-queue", "a lock per socket by number and one per queue"),
    ("lock-free", "no lock"),
];

/// Those whose locks are finer than the reference's; `global-gc` is one lock over every socket,
/// too.
const FINER: [&str; 10] = [
    "per-socket",
    "per-socket-try",
    "per-socket-wait",
    "per-buffer",
    "per-pair",
    "state-queue",
    "shared-link",
    "receive-buffer",
    "endpoint-queue",
    "lock-free",
];

/// The words of every backend, in the order in which backends are shown, beside this reference.
#[must_use]
pub fn words(reference: &str) -> Words {
    let backends = matrix::backends().into_iter().map(|backend| {
        let found = WORDS.iter().find(|(name, _)| *name == backend.name);
        let words = found.map_or(backend.name, |(_, words)| words);
        (backend.name.to_owned(), words.to_owned())
    });
    let finer = FINER.iter().filter(|_| reference == REFERENCE);
    Words {
        backends: backends.collect(),
        finer: finer.map(|name| (*name).to_owned()).collect(),
        questions: questions(),
    }
}

/// What each workload asks, those of one question together.
fn questions() -> Vec<(String, Question)> {
    let workloads = matrix::workloads();
    let asked = || workloads.iter().filter_map(|one| Some((one.name, one.question?)));
    let place = |name: &str| asked().position(|(_, question)| question.name == name);
    let mut questions: Vec<_> = asked().collect();
    questions.sort_by_key(|(_, question)| place(question.name));
    let owned = |(workload, asks): (&str, workloads::Question)| {
        let [name, label, operation] = [asks.name, asks.label, asks.operation].map(str::to_owned);
        (workload.to_owned(), Question { name, label, operation })
    };
    questions.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_of_one_question_stand_together() {
        let questions = questions();
        let names: Vec<&str> = questions.iter().map(|(workload, _)| workload.as_str()).collect();
        let expected = "pairs stream duplex pingpong fanin groups ring accept churn rights";
        assert_eq!(names.join(" "), expected);
        let (_, of_rights) = questions.last().expect("some");
        assert_eq!(
            (of_rights.name.as_str(), of_rights.operation.as_str()),
            ("descriptors", "message")
        );
    }

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
