//! `solock controls`: backends broken on purpose, each of which the right check must catch.
//!
//! A control's program runs in a process of its own, for a finding ends the process; twice, on the
//! broken twin and on the same backend without the fault. The process is this program again, with
//! hidden flags.

use std::collections::VecDeque;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lockimpls::controls::{self, Control};
use lockimpls::witness::{self, EXIT_FINDING};
use results::text::wrapped;
use serde::{Deserialize, Serialize};

use super::{EXIT_OK, print};
use crate::added;
use crate::cli::ControlsArgs;
use crate::matrix::check_name;
use crate::watchdog::Watchdog;

/// A control was not caught, or caught by something else, or its clean twin was accused.
pub const EXIT_NOT_CAUGHT: i32 = 2;

/// The width of the table.
const COLUMNS: usize = 80;
/// What a line that belongs to the one above begins with.
const INDENT: &str = "    ";

/// How many controls are judged at a time. Those that hang, as some must, only wait to be found.
const AT_ONCE: usize = 8;

/// How long nothing may move before a control's process counts as hanging.
const HANG_LIMIT: Duration = Duration::from_secs(1);

/// What a control's process says about what was found: one JSON line on standard output.
#[derive(Debug, Deserialize, Serialize)]
struct Caught {
    check: String,
    operation: String,
    at: String,
    calls: u64,
    /// What the check's counter says.
    count: u64,
}

/// One line of `solock controls --json`.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The control's name.
    pub control: &'static str,
    /// What is left out.
    pub bug: &'static str,
    /// Whether the right check found it, in the right call, at the right line.
    pub caught: bool,
    /// The check that found it, or what happened instead.
    pub by: String,
    /// Where it was found.
    pub at: String,
    /// How many calls had returned by then.
    pub operations: u64,
    /// Whether the same program found nothing on the backend without the fault.
    pub clean: bool,
}

impl Verdict {
    /// Whether all is as it must be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.caught && self.clean
    }
}

/// Runs the controls.
///
/// # Errors
/// An unknown name; this program could not be started again; standard output cannot be written.
pub fn run(args: &ControlsArgs) -> Result<i32, String> {
    if let Some(name) = &args.child {
        return child(name, args.clean);
    }
    let chosen = choose(&args.control)?;
    let mut all_good = true;
    if !args.json {
        print(&format!("{:<28} {:<18} {:<18} clean\n", "control", "caught by", "in"))?;
    }
    each_judged(&chosen, |control, verdict| {
        all_good &= verdict.is_good();
        print(&if args.json { json(&verdict)? } else { line(control, &verdict) })
    })?;
    if !args.json {
        print(&summary(chosen.len(), all_good))?;
    }
    Ok(if all_good { EXIT_OK } else { EXIT_NOT_CAUGHT })
}

fn choose(names: &[String]) -> Result<Vec<Control>, String> {
    let all = controls::all();
    if names.is_empty() {
        return Ok(all);
    }
    let known: Vec<&str> = all.iter().map(|control| control.name).collect();
    for name in names {
        check_name("control", name, &known)?;
    }
    let find = |name: &String| all.iter().find(|control| control.name == *name).copied();
    Ok(names.iter().filter_map(find).collect())
}

/// The quick controls, before a run: one for each check.
///
/// # Errors
/// A control was not caught: its name and what happened. This program could not be started again.
pub fn quick() -> Result<(), String> {
    each_judged(&controls::quick(), |control, verdict| {
        if verdict.is_good() {
            return Ok(());
        }
        Err(format!(
            "the checker does not work here: the control {} ended with {:?} (clean: {}); try \
             `{} controls`",
            control.name,
            verdict.by,
            verdict.clean,
            added::name()
        ))
    })
}

/// Judges each, several at a time, and tells of them in their order.
fn each_judged(
    controls: &[Control],
    mut tell: impl FnMut(&Control, Verdict) -> Result<(), String>,
) -> Result<(), String> {
    thread::scope(|scope| {
        let mut under_way = VecDeque::new();
        let mut controls = controls.iter();
        loop {
            let room = AT_ONCE - under_way.len();
            let judges = controls.by_ref().take(room);
            under_way.extend(judges.map(|control| (control, scope.spawn(|| judge(control)))));
            let Some((control, judged)) = under_way.pop_front() else { return Ok(()) };
            tell(control, judged.join().expect("nothing in it panics")?)?;
        }
    })
}

/// Runs a control on the twin and on the backend without the fault, at the same time: what a
/// process shows does not depend on what runs beside it.
fn judge(control: &Control) -> Result<Verdict, String> {
    let (twin, clean) = thread::scope(|scope| {
        let twin = scope.spawn(|| spawn(control.name, false));
        let clean = spawn(control.name, true);
        (twin.join().expect("nothing in it panics"), clean)
    });
    let (twin, clean) = (twin?, clean?);
    let found = parse(&twin);
    let caught = found.as_ref().is_some_and(|found| is_right(control, found));
    let (by, at, operations) = found.map_or_else(
        || (format!("nothing ({})", twin.status), String::from("-"), 0),
        |found| (found.check, found.at, found.calls),
    );
    let clean = clean.status.success();
    Ok(Verdict { control: control.name, bug: control.bug, caught, by, at, operations, clean })
}

fn is_right(control: &Control, found: &Caught) -> bool {
    found.check == control.check.name()
        && found.count > 0
        && found.operation == control.operation
        && is_at(&found.at, &control.expected_at())
}

/// Whether a place is the one expected, or below a folder: in the build of another crate's program
/// the files of this one have whole paths.
fn is_at(at: &str, expected: &str) -> bool {
    let before = at.find(expected).map(|begin| &at[..begin]);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn parse(output: &Output) -> Option<Caught> {
    if output.status.code() != Some(EXIT_FINDING) {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last()?).ok()
}

fn spawn(name: &str, clean: bool) -> Result<Output, String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("this program cannot find itself: {error}"))?;
    let mut command = Command::new(program);
    // Nobody reads what its panics say. Backtraces in it, where RUST_BACKTRACE asks for them, take
    // long, and might fill a pipe.
    command.args(["controls", "--child", name]).env("RUST_BACKTRACE", "0");
    if clean {
        command.arg("--clean");
    }
    let failed = |error| format!("the control {name} could not be started: {error}");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let mut waited = Duration::ZERO;
    // What it writes fits into the pipes, so that it need not be read meanwhile.
    while child.try_wait().map_err(failed)?.is_none() {
        if waited > CHILD_LIMIT {
            child.kill().map_err(failed)?;
        }
        let looked = Instant::now();
        thread::sleep(POLL);
        // A machine that stood still as a whole, and the child with it, is no hang.
        waited += looked.elapsed().min(POLL * 50);
    }
    child.wait_with_output().map_err(failed)
}

/// A control that is not ended by its own watchdog is ended by this.
const CHILD_LIMIT: Duration = Duration::from_secs(20);
/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(2);

/// The process of one control.
fn child(name: &str, clean: bool) -> Result<i32, String> {
    let control = choose(&[name.to_owned()])?[0];
    witness::set_finding_hook(|finding| {
        let caught = Caught {
            check: finding.check.name().to_owned(),
            operation: finding.operation.to_owned(),
            at: finding.at.clone(),
            calls: finding.calls,
            count: witness::found_by(finding.check),
        };
        if let Ok(line) = serde_json::to_string(&caught) {
            // Whoever reads this sees by the code that something was found.
            let _ = print(&(line + "\n"));
        }
    });
    Watchdog::start(HANG_LIMIT)?;
    let program = || if clean { control.run_clean() } else { control.run_twin() };
    // A panic is a finding too: in a kernel it is where a pointer to nothing is followed.
    if std::panic::catch_unwind(program).is_err() {
        witness::report_panic("the control's program; its message is above");
    }
    Ok(EXIT_OK)
}

fn json(verdict: &Verdict) -> Result<String, String> {
    Ok(serde_json::to_string(verdict).map_err(|error| error.to_string())? + "\n")
}

fn line(control: &Control, verdict: &Verdict) -> String {
    let caught = if verdict.caught { verdict.by.clone() } else { format!("NOT: {}", verdict.by) };
    let clean = if verdict.clean { "yes" } else { "NO" };
    let told = format!("{}; {} calls; {}", verdict.bug, verdict.operations, verdict.at);
    let row = format!("{:<28} {caught:<18} {:<18} {clean}\n", verdict.control, control.operation);
    row + &wrapped(&told, INDENT, INDENT, COLUMNS)
}

fn summary(count: usize, all_good: bool) -> String {
    if all_good {
        return format!("all {count} caught; the backends without the fault are clean\n");
    }
    String::from("NOT all caught: the checker cannot be trusted on this machine\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_that_has_a_control_is_tried_before_a_run() {
        let checks = |controls: Vec<Control>| -> Vec<&str> {
            controls.iter().map(|control| control.check.name()).collect()
        };
        let quick = checks(controls::quick());
        let each: BTreeSet<&str> = quick.iter().copied().collect();
        assert_eq!(each.len(), quick.len(), "twice: {quick:?}");
        let mut all: BTreeSet<&str> = checks(controls::all()).into_iter().collect();
        assert!(all.remove("hang"), "it takes the watchdog's limit");
        assert_eq!(each, all);
    }
}
