//! Runs as other programs read them, and numbers of others beside runs.
#![cfg(unix)]

#[path = "../../../results/tests/all/closed.rs"]
mod closed;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use results::{FORMATS, Store};

use super::common::text;

/// A run file, the newest of its folder.
const RECORDED: &str = "../results/recorded/run.jsonl";
/// As will-it-scale's `runtest.py` prints it, on three CPUs of which one said nothing.
const SCALE: &str = "tasks,processes,processes_idle,threads,threads_idle,linear\n\
                     0,0,100,0,100,0\n\
                     1,1000000,66.60,900000,66.70,1000000\n\
                     2,1900000,33.30,1500000,33.35,2000000\n\
                     3,2800000,0.01,-1,0.02,3000000\n";

fn solock(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().expect("starts")
}

#[track_caller]
fn succeeds(arguments: &[&str], folder: &Path) -> String {
    let output = solock(arguments, folder);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn refused(arguments: &[&str], folder: &Path, words: &[&str]) {
    let output = solock(arguments, folder);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "it should say {word:?}: {said}");
    }
    assert!(said.len() < 1000 && !said.contains("panicked"), "{said}");
}

/// Says that a program is not there, or fails where it must be. The tests' runner keeps to itself
/// what is printed, but not what is written.
fn skipped(program: &str, how: &str) {
    let required = std::env::var("SOLOCK_REQUIRE_READERS").is_ok_and(|value| value == "1");
    assert!(!required, "no {program}: {how}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: no {program}; {how}");
}

/// A folder with a fresh run of two backends.
fn measured() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "--workload", "pairs", "--threads", "1", "--backend", "global,per-socket"];
    // Long enough that a lane sees some of it, however busy the machine is.
    let more = ["--seconds", "0.3", "--rounds", "3", "--out", "runs"];
    succeeds(&[&run[..], &more].concat(), folder.path());
    folder
}

/// A folder with a recorded run.
fn recorded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("runs")).expect("made");
    let run = folder.path().join("runs/20261123T091500Z-3fa2.jsonl");
    fs::copy(RECORDED, run).expect("copied");
    folder
}

#[test]
fn a_fresh_run_is_written_in_every_format_and_is_what_the_schema_says() {
    let folder = measured();
    for format in FORMATS.map(|format| format.name) {
        let export = ["export", "last", "--from", "runs", "--format", format];
        let written = succeeds(&[&export[..], &["--out", format]].concat(), folder.path());
        let files: Vec<&str> = written.lines().collect();
        let printed = succeeds(&export, folder.path());
        let first = fs::read_to_string(folder.path().join(files[0])).expect("readable");
        assert!(printed == first && !printed.is_empty(), "{format}");
    }
    schema(&folder.path().join("runs"));
}

/// The pipe of the README. On a busy machine a fresh run has fewer rounds than ministat asks for.
#[test]
fn ministat_prints_its_box_at_the_end_of_a_pipe() {
    let folder = recorded();
    let export = ["export", "last", "--from", "runs", "--format", "ministat"];
    let output = solock(&export, folder.path());
    let said = text(&output.stderr);
    assert!(said.contains("this is pairs-t1/global, the first of 25 files"), "{said}");
    let ministat = Command::new("ministat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut ministat) = ministat else {
        return skipped("ministat", "apt-get install ministat");
    };
    let mut input = ministat.stdin.take().expect("piped");
    input.write_all(&output.stdout).expect("read");
    drop(input);
    let exported = text(&output.stdout);
    let rounds = exported.lines().filter(|line| !line.starts_with('#')).count();
    assert!(rounds >= 10, "{exported}");
    let output = ministat.wait_with_output().expect("ended");
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.starts_with("x <stdin>\n+--"), "{shown}");
    assert!(shown.contains(&format!("\nx {rounds:>3} ")), "{rounds} rounds: {shown}");
}

/// Every line of a folder's runs is what the schema says, and has nothing that it does not name.
fn schema(runs: &Path) {
    let schema = serde_json::from_str(include_str!("../../../results/schema.json")).expect("JSON");
    let closed = jsonschema::validator_for(&closed::closed(schema)).expect("a schema");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        fs::read_to_string(entry.expect("listed").path()).expect("readable")
    };
    let text: String = fs::read_dir(runs).expect("a folder").map(read).collect();
    assert!(text.lines().count() > 0);
    for line in text.lines() {
        let value = serde_json::from_str(line).expect("JSON");
        assert!(closed.is_valid(&value), "{:?}", closed.iter_errors(&value).collect::<Vec<_>>());
    }
}

#[test]
fn a_pattern_chooses_cells_and_one_that_fits_none_says_so() {
    let folder = recorded();
    let export = ["export", "last", "--from", "runs", "--format", "ministat", "--cell"];
    let one = [&export[..], &["pairs/per-socket/stream/64B/t2/"]].concat();
    let output = solock(&one, folder.path());
    assert_eq!(text(&output.stderr), "", "one file, and nothing else to say");
    assert!(text(&output.stdout).starts_with("# pairs/per-socket/stream/64B/t2/adaptive: "));
    refused(&[&export[..], &["nosuch"]].concat(), folder.path(), &["contains \"nosuch\""]);
}

/// Imports a text; where that is is the answer.
fn import(folder: &Path, file: &str, content: &str, format: &str) -> PathBuf {
    fs::write(folder.join(file), content).expect("written");
    let import = ["import", file, "--format", format, "--out", "runs"];
    PathBuf::from(succeeds(&import, folder).trim_end())
}

#[test]
fn numbers_of_others_are_shown_beside_a_run() {
    let folder = recorded();
    let path = import(folder.path(), "getppid.csv", SCALE, "will-it-scale");
    let ours = Store::at(folder.path().join("runs")).read("20261123T091500Z-3fa2").expect("ours");
    let name = path.to_str().expect("UTF-8");
    let shown = succeeds(&["show", "20261123T091500Z-3fa2", name, "--from", "runs"], folder.path());
    let alone = succeeds(&["show", "20261123T091500Z-3fa2", "--from", "runs"], folder.path());
    let (before, behind) = shown.split_at(alone.len());
    assert_eq!(before, alone, "of ours not a letter is another");
    assert!(behind.starts_with("\ngetppid (as will-it-scale, "), "{behind}");
    let words = behind.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no ratio and no verdict says anything about them"), "{behind}");
    let rows: Vec<Vec<&str>> =
        behind.lines().map(|line| line.split_whitespace().collect()).collect();
    let has = |row: &str| assert!(rows.contains(&row.split(' ').collect()), "{row}: {behind}");
    has("processes 3 2.80M operations per second");
    has("processes, machine idle 1 66.6 %");
    has("threads 2 1.50M operations per second");
    assert!(!rows.contains(&"threads 3 -1.00 operations per second".split(' ').collect()));
    let json = succeeds(&["show", name, "--json", "--from", "runs"], folder.path());
    assert_eq!(json, fs::read_to_string(folder.path().join(&path)).expect("readable"));
    let plot = ["plot", "20261123T091500Z-3fa2", name, "--from", "runs", "--out", "plots"];
    succeeds(&plot, folder.path());
    let report = fs::read_to_string(folder.path().join("plots/report.html")).expect("a report");
    assert!(report.contains("<caption>getppid</caption>"));
    assert!(report.contains("<td data-value=\"2800000\">2.80M</td>"));
    // They are of no machine and no commit.
    assert_eq!(ours.foreign().count(), 0);
    succeeds(&["export", "last", "--from", "runs", "--format", "csv"], folder.path());
}

#[test]
fn numbers_of_others_get_no_verdict() {
    let folder = recorded();
    let path = import(folder.path(), "other.csv", "name,value,unit\nsend,41,ns\n", "csv");
    let name = path.to_str().expect("UTF-8");
    for sides in [[name, "20261123T091500Z-3fa2"], ["20261123T091500Z-3fa2", name], [name, name]] {
        let compare = ["compare", sides[0], sides[1], "--out", "runs"];
        refused(&compare, folder.path(), &["numbers of others", "no verdict", "solock show"]);
    }
    let export = ["export", name, "--format", "csv", "--out", "out"];
    refused(&export, folder.path(), &["numbers of others"]);
    refused(&["plot", name, "--out", "plots"], folder.path(), &["name a run"]);
    let history = solock(&["history", "--from", "runs"], folder.path());
    assert!(!text(&history.stderr).contains("other.csv"), "{}", text(&history.stderr));
}

#[test]
fn what_is_no_table_of_numbers_leaves_no_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let head = "name,tasks,value,unit\n";
    let cases: [(&str, &str, &[u8], &[&str]); 12] = [
        ("csv", "wide", b"\xff\xfen\0a\0m\0e\0", &["UTF-16", "save it as UTF-8"]),
        ("csv", "empty", b"", &["there is no column \"name\", nor any other"]),
        ("csv", "head", head.as_bytes(), &["has no number"]),
        ("csv", "columns", b"name,number\nx,1\n", &["no column \"value\"", "name, number"]),
        ("csv", "word", b"name,value\nx,fast\n", &["word:2:", "\"fast\" is no number"]),
        ("csv", "far", b"name,value\nx,1\ny,1e999\n", &["far:3:", "is no number"]),
        ("csv", "nan", b"name,value\nx,nan\n", &["nan:2:", "is no number"]),
        ("csv", "tasks", b"name,tasks,value\nx,-1,1\n", &["is no number of tasks"]),
        ("csv", "short", b"name,value\nx\n", &["short:2:", "found record with 1 field"]),
        ("csv", "steering", b"name,value\n\x1b[2J,1\n", &["steering:2:", "control character"]),
        ("csv", "bytes", b"name,value\n\xff,1\n", &["bytes:2:", "UTF-8"]),
        ("will-it-scale", "other", b"name,value\nx,1\n", &["no column \"tasks\""]),
    ];
    for (format, file, content, words) in cases {
        fs::write(folder.path().join(file), content).expect("written");
        let import = ["import", file, "--format", format, "--out", "runs"];
        refused(&import, folder.path(), words);
        assert!(!folder.path().join("runs").exists(), "{file}");
    }
    let nothing = ["import", "nosuchfile", "--format", "csv", "--out", "runs"];
    refused(&nothing, folder.path(), &["cannot read nosuchfile"]);
    let format = ["import", "empty", "--format", "xml"];
    let said = text(&solock(&format, folder.path()).stderr);
    assert!(said.contains("will-it-scale"), "{said}");
}

/// What spreadsheets write, with their mark in front; and numbers that have no digit among the
/// first three behind the point.
#[test]
fn a_byte_order_mark_is_no_part_of_a_name_and_a_small_number_is_none_of_zeros() {
    let folder = tempfile::tempdir().expect("a folder");
    for head in ["\u{feff}name,value,unit\n", "\u{feff}\"name\",value,unit\r\n"] {
        let table = head.to_owned() + "one,0.00042,s\nother,2.5e-9,s\n";
        let path = folder.path().join(import(folder.path(), "sheet.csv", &table, "csv"));
        let path = path.to_str().expect("UTF-8");
        let read = Store::at(folder.path()).read(path).expect("a run");
        let found: Vec<(&str, f64)> =
            read.foreign().map(|one| (one.name.as_str(), one.value)).collect();
        assert_eq!(found, [("one", 0.00042), ("other", 2.5e-9)]);
        let shown = succeeds(&["show", path], folder.path());
        assert!(shown.contains(" 4.2e-4 ") && shown.contains(" 2.5e-9 "), "{shown}");
    }
}

/// What is exported as a table by tasks is one.
#[test]
fn a_table_by_tasks_is_read_back() {
    let folder = recorded();
    let export = ["export", "last", "--from", "runs", "--format", "will-it-scale", "--cell"];
    let table = succeeds(&[&export[..], &["pairs/global/"]].concat(), folder.path());
    let path = folder.path().join(import(folder.path(), "global.csv", &table, "will-it-scale"));
    let path = path.to_str().expect("UTF-8");
    let read = Store::at(folder.path()).read(path).expect("a run");
    let found: Vec<(u32, bool)> =
        read.foreign().map(|one| (one.tasks.expect("tasks"), one.value > 1e6)).collect();
    assert_eq!(found, [(1, true), (2, true)]);
}
