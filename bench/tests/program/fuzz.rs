//! `solock fuzz`, `replay` and `minimize` as their users meet them.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

fn solock(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_solock")).args(arguments).output().expect("solock starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn kept(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../workloads/programs/kept");
    folder.join(name).to_str().expect("a path").to_owned()
}

/// Fuzzes a twin until it is found; the folder, and the one file in it.
fn found(twin: &str) -> (TempDir, String, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    let arguments =
        ["fuzz", "--backend", twin, "--seed", "1", "--seconds", "60", "--json", "--out", out];
    let output = solock(&arguments);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let lines: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1]["findings"], 1);
    let file = lines[0]["file"].as_str().expect("a file").to_owned();
    (folder, file, lines[0].clone())
}

/// A twin is found, and its program is small and fails again.
#[track_caller]
fn is_found(twin: &str, kind: &str, calls: u64) {
    let (_folder, file, finding) = found(twin);
    assert_eq!(finding["kind"], kind);
    let text = std::fs::read_to_string(&file).expect("the program");
    assert!(finding["calls"].as_u64().expect("a number") <= calls, "{text}");
    let again = solock(&["replay", &file]);
    assert_eq!(again.status.code(), Some(2), "{text}{}", stderr(&again));
    // On the backends without the fault the same program finds nothing.
    let clean = solock(&["replay", &file, "--backend", "global,per-socket,lock-free"]);
    assert_eq!(clean.status.code(), Some(0), "{text}{}{}", stdout(&clean), stderr(&clean));
}

#[test]
fn the_historical_leak_is_found_and_its_program_is_small() {
    is_found("leak-nobufs", "leaked_locks in sys_sendmsg", 4);
}

#[test]
fn a_message_that_is_not_freed_is_found() {
    is_found("leak-message", "objects_left in end of run", 4);
}

#[test]
fn a_wrong_order_is_found() {
    let (_folder, file, _) = found("order");
    assert_eq!(solock(&["replay", &file]).status.code(), Some(2));
}

#[test]
fn the_historical_program_fails_on_the_twin_alone() {
    let file = kept("leak-nobufs.txt");
    let clean = solock(&["replay", &file]);
    assert_eq!(clean.status.code(), Some(0), "{}", stderr(&clean));
    assert!(stdout(&clean).contains("ENOBUFS"), "{}", stdout(&clean));
    let twin = solock(&["replay", &file, "--backend", "leak-nobufs"]);
    assert_eq!(twin.status.code(), Some(2));
    assert!(stderr(&twin).contains("exclusive rwlock solock"), "{}", stderr(&twin));
}

#[test]
fn programs_run_on_other_locks_under_names_of_their_own() {
    let fuzz =
        |more: &[&str]| solock(&[&["fuzz", "--seconds", "0.5", "--seed", "1"], more].concat());
    let output = fuzz(&["--backend", "global,host", "--lock", "mcs,parking-lot"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("fuzzing global/mcs, global, host for 0.5 s"), "{said}");
    assert!(said.contains("skipped: host on mcs: host is the machine's own layer"), "{said}");
    for (arguments, why) in [
        (&["--backend", "host", "--lock", "mcs"][..], "no backend is left"),
        (&["--backend", "leak-nobufs", "--lock", "mcs"], "no backend is left"),
        (&["--backend", "global/mcs", "--lock", "ticket"], "names its lock, and so does --lock"),
        (&["--backend", "global/mc"], "did you mean \"mcs\"?"),
        (&["--backend", "gobal/mcs"], "no backend is called \"gobal/mcs\""),
        (&["--backend", "host/mcs"], "host is the machine's own layer"),
        (&["--backend", "leak-nobufs/mcs"], "on the default lock alone"),
        (&["--lock", "mc"], "did you mean \"mcs\"?"),
    ] {
        let output = fuzz(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{arguments:?}: {}", stderr(&output));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("program.txt");
    let text = std::fs::read_to_string(kept("leak-nobufs.txt")).expect("the program");
    std::fs::write(&file, format!("backend: per-socket/ticket\n{text}")).expect("written");
    let output = solock(&["replay", file.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("per-socket/ticket"), "{}", stdout(&output));
}

#[test]
fn cases_are_replayed_on_every_backend() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../workloads/programs/cases/rights.txt");
    let clean = solock(&["replay", file]);
    assert_eq!(clean.status.code(), Some(0), "{}{}", stdout(&clean), stderr(&clean));
    for word in ["nothing found", "cases", "global", "lock-free", "host"] {
        assert!(stdout(&clean).contains(word), "{word:?}: {}", stdout(&clean));
    }
    let twin = solock(&["replay", file, "--backend", "leak-nobufs"]);
    assert_eq!(twin.status.code(), Some(2));
    for words in ["case rights-after-peer-shut-rd (stream)", "exclusive rwlock solock"] {
        assert!(stderr(&twin).contains(words), "{words:?}: {}", stderr(&twin));
    }
    let twin = solock(&["replay", file, "--backend", "leak-nobufs", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&stdout(&twin)).expect("one line");
    assert_eq!(line["kind"], "leaked_locks in sys_sendmsg");
    assert!(line["report"].as_str().expect("text").starts_with("case rights-after-peer-shut-rd"));
}

#[test]
fn a_case_with_a_wrong_answer_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("case.txt");
    let text = "# one\ncase a (dgram):\n  r0 = socket(type)\n  send(r0, \"x\") = EPIPE\n";
    std::fs::write(&file, text).expect("written");
    let path = file.to_str().expect("a path");
    let output = solock(&["replay", path]);
    assert_eq!(output.status.code(), Some(2));
    for words in ["global: send EDESTADDRREQ for EPIPE", "case a (dgram), call 2 of 2"] {
        assert!(stdout(&output).contains(words), "{words:?}: {}", stdout(&output));
    }
    refused(&["minimize", path], &["line 2", "a program has no `case`"]);
}

#[test]
fn minimize_writes_the_smaller_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let (long, short) = (folder.path().join("long.txt"), folder.path().join("short.txt"));
    let text = "backend: leak-nobufs\nr0, r1 = socketpair(stream)\nr2 = dup(r0)\nsend(r2, \"a\")\n\
                recv(r1, 9)\nshutdown(r1, rd)\nsendmsg(r2, bytes(99, 3), rights=[r0, r1])\n";
    std::fs::write(&long, text).expect("written");
    let paths = [&long, &short].map(|path| path.to_str().expect("a path"));
    let output = solock(&["minimize", paths[0], "--out", paths[1]]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let small = std::fs::read_to_string(&short).expect("the smaller program");
    assert!(small.contains("sendmsg(r0, \"x\", rights=[r0])"), "{small}");
    assert!(!small.contains("dup"), "{small}");
    assert_eq!(solock(&["replay", paths[1]]).status.code(), Some(2));
}

#[test]
fn correct_backends_are_not_accused() {
    let arguments = ["fuzz", "--seed", "9", "--seconds", "2", "--json"];
    let output = solock(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let line: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one line");
    assert!(line["operations"].as_u64().expect("a number") > 0);
    assert_eq!(line["findings"], 0);
}

/// Refused with exit 1, and these words.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let output = solock(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    for word in words {
        assert!(stderr(&output).contains(word), "{word:?}: {}", stderr(&output));
    }
}

#[test]
fn wrong_requests_are_refused_with_what_is_valid() {
    refused(&["fuzz", "--backend", "nfs"], &["nfs", "per-socket", "leak-nobufs"]);
    refused(&["fuzz", "--seconds", "0"], &["--seconds 0", "above 0"]);
    refused(&["replay", "/nowhere.txt"], &["/nowhere.txt", "cannot be read"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.txt");
    std::fs::write(&file, "r0 = socket(stream)\nfrobnicate(r0)\n").expect("written");
    let path = file.to_str().expect("a path");
    refused(&["replay", path], &["line 2", "frobnicate", "PROGRAMS.md"]);
    refused(&["minimize", path], &["line 2"]);
}
