//! Rounds in their order and runs in theirs: points, tables, and why there are none.

use plots::axis::Scale;
use plots::figure::{Content, Lines, Point, Role};
use plots::input::case_label;
use plots::table::Entry;
use plots::unit::Unit;
use plots::{Figure, Plots};
use results::{Measured, Record, Run};

use crate::common::{Place, full_run, latency, options, run, throughput};

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

fn round(workload: &str, backend: &str, round: u32, operations: u64) -> Measured {
    throughput(Place { workload, backend, threads: 2, round }, operations)
}

fn of(id: &str, rounds: Vec<Measured>) -> Run {
    run(id, rounds.into_iter().map(Record::from).collect())
}

fn count(value: f64) -> Entry {
    Entry::Number(value, Unit::Count)
}

/// Throughput rounds lie around their own median, rounds with stamps around theirs, and those of
/// another run around that run's.
#[test]
fn a_round_stands_at_its_place_and_is_held_against_its_like() {
    let mut rounds: Vec<Measured> =
        [2_000_000, 4_000_000, 6_000_000].map(|rate| round("pairs", "global", 1, rate)).to_vec();
    let place = Place { workload: "pairs", backend: "global", threads: 2, round: 4 };
    let mut stamped = latency(place, [100; 10].into_iter());
    stamped.operations_per_second = 1_000_000.0;
    rounds.extend([stamped, round("pairs", "per-socket", 5, 8_000_000)]);
    for (place, round) in rounds.iter_mut().enumerate() {
        (round.round, round.order_in_run) = (place as u32 + 10, place as u32 * 2 + 1);
    }
    rounds[2].host_noise.flagged = true;
    let others = vec![round("pairs", "global", 0, 500)];
    let figure = figure(&[of("a", rounds.clone()), of("b", others)], "order");
    let numbers: [(f64, f64, f64, f64, &str, &str); 5] = [
        (1.0, 10.0, 2e6, 0.5, "throughput", ""),
        (3.0, 11.0, 4e6, 1.0, "throughput", ""),
        (5.0, 12.0, 6e6, 1.5, "throughput", "yes"),
        (7.0, 13.0, 1e6, 1.0, "latency", ""),
        (9.0, 14.0, 8e6, 1.0, "throughput", ""),
    ];
    let expected = numbers.iter().zip(&rounds).map(|(numbers, measured)| {
        let (order, round, rate, ratio, measure, flagged) = *numbers;
        vec![
            "a".into(),
            count(order),
            measured.cell.id().into(),
            count(round),
            measure.into(),
            Entry::Number(rate, Unit::Rate),
            Entry::Number(ratio, Unit::Ratio),
            flagged.into(),
        ]
    });
    assert_eq!(figure.table.rows[..5], expected.collect::<Vec<Vec<Entry>>>());
    assert_eq!(
        figure.table.rows[5][5..7],
        [Entry::Number(500.0, Unit::Rate), Entry::Number(1.0, Unit::Ratio)]
    );
    let titles: Vec<&str> = figure.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["run a", "run b"]);
    let drawn = lines(&figure, 0);
    assert_eq!((drawn.level, drawn.marks.len()), (Some(1.0), 0));
    let series = drawn.series.iter().map(|series| (series.name.as_str(), series.role));
    let roles = [("global", Role::Points), ("per-socket", Role::Points)];
    assert_eq!(series.collect::<Vec<_>>(), roles);
    let id = rounds[0].cell.id();
    let point = |x: f64, y: f64, hollow: bool, note: &str| {
        let note = format!("{id}, round {note}");
        Point { x, y, hollow, note, ..Point::default() }
    };
    let expected = [
        point(1.0, 0.5, false, "10"),
        point(3.0, 1.0, false, "11"),
        point(5.0, 1.5, true, "12"),
        point(7.0, 1.0, false, "13, with stamps"),
    ];
    assert_eq!(drawn.series[0].points, expected);
    assert_eq!(drawn.series[1].points.len(), 1);
    let panel = &figure.panels[0];
    assert_eq!((panel.x.scale, panel.y.scale), (Scale::Linear, Scale::Log));
    let (x, y) = (panel.x.range(), panel.y.range());
    assert!(x.high > 9.0 && y.low < 0.5 && y.high > 1.5, "{x:?} {y:?}");
}

/// To a median of nothing there is no ratio, not even an endless one.
#[test]
fn a_cell_that_did_nothing_in_most_rounds_has_no_ratios() {
    let rates = [0, 0, 5_000];
    let rounds = (0..3).map(|place| round("pairs", "global", place, rates[place as usize]));
    let figure = figure(&[of("a", rounds.collect())], "order");
    assert!(figure.panels.is_empty());
    let ratios: Vec<&Entry> = figure.table.rows.iter().map(|row| &row[6]).collect();
    assert_eq!(ratios, [&Entry::None; 3]);
}

/// Twelve commits, twice as fast from the seventh on; of each the middle of three rounds, and its
/// slowest and fastest.
fn commits() -> Vec<Run> {
    let of_commit = |index: u32| {
        let base = if index < 6 { 1_000_000 } else { 2_000_000 } + u64::from(index % 3) * 100;
        let rounds = [(0, base), (1, base * 5 / 4), (2, base * 3 / 4)];
        let rounds = rounds.map(|(place, rate)| {
            let mut round = round("pairs", "global", place, rate);
            round.commit = Some(format!("{index:040x}"));
            round.dirty = Some(index == 3);
            round.started = format!("2026-11-23T10:{index:02}:00.000Z");
            round
        });
        of(&format!("run-{index}"), rounds.to_vec())
    };
    (0..12).map(of_commit).collect()
}

#[test]
fn a_commit_has_its_row_and_the_change_its_mark() {
    let runs = commits();
    let figure = figure(&runs, "history");
    let rates = runs.iter().map(|run| {
        let of_run = run.measured().map(|round| round.operations_per_second);
        of_run.collect::<Vec<f64>>()
    });
    let expected = rates.zip(0_u32..).map(|(rates, index)| {
        let rate = |place: usize| Entry::Number(rates[place], Unit::Rate);
        let commit = format!("{:08}{}", 0, if index == 3 { "+" } else { "" });
        vec![
            round("pairs", "global", 0, 1).cell.id().into(),
            "throughput".into(),
            commit.into(),
            format!("2026-11-23T10:{index:02}:00.000Z").into(),
            rate(0),
            rate(2),
            rate(1),
            if index == 6 { "yes" } else { "" }.into(),
        ]
    });
    assert_eq!(figure.table.rows, expected.collect::<Vec<Vec<Entry>>>());
    assert_eq!(figure.panels.len(), 1);
    let panel = &figure.panels[0];
    assert_eq!(panel.title, round("pairs", "global", 0, 1).cell.id());
    assert_eq!((panel.y.label.as_str(), panel.y.unit), ("operations per second", Unit::Rate));
    assert_eq!(panel.x.names.len(), 12);
    let drawn = lines(&figure, 0);
    assert_eq!((drawn.level, drawn.marks.as_slice()), (None, &[5.5][..]));
    assert_eq!((drawn.series.len(), drawn.series[0].role), (1, Role::Line));
    let expected = Point {
        x: 3.0,
        y: 1_000_000.0,
        low: Some(750_000.0),
        high: Some(1_250_000.0),
        hollow: false,
        note: "00000000+, 2026-11-23T10:03:00.000Z".to_owned(),
    };
    assert_eq!(drawn.series[0].points[3], expected);
    assert!(panel.y.range().high > 2_500_000.0, "the axis goes as far as the fastest round");
    let names: Vec<&str> = figure.legend.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["global"]);
}

/// The unit of a ratio is not that of a throughput, in the table and on the axis.
#[test]
fn a_history_of_ratios_is_in_ratios() {
    let figure = figure(&[full_run("a"), full_run("b")], "history");
    let names: Vec<&str> = figure.legend.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["global", "per-socket", "lock-free"]);
    assert_eq!((figure.panels[0].y.unit, figure.panels[6].y.unit), (Unit::Ratio, Unit::Rate));
    for row in &figure.table.rows {
        let unit = if row[1] == "ratio".into() { Unit::Ratio } else { Unit::Rate };
        let is_it = |entry: &Entry| matches!(entry, Entry::Number(_, found) if *found == unit);
        assert!(row[4..7].iter().all(is_it), "{row:?}");
    }
}

#[test]
fn a_history_that_is_none_has_its_true_reason() {
    let why = |runs: &[Run]| figure(runs, "history").missing.expect("no history");
    let one = |workloads: [&str; 2], flagged: bool| {
        let mut rounds = workloads.map(|workload| round(workload, "global", 0, 1_000)).to_vec();
        rounds.iter_mut().for_each(|round| round.host_noise.flagged = flagged);
        rounds
    };
    let several = "a history needs several runs that measured the same cells";
    assert_eq!(why(&[of("a", one(["pairs", "stream"], false))]), several);
    let apart =
        [of("a", one(["pairs", "stream"], false)), of("b", one(["duplex", "paced"], false))];
    assert_eq!(why(&apart), several);
    let flagged = ["a", "b"].map(|id| of(id, one(["pairs", "pairs"], true)));
    assert!(why(&flagged).starts_with("no cell has a round that is not flagged"));
}

#[test]
fn a_ratio_that_is_none_has_its_reason_and_takes_no_room() {
    let both = |workload: &str, rounds: u32| -> Vec<Measured> {
        let of_backend = |backend, base: u64| {
            (0..rounds).map(move |place| round(workload, backend, place, base + u64::from(place)))
        };
        of_backend("global", 1_000_000).chain(of_backend("per-socket", 2_000_000)).collect()
    };
    let few = figure(&[of("a", both("stream", 1))], "ratios");
    assert_eq!(few.missing.as_deref(), Some("no ratio has an interval of 95%"));
    let some = figure(&[of("a", [both("pairs", 6), both("stream", 1)].concat())], "ratios");
    let case = |workload: &str| case_label(&round(workload, "per-socket", 0, 1).cell);
    assert_eq!(some.panels[0].y.names, [case("pairs")]);
    assert_eq!(some.table.rows.len(), 1);
    let why = "1 of 1 rounds undisturbed on both sides, 6 are needed for 95 %";
    assert_eq!(some.notes, [format!("no ratio of {}, per-socket: {why}", case("stream"))]);
    assert!(figure(&[of("a", both("pairs", 6))], "ratios").notes.is_empty());
}
