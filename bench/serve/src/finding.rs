//! What a check found, as it stands in a record.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lockimpls::witness::Finding;
use results::Host;

use crate::host;

/// The cell under way, for the line that a finding or an interrupt leaves.
#[derive(Clone, Debug, Default)]
pub struct Current(Arc<Mutex<Option<String>>>);

impl Current {
    /// Sets the cell.
    pub fn set(&self, cell: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cell.to_owned());
    }

    /// The cell, if one was begun.
    #[must_use]
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The line of a finding.
#[must_use]
pub fn of(finding: &Finding, host: &Host, cell: Option<String>) -> results::Finding {
    let Finding { check, count, operation, backend, thread, at, report, .. } = finding;
    results::Finding {
        check: check.name().to_owned(),
        count: *count,
        operation: (*operation).to_owned(),
        backend: (*backend).to_owned(),
        thread: *thread,
        at: at.clone(),
        report: report.clone(),
        cell,
        commit: host::commit(),
        started: results::time::rfc3339_utc(SystemTime::now()),
        host: host.clone(),
    }
}
