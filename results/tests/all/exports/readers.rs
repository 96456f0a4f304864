//! The programs that read what is exported.
//!
//! Without a program its test says so and passes; with `SOLOCK_REQUIRE_READERS=1` it fails.
//! `.ci/run` installs all of them.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use results::Measured;

use crate::fixture::throughput;

/// Says that a program is not there, or fails where it must be. The tests' runner keeps to itself
/// what is printed, but not what is written.
pub(crate) fn skipped(program: &str, how: &str) {
    let required = std::env::var("SOLOCK_REQUIRE_READERS").is_ok_and(|value| value == "1");
    assert!(!required, "no {program}: {how}");
    let what = format!("no {program}, so what is written for it was not read; {how}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// What a program says when it succeeds; `None` where it is not installed.
pub(crate) fn said<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Option<String> {
    let output = match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.expect("started"),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program}: {}", text(&output.stderr));
    Some(text(&output.stdout))
}

/// What a program for Python says; `None` where what it imports is not installed.
pub(crate) fn python(script: &str, modules: &str, file: &Path) -> Option<String> {
    let check = Command::new("python3").args(["-c", &format!("import {modules}")]).output();
    check.ok().filter(|output| output.status.success())?;
    said("python3", &["-c".as_ref(), script.as_ref(), file.as_os_str()])
}

/// So many rounds of a backend around a number of operations, a little apart.
pub(crate) fn about(backend: &str, operations: u64) -> impl Iterator<Item = Measured> {
    (0..10).map(move |round| {
        let apart = [3, 9, 1, 7, 5, 0, 8, 2, 6, 4][round as usize];
        throughput(backend, round, operations + operations / 1000 * apart)
    })
}
