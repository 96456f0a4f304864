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
    let [first, second] = &it.gathered.counters;
    let (first, second) = (counters::count(first, index)?, counters::count(second, index)?);
    let mut compared = blank(it, counters::NAMES[index]);
    (compared.first.value, compared.second.value) = (Some(first.value), Some(second.value));
    compared.ratio = (first.value > 0.0).then(|| second.value / first.value);
    compared.verdict = judge::count(first.value, second.value, first.same && second.same);
    if compared.verdict == Verdict::Unclear {
        compared.why = Some("the counter differs from slice to slice".to_owned());
    }
    Some(Row { compared, p_value: None, stands: true })
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
mod tests {
    use super::*;

    /// A cell in which every pair showed this ratio.
    fn comparison(ratio: f64, pairs: usize) -> Comparison {
        let mut it = Comparison { exact: true, ..Comparison::default() };
        let series = &mut it.gathered.series[0];
        // A hair apart, as measurements are.
        series.log_ratios = (0..pairs).map(|i| ratio.ln() + i as f64 * 1e-6).collect();
        series.values = [vec![1e6; pairs], vec![1e6 * ratio; pairs]];
        it.gathered.counters = [
            vec![[Some(4.0), Some(0.0), Some(0.0), None]],
            vec![[Some(4.0), Some(0.0), Some(0.0), None]],
        ];
        it
    }

    fn judged(it: &Comparison, itself: &Itself) -> Vec<Row> {
        let mut cells = [rows(it, &Judge::default(), itself, &Host::default())];
        correct(&mut cells);
        cells[0].rows.clone()
    }

    #[test]
    fn slower_is_3_and_the_same_is_0() {
        let slower = judged(&comparison(0.9, 20), &Itself::default());
        assert_eq!(slower[0].compared.verdict, Verdict::Slower);
        assert_eq!(exit_code(&slower), EXIT_SLOWER);
        let same = judged(&comparison(1.0, 20), &Itself::default());
        assert_eq!(same.len(), 4, "throughput and three counters");
        assert_eq!(exit_code(&same), EXIT_OK);
        assert_eq!(exit_code(&judged(&comparison(1.2, 20), &Itself::default())), EXIT_OK);
    }

    #[test]
    fn a_busy_host_and_a_failed_side_are_unclear() {
        let mut busy = comparison(0.9, 20);
        busy.gathered.tally.slices = 10;
        busy.gathered.tally.rejected = 9;
        let rows = judged(&busy, &Itself::default());
        assert_eq!(rows[0].compared.why.as_deref(), Some("host busy"));
        assert_eq!(exit_code(&rows), EXIT_UNCLEAR);
        busy.noisy = true;
        assert_eq!(exit_code(&judged(&busy, &Itself::default())), EXIT_SLOWER);
        let why = Some("does not build".to_owned());
        let cell = "cell".to_owned();
        let none = judged(&Comparison { cell, why, ..Comparison::default() }, &Itself::default());
        assert_eq!(exit_code(&none), EXIT_UNCLEAR);
        let [row] = &none[..] else { panic!("{none:?}") };
        let Compared { cell, metric, why, .. } = &row.compared;
        assert_eq!(
            [cell, metric, why.as_deref().unwrap()],
            ["cell", "throughput", "does not build"]
        );
    }

    #[test]
    fn a_side_that_differs_from_itself_makes_all_unclear() {
        let mut itself = Itself::default();
        itself.series[0].log_ratios = (0..12).map(|i| 0.05 + f64::from(i) * 1e-4).collect();
        let rows = judged(&comparison(0.9, 20), &itself);
        assert_eq!(rows[0].compared.verdict, Verdict::Unclear);
        assert!(rows[0].compared.why.as_ref().unwrap().starts_with("invalid"));
        itself.series[0].log_ratios.truncate(9);
        assert_eq!(exit_code(&judged(&comparison(0.9, 20), &itself)), EXIT_SLOWER);
    }

    #[test]
    fn a_metric_in_which_a_side_differs_from_itself_is_unclear_alone() {
        let it = || {
            let mut it = comparison(0.9, 20);
            it.gathered.series[1] = it.gathered.series[0].clone();
            it
        };
        let differing = |metric: usize| {
            let mut itself = Itself::default();
            itself.series[metric].log_ratios =
                (0..12).map(|i| 0.05 + f64::from(i) * 1e-4).collect();
            let rows = judged(&it(), &itself);
            [0, 1].map(|metric| {
                let compared = &rows[metric].compared;
                assert_eq!(compared.why.is_some(), compared.verdict == Verdict::Unclear);
                compared.why.as_ref().is_some_and(|why| why.starts_with("invalid"))
            })
        };
        assert_eq!((differing(0), differing(1)), ([true, true], [false, true]));
    }

    #[test]
    fn the_same_code_is_not_slower() {
        let it = Comparison { same_code: Some(true), ..comparison(0.9, 20) };
        let rows = judged(&it, &Itself::default());
        assert!(rows.iter().all(|row| row.compared.same_code == Some(true)));
        assert_eq!(rows[0].compared.why.as_deref(), Some("same code measured Slower"));
        assert_eq!(rows[0].compared.verdict, Verdict::Unclear);
        assert_eq!(exit_code(&rows), EXIT_UNCLEAR);
    }

    #[test]
    fn a_counter_is_a_gate_of_its_own() {
        let mut more = comparison(1.0, 20);
        more.gathered.counters[1] = vec![[Some(5.0), Some(0.0), Some(0.0), None]; 3];
        let rows = judged(&more, &Itself::default());
        assert_eq!(rows[1].compared.metric, "acquisitions");
        assert_eq!(rows[1].compared.verdict, Verdict::Slower);
        assert_eq!(rows[1].compared.ratio, Some(1.25));
        assert_eq!(rows[2].compared.ratio, None, "nothing to divide by");
        assert!(rows.iter().all(|row| row.compared.why.is_none()), "{rows:?}");
        assert_eq!(exit_code(&rows), EXIT_SLOWER);
        more.gathered.counters[1].push([Some(4.0), Some(0.0), Some(0.0), None]);
        assert_eq!(exit_code(&judged(&more, &Itself::default())), EXIT_UNCLEAR);
        more.exact = false;
        assert_eq!(exit_code(&judged(&more, &Itself::default())), EXIT_OK);
    }

    #[test]
    fn a_row_says_what_was_measured() {
        let mut it = comparison(0.9, 20);
        (it.cell, it.started) = ("cell".to_owned(), "then".to_owned());
        it.sides = ["a", "b"].map(|name| Side { name: name.to_owned(), ..Side::default() });
        (it.gathered.tally.slices, it.gathered.tally.rejected) = (170, 3);
        it.gathered.elapsed = std::time::Duration::from_secs(41);
        let host = Host { cpus: 7, ..Host::default() };
        let rows = rows(&it, &Judge::default(), &Itself::default(), &host).rows;
        for row in &rows {
            let Compared { cell, first, second, host, started, .. } = &row.compared;
            assert_eq!([cell, &first.name, &second.name, started], ["cell", "a", "b", "then"]);
            let Compared { pairs, slices, slices_rejected, seconds, .. } = row.compared;
            assert_eq!((pairs, slices, slices_rejected, seconds), (20, 170, 3, 41.0));
            assert_eq!(host.cpus, 7);
        }
        let values = [&rows[0].compared.first, &rows[0].compared.second].map(|side| side.value);
        assert_eq!(values, [Some(1e6), Some(0.9e6)]);
        assert!(rows[0].p_value.is_some_and(|p| p < 1e-4) && rows[1].p_value.is_none());
    }

    #[test]
    fn stored_verdicts_are_grouped_by_cell_and_side() {
        let line = |cell: &str, second: &str, low| Compared {
            cell: cell.to_owned(),
            second: Side { name: second.to_owned(), ..Side::default() },
            low,
            ..Compared::default()
        };
        let lines = [
            line("x", "b", Some(1.0)),
            line("x", "b", None),
            line("x", "c", None),
            line("y", "c", None),
        ];
        let cells = stored(lines.iter());
        let counts: Vec<usize> = cells.iter().map(|cell| cell.rows.len()).collect();
        assert_eq!(counts, [2, 1, 1]);
        assert!(cells.iter().flat_map(|cell| &cell.rows).all(|row| row.stands));
        let timed = [&cells[0].rows[0], &cells[0].rows[1]].map(|row| row.p_value.is_some());
        assert_eq!(timed, [true, false]);
    }

    #[test]
    fn one_weak_verdict_among_many_does_not_stand() {
        let weak = Compared { verdict: Verdict::Slower, ..Compared::default() };
        let row = |p| Row { compared: weak.clone(), p_value: Some(p), stands: false };
        let code = |count: usize| {
            let rows = (0..count).map(|_| row(0.004)).collect();
            let mut cells = [Rows { rows, ..Rows::default() }];
            correct(&mut cells);
            exit_code(&cells[0].rows)
        };
        assert_eq!((code(20), code(1)), (EXIT_UNCLEAR, EXIT_SLOWER));
    }

    #[test]
    fn what_is_no_slower_may_stand_or_not() {
        for verdict in [Verdict::Same, Verdict::Faster] {
            let compared = Compared { verdict, ..Compared::default() };
            let row = |stands| Row { compared: compared.clone(), p_value: Some(1.0), stands };
            assert_eq!(exit_code(&[row(true), row(false)]), EXIT_OK, "{verdict:?}");
        }
    }
}
