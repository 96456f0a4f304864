//! Every column of the comma-separated values.

use results::{Cell, FastPath, Finding, Latencies, Latency, LockCounts, Measured, Own, Slices};

use super::*;
use crate::fixture::{cell, finding, latency, run};

#[test]
fn csv_has_a_line_per_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = run(rounds());
    run.records.push(finding().into());
    let paths = export(&run, "csv", folder.path()).expect("exports");
    let mut reader = csv::Reader::from_path(&paths[0]).expect("readable");
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("as many fields in each line");
    assert_eq!(rows.len(), run.records.len());
    let field = |row: usize, name: &str| {
        let column = header.iter().position(|other| other == name).expect("a column");
        rows[row][column].to_owned()
    };
    assert_eq!(field(1, "operations_per_second"), "2000");
    assert_eq!(field(1, "name"), "pairs/global/stream/64B/t2/adaptive");
    assert_eq!(field(1, "started"), "2026-11-23T09:15:00.000Z");
    assert_eq!(field(1, "acquisitions"), "8000");
    assert_eq!((field(1, "send_p50_ns"), field(5, "send_p50_ns")), (String::new(), "500".into()));
    assert_eq!(field(6, "err"), "leaked_locks (1) at lockimpls/src/uipc/send.rs:42");
}

/// Numbers of workloads' own, those with columns and others.
const OWN: [(&str, f64); 5] =
    [("rate_asked", 1.5), ("groups", 17.0), ("fan", 18.0), ("ways", 2.0), ("depth", 8.0)];

/// The columns of the events that are no sends, each with its numbers.
const EVENTS: [(&str, u64); 5] = [
    ("send_higher_address", 100),
    ("receive", 200),
    ("round_trip", 300),
    ("response", 400),
    ("service", 500),
];

/// A latency round in which no two fields have one value.
fn unlike() -> Measured {
    let mut round = latency("per-socket", 3, &[500; 4]);
    round.cell = Cell {
        own: Own::from_iter(OWN),
        lock: "three".to_owned(),
        ambient: vec!["one".to_owned(), "two".to_owned()],
        ..cell("pairs", "per-socket", 16)
    };
    round.cell_id = round.cell.id();
    (round.order_in_run, round.seed, round.seconds) = (19, 20, 0.25);
    (round.operations, round.bytes, round.operations_per_second) = (21, 22, 23.5);
    (round.fairness_jain, round.rate_achieved, round.overloaded) = (0.75, Some(24.5), true);
    let send = round.latency_ns.send.as_mut().expect("sends");
    (send.count, send.p50, send.p90, send.p99, send.p999, send.max) = (25, 26, 27, 28, 29, 30);
    (send.count_all, send.max_all) = (Some(31), Some(32));
    for (name, from) in EVENTS {
        let [count, p50, p90, p99, p999, max, all] = [0, 1, 2, 3, 4, 5, 6].map(|add| from + add);
        let more = Latency { count, p50, p90, p99, p999, max, ..Latency::default() };
        *round.latency_ns.get_mut(name).expect(name) = Some(Latency { max_all: Some(all), ..more });
    }
    let counts = |from: u64| LockCounts {
        class: format!("class {from}"),
        acquisitions: from,
        contended: from + 100,
        relocks: from + 200,
        retries: from + 300,
        saved: from + 400,
    };
    round.locks = vec![counts(1000), counts(2000)];
    round.fast_path =
        FastPath { sends: 33, receives: 34, slow_sends: 35, slow_receives: 36, gate_closings: 37 };
    round.allocations = Some(38);
    round.host_noise.on_cpu_share_min = Some(0.5);
    round.host_noise.flagged = false;
    round.pinning.unpinned = true;
    round.dirty = Some(true);
    round.slices = Some(Slices {
        kept: 39,
        repeated: 40,
        given_up: 41,
        off_cpu: 42,
        switched: 43,
        stolen: 44,
    });
    round
}

#[test]
fn every_column_of_csv_is_what_it_is_called() {
    let (_folder, paths) = exported(vec![unlike()], "csv");
    let mut reader = csv::Reader::from_path(&paths[0]).expect("readable");
    let names = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("as many fields");
    let found: Vec<(String, String)> =
        names.iter().zip(row.iter()).map(|(name, value)| (name.into(), value.into())).collect();
    let older = [
        (
            "name",
            "pairs/per-socket/stream/64B/t16/adaptive/r1.5/g17f18/depth=8/ways=2/three/one+two",
        ),
        ("kind", "measured"),
        ("backend", "per-socket"),
        ("workload", "pairs"),
        ("socket_type", "stream"),
        ("message_bytes", "64"),
        ("threads", "16"),
        ("wait", "adaptive"),
        ("rate_asked", "1.5"),
        ("groups", "17"),
        ("fan", "18"),
        ("round", "3"),
        ("order_in_run", "19"),
        ("seed", "20"),
        ("measure", "latency"),
        ("seconds", "0.25"),
        ("operations", "21"),
        ("bytes", "22"),
        ("operations_per_second", "23.5"),
        ("fairness_jain", "0.75"),
        ("rate_achieved", "24.5"),
        ("overloaded", "true"),
        ("send_count", "25"),
        ("send_p50_ns", "26"),
        ("send_p90_ns", "27"),
        ("send_p99_ns", "28"),
        ("send_p999_ns", "29"),
        ("send_max_ns", "30"),
        ("acquisitions", "3000"),
        ("contended", "3200"),
        ("relocks", "3400"),
        ("retries", "3600"),
        ("fast_sends", "33"),
        ("fast_receives", "34"),
        ("allocations", "38"),
        ("on_cpu_share_min", "0.5"),
        ("flagged", "false"),
        ("unpinned", "true"),
        ("commit", "0123456789abcdef0123456789abcdef01234567"),
        ("dirty", "true"),
        ("started", "2026-11-23T09:15:00.000Z"),
        ("send_max_all_ns", "32"),
        ("slices_kept", "39"),
        ("slices_repeated", "40"),
        ("slices_given_up", "41"),
        ("ambient", "one+two"),
        ("lock", "three"),
        ("parameters", "depth=8/ways=2"),
    ];
    let columns = ["count", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns", "max_all_ns"];
    let event = |(event, from): (&str, u64)| {
        let column =
            |(name, add): (&str, u64)| (format!("{event}_{name}"), (from + add).to_string());
        columns.into_iter().zip(0..).map(column).collect::<Vec<_>>()
    };
    let older = older.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let last = [("saved", "3800"), ("err", "")];
    let last = last.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let expected = older.into_iter().chain(EVENTS.into_iter().flat_map(event)).chain(last);
    assert_eq!(found, expected.collect::<Vec<_>>());
    let events = ["send"].into_iter().chain(EVENTS.map(|(name, _)| name));
    assert!(events.eq(Latencies::NAMES), "no event is left out");
}

#[test]
fn what_a_finding_has_of_the_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = run(Vec::new());
    let found = Finding { commit: Some("abc".to_owned()), count: 7, ..finding() };
    run.records.push(found.into());
    let paths = export(&run, "csv", folder.path()).expect("exports");
    let mut reader = csv::Reader::from_path(&paths[0]).expect("readable");
    let names = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("as many fields");
    let filled: Vec<(&str, &str)> =
        names.iter().zip(row.iter()).filter(|(_, value)| !value.is_empty()).collect();
    assert_eq!(
        filled,
        [
            ("name", "pairs/per-socket/stream/64B/t2/adaptive"),
            ("kind", "finding"),
            ("backend", "per-socket"),
            ("commit", "abc"),
            ("started", "2026-11-23T09:15:00.000Z"),
            ("err", "leaked_locks (7) at lockimpls/src/uipc/send.rs:42"),
        ]
    );
}
