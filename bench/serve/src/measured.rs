//! From what the lanes of a slice measured to what the process says of it.

use lockimpls::witness::{Check, Class, Counters, found_by};
use results::{Checks, FastPath, Latencies, LockCounts};
use workloads::Event;

use crate::meter::Lane;
use crate::protocol::SliceDone;
use crate::slice::Outcome;

/// A lane that reached less than this share of its planned rate was overloaded.
const RATE_SHARE_MIN: f64 = 0.98;

/// What a server says of a slice, in which each lane was to keep that pace, if any.
///
/// # Errors
/// A histogram could not be encoded.
pub fn slice(pace: Option<f64>, outcome: &Outcome) -> Result<SliceDone, String> {
    let counters = counters(outcome);
    Ok(SliceDone {
        seconds: seconds(outcome),
        operations: outcome.operations(),
        operations_per_second: outcome.operations_per_second(),
        operations_per_thread: outcome.counting().map(|lane| lane.operations).collect(),
        rate_achieved: pace.map(|_| rate(outcome)),
        overloaded: pace.is_some_and(|asked| is_overloaded(outcome, asked)),
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

/// Operations per second and counting lane.
fn rate(outcome: &Outcome) -> f64 {
    outcome.operations_per_second() / outcome.counting().count().max(1) as f64
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
            saved: counts.saved,
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

    /// A lane in which every number is its own: `n` times what it is in the first.
    fn unlike(n: u64, counts: bool) -> LaneOutcome {
        let mut counters = Counters::default();
        let real = Class::ALL.into_iter().find(|class| class.is_lock()).expect("a lock");
        let flag = Class::ALL.into_iter().find(|class| !class.is_lock()).expect("a flag");
        let counted = lockimpls::witness::LockCounts {
            acquisitions: 11 * n,
            shared: 0,
            contended: 5 * n,
            relocks: 3 * n,
            retries: 2 * n,
            saved: 4 * n,
        };
        counters.locks[real as usize] = counted;
        counters.locks[flag as usize] = counted;
        counters.fast_sends = 21 * n;
        counters.fast_receives = 22 * n;
        counters.slow_sends = 23 * n;
        counters.slow_receives = 24 * n;
        counters.gate_closings = 25 * n;
        let mut histograms = std::array::from_fn(|_| results::histogram::new());
        for event in Event::ALL {
            let place = event as u64 + 1;
            histograms[event as usize].record_n(100 * place * n, place).unwrap();
        }
        let lost = std::array::from_fn(|event| event as u64 * n);
        let latencies = Some(crate::meter::Latencies { histograms, lost });
        let (operations, interval_ns, allocations) = (1_000 * n, 1_000_000_000 / n, 7 * n);
        let sums = workloads::LaneSums {
            messages_sent: 31 * n,
            bytes_sent: 32 * n,
            messages_received: 33 * n,
            bytes_received: 34 * n,
            refusals: 35 * n,
        };
        let lane = Lane { operations, interval_ns, counters, allocations, latencies };
        LaneOutcome { lane, sums, counts }
    }

    /// Of the operations the lanes that count, of all else all lanes, each of them once.
    #[test]
    fn a_slice_says_what_unlike_lanes_did() {
        let outcome = Outcome {
            lanes: vec![unlike(1, true), unlike(2, true), unlike(4, false)],
            noise: results::HostNoise { run_delay_ns: Some(9), ..results::HostNoise::default() },
            started: std::time::SystemTime::UNIX_EPOCH,
            complete: true,
        };
        let done = slice(Some(1_000.0), &outcome).unwrap();
        assert_eq!((done.operations, done.operations_per_thread), (3_000, vec![1_000, 2_000]));
        // 1,000 in a second, and 2,000 in half of one.
        assert_eq!(done.operations_per_second, 5_000.0);
        assert_eq!((done.seconds, done.rate_achieved), (0.6, Some(2_500.0)));
        assert!(!done.overloaded && !done.was_not_run);
        assert_eq!(done.allocations, Some(7 * 7));
        let [locks] = &done.locks[..] else { panic!("{:?}", done.locks) };
        let numbers =
            [locks.acquisitions, locks.contended, locks.relocks, locks.retries, locks.saved];
        assert_eq!(numbers, [11, 5, 3, 2, 4].map(|count| count * 7));
        let FastPath { sends, receives, slow_sends, slow_receives, gate_closings } = done.fast_path;
        let numbers = [sends, receives, slow_sends, slow_receives, gate_closings];
        assert_eq!(numbers, [21, 22, 23, 24, 25].map(|count| count * 7));
        assert_eq!(done.checks.operations_checked, (31 + 33) * 7);
        assert_eq!(done.host_noise.run_delay_ns, Some(9));
        for event in Event::ALL {
            let (_, latency) =
                done.latency_ns.iter().find(|(name, _)| *name == event.name()).unwrap();
            let place = event as u64 + 1;
            assert_eq!(latency.count, 3 * place, "{}", event.name());
            assert_eq!(latency.lost_count, event as u64 * 7);
            let about = |value: u64| latency.max.abs_diff(value) <= value / 500;
            assert!(about(400 * place), "{latency:?}");
        }
    }

    #[test]
    fn a_slice_in_which_nothing_was_done_has_its_time() {
        let done = slice(None, &outcome(&[(0, 20), (0, 30), (9, 50)])).unwrap();
        assert_eq!((done.operations, done.operations_per_second), (0, 0.0));
        assert_eq!((done.seconds, done.rate_achieved), (0.03, None));
        assert!(done.locks.is_empty() && done.latency_ns.iter().next().is_none());
    }
}
