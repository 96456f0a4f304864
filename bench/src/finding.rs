//! What happens when a check finds something: a line in the run's file, then the process ends.

use crate::complain;
use std::sync::Arc;

use lockimpls::witness;
use results::{Host, Record, RunWriter};
pub use serve::finding::{Current, of};

/// From now on a finding is appended to the run; with `json` it is printed on standard output too.
pub fn keep_in(writer: Arc<RunWriter>, host: Host, current: Current, json: bool) {
    witness::set_finding_hook(move |finding| {
        let record = Record::from(of(finding, &host, current.get()));
        if let Err(error) = writer.append(&record) {
            complain!("the finding could not be stored: {error}");
        }
        if let (true, Ok(line)) = (json, record.to_line()) {
            // The process ends all the same, with the code of a finding.
            let _ = crate::cmd::print(&(line + "\n"));
        }
        // The run ends with this line: it is whole.
        match writer.finish() {
            Ok(path) => complain!("stopped by a check; the run so far: {}", path.display()),
            Err(error) => complain!("the run could not be closed: {error}"),
        }
    });
}
