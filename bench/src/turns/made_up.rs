//! For tests: a machine that is made up. It writes down what is asked of it, its time passes in
//! slices alone, and what each process does is what the test says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use results::{HostNoise, Measure, Pinning, TwoCpus};

use super::launch::{Party, Serving, World};
use super::server::Failure;
use crate::cpus::Cpus;
use crate::protocol::{Prepare, SliceAsked, SliceDone};

/// What was asked of the machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A process was started: its number, its program, its backend.
    Start(usize, String, String),
    /// A process was asked for a slice.
    Slice(usize, Measure),
    /// A process was told to end.
    End(usize),
}

/// What a test's process knows when it is asked for a slice.
pub(crate) struct Now<'a> {
    /// Its number, counted from the first that was started.
    pub(crate) process: usize,
    /// Its program.
    pub(crate) program: &'a Path,
    /// Its cell.
    pub(crate) prepare: &'a Prepare,
    /// How many slices it has measured.
    pub(crate) slice: usize,
    /// What it is asked.
    pub(crate) asked: SliceAsked,
}

/// A process's answer to a slice.
pub(crate) type Answer = dyn Fn(&Now<'_>) -> Result<SliceDone, Failure>;

/// The machine.
pub(crate) struct MadeUp {
    shared: Rc<Shared>,
    started: Cell<usize>,
    /// From which moment on somebody asks for the end.
    pub(crate) interrupt_at: Cell<Duration>,
    /// What its first two CPUs are to each other, look by look; nothing beyond.
    pub(crate) two_cpus: RefCell<VecDeque<TwoCpus>>,
}

struct Shared {
    events: RefCell<Vec<Event>>,
    time: Cell<Duration>,
    answer: Box<Answer>,
}

impl MadeUp {
    pub(crate) fn new(answer: impl Fn(&Now<'_>) -> Result<SliceDone, Failure> + 'static) -> MadeUp {
        let shared =
            Shared { events: RefCell::default(), time: Cell::default(), answer: Box::new(answer) };
        let interrupt_at = Cell::new(Duration::MAX);
        let (started, two_cpus) = (Cell::new(0), RefCell::default());
        MadeUp { shared: Rc::new(shared), started, interrupt_at, two_cpus }
    }

    /// All that was asked so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.shared.events.borrow().clone()
    }

    /// The processes of the throughput or latency slices so far, in their order, without the first
    /// slice of each.
    pub(crate) fn turns(&self, measure: Measure) -> Vec<usize> {
        let mut warm: Vec<usize> = Vec::new();
        let mut turns = Vec::new();
        for event in self.events() {
            let Event::Slice(process, of) = event else { continue };
            if !warm.contains(&process) {
                warm.push(process);
            } else if of == measure {
                turns.push(process);
            }
        }
        turns
    }
}

impl World for MadeUp {
    fn start(&self, party: Party<'_>, _padding: usize) -> Result<Box<dyn Serving>, Failure> {
        let process = self.started.replace(self.started.get() + 1);
        let backend = party.prepare.cell.backend.clone();
        let program = party.program.display().to_string();
        self.shared.events.borrow_mut().push(Event::Start(process, program, backend));
        Ok(Box::new(Process {
            shared: Rc::clone(&self.shared),
            process,
            program: party.program.to_owned(),
            prepare: party.prepare.clone(),
            slices: 0,
        }))
    }

    fn two_cpus(&self, _cpus: &Cpus) -> Option<TwoCpus> {
        let mut looks = self.two_cpus.borrow_mut();
        looks.pop_front()
    }

    fn elapsed(&self) -> Duration {
        self.shared.time.get()
    }

    fn is_interrupted(&self) -> bool {
        self.elapsed() >= self.interrupt_at.get()
    }
}

struct Process {
    shared: Rc<Shared>,
    process: usize,
    program: std::path::PathBuf,
    prepare: Prepare,
    slices: usize,
}

impl Serving for Process {
    fn slice(&mut self, asked: SliceAsked) -> Result<SliceDone, Failure> {
        let Process { shared, process, program, prepare, slices } = self;
        shared.events.borrow_mut().push(Event::Slice(*process, asked.measure));
        let passed = Duration::from_secs_f64(asked.seconds + asked.warm_up_seconds);
        shared.time.set(shared.time.get() + passed);
        let now = Now { process: *process, program, prepare, slice: *slices, asked };
        *slices += 1;
        (shared.answer)(&now)
    }

    fn clock_step_ns(&self) -> f64 {
        1.0
    }

    fn pinning(&self) -> Option<Pinning> {
        Some(Pinning { asked: vec![0], got: vec![0], ..Pinning::default() })
    }

    fn uncopied(&self) -> Option<&str> {
        None
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        self.shared.events.borrow_mut().push(Event::End(self.process));
        Ok(())
    }
}

/// A slice at this rate that nobody disturbed.
pub(crate) fn quiet(asked: SliceAsked, operations_per_second: f64) -> SliceDone {
    SliceDone {
        seconds: asked.seconds,
        operations: (operations_per_second * asked.seconds) as u64,
        operations_per_second,
        ..SliceDone::default()
    }
}

/// The same, but a thread was kept off its CPU.
pub(crate) fn disturbed(asked: SliceAsked, operations_per_second: f64) -> SliceDone {
    let host_noise = HostNoise { on_cpu_share_min: Some(0.5), ..HostNoise::default() };
    SliceDone { host_noise, ..quiet(asked, operations_per_second) }
}

/// Writes a program that is a script. Another process does so: this one may start others meanwhile,
/// which would hold the file, and what somebody may write to is not run.
pub(crate) fn script(program: &Path, text: &str) {
    let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", write]).arg(program).arg(text).status().expect("a shell").success());
}
