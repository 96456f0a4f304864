//! `solock history` as its users meet it, on runs that are made up.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use results::{Cell, Host, LockCounts, Measured, Record, Store, time};
use serde_json::Value;
use solock::cpus::Cpus;
use solock::host;
use tempfile::TempDir;

use super::common;

const CELL: &str = "pairs/global/stream/64B/t1/adaptive";

fn this_machine() -> Host {
    host::describe(&Cpus::allowed().expect("the system says which CPUs"))
}

/// Stores a run of one round of each backend, begun so many minutes into a day.
fn store_run(folder: &Path, minute: u64, commit: Option<&str>, operations: u64, host: &Host) {
    store_built(folder, minute, commit, operations, (host, None));
}

/// The same of a program that was built in this way.
fn store_built(
    folder: &Path,
    minute: u64,
    commit: Option<&str>,
    operations: u64,
    (host, build): (&Host, Option<&str>),
) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000 + minute * 60);
    let writer = Store::open(folder).expect("writable").start(now).expect("starts");
    let rounds = ["global", "per-socket"].map(|backend| -> Record {
        let cell = Cell {
            backend: backend.to_owned(),
            workload: "pairs".to_owned(),
            socket_type: "stream".to_owned(),
            message_bytes: 64,
            threads: 1,
            wait: "adaptive".to_owned(),
            ..Cell::default()
        };
        let locks = LockCounts {
            class: "unp_lock".to_owned(),
            acquisitions: operations * 4,
            ..LockCounts::default()
        };
        let measured = Measured {
            cell_id: cell.id(),
            cell,
            seconds: 1.0,
            operations,
            operations_per_thread: vec![operations],
            operations_per_second: operations as f64,
            fairness_jain: 1.0,
            locks: vec![locks],
            host: host.clone(),
            commit: commit.map(str::to_owned),
            build: build.map(str::to_owned),
            started: time::rfc3339_utc(now),
            ..Measured::default()
        };
        measured.into()
    });
    writer.publish(&rounds).expect("published");
    writer.finish().expect("renamed");
}

fn solock(arguments: &[&str], runs: &Path, current: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.arg("history").args(arguments).arg("--from").arg(runs);
    command.current_dir(current).stdin(Stdio::null()).output().expect("solock starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"];
    common::git(folder, &[&identity[..], arguments].concat()).trim().to_owned()
}

/// A checkout of so many commits, and their names, oldest first.
fn checkout(count: usize) -> (TempDir, Vec<String>) {
    let folder = folder();
    git(folder.path(), &["init", "--quiet"]);
    let commit = |number: usize| {
        let message = format!("commit {number}");
        git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", &message]);
        git(folder.path(), &["rev-parse", "HEAD"])
    };
    let commits = (0..count).map(commit).collect();
    (folder, commits)
}

#[test]
fn runs_are_in_the_order_of_their_commits_and_changes_are_marked() {
    let (checkout, commits) = checkout(12);
    let runs = folder();
    // Measured from the newest to the oldest; the eighth commit made it slower.
    for (index, commit) in commits.iter().enumerate() {
        let operations = if index < 7 { 1_000_000 } else { 900_000 } + index as u64;
        store_run(runs.path(), 60 - index as u64, Some(commit), operations, &this_machine());
    }
    let output = solock(&["--cell", "pairs/global/"], runs.path(), checkout.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], CELL);
    assert_eq!(lines[1], "commit         began (UTC)   op/s  locks  relocks");
    assert_eq!(lines.len(), 2 + 12 + 1 + 1, "{said}");
    let shown: Vec<&str> = lines[2..].iter().filter_map(|line| line.split(' ').next()).collect();
    let mut expected: Vec<&str> = commits.iter().map(|commit| &commit[..8]).collect();
    expected.insert(7, "--");
    expected.push("");
    assert_eq!(shown, expected, "{said}");
    assert_eq!(lines[9], "-- op/s -10.0%: 1.00M before, 900k from here");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{said}");
}

#[test]
fn runs_of_other_machines_are_counted_and_left_out() {
    let (runs, nowhere) = (folder(), folder());
    let other = Host { cpus: 4096, ..this_machine() };
    store_run(runs.path(), 1, None, 1000, &this_machine());
    store_run(runs.path(), 2, Some("0123456789abcdef"), 2000, &this_machine());
    store_run(runs.path(), 3, None, 3000, &other);
    let said = text(&solock(&[], runs.path(), nowhere.path()).stdout);
    assert!(said.contains("pairs/per-socket/") && !said.contains("3.00k"), "{said}");
    assert!(said.contains("runs of other machines left out: 1\n"), "{said}");
    assert!(said.contains("in the order of time"), "{said}");
    // One round of each backend is too little for a ratio.
    assert_eq!(said.matches("without a ratio: 2 figures; too few rounds").count(), 1, "{said}");
}

#[test]
fn a_debug_build_of_a_commit_is_another_program() {
    let (runs, nowhere, host) = (folder(), folder(), this_machine());
    let fast = (&host, Some("opt-level 3"));
    store_built(runs.path(), 1, Some("0123456789abcdef"), 9000, (&host, None));
    store_built(runs.path(), 2, Some("0123456789abcdef"), 3000, fast);
    let slow = (&host, Some("opt-level 0, debug assertions"));
    store_built(runs.path(), 3, Some("0123456789abcdef"), 1000, slow);
    store_built(runs.path(), 4, Some("0123456789abcdef"), 3100, fast);
    let said = text(&solock(&[], runs.path(), nowhere.path()).stdout);
    assert!(said.contains("3.00k") && said.contains("3.10k"), "{said}");
    assert!(!said.contains("1.00k") && !said.contains("9.00k"), "{said}");
    assert!(
        said.contains(
            "built in another way than the newest, or by another compiler, left out: 2\n"
        ),
        "{said}"
    );
}

#[test]
fn what_git_refuses_is_said_in_its_words() {
    let (checkout, commits) = checkout(1);
    let runs = folder();
    store_run(runs.path(), 1, Some(&commits[0]), 1000, &this_machine());
    fs::write(checkout.path().join(".git/config"), "[broken").expect("written");
    let said = text(&solock(&[], runs.path(), checkout.path()).stdout);
    assert!(said.contains("order of time") && said.contains("bad config line"), "{said}");
}

#[test]
fn json_has_a_line_per_cell_and_metric() {
    let (runs, nowhere) = (folder(), folder());
    store_run(runs.path(), 1, Some("0123456789abcdef"), 1000, &this_machine());
    store_run(runs.path(), 2, None, 1250, &this_machine());
    let output = solock(&["--json", "--cell", CELL], runs.path(), nowhere.path());
    assert!(text(&output.stderr).contains("order of time"));
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let metrics: Vec<&Value> = lines.iter().map(|line| &line["metric"]).collect();
    assert_eq!(metrics, ["throughput", "acquisitions_per_operation", "relocks_per_operation"]);
    let throughput = &lines[0];
    assert_eq!((&throughput["kind"], &throughput["cell"]), (&"history".into(), &CELL.into()));
    assert_eq!(throughput["points"][0]["commit"], "0123456789abcdef");
    assert_eq!(throughput["points"][1]["commit"], Value::Null);
    assert_eq!(throughput["points"][1]["value"], 1250.0);
}

#[test]
fn what_cannot_be_shown_is_said() {
    let (runs, nowhere) = (folder(), folder());
    let output = solock(&[], runs.path(), nowhere.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no run of this machine is in"));
    store_run(runs.path(), 1, None, 1000, &this_machine());
    let damaged = runs.path().join("20261123T000200Z-0000.jsonl");
    std::fs::write(&damaged, "no record\n").expect("written");
    let output = solock(&["--cell", "nosuchcell"], runs.path(), nowhere.path());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("nosuchcell") && said.contains(CELL), "{said}");
    let output = solock(&[], runs.path(), nowhere.path());
    assert_eq!(output.status.code(), Some(0));
    // The path is broken where the line ends.
    let said = text(&output.stdout);
    assert!(said.contains("left out:") && said.contains("20261123T000200Z-0000.jsonl:1"), "{said}");
}
