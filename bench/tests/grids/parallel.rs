//! GNU parallel runs the line that `grid parallel` prints, and comes to the same records.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::night::{Night, cells, has, record_set, text};

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

#[test]
fn parallel_and_run_give_the_same_set_of_records() {
    if !has("parallel") {
        let is_required = std::env::var_os("SOLOCK_REQUIRE_PARALLEL").is_some();
        assert!(!is_required, "GNU parallel is missing");
        println!("skipped: there is no GNU parallel here");
        return;
    }
    let (one, other) = (Night::of(&cells(4)), Night::of(&cells(4)));
    let output = one.output("run", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = by_parallel(&other);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (run, parallel) = (one.collected(), other.collected());
    assert!(run.is_whole() && parallel.is_whole());
    assert_eq!(record_set(&run), record_set(&parallel));
    assert_eq!(record_set(&run).len(), 4 * (2 * 2 + 1), "{:?}", record_set(&run));
    let jobs: Vec<Option<String>> =
        parallel.sets().map(|set| set.element.origin.job.clone()).collect();
    assert!(jobs.iter().flatten().all(|job| job.starts_with("parallel-")), "{jobs:?}");
    // One that was lost is measured again, alone.
    let files = other.files();
    fs::remove_file(&files[1]).expect("removed");
    let output = by_parallel(&other);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).matches(" is there").count(), 3, "{}", text(&output.stderr));
    assert_eq!(other.files(), files);
}
