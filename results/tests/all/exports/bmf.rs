//! Bencher's schema of its metric format: an object of objects of objects with `value`, and if need
//! be `lower_value` and `upper_value`, numbers.

use serde_json::json;

use super::*;

#[test]
fn bmf_has_measures_by_cell() {
    let file = only(rounds(), "bmf");
    let expected = json!({
        GLOBAL: {
            "throughput": { "value": 2000.0, "lower_value": 1000.0, "upper_value": 4000.0 },
            "latency": { "value": 4001 },
            "latency-p90": { "value": 4001 },
            "latency-p99": { "value": 4001 },
            "latency-p99.9": { "value": 4001 },
            "acquisitions-per-operation": { "value": 4.0 },
        },
        PER_SOCKET: {
            "latency": { "value": 500 },
            "latency-p90": { "value": 500 },
            "latency-p99": { "value": 500 },
            "latency-p99.9": { "value": 500 },
            "acquisitions-per-operation": { "value": 4.0 },
        },
    });
    assert_eq!(file, expected);
}
