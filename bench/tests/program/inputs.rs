//! What users type and what stands in their files: every number, inputs that test nothing, places
//! that cannot be written to.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::common::text;

/// A program that finds nothing.
const PROGRAM: &str = "r0, r1 = socketpair(stream)\nsend(r0, \"x\")\nrecv(r1, 8)\n";

fn solock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// With this on standard input.
fn given(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // It may refuse before it reads.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("ended")
}

/// Refused in a sentence or two that name what was wrong.
#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
    for word in words {
        assert!(said.contains(word), "it should say {word:?}: {said}");
    }
    assert!(said.len() < 1500 && !said.contains("panicked"), "{said}");
}

#[test]
fn every_number_of_the_command_line_is_one_or_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags: [(&[&str], &[&str]); 7] = [
        (
            &["run", "--workload", "paced"],
            &[
                "--seconds",
                "--rounds",
                "--within",
                "--budget",
                "--hang-limit",
                "--seed",
                "--size",
                "--threads",
                "--rate",
                "--groups",
                "--fan",
                "--cpus",
            ],
        ),
        (
            &["compare", ".", "."],
            &[
                "--slice",
                "--budget",
                "--seed",
                "--size",
                "--threads",
                "--rate",
                "--groups",
                "--fan",
            ],
        ),
        (&["fuzz"], &["--seconds", "--seed"]),
        (&["fuzz", "--child"], &["--from", "--seconds"]),
        (&["replay", "-"], &["--rounds", "--hang-limit"]),
        (&["replay", "--json", "-"], &["--rounds", "--hang-limit"]),
        (&["serve"], &["--hang-limit"]),
    ];
    let numbers = [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "1e300",
        "-1",
        "+0",
        " 3",
        "3 ",
        "",
        " ",
        "3%%",
        "%",
        "18446744073709551616",
        "0x10",
        "1_000",
        "1,",
        "½",
    ];
    for (command, flags) in flags {
        for flag in flags {
            for number in numbers {
                let asked = format!("{flag}={number}");
                let output = solock(command)
                    .arg(&asked)
                    .current_dir(folder.path())
                    .output()
                    .expect("solock starts");
                refused(&output, &[flag]);
                assert_eq!(text(&output.stdout), "", "{command:?} {asked}");
            }
        }
    }
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0, "nothing was begun");
}

#[test]
fn what_is_nought_and_cannot_be_is_refused() {
    for arguments in [
        ["run", "--rounds=0"],
        ["run", "--seconds=0"],
        ["run", "--within=0"],
        ["run", "--budget=0"],
        ["run", "--threads=0"],
        ["run", "--size=0"],
        ["fuzz", "--seconds=0"],
        ["serve", "--hang-limit=0"],
    ] {
        let flag = arguments[1].split('=').next().expect("a flag");
        refused(&solock(&arguments).output().expect("solock starts"), &[flag]);
    }
    for flag in ["--rounds=0", "--hang-limit=0"] {
        let output = given(&mut solock(&["replay", "-", flag]), PROGRAM.as_bytes());
        refused(&output, &[flag.split('=').next().expect("a flag")]);
    }
}

#[test]
fn an_input_that_tests_nothing_is_an_error() {
    let replay = |input: &str| given(&mut solock(&["replay", "-"]), input.as_bytes());
    for empty in ["", "\n\n", "# a remark\n", "backend: global\n", "layer: maxfiles=9\n"] {
        refused(&replay(empty), &["-: ", "no call"]);
        refused(&given(&mut solock(&["minimize", "-"]), empty.as_bytes()), &["no call"]);
    }
    refused(&solock(&["fuzz", "--seconds", "1e-9"]).output().expect("starts"), &["no program ran"]);
    for nothing in [&["controls", "--control", ""][..], &["fuzz", "--backend", ""]] {
        refused(&solock(nothing).output().expect("starts"), &["\"\""]);
    }
}

#[test]
fn numbers_in_programs_are_digits() {
    for (line, word) in [
        ("r+0, r1 = socketpair(stream)", "r+0"),
        ("r00, r1 = socketpair(stream)", "r00"),
        ("r0, r1 = socketpair(stream)\nrecv(r0, +8)", "+8"),
        ("r0, r1 = socketpair(stream)\nrecv(r0, 18446744073709551616)", "18446744073709551616"),
        ("r0, r1 = socketpair(stream)\nsend(r0, bytes(+2, 0))", "bytes(+2, 0)"),
        ("r0, r1 = socketpair(stream)\nsendmsg(r0, \"x\", rights=[r1*+2])", "r1*+2"),
        ("layer: maxfiles=+9\nr0 = socket(stream)", "maxfiles=+9"),
        ("layer: maxfiles=1e3\nr0 = socket(stream)", "maxfiles=1e3"),
    ] {
        refused(&given(&mut solock(&["replay", "-"]), line.as_bytes()), &[word]);
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_an_error_and_no_panic() {
    if !Path::new("/dev/full").exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: this system has no /dev/full");
        return;
    }
    let run = "../results/recorded/run.jsonl";
    let program = "../workloads/programs/kept/leak-nobufs.txt";
    let commands: [(&[&str], i32); 8] = [
        (&["list"], 0),
        (&["show", run], 0),
        (&["show", run, "--json"], 0),
        (&["controls", "--control", "leak-nobufs"], 0),
        (&["replay", program, "--backend", "leak-nobufs"], 2),
        (&["compare", "nosuch", "nosuch"], 1),
        (&["history"], 1),
        (&["fuzz", "--seconds", "0.2", "--backend", "global"], 0),
    ];
    for (arguments, code) in commands {
        // What goes wrong cannot be said; the code still tells it.
        let silent = solock(arguments).stderr(full()).stdout(Stdio::null()).status();
        assert_eq!(silent.expect("starts").code(), Some(code), "{arguments:?} 2>/dev/full");
        let output = solock(arguments).stdout(full()).output().expect("starts");
        let expected = if code == 0 { 1 } else { code };
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "{arguments:?} >/dev/full: {said}");
        assert!(!said.contains("panicked"), "{said}");
        let closed = ["-c", "exec \"$0\" \"$@\" >&- 2>&-", env!("CARGO_BIN_EXE_solock")];
        let status = Command::new("sh").args(closed).args(arguments).status().expect("starts");
        assert_eq!(status.code(), Some(code), "{arguments:?} >&- 2>&-");
    }
}

fn full() -> fs::File {
    fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk")
}
