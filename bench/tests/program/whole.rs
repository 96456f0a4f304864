//! Files appear whole or not at all: where a limit or a full disk stops a command, it says so,
//! leaves nothing, and the next one is not in its way.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use results::{FORMATS, Record};

use super::common::text;

/// A recorded run, longer than the limits here.
fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/recorded/run.jsonl")
}

/// `solock`, after this in the shell.
fn after(shell: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_solock")]);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().expect("starts")
}

/// Everything in a folder, and below.
fn all(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("readable").flatten().map(|entry| entry.path()).collect();
    let below = entries.iter().filter(|path| path.is_dir()).flat_map(|path| all(path));
    below.chain(entries.clone()).collect()
}

#[track_caller]
fn refused(output: &Output, what: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{what}: {:?} {said}", output.status);
    assert!(said.contains("cannot write") && !said.contains("panicked"), "{what}: {said}");
}

#[test]
fn a_file_limit_is_an_error_that_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = recorded();
    let run = run.to_str().expect("UTF-8");
    for format in FORMATS.map(|format| format.name) {
        let export = ["export", run, "--format", format, "--out", "new/folder"];
        let is_long = ["hgrm", "hlog", "csv"].contains(&format);
        let limit = if is_long { "ulimit -f 4" } else { "ulimit -f 0" };
        refused(&after(limit, &export, folder.path()), format);
        assert_eq!(all(folder.path()), Vec::<PathBuf>::new(), "{format}");
    }
    let plot = ["plot", run, "--out", "plots"];
    refused(&after("ulimit -f 4", &plot, folder.path()), "plot");
    assert_eq!(all(folder.path()), Vec::<PathBuf>::new(), "plot");
    let export = ["export", run, "--format", "csv", "--out", "new/folder"];
    let again = after(":", &export, folder.path());
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
}

#[test]
fn what_is_replaced_stays_where_the_new_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    fs::copy("../workloads/programs/kept/leak-nobufs.txt", &program).expect("copied");
    let before = fs::read_to_string(&program).expect("readable");
    let minimize = ["minimize", "program", "--backend", "leak-nobufs", "--out", "program"];
    refused(&after("ulimit -f 0", &minimize, folder.path()), "minimize");
    assert_eq!(fs::read_to_string(&program).expect("readable"), before);
    assert_eq!(all(folder.path()), [program]);
}

#[test]
fn a_run_that_cannot_be_kept_says_so_and_leaves_no_torn_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "--workload", "pairs", "--backend", "global", "--threads", "1"];
    let run = [&run[..], &["--seconds", "0.01", "--rounds", "3", "--out", "runs"]].concat();
    for limit in ["ulimit -f 0", "ulimit -f 4"] {
        refused(&after(limit, &run, folder.path()), limit);
        for file in all(&folder.path().join("runs")) {
            let text = fs::read_to_string(&file).expect("readable");
            assert!(text.ends_with('\n'), "{limit}: {}", file.display());
        }
    }
}

/// A run of many cells, whose export takes a while.
fn long_run(folder: &Path) -> PathBuf {
    let line = fs::read_to_string(recorded()).expect("a run");
    let line = line.lines().find(|line| line.contains("\"measure\":\"latency\"")).expect("a line");
    let Record::Measured(first) = Record::from_line(line).expect("a record") else {
        panic!("a measured line")
    };
    let lines = (1..=500).map(|message_bytes| {
        let mut line = first.clone();
        line.cell.message_bytes = message_bytes;
        line.cell_id = line.cell.id();
        Record::Measured(line).to_line().expect("a line") + "\n"
    });
    let path = folder.join("20261123T091500Z-3fa2.jsonl");
    fs::write(&path, lines.collect::<String>()).expect("written");
    path
}

/// Starts a command, ends it when it has begun to write, and says whether it was ended before all
/// had their names; what has none is gone then.
fn ended_while_it_writes(signal: &str, arguments: &[&str], folder: &Path, files: usize) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().expect("starts");
    let out = folder.join("new");
    while !out.exists() && child.try_wait().expect("known").is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
    let status = child.wait().expect("ended");
    let left = if out.exists() { all(&out) } else { Vec::new() };
    let is_unnamed = |path: &&PathBuf| path.extension().is_some_and(|it| it == "tmp");
    assert_eq!(left.iter().find(is_unnamed), None, "{signal} {arguments:?}: {status:?}");
    let written = left.iter().filter(|path| path.is_file()).count();
    assert!(written == 0 || written == files, "{signal} {arguments:?}: {written} of {files}");
    if out.exists() {
        fs::remove_dir_all(&out).expect("removed");
        return false;
    }
    assert_eq!(status.code(), Some(130), "{signal} {arguments:?}");
    true
}

#[test]
fn a_signal_leaves_files_whole_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = long_run(folder.path());
    let run = run.to_str().expect("UTF-8");
    for (signal, format, files) in [("-INT", "hgrm", 500), ("-TERM", "hgrm", 500)] {
        let export = ["export", run, "--format", format, "--out", "new/folder"];
        // A fast disk may be done before the signal comes; not every time.
        let is_ended = |_| ended_while_it_writes(signal, &export, folder.path(), files);
        assert!((0..20).any(is_ended), "{signal} never came while it wrote");
    }
    let short = recorded();
    let plot = ["plot", short.to_str().expect("UTF-8"), "--out", "new/folder"];
    let files = figures_of(&plot, folder.path());
    let is_ended = |_| ended_while_it_writes("-TERM", &plot, folder.path(), files);
    assert!((0..20).any(is_ended), "it never came while it drew");
}

/// How many files a command writes.
fn figures_of(arguments: &[&str], folder: &Path) -> usize {
    let output = after(":", arguments, folder);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let out = folder.join("new");
    let files = all(&out).iter().filter(|path| path.is_file()).count();
    fs::remove_dir_all(&out).expect("removed");
    files
}

/// A small file system of its own, as long as this is there.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this user may not make one.
    fn of(size: &str) -> Option<Disk> {
        let disk = Disk(tempfile::tempdir().expect("a folder"));
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(disk.0.path());
        let made = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        made.then_some(disk)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).stderr(Stdio::null()).status();
    }
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing() {
    let Some(disk) = Disk::of("64k") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no file system can be mounted here");
        return;
    };
    let folder = disk.0.path();
    let run = recorded();
    let run = run.to_str().expect("UTF-8");
    for arguments in [
        &["export", run, "--format", "hlog", "--out", "out"][..],
        &["export", run, "--format", "hgrm", "--out", "out"],
        &["export", run, "--format", "criterion", "--out", "out"],
        &["plot", run, "--out", "out"],
    ] {
        let output = after(":", arguments, folder);
        refused(&output, &arguments.join(" "));
        assert!(text(&output.stderr).contains("No space left"), "{}", text(&output.stderr));
        assert_eq!(all(folder), Vec::<PathBuf>::new(), "{arguments:?}");
    }
}
