//! What the surroundings refuse is exit 1 and says what to do: it is no finding, whatever the
//! machine's sockets answer then. And what is given as a file and is none is not waited for.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::common::text;

/// A program that gives a socket a name.
const BINDS: &str = "r0 = socket(stream)\nbind(r0, \"a\")\nlisten(r0, 5)\n";

/// `solock`, after this in the shell. It is ended when it waits for ever.
fn after(shell: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_solock")]);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("known").is_none() {
        if Instant::now() > until {
            child.kill().expect("ended");
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("ended")
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {said}{}", text(&output.stdout));
    for word in words {
        assert!(said.contains(word), "it should say {word:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("binds"), BINDS).expect("written");
    folder
}

#[test]
fn a_folder_that_the_machine_refuses_is_named_and_nothing_is_found() {
    let folder = folder();
    for (refuses, why) in
        [("/nonexistent", "No such file"), ("/dev/null", "Not a directory"), ("/proc", "")]
    {
        let there = format!("export TMPDIR={refuses}");
        for arguments in [
            &["fuzz", "--seconds", "5", "--backend", "host"][..],
            &["fuzz", "--seconds", "5"],
            &["replay", "binds", "--backend", "host"],
            &["replay", "binds", "--backend", "host", "--json"],
            &["minimize", "binds", "--backend", "host"],
        ] {
            let output = after(&there, arguments, folder.path());
            refused(&output, &[refuses, "TMPDIR", why]);
            assert_eq!(text(&output.stdout), "", "{arguments:?}");
        }
        let names = ["run", "--workload", "accept", "--backend", "host", "--threads", "1"];
        let short = ["--seconds", "0.01", "--rounds", "1", "--out", "runs"];
        let output = after(&there, &[&names[..], &short].concat(), folder.path());
        refused(&output, &[refuses, "TMPDIR", why]);
    }
    let runs = fs::read_dir(folder.path().join("runs"));
    let left: Vec<_> = runs.into_iter().flatten().collect();
    assert!(left.is_empty(), "nothing was measured: {left:?}");
    assert!(!folder.path().join("solock-findings").exists());
}

#[test]
fn too_few_descriptors_are_no_finding() {
    let folder = folder();
    for arguments in [
        &["fuzz", "--seconds", "5"][..],
        &["replay", "binds", "--backend", "host"],
        &["minimize", "binds", "--backend", "host"],
    ] {
        refused(&after("ulimit -n 40", arguments, folder.path()), &["ulimit -n", "descriptors"]);
    }
    let controls = ["controls", "--control", "leak-nobufs"];
    refused(&after("ulimit -n 5", &controls, folder.path()), &["leak-nobufs", "Too many open"]);
    assert!(!folder.path().join("solock-findings").exists());
}

#[test]
fn a_path_too_long_for_a_socket_is_in_nobodys_way() {
    let folder = folder();
    let long = folder.path().join("long".repeat(30));
    fs::create_dir(&long).expect("made");
    let there = format!("export TMPDIR='{}'", long.display());
    let output = after(&there, &["replay", "binds", "--backend", "host"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = folder();
    let runs = folder.path().join("runs");
    fs::create_dir(&runs).expect("made");
    let id = |number: u8| format!("20261123T09150{number}Z-3fa2.jsonl");
    let (pipe, socket, nested) = (runs.join(id(1)), runs.join(id(2)), runs.join(id(3)));
    let made = Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no mkfifo");
        return;
    }
    let _listener = UnixListener::bind(&socket).expect("bound");
    fs::create_dir(&nested).expect("made");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    for name in [path(&pipe), path(&socket), path(&nested), "/dev/zero".into()] {
        for arguments in [
            &["show", &name][..],
            &["plot", &name, "--out", "plots"],
            &["export", &name, "--format", "csv", "--out", "out"],
            &["import", &name, "--format", "csv", "--out", "out"],
            &["compare", &name, &name],
            &["replay", &name],
            &["minimize", &name],
        ] {
            refused(&after(":", arguments, folder.path()), &[&name, "and not a file"]);
        }
    }
    refused(&after(":", &["history", "--from", "runs"], folder.path()), &["and not a file"]);
    refused(&after(":", &["show", "last", "--from", "runs"], folder.path()), &["not a file"]);
}

/// Every command that looks at a folder of runs, at one in which there are a pipe and a run of one
/// endless line.
#[test]
fn what_is_no_file_in_the_folder_of_runs_is_not_waited_for_either() {
    let folder = folder();
    let runs = folder.path().join("runs");
    fs::create_dir(&runs).expect("made");
    let made = Command::new("mkfifo").arg(runs.join("20261124T000000Z-0001.jsonl")).status();
    if !made.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no mkfifo");
        return;
    }
    let endless = fs::File::create(runs.join("20261124T000000Z-0002.jsonl")).expect("made");
    endless.set_len(1 << 32).expect("of 4 GiB, none of it on the disk");
    let run = "20990101T000000Z-3fa2";
    fs::copy("../results/recorded/run.jsonl", runs.join(format!("{run}.jsonl"))).expect("copied");
    for arguments in [
        &["show", "last", "--from", "runs"][..],
        &["show", "last", "--from", "runs", "--json"],
        &["plot", "last", "--from", "runs", "--out", "plots"],
        &["export", "last", "--from", "runs", "--format", "csv", "--out", "out"],
        &["run", "--workload", "pairs", "--threads", "1", "--size", "64", "--seconds", "0.01"]
            .into_iter()
            .chain(["--rounds", "2", "--backend", "global", "--out", "runs"])
            .collect::<Vec<_>>(),
    ] {
        let output = after("ulimit -v 4000000", arguments, folder.path());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    }
    let compare = ["compare", "last", "no-such-side", "--out", "runs"];
    refused(&after("ulimit -v 4000000", &compare, folder.path()), &["no-such-side", run]);
    let history = after("ulimit -v 4000000", &["history", "--from", "runs"], folder.path());
    let said = text(&history.stderr) + &text(&history.stdout);
    assert!(said.contains("and not a file") && said.contains("4294967296 bytes"), "{said}");
}

#[test]
fn a_byte_order_mark_has_a_name() {
    let folder = folder();
    let mark = b"\xef\xbb\xbf";
    let write = |name: &str, text: &[u8]| {
        let mut file = fs::File::create(folder.path().join(name)).expect("made");
        file.write_all(mark).and_then(|()| file.write_all(text)).expect("written");
    };
    write("program", BINDS.as_bytes());
    write("run.jsonl", &fs::read("../results/recorded/run.jsonl").expect("the run"));
    for arguments in [["replay", "program"], ["minimize", "program"], ["show", "run.jsonl"]] {
        refused(&after(":", &arguments, folder.path()), &["byte order mark"]);
    }
}

/// A comparison's file is the newest, and is not what `last` means to whatever needs measured
/// lines.
#[test]
fn a_comparison_is_not_the_last_run_that_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs");
    let measured = "20261123T090000Z-0000.jsonl";
    let compared = "20261123T100000Z-0000.jsonl";
    fs::create_dir(&runs).expect("made");
    let host = solock::host::describe(&solock::cpus::Cpus::allowed().expect("CPUs"));
    let line = results::Compared {
        cell: "pairs/global/stream/64B/t1/adaptive".to_owned(),
        metric: "throughput".to_owned(),
        verdict: results::Verdict::Unclear,
        host,
        ..results::Compared::default()
    };
    let line = results::Record::from(line).to_line().expect("a line") + "\n";
    fs::write(runs.join(compared), line).expect("written");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/recorded/run.jsonl");
    let export = |run: &str| {
        after(
            ":",
            &["export", run, "--format", "csv", "--out", "out", "--from", "runs"],
            folder.path(),
        )
    };
    refused(&export("last"), &["is a comparison"]);
    fs::copy(recorded, runs.join(measured)).expect("copied");
    let exported = export("last");
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported.stderr));
    let twice = after(":", &["compare", "last", "last", "--out", "runs"], folder.path());
    refused(&twice, &["20261123T090000Z-0000 is named twice"]);
    fs::rename(runs.join(measured), runs.join("20261123T090000Z-0000.partial.jsonl"))
        .expect("renamed");
    let cut = after(":", &["show", "20261123T090000Z-0000", "--from", "runs"], folder.path());
    let said = String::from_utf8(cut.stdout).expect("UTF-8");
    assert!(said.starts_with("this run is cut short: "), "{said}");
}
