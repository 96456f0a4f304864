//! What is counted of the locks of one class.

use serde::{Deserialize, Serialize};

/// Lock operations of one class of locks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockCounts {
    /// The class, by name.
    pub class: String,
    /// Times a lock was taken.
    pub acquisitions: u64,
    /// Of these, times it was not free at once.
    pub contended: u64,
    /// Times a lock was released and taken again only for the sake of the order.
    pub relocks: u64,
    /// Times the work began anew because the world had changed meanwhile.
    pub retries: u64,
    /// Times a try took a lock against the order, where a relock would have been needed; left out
    /// where there were none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub saved: u64,
}

/// Whether a count is 0.
pub(crate) fn is_none(count: &u64) -> bool {
    *count == 0
}
