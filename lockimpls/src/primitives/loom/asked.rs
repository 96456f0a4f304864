//! What a process that runs a model is asked to leave out, and what happened in the model's
//! executions.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The environment variable that names what a negative control leaves out: `light_fence`,
/// `heavy_fence`, `orderings`, `notify`, a step of a model, or a step of the layer by its name.
pub const LEAVE_OUT: &str = "SOLOCK_LEAVE_OUT";

/// Whether this process is the negative control that leaves this out.
pub(crate) fn leaves_out(what: &str) -> bool {
    static LEFT_OUT: OnceLock<Option<String>> = OnceLock::new();
    LEFT_OUT.get_or_init(|| std::env::var(LEAVE_OUT).ok()).as_deref() == Some(what)
}

/// What happened in the executions of the model that runs, and how many times.
type Seen = BTreeMap<&'static str, u64>;

static SEEN: Mutex<Seen> = Mutex::new(Seen::new());

fn table() -> MutexGuard<'static, Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that this happened.
pub(crate) fn seen(branch: &'static str) {
    *table().entry(branch).or_insert(0) += 1;
}

/// What has happened so far.
pub(crate) fn all_seen() -> Seen {
    table().clone()
}
