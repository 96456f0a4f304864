//! Counters that are the same on every run of the same code: compared as numbers, on any machine.

use results::{LockCounts, stats::median};

use crate::matrix;
use crate::protocol::SliceDone;

/// The names of the counters, each per operation.
pub const NAMES: [&str; 5] = ["acquisitions", "relocks", "saved", "retries", "allocations"];
/// The place of relocks in [`NAMES`].
pub const RELOCKS: usize = 1;
/// The place of relocks that a try saved.
pub const SAVED: usize = 2;

/// Each counter per operation, by its index in [`NAMES`]; none where it cannot be seen: the locks
/// of `host`, the allocations of a program that did not count them.
pub type PerOperation = [Option<f64>; NAMES.len()];

/// What is kept of a counter: thousandths. A slice ends in the middle of what its workload repeats,
/// so the last digits of an average say nothing.
const STEPS: f64 = 1000.0;

/// The counters of a slice per operation.
#[must_use]
pub fn per_operation(slice: &SliceDone) -> PerOperation {
    let fast = &slice.fast_path;
    let seen = !slice.locks.is_empty() || fast.sends + fast.receives > 0;
    let of = |kind: fn(&LockCounts) -> u64| seen.then(|| slice.locks.iter().map(kind).sum());
    let counts: [Option<u64>; NAMES.len()] = [
        of(|lock| lock.acquisitions),
        of(|lock| lock.relocks),
        of(|lock| lock.saved),
        of(|lock| lock.retries),
        slice.allocations,
    ];
    counts.map(|count| {
        let count = count.filter(|_| slice.operations > 0)?;
        Some((count as f64 / slice.operations as f64 * STEPS).round() / STEPS)
    })
}

/// Whether the counters of a cell depend on the code alone: one thread, or threads that share no
/// socket.
#[must_use]
pub fn is_exact(cell: &results::Cell) -> bool {
    cell.threads == 1 || matrix::workload(&cell.workload).is_some_and(|one| one.is_private)
}

/// What the slices of a side say of one counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// The value of the middle slice.
    pub value: f64,
    /// Whether every slice had it.
    pub same: bool,
}

/// One counter over the slices of a side, by its index in [`NAMES`].
#[must_use]
pub fn count(slices: &[PerOperation], index: usize) -> Option<Count> {
    let values: Vec<f64> = slices.iter().filter_map(|counters| counters[index]).collect();
    let value = median(&values)?;
    Some(Count { value, same: values.iter().all(|other| *other == value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(acquisitions: u64, operations: u64) -> SliceDone {
        let locks = vec![LockCounts { acquisitions, ..LockCounts::default() }];
        SliceDone { operations, locks, ..SliceDone::default() }
    }

    #[test]
    fn the_last_digits_are_where_a_slice_ended() {
        let of = |acquisitions, operations| per_operation(&slice(acquisitions, operations))[0];
        assert_eq!(of(37_247, 5_321), Some(7.0));
        assert_eq!(of(70_001, 10_000), Some(7.0));
        assert_eq!(of(70_100, 10_000), Some(7.01));
    }

    #[test]
    fn each_counter_is_its_own_and_of_all_classes() {
        let lock = |n: u64| LockCounts {
            class: n.to_string(),
            acquisitions: 30 * n,
            contended: 100 * n,
            relocks: 20 * n,
            retries: 10 * n,
            saved: 40 * n,
        };
        let both =
            SliceDone { operations: 10, locks: vec![lock(1), lock(2)], ..SliceDone::default() };
        let counted = [Some(9.0), Some(6.0), Some(12.0), Some(3.0), None];
        assert_eq!(per_operation(&both), counted);
        assert_eq!([NAMES[RELOCKS], NAMES[SAVED]], ["relocks", "saved"]);
        // What needs no lock is seen, too: of a lane that only sends, or only receives.
        for (sends, receives) in [(5, 0), (0, 5)] {
            let fast_path = results::FastPath { sends, receives, ..Default::default() };
            let fast = SliceDone { operations: 10, fast_path, ..SliceDone::default() };
            let none = Some(0.0);
            assert_eq!(per_operation(&fast), [none, none, none, none, None]);
        }
    }

    #[test]
    fn counters_are_exact_where_no_thread_meets_another() {
        let of = |workload: &str, threads| {
            let workload = workload.to_owned();
            is_exact(&results::Cell { workload, threads, ..results::Cell::default() })
        };
        assert!(of("stream", 1) && of("pairs", 2));
        assert!(!of("stream", 2) && !of("unheard of", 2));
    }

    #[test]
    fn what_cannot_be_seen_is_no_zero() {
        let hidden = SliceDone { operations: 5, ..SliceDone::default() };
        assert_eq!(per_operation(&hidden), [None; NAMES.len()]);
        assert_eq!(per_operation(&slice(1, 0)), [None; NAMES.len()]);
        // The machine's own sockets: their locks cannot be seen, what the threads allocate can.
        let host = SliceDone { allocations: Some(10), ..hidden };
        assert_eq!(per_operation(&host), [None, None, None, None, Some(2.0)]);
    }

    #[test]
    fn a_count_says_whether_all_slices_agree() {
        let count = |values: &[f64]| {
            let slices = values.iter().map(|value| [Some(*value), None, None, None, None]);
            count(&slices.collect::<Vec<_>>(), 0)
        };
        assert_eq!(count(&[4.0, 4.0]), Some(Count { value: 4.0, same: true }));
        assert_eq!(count(&[4.0, 4.0, 5.0]), Some(Count { value: 4.0, same: false }));
        assert_eq!(count(&[]), None);
    }
}
