//! Comma-separated values: a line per record, a finding with its report in the last column.

use ::csv::Writer;

use super::names::plain;
use super::{Chosen, Content, ExportError, Format};
use crate::record::{Finding, Latencies, Latency, LockCounts, Measure, Measured, Record, Slices};

pub(super) const FORMAT: Format =
    Format { name: "csv", about: "One row per record, one file", needs: "record", contents };

/// A column: its name, and what a round has of it.
type Column = (&'static str, fn(&Measured) -> String);

/// The columns, in their order; behind them the latencies of the other events, and last `err`.
const COLUMNS: [Column; 48] = [
    ("name", |round| round.cell_id.clone()),
    ("kind", |_| "measured".to_owned()),
    ("backend", |round| round.cell.backend.clone()),
    ("workload", |round| round.cell.workload.clone()),
    ("socket_type", |round| round.cell.socket_type.clone()),
    ("message_bytes", |round| round.cell.message_bytes.to_string()),
    ("threads", |round| round.cell.threads.to_string()),
    ("wait", |round| round.cell.wait.clone()),
    ("rate_asked", |round| optional(round.cell.own.get("rate_asked"))),
    ("groups", |round| optional(round.cell.own.get("groups"))),
    ("fan", |round| optional(round.cell.own.get("fan"))),
    ("round", |round| round.round.to_string()),
    ("order_in_run", |round| round.order_in_run.to_string()),
    ("seed", |round| round.seed.to_string()),
    ("measure", |round| measure(round.measure).to_owned()),
    ("seconds", |round| round.seconds.to_string()),
    ("operations", |round| round.operations.to_string()),
    ("bytes", |round| round.bytes.to_string()),
    ("operations_per_second", |round| round.operations_per_second.to_string()),
    ("fairness_jain", |round| round.fairness_jain.to_string()),
    ("rate_achieved", |round| optional(round.rate_achieved)),
    ("overloaded", |round| round.overloaded.to_string()),
    ("send_count", |round| send(round, |send| Some(send.count))),
    ("send_p50_ns", |round| send(round, |send| Some(send.p50))),
    ("send_p90_ns", |round| send(round, |send| Some(send.p90))),
    ("send_p99_ns", |round| send(round, |send| Some(send.p99))),
    ("send_p999_ns", |round| send(round, |send| Some(send.p999))),
    ("send_max_ns", |round| send(round, |send| Some(send.max))),
    ("acquisitions", |round| locks(round, |lock| lock.acquisitions)),
    ("contended", |round| locks(round, |lock| lock.contended)),
    ("relocks", |round| locks(round, |lock| lock.relocks)),
    ("retries", |round| locks(round, |lock| lock.retries)),
    ("fast_sends", |round| round.fast_path.sends.to_string()),
    ("fast_receives", |round| round.fast_path.receives.to_string()),
    ("allocations", |round| optional(round.allocations)),
    ("on_cpu_share_min", |round| optional(round.host_noise.on_cpu_share_min)),
    ("flagged", |round| round.host_noise.flagged.to_string()),
    ("unpinned", |round| round.pinning.unpinned.to_string()),
    ("commit", |round| optional(round.commit.as_ref())),
    ("dirty", |round| optional(round.dirty)),
    ("started", |round| round.started.clone()),
    ("send_max_all_ns", |round| send(round, |send| send.max_all)),
    ("slices_kept", |round| slices(round, |slices| slices.kept)),
    ("slices_repeated", |round| slices(round, |slices| slices.repeated)),
    ("slices_given_up", |round| slices(round, |slices| slices.given_up)),
    ("ambient", |round| round.cell.ambient.join("+")),
    ("lock", |round| round.cell.lock.clone()),
    ("parameters", |round| round.cell.own.newer_id()),
];

/// What a column of an event's latencies is called behind the event, and what it has.
type OfEvent = (&'static str, fn(&Latency) -> Option<u64>);

/// The columns of each event that is no send: the same that a send has.
const OF_EVENT: [OfEvent; 7] = [
    ("count", |event| Some(event.count)),
    ("p50_ns", |event| Some(event.p50)),
    ("p90_ns", |event| Some(event.p90)),
    ("p99_ns", |event| Some(event.p99)),
    ("p999_ns", |event| Some(event.p999)),
    ("max_ns", |event| Some(event.max)),
    ("max_all_ns", |event| event.max_all),
];

/// The columns behind those.
const NEWER: [Column; 1] = [("saved", |round| locks(round, |lock| lock.saved))];

/// What holds a finding's report.
const LAST: &str = "err";

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let mut writer = Writer::from_writer(Vec::new());
    let mut rows = Vec::new();
    for record in &chosen.run.records {
        match record {
            Record::Measured(round) if chosen.is_of(&round.cell_id) => {
                rows.push(measured_row(round));
            }
            Record::Finding(found) if chosen.is_of(found.cell.as_deref().unwrap_or_default()) => {
                rows.push(finding_row(found));
            }
            _ => {}
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    writer.write_record(names()).expect("writing to memory");
    for row in rows {
        writer.write_record(&row).expect("as many fields as there are columns");
    }
    let bytes = writer.into_inner().expect("writing to memory");
    Ok(vec![(format!("{}.csv", plain(&chosen.run.id)).into(), bytes)])
}

/// The names of all columns.
fn names() -> impl Iterator<Item = String> {
    let name = |(name, _): Column| name.to_owned();
    let events = other_events().map(|(event, (column, _))| format!("{event}_{column}"));
    let newer = NEWER.into_iter().map(name);
    COLUMNS.into_iter().map(name).chain(events).chain(newer).chain([LAST.to_owned()])
}

/// The columns of all events but the send, which has its own among the others.
fn other_events() -> impl Iterator<Item = (&'static str, OfEvent)> {
    let events = Latencies::NAMES.into_iter().filter(|name| *name != "send");
    events.flat_map(|event| OF_EVENT.map(|column| (event, column)))
}

fn measured_row(round: &Measured) -> Vec<String> {
    let event = |(event, (_, of)): (&str, OfEvent)| {
        let found = round.latency_ns.iter().find(|(name, _)| *name == event);
        optional(found.and_then(|(_, latency)| of(latency)))
    };
    let column = |(_, of): Column| of(round);
    let newer = NEWER.into_iter().map(column).chain([String::new()]);
    COLUMNS.into_iter().map(column).chain(other_events().map(event)).chain(newer).collect()
}

/// A column of which a finding has something.
type OfFinding = (&'static str, fn(&Finding) -> String);

/// What a finding has; of the other columns nothing.
const OF_FINDING: [OfFinding; 6] = [
    ("name", |finding| optional(finding.cell.as_ref())),
    ("kind", |_| "finding".to_owned()),
    ("backend", |finding| finding.backend.clone()),
    ("commit", |finding| optional(finding.commit.as_ref())),
    ("started", |finding| finding.started.clone()),
    (LAST, |finding| format!("{} ({}) at {}", finding.check, finding.count, finding.at)),
];

fn finding_row(finding: &Finding) -> Vec<String> {
    let of = |name: &str| OF_FINDING.iter().find(|(other, _)| *other == name);
    names().map(|name| of(&name).map_or(String::new(), |(_, of)| of(finding))).collect()
}

fn send(round: &Measured, of: fn(&Latency) -> Option<u64>) -> String {
    optional(round.latency_ns.send.as_ref().and_then(of))
}

/// The sum over the classes of locks.
fn locks(round: &Measured, of: fn(&LockCounts) -> u64) -> String {
    round.locks.iter().map(of).fold(0, u64::saturating_add).to_string()
}

fn slices(round: &Measured, of: fn(&Slices) -> u32) -> String {
    optional(round.slices.as_ref().map(of))
}

const fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Throughput => "throughput",
        Measure::Latency => "latency",
    }
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}
