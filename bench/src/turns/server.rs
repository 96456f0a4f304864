//! One process that measures: started, asked, and ended, whatever happens to the driver.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use lockimpls::witness::EXIT_FINDING;
use results::{Finding, Pinning};
use rustix::process::Signal;

use super::copy::{self, Place, Spawned};
use super::launch::Serving;
use crate::children::{LINE_BYTES_MAX, TooLong, last_lines, lines, signal_group};
use crate::interrupt::Interrupt;
use crate::protocol::{Ask, Hello, PROTOCOL, Prepare, Prepared, Say, SliceAsked, SliceDone};

/// How long an answer may take, beyond the time that was asked for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to end by itself; shorter in unit tests, one of which waits for all
/// of it.
const END_PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 5 });
/// How long the end of its standard error may take when it has ended.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// How often an interrupt is looked for while waiting.
const NAP: Duration = Duration::from_millis(50);
/// How much of a server's standard error is kept for a message, in lines.
const LAST_LINES: usize = 12;
/// A variable that is only there to be long: see [`Launch::padding`].
const PADDING: &str = "SOLOCK_PADDING";

impl Serving for Server {
    fn slice(&mut self, asked: SliceAsked) -> Result<SliceDone, Failure> {
        Server::slice(self, asked)
    }

    fn clock_step_ns(&self) -> f64 {
        self.hello.clock_step_ns
    }

    fn pinning(&self) -> Option<Pinning> {
        self.prepared.pinning.clone()
    }

    fn uncopied(&self) -> Option<&str> {
        self.uncopied.as_deref()
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        Server::end(*self)
    }
}

/// Why a server gave no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Somebody asked the driver to end.
    Interrupted,
    /// A check found something; the server ended with code 2.
    Found {
        /// What it said of it, if it still could.
        finding: Option<Box<Finding>>,
        /// The end of its standard error.
        report: String,
    },
    /// Anything else: a sentence for a user.
    Broken(String),
}

/// How to start a server.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The program.
    pub program: &'a Path,
    /// So many bytes are added to the environment: the stack begins elsewhere, and with it
    /// everything that depends on where it lies.
    pub padding: usize,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// How long nothing may move before it is a hang; none: as the program thinks fit.
    pub hang_limit: Option<Duration>,
}

/// A server that has said hello.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `None` once it was told to end.
    questions: Option<ChildStdin>,
    answers: Receiver<Result<String, TooLong>>,
    errors: Option<Receiver<String>>,
    interrupt: Interrupt,
    patience: Duration,
    program: PathBuf,
    uncopied: Option<String>,
    /// What it said first.
    pub hello: Hello,
    pub(super) prepared: Prepared,
}

impl Server {
    /// Starts a program and waits for its first line.
    ///
    /// # Errors
    /// It cannot be started, says nothing that is understood, or speaks another protocol.
    pub fn start(launch: Launch<'_>) -> Result<Server, Failure> {
        let places = Place::of(launch.program);
        let started = copy::spawn(launch.program, &places, &|file| command(file, launch));
        let Spawned { mut child, uncopied } = started.map_err(|error| {
            Failure::Broken(format!("{} cannot be started: {error}", launch.program.display()))
        })?;
        let (questions, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut server = Server {
            child,
            questions,
            answers: lines(out),
            errors: last_lines(err, LAST_LINES),
            interrupt: launch.interrupt.clone(),
            patience: PATIENCE + launch.hang_limit.unwrap_or_default(),
            program: launch.program.to_owned(),
            uncopied,
            hello: Hello::default(),
            prepared: Prepared::default(),
        };
        server.hello = server.first_line()?;
        Ok(server)
    }

    fn first_line(&mut self) -> Result<Hello, Failure> {
        let line = self.line(self.patience).map_err(|failure| match failure {
            Failure::Broken(why) => Failure::Broken(format!("it has no `solock serve`: {why}")),
            other => other,
        })?;
        // The number first: what else a hello of another protocol holds is not known here.
        let number = protocol_of(&line).ok_or_else(|| {
            Failure::Broken(format!(
                "it has no `solock serve`: its first line was {:?}",
                shown(&line)
            ))
        })?;
        if number != u64::from(PROTOCOL) {
            return Err(Failure::Broken(format!(
                "it speaks protocol {number} and this program {PROTOCOL}; compare with the solock \
                 of a commit that speaks both"
            )));
        }
        match self.understood(&line)? {
            Say::Hello(hello) => Ok(hello),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Gets it ready for a cell; inside, why it does not know the cell.
    ///
    /// # Errors
    /// It ended, or answered what is no answer.
    pub fn prepare(&mut self, prepare: &Prepare) -> Result<Result<Prepared, String>, Failure> {
        // It would leave aside what it does not know, and measure without.
        if let Some(name) = prepare.cell.ambient.iter().find(|n| !self.hello.ambient.contains(n)) {
            return Ok(Err(format!("this program has no {name} around the layer")));
        }
        let knows = |name: &str| self.hello.parameters.iter().any(|known| known == name);
        if let Some(name) = prepare.cell.own.newer().find(|name| !knows(name)) {
            let workload = &prepare.cell.workload;
            return Ok(Err(format!("{workload} of this program has no {name}")));
        }
        let lock = &prepare.cell.lock;
        if !lock.is_empty() && !self.hello.locks.contains(lock) {
            return Ok(Err(format!("this program has no lock {lock}")));
        }
        match self.ask(&Ask::Prepare(prepare.clone()), self.patience)? {
            Say::Prepared(prepared) => Ok(Ok(prepared)),
            Say::Refused { why } => Ok(Err(why)),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Measures a slice of the prepared cell.
    ///
    /// # Errors
    /// It ended, refused, or answered what is no answer.
    pub fn slice(&mut self, asked: SliceAsked) -> Result<SliceDone, Failure> {
        let time = Duration::from_secs_f64(asked.seconds + asked.warm_up_seconds);
        let patience = self.patience + time;
        match self.ask(&Ask::Slice(asked), patience)? {
            Say::Slice(done) => Ok(*done),
            Say::Refused { why } => Err(Failure::Broken(format!("it refused to measure: {why}"))),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Where answers come fast this is the only place that sees an interrupt.
    fn ask(&mut self, ask: &Ask, patience: Duration) -> Result<Say, Failure> {
        if self.interrupt.is_set() {
            return Err(Failure::Interrupted);
        }
        let line =
            serde_json::to_string(ask).map_err(|error| Failure::Broken(error.to_string()))?;
        if let Some(questions) = self.questions.as_mut() {
            // That nobody reads it shows in the answer that does not come.
            let _ = questions.write_all((line + "\n").as_bytes()).and_then(|()| questions.flush());
        }
        let line = self.line(patience)?;
        match self.understood(&line)? {
            Say::Finding(finding) => Err(self.found(Some(finding))),
            said => Ok(said),
        }
    }

    /// The next line; why there is none.
    fn line(&mut self, patience: Duration) -> Result<String, Failure> {
        let until = Instant::now() + patience;
        let mut gone: Option<Instant> = None;
        loop {
            match self.answers.recv_timeout(NAP) {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(TooLong)) => {
                    let most = LINE_BYTES_MAX >> 20;
                    return Err(Failure::Broken(format!("it wrote a line of over {most} MiB")));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Err(RecvTimeoutError::Timeout) if self.interrupt.is_set() => {
                    return Err(Failure::Interrupted);
                }
                // It has ended, and what it left behind holds its output.
                Err(RecvTimeoutError::Timeout)
                    if gone.is_some_and(|since| since.elapsed() > LAST_PATIENCE) =>
                {
                    return Err(self.ended());
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                    let seconds = patience.as_secs();
                    return Err(Failure::Broken(format!("it said nothing for {seconds} s")));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if matches!(self.child.try_wait(), Ok(Some(_))) {
                        gone = gone.or_else(|| Some(Instant::now()));
                    }
                }
            }
        }
    }

    fn understood(&self, line: &str) -> Result<Say, Failure> {
        serde_json::from_str(line).map_err(|error| {
            let program = self.program.display();
            Failure::Broken(format!(
                "{program} said {:?}, which is no answer: {error}",
                shown(line)
            ))
        })
    }

    fn unexpected(&self, said: &Say) -> Failure {
        let program = self.program.display();
        Failure::Broken(format!(
            "{program} said something out of turn: {}",
            shown(&format!("{said:?}"))
        ))
    }

    /// Its output ended without an answer: how did it end?
    fn ended(&mut self) -> Failure {
        if self.interrupt.is_set() {
            return Failure::Interrupted;
        }
        match self.wait() {
            Some(status) if status.code() == Some(EXIT_FINDING) => self.found(None),
            status => {
                let how = status.map_or_else(|| "no exit".to_owned(), |status| status.to_string());
                let errors = self.standard_error();
                Failure::Broken(format!("its process ended ({how}){errors}"))
            }
        }
    }

    fn found(&mut self, finding: Option<Box<Finding>>) -> Failure {
        let _ = self.wait();
        let report = self.standard_error();
        Failure::Found { finding, report }
    }

    fn standard_error(&mut self) -> String {
        // A process that it left behind may hold the pipe.
        let errors = self.errors.take();
        let text = errors.and_then(|errors| errors.recv_timeout(LAST_PATIENCE).ok());
        let text = text.unwrap_or_default();
        if text.is_empty() { text } else { format!("\n{text}") }
    }

    /// Tells it to end and waits until it did.
    ///
    /// # Errors
    /// A check found something after the last answer: when its threads ended, for example.
    pub fn end(mut self) -> Result<(), Failure> {
        if let (Some(mut questions), Ok(line)) =
            (self.questions.take(), serde_json::to_string(&Ask::End))
        {
            let _ = questions.write_all((line + "\n").as_bytes());
        }
        let code = self.wait().and_then(|status| status.code());
        let mut finding = None;
        // Its output ends with it, but for a program that leaves another one behind.
        let until = Instant::now() + END_PATIENCE;
        while let Ok(Ok(line)) =
            self.answers.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if let Ok(Say::Finding(found)) = serde_json::from_str(&line) {
                finding = Some(found);
            }
        }
        if finding.is_some() || code == Some(EXIT_FINDING) {
            return Err(self.found(finding));
        }
        Ok(())
    }

    /// How it ended, if it does so in time; killed otherwise.
    fn wait(&mut self) -> Option<ExitStatus> {
        self.questions = None;
        let until = Instant::now() + END_PATIENCE;
        while Instant::now() < until && !self.interrupt.is_set() {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Server {
    /// No server outlives its driver.
    fn drop(&mut self) {
        signal_group(self.child.id(), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that runs a file, the program or a copy of it, under the program's name.
fn command(file: &Path, launch: Launch<'_>) -> Command {
    let mut command = Command::new(file);
    command
        .arg0(launch.program)
        .arg("serve")
        .env(PADDING, "x".repeat(launch.padding))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(limit) = launch.hang_limit {
        command.args(["--hang-limit", &limit.as_secs_f64().to_string()]);
    }
    // Ctrl-C on a terminal goes to the whole group of processes; the driver ends its servers.
    command.process_group(0);
    command
}

fn protocol_of(line: &str) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    (value.get("say")?.as_str()? == "hello").then(|| value.get("protocol")?.as_u64()).flatten()
}

/// The beginning of a line that was not understood.
fn shown(line: &str) -> String {
    let mut shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < line.len() {
        shown.push_str("...");
    }
    shown
}

const SHOWN_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests;
