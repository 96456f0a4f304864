//! A program in a process of its own: a finding ends that one, not this.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use programs::Program;

use super::{EXIT_FOUND, Found};

/// How long no call may return before a candidate counts as hanging.
const HANG_LIMIT_SECONDS: &str = "1";
/// A process that does not end itself is ended after this.
const CHILD_LIMIT: Duration = Duration::from_secs(60);
/// How often a process is looked at.
const POLL: Duration = Duration::from_millis(1);

/// This program, with these arguments.
///
/// # Errors
/// It cannot find itself.
pub fn this_program(arguments: &[&str]) -> Result<Command, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("this program cannot find itself: {error}"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(command)
}

/// Runs a program, on the backends it names, in a process of its own: what that found.
///
/// # Errors
/// The process could not be started.
pub fn run(program: &Program) -> Result<Option<Found>, String> {
    let arguments = ["replay", "-", "--json", "--hang-limit", HANG_LIMIT_SECONDS];
    let failed = |error| format!("a candidate could not be run: {error}");
    let mut child = this_program(&arguments)?.stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(program.to_string().as_bytes()).map_err(failed)?;
    }
    let output = wait(child).map_err(failed)?;
    Ok(parse(&output))
}

fn wait(mut child: Child) -> std::io::Result<Output> {
    let deadline = Instant::now() + CHILD_LIMIT;
    // What it writes fits into the pipe, so that it need not be read meanwhile.
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        std::thread::sleep(POLL);
    }
    child.wait_with_output()
}

fn parse(output: &Output) -> Option<Found> {
    if output.status.code() != Some(EXIT_FOUND) {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last()?).ok()
}
