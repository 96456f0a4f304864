//! Comma-separated values: a line per record, a finding with its report in the last column.

use ::csv::Writer;

use super::{Content, ExportError, plain};
use crate::record::{Finding, LockCounts, Measure, Measured, Record};
use crate::run::Run;

/// The names of the columns, in their order.
const COLUMNS: [&str; 42] = [
    "name",
    "kind",
    "backend",
    "workload",
    "socket_type",
    "message_bytes",
    "threads",
    "wait",
    "rate_asked",
    "groups",
    "fan",
    "round",
    "order_in_run",
    "seed",
    "measure",
    "seconds",
    "operations",
    "bytes",
    "operations_per_second",
    "fairness_jain",
    "rate_achieved",
    "overloaded",
    "send_count",
    "send_p50_ns",
    "send_p90_ns",
    "send_p99_ns",
    "send_p999_ns",
    "send_max_ns",
    "acquisitions",
    "contended",
    "relocks",
    "retries",
    "fast_sends",
    "fast_receives",
    "allocations",
    "on_cpu_share_min",
    "flagged",
    "unpinned",
    "commit",
    "dirty",
    "started",
    "err",
];

pub(super) fn contents(run: &Run) -> Result<Vec<Content>, ExportError> {
    let mut writer = Writer::from_writer(Vec::new());
    let mut rows = Vec::new();
    for record in &run.records {
        match record {
            Record::Measured(measured) => rows.push(measured_row(measured)),
            Record::Finding(finding) => rows.push(finding_row(finding)),
            Record::Interrupted(_) | Record::Compared(_) | Record::Ratio(_) | Record::Answer(_) => {
            }
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    writer.write_record(COLUMNS).expect("writing to memory");
    for row in rows {
        writer.write_record(&row).expect("as many fields as there are columns");
    }
    let bytes = writer.into_inner().expect("writing to memory");
    Ok(vec![(format!("{}.csv", plain(&run.id)).into(), bytes)])
}

fn measured_row(round: &Measured) -> Vec<String> {
    let cell = &round.cell;
    let mut row = vec![round.cell_id.clone(), "measured".to_owned()];
    row.extend([&cell.backend, &cell.workload, &cell.socket_type].map(String::clone));
    row.extend([cell.message_bytes.to_string(), cell.threads.to_string(), cell.wait.clone()]);
    row.extend([optional(cell.rate_asked), optional(cell.groups), optional(cell.fan)]);
    row.extend([round.round, round.order_in_run].map(|number| number.to_string()));
    row.extend([round.seed.to_string(), measure(round.measure).to_owned()]);
    row.extend([round.seconds.to_string(), round.operations.to_string(), round.bytes.to_string()]);
    row.extend([round.operations_per_second, round.fairness_jain].map(|share| share.to_string()));
    row.extend([optional(round.rate_achieved), round.overloaded.to_string()]);
    row.extend(send(round));
    row.extend(locks(&round.locks));
    row.extend([round.fast_path.sends, round.fast_path.receives].map(|count| count.to_string()));
    row.push(optional(round.allocations));
    row.extend([optional(round.host_noise.on_cpu_share_min), round.host_noise.flagged.to_string()]);
    row.push(round.pinning.unpinned.to_string());
    row.extend([optional(round.commit.as_ref()), optional(round.dirty), round.started.clone()]);
    row.push(String::new());
    row
}

/// What a finding has of the columns: who and when, and the report as the error.
fn finding_row(finding: &Finding) -> Vec<String> {
    let text = |name: &str| match name {
        "name" => finding.cell.clone().unwrap_or_default(),
        "kind" => "finding".to_owned(),
        "backend" => finding.backend.clone(),
        "commit" => finding.commit.clone().unwrap_or_default(),
        "started" => finding.started.clone(),
        "err" => format!("{} ({}) at {}", finding.check, finding.count, finding.at),
        _ => String::new(),
    };
    COLUMNS.into_iter().map(text).collect()
}

fn send(round: &Measured) -> [String; 6] {
    round.latency_ns.send.as_ref().map_or_else(Default::default, |send| {
        [send.count, send.p50, send.p90, send.p99, send.p999, send.max]
            .map(|value| value.to_string())
    })
}

fn locks(locks: &[LockCounts]) -> [String; 4] {
    let picks: [fn(&LockCounts) -> u64; 4] =
        [|lock| lock.acquisitions, |lock| lock.contended, |lock| lock.relocks, |lock| lock.retries];
    picks.map(|pick| locks.iter().map(pick).fold(0, u64::saturating_add).to_string())
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
