//! Runs in the formats of other tools.

mod bmf;
mod columns;
mod edges;
mod github;
mod google_benchmark;
mod hyperfine;
mod ministat;
mod openmetrics;
mod readers;
mod will_it_scale;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use results::{Chosen, ExportError, FORMATS, Format, Measured, Run, histogram};

use self::readers::{about, python, said, skipped};
use crate::fixture::{latency, noon, run, throughput};

const GLOBAL: &str = "pairs/global/stream/64B/t2/adaptive";
const PER_SOCKET: &str = "pairs/per-socket/stream/64B/t2/adaptive";

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

/// Exports in the format of that name.
fn export(run: &Run, format: &str, folder: &Path) -> Result<Vec<PathBuf>, ExportError> {
    results::export(&Chosen::all(run), Format::named(format).expect("a format"), folder)
}

fn exported(measured: Vec<Measured>, format: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = export(&run(measured), format, folder.path()).expect("exports");
    (folder, paths)
}

/// The only file of a format, as JSON.
fn only(measured: Vec<Measured>, format: &str) -> serde_json::Value {
    let (_folder, paths) = exported(measured, format);
    assert_eq!(paths.len(), 1, "{paths:?}");
    let bytes = fs::read(&paths[0]).expect("readable");
    assert!(bytes.ends_with(b"\n"));
    serde_json::from_slice(&bytes).expect("JSON")
}

fn names(folder: &Path, paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| {
        path.strip_prefix(folder).expect("inside").to_str().expect("text").to_owned()
    };
    paths.iter().map(name).collect()
}

#[test]
fn hgrm_is_what_the_plotting_page_reads() {
    let (folder, paths) = exported(rounds(), "hgrm");
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
    let (folder, paths) = exported(vec![latency("global", 0, &[5]), large], "hgrm");
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
    let (folder, paths) = exported(rounds(), "hlog");
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
    let (_folder, paths) = exported(rounds, "hlog");
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
        let (_folder, paths) = exported(rounds, "criterion");
        let bytes = fs::read(&paths[2]).expect("readable");
        let sample: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        sample["iters"].clone()
    };
    assert_eq!(times([false, true, false]), serde_json::json!([1000.0, 4000.0]));
    assert_eq!(times([true, false, false]), serde_json::json!([2000.0, 4000.0]));
}

#[test]
fn criterion_folders_hold_what_critcmp_reads() {
    let (folder, paths) = exported(rounds(), "criterion");
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
    for format in FORMATS.map(|format| format.name) {
        let (folder, paths) = exported(rounds(), format);
        let before = fs::read(&paths[0]).expect("readable");
        let error = export(&run(rounds()), format, folder.path()).expect_err("it exists");
        assert!(matches!(error, ExportError::Exists { .. }), "{error}");
        assert_eq!(fs::read(&paths[0]).expect("readable"), before);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut bad = rounds();
    bad[5].latency_ns.send.as_mut().expect("sends").histogram = "?".to_owned();
    for format in ["hgrm", "hlog", "bmf", "github", "will-it-scale", "openmetrics"] {
        assert!(export(&run(bad.clone()), format, folder.path()).is_err());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn nothing_to_export_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in FORMATS.map(|format| format.name) {
        let error = export(&run(Vec::new()), format, folder.path()).expect_err("nothing");
        assert!(matches!(error, ExportError::Nothing { .. }), "{error}");
        assert!(error.to_string().ends_with(&format!("nothing to export as {format}")), "{error}");
    }
    assert!(Format::named("svg").is_none());
}

#[test]
fn names_cannot_leave_the_folder() {
    let mut odd = latency("../../etc/x, y", 0, &[1]);
    odd.cell.workload = "..".to_owned();
    odd.cell_id = odd.cell.id();
    let mut plain = odd.clone();
    plain.measure = results::Measure::Throughput;
    for format in FORMATS.map(|format| format.name) {
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
    let (_folder, paths) = exported(rounds, "hlog");
    let text = fs::read_to_string(&paths[0]).unwrap();
    assert!(text.lines().last().unwrap().contains(",1.500,"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (run(vec![at("noon")]), folder.path().join("out"));
    let error = export(&run, "hlog", &out).unwrap_err().to_string();
    assert!(error.contains(":1: ") && error.contains("\"noon\""), "{error}");
    assert!(!out.exists());
}

/// Reads a log as HdrHistogram's Python package does: tag, count, start and end in milliseconds,
/// and a percentile in nanoseconds.
const READ_LOG: &str = "
import sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 60000000000, 3))
while True:
    read = reader.get_next_interval_histogram()
    if read is None:
        break
    times = read.get_start_time_stamp(), read.get_end_time_stamp()
    print(read.get_tag(), read.get_total_count(), *times, read.get_value_at_percentile(99))
";

#[test]
fn the_log_is_read_by_hdrhistogram_for_python() {
    let (_folder, paths) = exported(rounds(), "hlog");
    let Some(said) = python(READ_LOG, "hdrh", &paths[0]) else {
        return skipped("HdrHistogram for Python", "pip install hdrhistogram");
    };
    let tag = |backend: &str| format!("pairs.{backend}.stream.64B.t2.adaptive.send");
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
    let found: Vec<[String; 3]> =
        lines.iter().map(|line| [line[0], line[1], line[4]].map(str::to_owned)).collect();
    let expected = [("global", "1", "2000"), ("global", "10", "4001"), ("per-socket", "4", "500")];
    let expected = expected.map(|(backend, count, ns)| [tag(backend), count.into(), ns.into()]);
    assert_eq!(found, expected, "{said}");
    let lasts = |line: &Vec<&str>| {
        let time = |field: &str| field.parse::<f64>().expect("a time");
        time(line[3]) - time(line[2])
    };
    assert!(lines.iter().all(|line| (lasts(line) - 1000.0).abs() < 1.0), "of a second: {said}");
}

#[test]
fn critcmp_shows_the_run_as_a_baseline() {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, operations) in [("before", 10_000), ("after", 8_000)] {
        let mut run = run(about("global", operations).collect());
        run.id = id.to_owned();
        export(&run, "criterion", &folder.path().join("criterion")).expect("exports");
    }
    let target = folder.path().to_str().expect("UTF-8");
    let arguments = ["--target-dir", target, "--color", "never", "before", "after"];
    let Some(said) = said("critcmp", &arguments) else {
        return skipped("critcmp", "cargo install critcmp");
    };
    let row = said.lines().find(|line| line.starts_with(GLOBAL));
    let row = row.unwrap_or_else(|| panic!("a row: {said}"));
    assert!(row.contains("1.00") && row.contains("1.25"), "{said}");
}

/// Where percentiles mean nothing there are none.
#[test]
fn void_percentiles_are_not_exported() {
    let mut late = latency("global", 0, &[7]);
    late.overloaded = true;
    for (format, word) in [("bmf", "latency"), ("github", "p99"), ("openmetrics", "percentile")] {
        let (_folder, paths) = exported(vec![throughput("global", 0, 1), late.clone()], format);
        let text = fs::read_to_string(&paths[0]).expect("readable");
        assert!(!text.contains(word), "{format}: {text}");
    }
}

/// Some cells alone, in every format.
#[test]
fn what_is_chosen_is_exported_and_nothing_else() {
    let all = vec![
        throughput("global", 0, 1000),
        latency("global", 0, &[2000]),
        throughput("per-socket", 0, 500),
        latency("per-socket", 0, &[1000]),
    ];
    let run = run(all);
    for format in &FORMATS {
        let chosen = Chosen { run: &run, cells: "pairs/per-socket/" };
        let files = results::export::contents(&chosen, format).expect(format.name);
        let said = |word: &str| {
            let told = |(path, bytes): &(PathBuf, Vec<u8>)| {
                let text = String::from_utf8_lossy(bytes);
                path.to_string_lossy().contains(word) || text.contains(word)
            };
            files.iter().any(told)
        };
        let is_named = said("per-socket") && !said("global");
        assert!(is_named, "{}: {:?}", format.name, files.iter().map(|one| &one.0));
        let none = Chosen { run: &run, cells: "nosuchcell" };
        let error = results::export::contents(&none, format).expect_err(format.name).to_string();
        assert!(error.contains("whose name contains \"nosuchcell\""), "{error}");
    }
}
