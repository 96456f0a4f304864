//! Histograms in records.

use results::histogram::{self, HistogramError, MAX_NS};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

fn of(values: impl IntoIterator<Item = u64>) -> hdrhistogram::Histogram<u64> {
    let mut histogram = histogram::new();
    for value in values {
        histogram.saturating_record(value);
    }
    histogram
}

#[test]
fn encoding_survives_the_round_trip() {
    for histogram in [of([]), of([1]), of(1..=10_000), of([0, 1, MAX_NS, u64::MAX])] {
        let text = histogram::encode(&histogram).expect("encodes");
        assert_eq!(histogram::decode(&text).expect("decodes"), histogram);
    }
}

#[test]
fn summary_agrees_with_the_sorted_values() {
    let values: Vec<u64> = (0..10_000_u64).map(|index| 20 + index * index % 7919).collect();
    let latency = histogram::latency(&of(values.iter().copied()), 3).expect("encodes");
    let mut sorted = values;
    sorted.sort_unstable();
    let near = |found: u64, rank: usize| {
        let exact = sorted[rank - 1] as f64;
        assert!((found as f64 - exact).abs() <= exact * 1e-3 + 1.0, "{found} is not {exact}");
    };
    near(latency.p50, 5000);
    near(latency.p90, 9000);
    near(latency.p99, 9900);
    near(latency.p999, 9990);
    near(latency.max, 10_000);
    assert_eq!((latency.count, latency.lost_count), (10_000, 3));
}

#[test]
fn merging_adds_counts_and_not_quantiles() {
    let fast = histogram::latency(&of((1..=9000).map(|_| 100)), 0).expect("encodes");
    let slow = histogram::latency(&of((1..=1000).map(|index| index * 1000)), 0).expect("encodes");
    let merged = histogram::merge([&fast, &slow]).expect("merges");
    assert_eq!(merged.len(), fast.count + slow.count);
    assert_eq!(merged.max(), fast.max.max(slow.max));
    let p99 = merged.value_at_quantile(0.99) as f64;
    let mean_of_p99 = (fast.p99 + slow.p99) as f64 / 2.0;
    assert!((p99 / 900_000.0 - 1.0).abs() < 2e-3, "{p99}");
    assert!((p99 / mean_of_p99 - 1.0).abs() > 0.5, "{p99} is the mean of the quantiles");
    assert!(histogram::merge([]).expect("nothing").is_empty());
}

/// Ten seconds by a clock that is only a number: one operation per millisecond is due, each takes
/// 10 us, and one stalls for 100 ms.
#[test]
fn a_stall_is_one_sample_closed_and_a_hundred_open() {
    const SECOND_NS: u64 = 1_000_000_000;
    const PERIOD_NS: u64 = 1_000_000;
    const SERVICE_NS: u64 = 10_000;
    const STALL_NS: u64 = 100_000_000;
    let (mut closed, mut response) = (histogram::new(), histogram::new());
    let (mut now_ns, mut stalled) = (0, false);
    for planned_ns in (0..10 * SECOND_NS).step_by(PERIOD_NS as usize) {
        now_ns = now_ns.max(planned_ns);
        let stalls = !stalled && planned_ns >= 5 * SECOND_NS;
        stalled |= stalls;
        let service_ns = if stalls { STALL_NS } else { SERVICE_NS };
        now_ns += service_ns;
        closed.record(service_ns).expect("in bounds");
        response.record(now_ns - planned_ns).expect("in bounds");
    }
    let long =
        |histogram: &hdrhistogram::Histogram<u64>| histogram.count_between(PERIOD_NS, MAX_NS);
    assert_eq!(long(&closed), 1);
    assert_eq!(closed.value_at_quantile(0.999) / 1000, SERVICE_NS / 1000);
    assert!(closed.equivalent(closed.max(), STALL_NS));
    let corrected = closed.clone_correct(PERIOD_NS);
    for histogram in [&corrected, &response] {
        assert!((99..=102).contains(&long(histogram)), "{}", long(histogram));
        for (quantile, milliseconds) in [(0.995, 50.0), (0.999, 90.0), (1.0, 100.0)] {
            let found = histogram.value_at_quantile(quantile) as f64 / 1e6;
            assert!((found - milliseconds).abs() < 2.0, "{quantile}: {found}");
        }
    }
}

#[test]
fn damaged_encodings_are_errors() {
    let good = histogram::encode(&of(1..=1000)).expect("encodes");
    let mut long_inside = BASE64.decode(&good).expect("base64");
    long_inside.truncate(20);
    let other_bounds = {
        let other = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 1000, 2).expect("bounds");
        histogram::encode(&other).expect("encodes")
    };
    assert!(matches!(histogram::decode(&other_bounds), Err(HistogramError::Bounds { .. })));
    assert!(matches!(histogram::decode("not base64!"), Err(HistogramError::Base64(_))));
    for hostile in ["", "AAAA", "HISTFAAA", "\0", &"A".repeat(2 << 20), &good[..good.len() / 8 * 4]]
    {
        assert!(histogram::decode(hostile).is_err(), "{hostile:.40}");
    }
    assert!(histogram::decode(&BASE64.encode(long_inside)).is_err());
    // A MiB is read, and no more.
    let of_length = |length| histogram::decode(&"A".repeat(length)).expect_err("zeros");
    assert!(matches!(of_length(1 << 20), HistogramError::Compression(_)));
    assert!(matches!(of_length((1 << 20) + 4), HistogramError::TooLong));
    // A head with nothing behind it is one.
    let head = BASE64.encode([0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 0]);
    let error = histogram::decode(&head).expect_err("nothing").to_string();
    assert!(!error.contains("first bytes"), "{error}");
    let error = histogram::decode(&BASE64.encode([0x1c; 8])).expect_err("no cookie").to_string();
    assert!(error.contains("wrong first bytes"), "{error}");
}

/// A head that names 4 GiB of counts, behind a few compressed bytes.
#[test]
fn a_length_is_not_believed() {
    use std::io::Write as _;
    let mut inner = vec![0x1c, 0x84, 0x93, 0x13, 0xff, 0xff, 0xff, 0xff];
    inner.extend([0; 32]);
    for zeros in [0, 64 << 20] {
        inner.resize(40 + zeros, 0);
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(&inner).expect("in memory");
        let compressed = deflate.finish().expect("in memory");
        let mut bytes = vec![0x1c, 0x84, 0x93, 0x14];
        bytes.extend(u32::try_from(compressed.len()).expect("short").to_be_bytes());
        bytes.extend(compressed);
        let error = histogram::decode(&BASE64.encode(bytes)).expect_err("a lie");
        assert!(matches!(error, HistogramError::Compression(_)), "{error}");
    }
}
