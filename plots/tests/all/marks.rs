//! What is written and marked in figures beside their values: names, ticks, shifts, notes.

use plots::figure::{Content, Role};
use plots::table::Entry;
use plots::{Figure, Plots};
use results::{Measured, Own, Record, Run, Verdict};

use crate::common::{Place, compared, full_run, latency, options, run, sends, throughput};

fn figure(runs: &[Run], id: &str) -> Figure {
    let plots = Plots::of(runs, &options()).expect("figures");
    plots.figures.into_iter().find(|figure| figure.id == id).expect("a figure of that name")
}

fn at(workload: &str, threads: u32, round: u32) -> Measured {
    throughput(Place { workload, backend: "global", threads, round }, 1000)
}

/// A run of these rounds, each with its cell's name.
fn of(mut rounds: Vec<Measured>) -> Run {
    rounds.iter_mut().for_each(|round| round.cell_id = round.cell.id());
    run("a", rounds.into_iter().map(Record::from).collect())
}

fn texts(figure: &Figure, column: &str) -> Vec<String> {
    let place = figure.table.columns.iter().position(|name| *name == column).expect("a column");
    figure.table.rows.iter().map(|row| row[place].text()).collect()
}

#[test]
fn a_place_is_called_by_what_differs_and_by_nothing_else() {
    type Change = fn(&mut Measured);
    let changes: [(Change, [&str; 2]); 6] = [
        (
            |other| other.cell.socket_type = "dgram".to_owned(),
            ["pairs dgram t2", "pairs stream t2"],
        ),
        (|other| other.cell.message_bytes = 8, ["pairs 64B t2", "pairs 8B t2"]),
        (|other| other.cell.wait = "spin".to_owned(), ["pairs adaptive t2", "pairs spin t2"]),
        (|other| other.cell.lock = "mcs".to_owned(), ["pairs mcs t2", "pairs t2"]),
        (
            |other| other.cell.ambient = ["f-mtx", "sched-lock"].map(str::to_owned).to_vec(),
            ["pairs f-mtx+sched-lock t2", "pairs t2"],
        ),
        (
            |other| other.cell.own = Own::from_iter([("rate_asked", 50.0)]),
            ["pairs r50 t2", "pairs t2"],
        ),
    ];
    for (change, expected) in changes {
        let mut other = at("pairs", 2, 0);
        change(&mut other);
        let figure = figure(&[of(vec![at("pairs", 2, 0), other])], "anatomy");
        let mut names = figure.panels[0].x.names.clone();
        names.sort();
        assert_eq!(names, expected);
    }
    // What all of them have is none either.
    let alike = |threads: u32| {
        let mut round = at("pairs", threads, 0);
        round.cell.lock = "mcs".to_owned();
        round.cell.ambient = ["f-mtx", "sched-lock"].map(str::to_owned).to_vec();
        round
    };
    let figure = figure(&[of(vec![alike(1), alike(2)])], "anatomy");
    assert_eq!(figure.panels[0].x.names, ["pairs t1", "pairs t2"]);
    // A number that only another workload has is no difference.
    let mut paced = at("paced", 2, 0);
    paced.cell.own = Own::from_iter([("rate_asked", 50.0)]);
    let figure = self::figure(&[of(vec![at("pairs", 2, 0), paced])], "anatomy");
    let mut names = figure.panels[0].x.names.clone();
    names.sort();
    assert_eq!(names, ["paced t2", "pairs t2"]);
}

#[test]
fn lines_of_throughput_stand_beside_each_other_over_the_threads_that_were_measured() {
    let figure = figure(&[full_run("a")], "throughput");
    let Content::Lines(lines) = &figure.panels[0].content else { panic!("no lines") };
    let of_lines = lines.series.iter().filter(|series| series.role == Role::Line);
    let shifts: Vec<f64> = of_lines.map(|series| series.shift).collect();
    assert_eq!(shifts, [-0.012, 0.0, 0.012]);
    let linear = figure.panels[0].x.linear.clone().expect("a range");
    assert_eq!((linear.low, linear.high), (0.8, 2.2));
    assert_eq!(linear.ticks, [(1.0, "1".to_owned()), (2.0, "2".to_owned())]);
    let log = figure.panels[0].x.log.clone().expect("a range");
    assert_eq!((log.low, log.high, log.ticks.len()), (0.85, 2.36, 2));
    let far = self::figure(&[of(vec![at("pairs", 4, 0), at("pairs", 24, 0)])], "throughput");
    let linear = far.panels[0].x.linear.clone().expect("a range");
    assert_eq!((linear.low, linear.high), (2.0, 26.0));
    assert_eq!(texts(&far, "ideal").len(), 2);
}

/// A row for each thing that spoils a round.
#[test]
fn what_spoils_a_round_is_written_beside_it_and_its_marker_is_hollow() {
    type Change = fn(&mut Measured);
    let changes: [(Change, &str); 5] = [
        (|round| round.host_noise.flagged = true, "every round flagged"),
        (|round| round.pinning.unpinned = true, "unpinned"),
        (|round| round.pinning.oversubscribed = true, "more threads than CPUs"),
        (|round| round.pinning.spinning = true, "waiting by spinning"),
        (|round| round.overloaded = true, "rate not kept up"),
    ];
    for (change, words) in changes {
        let mut spoiled = at("pairs", 2, 0);
        change(&mut spoiled);
        let figure = figure(&[of(vec![at("pairs", 1, 0), spoiled])], "throughput");
        assert_eq!(texts(&figure, "with care"), ["", words]);
        assert_eq!(figure.notes.len(), 1, "{:?}", figure.notes);
        let Content::Lines(lines) = &figure.panels[0].content else { panic!("no lines") };
        let line = lines.series.iter().find(|series| series.role == Role::Line).expect("a line");
        let hollow: Vec<bool> = line.points.iter().map(|point| point.hollow).collect();
        assert_eq!(hollow, [false, true], "{words}");
    }
    assert!(figure(&[full_run("a")], "throughput").notes.is_empty());
}

/// One thing is enough; the star stands beside the case that it is true of.
#[test]
fn ratios_of_spoiled_cases_have_a_star_and_a_note() {
    let stars = |spoil: fn(&mut Measured)| {
        let mut run = full_run("a");
        for record in &mut run.records {
            if let Record::Measured(round) = record
                && (round.cell.workload.as_str(), round.cell.threads) == ("pairs", 2)
            {
                spoil(round);
            }
        }
        let figure = figure(&[run], "ratios");
        let starred = figure.panels[0].y.names.iter().filter(|name| name.ends_with(" *")).count();
        (starred, figure.notes)
    };
    assert_eq!(stars(|_| ()), (0, Vec::new()));
    let note = "* more threads than CPUs, or threads were unpinned".to_owned();
    for spoil in [(|round| round.pinning.unpinned = true) as fn(&mut Measured), |round| {
        round.pinning.oversubscribed = true
    }] {
        assert_eq!(stars(spoil), (1, vec![note.clone()]));
    }
}

#[test]
fn so_many_distributions_are_drawn_and_those_beyond_are_told() {
    let notes = |cases: u32| {
        let place = |threads| Place { workload: "pairs", backend: "global", threads, round: 0 };
        let rounds = (1..=cases).map(|threads| latency(place(threads), [100; 10].into_iter()));
        figure(&[of(rounds.collect())], "distribution").notes
    };
    let told = "the first 16 of 17 cases are drawn, and stand in the table";
    assert!(notes(16).iter().all(|note| !note.starts_with("the first")), "{:?}", notes(16));
    assert!(notes(17).contains(&told.to_owned()), "{:?}", notes(17));
    let figure = figure(&[full_run("a")], "distribution");
    let heights = figure.panels[0].y.linear.as_ref().expect("a range");
    assert_eq!((heights.low, heights.high), (-0.15, 3.0), "three ridges, and some room below");
}

#[test]
fn latencies_that_are_lost_quantised_or_void_are_told() {
    let place = Place { workload: "pairs", backend: "global", threads: 1, round: 0 };
    let told = |change: fn(&mut Measured)| {
        let mut round = latency(place, sends("global"));
        change(&mut round);
        figure(
            &[of(vec![round, latency(Place { threads: 2, ..place }, sends("global"))])],
            "percentiles",
        )
    };
    assert!(told(|_| ()).notes.is_empty());
    let lost = told(|round| round.latency_ns.send.as_mut().expect("sends").lost_count = 3);
    assert_eq!(lost.notes, ["3 latencies over one minute count as one minute"]);
    let steps = told(|round| round.instrument.clock_step_ns = 1_000.0);
    assert!(steps.notes[0].starts_with("some medians are under 10 steps"), "{:?}", steps.notes);
    let void = told(|round| round.overloaded = true);
    assert_eq!(void.notes, ["cells whose rate was not kept up are left out"]);
    assert_eq!((void.panels.len(), void.table.rows.len()), (1, 1));
}

#[test]
fn a_bin_of_few_calls_is_no_row_of_the_table() {
    let place = Place { workload: "pairs", backend: "global", threads: 1, round: 0 };
    // 990 of 100 ns, and ten, one in a hundred, of a second hump; five more of a third.
    let sends = [[100; 985].as_slice(), &[10_000; 10], &[900_000; 5]].concat();
    let figure = figure(&[of(vec![latency(place, sends.into_iter())])], "distribution");
    let mut shares = texts(&figure, "share of calls");
    shares.sort();
    assert_eq!(shares, ["1.0%", "98.5%"]);
}

#[test]
fn a_round_in_which_nothing_was_done_has_no_ratio_and_long_tables_are_cut() {
    let mut rounds: Vec<Measured> = (0..2001).map(|round| at("pairs", 2, round)).collect();
    (rounds[1].operations, rounds[1].operations_per_second) = (0, 0.0);
    let figure = figure(&[of(rounds)], "order");
    assert_eq!(figure.table.rows.len(), 2000);
    assert_eq!(figure.notes, ["the table has the first 2000 of 2001 rounds"]);
    let ratios: Vec<bool> =
        figure.table.rows.iter().map(|row| matches!(row[6], Entry::Number(..))).collect();
    assert_eq!(&ratios[..3], [true, false, true]);
    let Content::Lines(lines) = &figure.panels[0].content else { panic!("no lines") };
    assert_eq!(lines.series[0].points.len(), 2000);
    let whole = (0..2000).map(|round| at("pairs", 2, round)).collect();
    assert!(self::figure(&[of(whole)], "order").notes.is_empty());
    // Of nothing but such rounds there is no panel.
    let mut idle = at("pairs", 2, 0);
    (idle.operations, idle.operations_per_second) = (0, 0.0);
    assert!(self::figure(&[of(vec![idle])], "order").panels.is_empty());
}

#[test]
fn a_verdict_without_a_ratio_stands_in_the_table_alone() {
    let mut lines = vec![compared("x", Verdict::Slower, 0.9), compared("y", Verdict::Same, 1.0)];
    (lines[1].ratio, lines[1].low, lines[1].high) = (None, None, None);
    lines[0].same_code = Some(true);
    lines[0].why = Some("host busy".to_owned());
    let run = run("c", lines.into_iter().map(Record::from).collect());
    let figure = figure(&[run], "verdicts");
    assert_eq!(figure.notes, ["1 lines have no ratio, and stand in the table only"]);
    assert_eq!(figure.table.rows.len(), 2);
    assert_eq!(texts(&figure, "same code")[0], "yes");
    let Content::Intervals { rows } = &figure.panels[0].content else { panic!("no intervals") };
    assert_eq!(rows.len(), 1);
    let note = "20 pairs; same code; the smallest change that could be seen: 2.0%; host busy";
    assert_eq!((rows[0].label.as_str(), rows[0].note.as_str()), ("x throughput", note));
    let whole = run_of_verdicts();
    assert!(self::figure(&[whole], "verdicts").notes.is_empty());
}

fn run_of_verdicts() -> Run {
    run("c", vec![compared("x", Verdict::Slower, 0.9).into()])
}

/// A tick at every commit up to six, at every second one up to twelve.
#[test]
fn an_axis_of_commits_has_few_ticks() {
    let ticks = |runs: u32| {
        let of_minute = |minute: u32| {
            let mut round = at("pairs", 2, 0);
            round.started = format!("2026-11-23T10:{minute:02}:00.000Z");
            Run { id: format!("run-{minute}"), ..of(vec![round]) }
        };
        let runs: Vec<Run> = (0..runs).map(of_minute).collect();
        let figure = figure(&runs, "history");
        figure.panels[0].x.linear.as_ref().expect("a range").ticks.len()
    };
    assert_eq!([2, 6, 7, 12, 13].map(ticks), [2, 6, 4, 6, 5]);
}
