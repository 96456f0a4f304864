//! Building `solock` in a folder, with its progress, and an end when somebody asks for it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::layouts;
use super::progress::Watch;
use crate::interrupt::Interrupt;

/// How often an interrupt is looked for.
const NAP: Duration = Duration::from_millis(100);
/// How long cargo may take to end when it is told to.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How much of what cargo says stands in an error, in lines.
const LAST_LINES: usize = 20;

/// The places that the linker fills in stay listed in the program, for `code`; what is only for a
/// debugger would be listed too, and is left out. The code is what it is without them.
#[cfg(target_os = "linux")]
const FIRST_LAYOUT: &[&str] = &["link-arg=-Wl,--emit-relocs", "link-arg=-Wl,--strip-debug"];
/// Other linkers have no such list.
#[cfg(not(target_os = "linux"))]
const FIRST_LAYOUT: &[&str] = &[];
/// Nobody reads the others but the processor.
const OTHER_LAYOUTS: &[&str] = &["strip=symbols"];

/// What to build.
#[derive(Clone, Copy)]
pub struct Build<'a> {
    /// For the user.
    pub name: &'a str,
    /// cargo, as it is to be started for it.
    pub cargo: &'a dyn Fn() -> Command,
    /// The target folder.
    pub target: &'a Path,
    /// Which [layout](super::layouts); the first compiles, the others only link.
    pub layout: u32,
}

/// Builds it; the program.
///
/// # Errors
/// It does not build, or somebody asked for the end.
pub fn build(build: &Build<'_>, interrupt: &Interrupt, watch: &Watch) -> Result<PathBuf, String> {
    let mut child = command(build).spawn().map_err(|error| {
        format!("cargo cannot be run: {error}; commits are built from source, with cargo")
    })?;
    let messages = lines(child.stdout.take());
    let said = lines(child.stderr.take());
    let mut last: Vec<String> = Vec::new();
    let status = loop {
        for line in said.try_iter() {
            watch.detail(&format!("{}: {}", build.name, line.trim()));
            last.push(line);
        }
        if interrupt.is_set() {
            end(&mut child);
            return Err("interrupted".to_owned());
        }
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None => thread::sleep(NAP),
        }
    };
    last.extend(said.iter());
    let program = messages.iter().filter_map(|line| executable(&line)).last();
    program.filter(|_| status.success()).ok_or_else(|| failed(status, &last))
}

fn command(build: &Build<'_>) -> Command {
    let order = layouts::flag(build.layout);
    let flags = if order.is_none() { FIRST_LAYOUT } else { OTHER_LAYOUTS };
    let mut command = (build.cargo)();
    command
        .args(["--release", "--locked", "--package", "bench", "--bin", "solock"])
        .args(["--message-format", "json-render-diagnostics", "--target-dir"])
        .arg(build.target)
        .arg("--")
        .args(flags.iter().copied().chain(order.as_deref()).flat_map(|flag| ["-C", flag]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A group of its own: it is ended as a whole, with its compilers, whoever got the signal.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Ends cargo and all its compilers.
fn end(child: &mut Child) {
    let group = rustix::process::Pid::from_raw(child.id().cast_signed());
    let signal = |signal| {
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, signal);
        }
    };
    signal(rustix::process::Signal::INT);
    let until = Instant::now() + END_PATIENCE;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(NAP);
    }
    signal(rustix::process::Signal::KILL);
    let _ = child.wait();
}

/// The program, if this is cargo's message that it was made.
fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_it = message.get("target")?.get("name")?.as_str()? == "solock";
    is_it.then(|| message.get("executable")?.as_str().map(PathBuf::from)).flatten()
}

fn failed(status: ExitStatus, said: &[String]) -> String {
    let end = said[said.len().saturating_sub(LAST_LINES)..].join("\n");
    format!("it does not build ({status}):\n{end}")
}

/// The lines of a pipe, read by a thread of their own.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            let lines = BufReader::new(pipe).lines().map_while(Result::ok);
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
    }
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_the_program_is() {
        let message =
            r#"{"reason":"compiler-artifact","target":{"name":"solock"},"executable":"/x/solock"}"#;
        assert_eq!(executable(message), Some(PathBuf::from("/x/solock")));
        assert_eq!(executable(r#"{"target":{"name":"solock"},"executable":null}"#), None);
        assert_eq!(executable(r#"{"reason":"build-finished"}"#), None);
    }
}
