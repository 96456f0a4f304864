//! For unit tests of what ends a process: a test of this program, alone in a process of its own.

use std::process::Command;
use std::time::Duration;

/// After this a child that hangs is ended.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs one test with a variable set, by which it knows that it is the child: its exit code and
/// what it said.
pub(crate) fn run(test: &str, variable: &str, value: &str) -> (Option<i32>, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(variable, value)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// In the child: ends it when it hangs.
pub(crate) fn begin() {
    std::thread::spawn(|| {
        std::thread::sleep(LIMIT);
        std::process::abort();
    });
}
