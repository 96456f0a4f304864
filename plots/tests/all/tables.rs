//! The tables behind the figures, whole rows of them, and what is drawn of the same values: in
//! these runs every field has another value.

use plots::figure::{Bars, Content, Role};
use plots::input::{case_label, group_label};
use plots::table::Entry;
use plots::unit::Unit;
use plots::{Figure, Plots};
use results::outward::Printed;
use results::{AgainstItself, Latencies, LockCounts, Measured, Record, Run, Verdict, summarise};

use crate::common::{Place, compared, full_run, latency, options, profiled, run, throughput};

fn figure(runs: &[Run], id: &str) -> Figure {
    let plots = Plots::of(runs, &options()).expect("figures");
    plots.figures.into_iter().find(|figure| figure.id == id).expect("a figure of that name")
}

/// A round of 64 bytes with so many operations per second.
fn round(backend: &str, threads: u32, round: u32, operations: u64) -> Measured {
    throughput(Place { workload: "pairs", backend, threads, round }, operations)
}

fn of(rounds: Vec<Measured>) -> Run {
    run("a", rounds.into_iter().map(Record::from).collect())
}

fn rate(value: f64) -> Entry {
    Entry::Number(value, Unit::Rate)
}

fn ratio(value: f64) -> Entry {
    Entry::Number(value, Unit::Ratio)
}

fn time(value: f64) -> Entry {
    Entry::Number(value, Unit::Time)
}

fn share(value: f64) -> Entry {
    Entry::Number(value, Unit::Share)
}

fn count(value: f64) -> Entry {
    Entry::Number(value, Unit::Count)
}

#[test]
fn throughput_has_the_middle_its_ends_and_the_ideal_of_the_fewest_threads() {
    let middle = [3_000_000, 5_000_000, 4_000_000, 4_500_000, 3_500_000];
    let mut rounds: Vec<Measured> =
        (0..5).map(|place| round("global", 2, place, middle[place as usize])).collect();
    let mut more = round("global", 3, 0, 9_000_000);
    more.pinning.spinning = true;
    rounds.extend([more.clone(), round("per-socket", 3, 0, 7_000_000)]);
    let figure = figure(&[of(rounds.clone())], "throughput");
    let cell = group_label(&more.cell);
    let row = |backend: &str, numbers: [Entry; 6], care: &str| {
        [&[cell.clone().into(), backend.into()][..], &numbers, &[care.into()]].concat()
    };
    let expected = [
        row("global", [count(2.0), rate(4e6), rate(3e6), rate(5e6), count(5.0), rate(4e6)], ""),
        row(
            "global",
            [count(3.0), rate(9e6), rate(9e6), rate(9e6), count(1.0), rate(6e6)],
            "waiting by spinning",
        ),
        // Of one number of threads there is nothing to be ideal beside.
        row(
            "per-socket",
            [count(3.0), rate(7e6), rate(7e6), rate(7e6), count(1.0), Entry::None],
            "",
        ),
    ];
    assert_eq!(figure.table.rows, expected);
    let panel = &figure.panels[0];
    assert_eq!((panel.title.as_str(), panel.y.label.as_str()), (&*cell, "operations per second"));
    let Content::Lines(lines) = &panel.content else { panic!("no lines") };
    let drawn = lines.series.iter().map(|series| {
        let points = series.points.iter().map(|point| (point.x, point.y, point.low, point.high));
        (series.name.as_str(), series.role, points.collect::<Vec<_>>())
    });
    let whole = |x: f64, y: f64, low: f64, high: f64| (x, y, Some(low), Some(high));
    let line = vec![whole(2.0, 4e6, 3e6, 5e6), whole(3.0, 9e6, 9e6, 9e6)];
    let expected = [
        ("global", Role::Ideal, vec![(2.0, 4e6, None, None), (3.0, 6e6, None, None)]),
        ("global", Role::Line, line),
        ("per-socket", Role::Line, vec![whole(3.0, 7e6, 7e6, 7e6)]),
    ];
    assert_eq!(drawn.collect::<Vec<_>>(), expected);
    assert!(panel.y.range().high > 9e6, "the axis goes as far as the values");
}

#[test]
fn percentiles_have_each_its_column() {
    let sends = [[100; 900].as_slice(), &[2_000; 95], &[30_000; 4], &[400_000]].concat();
    let place = Place { workload: "pairs", backend: "global", threads: 2, round: 0 };
    let mut whole = latency(place, sends.into_iter());
    whole.pinning.spinning = true;
    let runs = [of(vec![whole.clone()])];
    let figure = figure(&runs, "percentiles");
    let found = summarise(&runs, "global").expect("a summary").rows.remove(0).latency;
    let found = found.expect("latencies").quantiles;
    let in_order = [found.p50_ns, found.p99_ns, found.p999_ns, found.max_ns];
    assert!(in_order.is_sorted_by(|less, more| less < more), "{in_order:?}");
    let names = [case_label(&whole.cell), "global".to_owned(), "send".to_owned()];
    let mut expected: Vec<Entry> = names.map(Entry::from).to_vec();
    expected.push(count(1000.0));
    expected.extend(in_order.map(|value| time(value as f64)));
    expected.push("waiting by spinning".into());
    assert_eq!(figure.table.rows, [expected]);
}

#[test]
fn a_latency_is_called_by_its_event() {
    let place = Place { workload: "pingpong", backend: "global", threads: 2, round: 0 };
    let mut round = latency(place, [700; 10].into_iter());
    round.latency_ns =
        Latencies { round_trip: round.latency_ns.send.take(), ..Latencies::default() };
    let title = case_label(&round.cell);
    let plots = Plots::of(&[of(vec![round])], &options()).expect("figures");
    for (id, axis) in [("percentiles", "y"), ("distribution", "x")] {
        let figure = plots.figures.iter().find(|figure| figure.id == id).expect("a figure");
        let panel = &figure.panels[0];
        let axis = if axis == "y" { &panel.y } else { &panel.x };
        assert_eq!((&panel.title, &*axis.label), (&title, "latency of round trip"), "{id}");
        assert_eq!(axis.unit, Unit::Time);
    }
}

/// 60 of 100 calls in one bin, 40 in another far above it.
#[test]
fn a_bin_of_the_table_goes_from_edge_to_edge() {
    let place = Place { workload: "pairs", backend: "global", threads: 2, round: 0 };
    let sends = [[100; 60].as_slice(), &[5_000; 40]].concat();
    let whole = latency(place, sends.into_iter());
    let figure = figure(&[of(vec![whole.clone()])], "distribution");
    let [low, high] = figure.table.rows.as_slice() else { panic!("{:?}", figure.table.rows) };
    for (row, value, of_all) in [(low, 100.0, 0.6), (high, 5_000.0, 0.4)] {
        assert_eq!(row[..2], [Entry::from(case_label(&whole.cell)), "global".into()]);
        let [Entry::Number(from, Unit::Time), Entry::Number(to, Unit::Time)] = row[2..4] else {
            panic!("{row:?}")
        };
        // A value is known to a thousandth; a bin is no wider than a step of the clock, of 10 ns,
        // or an eighth of where it begins.
        assert!(from < value * 1.001 && value <= to, "{value} in {from} to {to}");
        assert!(to - from <= (from * 0.125).max(10.1), "{from} to {to}");
        assert_eq!(row[4..], [share(of_all)]);
    }
    let Content::Ridges { ridges } = &figure.panels[0].content else { panic!("no ridges") };
    let range = figure.panels[0].x.range();
    assert!(range.low < ridges[0].start && ridges[0].max < range.high, "{range:?}");
    assert_eq!(figure.panels[0].y.names, ["global"]);
}

/// A round of 1000 operations with these counts: locks, relocks, contended, sends without a lock
/// and with one.
fn counted(backend: &str, threads: u32, counts: [u64; 5]) -> Measured {
    let [acquisitions, relocks, contended, fast, slow] = counts;
    let mut round = round(backend, threads, 0, 1000);
    let class = "solock".to_owned();
    round.locks =
        vec![LockCounts { class, acquisitions, contended, relocks, ..LockCounts::default() }];
    (round.fast_path.sends, round.fast_path.slow_sends) = (fast, slow);
    round
}

/// A place without a marker is a backend that tries no lock, beside one that does.
#[test]
fn what_a_try_saved_has_its_panel_beside_the_relocks() {
    let mut tries = counted("per-socket-try", 2, [6_000, 125, 0, 0, 0]);
    tries.locks[0].saved = 875;
    let relocks = counted("per-socket", 2, [7_000, 1_000, 0, 0, 0]);
    let figure = figure(&[of(vec![relocks, tries])], "anatomy");
    let titles: Vec<&str> = figure.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles[2], "Relocks that a try saved");
    let Content::Bars { bars } = &figure.panels[2].content else { panic!("no bars") };
    let values: Vec<(&str, Option<f64>)> =
        bars.iter().map(|one| (one.name.as_str(), one.values[0])).collect();
    assert_eq!(values, [("per-socket", None), ("per-socket-try", Some(0.875))]);
    assert_eq!(
        figure.table.columns[3..5],
        ["relocks per operation", "relocks saved per operation"]
    );
    let saved: Vec<&Entry> = figure.table.rows.iter().map(|row| &row[4]).collect();
    assert_eq!(saved, [&Entry::None, &count(0.875)]);
}

#[test]
fn each_count_has_its_panel_and_each_backend_its_bars() {
    let mut uncounted = counted("host", 2, [0, 0, 0, 0, 0]);
    uncounted.locks.clear();
    let rounds = vec![
        counted("global", 2, [8_000, 500, 2_000, 100, 900]),
        counted("per-socket", 2, [3_000, 2_000, 1_500, 700, 300]),
        counted("lock-free", 2, [0, 0, 0, 1_000, 0]),
        uncounted.clone(),
        counted("per-socket", 4, [5_000, 3_000, 500, 600, 400]),
    ];
    let figure = figure(&[of(rounds.clone())], "anatomy");
    let legend: Vec<&str> = figure.legend.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(legend, ["global", "per-socket", "lock-free"], "host counts nothing");
    let bars = |place: usize| match &figure.panels[place].content {
        Content::Bars { bars } => bars.as_slice(),
        other => panic!("no bars: {other:?}"),
    };
    let values = |bars: &[Bars]| -> Vec<(String, Vec<Option<f64>>)> {
        bars.iter().map(|one| (one.name.clone(), one.values.clone())).collect()
    };
    // For each backend two threads, then four.
    let expected = [
        [[Some(8.0), None], [Some(3.0), Some(5.0)], [Some(0.0), None]],
        [[Some(0.5), None], [Some(2.0), Some(3.0)], [Some(0.0), None]],
        [[Some(0.25), None], [Some(0.5), Some(0.1)], [None, None]],
        [[Some(0.1), None], [Some(0.7), Some(0.6)], [Some(1.0), None]],
    ];
    assert_eq!((figure.panels.len(), figure.table.columns.len()), (4, 6));
    for (place, of_backends) in expected.into_iter().enumerate() {
        let named = legend.iter().zip(of_backends);
        let named: Vec<_> =
            named.map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect();
        assert_eq!(values(bars(place)), named, "{}", figure.panels[place].title);
        let styles: Vec<_> = bars(place).iter().map(|one| one.style).collect();
        assert_eq!(styles, figure.legend.iter().map(|key| key.style).collect::<Vec<_>>());
    }
    let row = |backend: &str, threads: u32, parts: [Entry; 4]| {
        let cell = case_label(&round(backend, threads, 0, 1).cell);
        [vec![cell.into(), backend.into()], parts.to_vec()].concat()
    };
    let expected = [
        row("global", 2, [count(8.0), count(0.5), share(0.25), share(0.1)]),
        row("lock-free", 2, [count(0.0), count(0.0), Entry::None, share(1.0)]),
        row("per-socket", 2, [count(3.0), count(2.0), share(0.5), share(0.7)]),
        row("per-socket", 4, [count(5.0), count(3.0), share(0.1), share(0.6)]),
    ];
    assert_eq!(figure.table.rows, expected);
    // Where nothing was counted there is no figure, and where a count is nowhere no panel.
    let nothing = self::figure(&[of(vec![uncounted])], "anatomy");
    assert_eq!(nothing.missing.as_deref(), Some("no round counted locks"));
    let free = self::figure(&[of(vec![counted("lock-free", 2, [0, 0, 0, 1_000, 0])])], "anatomy");
    assert_eq!(free.panels.len(), 3, "nothing was contended");
}

#[test]
fn a_ratio_stands_at_its_backend_and_its_case() {
    let runs = [full_run("a")];
    let figure = figure(&runs, "ratios");
    let summary = summarise(&runs, "global").expect("a summary");
    let rows: Vec<_> = summary.rows.iter().filter(|row| row.cell.backend != "global").collect();
    let Content::Matrix { cells } = &figure.panels[0].content else { panic!("no matrix") };
    let panel = &figure.panels[0];
    assert_eq!(panel.x.names, ["per-socket", "lock-free"]);
    assert_eq!(panel.y.names.len(), 3);
    assert!(panel.y.names[0].starts_with("stream"), "the first is the uppermost");
    assert_eq!((panel.title.as_str(), cells.len()), ("ratio to global", rows.len()));
    for row in &rows {
        let is_it = |cell: &&plots::figure::MatrixCell| {
            panel.x.names[cell.x] == row.cell.backend
                && panel.y.names[cell.y] == case_label(&row.cell)
        };
        let cell = cells.iter().find(is_it).expect("its cell");
        let found = row.interval().expect("six pairs");
        let printed = Printed::new(found.estimate, found.low, found.high).interval();
        assert_eq!((cell.ratio, &cell.interval), (found.estimate, &printed));
    }
    let expected: Vec<Vec<Entry>> = rows
        .iter()
        .map(|row| {
            let found = row.interval().expect("six pairs");
            assert!(found.low < found.estimate && found.estimate < found.high);
            let names = [case_label(&row.cell).into(), row.cell.backend.clone().into()];
            let ends = [found.estimate, found.low, found.high].map(ratio);
            [&names[..], &ends, &[share(found.level), "".into()]].concat()
        })
        .collect();
    assert_eq!(figure.table.rows, expected);
}

#[test]
fn a_comparison_has_each_number_in_its_column() {
    let mut line = compared("x", Verdict::Faster, 1.5);
    (line.low, line.high) = (Some(1.25), Some(1.75));
    line.itself = Some(AgainstItself { ratio: 1.0, low: 0.875, high: 1.125, pairs: 10 });
    (line.smallest_visible, line.same_code) = (Some(0.0625), Some(false));
    line.why = Some("one order".to_owned());
    let mut bare = compared("y", Verdict::Unclear, 0.5);
    (bare.low, bare.high, bare.itself, bare.smallest_visible) = (None, None, None, None);
    bare.pairs = 7;
    let run = run("c", vec![line.into(), bare.into()]);
    let figure = figure(&[run], "verdicts");
    let names = |cell: &str, verdict: &str| [cell, "throughput", verdict].map(Entry::from);
    let sides = ["HEAD~1", "HEAD"].map(Entry::from);
    let expected = [
        [
            &names("x", "FASTER")[..],
            &[ratio(1.5), ratio(1.25), ratio(1.75), count(20.0)],
            &sides,
            &["no".into(), share(0.0625), ratio(0.875), ratio(1.125), "one order".into()],
        ]
        .concat(),
        [
            &names("y", "UNCLEAR")[..],
            &[ratio(0.5), Entry::None, Entry::None, count(7.0)],
            &sides,
            &[Entry::None, Entry::None, Entry::None, Entry::None, "".into()],
        ]
        .concat(),
    ];
    assert_eq!(figure.table.rows, expected);
    assert_eq!(figure.panels[0].title, "HEAD against HEAD~1");
    let legend: Vec<&str> = figure.legend.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(legend, ["FASTER", "UNCLEAR"], "what occurs, and nothing else");
    // From bottom to top: the first is the uppermost.
    assert_eq!(figure.panels[0].y.names, ["y throughput", "x throughput"]);
    let Content::Intervals { rows } = &figure.panels[0].content else { panic!("no intervals") };
    let drawn = rows.iter().map(|row| (row.ratio, row.low, row.high, row.itself));
    let whole = (1.5, Some(1.25), Some(1.75), Some((0.875, 1.125)));
    assert_eq!(drawn.collect::<Vec<_>>(), [(0.5, None, None, None), whole]);
    assert_eq!(rows[0].note, "7 pairs");
    let range = figure.panels[0].x.range();
    assert!(range.low < 0.5 && range.high > 1.75, "{range:?}");
}

#[test]
fn a_part_of_an_operation_has_its_column_and_a_cell_that_was_disturbed_its_star() {
    let mut records = profiled();
    if let Record::Split(split) = &mut records[0] {
        split.slices.kept = 0;
        split.profiling_ns_per_pair = 55.0;
    }
    let figure = figure(&[run("a", records)], "split");
    let cell = |record: &Record| match record {
        Record::Split(split) => case_label(&split.cell),
        other => panic!("{other:?}"),
    };
    let cell = cell(&profiled()[0]);
    let row = |backend: &str, parts: [f64; 8]| {
        let mut row: Vec<Entry> = vec![cell.clone().into(), backend.into()];
        row.extend(parts.map(time));
        row
    };
    let expected = [
        row("global", [40.0, 500.0, 90.0, 20.0, 5.0, 70.0, 725.0, 44.0]),
        row("per-socket", [40.0, 300.0, 90.0, 20.0, 5.0, 70.0, 525.0, 55.0]),
    ];
    assert_eq!(figure.table.rows, expected);
    assert_eq!(figure.notes, ["* the host disturbed every slice of this cell"]);
    assert_eq!(figure.panels[0].x.names, ["global", "per-socket *"]);
    assert_eq!(figure.panels[0].title, cell);
    assert!(self::figure(&[run("a", profiled())], "split").notes.is_empty());
}

/// Of each cell the last run's; a cell of another workload or of more threads has its own panel.
#[test]
fn of_each_cell_the_newest_profile_is_shown() {
    let changed = |copy: f64, threads: u32| {
        let mut records = profiled();
        for record in &mut records {
            let Record::Split(split) = record else { continue };
            split.ns_per_operation.copy = copy;
            split.cell.threads = threads;
            split.cell_id = split.cell.id();
        }
        records
    };
    let runs = [run("a", changed(1.0, 4)), run("b", changed(2.0, 2)), run("c", changed(3.0, 2))];
    let figure = figure(&runs, "split");
    let copies: Vec<&Entry> = figure.table.rows.iter().map(|row| &row[2]).collect();
    assert_eq!(copies, [&time(3.0), &time(3.0), &time(1.0), &time(1.0)]);
    let titles: Vec<&str> = figure.panels.iter().map(|panel| panel.title.as_str()).collect();
    assert!(titles.len() == 2 && titles[0].ends_with("2 threads"), "{titles:?}");
}
