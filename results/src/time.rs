//! Wall-clock time as it stands in records and in the names of runs.

use std::time::{Duration, SystemTime};

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

/// The time that [`rfc3339_utc`] wrote, or another program with an offset from UTC, such as
/// `2026-11-23T10:15:00.250+01:00`; none if the text is no such time.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339(text) {
        return Some(time);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+01:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let ahead = Duration::from_secs(hours * 3600 + minutes * 60);
    let local = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    match offset.as_bytes()[0] {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => local.checked_sub(ahead),
        b'-' => local.checked_add(ahead),
        _ => None,
    }
}

/// The same time in UTC, as it stands in records; what is no time stays as it is.
#[must_use]
pub fn in_utc(text: &str) -> String {
    parse_rfc3339(text).map_or_else(|| text.to_owned(), rfc3339_utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_an_offset_are_the_same_times() {
        let utc = "2026-11-23T09:15:00.250Z";
        for same in [utc, "2026-11-23T10:15:00.250+01:00", "2026-11-22T21:45:00.250-11:30"] {
            assert_eq!(in_utc(same), utc);
        }
        assert_eq!(in_utc("2026-11-23T09:15:00+00:00"), "2026-11-23T09:15:00.000Z");
        // As far from UTC as can be.
        assert_eq!(in_utc("2026-11-23T23:59:00+23:59"), "2026-11-23T00:00:00.000Z");
        for bad in [
            "",
            "yesterday",
            "2026-11-23T09:15:00",
            "2026-11-23T09:15:00+1:00",
            "2026-11-23T09:15:00+25:00",
            "2026-11-23T09:15:00+24:00",
            "2026-11-23T09:15:00+01:60",
            "2026-11-23T09:15:00+01:61",
            "2026-11-23T09:15:00+001:0",
            "2026-11-23T09:15:00+1:000",
            "2026-11-23T09:15:00++1:00",
            "2026-11-23T09:15:00 01:00",
            "2026-11-23T09:15:00+0a:00",
            "é2:00",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
