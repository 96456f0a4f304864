//! What happens when a check finds something: a line in the run's file, then the process ends.

use crate::tell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lockimpls::witness::{self, Finding};
use results::{Host, Record, RunWriter};

use crate::host;

/// The cell under way, for the line that a finding or an interrupt leaves.
#[derive(Clone, Debug, Default)]
pub struct Current(Arc<Mutex<Option<String>>>);

impl Current {
    /// From now on it is this one.
    pub fn set(&self, cell: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cell.to_owned());
    }

    /// The cell, if one was begun.
    #[must_use]
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// From now on a finding is appended to the run; with `json` it is printed on standard output too.
pub fn keep_in(writer: Arc<RunWriter>, host: Host, current: Current, json: bool) {
    witness::set_finding_hook(move |finding| {
        let record = Record::from(of(finding, &host, current.get()));
        if let Err(error) = writer.append(&record) {
            tell!("solock: the finding could not be stored: {error}");
        }
        if let (true, Ok(line)) = (json, record.to_line()) {
            // The process ends all the same, with the code of a finding.
            let _ = crate::cmd::print(&(line + "\n"));
        }
        // The run ends with this line: it is whole.
        match writer.finish() {
            Ok(path) => tell!("solock: stopped by a check; the run so far: {}", path.display()),
            Err(error) => tell!("solock: the run could not be closed: {error}"),
        }
    });
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
