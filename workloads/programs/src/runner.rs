//! Running a program on a backend: what each call answered.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex, OnceLock, PoisonError};

use lockimpls::{Backend, Config, Errno, Fd, Layer, MsgFlags, RecvMsg, SendMsg, SockAddr};

use crate::{Call, Program, Recv, Send, Var};

/// The sizes of the layers that programs run in: small tables, so that short programs fill them.
#[must_use]
pub fn config() -> Config {
    Config { maxfiles: 60, sockets_max: 24, ..Config::default() }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
    /// It was not made: a variable it needs was never set.
    #[default]
    Skipped,
    /// With success, and this number (0 where the call has none).
    Done(usize),
    /// With this error.
    Failed(Errno),
}

/// What a call answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// The bytes received.
    pub data: Vec<u8>,
    /// Of each descriptor received, the first variable of the same file.
    pub files: Vec<Option<Var>>,
    /// The name it answered: a sender's, a peer's, the socket's own.
    pub name: Option<SockAddr>,
    /// The flags a receive gave back.
    pub flags: MsgFlags,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.outcome {
            Outcome::Skipped => f.write_str("not made")?,
            Outcome::Done(number) => write!(f, "{number}")?,
            Outcome::Failed(errno) => write!(f, "{errno}")?,
        }
        if !self.data.is_empty() {
            write!(f, ", data {}", shown(&self.data))?;
        }
        for file in &self.files {
            match file {
                Some(var) => write!(f, ", a descriptor of {var}")?,
                None => f.write_str(", a descriptor of no variable")?,
            }
        }
        if let Some(name) = self.name {
            write!(f, ", name {:?}", String::from_utf8_lossy(name.path()))?;
        }
        if !self.flags.is_empty() {
            write!(f, ", {:?}", self.flags)?;
        }
        Ok(())
    }
}

/// The beginning of some bytes.
fn shown(data: &[u8]) -> String {
    let head = data[..data.len().min(16)].escape_ascii().to_string();
    if data.len() > 16 {
        format!("\"{head}\"... ({} bytes)", data.len())
    } else {
        format!("\"{head}\"")
    }
}

/// A call of a thread, and when it was under way.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// The moment before the call.
    pub start: u64,
    /// The moment after.
    pub end: u64,
    /// What it answered.
    pub answer: Answer,
}

/// What a program's calls answered.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The calls made first.
    pub first: Vec<Answer>,
    /// Each thread's calls.
    pub threads: Vec<Vec<Event>>,
    /// The calls made last.
    pub last: Vec<Answer>,
}

impl Trace {
    /// Every answer, in the order of [`Program::calls`].
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        let threads = self.threads.iter().flatten().map(|event| &event.answer);
        self.first.iter().chain(threads).chain(&self.last)
    }
}

/// A backend that programs run on, whatever its type.
pub trait Target {
    /// The backend's name.
    fn name(&self) -> &'static str;
    /// Whether it is the model, so that its answers must be the sequential ones.
    fn is_modelled(&self) -> bool;
    /// Runs a program, closes everything, and looks that nothing is left. What a check of the
    /// boundary finds ends the process.
    fn run(&mut self, program: &Program, trace: &mut Trace);
}

/// Makes the layers of a runner.
pub type Open = Box<dyn Fn(&Config) -> Result<Box<dyn Layer>, Errno>>;

/// One backend, and its layer, which is used for many programs.
pub struct Runner {
    backend: Backend,
    open: Open,
    layer: Box<dyn Layer>,
    runs: u32,
}

/// After so many programs comes a new layer: what accumulates is seen, but not for ever.
const RUNS_PER_LAYER: u32 = 256;

impl Runner {
    /// A runner with a layer of its own.
    ///
    /// # Errors
    /// As [`Backend::open`].
    pub fn new(backend: Backend) -> Result<Self, Errno> {
        Runner::opened_by(backend, Box::new(backend.open))
    }

    /// The same with layers that are made in another way.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn opened_by(backend: Backend, open: Open) -> Result<Self, Errno> {
        Ok(Self { backend, layer: open(&config())?, open, runs: 0 })
    }
}

impl Target for Runner {
    fn name(&self) -> &'static str {
        self.backend.name
    }

    fn is_modelled(&self) -> bool {
        self.backend.modelled
    }

    fn run(&mut self, program: &Program, trace: &mut Trace) {
        if !program.sizes.is_empty() {
            let layer = (self.open)(&program.config());
            let layer = layer.unwrap_or_else(|errno| panic!("no layer of these sizes: {errno}"));
            return run_in(&*layer, program, trace);
        }
        self.runs += 1;
        if self.runs > RUNS_PER_LAYER
            && let Ok(layer) = (self.open)(&config())
        {
            (self.layer, self.runs) = (layer, 1);
        }
        run_in(&*self.layer, program, trace);
    }
}

/// Runs a program in a layer that is empty before and must be empty afterwards.
fn run_in(layer: &dyn Layer, program: &Program, trace: &mut Trace) {
    let stage = Stage::new(layer, program);
    let mut hand = Hand::default();
    trace.first.resize_with(program.first.len(), Answer::default);
    for (call, answer) in program.first.iter().zip(&mut trace.first) {
        stage.make(call, &mut hand, answer);
    }
    trace.threads.clear();
    if !program.threads.is_empty() {
        trace.threads = stage.at_once(&program.threads);
    }
    trace.last.resize_with(program.last.len(), Answer::default);
    for (call, answer) in program.last.iter().zip(&mut trace.last) {
        stage.make(call, &mut hand, answer);
    }
    stage.close_all(program);
    layer.check_end();
}

/// The sockets of one run of a program.
struct Stage<'a> {
    layer: &'a dyn Layer,
    vars: Vec<OnceLock<Fd>>,
    /// The variables that a received descriptor is compared with: in a program with threads only
    /// those that were set before.
    known: Vec<Var>,
    /// Received descriptors for which there was no variable.
    extra: Mutex<Vec<Fd>>,
}

/// The memory that a thread's calls use.
#[derive(Default)]
struct Hand {
    bytes: Vec<u8>,
}

impl<'a> Stage<'a> {
    fn new(layer: &'a dyn Layer, program: &Program) -> Self {
        let vars = (0..program.vars()).map(|_| OnceLock::new()).collect();
        let known = program.first.iter().flat_map(Call::outs).copied().collect();
        Self { layer, vars, known, extra: Mutex::new(Vec::new()) }
    }

    /// Every thread's calls, all threads at once.
    fn at_once(&self, threads: &[Vec<Call>]) -> Vec<Vec<Event>> {
        let (clock, barrier) = (AtomicU64::new(0), Barrier::new(threads.len()));
        let one = |calls: &Vec<Call>| {
            let mut hand = Hand::default();
            let mut events = vec![Event::default(); calls.len()];
            barrier.wait();
            // SeqCst: no call leaves its two numbers; the moments of all threads have one order.
            for (call, event) in calls.iter().zip(&mut events) {
                event.start = clock.fetch_add(1, SeqCst);
                self.make(call, &mut hand, &mut event.answer);
                event.end = clock.fetch_add(1, SeqCst);
            }
            events
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = threads.iter().map(|calls| scope.spawn(move || one(calls))).collect();
            let ended = all.into_iter().map(std::thread::ScopedJoinHandle::join);
            ended.map(|ended| ended.unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    /// Closes what is still open and removes the names.
    fn close_all(&self, program: &Program) {
        let extra = std::mem::take(&mut *self.extra.lock().unwrap_or_else(PoisonError::into_inner));
        for s in self.vars.iter().filter_map(OnceLock::get).chain(&extra) {
            // The program may have closed it, and removed the names.
            let _ = self.layer.close(*s);
        }
        for name in program.calls().filter_map(Call::name) {
            if let Ok(name) = SockAddr::new(name) {
                let _ = self.layer.unlink(&name);
            }
        }
    }

    fn get(&self, var: Var) -> Option<Fd> {
        self.vars.get(usize::from(var.0)).and_then(|s| s.get()).copied()
    }

    fn set(&self, var: Var, s: Fd) {
        // A variable is made once (the parser says so); the layer's check finds it otherwise.
        let _ = self.vars[usize::from(var.0)].set(s);
    }

    /// Makes one call.
    fn make(&self, call: &Call, hand: &mut Hand, answer: &mut Answer) {
        answer.data.clear();
        answer.files.clear();
        answer.name = None;
        answer.flags = MsgFlags::empty();
        answer.outcome = match self.try_make(call, hand, answer) {
            None => Outcome::Skipped,
            Some(Ok(number)) => Outcome::Done(number),
            Some(Err(errno)) => Outcome::Failed(errno),
        };
    }

    /// `None`: a variable it needs was not set.
    fn try_make(
        &self,
        call: &Call,
        hand: &mut Hand,
        answer: &mut Answer,
    ) -> Option<Result<usize, Errno>> {
        let layer = self.layer;
        let none = |()| 0;
        Some(match call {
            Call::Send(send) => return self.send(send, hand),
            Call::Recv(recv) => return self.receive(recv, answer),
            Call::Socketpair { out, kind, nonblock } => layer
                .socketpair(*kind)
                .map(|(a, b)| self.made(&[(out[0], a), (out[1], b)], *nonblock)),
            Call::Socket { out, kind, nonblock } => {
                layer.socket(*kind).map(|s| self.made(&[(*out, s)], *nonblock))
            }
            Call::Accept { out, s, nonblock } => layer.accept(self.get(*s)?).map(|(s, name)| {
                answer.name = Some(name);
                self.made(&[(*out, s)], *nonblock)
            }),
            Call::Dup(out, s) => layer.dup(self.get(*s)?).map(|s| self.made(&[(*out, s)], false)),
            Call::Bind(s, name) => layer.bind(self.get(*s)?, &address(name)).map(none),
            Call::Unlink(name) => layer.unlink(&address(name)).map(none),
            Call::Listen(s, backlog) => layer.listen(self.get(*s)?, *backlog).map(none),
            Call::Connect(s, name) => layer.connect(self.get(*s)?, &address(name)).map(none),
            Call::Shutdown(s, how) => layer.shutdown(self.get(*s)?, *how).map(none),
            Call::Close(s) => layer.close(self.get(*s)?).map(none),
            Call::SameFile(a, b) => layer.same_file(self.get(*a)?, self.get(*b)?).map(usize::from),
            Call::Getsockname(s) => named(layer.getsockname(self.get(*s)?), answer),
            Call::Getpeername(s) => named(layer.getpeername(self.get(*s)?), answer),
            Call::Setsockopt(s, option, value) => {
                layer.setsockopt(self.get(*s)?, *option, *value).map(none)
            }
            Call::Getsockopt(s, option) => layer.getsockopt(self.get(*s)?, *option),
            Call::Nonblocking(s, on) => layer.set_nonblocking(self.get(*s)?, *on).map(none),
        })
    }

    /// Keeps what a call made.
    fn made(&self, made: &[(Var, Fd)], nonblock: bool) -> usize {
        for (var, s) in made {
            self.set(*var, *s);
            if nonblock {
                // It was made just now: the call cannot fail but on a host that has lost it.
                let _ = self.layer.set_nonblocking(*s, true);
            }
        }
        0
    }

    fn send(&self, send: &Send, hand: &mut Hand) -> Option<Result<usize, Errno>> {
        let s = self.get(send.s)?;
        send.data.write_to(&mut hand.bytes);
        let (data, flags) = (&hand.bytes[..], send.flags);
        let to = send.to.as_ref().map(|name| address(name));
        let Some(rights) = &send.rights else {
            return Some(match &to {
                Some(to) => self.layer.sendto(s, data, to, flags),
                None => self.layer.send(s, data, flags),
            });
        };
        let rights: Vec<Fd> = rights.iter().map(|var| self.get(*var)).collect::<Option<_>>()?;
        let msg = SendMsg { to: to.as_ref(), data, rights: &rights, flags };
        Some(self.layer.sendmsg(s, &msg))
    }

    fn receive(&self, recv: &Recv, answer: &mut Answer) -> Option<Result<usize, Errno>> {
        let s = self.get(recv.s)?;
        answer.data.resize(recv.room, 0);
        let result = match recv.rights {
            None => self.layer.recv(s, &mut answer.data, recv.flags),
            Some(rights) => self.receive_message(s, recv, rights, answer),
        };
        answer.data.truncate(*result.as_ref().unwrap_or(&0));
        Some(result)
    }

    fn receive_message(
        &self,
        s: Fd,
        recv: &Recv,
        room: usize,
        answer: &mut Answer,
    ) -> Result<usize, Errno> {
        let mut rights = vec![None; room];
        let mut from = SockAddr::UNNAMED;
        let mut msg = RecvMsg::with_rights(&mut answer.data, &mut rights, recv.flags);
        msg.from = Some(&mut from);
        let bytes = self.layer.recvmsg(s, &mut msg)?;
        let (flags, received) = (msg.flags, msg.rights_len);
        (answer.name, answer.flags) = (Some(from), flags);
        for (index, s) in rights.into_iter().take(received).flatten().enumerate() {
            answer.files.push(self.file_of(s));
            match recv.out.get(index) {
                Some(var) => self.set(*var, s),
                None => self.extra.lock().unwrap_or_else(PoisonError::into_inner).push(s),
            }
        }
        Ok(bytes)
    }

    /// The first variable of the same file.
    fn file_of(&self, s: Fd) -> Option<Var> {
        let same = |var: &&Var| {
            self.get(**var).is_some_and(|known| self.layer.same_file(s, known) == Ok(true))
        };
        self.known.iter().find(same).copied()
    }
}

fn named(result: Result<SockAddr, Errno>, answer: &mut Answer) -> Result<usize, Errno> {
    answer.name = Some(result?);
    Ok(0)
}

/// The address of a name; the parser has seen that it is one.
fn address(name: &str) -> SockAddr {
    SockAddr::new(name).unwrap_or(SockAddr::UNNAMED)
}
