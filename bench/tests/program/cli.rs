//! The program as its users meet it: what it says, where it says it, and its exit codes.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use results::{Record, Run, RunFile, Store};
use solock::matrix;
use tempfile::TempDir;

/// A run that is over as soon as it can be.
const QUICK: [&str; 9] =
    ["run", "--workload", "pairs", "--threads", "1", "--seconds", "0.01", "--rounds", "1"];

fn solock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    solock(arguments).output().expect("solock starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

/// Runs `solock run` with these arguments in a folder of its own; what it printed, and the folder.
fn run_in_folder(arguments: &[&str]) -> (Output, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = solock(arguments).arg("--out").arg(folder.path()).output().expect("solock starts");
    (output, folder)
}

/// The only run file of a folder.
fn only_run(folder: &Path) -> RunFile {
    let files = Store::at(folder).list().expect("the folder can be read");
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn plain_solock_says_what_to_do() {
    let output = output(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("solock run"));
    assert_eq!(stderr(&output), "");
}

#[test]
fn each_command_says_its_own_defaults_and_no_others() {
    let help = |command: &str| {
        let text = stdout(&output(&[command, "--help"]));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (run, compare) = (help("run"), help("compare"));
    let usual = matrix::usual().join(", ");
    let backends: Vec<&str> = matrix::usual_backends().iter().map(|one| one.name).collect();
    let backends = backends.join(", ");
    let of_run = [&backends, &usual, "1 and 2, and 4 and 8 where there are the CPUs"];
    let of_compare = ["the modelled ones of a run", "pairs", "1 and 2"];
    for (text, own, others) in [(&run, of_run, of_compare), (&compare, of_compare, of_run)] {
        for default in own {
            assert!(text.contains(&format!("[default: {default}]")), "{default}: {text}");
        }
        for default in others {
            assert!(!text.contains(&format!("[default: {default}]")), "{default}: {text}");
        }
    }
    assert!(!run.contains("`compare`") && !compare.contains("of `run`"), "{run} {compare}");
}

#[test]
fn every_control_is_caught() {
    let output = output(&["controls", "--json"]);
    let text = stdout(&output);
    for line in text.lines() {
        assert!(line.contains("\"caught\":true") && line.contains("\"clean\":true"), "{line}");
    }
    assert!(text.lines().count() >= 44, "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn list_names_every_backend_and_workload() {
    let (text, json) = (output(&["list"]), output(&["list", "--json"]));
    assert_eq!((text.status.code(), json.status.code()), (Some(0), Some(0)));
    let text = stdout(&text);
    for line in stdout(&json).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(text.contains(entry["name"].as_str().expect("a name")), "{line}");
    }
    let around = ["kernel-lock", "fd-fplock", "f-mtx", "sched-lock", "2022-07-01"];
    let backends = [
        "global",
        "global-gc",
        "per-socket",
        "per-buffer",
        "lock-free",
        "host",
        "per-pair",
        "per-socket-wait",
        "state-queue",
        "shared-link",
        "per-socket-try",
        "receive-buffer",
        "endpoint-queue",
    ];
    let locks =
        ["parking-lot", "rwlock9", "rwlock9-2025", "mutex9", "ticket", "mcs", "clh", "futex"];
    for backend in backends.into_iter().chain(around).chain(locks) {
        assert!(text.contains(backend), "{text}");
    }
}

/// Refused with exit 1 before anything runs: nothing on standard output, no run file, and these
/// words.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let (output, folder) = run_in_folder(&[&["run"], arguments].concat());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    for word in words {
        assert!(said.contains(word), "{arguments:?} should say {word:?}: {said}");
    }
    assert!(Store::at(folder.path()).list().expect("readable").is_empty(), "{arguments:?}");
}

#[test]
fn unknown_names_are_answered_with_the_valid_ones_and_the_nearest() {
    refused(&["--backend", "globel"], &["globel", "per-socket", "did you mean \"global\"?"]);
    refused(&["--workload", "ping-pong"], &["pairs", "did you mean \"pingpong\"?"]);
    refused(&["--type", "raw"], &["stream, dgram, seqpacket"]);
    refused(&["--wait", "sleep"], &["spin, adaptive, park"]);
    let around = "kernel-lock, fd-fplock, f-mtx, sched-lock, 2022-07-01, none";
    refused(&["--ambient", "f_mtx"], &[around, "did you mean \"f-mtx\"?"]);
    refused(&["--ambient", "f-mtx,"], &[around]);
    refused(&["--ambient", ""], &[around]);
    refused(&["--ambient", "none,f-mtx"], &["together"]);
    refused(&["--ambient", "f-mtx", "--backend", "host"], &["host is the machine's own"]);
    let locks = "parking-lot, rwlock9, rwlock9-2025, mutex9, ticket, mcs, clh, futex, std";
    refused(&["--lock", "tickets"], &[locks, "did you mean \"ticket\"?"]);
    refused(&["--lock", "mcs", "--backend", "host"], &["host is the machine's own", "--lock"]);
    refused(&["--bakend", "global"], &["--bakend", "--backend"]);
    let (output, _) = run_in_folder(&["rum"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn impossible_numbers_are_refused() {
    refused(&["--threads", "0"], &["--threads 0", "1 to 120"]);
    refused(&["--threads", "3-2"], &["3-2"]);
    refused(&["--threads", "100000"], &["1 to 120"]);
    refused(&["--type", "dgram", "--size", "2049"], &["2049", "dgram", "1 to 2048"]);
    refused(&["--type", "seqpacket", "--size", "8193"], &["8193", "seqpacket", "1 to 8192"]);
    refused(&["--size", "0"], &["--size 0"]);
    refused(&["--size", "-1"], &["-1"]);
    refused(&["--workload", "paced", "--rate", "0"], &["--rate 0"]);
    refused(&["--workload", "paced", "--rate", "NaN"], &["--rate", "NaN"]);
    refused(&["--workload", "paced", "--rate", "-5"], &["--rate -5"]);
    refused(&["--seconds", "0"], &["--seconds 0"]);
    refused(&["--seconds", "inf"], &["--seconds", "inf"]);
    refused(&["--rounds", "0"], &["--rounds 0"]);
    refused(&["--groups", "0"], &["--groups 0"]);
    refused(&["--fan", "0"], &["--fan 0"]);
    refused(&["--seed", "x"], &["seed"]);
}

#[test]
fn a_cpu_that_is_not_allowed_is_refused() {
    refused(&["--cpus", "8191"], &["CPU 8191 is not allowed", "allowed are"]);
    refused(&["--cpus", "zero"], &["zero"]);
    refused(&["--cpus", "0-"], &["0-"]);
}

#[test]
fn where_nothing_is_left_to_run_that_is_an_error_with_its_reasons() {
    refused(&["--workload", "pingpong", "--threads", "1"], &["nothing is left to run", "pingpong"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").expect("written");
    let started = Instant::now();
    let output = solock(&["run", "--out"]).arg(file.join("runs")).output().expect("solock starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot write to the folder"), "{}", stderr(&output));
    assert!(started.elapsed() < Duration::from_secs(20), "it ran first");
}

#[test]
fn json_lines_are_all_that_standard_output_holds() {
    let (output, folder) = run_in_folder(&[&QUICK[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (answers, printed): (Vec<Record>, Vec<Record>) = stdout(&output)
        .lines()
        .map(|line| Record::from_line(line).expect("a record"))
        .partition(|record| matches!(record, Record::Answer(_)));
    assert!(!answers.is_empty(), "what cannot be answered is said, too");
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    assert_eq!(printed, run.records);
    assert!(!run.interrupted());
    let mut backends: Vec<&str> = Vec::new();
    for measured in run.measured() {
        assert_eq!(measured.checks.faults(), 0);
        assert!(measured.checks.operations_checked > 0);
        assert_eq!(measured.pinning.asked, measured.pinning.got);
        backends.push(&measured.cell.backend);
    }
    backends.sort_unstable();
    backends.dedup();
    let mut usual: Vec<&str> = matrix::usual_backends().iter().map(|one| one.name).collect();
    usual.sort_unstable();
    assert_eq!(backends, usual);
}

#[test]
fn locks_around_the_layer_are_recorded_with_the_cell_and_counted() {
    let what = ["run", "--workload", "pairs", "--threads", "1", "--backend", "per-socket,host"];
    let around = ["--ambient", "none", "--ambient", "2022-07-01", "--ambient", "f-mtx,kernel-lock"];
    let how = ["--seconds", "0.1", "--rounds", "1"];
    let (output, folder) = run_in_folder(&[&what[..], &around, &how].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = [stdout(&output), stderr(&output)].concat();
    assert!(said.contains("under kernel-lock, fd-fplock, f-mtx and sched-lock"), "{said}");
    assert!(said.contains("host is the machine's own"), "{said}");
    assert!(stdout(&output).lines().all(|line| line.len() <= 80), "{}", stdout(&output));
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    let mut seen: Vec<String> = Vec::new();
    for round in run.measured().filter(|round| round.operations > 0) {
        let of = |class: &str| {
            let found = round.locks.iter().find(|lock| lock.class == class);
            found.map_or(0, |lock| lock.acquisitions)
        };
        // A message sent and received: each call wakes under the kernel lock, finds its file, and
        // is counted; nobody sleeps.
        let each = 2 * round.operations;
        let is_there = |name: &str| u64::from(round.cell.ambient.iter().any(|there| there == name));
        let names =
            [("kernel_lock", "kernel-lock"), ("fd_fplock", "fd-fplock"), ("f_mtx", "f-mtx")];
        for (class, name) in names {
            let (found, expected) = (of(class), each * is_there(name));
            // A round ends between the two calls, and the counts are of a little more.
            assert!(found.abs_diff(expected) <= 4, "{class}: {found}, not {expected}");
        }
        assert_eq!(of("sched_lock"), 0);
        seen.push(round.cell_id.clone());
    }
    seen.sort_unstable();
    seen.dedup();
    let name = "pairs/per-socket/stream/64B/t1/adaptive";
    let all = format!("{name}/kernel-lock+fd-fplock+f-mtx+sched-lock");
    let of = |end: &str| format!("{name}{end}");
    let host = "pairs/host/stream/64B/t1/adaptive".to_owned();
    assert_eq!(seen, [host, of(""), of("/kernel-lock+f-mtx"), all]);
}

#[test]
fn without_membarrier_full_fences_are_used_and_recorded() {
    let folder = TempDir::new().expect("a folder");
    let workloads = ["--workload", "pairs,pingpong", "--backend", "lock-free", "--threads", "1,2"];
    let output = solock(&[&["run", "--seconds", "0.05", "--rounds", "1"], &workloads[..]].concat())
        .arg("--out")
        .arg(folder.path())
        .env("SOLOCK_NO_MEMBARRIER", "1")
        .output()
        .expect("solock starts");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    let fences: Vec<_> = run.measured().map(|round| round.instrument.fences.as_deref()).collect();
    assert_eq!(fences, vec![Some("full"); 6]);
}

#[test]
fn a_run_can_be_shown() {
    let mut arguments = vec!["run", "--workload", "pairs", "--threads", "1", "--backend", "global"];
    // Long enough that a lane sees some of it, however busy the machine is.
    arguments.extend(["--seconds", "0.6", "--rounds", "2"]);
    let arguments = arguments.as_slice();
    let (output, folder) = run_in_folder(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("nothing leaked"), "{}", stdout(&output));
    let from = folder.path().to_str().expect("a UTF-8 path");
    let shown = self::output(&["show", "last", "--from", from]);
    assert_eq!(stdout(&shown), stdout(&output));
    assert!(stdout(&shown).contains("\nHow fine should the lock be?"), "{}", stdout(&shown));
    assert!(stdout(&shown).lines().all(|line| line.chars().count() <= 80), "{}", stdout(&shown));
    let wide = self::output(&["show", "last", "--from", from, "--wide"]);
    assert!(stdout(&wide).ends_with(&stdout(&shown)), "{}", stdout(&wide));
    assert!(stdout(&wide).contains("locks/op"), "{}", stdout(&wide));
    let unknown = self::output(&["show", "nosuchrun", "--from", from]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("nosuchrun"), "{}", stderr(&unknown));
}

#[test]
fn a_run_can_be_drawn() {
    let (_, folder) = run_in_folder(&QUICK);
    let from = folder.path().display().to_string();
    let drawn = output(&["plot", "last", "--from", &from]);
    assert_eq!(drawn.status.code(), Some(0), "{}", stderr(&drawn));
    let beside = folder.path().join(format!("{}.plots", only_run(folder.path()).id));
    assert!(stdout(&drawn).contains("report.html"), "{}", stdout(&drawn));
    assert!(stdout(&drawn).contains("not drawn: History across commits"));
    for file in ["report.html", "throughput.svg", "throughput.png"] {
        assert!(beside.join(file).is_file(), "{file}");
    }
    let empty = folder.path().join("empty.jsonl");
    std::fs::write(&empty, "").expect("written");
    let refused = output(&["plot", &empty.display().to_string()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("holds no record"), "{}", stderr(&refused));
}

#[test]
fn the_seed_and_unpinned_threads_stand_in_the_record() {
    let more = ["--backend", "global", "--no-pin", "--seed", "7"];
    let (output, folder) = run_in_folder(&[&QUICK[..], &more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    assert!(run.measured().all(|measured| measured.seed == 7 && measured.pinning.unpinned));
    assert!(stdout(&output).contains("UNPINNED"), "{}", stdout(&output));
}

/// Starts a run that would take minutes.
#[cfg(unix)]
fn start_long_run(folder: &Path) -> std::process::Child {
    let mut arguments = vec!["run", "--workload", "pairs", "--threads", "1", "--seconds", "0.02"];
    arguments.extend(["--rounds", "5000", "--backend", "global", "--backend", "host"]);
    let mut command = solock(&arguments);
    command.arg("--out").arg(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("solock starts")
}

/// Waits until the first records of the run are on disk.
#[cfg(unix)]
fn wait_for_records(folder: &Path) {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
        let files = Store::at(folder).list().expect("the folder can be read");
        let Some(file) = files.first() else { continue };
        if Run::read(file).expect("readable while it is written").records.len() >= 3 {
            return;
        }
    }
    panic!("no records after 60 s");
}

#[cfg(unix)]
fn signal(child: &std::process::Child, signal: &str) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.expect("kill(1) is there").success());
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_stays_readable_and_is_marked_interrupted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start_long_run(folder.path());
    wait_for_records(folder.path());
    child.kill().expect("killed");
    child.wait().expect("ended");
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    assert!(run.partial && run.interrupted());
    assert!(run.measured().count() >= 3);
    let from = folder.path().to_str().expect("a UTF-8 path");
    let shown = output(&["show", "last", "--from", from]);
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    assert!(stdout(&shown).contains("INTERRUPTED"), "{}", stdout(&shown));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_run_in_good_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = start_long_run(folder.path());
    wait_for_records(folder.path());
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let run = Run::read(&only_run(folder.path())).expect("the run can be read");
    assert!(!run.partial && run.interrupted());
    assert!(matches!(run.records.last(), Some(Record::Interrupted(_))));
    assert!(run.measured().count() >= 3);
}
