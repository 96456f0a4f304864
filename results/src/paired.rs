//! The ratio of a cell to the same cell of another backend: as the run recorded it, or, in runs
//! that recorded none, from rounds.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::merged::Round;
use crate::ratio::{Ratio, THROUGHPUT};
use crate::record::Measure;
use crate::run::Run;
use crate::stats;
use crate::summary::LEVEL;

/// What is known of the throughput of `cell` as a ratio to that of `against`; its `why` says why
/// there is no interval, where there is none. An interval of a lower level than [`LEVEL`] is left
/// out.
pub(crate) fn ratio(
    runs: &[Run],
    (cell, rounds): (&Cell, &[Round]),
    (against, against_rounds): (&Cell, &[Round]),
) -> Ratio {
    let (id, against_id) = (cell.id(), against.id());
    let is_it = |ratio: &&Ratio| {
        ratio.cell == id && ratio.against == against_id && ratio.metric == THROUGHPUT
    };
    let mut recorded = runs.iter().flat_map(Run::ratios).filter(is_it);
    match (recorded.next(), recorded.count()) {
        (Some(ratio), 0) => reached(ratio.clone()),
        (Some(ratio), others) => Ratio {
            ratio: None,
            low: None,
            high: None,
            level: 0.0,
            why: Some(format!("each of {} runs has its own", others + 1)),
            // The budget is each run's own, too; no budget would make one ratio of several.
            budget_seconds: None,
            ..ratio.clone()
        },
        (None, _) => from_rounds(cell, rounds, against_id, against_rounds),
    }
}

/// A cell's throughput against itself; the widest where runs have several.
pub(crate) fn against_itself<'a>(runs: &'a [Run], cell: &Cell) -> Option<&'a Ratio> {
    let id = cell.id();
    let is_it = |ratio: &&Ratio| {
        ratio.is_against_itself()
            && ratio.cell == id
            && ratio.metric == THROUGHPUT
            && has_level(ratio)
    };
    let width = |ratio: &&Ratio| ratio.high.unwrap_or(0.0) / ratio.low.unwrap_or(1.0);
    runs.iter()
        .flat_map(Run::ratios)
        .filter(is_it)
        .max_by(|left, right| width(left).total_cmp(&width(right)))
}

fn has_level(ratio: &Ratio) -> bool {
    ratio.low.is_some() && ratio.level >= LEVEL
}

/// A recorded ratio, without its interval if that is of too low a level.
fn reached(ratio: Ratio) -> Ratio {
    if has_level(&ratio) {
        return ratio;
    }
    let few = match ratio.pairs {
        1 => "1 pair of processes gives no interval of 95 %".to_owned(),
        pairs => format!("{pairs} pairs of processes give no interval of 95 %"),
    };
    let why = ratio.why.clone().unwrap_or(few);
    Ratio { ratio: None, low: None, high: None, why: Some(why), ..ratio }
}

/// Pairs the unflagged throughput rounds of both sides by run and round.
fn from_rounds(cell: &Cell, rounds: &[Round], against: String, others: &[Round]) -> Ratio {
    let by_round = |rounds: &[Round]| -> BTreeMap<(usize, u32), f64> {
        rounds
            .iter()
            .filter(|(_, round)| round.measure == Measure::Throughput && !round.host_noise.flagged)
            .map(|(run, round)| ((*run, round.round), round.operations_per_second))
            .collect()
    };
    let others = by_round(others);
    let pairs: Vec<(f64, f64)> = by_round(rounds)
        .into_iter()
        .filter_map(|(key, value)| Some((value, *others.get(&key)?)))
        .collect();
    let first = rounds.first().map(|(_, round)| *round);
    let blank = Ratio {
        cell: cell.id(),
        against,
        threads: cell.threads,
        metric: THROUGHPUT.to_owned(),
        pairs: pairs.len() as u32,
        commit: first.and_then(|round| round.commit.clone()),
        dirty: first.and_then(|round| round.dirty),
        started: first.map(|round| round.started.clone()).unwrap_or_default(),
        host: first.map(|round| round.host.clone()).unwrap_or_default(),
        ..Ratio::default()
    };
    match stats::paired_ratio(&pairs, LEVEL) {
        Some(found) if found.level_reached => Ratio {
            ratio: Some(found.estimate),
            low: Some(found.low),
            high: Some(found.high),
            level: found.level,
            ..blank
        },
        found => Ratio {
            level: found.map_or(0.0, |found| found.level),
            why: Some(too_few(rounds, pairs.len())),
            ..blank
        },
    }
}

/// Six pairs are the fewest of which the widest interval has 95 %.
fn too_few(rounds: &[Round], pairs: usize) -> String {
    let all = rounds.iter().filter(|(_, round)| round.measure == Measure::Throughput).count();
    format!("{pairs} of {all} rounds undisturbed on both sides, 6 are needed for 95 %")
}
