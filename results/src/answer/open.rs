//! What cannot be said, and what would help.

use super::points::Point;
use super::questions;
use super::widths::Recorded;
use crate::cell::Cell;
use crate::outward;
use crate::ratio::{Answer, Ratio};
use crate::spoiled::Spoiled;
use crate::summary::Row;
use crate::units;

/// Half-widths, as shares, that are worth asking for, the finest first.
const WANTED: [f64; 4] = [0.02, 0.05, 0.1, 0.2];
/// How many times longer than the run itself the longest proposed run is.
const LONGER_MAX: f64 = 5.0;
/// The longest budget that can be asked for.
const BUDGET_MAX_SECONDS: f64 = 24.0 * 3600.0;

/// A sentence for each point that says nothing; one for all that are spoiled alike.
pub(super) fn answers(points: &[Point], recorded: Recorded) -> Vec<Answer> {
    let mut answers = Vec::new();
    let open: Vec<&Point> = points.iter().filter(|point| point.is_open()).collect();
    for (place, point) in open.iter().enumerate() {
        if open[..place].iter().any(|other| are_alike(other, point)) {
            continue;
        }
        let mut cells = vec![*point];
        cells.extend(open[place + 1..].iter().filter(|other| are_alike(other, point)));
        let sentence = match point.spoiled {
            Some(spoiled) => why_spoiled(spoiled, &cells),
            None => why_open(&cells, recorded),
        };
        let [ratio, low, high] = if point.spoiled.is_none() { point.numbers() } else { [None; 3] };
        answers.push(Answer {
            question: questions::NOT_ANSWERED.to_owned(),
            sentence,
            cells: cells.iter().map(|point| point.row.cell.id()).collect(),
            ratio,
            low,
            high,
            runs: point.several(),
            ..Answer::default()
        });
    }
    answers
}

/// Whether two cells say nothing for one reason.
fn are_alike(one: &Point, other: &Point) -> bool {
    let unmeasured = |point: &Point| {
        let ratio = point.row.ratio.as_ref().filter(|ratio| ratio.low.is_none())?;
        // Without a reason of the run's, the number of pairs is the reason.
        Some((ratio.why_in_short().map(str::to_owned), ratio.why.is_none().then_some(ratio.pairs)))
    };
    match (one.spoiled, other.spoiled) {
        (None, None) => unmeasured(one).is_some() && unmeasured(one) == unmeasured(other),
        _ => one.spoiled == other.spoiled,
    }
}

fn why_spoiled(spoiled: Spoiled, cells: &[&Point]) -> String {
    let names: Vec<String> = cells.iter().map(|point| name(&point.row.cell)).collect();
    let names = names.join(", ");
    match spoiled {
        Spoiled::Oversubscribed => {
            format!("{names}: more threads than CPUs say more of the scheduler than of the locks")
        }
        Spoiled::Unpinned => format!("{names}: the threads were not pinned"),
        Spoiled::Itself(itself) => {
            let itself = interval(itself).unwrap_or_default();
            format!("{names}: a cell beside it differs from itself, A/A {itself}")
        }
    }
}

/// Of cells that have no interval for one reason, or of one whose interval is too wide.
fn why_open(cells: &[&Point], recorded: Recorded) -> String {
    let rows: Vec<&Row> = cells.iter().map(|point| point.row).collect();
    let pair = pair(&rows);
    let Some(ratio) = cells.first().and_then(|point| point.row.ratio.as_ref()) else {
        return pair;
    };
    let disagreed = cells[0].several().zip(cells[0].printed);
    match interval(ratio) {
        Some(shown) if let Some((runs, all)) = disagreed => {
            format!(
                "{pair}: {shown} in this run, {} in {runs} kept of this program: they do not agree",
                all.span()
            )
        }
        None => {
            let whys = cells.iter().filter_map(|point| point.row.ratio.as_ref());
            let is_one = whys.clone().all(|other| other.why == ratio.why);
            let why = if is_one { ratio.why.as_deref() } else { ratio.why_in_short() };
            let why = why.unwrap_or("no interval of 95 %");
            format!("{pair}: {why}{}", advice(ratio, None))
        }
        Some(shown) => {
            let why = ratio.why.clone().or_else(|| recorded.why(&rows));
            let why = why.map_or(String::new(), |why| format!(" ({why})"));
            format!("{pair}: {shown}, too wide{why}{}", advice(ratio, half_width(ratio)))
        }
    }
}

/// The cells of one reference, and the reference.
pub(super) fn pair(rows: &[&Row]) -> String {
    let names: Vec<String> = rows.iter().map(|row| name(&row.cell)).collect();
    format!("{} / {}", names.join(", "), against(rows))
}

/// The same of cells that differ in the backend alone.
pub(super) fn group(rows: &[&Row]) -> String {
    let backends: Vec<&str> = rows.iter().map(|row| row.cell.backend.as_str()).collect();
    let names = rows.first().map(|row| name(&row.cell.on(&backends.join(", "))));
    format!("{} / {}", names.unwrap_or_default(), against(rows))
}

fn against<'a>(rows: &[&'a Row]) -> &'a str {
    let ratio = rows.first().and_then(|row| row.ratio.as_ref());
    ratio.and_then(|ratio| ratio.against.split('/').nth(1)).unwrap_or_default()
}

/// The cell as a user would name it.
fn name(cell: &Cell) -> String {
    let threads = units::counted(cell.threads as usize, "thread");
    format!("{} {} with {threads}", cell.workload, cell.backend)
}

fn interval(ratio: &Ratio) -> Option<String> {
    Some(outward::text(ratio.ratio?, ratio.low?, ratio.high?))
}

/// Half the interval's width as a share of the ratio.
fn half_width(ratio: &Ratio) -> Option<f64> {
    Some((ratio.high? - ratio.low?) / 2.0 / ratio.ratio?)
}

/// How long a run would have to be to tell more: an interval narrows with the root of the number of
/// pairs, which grows with the time. Nothing where more pairs would not help, or no run may be so
/// long.
fn advice(ratio: &Ratio, half_width: Option<f64>) -> String {
    advised(ratio, half_width).unwrap_or_default()
}

fn advised(ratio: &Ratio, half_width: Option<f64>) -> Option<String> {
    if half_width.is_none() && ratio.is_busy() {
        return Some("; run it with nothing else beside it".to_owned());
    }
    // Where launches gave no pair, more of them would give none.
    let has_pairs = ratio.pairs > 0 && !ratio.is_invalid();
    let is_of_use = |budget: &f64| *budget > 0.0 && has_pairs;
    let budget = ratio.budget_seconds.filter(is_of_use)?;
    let longer = |times: f64| Some(budget * times).filter(|long| *long <= BUDGET_MAX_SECONDS);
    let Some(half_width) = half_width else {
        return Some(format!("; --budget {} would give it more pairs", time(longer(2.0)?)));
    };
    let times = |wanted: f64| (half_width / wanted).powi(2);
    let reached = WANTED.into_iter().find(|wanted| (1.0..=LONGER_MAX).contains(&times(*wanted)));
    let Some(wanted) = reached else {
        return Some(format!("; more than --budget {} is needed", time(longer(LONGER_MAX)?)));
    };
    let percent = format!("{:.0}", wanted * 100.0);
    // A ratio that is as narrow as was asked for is not measured any further.
    let is_soon_enough = ratio.within.is_some_and(|within| within > wanted);
    let within = if is_soon_enough { format!("--within {percent}% ") } else { String::new() };
    let budget = time(longer(times(wanted))?);
    Some(format!("; {within}--budget {budget} would decide {percent} %"))
}

/// A time as it is given to `--budget`, rounded up.
fn time(seconds: f64) -> String {
    // A whole number stays what it is: the arithmetic is not exact.
    let up = |count: f64| (count - 1e-6).ceil();
    if seconds <= 90.0 {
        return format!("{:.0}s", up(seconds / 10.0) * 10.0);
    }
    format!("{:.0}m", up(seconds / 60.0))
}
