//! Histories: series over runs, their order, and the points at which they change.

use fastrand::Rng;
use rayon::prelude::*;
use results::changes::change_points;
use results::history::{Series, Unit, history, left_out, of_one_build, without_ratio};
use results::{Measured, Ratio, Run, StoreError, history_table};

use crate::fixture::{latency, run, throughput};
use crate::synthetic::normal;

mod counters;

const CELL: &str = "pairs/global/stream/64B/t2/adaptive";

/// A run of three rounds at about this level; each has its minute, commit and name.
fn run_at(minute: u32, commit: Option<&str>, operations: u64) -> Run {
    let mut rounds: Vec<Measured> =
        [990, 1000, 1020].map(|per_mille| throughput("global", 0, operations * per_mille)).into();
    rounds.push(latency("global", 0, &[u64::from(minute) + 100; 50]));
    for round in &mut rounds {
        round.commit = commit.map(str::to_owned);
        round.started = format!("2026-11-23T10:{minute:02}:00.000Z");
    }
    Run { id: format!("20261123T10{minute:02}00Z-0000"), ..run(rounds) }
}

fn find<'a>(series: &'a [Series], metric: &str) -> &'a Series {
    series.iter().find(|series| series.metric == metric).expect("the series is there")
}

fn minutes(series: &Series) -> Vec<&str> {
    series.points.iter().map(|point| &point.run.started[14..16]).collect()
}

#[test]
fn every_metric_has_a_series_over_the_runs() {
    let runs = [run_at(1, Some("a"), 1000), run_at(2, Some("b"), 2000)];
    let commits = ["a", "b"].map(str::to_owned);
    let series = history(&runs, &commits, "global").expect("one machine");
    let names: Vec<(&str, Unit)> =
        series.iter().map(|series| (series.metric.as_str(), series.unit)).collect();
    let expected = [
        ("throughput", Unit::OperationsPerSecond),
        ("send_p99", Unit::Nanoseconds),
        ("acquisitions_per_operation", Unit::PerOperation),
        ("relocks_per_operation", Unit::PerOperation),
    ];
    assert_eq!(names, expected);
    let values = |metric| -> Vec<f64> {
        find(&series, metric).points.iter().map(|point| point.value).collect()
    };
    assert_eq!(values("throughput"), [1e6, 2e6], "the median over the rounds");
    assert_eq!(values("send_p99"), [101.0, 102.0]);
    assert_eq!(values("acquisitions_per_operation"), [4.0, 4.0]);
    assert_eq!(find(&series, "throughput").points[1].run.commit.as_deref(), Some("b"));
}

#[test]
fn commits_go_before_time_and_time_before_nothing() {
    let runs = [
        run_at(5, Some("a"), 1000),
        run_at(1, Some("b"), 1000),
        run_at(2, None, 1000),
        run_at(6, Some("elsewhere"), 1000),
        run_at(3, Some("b"), 1000),
        run_at(0, None, 1000),
    ];
    let order = |commits: &[&str]| {
        let commits: Vec<String> = commits.iter().map(|commit| (*commit).to_owned()).collect();
        let series = history(&runs, &commits, "global").expect("one machine");
        minutes(find(&series, "throughput")).join(" ")
    };
    // 02 stays with b, behind which it began; 06 with a.
    assert_eq!(order(&["a", "b"]), "00 05 06 01 02 03");
    assert_eq!(order(&["b", "a"]), "00 01 02 03 05 06");
    assert_eq!(order(&[]), "00 01 02 03 05 06");
}

#[test]
fn rounds_that_mean_nothing_make_no_point() {
    let mut flagged = run_at(1, Some("a"), 1000);
    let mut overloaded = run_at(2, Some("a"), 1000);
    for (run, change) in [
        (&mut flagged, (|round| round.host_noise.flagged = true) as fn(&mut Measured)),
        (&mut overloaded, |round| round.overloaded = true),
    ] {
        for record in &mut run.records {
            let results::Record::Measured(round) = record else { panic!("a round") };
            change(round);
        }
    }
    let series = history(&[flagged, overloaded], &[], "global").expect("one machine");
    assert_eq!(minutes(find(&series, "throughput")), ["02"]);
    assert_eq!(minutes(find(&series, "send_p99")), ["01"]);
    assert_eq!(minutes(find(&series, "relocks_per_operation")), ["01", "02"]);
    let mut unstamped = run_at(3, Some("a"), 1000);
    unstamped.records.push(latency("global", 1, &[]).into());
    unstamped.records.retain(|record| match record {
        results::Record::Measured(round) => {
            round.latency_ns.send.as_ref().is_none_or(|send| send.count == 0)
        }
        _ => true,
    });
    let series = history(&[unstamped], &[], "global").expect("one machine");
    assert!(series.iter().all(|one| one.metric != "send_p99"), "of no send there is none");
}

/// A cell has its ratio first also where the first runs had none.
#[test]
fn the_order_of_series_is_not_that_of_their_first_points() {
    let runs = [(1, None), (2, Some([3.0, 2.9, 3.1]))].map(|(at, it)| run_of_ratio(at, 1, it));
    let series = history(&runs, &[], "global").expect("one machine");
    let of_fine = series.iter().filter(|one| one.cell.backend == "per-socket");
    let metrics: Vec<&str> = of_fine.map(|one| one.metric.as_str()).collect();
    let counters = ["acquisitions_per_operation", "relocks_per_operation"];
    assert_eq!(metrics, ["ratio", "throughput", counters[0], counters[1]]);
}

#[test]
fn runs_of_several_machines_are_refused() {
    let mut other = run_at(2, None, 1000);
    for record in &mut other.records {
        let results::Record::Measured(round) = record else { panic!("a round") };
        round.host.cpus = 64;
    }
    let error = history(&[run_at(1, None, 1000), other], &[], "global").expect_err("two machines");
    assert!(matches!(error, StoreError::Machines { .. }), "{error}");
    assert!(history(&[], &[], "global").expect("nothing").is_empty());
    assert!(history(&[run(Vec::new())], &[], "global").expect("nothing measured").is_empty());
}

#[test]
fn a_change_is_marked_where_it_begins() {
    let runs: Vec<Run> = (0..20)
        .map(|minute| {
            let wobble = u64::from(minute % 3);
            let level = if minute < 12 { 1000 } else { 900 };
            run_at(minute, None, level + wobble)
        })
        .collect();
    let series = history(&runs, &[], "global").expect("one machine");
    let changes = &find(&series, "throughput").changes;
    assert_eq!(changes.iter().map(|change| change.index).collect::<Vec<_>>(), [12]);
    assert!((changes[0].share() + 0.1).abs() < 0.002 && changes[0].p_value < 1e-9);
    let line = serde_json::to_value(find(&series, "throughput")).expect("JSON");
    assert_eq!(line["points"][3]["run"], "20261123T100300Z-0000");
    assert_eq!((&line["points"][3]["place"], &line["cell"]), (&3.into(), &CELL.into()));
    assert_eq!(line["unit"], "operations_per_second");
    assert_eq!(line["changes"][0]["index"], 12);
}

#[test]
fn tables_mark_changes_above_the_run_they_begin_with() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let mut runs: Vec<Run> = (0..12)
        .map(|minute| run_at(minute, Some(commit), if minute < 8 { 1000 } else { 800 }))
        .collect();
    runs.push(run_at(12, None, 800));
    let notes = ["runs of other machines left out: 3 of a good many, which is said in a sentence \
                  longer than a line"];
    let notes = notes.map(str::to_owned);
    let text =
        history_table::render(&history(&runs, &[], "global").expect("one machine"), &notes, 80);
    let expected_end = "\
          2026-11-23 10:07  1.00M  107ns   4.00     0.50
-- op/s -20.0%: 1.00M before, 800k from here
          2026-11-23 10:08   800k  108ns   4.00     0.50
          2026-11-23 10:09   800k  109ns   4.00     0.50
          2026-11-23 10:10   800k  110ns   4.00     0.50
          2026-11-23 10:11   800k  111ns   4.00     0.50
-         2026-11-23 10:12   800k  112ns   4.00     0.50

runs of other machines left out: 3 of a good many, which is said in a sentence
    longer than a line
";
    assert!(text.ends_with(expected_end), "{text}");
    let head: Vec<&str> = text.lines().take(3).collect();
    let columns = "commit         began (UTC)   op/s    p99  locks  relocks";
    let first = "01234567  2026-11-23 10:00  1.00M  100ns   4.00     0.50";
    assert_eq!(head, [CELL, columns, first]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(history_table::render(&[], &[], 80), "nothing was measured\n");
}

/// The first column of each run's line.
fn commits_shown(runs: &[Run]) -> Vec<String> {
    let text = history_table::render(&history(runs, &[], "global").expect("one machine"), &[], 80);
    let lines = text.lines().filter(|line| line.contains("2026-11-23"));
    lines.map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_commit_stands_where_it_begins_and_another_program_is_another() {
    let mut changed = run_at(2, Some("aaaaaaaa1"), 1000);
    for record in &mut changed.records {
        let results::Record::Measured(round) = record else { panic!("a round") };
        round.dirty = Some(true);
    }
    let runs = [
        run_at(0, Some("aaaaaaaa1"), 1000),
        run_at(1, Some("aaaaaaaa1"), 1000),
        changed,
        run_at(3, Some("aaaaaaaa2"), 1000),
        run_at(4, None, 1000),
        run_at(5, None, 1000),
        run_at(6, Some("aaaaaaaa2"), 1000),
    ];
    let expected = ["aaaaaaaa", "", "aaaaaaaa+", "aaaaaaaa", "-", "-", "aaaaaaaa"];
    assert_eq!(commits_shown(&runs), expected);
}

#[test]
fn times_are_shown_in_utc_and_runs_are_in_its_order() {
    let at = |started: &str, operations: u64| {
        let mut run = run_at(0, None, operations);
        for record in &mut run.records {
            let results::Record::Measured(round) = record else { panic!("a round") };
            started.clone_into(&mut round.started);
        }
        run
    };
    // The clock of the first is behind, and it began later.
    let runs = [
        at("2026-11-22T21:45:00.250-11:30", 2000),
        at("2026-11-23T09:14:00.000Z", 1000),
        at("2026-11-23T10:16:00.250+01:00", 3000),
    ];
    let series = history(&runs, &[], "global").expect("one machine");
    let points = &find(&series, "throughput").points;
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    assert_eq!(values, [1e6, 2e6, 3e6]);
    let utc = ["2026-11-23T09:14:00.000Z", "2026-11-23T09:15:00.250Z", "2026-11-23T09:16:00.250Z"];
    let begun: Vec<&str> = points.iter().map(|point| point.run.started.as_str()).collect();
    assert_eq!(begun, utc);
    let text = history_table::render(&series, &[], 80);
    assert!(text.contains("began (UTC)") && text.contains("2026-11-23 09:15  2.00M"), "{text}");
}

#[test]
fn another_compiler_makes_another_program() {
    let by = |minute: u32, change: fn(&mut Measured)| {
        let mut run = run_at(minute, Some("a"), 1000);
        for record in &mut run.records {
            let results::Record::Measured(round) = record else { panic!("a round") };
            change(round);
        }
        run
    };
    let runs = vec![
        by(1, |_| ()),
        by(2, |round| round.rustc = "rustc 1.96.0".to_owned()),
        by(3, |round| round.build = None),
        by(4, |_| ()),
    ];
    let (kept, others) = of_one_build(runs);
    let kept: Vec<&str> = kept.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(kept, ["20261123T100100Z-0000", "20261123T100400Z-0000"]);
    let said = "runs built in another way than the newest, or by another compiler, left out: 2";
    assert_eq!((left_out(others).as_deref(), left_out(0)), (Some(said), None));
}

/// A run with a ratio of its own, on a machine that is so many times as fast as usual.
fn run_of_ratio(minute: u32, speed: u64, ratio: Option<[f64; 3]>) -> Run {
    let mut run = run_at(minute, Some("0123456789"), 1000 * speed);
    let mut fine = throughput("per-socket", 0, 3_000_000 * speed);
    fine.started = format!("2026-11-23T10:{minute:02}:00.000Z");
    let (cell, against) = (fine.cell.id(), CELL.to_owned());
    run.records.push(fine.into());
    if let Some([middle, low, high]) = ratio {
        run.records.push(
            Ratio {
                cell,
                against,
                threads: 2,
                metric: "throughput".to_owned(),
                ratio: Some(middle),
                low: Some(low),
                high: Some(high),
                level: 0.95,
                pairs: 20,
                host: crate::fixture::host(),
                ..Ratio::default()
            }
            .into(),
        );
    }
    run
}

#[test]
fn figures_without_a_ratio_beside_them_are_counted() {
    let ratio = Some([3.0, 2.9, 3.1]);
    let mut runs = [(1, ratio), (2, None), (3, ratio)].map(|(at, it)| run_of_ratio(at, 1, it));
    for run in &mut runs[1..] {
        let mut none = throughput("lock-free", 0, 9_000_000);
        none.started = format!("2026-11-23T10:{}:00.000Z", &run.id[11..13]);
        run.records.push(none.into());
    }
    let series = history(&runs, &[], "global").expect("one machine");
    let count = |reference| without_ratio(&series, reference);
    assert_eq!(count("global"), 1 + 2, "one of per-socket, all of lock-free");
    assert_eq!(count("lock-free"), 3 + 1);
    assert_eq!(count("host"), 3 + 1 + 2);
}

/// The host gets faster and slower from run to run; the ratio changes once, and that alone is seen
/// in it.
#[test]
fn the_ratio_comes_first_and_has_its_interval() {
    let ratio = |minute: u32| {
        let middle = if minute < 8 { 3.0 } else { 2.4 } + f64::from(minute % 2) / 100.0;
        Some([middle, middle - 0.104, middle + 0.116])
    };
    let mut runs: Vec<Run> = (0..16)
        .map(|minute| run_of_ratio(minute, [1, 7, 2, 9][minute as usize % 4], ratio(minute)))
        .collect();
    runs.push(run_of_ratio(16, 1, None));
    let series = history(&runs, &[], "global").expect("one machine");
    let of_fine: Vec<&Series> =
        series.iter().filter(|one| one.cell.backend == "per-socket").collect();
    assert_eq!(of_fine[0].metric, "ratio");
    assert_eq!((of_fine[0].unit, of_fine[0].against.as_deref()), (Unit::Ratio, Some("global")));
    assert_eq!(of_fine[0].points.len(), 16, "a run without a ratio makes no point");
    let point = &of_fine[0].points[3];
    assert_eq!([Some(point.value), point.low, point.high], ratio(3).expect("a ratio").map(Some));
    assert_eq!(of_fine[0].changes.iter().map(|change| change.index).collect::<Vec<_>>(), [8]);
    assert!(find(&series, "throughput").changes.is_empty(), "the machine is no change");
    assert!(series.iter().all(|one| one.cell.backend != "global" || one.metric != "ratio"));
    let line = serde_json::to_value(of_fine[0]).expect("JSON");
    assert_eq!((&line["against"], &line["unit"]), (&"global".into(), &"ratio".into()));
    assert_eq!(line["points"][3]["low"].as_f64(), point.low);
    let text = history_table::render(&series, &[], 80);
    let shown = "\
pairs/per-socket/stream/64B/t2/adaptive
commit         began (UTC)    ratio to global   op/s  locks  relocks
";
    assert!(text.contains(shown), "{text}");
    assert!(text.contains("10:03  3.01 [2.90, 3.13]  27.0M   4.00     0.50\n"), "{text}");
    assert!(text.contains("-- ratio to global -20.0%: 3.00 before, 2.40 from here\n"), "{text}");
    assert!(text.contains("10:16                  -  3.00M   4.00     0.50\n"), "{text}");
}

/// Levels, and for how many values each.
type Levels<'a> = &'a [(f64, usize)];

/// Levels with noise of so many percent.
fn noisy(levels: Levels, percent: f64, seed: u64) -> Vec<f64> {
    let mut rng = Rng::with_seed(seed);
    let values = levels.iter().flat_map(|(level, count)| vec![*level; *count]);
    values.map(|level| level * (1.0 + percent / 100.0 * normal(&mut rng))).collect()
}

/// The share of 1000 seeds for which this holds.
fn share_of_seeds(holds: impl Fn(u64) -> bool + Sync) -> f64 {
    (0..1000_u64).into_par_iter().filter(|seed| holds(*seed)).count() as f64 / 1000.0
}

/// Whether there are as many changes as expected, each within two values of its place.
fn found_at(series: &[f64], expected: &[usize]) -> bool {
    let points = change_points(series);
    points.len() == expected.len()
        && points.iter().zip(expected).all(|(point, place)| point.index.abs_diff(*place) <= 2)
}

#[test]
fn noise_has_hardly_a_change() {
    for (length, percent) in [(10, 5.0), (30, 2.0), (50, 5.0), (200, 5.0)] {
        let wrong = share_of_seeds(|seed| {
            !change_points(&noisy(&[(100.0, length)], percent, seed)).is_empty()
        });
        println!("{length} values of noise of {percent} %: {:.1} % with a change", wrong * 100.0);
        assert!(wrong <= 0.05 * (length as f64 / 50.0).max(1.0), "{length}: {wrong}");
    }
}

#[test]
fn known_changes_are_found_in_noise() {
    let settings: [(Levels, &[usize], f64); 4] = [
        (&[(100.0, 25), (90.0, 25)], &[25], 0.9),
        (&[(100.0, 100), (90.0, 100)], &[100], 0.8),
        (&[(100.0, 20), (115.0, 20), (100.0, 20)], &[20, 40], 0.9),
        (&[(100.0, 60), (80.0, 10), (100.0, 60)], &[60, 70], 0.8),
    ];
    for (levels, expected, share_min) in settings {
        let found = share_of_seeds(|seed| found_at(&noisy(levels, 3.0, seed), expected));
        println!("{levels:?} with noise of 3 %: {:.1} % found", found * 100.0);
        assert!(found >= share_min, "{levels:?}: {found}");
    }
}

#[test]
fn points_stay_when_values_are_appended() {
    let stays = share_of_seeds(|seed| {
        let series = noisy(&[(100.0, 40), (85.0, 160)], 3.0, seed);
        let first = |length: usize| change_points(&series[..length]).first().map(|p| p.index);
        first(110) == first(200)
    });
    assert!(stays >= 0.97, "{stays}");
}
