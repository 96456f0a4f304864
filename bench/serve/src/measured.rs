//! From what the lanes of a slice measured to what the process says of it.

use lockimpls::witness::{Check, Class, Counters, found_by};
use results::{Cell, Checks, FastPath, Latencies, LockCounts};
use workloads::Event;

use crate::meter::Lane;
use crate::protocol::SliceDone;
use crate::slice::Outcome;

/// A lane that reached less than this share of its planned rate was overloaded.
const RATE_SHARE_MIN: f64 = 0.98;

/// What a server says of a slice.
///
/// # Errors
/// A histogram could not be encoded.
pub fn slice(cell: &Cell, outcome: &Outcome) -> Result<SliceDone, String> {
    let counters = counters(outcome);
    Ok(SliceDone {
        seconds: seconds(outcome),
        operations: outcome.operations(),
        operations_per_second: outcome.operations_per_second(),
        operations_per_thread: outcome.counting().map(|lane| lane.operations).collect(),
        rate_achieved: rate(cell, outcome),
        overloaded: cell.rate_asked.is_some_and(|asked| is_overloaded(outcome, asked)),
        was_not_run: outcome.was_not_run(),
        latency_ns: latencies(outcome)?,
        locks: locks(&counters),
        fast_path: fast_path(&counters),
        allocations: Some(allocations(outcome)),
        checks: checks(outcome),
        host_noise: outcome.noise.clone(),
    })
}

/// The time in which all operations were done at the rate of all lanes together: each lane has its
/// own interval, and they differ by microseconds.
fn seconds(outcome: &Outcome) -> f64 {
    let rate = outcome.operations_per_second();
    if rate > 0.0 {
        return outcome.operations() as f64 / rate;
    }
    outcome.counting().map(|lane| lane.interval_ns).max().unwrap_or(0) as f64 / 1e9
}

/// Operations per second and counting lane, for a workload that has a rate to keep.
fn rate(cell: &Cell, outcome: &Outcome) -> Option<f64> {
    let lanes = outcome.counting().count().max(1) as f64;
    cell.rate_asked.map(|_| outcome.operations_per_second() / lanes)
}

/// Whether some lane could not keep its rate: its response times then only grow, whatever the
/// others did. Where nothing was due nothing is late.
fn is_overloaded(outcome: &Outcome, asked: f64) -> bool {
    let due = |lane: &Lane| (asked * lane.interval_ns as f64 / 1e9).floor();
    outcome.counting().any(|lane| (lane.operations as f64) < RATE_SHARE_MIN * due(lane))
}

fn counters(outcome: &Outcome) -> Counters {
    let mut sum = Counters::default();
    outcome.lanes.iter().for_each(|lane| sum.add(&lane.lane.counters));
    sum
}

fn allocations(outcome: &Outcome) -> u64 {
    outcome.lanes.iter().map(|lane| lane.lane.allocations).sum()
}

/// The locks that are waited for; flags and references are not among them.
fn locks(counters: &Counters) -> Vec<LockCounts> {
    let used = Class::ALL.into_iter().filter(|class| class.is_lock());
    used.map(|class| (class, counters.of(class)))
        .filter(|(_, counts)| counts.acquisitions != 0)
        .map(|(class, counts)| LockCounts {
            class: class.name().to_owned(),
            acquisitions: counts.acquisitions,
            contended: counts.contended,
            relocks: counts.relocks,
            retries: counts.retries,
        })
        .collect()
}

fn fast_path(counters: &Counters) -> FastPath {
    FastPath {
        sends: counters.fast_sends,
        receives: counters.fast_receives,
        slow_sends: counters.slow_sends,
        slow_receives: counters.slow_receives,
        gate_closings: counters.gate_closings,
    }
}

/// A slice that ended had no findings: a finding ends the process.
fn checks(outcome: &Outcome) -> Checks {
    let calls = |sums: &workloads::LaneSums| sums.messages_sent + sums.messages_received;
    Checks {
        leaked_locks: found_by(Check::LeakedLock),
        order_violations: found_by(Check::OrderViolation),
        objects_left: found_by(Check::ObjectsLeft),
        bytes_lost: found_by(Check::BytesLost),
        out_of_order: found_by(Check::OutOfOrder),
        operations_checked: outcome.lanes.iter().map(|lane| calls(&lane.sums)).sum(),
    }
}

/// The lanes' histograms, added up kind by kind.
fn latencies(outcome: &Outcome) -> Result<Latencies, String> {
    let mut latencies = Latencies::default();
    for event in Event::ALL {
        let mut sum = results::histogram::new();
        let mut lost = 0;
        for lane in outcome.lanes.iter().filter_map(|lane| lane.lane.latencies.as_ref()) {
            sum.add(&lane.histograms[event as usize]).map_err(|error| error.to_string())?;
            lost += lane.lost[event as usize];
        }
        if sum.is_empty() {
            continue;
        }
        let latency = results::histogram::latency(&sum, lost).map_err(|error| error.to_string())?;
        let place = latencies.get_mut(event.name());
        *place.ok_or_else(|| format!("records have no {} latency", event.name()))? = Some(latency);
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::LaneOutcome;

    /// Lanes of so many operations in so many milliseconds; the last one does not count.
    fn outcome(lanes: &[(u64, u64)]) -> Outcome {
        let lane = |(operations, ms): &(u64, u64)| Lane {
            operations: *operations,
            interval_ns: ms * 1_000_000,
            counters: Counters::default(),
            allocations: 0,
            latencies: None,
        };
        let (sums, count) = (workloads::LaneSums::default(), lanes.len() - 1);
        let lanes = lanes.iter().enumerate().map(|(index, done)| LaneOutcome {
            lane: lane(done),
            sums,
            counts: index < count,
        });
        Outcome {
            lanes: lanes.collect(),
            noise: results::HostNoise::default(),
            started: std::time::SystemTime::UNIX_EPOCH,
            complete: true,
        }
    }

    #[test]
    fn a_lane_is_overloaded_that_did_less_than_was_due() {
        let is = |lanes: &[(u64, u64)]| is_overloaded(&outcome(lanes), 1000.0);
        assert!(!is(&[(250, 250), (0, 250)]));
        assert!(!is(&[(245, 250), (0, 250)]));
        assert!(is(&[(244, 250), (0, 250)]));
        // One of two is enough, and what the others did beyond their rate is no help.
        assert!(is(&[(400, 250), (200, 250), (0, 250)]));
        // Nothing was due, or nothing but the first.
        assert!(!is_overloaded(&outcome(&[(0, 250), (0, 250)]), 3.9));
        assert!(!is_overloaded(&outcome(&[(1, 250), (0, 250)]), 7.9));
        assert!(is_overloaded(&outcome(&[(1, 250), (0, 250)]), 8.0));
    }
}
