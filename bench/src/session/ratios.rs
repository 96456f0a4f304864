//! The lines of kind `ratio` that a run ends with.

use results::verdict::{self, ItselfVerdict};
use results::{AgainstItself, Ratio, Slices, narrow};

use super::Session;
use super::group::{Backend, State};
use crate::host;
use crate::turns::disturbed::REJECTED_SHARE_MAX;
use crate::words::REFERENCE;

/// The reference with a copy of itself, if there were launches enough; and whether it differs.
pub(super) fn against_itself(log_ratios: &[f64]) -> Option<(AgainstItself, bool)> {
    match verdict::against_itself(log_ratios) {
        ItselfVerdict::TooFew => None,
        ItselfVerdict::Agrees(itself) => Some((itself, false)),
        ItselfVerdict::Differs(itself) => Some((itself, true)),
    }
}

/// A line for each ratio of a group, and one for the reference with itself. No ratio is said where
/// the reference, over all cells together, differs from itself.
pub(super) fn of_group(
    session: &Session<'_>,
    state: &State<'_>,
    pooled: Option<&(AgainstItself, bool)>,
) -> Vec<Ratio> {
    let invalid = pooled.filter(|(_, differs)| *differs).map(
        |(AgainstItself { ratio, low, high, .. }, _)| {
            format!("invalid: {REFERENCE} differs from itself, {ratio:.3} [{low:.3}, {high:.3}]")
        },
    );
    let of = |place: usize| {
        let blank = blank(session, state, place);
        if place == state.reference {
            return of_itself(&state.itself, blank);
        }
        of_backend(&state.backends[place], state.within, invalid.clone(), blank)
    };
    let was_measured = |ratio: &Ratio| ratio.pairs > 0 || ratio.why.is_some();
    (0..state.group.len()).map(of).filter(was_measured).collect()
}

fn blank(session: &Session<'_>, state: &State<'_>, place: usize) -> Ratio {
    let [cell, against] = [place, state.reference].map(|place| &state.group[place].cell);
    let budget = session.planned.budget(session.settings);
    Ratio {
        cell: cell.id(),
        against: against.id(),
        threads: cell.threads,
        metric: results::ratio::THROUGHPUT.to_owned(),
        budget_seconds: budget.map(|budget| budget.as_secs_f64()),
        commit: host::commit(),
        dirty: host::dirty(),
        started: state.started.clone(),
        host: session.context.host.clone(),
        ..Ratio::default()
    }
}

fn of_backend(backend: &Backend, within: f64, invalid: Option<String>, blank: Ratio) -> Ratio {
    let found = narrow::interval(&backend.log_ratios).filter(|_| invalid.is_none());
    Ratio {
        ratio: found.map(|interval| interval.estimate),
        low: found.map(|interval| interval.low),
        high: found.map(|interval| interval.high),
        level: found.map_or(0.0, |_| narrow::LEVEL),
        pairs: backend.log_ratios.len() as u32,
        within: Some(within),
        why: invalid.or_else(|| busy(&backend.slices)),
        ..blank
    }
}

fn of_itself(log_ratios: &[f64], blank: Ratio) -> Ratio {
    let pairs = log_ratios.len() as u32;
    let Some((AgainstItself { ratio, low, high, pairs }, _)) = against_itself(log_ratios) else {
        return Ratio { pairs, ..blank };
    };
    let level = verdict::Rule::default().level_per_look;
    Ratio { ratio: Some(ratio), low: Some(low), high: Some(high), level, pairs, ..blank }
}

/// What the machine did, where it did too much.
fn busy(slices: &Slices) -> Option<String> {
    let Slices { kept, off_cpu, switched, stolen, .. } = slices;
    let all = slices.measured();
    let disturbed = all - u64::from(*kept);
    (disturbed as f64 > REJECTED_SHARE_MAX * all as f64).then(|| {
        let signs = [("off CPU", off_cpu), ("switched", switched), ("stolen", stolen)];
        let seen = signs.into_iter().filter(|(_, times)| **times > 0);
        let seen: Vec<String> = seen.map(|(sign, times)| format!("{sign} {times}")).collect();
        format!("host busy: {disturbed} of {all} slices disturbed: {}", seen.join(", "))
    })
}
