//! The record of what one party did in a launch.

use std::collections::BTreeMap;

use lockimpls::Algorithm;
use results::{
    Cell, Checks, FastPath, Host, HostNoise, Instrument, Latencies, Latency, LockCounts, Measure,
    Measured, Pinning, Slices, TwoCpus, histogram, stats,
};

use super::launch::{Slice, Taken};
use crate::host;
use crate::protocol::SliceDone;
use crate::valid;

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
        pinning: pinning(cell, taken),
        two_cpus: place.two_cpus.clone(),
        own_copy: Some(taken.uncopied.is_none()),
        host: context.host.clone(),
        rustc: host::RUSTC.to_owned(),
        build: Some(host::build()),
        commit: host::commit(),
        dirty: host::dirty(),
        started: place.started.clone(),
    })
}

/// Where the threads were.
fn pinning(cell: &Cell, taken: &Taken) -> Pinning {
    let found = taken.pinning.clone().unwrap_or_default();
    let spins = valid::lock(&cell.lock).is_ok_and(Algorithm::spins);
    Pinning { spinning: found.oversubscribed && spins, ..found }
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
        sum.saved += counts.saved;
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
mod tests;
