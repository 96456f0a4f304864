//! Ratios that runs recorded, as rows have them.

use results::{Ratio, Run, summarise};

use super::two_backends;
use crate::fixture::{cell, host, run, throughput};

/// A run of both backends, and of a ratio that was recorded, with an interval of that level.
fn with_ratio(level: f64, pairs: u32) -> Run {
    let mut run = run(two_backends());
    let [ratio, low, high] = [2.0, 1.9, 2.1].map(Some);
    let found = Ratio {
        cell: cell("pairs", "per-socket", 2).id(),
        against: cell("pairs", "global", 2).id(),
        metric: "throughput".to_owned(),
        ratio,
        low,
        high,
        level,
        pairs,
        budget_seconds: Some(60.0),
        host: host(),
        ..Ratio::default()
    };
    run.records.push(found.into());
    run
}

#[test]
fn of_several_runs_none_has_the_ratio() {
    let ratio = |runs: &[Run]| {
        let summary = summarise(runs, "global").expect("sums up");
        summary.rows[1].ratio.clone().expect("what is known of it")
    };
    let numbers = |ratio: &Ratio| (ratio.ratio, ratio.low, ratio.high);
    let one = ratio(&[with_ratio(0.95, 24)]);
    assert_eq!((numbers(&one), one.level), ((Some(2.0), Some(1.9), Some(2.1)), 0.95));
    assert_eq!((one.budget_seconds, one.why), (Some(60.0), None));
    let two = ratio(&[with_ratio(0.95, 24), with_ratio(0.95, 24)]);
    assert_eq!((numbers(&two), two.level), ((None, None, None), 0.0));
    assert_eq!((two.budget_seconds, two.pairs), (None, 24));
    assert_eq!(two.why.as_deref(), Some("each of 2 runs has its own"));
}

#[test]
fn an_interval_of_too_low_a_level_is_none() {
    let ratio = |level, pairs| {
        let summary = summarise(&[with_ratio(level, pairs)], "global").expect("sums up");
        let ratio = summary.rows[1].ratio.clone().expect("what is known of it");
        (ratio.ratio, ratio.low, ratio.high, ratio.why)
    };
    assert_eq!(ratio(0.95, 5), (Some(2.0), Some(1.9), Some(2.1), None));
    let why = |text: &str| Some(format!("{text} no interval of 95 %"));
    assert_eq!(ratio(0.94, 5), (None, None, None, why("5 pairs of processes give")));
    assert_eq!(ratio(0.94, 1), (None, None, None, why("1 pair of processes gives")));
}

/// How wide an interval is is a matter of its ends' ratio, not of where it lies.
#[test]
fn of_several_a_cell_has_the_widest_interval_against_itself() {
    let with = |low: f64, high: f64| {
        let mut run = run(vec![throughput("global", 0, 1)]);
        let id = cell("pairs", "global", 2).id();
        let [ratio, low, high] = [(low + high) / 2.0, low, high].map(Some);
        let itself = Ratio {
            cell: id.clone(),
            against: id,
            metric: "throughput".to_owned(),
            ratio,
            low,
            high,
            level: 0.95,
            host: host(),
            ..Ratio::default()
        };
        run.records.push(itself.into());
        run
    };
    let (wide, narrow) = (with(0.5, 0.6), with(1.0, 1.1));
    for runs in [[wide.clone(), narrow.clone()], [narrow, wide]] {
        let summary = summarise(&runs, "global").expect("sums up");
        assert_eq!(summary.rows[0].itself.as_ref().expect("one").low, Some(0.5));
    }
}
