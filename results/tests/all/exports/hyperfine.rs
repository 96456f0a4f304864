//! hyperfine's `BenchmarkResult`, and what its scripts take from it.

use serde_json::{Value, json};

use super::*;

fn near(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value / expected - 1.0).abs() < 1e-9)
}

#[test]
fn hyperfine_has_rounds_as_runs_in_seconds() {
    let file = only(rounds(), "hyperfine");
    let results = file["results"].as_array().expect("results");
    assert_eq!(results.len(), 1, "a cell without throughput rounds has no run");
    let result = &results[0];
    assert_eq!(result["command"], GLOBAL);
    assert_eq!(result["times"], json!([0.001, 0.0005, 0.00025]));
    assert!(near(&result["mean"], 0.001_75 / 3.0), "{result}");
    // Of 1000, 500 and 250 millionths.
    assert!(near(&result["stddev"], (437_500.0_f64 / 3.0).sqrt() * 1e-6), "{result}");
    let ends = ["median", "min", "max"].map(|name| &result[name]);
    assert_eq!(ends, [&json!(0.0005), &json!(0.00025), &json!(0.001)]);
    assert_eq!([&result["user"], &result["system"]], [&json!(0.0), &json!(0.0)], "numbers");
    assert_eq!(result["exit_codes"], json!([0, 0, 0]));
    assert_eq!(result["parameters"], json!({ "threads": "2" }), "one, and a number");
    let one = only(vec![throughput("global", 0, 1000)], "hyperfine");
    assert!(one["results"][0]["stddev"].is_null(), "one run has none");
}
