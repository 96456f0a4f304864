//! What is asked: by each workload, in its own words, and beside them.

/// A workload's part in the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// What is asked, in a user's words; workloads of one question stand in one sentence.
    pub name: String,
    /// How this workload is told from the others of its question.
    pub label: String,
    /// What one operation is, as a noun.
    pub operation: String,
}

/// The question of cells that took no lock at all, whatever their workload.
pub(super) const NO_LOCK: &str = "no lock at all";
/// Where what cannot be said stands.
pub(super) const NOT_ANSWERED: &str = "not answered";
/// Where intervals stand that stayed wider than was asked for.
pub(super) const WIDTHS: &str = "wide intervals";
/// Where it is said what the first two CPUs were to each other.
pub(super) const TWO_CPUS: &str = "the two CPUs";
