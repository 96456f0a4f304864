//! From rounds to the rows of a table: one row per cell, several runs of one machine together.

use std::collections::BTreeMap;

use crate::agreement::Disagreement;
use crate::error::StoreError;
use crate::merged::{HIGHER_ADDRESS, Quantiles, Round, main_event, send_by_address};
use crate::paired;
use crate::ratio::Ratio;
use crate::record::{Cell, Finding, Latency, Measure, Measured, Slices};
use crate::run::{Run, same_machine};
use crate::stats::{self, Interval};

/// The level of the intervals; few rounds reach less, and the interval says so.
pub const LEVEL: f64 = 0.95;
/// A median of fewer clock steps than this says more of the clock than of the operation.
pub const CLOCK_STEPS_MIN: f64 = 10.0;

/// All that a table shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One row per cell, cells that differ in the backend alone next to each other.
    pub rows: Vec<Row>,
    /// The backend that ratios are to.
    pub reference: String,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// What the checker costs.
    pub checker: Option<Checker>,
    /// Faults that measured rounds carry; 0 unless lines were published that should not have been.
    pub faults: u64,
    /// The runs that ended before their plan was done.
    pub interrupted: Vec<String>,
    /// The programs that measured: commit, with `+` behind it when the checkout differed from it,
    /// and how it was built where a commit was built in several ways.
    pub commits: Vec<String>,
}

impl Summary {
    /// What became of the slices of all rows; `None` where rounds are one slice each.
    #[must_use]
    pub fn slices(&self) -> Option<Slices> {
        self.rows.iter().filter_map(|row| row.slices).reduce(Slices::plus)
    }
}

/// What the checker costs, in the middle of all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checker {
    /// What it adds to a lock and unlock.
    pub ns_per_pair: f64,
    /// The same as a share of an unchecked lock and unlock.
    pub share_of_pair: f64,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured.
    pub cell: Cell,
    /// Operations per second.
    pub throughput: Option<Throughput>,
    /// Latencies of the event that stands for the workload: merged over the rounds.
    pub latency: Option<RowLatency>,
    /// The two sides of the send apart, where they were recorded so: lower address, higher address.
    pub send_by_address: Option<[Quantiles; 2]>,
    /// Locks taken per operation; `None` where the records name no lock and no path without one, as
    /// those of a kernel's own sockets.
    pub acquisitions_per_operation: Option<f64>,
    /// Locks taken again for the sake of the order, per operation.
    pub relocks_per_operation: Option<f64>,
    /// Relocks that a try made needless, per operation; none where there were none.
    pub saved_per_operation: Option<f64>,
    /// What share they are of the relocks that would have been needed.
    pub saved_share: Option<f64>,
    /// The share of acquisitions that found the lock taken.
    pub contended_share: Option<f64>,
    /// The share of sends and receives that took no lock; only where a backend has such a path.
    pub fast_path_share: Option<f64>,
    /// Jain's index of the threads' operations, the median over rounds.
    pub fairness_jain: Option<f64>,
    /// Throughput as a ratio to the reference backend's; `None` where that was not measured, or is
    /// this one.
    pub ratio: Option<Ratio>,
    /// What kept runs that do not agree on the ratio say together: [`Summary::hold_against`].
    pub disagreement: Option<Disagreement>,
    /// The cell against itself, where the run measured that: what no difference looks like.
    pub itself: Option<Ratio>,
    /// What became of its slices; `None` of rounds that are one slice each.
    pub slices: Option<Slices>,
    /// The longest latency of all slices, those included that are in no percentile.
    pub max_all_ns: Option<u64>,
    /// A lock of the cell's and its unlock, which nobody else wants, unchecked: the median of its
    /// rounds.
    pub lock_ns_per_pair: Option<f64>,
    /// What a reader must know of these numbers.
    pub flags: Flags,
}

impl Row {
    /// The interval of the ratio, of [`LEVEL`] at least.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let ratio = self.ratio.as_ref()?;
        Some(Interval {
            estimate: ratio.ratio?,
            low: ratio.low?,
            high: ratio.high?,
            level: ratio.level,
            level_reached: true,
        })
    }
}

/// Throughput over rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throughput {
    /// The median.
    pub operations_per_second: f64,
    /// The slowest round.
    pub low: f64,
    /// The fastest round.
    pub high: f64,
    /// Half the distance between slowest and fastest, as a share of the median.
    pub half_range_share: f64,
    /// The distance between the quartiles, as a share of the median.
    pub quartile_spread: f64,
    /// How many rounds that is over.
    pub round_count: usize,
}

/// Merged latencies of one kind of event.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLatency {
    /// The kind of event.
    pub event: &'static str,
    /// Its quantiles.
    pub quantiles: Quantiles,
}

/// What a reader must know of a row's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Rounds in which a thread was kept off its CPU.
    pub flagged_rounds: usize,
    /// All rounds.
    pub rounds: usize,
    /// Every throughput round was flagged, so the throughput is over flagged rounds.
    pub all_flagged: bool,
    /// Threads were not pinned.
    pub unpinned: bool,
    /// There were more threads than CPUs.
    pub oversubscribed: bool,
    /// And whoever waits for a lock spins.
    pub spinning: bool,
    /// The rate was not kept up, so the percentiles mean nothing.
    pub overloaded: bool,
    /// The median latency is within a few steps of the clock.
    pub quantised: bool,
    /// Latencies beyond the histogram's bound.
    pub lost_count: u64,
}

/// The backend that the ratios of some runs are to: the usual one where it was measured, else the
/// one that their own ratios are to.
#[must_use]
pub fn reference(runs: &[Run], usual: &str) -> String {
    let is_measured = runs.iter().flat_map(Run::measured).any(|line| line.cell.backend == usual);
    let own = runs.iter().flat_map(Run::ratios).next();
    let own = own.and_then(|ratio| ratio.against.split('/').nth(1));
    own.filter(|_| !is_measured).unwrap_or(usual).to_owned()
}

/// Sums up runs of one machine, with ratios to one backend.
///
/// # Errors
/// The runs are of several machines, or a histogram is damaged.
pub fn summarise(runs: &[Run], reference: &str) -> Result<Summary, StoreError> {
    same_machine(runs)?;
    let mut cells: Vec<(Cell, Vec<Round>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (run_index, run) in runs.iter().enumerate() {
        for measured in run.measured() {
            let place = *places.entry(measured.cell.id()).or_insert(cells.len());
            if place == cells.len() {
                cells.push((measured.cell.clone(), Vec::new()));
            }
            cells[place].1.push((run_index, measured));
        }
    }
    let mut rows = Vec::with_capacity(cells.len());
    for (cell, rounds) in &cells {
        let other = cell.on(reference);
        let against = places.get(&other.id()).filter(|_| cell.backend != reference);
        let against = against.map(|place| (&cells[*place].0, cells[*place].1.as_slice()));
        rows.push(row(runs, cell, rounds, against)?);
    }
    sort_rows(&mut rows, reference);
    let all = || runs.iter().flat_map(Run::measured);
    Ok(Summary {
        rows,
        reference: reference.to_owned(),
        findings: runs.iter().flat_map(Run::findings).cloned().collect(),
        checker: checker(runs),
        faults: all().fold(0, |sum, measured| sum.saturating_add(measured.checks.faults())),
        interrupted: runs
            .iter()
            .filter(|run| run.interrupted())
            .map(|run| run.id.clone())
            .collect(),
        commits: commits(all()),
    })
}

/// Cells in the order in which they were first measured but for the backend, by threads; in each
/// the reference first, then the others by name. (The order of backends in a run is drawn by
/// chance.)
fn sort_rows(rows: &mut [Row], reference: &str) {
    let family = |row: &Row| row.cell.family().id();
    let mut families: Vec<String> = Vec::new();
    for row in rows.iter() {
        let id = family(row);
        if !families.contains(&id) {
            families.push(id);
        }
    }
    rows.sort_by_cached_key(|row| {
        let id = family(row);
        let place = families.iter().position(|other| *other == id);
        let backend = row.cell.backend.clone();
        (place, row.cell.threads, backend != reference, backend)
    });
}

fn row(
    runs: &[Run],
    cell: &Cell,
    rounds: &[Round],
    reference: Option<(&Cell, &[Round])>,
) -> Result<Row, StoreError> {
    let latency = main_event(runs, rounds)?
        .map(|(event, merged)| RowLatency { event, quantiles: Quantiles::of(&merged) });
    let max_all_ns = latency.as_ref().and_then(|found| max_all(rounds, found.event));
    let operations = sum(rounds, |round| round.operations);
    let locks = |pick: fn(&crate::LockCounts) -> u64| {
        sum(rounds, |round| round.locks.iter().map(pick).fold(0, u64::saturating_add))
    };
    let acquisitions = locks(|lock| lock.acquisitions);
    let (relocks, saved) = (locks(|lock| lock.relocks), locks(|lock| lock.saved));
    let fast = sum(rounds, |round| round.fast_path.sends.saturating_add(round.fast_path.receives));
    let slow = sum(rounds, |round| {
        round.fast_path.slow_sends.saturating_add(round.fast_path.slow_receives)
    });
    let fairness: Vec<f64> = rounds.iter().map(|(_, round)| round.fairness_jain).collect();
    let pairs: Vec<f64> =
        rounds.iter().map(|(_, round)| round.instrument.lock_ns_per_pair).collect();
    let flags = flags(rounds, latency.as_ref());
    let counted = fast > 0 || slow > 0 || rounds.iter().any(|(_, round)| !round.locks.is_empty());
    let per_operation = |count| share(count, operations).filter(|_| counted);
    Ok(Row {
        cell: cell.clone(),
        throughput: throughput(rounds, flags.all_flagged),
        latency,
        send_by_address: send_by_address(runs, rounds)?,
        acquisitions_per_operation: per_operation(acquisitions),
        relocks_per_operation: per_operation(relocks),
        saved_per_operation: per_operation(saved).filter(|_| saved > 0),
        saved_share: share(saved, saved.saturating_add(relocks)).filter(|_| saved > 0),
        contended_share: share(locks(|lock| lock.contended), acquisitions),
        fast_path_share: share(fast, fast.saturating_add(slow)),
        fairness_jain: stats::median(&fairness),
        ratio: reference
            .map(|(against, others)| paired::ratio(runs, (cell, rounds), (against, others))),
        disagreement: None,
        itself: paired::against_itself(runs, cell).cloned(),
        slices: slices(rounds),
        max_all_ns,
        lock_ns_per_pair: stats::median(&pairs),
        flags,
    })
}

fn sum(rounds: &[Round], of: impl Fn(&Measured) -> u64) -> u64 {
    rounds.iter().map(|(_, round)| of(round)).fold(0, u64::saturating_add)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn throughput_rounds<'a>(rounds: &'a [Round<'a>]) -> impl Iterator<Item = Round<'a>> {
    rounds.iter().copied().filter(|(_, round)| round.measure == Measure::Throughput)
}

fn throughput(rounds: &[Round], all_flagged: bool) -> Option<Throughput> {
    let values: Vec<f64> = throughput_rounds(rounds)
        .filter(|(_, round)| all_flagged || !round.host_noise.flagged)
        .map(|(_, round)| round.operations_per_second)
        .collect();
    let middle = stats::median(&values)?;
    let low = stats::quantile(&values, 0.0)?;
    let high = stats::quantile(&values, 1.0)?;
    let of_middle = |distance: f64| if middle > 0.0 { distance / middle } else { 0.0 };
    Some(Throughput {
        operations_per_second: middle,
        low,
        high,
        half_range_share: of_middle((high - low) / 2.0),
        quartile_spread: stats::quartile_spread(&values).unwrap_or(0.0),
        round_count: values.len(),
    })
}

/// What became of the slices of all rounds together.
fn slices(rounds: &[Round]) -> Option<Slices> {
    rounds.iter().filter_map(|(_, round)| round.slices).reduce(Slices::plus)
}

/// The longest of what stands in the main event's place: a send's two sides count as one.
fn max_all(rounds: &[Round], event: &str) -> Option<u64> {
    let of_event = |(_, round): &Round| -> Vec<u64> {
        let is_it = |name: &str| name == event || (event == "send" && name == HIGHER_ADDRESS);
        let all = round.latency_ns.iter().filter(|(name, _)| is_it(name));
        all.map(|(_, latency): (_, &Latency)| latency.max_all.unwrap_or(latency.max)).collect()
    };
    rounds.iter().flat_map(of_event).max()
}

fn flags(rounds: &[Round], latency: Option<&RowLatency>) -> Flags {
    let any = |is: fn(&Measured) -> bool| rounds.iter().any(|(_, round)| is(round));
    let throughput_flags: Vec<bool> =
        throughput_rounds(rounds).map(|(_, round)| round.host_noise.flagged).collect();
    let steps: Vec<f64> = rounds.iter().map(|(_, round)| round.instrument.clock_step_ns).collect();
    let limit_ns = stats::median(&steps).unwrap_or(0.0) * CLOCK_STEPS_MIN;
    let lost = |round: &Measured| {
        round.latency_ns.iter().map(|(_, latency)| latency.lost_count).fold(0, u64::saturating_add)
    };
    Flags {
        flagged_rounds: rounds.iter().filter(|(_, round)| round.host_noise.flagged).count(),
        rounds: rounds.len(),
        all_flagged: !throughput_flags.is_empty() && throughput_flags.iter().all(|flag| *flag),
        unpinned: any(|round| round.pinning.unpinned),
        oversubscribed: any(|round| round.pinning.oversubscribed),
        spinning: any(|round| round.pinning.spinning),
        overloaded: any(|round| round.overloaded),
        quantised: latency.is_some_and(|latency| {
            latency.quantiles.count > 0 && (latency.quantiles.p50_ns as f64) < limit_ns
        }),
        lost_count: sum(rounds, lost),
    }
}

/// On locks of the default algorithm, if any round had them, else on those of the first.
fn checker(runs: &[Run]) -> Option<Checker> {
    let rounds = || runs.iter().flat_map(Run::measured);
    let default = rounds().find(|round| round.cell.lock.is_empty());
    let lock = &default.or_else(|| rounds().next())?.cell.lock;
    let middle = |of: fn(&Measured) -> f64| {
        let values: Vec<f64> = rounds().filter(|round| round.cell.lock == *lock).map(of).collect();
        stats::median(&values)
    };
    let ns_per_pair = middle(|round| round.instrument.checker_ns_per_pair)?;
    let lock_ns = middle(|round| round.instrument.lock_ns_per_pair)?;
    let share_of_pair = if lock_ns > 0.0 { ns_per_pair / lock_ns } else { 0.0 };
    Some(Checker { ns_per_pair, share_of_pair })
}

/// The programs by their commits; those of one commit that were built in several ways with these.
fn commits<'a>(rounds: impl Iterator<Item = &'a Measured>) -> Vec<String> {
    let mut programs: Vec<(String, [&str; 2])> = Vec::new();
    for round in rounds {
        let mut commit = round.commit.clone().unwrap_or_else(|| "unknown".to_owned());
        if round.dirty == Some(true) {
            commit.push('+');
        }
        let program = (commit, [round.rustc.as_str(), round.build.as_deref().unwrap_or_default()]);
        if !programs.contains(&program) {
            programs.push(program);
        }
    }
    let is_one = |commit: &str| programs.iter().filter(|(other, _)| other == commit).count() == 1;
    let name = |(commit, [rustc, build]): &(String, [&str; 2])| {
        if is_one(commit) { commit.clone() } else { format!("{commit} ({rustc}, {build})") }
    };
    programs.iter().map(name).collect()
}
