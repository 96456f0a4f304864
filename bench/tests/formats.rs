//! Runs as other programs read them.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use results::FORMATS;

/// A run file, the newest of its folder.
const RECORDED: &str = "../results/recorded/run.jsonl";

fn solock(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().expect("starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

/// Says that a program is not there, or fails where it must be.
fn skipped(program: &str, how: &str) {
    let required = std::env::var("SOLOCK_REQUIRE_READERS").is_ok_and(|value| value == "1");
    assert!(!required, "no {program}: {how}");
    eprintln!("SKIPPED: no {program}; {how}");
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
fn a_fresh_run_is_written_in_every_format() {
    let folder = measured();
    for format in FORMATS.map(|format| format.name) {
        let export = ["export", "last", "--from", "runs", "--format", format];
        let written = succeeds(&[&export[..], &["--out", format]].concat(), folder.path());
        let files: Vec<&str> = written.lines().collect();
        let printed = succeeds(&export, folder.path());
        let first = fs::read_to_string(folder.path().join(files[0])).expect("readable");
        assert!(printed == first && !printed.is_empty(), "{format}");
    }
    ministat(folder.path());
}

/// The pipe of the README.
fn ministat(folder: &Path) {
    let export = ["export", "last", "--from", "runs", "--format", "ministat"];
    let output = solock(&export, folder);
    let said = text(&output.stderr);
    assert!(said.contains("this is pairs-t1/global, the first of 2 files"), "{said}");
    let ministat = Command::new("ministat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut ministat) = ministat else {
        return skipped("ministat", "apt-get install ministat");
    };
    let mut input = ministat.stdin.take().expect("piped");
    input.write_all(&output.stdout).expect("read");
    drop(input);
    let output = ministat.wait_with_output().expect("ended");
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.starts_with("x <stdin>\n+--"), "{shown}");
    assert!(shown.contains("\nx   3 "), "three rounds: {shown}");
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
