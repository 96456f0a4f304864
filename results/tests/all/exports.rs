//! Runs in the formats of other tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use results::{
    Cell, ExportError, FastPath, Finding, Format, LockCounts, Measured, Slices, export, histogram,
};

use crate::fixture::{cell, finding, latency, noon, run, throughput};

fn rounds() -> Vec<Measured> {
    vec![
        throughput("global", 0, 1000),
        throughput("global", 1, 2000),
        throughput("global", 2, 4000),
        latency("global", 0, &[2000; 1]),
        latency("global", 1, &[4000; 10]),
        latency("per-socket", 0, &[500; 4]),
    ]
}

fn exported(measured: Vec<Measured>, format: Format) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = export(&run(measured), format, folder.path()).expect("exports");
    (folder, paths)
}

fn names(folder: &Path, paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| {
        path.strip_prefix(folder).expect("inside").to_str().expect("text").to_owned()
    };
    paths.iter().map(name).collect()
}

#[test]
fn hgrm_is_what_the_plotting_page_reads() {
    let (folder, paths) = exported(rounds(), Format::Hgrm);
    assert_eq!(names(folder.path(), &paths), ["global-pairs-t2.hgrm", "per-socket-pairs-t2.hgrm"]);
    let text = fs::read_to_string(&paths[0]).expect("readable");
    let expected = "       Value     Percentile TotalCount 1/(1-Percentile)

       2.000 0.000000000000          1           1.00
       4.001 0.100000000000         11           1.11
       4.001 1.000000000000         11            inf
#[Mean    =        3.819, StdDeviation   =        0.575]
#[Max     =        4.001, Total count    =           11]
#[Buckets =           26, SubBuckets     =         2048]
";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn hgrm_names_are_longer_where_they_must_be() {
    let mut large = latency("global", 0, &[7]);
    large.cell.message_bytes = 1024;
    large.cell_id = large.cell.id();
    large.latency_ns.receive = large.latency_ns.send.clone();
    large.latency_ns.send_higher_address = large.latency_ns.send.clone();
    let (folder, paths) = exported(vec![latency("global", 0, &[5]), large], Format::Hgrm);
    assert_eq!(
        names(folder.path(), &paths),
        [
            "global-pairs-t2-stream-64B-adaptive.hgrm",
            "global-pairs-t2-stream-1024B-adaptive.hgrm",
            "global-pairs-t2-stream-1024B-adaptive-send_lower_address.hgrm",
            "global-pairs-t2-stream-1024B-adaptive-send_higher_address.hgrm",
            "global-pairs-t2-stream-1024B-adaptive-receive.hgrm",
        ]
    );
}

#[test]
fn hlog_has_a_line_per_round() {
    let (folder, paths) = exported(rounds(), Format::Hlog);
    assert_eq!(names(folder.path(), &paths), ["20261123T091500Z-3fa2.hlog"]);
    let text = fs::read_to_string(&paths[0]).expect("readable");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "#[Histogram log format version 1.2]");
    assert!(lines[1].starts_with("#[StartTime: 1795425300.000 (seconds since epoch)"), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("\"StartTimestamp\",")), "{text}");
    let rows: Vec<&&str> = lines.iter().filter(|line| line.starts_with("Tag=")).collect();
    assert_eq!(rows.len(), 3);
    let fields: Vec<&str> = rows[1].split(',').collect();
    assert_eq!(
        fields[..4],
        ["Tag=pairs.global.stream.64B.t2.adaptive.send", "0.000", "1.000", "0.004"]
    );
    assert_eq!(histogram::decode(fields[4]).expect("a histogram").len(), 10);
}

#[test]
fn csv_has_a_line_per_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = run(rounds());
    run.records.push(finding().into());
    let paths = export(&run, Format::Csv, folder.path()).expect("exports");
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

/// A latency round in which no two fields have one value.
fn unlike() -> Measured {
    let mut round = latency("per-socket", 3, &[500; 4]);
    round.cell = Cell {
        rate_asked: Some(1.5),
        groups: Some(17),
        fan: Some(18),
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
    let counts = |from: u64| LockCounts {
        class: format!("class {from}"),
        acquisitions: from,
        contended: from + 100,
        relocks: from + 200,
        retries: from + 300,
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
    let (_folder, paths) = exported(vec![unlike()], Format::Csv);
    let mut reader = csv::Reader::from_path(&paths[0]).expect("readable");
    let names = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("as many fields");
    let found: Vec<(&str, &str)> = names.iter().zip(row.iter()).collect();
    let expected = [
        ("name", "pairs/per-socket/stream/64B/t16/adaptive/r1.5/g17f18/one+two"),
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
        ("err", ""),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_a_finding_has_of_the_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = run(Vec::new());
    let found = Finding { commit: Some("abc".to_owned()), count: 7, ..finding() };
    run.records.push(found.into());
    let paths = export(&run, Format::Csv, folder.path()).expect("exports");
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

/// Rounds at different times, of different lengths, with different percentiles.
#[test]
fn hlog_lines_stand_at_their_times() {
    let at = |mut round: Measured, after_ms: u64, seconds: f64| {
        round.started = results::time::rfc3339_utc(noon() + Duration::from_millis(after_ms));
        round.seconds = seconds;
        round
    };
    let rounds = vec![
        at(latency("global", 0, &[7_000_000]), 90_250, 0.5),
        at(latency("global", 1, &[2_000_000]), 0, 0.25),
        at(latency("per-socket", 1, &[3_000_000]), 1_500, 2.0),
        // No latency: it is not in the file, though it began first.
        Measured {
            started: results::time::rfc3339_utc(noon() - Duration::from_secs(60)),
            ..throughput("global", 0, 1)
        },
    ];
    let (_folder, paths) = exported(rounds, Format::Hlog);
    let text = fs::read_to_string(&paths[0]).expect("readable");
    assert!(text.contains("#[StartTime: 1795425300.000 (seconds since epoch)"), "{text}");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("Tag="))
        .map(|line| line.split(',').take(4).collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["Tag=pairs.global.stream.64B.t2.adaptive.send", "90.250", "0.500", "7.000"],
            ["Tag=pairs.global.stream.64B.t2.adaptive.send", "0.000", "0.250", "2.001"],
            ["Tag=pairs.per-socket.stream.64B.t2.adaptive.send", "1.500", "2.000", "3.000"],
        ]
    );
}

/// Flagged rounds are in no baseline, as long as there are others; of rounds that are all flagged
/// there is one all the same.
#[test]
fn criterion_leaves_flagged_rounds_out() {
    let times = |flags: [bool; 3]| {
        let mut rounds: Vec<Measured> = [1000, 2000, 4000]
            .into_iter()
            .enumerate()
            .map(|(round, operations)| throughput("global", round as u32, operations))
            .collect();
        for (round, flagged) in rounds.iter_mut().zip(flags) {
            round.host_noise.flagged = flagged;
        }
        let (_folder, paths) = exported(rounds, Format::Criterion);
        let bytes = fs::read(&paths[2]).expect("readable");
        let sample: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        sample["iters"].clone()
    };
    assert_eq!(times([false, true, false]), serde_json::json!([1000.0, 4000.0]));
    assert_eq!(times([true, false, false]), serde_json::json!([2000.0, 4000.0]));
}

#[test]
fn criterion_folders_hold_what_critcmp_reads() {
    let (folder, paths) = exported(rounds(), Format::Criterion);
    let inside = "pairs/global/stream_64B_t2_adaptive/20261123T091500Z-3fa2";
    assert_eq!(
        names(folder.path(), &paths),
        [
            format!("{inside}/benchmark.json"),
            format!("{inside}/estimates.json"),
            format!("{inside}/sample.json"),
        ]
    );
    let json = |path: &PathBuf| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON")
    };
    let benchmark = json(&paths[0]);
    assert_eq!(benchmark["full_id"], "pairs/global/stream/64B/t2/adaptive");
    assert_eq!(benchmark["group_id"], "pairs");
    assert_eq!(benchmark["throughput"]["Bytes"], 64);
    let estimates = json(&paths[1]);
    assert_eq!(estimates["median"]["point_estimate"], 500_000.0);
    assert_eq!(estimates["median"]["confidence_interval"]["confidence_level"], 0.75);
    assert_eq!(estimates["median"]["confidence_interval"]["upper_bound"], 1_000_000.0);
    assert!(estimates["slope"].is_null());
    for name in ["mean", "median_abs_dev", "std_dev"] {
        assert!(estimates[name]["confidence_interval"]["lower_bound"].is_f64(), "{name}");
        assert!(estimates[name]["standard_error"].is_f64(), "{name}");
    }
    let sample = json(&paths[2]);
    assert_eq!(sample["iters"], serde_json::json!([1000.0, 2000.0, 4000.0]));
    assert_eq!(sample["times"][0], 1e9);
}

#[test]
fn nothing_is_overwritten_and_nothing_is_half_written() {
    for format in Format::ALL {
        let (folder, paths) = exported(rounds(), format);
        let before = fs::read(&paths[0]).expect("readable");
        let error = export(&run(rounds()), format, folder.path()).expect_err("it exists");
        assert!(matches!(error, ExportError::Exists { .. }), "{error}");
        assert_eq!(fs::read(&paths[0]).expect("readable"), before);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut bad = rounds();
    bad[5].latency_ns.send.as_mut().expect("sends").histogram = "?".to_owned();
    for format in [Format::Hgrm, Format::Hlog] {
        assert!(export(&run(bad.clone()), format, folder.path()).is_err());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn nothing_to_export_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in Format::ALL {
        let error = export(&run(Vec::new()), format, folder.path()).expect_err("nothing");
        assert!(matches!(error, ExportError::Nothing { .. }), "{error}");
        assert_eq!(format.name().parse::<Format>().expect("its own name"), format);
    }
    let error = "svg".parse::<Format>().expect_err("unknown").to_string();
    assert!(error.contains("hgrm, hlog, csv and criterion"), "{error}");
}

#[test]
fn names_cannot_leave_the_folder() {
    let mut odd = latency("../../etc/x, y", 0, &[1]);
    odd.cell.workload = "..".to_owned();
    odd.cell_id = odd.cell.id();
    let mut plain = odd.clone();
    plain.measure = results::Measure::Throughput;
    for format in Format::ALL {
        let (folder, paths) = exported(vec![odd.clone(), plain.clone()], format);
        for path in paths {
            assert!(path.starts_with(folder.path()) && path.exists(), "{}", path.display());
            assert!(!path.components().any(|part| part.as_os_str() == ".."));
        }
    }
}

#[test]
fn a_log_knows_times_with_an_offset_and_says_what_is_none() {
    let at = |started: &str| {
        let mut round = latency("global", 0, &[5]);
        round.started = started.to_owned();
        round
    };
    let rounds = vec![at("2026-11-23T09:15:00.000Z"), at("2026-11-23T10:15:01.500+01:00")];
    let (_folder, paths) = exported(rounds, Format::Hlog);
    let text = fs::read_to_string(&paths[0]).unwrap();
    assert!(text.lines().last().unwrap().contains(",1.500,"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (run(vec![at("noon")]), folder.path().join("out"));
    let error = export(&run, Format::Hlog, &out).unwrap_err().to_string();
    assert!(error.contains(":1: ") && error.contains("\"noon\""), "{error}");
    assert!(!out.exists());
}
