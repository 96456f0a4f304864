//! What histories say of relocks that a try saved.

use super::*;

/// A run in which of a hundred operations so many were saved a relock.
fn saving(minute: u32, of_hundred: u64) -> Run {
    let mut run = run_at(minute, None, 1000);
    for record in &mut run.records {
        let results::Record::Measured(round) = record else { panic!("a round") };
        round.locks[0].saved = round.operations * of_hundred / 100;
    }
    run
}

fn series_of(runs: &[Run]) -> Vec<Series> {
    history(runs, &[], "global").expect("one machine")
}

#[test]
fn from_some_to_none_is_a_change() {
    let runs: Vec<Run> =
        (0..12).map(|minute| saving(minute, if minute < 6 { 20 } else { 0 })).collect();
    let series = series_of(&runs);
    let saved = find(&series, "saved_per_operation");
    let values: Vec<f64> = saved.points.iter().map(|point| point.value).collect();
    assert_eq!(values, [[0.2; 6], [0.0; 6]].concat());
    assert_eq!(saved.unit, Unit::PerOperation);
    assert_eq!(saved.changes.iter().map(|change| change.index).collect::<Vec<_>>(), [6]);
    let text = history_table::render(&series, &[], 80);
    for line in [
        "commit       began (UTC)   op/s    p99  locks  relocks  saved\n",
        "10:05  1.00M  105ns   4.00     0.50   0.20\n",
        "-- saved -100.0%: 0.20 before, 0.00 from here\n",
        "10:06  1.00M  106ns   4.00     0.50   0.00\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
    let (relocks, locks) = ("relocks_per_operation", "acquisitions_per_operation");
    assert!([relocks, locks].iter().all(|name| find(&series, name).changes.is_empty()));
}

#[test]
fn where_no_lock_is_tried_there_is_no_such_series() {
    let series = series_of(&[saving(0, 0), saving(1, 0)]);
    assert!(series.iter().all(|one| one.metric != "saved_per_operation"));
    assert!(!history_table::render(&series, &[], 80).contains("saved"));
}
