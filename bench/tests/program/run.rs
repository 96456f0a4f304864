//! `solock run` and the processes that measure for it: those that die, those in which a check finds
//! something, and what is left of them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use results::{Finding, Record, Run, Store};
use solock::protocol::Say;
use tempfile::TempDir;

/// A program that stands in for `solock serve`, with a shell command in place of an answer where
/// the cell is of `host`.
fn scripted(folder: &Path, instead: &str) -> PathBuf {
    let slice = r#"{"say":"slice","seconds":0.005,"operations":5000,"operations_per_second":1e6}"#;
    let script = format!(
        r#"#!/bin/sh
echo '{{"say":"hello","protocol":1,"clock_step_ns":10.0}}'
while read -r line; do
    case "$line" in
    *'"ask":"prepare"'*)
        case "$line" in *'"backend":"host"'*) host=1 ;; esac
        echo '{{"say":"prepared"}}' ;;
    *'"ask":"slice"'*)
        if [ -n "$host" ]; then {instead}; fi
        echo '{slice}' ;;
    *) exit 0 ;;
    esac
done
"#
    );
    write(folder, "program", &script)
}

/// This program, which writes down its process.
fn noted(folder: &Path) -> PathBuf {
    let (folder_name, solock) = (folder.display(), env!("CARGO_BIN_EXE_solock"));
    let script =
        format!("#!/bin/sh\necho $$ >> '{folder_name}/processes'\nexec '{solock}' \"$@\"\n");
    write(folder, "program", &script)
}

fn write(folder: &Path, name: &str, script: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

fn run(folder: &Path, program: &Path, rounds: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(["run", "--workload", "pairs", "--threads", "1", "--backend", "global,host"]);
    command.args(["--seconds", "0.02", "--rounds", rounds, "--program"]).arg(program);
    command.arg("--out").arg(folder.join("runs")).stdin(Stdio::null());
    command
}

fn output(folder: &Path, program: &Path) -> Output {
    run(folder, program, "2").output().expect("solock starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn only_run(folder: &Path) -> Run {
    let files = Store::at(folder.join("runs")).list().expect("readable");
    Run::read(&files[0]).expect("the run can be read")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_process_that_is_killed_is_named_and_the_others_are_measured() {
    let folder = folder();
    let program = scripted(folder.path(), "echo broken >&2; kill -9 $$");
    let output = output(folder.path(), &program);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("failed: pairs/host/stream/64B/t1/adaptive: its process ended"),
        "{said}"
    );
    assert!(said.contains("signal: 9") && said.contains("broken"), "{said}");
    assert_eq!(said.matches("warning: a debug build").count(), usize::from(cfg!(debug_assertions)));
    let run = only_run(folder.path());
    assert!(run.measured().all(|line| line.build.as_deref() == Some(&*solock::host::build())));
    assert_eq!(run.measured().count(), 4, "two rounds of the other");
    assert!(run.measured().all(|line| line.cell.backend == "global"));
}

#[test]
fn a_finding_in_a_process_ends_the_run_with_code_2_its_report_and_its_line() {
    let folder = folder();
    let found = "echo 'witness: userret: sys_sendmsg' >&2; exit 2";
    let output = output(folder.path(), &scripted(folder.path(), found));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("witness: userret: sys_sendmsg").count(), 1, "{said}");
    assert!(said.contains("stopped by a check"), "{said}");
    let run = only_run(folder.path());
    assert!(!run.partial, "the file is whole");
    let findings: Vec<_> = run.findings().collect();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].cell.as_deref(), Some("pairs/host/stream/64B/t1/adaptive"));
    assert!(findings[0].report.contains("witness: userret: sys_sendmsg"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_finding_has_its_report_and_code_where_its_line_cannot_be_written() {
    let folder = folder();
    let program = scripted(folder.path(), "echo 'witness: userret: sys_sendmsg' >&2; exit 2");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let mut command = run(folder.path(), &program, "2");
    let output = command.arg("--json").stdout(full).stderr(Stdio::piped()).output();
    let output = output.expect("solock starts");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("witness: userret: sys_sendmsg"), "{said}");
    assert!(said.contains("warning: standard output cannot be written"), "{said}");
    let run = only_run(folder.path());
    assert!(!run.partial && run.findings().count() == 1, "the file is whole");
}

#[test]
fn what_a_process_says_of_its_finding_stands_in_the_run() {
    let folder = folder();
    let finding = Finding {
        check: "leaked lock".to_owned(),
        count: 1,
        operation: "sys_sendmsg".to_owned(),
        report: "witness: userret: sys_sendmsg".to_owned(),
        ..Finding::default()
    };
    let line = serde_json::to_string(&Say::Finding(Box::new(finding.clone()))).expect("JSON");
    let said = folder.path().join("finding");
    fs::write(&said, line + "\n").expect("written");
    let report = finding.report.as_str();
    let instead = format!("cat '{}'; echo '{report}' >&2; exit 2", said.display());
    let output = output(folder.path(), &scripted(folder.path(), &instead));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches(report).count(), 1, "{}", stderr(&output));
    let files = Store::at(folder.path().join("runs")).list().expect("readable");
    let text = fs::read_to_string(&files[0].path).expect("readable");
    let last = Record::from_line(text.lines().last().expect("a line")).expect("a record");
    assert_eq!(last, Record::from(finding));
}

#[test]
fn what_a_check_finds_after_the_last_answer_is_a_finding() {
    let folder = folder();
    let at_end = "trap 'echo witness: late >&2; exit 2' EXIT";
    let output = output(folder.path(), &scripted(folder.path(), at_end));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("witness: late"), "{said}");
    let run = only_run(folder.path());
    assert_eq!((run.findings().count(), run.measured().count()), (1, 0), "its launch is lost");
}

#[test]
fn an_interrupt_ends_a_launch_between_two_slices() {
    let folder = folder();
    let asked = folder.path().join("asked");
    let file = asked.display();
    let instead = format!("[ -e '{file}' ] || kill -INT $PPID; echo >> '{file}'");
    let output = output(folder.path(), &scripted(folder.path(), &instead));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(!said.contains("failed"), "{said}");
    // A whole launch has five: the first, and two for each measure.
    let slices = fs::read_to_string(&asked).expect("a slice was asked for").lines().count();
    assert!(slices < 5, "{slices} slices");
}

/// A process that does not answer is not waited for.
#[test]
fn an_interrupt_ends_the_wait_for_an_answer() {
    let folder = folder();
    let began = Instant::now();
    let program = scripted(folder.path(), "kill -INT $PPID; exec sleep 600");
    let output = output(folder.path(), &program);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}: {said}", began.elapsed());
}

/// A run that would take long, of which some records are on disk.
fn long_run(folder: &Path) -> Child {
    let mut command = run(folder, &noted(folder), "5000");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    let until = Instant::now() + Duration::from_secs(60);
    let is_there = || {
        let files = Store::at(folder.join("runs")).list().unwrap_or_default();
        files.first().is_some_and(|file| Run::read(file).is_ok_and(|run| !run.records.is_empty()))
    };
    while !is_there() {
        assert!(Instant::now() < until, "no records after 60 s");
        thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Waits for the end of all processes that measured.
#[track_caller]
fn all_end(folder: &Path) {
    let noted = fs::read_to_string(folder.join("processes")).expect("some were started");
    let lives = |id: &str| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.contains("(solock)") && !stat.contains(") Z ")
    };
    let until = Instant::now() + Duration::from_secs(30);
    while let Some(id) = noted.lines().find(|id| lives(id)) {
        assert!(Instant::now() < until, "process {id} outlives its driver");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_process_outlives_a_run_that_is_killed_or_interrupted() {
    for (signal, code) in [("-KILL", None), ("-INT", Some(130)), ("-TERM", Some(130))] {
        let folder = folder();
        let child = long_run(folder.path());
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        let output = child.wait_with_output().expect("ended");
        assert_eq!(output.status.code(), code, "{signal}: {}", stderr(&output));
        all_end(folder.path());
        let run = only_run(folder.path());
        assert!(run.interrupted() && run.measured().count() > 0);
        let is_said = matches!(run.records.last(), Some(Record::Interrupted(_)));
        assert_eq!(is_said, code.is_some(), "{signal}");
    }
}
