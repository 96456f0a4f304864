//! Wall-clock time as it stands in records and in the names of runs.

use std::time::SystemTime;

/// UTC with milliseconds, such as `2026-11-23T09:15:00.250Z`.
#[must_use]
pub fn rfc3339_utc(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// UTC in the short form of a run's name, such as `20261123T091500Z`.
#[must_use]
pub fn run_stamp(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace(['-', ':'], "")
}

/// The time that [`rfc3339_utc`] wrote.
///
/// # Errors
/// The text is no such time.
pub fn parse_rfc3339_utc(text: &str) -> Result<SystemTime, humantime::TimestampError> {
    humantime::parse_rfc3339(text)
}
