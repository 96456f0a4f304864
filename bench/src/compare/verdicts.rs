//! From what was gathered to the rows of a comparison, and to its exit code.

use results::{Compared, Host, Side, Verdict};

use super::cell::{Gathered, Itself};
use super::counters;
use super::judge::{self, Judge};
use super::metric::{Metric, Use};
use crate::cmd::EXIT_OK;
use crate::turns::server::Failure;

/// Something got slower.
pub const EXIT_SLOWER: i32 = 3;
/// It cannot be told.
pub const EXIT_UNCLEAR: i32 = 4;

/// A verdict, and what else the table says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What is stored.
    pub compared: Compared,
    /// How easily chance alone would give this; none for counters.
    pub p_value: Option<f64>,
    /// Whether it stands beside all the other verdicts (Holm); only then does it count for the exit
    /// code.
    pub stands: bool,
}

/// A cell on two sides.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// [`results::Cell::id`] of the cell.
    pub cell: String,
    /// Name and origin of both sides.
    pub sides: [Side; 2],
    /// Whether the counters depend on the code alone.
    pub exact: bool,
    /// Whether disturbed slices may be used.
    pub noisy: bool,
    /// What was measured.
    pub gathered: Gathered,
    /// Why nothing was, or why it cannot be compared.
    pub why: Option<String>,
    /// Whether both sides run the same machine code here, if that is known.
    pub same_code: Option<bool>,
    /// When it began.
    pub started: String,
}

/// The rows of a cell, and what was left out of them.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// A row per metric.
    pub rows: Vec<Row>,
    /// Metrics without a verdict, and why.
    pub left_out: Vec<String>,
}

impl Rows {
    /// What was left out, each with the name of the cell.
    pub fn left_out_by_cell(&self) -> impl Iterator<Item = String> {
        let cell = self.rows.first().map_or("", |row| &row.compared.cell);
        self.left_out.iter().map(move |left| format!("{cell}, {left}"))
    }
}

/// The rows of a cell. `itself` is of the whole comparison.
#[must_use]
pub fn rows(it: &Comparison, judge: &Judge, itself: &Itself, host: &Host) -> Rows {
    let mut rows = Rows::default();
    for metric in judge.metrics.iter().copied() {
        match it.gathered.series[metric.index()].use_of(metric) {
            Use::Yes => rows.rows.push(timed(it, metric, judge, itself)),
            Use::Not(why) => rows.left_out.push(format!("{}: {why}", metric.name())),
            // A cell that was not measured has a row too, so that nobody takes silence for a good
            // result.
            Use::Absent if metric == judge.metrics[0] => rows.rows.push(unmeasured(it, metric)),
            Use::Absent => {}
        }
    }
    rows.rows.extend((0..counters::NAMES.len()).filter_map(|index| counted(it, index)));
    rows.rows.iter_mut().for_each(|row| row.compared.host = host.clone());
    rows
}

/// A row before its verdict.
fn blank(it: &Comparison, metric: &str) -> Compared {
    let Gathered { tally, elapsed, .. } = &it.gathered;
    Compared {
        cell: it.cell.clone(),
        metric: metric.to_owned(),
        first: it.sides[0].clone(),
        second: it.sides[1].clone(),
        pairs: it.gathered.pairs(),
        same_code: it.same_code,
        slices: tally.slices,
        slices_rejected: tally.rejected,
        seconds: elapsed.as_secs_f64(),
        started: it.started.clone(),
        ..Compared::default()
    }
}

fn unmeasured(it: &Comparison, metric: Metric) -> Row {
    let why = why_not(it).unwrap_or_else(|| "nothing was measured".to_owned());
    let compared = Compared { why: Some(why), ..blank(it, metric.name()) };
    Row { compared, ..Row::default() }
}

/// What makes every time of the cell worthless, if anything does.
fn why_not(it: &Comparison) -> Option<String> {
    let failed = it.gathered.failure.as_ref().map(|failed| {
        let what = match &failed.failure {
            Failure::Interrupted => "interrupted".to_owned(),
            Failure::Found { .. } => "stopped by a check".to_owned(),
            Failure::Broken(why) => why.clone(),
        };
        format!("{}: {what}", it.sides[failed.party].name)
    });
    let busy = (it.gathered.tally.is_busy() && !it.noisy).then(|| "host busy".to_owned());
    it.why.clone().or(failed).or(busy)
}

fn timed(it: &Comparison, metric: Metric, judge: &Judge, itself: &Itself) -> Row {
    let series = &it.gathered.series[metric.index()];
    let decision = judge.look(metric, series, true);
    let mut compared = blank(it, metric.name());
    compared.pairs = series.log_ratios.len() as u32;
    (compared.first.value, compared.second.value) = (series.value(0), series.value(1));
    if let Some(found) = &decision.estimate {
        compared.ratio = Some(found.ratio);
        (compared.low, compared.high) = (Some(found.low), Some(found.high));
        compared.smallest_visible = Some(found.smallest_visible);
    }
    compared.itself = itself.of(metric).map(|(itself, _)| itself);
    compared.why = why_not(it)
        .or_else(|| distrusted(metric, itself))
        .or_else(|| same_code(it, decision.verdict));
    if compared.why.is_none() {
        compared.verdict = decision.verdict;
    }
    Row { compared, p_value: Some(judge.p_value(&series.log_ratios)), stands: false }
}

/// A side that differs from itself in throughput makes the whole comparison invalid, and in another
/// metric that metric.
fn distrusted(metric: Metric, itself: &Itself) -> Option<String> {
    let differs = |metric| itself.of(metric).is_some_and(|(_, differs)| differs);
    let invalid = differs(Metric::Throughput) || differs(metric);
    invalid.then(|| "invalid: the first side differs from itself".to_owned())
}

/// The same machine code cannot be faster or slower than itself.
fn same_code(it: &Comparison, verdict: Verdict) -> Option<String> {
    let decided = matches!(verdict, Verdict::Faster | Verdict::Slower);
    (decided && it.same_code == Some(true)).then(|| format!("same code measured {verdict:?}"))
}

/// The row of a counter, where there is one to compare.
fn counted(it: &Comparison, index: usize) -> Option<Row> {
    if !it.exact {
        return None;
    }
    let [first, second] = both(it, index)?;
    // Where no lock is tried nothing is saved.
    if index == counters::SAVED && first.value + second.value == 0.0 {
        return None;
    }
    let mut compared = blank(it, counters::NAMES[index]);
    (compared.first.value, compared.second.value) = (Some(first.value), Some(second.value));
    // A fall to nothing is no ratio: one that is 0 is refused in a record.
    let is_ratio = first.value > 0.0 && second.value > 0.0;
    compared.ratio = is_ratio.then(|| second.value / first.value);
    compared.verdict = verdict(it, index)?;
    if compared.verdict == Verdict::Unclear {
        compared.why = Some("the counter differs from slice to slice".to_owned());
    }
    Some(Row { compared, p_value: None, stands: true })
}

/// What both sides say of a counter.
fn both(it: &Comparison, index: usize) -> Option<[counters::Count; 2]> {
    let [first, second] = &it.gathered.counters;
    Some([counters::count(first, index)?, counters::count(second, index)?])
}

/// The verdict on a counter. What a try does not save any more is a relock, or is not needed: so it
/// is the relocks that say whether that is worse.
fn verdict(it: &Comparison, index: usize) -> Option<Verdict> {
    let [first, second] = both(it, index)?;
    if index == counters::SAVED && first.value != second.value {
        return verdict(it, counters::RELOCKS);
    }
    Some(judge::count(first.value, second.value, first.same && second.same))
}

/// Marks the verdicts that stand beside all the others.
pub fn correct(cells: &mut [Rows]) {
    let rows = cells.iter().flat_map(|cell| &cell.rows);
    let p_values: Vec<f64> = rows.filter_map(|row| row.p_value).collect();
    let mut stand = judge::stand(&p_values).into_iter();
    let rows = cells.iter_mut().flat_map(|cell| &mut cell.rows);
    for row in rows.filter(|row| row.p_value.is_some()) {
        row.stands = stand.next().unwrap_or(false);
    }
}

/// The rows of verdicts that were stored, cell by cell.
pub fn stored<'a>(compared: impl Iterator<Item = &'a Compared>) -> Vec<Rows> {
    let mut cells: Vec<Rows> = Vec::new();
    for compared in compared {
        let p_value = compared.low.map(|_| 0.0);
        let row = Row { compared: compared.clone(), p_value, stands: true };
        let key = |row: &Row| (row.compared.cell.clone(), row.compared.second.name.clone());
        match cells.last_mut() {
            Some(last) if last.rows.first().map(key) == Some(key(&row)) => last.rows.push(row),
            _ => cells.push(Rows { rows: vec![row], left_out: vec![] }),
        }
    }
    cells
}

/// The exit code: slower before unclear before fine. A verdict that does not stand beside the
/// others is unclear.
#[must_use]
pub fn exit_code(rows: &[Row]) -> i32 {
    let is = |row: &Row, verdict: Verdict| row.compared.verdict == verdict;
    if rows.iter().any(|row| row.stands && is(row, Verdict::Slower)) {
        return EXIT_SLOWER;
    }
    let unclear =
        |row: &Row| is(row, Verdict::Unclear) || (is(row, Verdict::Slower) && !row.stands);
    if rows.iter().any(unclear) { EXIT_UNCLEAR } else { EXIT_OK }
}

#[cfg(test)]
mod tests;
