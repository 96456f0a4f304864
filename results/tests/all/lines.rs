//! Records as lines.

use results::{Cell, Interrupted, LineError, Measured, Own, Ratio, Record, TwoCpus};

use crate::fixture::{cell, finding, host, latency, throughput};

/// A record of most kinds.
pub(crate) fn all() -> Vec<Record> {
    vec![
        throughput("global", 0, 1000).into(),
        latency("global", 1, &[10, 20, 30]).into(),
        finding().into(),
        Interrupted { reason: "SIGINT".to_owned(), host: host(), ..Interrupted::default() }.into(),
        ratio().into(),
        results::Answer {
            question: "private pairs".to_owned(),
            sentence: "It depends.".to_owned(),
            cells: vec!["a".to_owned(), "b".to_owned()],
            ratio: Some(1.5),
            low: Some(1.4),
            high: Some(1.6),
            runs: Some(4),
            started: results::time::rfc3339_utc(crate::fixture::noon()),
            host: host(),
        }
        .into(),
    ]
}

/// A ratio with a value of its own in every field.
fn ratio() -> Ratio {
    Ratio {
        cell: cell("pairs", "per-socket", 2).id(),
        against: cell("pairs", "global", 2).id(),
        threads: 2,
        metric: "throughput".to_owned(),
        ratio: Some(3.05),
        low: Some(2.98),
        high: Some(3.12),
        level: 0.96,
        pairs: 24,
        within: Some(0.03),
        why: Some("the budget is spent".to_owned()),
        budget_seconds: Some(200.0),
        commit: Some("0123456789abcdef".to_owned()),
        dirty: Some(true),
        started: results::time::rfc3339_utc(crate::fixture::noon()),
        host: host(),
    }
}

#[test]
fn a_ratio_that_cannot_be_is_no_record() {
    let changes: [fn(&mut Ratio); 8] = [
        |ratio| ratio.low = None,
        |ratio| ratio.high = None,
        |ratio| ratio.ratio = None,
        |ratio| ratio.low = Some(3.06),
        |ratio| ratio.high = Some(3.04),
        |ratio| ratio.low = Some(-1.0),
        |ratio| ratio.low = Some(0.0),
        |ratio| ratio.level = 95.0,
    ];
    for change in changes {
        let mut bad = ratio();
        change(&mut bad);
        let error = Record::from(bad.clone()).to_line().expect_err("no ratio");
        assert!(matches!(error, LineError::Ratio { .. }), "{bad:?}: {error}");
    }
    let none = Ratio { low: None, high: None, ratio: None, level: 0.0, ..ratio() };
    assert!(Record::from(none).to_line().is_ok(), "too few pairs is no fault");
    let line = Record::from(ratio()).to_line().expect("a line");
    let older = line.replacen(r#""metric":"throughput","#, "", 1);
    assert_eq!(Record::from_line(&older).expect("a record"), ratio().into());
    assert!(!ratio().is_against_itself());
    assert!(Ratio { against: ratio().cell, ..ratio() }.is_against_itself());
}

#[test]
fn few_pairs_have_no_interval_of_a_high_level() {
    for (pairs, level, is_one) in
        [(0, 0.95, false), (5, 0.95, false), (5, 0.9375, true), (6, 0.96875, true)]
    {
        let line = Record::from(Ratio { pairs, level, ..ratio() }).to_line();
        assert_eq!(line.is_ok(), is_one, "{pairs} {level}");
    }
}

#[test]
fn numbers_that_nothing_can_measure_are_refused_by_their_field() {
    type Change = fn(&mut Measured);
    let two = TwoCpus { cpus: [0, 1], at_once_share: 0.9, line_round_trip_ns: Some(80.0) };
    let whole = Measured { two_cpus: Some(two), ..throughput("global", 0, 1000) };
    assert!(Record::from(whole.clone()).to_line().is_ok());
    let changes: [(&str, Change); 17] = [
        ("operations_per_second", |line| line.operations_per_second = 1e308),
        ("operations_per_second", |line| line.operations_per_second = -1.0),
        ("seconds", |line| line.seconds = -1.0),
        ("fairness_jain", |line| line.fairness_jain = 1.1),
        ("fairness_jain", |line| line.fairness_jain = -0.1),
        ("rate_achieved", |line| line.rate_achieved = Some(-1.0)),
        ("on_cpu_share_min", |line| line.host_noise.on_cpu_share_min = Some(-0.5)),
        ("clock_ns", |line| line.instrument.clock_ns = -1.0),
        ("clock_step_ns", |line| line.instrument.clock_step_ns = 1e300),
        ("lock_ns_per_pair", |line| line.instrument.lock_ns_per_pair = 1e-320),
        ("checker_ns_per_pair", |line| line.instrument.checker_ns_per_pair = -1e308),
        ("aa_spread_percent", |line| line.instrument.aa_spread_percent = Some(-1.0)),
        ("loop_ns_per_operation", |line| line.instrument.loop_ns_per_operation = Some(1e10)),
        ("two_cpus.cpus", |line| line.two_cpus.as_mut().expect("both").cpus = [1, 1]),
        ("at_once_share", |line| line.two_cpus.as_mut().expect("both").at_once_share = -5.0),
        ("line_round_trip_ns", |line| {
            line.two_cpus.as_mut().expect("both").line_round_trip_ns = Some(-3.0);
        }),
        ("line_round_trip_ns", |line| {
            line.two_cpus.as_mut().expect("both").line_round_trip_ns = Some(0.0);
        }),
    ];
    for (field, change) in changes {
        let mut line = whole.clone();
        change(&mut line);
        let error = Record::from(line).to_line().expect_err(field);
        assert!(matches!(error, LineError::Number { .. }), "{error}");
        assert!(error.to_string().contains(field), "{field}: {error}");
    }
    for far in [1e-300, 1e308] {
        let [ratio, low, high] = [far, far / 2.0, far].map(Some);
        let error = Record::from(Ratio { ratio, low, high, ..self::ratio() }).to_line();
        assert!(error.expect_err("far").to_string().starts_with("ratio cannot be"));
        let compared = results::Compared { ratio, low, high, ..results::Compared::default() };
        assert!(Record::from(compared).to_line().is_err());
    }
}

#[test]
fn every_kind_survives_the_round_trip() {
    for record in all() {
        let line = record.to_line().expect("a line");
        assert!(!line.contains('\n') && line.starts_with(r#"{"schema":1,"kind":""#), "{line}");
        assert_eq!(Record::from_line(&line).expect("a record"), record);
    }
}

#[test]
fn fields_have_the_names_of_the_format() {
    let line = Record::from(latency("global", 1, &[10])).to_line().expect("a line");
    let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    for pointer in [
        "/cell",
        "/backend",
        "/workload",
        "/socket_type",
        "/message_bytes",
        "/threads",
        "/wait",
        "/round",
        "/order_in_run",
        "/seed",
        "/measure",
        "/seconds",
        "/operations",
        "/operations_per_thread",
        "/bytes",
        "/operations_per_second",
        "/fairness_jain",
        "/latency_ns/send/p999",
        "/latency_ns/send/histogram",
        "/latency_ns/send/lost_count",
        "/locks/0/acquisitions",
        "/fast_path/slow_sends",
        "/checks/operations_checked",
        "/instrument/aa_spread_percent",
        "/host_noise/on_cpu_share_min",
        "/pinning/got",
        "/host/virtualised",
        "/host/governor",
        "/rustc",
        "/build",
        "/commit",
        "/dirty",
        "/started",
    ] {
        assert!(value.pointer(pointer).is_some(), "{pointer} is missing in {line}");
    }
    assert_eq!(value["measure"], "latency");
    assert_eq!(value["seed"], u64::MAX);
    assert_eq!(value["cell"], "pairs/global/stream/64B/t2/adaptive");
}

#[test]
fn cells_name_rates_and_groups() {
    let own = Own::from_iter([("rate_asked", 1000.0)]);
    let paced = Cell { own, ..cell("paced", "global", 1) };
    assert_eq!(paced.id(), "paced/global/stream/64B/t1/adaptive/r1000");
    let own = Own::from_iter([("groups", 2.0), ("fan", 8.0)]);
    let groups = Cell { own, ..cell("groups", "host", 4) };
    assert_eq!(groups.id(), "groups/host/stream/64B/t4/adaptive/g2f8");
}

#[test]
fn unknown_fields_of_the_same_schema_are_left_aside() {
    for record in all() {
        let line = record.to_line().expect("a line");
        let longer = line.replacen('{', r#"{"invented_later":{"deep":[1,2]},"#, 1);
        assert_eq!(Record::from_line(&longer).expect("a record"), record);
    }
}

#[test]
fn other_schemas_and_kinds_are_refused() {
    let line = Record::from(finding()).to_line().expect("a line");
    let newer = line.replacen(r#""schema":1"#, r#""schema":2"#, 1);
    let error = Record::from_line(&newer).expect_err("schema 2");
    assert!(matches!(error, LineError::Schema { found: 2 }), "{error}");
    assert!(error.to_string().contains("reads schema 1"), "{error}");
    let odd = line.replacen(r#""kind":"finding""#, r#""kind":"rumour""#, 1);
    let error = Record::from_line(&odd).expect_err("an unknown kind");
    assert!(
        error.to_string().contains("ratio, profile, split, answer, element and foreign"),
        "{error}"
    );
}

#[test]
fn numbers_that_are_none_are_not_stored() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut measured = throughput("global", 0, 1);
        measured.operations_per_second = bad;
        assert!(Record::from(measured).to_line().is_err(), "{bad}");
    }
    // The bounds themselves can be.
    let is_stored = |change: fn(&mut Measured)| {
        let mut measured = throughput("global", 0, 1);
        change(&mut measured);
        Record::from(measured).to_line().is_ok()
    };
    assert!(is_stored(|line| line.host_noise.on_cpu_share_min = Some(10.0)));
    assert!(!is_stored(|line| line.host_noise.on_cpu_share_min = Some(10.001)));
    assert!(!is_stored(|line| line.host_noise.on_cpu_share_min = Some(-0.001)));
    assert!(is_stored(|line| line.instrument.lock_ns_per_pair = 0.0));
    assert!(is_stored(|line| line.instrument.lock_ns_per_pair = 1e-3));
    assert!(!is_stored(|line| line.instrument.lock_ns_per_pair = 0.000_999));
    let mut measured = throughput("global", 0, 1);
    measured.cell_id = "pairs/host/stream/64B/t2/adaptive".to_owned();
    assert!(matches!(Record::from(measured).to_line(), Err(LineError::Cell { .. })));
}

#[test]
fn what_is_wrong_with_a_ratio_is_said() {
    let fault = |level, pairs, [ratio, low, high]: [Option<f64>; 3]| {
        Ratio { ratio, low, high, level, pairs, ..Ratio::default() }.fault()
    };
    let ends = |ratio| fault(0.95, 6, [Some(ratio), Some(0.9), Some(1.1)]);
    assert_eq!([0.9, 1.0, 1.1].map(ends), [None; 3]);
    assert_eq!([0.8, 1.2].map(ends), [Some("it lies outside of its interval"); 2]);
    let torn = Some("an interval has a ratio and two ends");
    for torn_one in [[None, Some(0.9), Some(1.1)], [Some(1.0), Some(0.9), None]] {
        assert_eq!(fault(0.95, 6, torn_one), torn);
    }
    assert_eq!(fault(0.0, 0, [None; 3]), None);
    assert_eq!(fault(0.0, 1, [Some(1.0), None, None]), None);
    for none in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(fault(0.0, 1, [Some(none), None, None]), Some("a ratio is a number above 0"));
    }
    let few = Some("so few pairs have no interval of its level");
    assert_eq!(fault(0.95, 5, [Some(1.0), Some(0.9), Some(1.1)]), few);
    assert_eq!(fault(1.1, 6, [None; 3]), Some("a level is a probability"));
}

#[test]
fn hostile_lines_are_errors() {
    let line = Record::from(throughput("global", 0, 1)).to_line().expect("a line");
    let deep = "[".repeat(100_000);
    for hostile in [
        "",
        "\0\0\0\0",
        "null",
        "[]",
        "{}",
        r#"{"schema":1}"#,
        r#"{"schema":1,"kind":"measured"}"#,
        r#"{"schema":-1,"kind":"measured"}"#,
        r#"{"schema":1e999,"kind":"measured"}"#,
        r#"{"schema":99999999999999999999,"kind":"measured"}"#,
        deep.as_str(),
        line.replacen(r#""seconds":1.0"#, r#""seconds":1e999"#, 1).as_str(),
        line.replacen(r#""operations":1"#, r#""operations":-1"#, 1).as_str(),
        line.replacen(r#""operations":1"#, r#""operations":99999999999999999999"#, 1).as_str(),
        line.replacen(r#""threads":2"#, r#""threads":"2""#, 1).as_str(),
        &line[..line.len() - 1],
    ] {
        assert!(Record::from_line(hostile).is_err(), "{hostile:.80}");
    }
}

/// The example of FORMAT.md.
pub(crate) fn documented() -> serde_json::Value {
    let text = include_str!("../../FORMAT.md");
    let example = text.split("```json").nth(1).and_then(|rest| rest.split("```").next());
    serde_json::from_str(example.expect("an example")).expect("JSON")
}

/// The example of FORMAT.md is a record, and a record has no field that FORMAT.md does not name.
#[test]
fn the_documented_example_is_true() {
    let (text, example) = (include_str!("../../FORMAT.md"), documented());
    let record = Record::from_line(&example.to_string()).expect("a record");
    let written: serde_json::Value =
        serde_json::from_str(&record.to_line().expect("a line")).expect("JSON");
    assert_eq!(written, example);
    for record in all() {
        let line = record.to_line().expect("a line");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        for name in value.as_object().expect("an object").keys() {
            assert!(text.contains(&format!("`{name}`")), "{name} is not in FORMAT.md");
        }
    }
}

#[test]
fn a_verdict_is_read_back() {
    let compared = results::Compared {
        cell: "pairs/global/stream/64B/t1/adaptive".to_owned(),
        metric: "throughput".to_owned(),
        verdict: results::Verdict::Slower,
        ratio: Some(0.92),
        low: Some(0.90),
        high: Some(0.94),
        pairs: 20,
        same_code: Some(false),
        itself: Some(results::AgainstItself { ratio: 1.25, low: 0.5, high: 1.5, pairs: 12 }),
        ..results::Compared::default()
    };
    let record = Record::from(compared);
    let line = record.to_line().unwrap();
    assert!(line.starts_with(r#"{"schema":1,"kind":"compared","#), "{line}");
    assert!(line.contains(r#""verdict":"SLOWER""#), "{line}");
    let itself = r#""control":{"ratio":1.25,"low":0.5,"high":1.5,"pairs":12}"#;
    assert!(line.contains(itself), "{line}");
    assert_eq!(Record::from_line(&line).unwrap(), record);
}
