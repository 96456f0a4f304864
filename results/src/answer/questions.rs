//! What each workload asks, in a user's words.

/// A workload's part in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What is asked; workloads of one question stand in one sentence.
    pub(super) name: &'static str,
    /// How this workload is told from the others of its question.
    pub(super) label: &'static str,
    /// What one operation is.
    pub(super) operation: &'static str,
}

/// The question of cells that took no lock at all, whatever their workload.
pub(super) const NO_LOCK: &str = "no lock at all";
/// Where what cannot be said stands.
pub(super) const NOT_ANSWERED: &str = "not answered";
/// Where intervals stand that stayed wider than was asked for.
pub(super) const WIDTHS: &str = "wide intervals";
/// Where it stands what the first two CPUs were to each other.
pub(super) const TWO_CPUS: &str = "the two CPUs";

/// By workload, in the order of the answer.
const QUESTIONS: [(&str, Question); 10] = [
    ("pairs", question("private pairs", "private pairs", "message")),
    ("stream", question("one busy pair", "streaming", "message")),
    ("duplex", question("one busy pair", "both ways", "message")),
    ("pingpong", question("request/reply", "ping-pong", "round trip")),
    ("fanin", question("many to one", "into one socket", "message")),
    ("groups", question("many to one", "in groups", "message")),
    ("ring", question("neighbours", "in a ring", "message")),
    ("accept", question("connection churn", "connections", "connection")),
    ("churn", question("connection churn", "names that come and go", "cycle")),
    ("rights", question("descriptors", "with descriptors", "message")),
];

const fn question(name: &'static str, label: &'static str, operation: &'static str) -> Question {
    Question { name, label, operation }
}

/// What a workload asks; `None` where its operations per second are no answer: those of `paced` are
/// the rate it was asked for, and of a workload that is not known here nobody can say.
pub(super) fn of(workload: &str) -> Option<Question> {
    place(workload).map(|place| QUESTIONS[place].1)
}

/// The place of a workload in the answer.
pub(super) fn place(workload: &str) -> Option<usize> {
    QUESTIONS.iter().position(|(name, _)| *name == workload)
}
