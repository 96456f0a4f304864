//! GNU parallel runs the line that `grid parallel` prints, and comes to the same records.

use std::fs;
use std::process::{Command, Output, Stdio};

use super::night::{Night, cells, record_set, skipped};
use crate::common::text;

/// Runs the line.
fn by_parallel(night: &Night) -> Output {
    let line = night.output("parallel", &[]);
    assert!(line.status.success(), "{}", text(&line.stderr));
    let mut shell = Command::new("bash");
    shell.args(["-c", &text(&line.stdout)]).current_dir(night.folder.path());
    // Its first start asks to be cited, and waits.
    shell.env("HOME", night.folder.path()).env("TMPDIR", night.folder.path());
    shell.env("SOLOCK_BOX", night.folder.path().file_name().expect("a name"));
    shell.stdin(Stdio::null());
    shell.output().expect("bash")
}

fn is_gnu_parallel() -> bool {
    let said = Command::new("parallel").arg("--version").stdin(Stdio::null()).output();
    said.is_ok_and(|said| text(&said.stdout).contains("GNU parallel"))
}

#[test]
fn parallel_and_run_give_the_same_set_of_records() {
    if !is_gnu_parallel() {
        let what = "no GNU parallel; apt-get install parallel (the `parallel` of moreutils is \
                    another program)";
        return skipped(what, "SOLOCK_REQUIRE_PARALLEL");
    }
    let (one, other) = (Night::of(&cells(3)), Night::of(&cells(3)));
    let output = one.output("run", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = by_parallel(&other);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (run, parallel) = (one.collected(), other.collected());
    assert!(run.is_whole() && parallel.is_whole());
    assert_eq!(record_set(&run), record_set(&parallel));
    assert_eq!(record_set(&run).len(), 3 * (2 * 2 + 1), "{:?}", record_set(&run));
    let jobs: Vec<Option<String>> =
        parallel.sets().map(|set| set.element.origin.job.clone()).collect();
    assert!(jobs.iter().flatten().all(|job| job.starts_with("parallel-")), "{jobs:?}");
    // One that was lost is measured again, alone.
    let files = other.files();
    fs::remove_file(&files[1]).expect("removed");
    let output = by_parallel(&other);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).matches(" is there").count(), 2, "{}", text(&output.stderr));
    assert_eq!(other.files(), files);
}
