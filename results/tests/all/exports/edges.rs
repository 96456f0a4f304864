//! Samples of which there is little: one value, none, or nothing but nothing.

use serde_json::{Value, json};

use super::*;

fn estimates(rounds: Vec<Measured>) -> Value {
    let (_folder, paths) = exported(rounds, "criterion");
    serde_json::from_slice(&fs::read(&paths[1]).expect("readable")).expect("JSON")
}

/// Rounds of 1, 0.5 and 0.25 milliseconds an operation: 7/12 of one in the mean.
#[test]
fn a_mean_has_the_error_of_its_sample() {
    let operations = [1000, 2000, 4000].into_iter().zip(0..);
    let rounds = operations.map(|(operations, round)| throughput("global", round, operations));
    let estimates = estimates(rounds.collect());
    let is = |value: &Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value / expected - 1.0).abs() < 1e-12, "{value} is not {expected}");
    };
    let times = [1e6, 5e5, 2.5e5];
    let mean = times.iter().sum::<f64>() / 3.0;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    is(&estimates["mean"]["point_estimate"], mean);
    is(&estimates["std_dev"]["point_estimate"], (squares / 2.0).sqrt());
    is(&estimates["mean"]["standard_error"], (squares / 2.0 / 3.0).sqrt());
    is(&estimates["median"]["standard_error"], (squares / 2.0 / 3.0).sqrt());
}

#[test]
fn one_value_has_no_deviation() {
    let estimates = estimates(vec![throughput("global", 0, 1000)]);
    for name in ["mean", "std_dev", "median"] {
        assert_eq!(estimates[name]["standard_error"], 0.0, "{name}");
    }
    assert_eq!(estimates["std_dev"]["point_estimate"], 0.0);
}

/// A round in which nothing was done has no time per operation.
#[test]
fn empty_rounds_are_in_no_sample() {
    let rounds = || vec![throughput("global", 0, 0), throughput("global", 1, 1000)];
    let (_folder, paths) = exported(rounds(), "criterion");
    let sample: Value =
        serde_json::from_slice(&fs::read(&paths[2]).expect("readable")).expect("JSON");
    assert_eq!(sample["iters"], json!([1000.0]));
    let folder = tempfile::tempdir().expect("a folder");
    for format in ["criterion", "github"] {
        let nothing = run(vec![throughput("global", 0, 0)]);
        let error = export(&nothing, format, folder.path()).expect_err("nothing");
        assert!(matches!(error, ExportError::Nothing { .. }), "{format}: {error}");
    }
}

#[test]
fn findings_of_other_cells_are_not_exported() {
    let mut run = run(vec![throughput("global", 0, 1000), throughput("per-socket", 0, 1000)]);
    run.records.push(crate::fixture::finding().into());
    let csv = |cells: &str| {
        let chosen = Chosen { run: &run, cells };
        let format = Format::named("csv").expect("a format");
        let files = results::export::contents(&chosen, format).expect("exports");
        String::from_utf8(files[0].1.clone()).expect("text")
    };
    assert!(csv("pairs/per-socket/").contains("leaked_locks"));
    assert!(!csv("pairs/global/").contains("leaked_locks"));
}
