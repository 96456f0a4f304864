//! Files appear whole or not at all: where a limit or a full disk stops a command, it says so,
//! leaves nothing, and the next one is not in its way.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
    for format in ["hgrm", "hlog", "csv", "criterion"] {
        let export = ["export", run, "--format", format, "--out", "new/folder"];
        let limit = if format == "criterion" { "ulimit -f 0" } else { "ulimit -f 4" };
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
    fs::copy("../workloads/programs/leak-nobufs.txt", &program).expect("copied");
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
        println!("skipped: no file system can be mounted here");
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
