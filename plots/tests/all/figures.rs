//! The figures' data against the records that they come from.

use plots::figure::{Content, Lines, Role};
use plots::table::Entry;
use plots::{Figure, Plots};
use results::{Run, histogram, stats, summarise};

use crate::common::{
    BACKENDS, Place, comparison, full_run, latency, operations, options, profiled, run, sends,
    throughput,
};

fn figure(runs: &[Run], id: &str) -> Figure {
    let plots = Plots::of(runs, &options()).expect("figures");
    plots.figures.into_iter().find(|figure| figure.id == id).expect("a figure of that name")
}

fn lines(figure: &Figure, panel: usize) -> &Lines {
    match &figure.panels[panel].content {
        Content::Lines(lines) => lines,
        other => panic!("no lines: {other:?}"),
    }
}

fn numbers(figure: &Figure, column: &str) -> Vec<f64> {
    let place = figure.table.columns.iter().position(|name| *name == column).expect("a column");
    let number = |row: &Vec<Entry>| match &row[place] {
        Entry::Number(value, _) => *value,
        other => panic!("no number: {other:?}"),
    };
    figure.table.rows.iter().map(number).collect()
}

/// Also those of which a run has nothing.
#[test]
fn every_figure_says_what_it_is() {
    let plots = Plots::of(&[full_run("a")], &options()).expect("figures");
    let found = plots.figures.iter().map(|figure| (figure.id, figure.title, figure.columns));
    let expected = [
        ("throughput", "Throughput against threads", 2),
        ("percentiles", "Latency by percentile", 2),
        ("distribution", "Distribution of latencies", 2),
        ("anatomy", "What an operation is made of", 1),
        ("ratios", "Throughput as a ratio to one backend", 1),
        ("verdicts", "What the comparison says", 1),
        ("history", "History across commits", 2),
        ("order", "Rounds in the order they ran", 1),
        ("split", "Where the time of an operation goes", 2),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let mut abouts: Vec<&str> = plots.figures.iter().map(|one| one.about.as_str()).collect();
    assert!(abouts.iter().all(|about| about.split(' ').count() > 5), "{abouts:?}");
    abouts.sort_unstable();
    abouts.dedup();
    assert_eq!(abouts.len(), expected.len(), "each its own: {abouts:?}");
    assert!(plots.figures.iter().all(|figure| figure.table.columns.len() > 2));
}

#[test]
fn throughput_is_the_median_with_its_range_and_the_ideal() {
    let figure = figure(&[full_run("a")], "throughput");
    assert_eq!(figure.panels.len(), 2, "a panel per workload");
    let series = &lines(&figure, 0).series;
    let global: Vec<_> = series.iter().filter(|series| series.name == "global").collect();
    let values: Vec<f64> = (0..6).map(|round| operations("global", 2, round) as f64).collect();
    let [ideal, measured] = global.as_slice() else { panic!("{global:?}") };
    assert_eq!((ideal.role, measured.role), (Role::Ideal, Role::Line));
    assert_eq!(Some(measured.points[1].y), stats::median(&values));
    assert_eq!(measured.points[1].low, Some(values[0]));
    assert_eq!(measured.points[1].high, Some(values[5]));
    assert_eq!(ideal.points[1].y, measured.points[0].y * 2.0);
    assert!(numbers(&figure, "op/s").contains(&measured.points[1].y));
    let axis = figure.panels[0].y.range();
    assert_eq!(axis.low, 0.0, "linear throughput begins at 0");
}

#[test]
fn percentile_curves_pass_through_the_quantiles_and_end_at_the_maximum() {
    let figure = figure(&[full_run("a")], "percentiles");
    assert_eq!(figure.panels.len(), 3, "a panel per workload and number of threads");
    let mut merged = histogram::new();
    for _ in 0..6 {
        sends("per-socket").for_each(|send| merged.saturating_record(send));
    }
    let series = &lines(&figure, 0).series;
    let curve = series.iter().find(|series| series.name == "per-socket").expect("a curve");
    for inverse in [2.0, 10.0, 100.0, 1000.0] {
        let near = curve.points.iter().min_by(|left, right| {
            let far = |x: f64| (x.ln() - f64::ln(inverse)).abs();
            far(left.x).total_cmp(&far(right.x))
        });
        let near = near.expect("points");
        // Just below and just above: the quantile itself may round either way.
        let [below, above] = [0.999_999, 1.000_001]
            .map(|factor| merged.value_at_quantile(1.0 - 1.0 / (near.x * factor)) as f64);
        assert!((below..=above).contains(&near.y), "{} at {}", near.y, near.x);
    }
    let last = curve.points.last().expect("points");
    assert_eq!((last.x, last.y), (merged.len() as f64, merged.max() as f64));
}

#[test]
fn distributions_hold_every_call_and_show_both_humps() {
    let figure = figure(&[full_run("a")], "distribution");
    let Content::Ridges { ridges } = &figure.panels[0].content else { panic!("no ridges") };
    let names: Vec<&str> = ridges.iter().rev().map(|ridge| ridge.name.as_str()).collect();
    assert_eq!(names, BACKENDS, "the first of the legend is the uppermost");
    let global = &ridges[2];
    let all: f64 = global.bins.iter().map(|(_, share)| share).sum();
    assert!((all - 1.0).abs() < 1e-9, "{all}");
    let share = |low: f64, high: f64| -> f64 {
        let inside = global.bins.iter().filter(|(edge, _)| (low..high).contains(edge));
        inside.map(|(_, share)| share).sum()
    };
    assert!((share(90.0, 300.0) - 0.9).abs() < 1e-9);
    assert!((share(8_000.0, 20_000.0) - 0.099).abs() < 1e-9);
    assert!(global.max >= 7_654_321.0 && global.bins.last().expect("bins").0 >= global.max);
    let empty = global.bins.iter().take_while(|(edge, _)| *edge < 170.0);
    let empty = empty.skip(1).filter(|(edge, share)| *edge > 120.0 && *share == 0.0).count();
    assert_eq!(empty, 0, "no bin is narrower than a step of the clock");
}

#[test]
fn an_operation_is_made_of_what_was_counted() {
    let figure = figure(&[full_run("a")], "anatomy");
    let near = |column: &str, value: f64, room: f64| {
        assert!(numbers(&figure, column).iter().all(|found| (found - value).abs() < room));
    };
    near("locks per operation", 4.0, 1e-9);
    near("relocks per operation", 0.5, 1e-6);
    near("contended", 0.25, 1e-9);
    near("without a lock", 0.0, 1e-9);
}

#[test]
fn ratios_are_those_of_the_summary() {
    let runs = [full_run("a")];
    let figure = figure(&runs, "ratios");
    let summary = summarise(&runs, "global").expect("a summary");
    let others = summary.rows.iter().filter(|row| row.cell.backend != "global");
    let expected: Vec<f64> =
        others.map(|row| row.interval().expect("six pairs").estimate).collect();
    assert_eq!(numbers(&figure, "ratio"), expected);
    let Content::Matrix { cells } = &figure.panels[0].content else { panic!("no matrix") };
    assert_eq!(cells.len(), expected.len());
    assert!(cells.iter().all(|cell| expected.contains(&cell.ratio)));
}

#[test]
fn verdicts_come_from_the_comparison() {
    let figure = figure(&[run("c", comparison())], "verdicts");
    let legend: Vec<&str> = figure.legend.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(legend, ["FASTER", "SLOWER", "SAME", "UNCLEAR"]);
    let Content::Intervals { rows } = &figure.panels[0].content else { panic!("no intervals") };
    assert_eq!(rows.len(), 4);
    let slower = rows.iter().find(|row| row.name == "SLOWER").expect("a row");
    assert_eq!((slower.ratio, slower.itself), (0.92, Some((0.99, 1.01))));
    assert_eq!(numbers(&figure, "low")[1], 0.92 * 0.98);
}

#[test]
fn a_history_is_a_point_per_run_in_the_order_of_time() {
    let figure = figure(&[full_run("a"), full_run("b")], "history");
    assert_eq!(figure.panels.len(), 6 + 9, "a panel per ratio, then one per cell");
    assert_eq!(lines(&figure, 0).series[0].points.len(), 2);
    let labels: Vec<&str> = figure.panels.iter().map(|panel| panel.y.label.as_str()).collect();
    assert!(labels[..6].iter().all(|label| *label == "ratio to global"), "{labels:?}");
    assert!(labels[6..].iter().all(|label| *label == "operations per second"), "{labels:?}");
}

/// The interval of a ratio is that of its run; the spread of a throughput is that of its rounds,
/// without the flagged ones.
#[test]
fn a_history_has_intervals_and_spreads() {
    let mut first = full_run("a");
    for record in &mut first.records {
        let results::Record::Measured(round) = record else { continue };
        if round.round == 2 {
            round.host_noise.flagged = true;
            round.operations_per_second *= 100.0;
        }
    }
    let first_cell = |round: u32| operations("global", 1, round) as f64;
    // Six pairs are needed for a ratio, and the flagged round of five makes none.
    let figure = figure(&[first, full_run("b")], "history");
    let (low, high) = (numbers(&figure, "low"), numbers(&figure, "high"));
    assert_eq!((low[0], high[0]), (first_cell(0), first_cell(5)));
    let figure = self::figure(&[full_run("a"), full_run("b")], "history");
    let (value, low) = (numbers(&figure, "value"), numbers(&figure, "low"));
    let high = numbers(&figure, "high");
    // lock-free does three times of what global does, and a little less in later rounds.
    assert!(low[0] > 2.85 && low[0] < value[0] && value[0] < high[0], "{} {}", low[0], value[0]);
    assert!(high[0] < 3.001, "{}", high[0]);
}

#[test]
fn a_change_is_marked_between_the_commits_before_and_after_it() {
    let commit = |index: usize| format!("{index:040}");
    let run = |index: usize| {
        let mut run = full_run(&format!("run-{index}"));
        for record in &mut run.records {
            let results::Record::Measured(round) = record else { continue };
            round.commit = Some(commit(index));
            // Twice as fast from commit 10 on, and a little noise.
            let level = if index < 10 { 1e6 } else { 2e6 };
            round.operations_per_second = level * (1.0 + 0.001 * (index % 3) as f64);
        }
        run
    };
    // Measured newest first.
    let runs: Vec<_> = (0..20).rev().map(run).collect();
    let options = plots::Options { commits: (0..20).map(commit).collect(), ..options() };
    let plots = Plots::of(&runs, &options).expect("figures");
    let figure = plots.figures.iter().find(|figure| figure.id == "history").expect("history");
    // Every backend got faster, so no ratio changed.
    assert_eq!(figure.panels[0].y.label, "ratio to global");
    assert!(lines(figure, 0).marks.is_empty());
    let throughput = figure.panels.iter().position(|panel| panel.y.label.contains("per second"));
    let throughput = lines(figure, throughput.expect("a throughput"));
    assert_eq!(throughput.marks, [9.5]);
    assert!(throughput.series[0].points.windows(2).all(|two| two[0].x < two[1].x));
}

/// One commit, built in another way from the eleventh run on and half as fast: no change of the
/// commit's, and of the newest build there are none.
#[test]
fn a_history_is_of_one_build_and_says_so() {
    let run = |index: u32, other: bool| {
        let mut run = full_run(&format!("run-{index}"));
        for record in &mut run.records {
            let results::Record::Measured(round) = record else { continue };
            round.started = format!("2026-11-23T10:{index:02}:00.000Z");
            if other {
                round.build = Some("opt-level 0".to_owned());
                round.operations_per_second /= 2.0;
            }
        }
        run
    };
    let figure =
        figure(&(0..20).map(|index| run(index, index < 10)).collect::<Vec<_>>(), "history");
    assert_eq!(lines(&figure, 0).series[0].points.len(), 10);
    assert!((0..figure.panels.len()).all(|panel| lines(&figure, panel).marks.is_empty()));
    let said = "runs built in another way than the newest, or by another compiler, left out: 10";
    assert_eq!(figure.notes, [said]);
    let figure = self::figure(&[run(0, true), run(1, false)], "history");
    let why = "no cell has a value of two runs of the newest build";
    assert_eq!((figure.missing.as_deref(), figure.notes.len()), (Some(why), 1));
}

#[test]
fn every_round_stands_in_its_order() {
    let mut whole = full_run("a");
    if let results::Record::Measured(measured) = &mut whole.records[3] {
        measured.host_noise.flagged = true;
    }
    let figure = figure(&[whole.clone()], "order");
    let points: Vec<_> = lines(&figure, 0).series.iter().flat_map(|one| &one.points).collect();
    assert_eq!(points.len(), whole.records.len());
    let hollow: Vec<f64> = points.iter().filter(|one| one.hollow).map(|one| one.x).collect();
    assert_eq!(hollow, [3.0]);
    assert_eq!(numbers(&figure, "order").len(), whole.records.len());
}

#[test]
fn what_is_not_drawn_is_counted() {
    let cells =
        (1..=20).map(|threads| Place { workload: "pairs", backend: "global", threads, round: 0 });
    let many = run("a", cells.map(|place| latency(place, sends("global")).into()).collect());
    for (id, note, rows) in [
        ("percentiles", "the first 16 of 20 panels are drawn; the table has all values", 20),
        ("distribution", "the first 16 of 20 cases are drawn, and stand in the table", 16),
    ] {
        let figure = figure(std::slice::from_ref(&many), id);
        assert_eq!(figure.panels.len(), 16, "{id}");
        assert!(figure.notes.iter().any(|one| one == note), "{id}: {:?}", figure.notes);
        let mut cells: Vec<String> = figure.table.rows.iter().map(|row| row[0].text()).collect();
        cells.dedup();
        assert_eq!(cells.len(), rows, "{id}");
    }
}

#[test]
fn cases_of_one_workload_have_names_apart() {
    let place = Place { workload: "pairs", backend: "global", threads: 2, round: 0 };
    let sized = |bytes: u64| {
        let mut round = throughput(place, 1000);
        round.cell.message_bytes = bytes;
        round.cell_id = round.cell.id();
        round.into()
    };
    let figure = figure(&[run("a", vec![sized(64), sized(1024)])], "anatomy");
    assert_eq!(figure.panels[0].x.names, ["pairs 64B t2", "pairs 1024B t2"]);
    assert_eq!(self::figure(&[full_run("a")], "anatomy").panels[0].x.names[0], "pairs t1");
}

#[test]
fn the_parts_of_an_operation_stand_one_upon_the_other_for_each_backend() {
    let figure = figure(&[run("a", profiled())], "split");
    let panel = &figure.panels[0];
    assert_eq!(panel.x.names, ["global", "per-socket"], "in the order of legends");
    let Content::Stacks { bars } = &panel.content else { panic!("no stacks") };
    let names: Vec<&str> = bars.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["copy", "wait", "hold", "relock", "parked", "rest"]);
    assert_eq!(bars[1].values, [Some(500.0), Some(300.0)]);
    assert!(panel.y.range().high >= 725.0, "the highest bar fits");
    assert_eq!(numbers(&figure, "all"), [725.0, 525.0]);
    assert_eq!(figure.legend.len(), 6);
    // What else there is needs rates.
    let plots = Plots::of(&[run("a", profiled())], &options()).expect("figures");
    let drawn = plots.figures.iter().filter(|figure| figure.missing.is_none()).count();
    assert_eq!(drawn, 1);
    assert!(plots.answers.is_none());
    assert!(self::figure(&[full_run("a")], "split").missing.is_some());
}
