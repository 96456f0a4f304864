//! Google Benchmark: what its `src/json_reporter.cc` (1.9) writes of a run of type `iteration`, and
//! its `compare.py`.

use serde_json::json;

use super::*;

/// Where Debian's libbenchmark-tools has Google Benchmark's program.
const COMPARE: &str = "/usr/share/benchmark/compare.py";

#[test]
fn google_benchmark_has_a_row_per_repetition() {
    let file = only(rounds(), "google-benchmark");
    let context = &file["context"];
    assert_eq!(context["json_schema_version"], 1, "its programs refuse another");
    assert_eq!(context["date"], "2026-11-23T09:15:00.000Z");
    assert_eq!(context["num_cpus"], 2);
    let rows = file["benchmarks"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "throughput rounds");
    let second = json!({
        "name": GLOBAL,
        "run_name": GLOBAL,
        "family_index": 0,
        "per_family_instance_index": 0,
        "run_type": "iteration",
        "repetitions": 3,
        "repetition_index": 1,
        "threads": 2,
        "iterations": 2000,
        "real_time": 500_000.0,
        "cpu_time": 500_000.0,
        "time_unit": "ns",
        "items_per_second": 2000.0,
        "bytes_per_second": 128_000.0,
    });
    assert_eq!(rows[1], second);
}

#[test]
fn compare_py_takes_rounds_for_repetitions() {
    let (_before, before) = exported(about("global", 10_000).collect(), "google-benchmark");
    let (_after, after) = exported(about("global", 8_000).collect(), "google-benchmark");
    let how = "apt-get install libbenchmark-tools; pip install numpy scipy";
    let is_there = Path::new(COMPARE).is_file() && python("", "scipy, numpy", &before[0]).is_some();
    if !is_there {
        return skipped("compare.py of Google Benchmark", how);
    }
    let arguments = [COMPARE, "--no-color", "benchmarks"].map(AsRef::as_ref);
    let files = [before[0].as_os_str(), after[0].as_os_str()];
    let said = said("python3", &[&arguments[..], &files].concat()).expect("python3 is there");
    let of = |name: &str| -> Vec<Vec<&str>> {
        let lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|fields| fields.first() == Some(&name)).collect()
    };
    let rows = of(GLOBAL);
    assert_eq!(rows.len(), 10, "a row for each repetition: {said}");
    // A fifth fewer operations in the same time take a quarter longer; the program prints whole
    // nanoseconds.
    let changes = rows.iter().map(|row| row[1].parse::<f64>().expect("a change"));
    assert!(changes.into_iter().all(|change| (change - 0.25).abs() < 0.02), "{said}");
    assert_eq!(rows[0][3], "99701", "{said}");
    let test = of(&format!("{GLOBAL}_pvalue"));
    assert!(test[0].ends_with(&["Repetitions:", "10", "vs", "10"]), "{said}");
}
