//! github-action-benchmark's `BenchmarkResult`: `name`, `unit` and `value`, and if need be `range`
//! and `extra`, texts.

use serde_json::json;

use super::*;

#[test]
fn github_has_values_that_are_better_when_smaller() {
    let file = only(rounds(), "github");
    let entries = file.as_array().expect("a list");
    assert_eq!(entries.len(), 9, "a time, and four percentiles of each cell");
    let time = json!({
        "name": GLOBAL,
        "unit": "ns/op",
        "value": 500_000.0,
        "range": "± 375000",
        "extra": "2.00k op/s, 3 rounds from 250000 to 1000000 ns/op",
    });
    assert_eq!(entries[0], time);
    let percentile =
        json!({ "name": format!("{PER_SOCKET} send p99"), "unit": "ns", "value": 500 });
    assert!(entries.contains(&percentile), "{file:#}");
    let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry["name"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), entries.len(), "a name is a series");
}
