//! The record of what one party did in a launch.

use std::collections::BTreeMap;

use results::{
    Cell, Checks, FastPath, Host, HostNoise, Instrument, Latencies, Latency, LockCounts, Measure,
    Measured, Slices, TwoCpus, histogram, stats,
};

use super::launch::{Slice, Taken};
use crate::host;
use crate::protocol::SliceDone;

/// What is the same for all records of a run.
#[derive(Clone, Debug)]
pub struct Context {
    /// The machine.
    pub host: Host,
    /// What the measuring costs, with locks of the default algorithm.
    pub instrument: Instrument,
    /// The same with locks of another algorithm, by its name.
    pub on_lock: BTreeMap<String, Instrument>,
    /// What everything was drawn from.
    pub seed: u64,
}

impl Context {
    /// What the measuring of this cell costs.
    fn instrument_of(&self, cell: &Cell) -> Instrument {
        self.on_lock.get(&cell.lock).unwrap_or(&self.instrument).clone()
    }
}

/// Where in the run a record stands.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The launch of its cell, from 0.
    pub round: u32,
    /// The record's position in the run, from 0.
    pub order_in_run: u32,
    /// What its slices were for.
    pub measure: Measure,
    /// When the launch began: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// What the first two CPUs were to each other just before.
    pub two_cpus: Option<TwoCpus>,
}

/// The record of a party's slices of one measure: of those that count, or, where none does, of all,
/// and flagged then.
///
/// # Errors
/// A histogram is damaged.
pub fn record(
    cell: &Cell,
    taken: &Taken,
    place: &Place,
    context: &Context,
) -> Result<Measured, String> {
    let all: Vec<&Slice> = of_measure(taken, place.measure).collect();
    let used: Vec<&SliceDone> = taken.used(place.measure).collect();
    let is_flagged = used.is_empty();
    let slices = if is_flagged { all.iter().map(|slice| &slice.done).collect() } else { used };
    let sum = |of: fn(&SliceDone) -> u64| slices.iter().map(|slice| of(slice)).sum::<u64>();
    let seconds: f64 = slices.iter().map(|slice| slice.seconds).sum();
    let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
    let operations = sum(|slice| slice.operations);
    let operations_per_thread = per_thread(&slices);
    let reached = slices.iter().map(|slice| Some(slice.rate_achieved? * slice.seconds));
    let reached = reached.collect::<Option<Vec<f64>>>().map(|reached| reached.iter().sum());
    let allocations = slices.iter().map(|slice| slice.allocations).collect::<Option<Vec<u64>>>();
    Ok(Measured {
        cell_id: cell.id(),
        cell: cell.clone(),
        round: place.round,
        order_in_run: place.order_in_run,
        seed: context.seed,
        measure: place.measure,
        seconds,
        operations,
        fairness_jain: stats::jain_index(&operations_per_thread).unwrap_or(1.0),
        operations_per_thread,
        bytes: operations * cell.message_bytes,
        operations_per_second: per_second(operations as f64),
        rate_achieved: reached.map(per_second),
        overloaded: slices.iter().any(|slice| slice.overloaded),
        latency_ns: latencies(&slices, &all)?,
        locks: locks(&slices),
        fast_path: fast_path(&slices),
        allocations: allocations.map(|counts| counts.iter().sum()),
        checks: checks(&slices),
        instrument: context.instrument_of(cell),
        host_noise: HostNoise { flagged: is_flagged, ..noise(&slices) },
        slices: Some(ledger(&all)),
        pinning: taken.pinning.clone().unwrap_or_default(),
        two_cpus: place.two_cpus.clone(),
        host: context.host.clone(),
        rustc: host::RUSTC.to_owned(),
        build: Some(host::build()),
        commit: host::commit(),
        dirty: host::dirty(),
        started: place.started.clone(),
    })
}

fn of_measure(taken: &Taken, measure: Measure) -> impl Iterator<Item = &Slice> {
    taken.slices.iter().filter(move |slice| slice.measure == measure)
}

/// What became of the slices.
#[must_use]
pub fn ledger(slices: &[&Slice]) -> Slices {
    let mut ledger = Slices::default();
    for slice in slices {
        let place = match (slice.is_used, slice.is_last) {
            (true, _) => &mut ledger.kept,
            (false, false) => &mut ledger.repeated,
            (false, true) => &mut ledger.given_up,
        };
        *place += 1;
        if !slice.is_used {
            ledger.off_cpu += u32::from(slice.signs.off_cpu);
            ledger.switched += u32::from(slice.signs.switched);
            ledger.stolen += u32::from(slice.signs.stolen);
        }
    }
    ledger
}

fn per_thread(slices: &[&SliceDone]) -> Vec<u64> {
    let threads = slices.iter().map(|slice| slice.operations_per_thread.len()).max();
    let of = |thread: usize| {
        let counts = slices.iter().filter_map(|slice| slice.operations_per_thread.get(thread));
        counts.sum()
    };
    (0..threads.unwrap_or(0)).map(of).collect()
}

/// Percentiles of the slices that count; how many there were, and the longest, of all.
fn latencies(slices: &[&SliceDone], all: &[&Slice]) -> Result<Latencies, String> {
    let mut latencies = Latencies::default();
    for name in Latencies::NAMES {
        let of = |slice: &'_ SliceDone| -> Option<Latency> {
            slice.latency_ns.iter().find(|(kind, _)| *kind == name).map(|(_, found)| found.clone())
        };
        let seen: Vec<Latency> = all.iter().filter_map(|slice| of(&slice.done)).collect();
        if seen.is_empty() {
            continue;
        }
        let used: Vec<Latency> = slices.iter().filter_map(|slice| of(slice)).collect();
        let lost = used.iter().map(|latency| latency.lost_count).sum();
        let merged = histogram::merge(&used).map_err(|error| error.to_string())?;
        let latency = histogram::latency(&merged, lost).map_err(|error| error.to_string())?;
        let place = latencies.get_mut(name).ok_or("a latency without a place")?;
        *place = Some(Latency {
            count_all: Some(seen.iter().map(|latency| latency.count).sum()),
            max_all: seen.iter().map(|latency| latency.max).max(),
            ..latency
        });
    }
    Ok(latencies)
}

/// By class, in the order of the first slice that names it.
fn locks(slices: &[&SliceDone]) -> Vec<LockCounts> {
    let mut sums: Vec<LockCounts> = Vec::new();
    for counts in slices.iter().flat_map(|slice| &slice.locks) {
        let Some(sum) = sums.iter_mut().find(|sum| sum.class == counts.class) else {
            sums.push(counts.clone());
            continue;
        };
        sum.acquisitions += counts.acquisitions;
        sum.contended += counts.contended;
        sum.relocks += counts.relocks;
        sum.retries += counts.retries;
    }
    sums
}

fn fast_path(slices: &[&SliceDone]) -> FastPath {
    let sum = |of: fn(&FastPath) -> u64| slices.iter().map(|slice| of(&slice.fast_path)).sum();
    FastPath {
        sends: sum(|path| path.sends),
        receives: sum(|path| path.receives),
        slow_sends: sum(|path| path.slow_sends),
        slow_receives: sum(|path| path.slow_receives),
        gate_closings: sum(|path| path.gate_closings),
    }
}

fn checks(slices: &[&SliceDone]) -> Checks {
    let sum = |of: fn(&Checks) -> u64| slices.iter().map(|slice| of(&slice.checks)).sum();
    Checks {
        leaked_locks: sum(|checks| checks.leaked_locks),
        order_violations: sum(|checks| checks.order_violations),
        objects_left: sum(|checks| checks.objects_left),
        bytes_lost: sum(|checks| checks.bytes_lost),
        out_of_order: sum(|checks| checks.out_of_order),
        operations_checked: sum(|checks| checks.operations_checked),
    }
}

/// The unluckiest slice's share of its time; of what is counted, the sum.
fn noise(slices: &[&SliceDone]) -> HostNoise {
    let noises = || slices.iter().map(|slice| &slice.host_noise);
    let sum = |of: fn(&HostNoise) -> Option<u64>| {
        noises().map(of).collect::<Option<Vec<u64>>>().map(|counts| counts.iter().sum())
    };
    HostNoise {
        on_cpu_share_min: noises().filter_map(|noise| noise.on_cpu_share_min).reduce(f64::min),
        run_delay_ns: sum(|noise| noise.run_delay_ns),
        involuntary_switches: sum(|noise| noise.involuntary_switches),
        steal_ns: sum(|noise| noise.steal_ns),
        flagged: false,
    }
}

#[cfg(test)]
mod tests {
    use results::Pinning;

    use super::*;
    use crate::turns::disturbed::Signs;

    /// A latency whose values are so many times `value_ns`.
    fn latency(value_ns: u64, count: u64) -> Latency {
        let mut recorded = histogram::new();
        recorded.record_n(value_ns, count).unwrap();
        histogram::latency(&recorded, 1).unwrap()
    }

    /// A slice in which every number is its own; `n` times it in all.
    fn done(n: u64) -> SliceDone {
        SliceDone {
            seconds: 0.02 * n as f64,
            operations: 30 * n,
            operations_per_second: 1500.0,
            operations_per_thread: vec![10 * n, 20 * n],
            rate_achieved: Some(700.0 * n as f64),
            overloaded: n == 2,
            was_not_run: false,
            latency_ns: Latencies {
                send: Some(latency(100 * n, 5 * n)),
                receive: Some(latency(1000 * n, 6 * n)),
                ..Latencies::default()
            },
            locks: vec![LockCounts {
                class: "solock".to_owned(),
                acquisitions: 40 * n,
                contended: 4 * n,
                relocks: 3 * n,
                retries: 2 * n,
            }],
            fast_path: FastPath {
                sends: 11 * n,
                receives: 12 * n,
                slow_sends: 13 * n,
                slow_receives: 14 * n,
                gate_closings: 15 * n,
            },
            allocations: Some(7 * n),
            checks: Checks { operations_checked: 60 * n, ..Checks::default() },
            host_noise: HostNoise {
                on_cpu_share_min: Some(1.0 - 0.001 * n as f64),
                run_delay_ns: Some(21 * n),
                involuntary_switches: Some(22 * n),
                steal_ns: Some(0),
                flagged: true,
            },
        }
    }

    fn slice(n: u64, is_used: bool, is_last: bool) -> Slice {
        let signs = Signs { off_cpu: !is_used, stolen: !is_used && is_last, switched: false };
        Slice { measure: Measure::Latency, turn: 0, done: done(n), signs, is_used, is_last }
    }

    fn recorded(slices: Vec<Slice>) -> Measured {
        let pinning = Pinning { asked: vec![1, 0], got: vec![1, 0], ..Pinning::default() };
        let taken = Taken { slices, clock_step_ns: 10.0, pinning: Some(pinning) };
        let cell = Cell { message_bytes: 64, ..Cell::default() };
        let started = "2026-11-23T09:15:02.250Z".to_owned();
        let two_cpus = Some(TwoCpus { cpus: [1, 0], at_once_share: 0.6, line_round_trip_ns: None });
        let (round, order_in_run, measure) = (3, 17, Measure::Latency);
        let place = Place { round, order_in_run, measure, started, two_cpus };
        record(&cell, &taken, &place, &context()).unwrap()
    }

    fn context() -> Context {
        Context {
            host: Host { cpu: "a processor".to_owned(), ..Host::default() },
            instrument: Instrument { clock_ns: 11.5, ..Instrument::default() },
            on_lock: [("mcs".to_owned(), Instrument { clock_ns: 7.5, ..Instrument::default() })]
                .into(),
            seed: 99,
        }
    }

    #[test]
    fn the_instrument_is_that_of_the_cells_lock() {
        let context = context();
        let of = |lock: &str| {
            let cell = Cell { lock: lock.to_owned(), ..Cell::default() };
            context.instrument_of(&cell).clock_ns
        };
        assert_eq!((of(""), of("mcs")), (11.5, 7.5));
    }

    #[test]
    fn a_line_is_the_sum_of_the_slices_that_count() {
        // Two count, a third was repeated, a fourth given up; one of throughput is another line's.
        let other = Slice { measure: Measure::Throughput, ..slice(50, true, true) };
        let slices =
            vec![slice(1, true, true), slice(7, false, false), slice(2, true, true), other];
        let line = recorded([slices, vec![slice(9, false, true)]].concat());
        assert_eq!((line.round, line.order_in_run, line.seed), (3, 17, 99));
        assert!(
            line.two_cpus.as_ref().is_some_and(|two| two.cpus == [1, 0] && two.are_as_one_core())
        );
        assert_eq!((line.operations, line.bytes), (90, 90 * 64));
        assert_eq!(line.operations_per_thread, [30, 60]);
        assert!((line.fairness_jain - 0.9).abs() < 1e-9);
        assert!((line.seconds - 0.06).abs() < 1e-9);
        assert!((line.operations_per_second - 1500.0).abs() < 1e-6);
        // The second slice is twice as long and reached twice as much.
        assert!((line.rate_achieved.unwrap() - (700.0 + 2.0 * 1400.0) / 3.0).abs() < 1e-6);
        assert!(line.overloaded);
        let locks = LockCounts {
            class: "solock".to_owned(),
            acquisitions: 120,
            contended: 12,
            relocks: 9,
            retries: 6,
        };
        assert_eq!(line.locks, [locks]);
        let fast_path = FastPath {
            sends: 33,
            receives: 36,
            slow_sends: 39,
            slow_receives: 42,
            gate_closings: 45,
        };
        assert_eq!((line.fast_path, line.allocations), (fast_path, Some(21)));
        assert_eq!(line.checks, Checks { operations_checked: 180, ..Checks::default() });
        let noise = HostNoise {
            on_cpu_share_min: Some(0.998),
            run_delay_ns: Some(63),
            involuntary_switches: Some(66),
            steal_ns: Some(0),
            flagged: false,
        };
        assert_eq!(line.host_noise, noise);
        assert_eq!((line.pinning.got, line.instrument.clock_ns), (vec![1, 0], 11.5));
        assert_eq!(line.host.cpu, "a processor");
        assert_eq!(line.started, "2026-11-23T09:15:02.250Z");
    }

    #[test]
    fn percentiles_are_of_what_counts_and_the_longest_is_of_all() {
        let line =
            recorded(vec![slice(1, true, true), slice(9, false, false), slice(2, true, true)]);
        let send = line.latency_ns.send.unwrap();
        assert_eq!((send.count, send.p50, send.p99, send.max), (15, 200, 200, 200));
        assert_eq!((send.count_all, send.max_all), (Some(60), Some(900)));
        assert_eq!(send.lost_count, 2);
        let receive = line.latency_ns.receive.unwrap();
        assert_eq!((receive.count, receive.count_all), (18, Some(72)));
        assert!(line.latency_ns.round_trip.is_none());
    }

    #[test]
    fn what_became_of_the_slices_stands_in_the_line() {
        let slices = vec![
            slice(1, true, true),
            slice(1, false, false),
            slice(1, false, false),
            slice(1, false, true),
        ];
        let expected =
            Slices { kept: 1, repeated: 2, given_up: 1, off_cpu: 3, stolen: 1, switched: 0 };
        assert_eq!(recorded(slices).slices, Some(expected));
    }

    #[test]
    fn where_no_slice_counts_the_line_is_of_all_and_flagged() {
        let line = recorded(vec![slice(1, false, false), slice(2, false, true)]);
        assert!(line.host_noise.flagged);
        assert_eq!(line.operations, 90);
        assert_eq!(line.latency_ns.send.unwrap().count, 15);
    }
}
