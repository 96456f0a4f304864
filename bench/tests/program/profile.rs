//! `solock profile`: what it prints, what it keeps, and what nobody may make of it.

use std::path::Path;
use std::process::{Command, Output};

use results::{Run, Store};
use serde_json::Value;
use tempfile::TempDir;

fn solock(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).current_dir(folder).output().expect("solock starts")
}

/// Standard output of a command that must succeed.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = solock(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The sentence of a command that must be refused.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = solock(folder, arguments);
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    error
}

const SHORT: [&str; 9] =
    ["profile", "--workload", "duplex", "--threads", "2", "--seconds", "0.1", "--rounds", "1"];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn only_run(folder: &Path) -> Run {
    Store::at(folder.join("solock-runs")).read("last").expect("a run")
}

#[test]
fn it_prints_lock_stats_columns_and_the_parts_and_others_show_and_draw_them() {
    let folder = folder();
    let text = said(folder.path(), &SHORT);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for word in ["acquisi-", "solock", "unplock", "of wall", "uipc/send.rs:", "per lock pair"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let run = only_run(folder.path());
    assert!(run.is_profile());
    let is_shown = |backend: &&lockimpls::Backend| backend.modelled && backend.is_usual;
    assert_eq!(run.splits().count(), lockimpls::backends().iter().filter(is_shown).count());
    for split in run.splits() {
        let classes = run.profiles().filter(|profile| profile.cell == split.cell_id);
        // The lock-free path may be all there was.
        let may_take_none = split.cell.backend == "lock-free";
        assert!(classes.count() > 0 || may_take_none, "{}", split.cell_id);
        assert!(split.operations > 0 && split.profiling_ns_per_pair != 0.0);
    }
    assert_eq!(said(folder.path(), &["show", "last"]), text);
    let lines = said(folder.path(), &["show", "last", "--json"]);
    let stored = std::fs::read_to_string(&run.path).expect("the file");
    assert_eq!(lines.lines().count(), stored.lines().count());
    let drawn = said(folder.path(), &["plot", "last", "--out", "plots"]);
    assert!(drawn.contains("report: plots/report.html"), "{drawn}");
    assert!(folder.path().join("plots/split.svg").is_file());
    // Nothing that needs a rate takes it.
    for arguments in
        [&["compare", "last", "last"][..], &["export", "last", "--format", "csv", "--out", "x"]]
    {
        let why = refused(folder.path(), arguments);
        assert!(why.contains("is a profile: it tells no operations per second"), "{why}");
    }
    let history = said(folder.path(), &["history", "--json"]);
    assert!(history.is_empty(), "{history}");
}

#[test]
fn json_is_a_line_for_each_class_and_one_for_each_cell() {
    let folder = folder();
    let backend = ["--backend", "per-buffer,global", "--lock", "mcs", "--json"];
    let lines = said(folder.path(), &[&SHORT[..], &backend].concat());
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["kind"] == kind).collect() };
    assert_eq!(of("profile").len() + of("split").len(), lines.len());
    assert_eq!(of("split").len(), 2);
    let classes = |cell: &str| -> Vec<String> {
        let is_of = |line: &&&Value| line["cell"].as_str().is_some_and(|id| id.contains(cell));
        let name = |line: &&Value| line["class"].as_str().unwrap_or_default().to_owned();
        of("profile").iter().filter(is_of).map(name).collect()
    };
    assert_eq!(classes("/global/"), ["unplock"]);
    assert_eq!(classes("/per-buffer/"), ["sbuf", "solock", "sbrcv", "sbsnd"]);
    for split in of("split") {
        assert!(split["cell"].as_str().expect("a cell").ends_with("/mcs"), "{split}");
        let parts = split["ns_per_operation"].as_object().expect("parts");
        let sum: f64 = parts.values().filter_map(Value::as_f64).sum();
        assert!(sum > 0.0 && parts.len() == 6, "{split}");
    }
}

/// One thread finds every lock free that it tries.
#[test]
fn what_a_try_saved_is_told_of_the_backend_that_tries() {
    let folder = folder();
    let cells = ["--backend", "per-socket-try,per-socket", "--seconds", "0.1", "--rounds", "1"];
    let pairs = ["profile", "--workload", "pairs", "--threads", "1"];
    let text = said(folder.path(), &[&pairs[..], &cells].concat());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let told: Vec<&str> = text.lines().filter(|line| line.contains(" relocks, ")).collect();
    let [one, other] = told[..] else { panic!("{text}") };
    let (plain, tried) = if one.contains("saved") { (other, one) } else { (one, other) };
    assert!(plain.ends_with(" relocks, 0 retries"), "{text}");
    let is_tried = tried.starts_with("solock: 0 relocks, 0 retries; ");
    assert!(is_tried && tried.ends_with(" saved by a try, 100.0% of all"), "{text}");
    let lines = said(folder.path(), &["show", "last", "--json"]);
    for line in lines.lines().filter(|line| line.contains(r#""kind":"profile""#)) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let is_tried = line["cell"].as_str().is_some_and(|cell| cell.contains("per-socket-try"));
        let of_sites: u64 = line["sites"]
            .as_array()
            .expect("sites")
            .iter()
            .filter_map(|site| site["saved"].as_u64())
            .sum();
        assert_eq!(line["saved"].as_u64().unwrap_or(0), of_sites, "{line}");
        assert_eq!(line.get("saved").is_some(), is_tried, "{line}");
        assert_eq!(line["relocks"].as_u64() > Some(0), !is_tried, "{line}");
    }
}

#[test]
fn what_cannot_be_profiled_is_refused_in_words() {
    let folder = folder();
    let with = |more: &[&'static str]| [&SHORT[..], more].concat();
    let why = refused(folder.path(), &with(&["--backend", "host"]));
    assert!(why.contains("host: its locks are the machine's"), "{why}");
    let why = refused(folder.path(), &with(&["--ambient", "f-mtx"]));
    assert!(why.contains("without --ambient"), "{why}");
    let output = solock(folder.path(), &with(&["--within", "3%"]));
    assert_eq!(output.status.code(), Some(1), "a ratio has a width, a profile has none");
    let both = solock(folder.path(), &with(&["--backend", "host,global"]));
    let error = String::from_utf8(both.stderr).expect("UTF-8");
    assert!(error.contains("skipped: host: its locks are the machine's"), "{error}");
    assert_eq!(both.status.code(), Some(0), "{error}");
}
