//! Rows, and what follows from them.

use super::*;

/// A cell in which every pair showed this ratio.
fn comparison(ratio: f64, pairs: usize) -> Comparison {
    let mut it = Comparison { exact: true, ..Comparison::default() };
    let series = &mut it.gathered.series[0];
    // A hair apart, as measurements are.
    series.log_ratios = (0..pairs).map(|i| ratio.ln() + i as f64 * 1e-6).collect();
    series.values = [vec![1e6; pairs], vec![1e6 * ratio; pairs]];
    it.gathered.counters = [vec![locks([4.0, 0.0, 0.0])], vec![locks([4.0, 0.0, 0.0])]];
    it
}

/// The counters of a slice: locks, relocks, relocks that a try saved.
fn locks([acquisitions, relocks, saved]: [f64; 3]) -> counters::PerOperation {
    [Some(acquisitions), Some(relocks), Some(saved), Some(0.0), None]
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
    assert_eq!([cell, metric, why.as_deref().unwrap()], ["cell", "throughput", "does not build"]);
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
        itself.series[metric].log_ratios = (0..12).map(|i| 0.05 + f64::from(i) * 1e-4).collect();
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
    more.gathered.counters[1] = vec![locks([5.0, 0.0, 0.0]); 3];
    let rows = judged(&more, &Itself::default());
    assert_eq!(rows[1].compared.metric, "acquisitions");
    assert_eq!(rows[1].compared.verdict, Verdict::Slower);
    assert_eq!(rows[1].compared.ratio, Some(1.25));
    assert_eq!(rows[2].compared.ratio, None, "nothing to divide by");
    assert!(rows.iter().all(|row| row.compared.why.is_none()), "{rows:?}");
    assert_eq!(exit_code(&rows), EXIT_SLOWER);
    more.gathered.counters[1].push(locks([4.0, 0.0, 0.0]));
    assert_eq!(exit_code(&judged(&more, &Itself::default())), EXIT_UNCLEAR);
    more.exact = false;
    assert_eq!(exit_code(&judged(&more, &Itself::default())), EXIT_OK);
}

#[test]
fn a_counter_that_falls_to_nothing_is_a_row_that_can_be_stored() {
    let mut less = comparison(1.0, 20);
    less.gathered.counters[1] = vec![locks([0.0, 0.0, 0.0])];
    let compared = judged(&less, &Itself::default())[1].compared.clone();
    assert_eq!([compared.first.value, compared.second.value], [Some(4.0), Some(0.0)]);
    assert_eq!((compared.verdict, compared.ratio), (Verdict::Faster, None));
    results::Record::from(compared).to_line().expect("a line");
}

#[test]
fn relocks_that_a_try_saved_are_told_and_judged_by_those_that_it_did_not() {
    let of = |sides: [[f64; 3]; 2]| {
        let mut it = comparison(1.0, 20);
        it.gathered.counters = sides.map(|side| vec![locks(side); 2]);
        let rows = judged(&it, &Itself::default());
        let row = rows.iter().find(|row| row.compared.metric == "saved");
        let row = row.map(|Row { compared: it, .. }| (it.first.value, it.second.value, it.verdict));
        (row, exit_code(&rows))
    };
    let said = |first, second, verdict| Some((Some(first), Some(second), verdict));
    // Half of them are relocks now.
    let fewer = said(1.0, 0.5, Verdict::Slower);
    assert_eq!(of([[6.0, 0.0, 1.0], [6.5, 0.5, 0.5]]), (fewer, EXIT_SLOWER));
    let more = said(0.5, 1.0, Verdict::Faster);
    assert_eq!(of([[6.5, 0.5, 0.5], [6.0, 0.0, 1.0]]), (more, EXIT_OK));
    // Half of them are not needed any more.
    let fewer = said(1.0, 0.5, Verdict::Same);
    assert_eq!(of([[6.0, 0.25, 1.0], [6.0, 0.25, 0.5]]), (fewer, EXIT_OK));
    let as_many = said(0.5, 0.5, Verdict::Same);
    assert_eq!(of([[6.0, 0.25, 0.5], [6.0, 0.125, 0.5]]), (as_many, EXIT_OK));
    assert_eq!(of([[7.0, 1.0, 0.0], [7.0, 1.0, 0.0]]), (None, EXIT_OK));
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
