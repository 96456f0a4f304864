//! What the threads do to a socket layer.
//!
//! A workload is one file here, its `mod` line and its `visit` line in [`visit_all`]; numbers that
//! it is asked for beside what all workloads are it declares itself ([`Parameter`]). It knows no
//! backend: it is written against [`lockimpls::Layer`], compiled once for all of them, and run by a
//! harness that gives every lane (thread) a [`Meter`]. The harness owns the clock, the pinning and
//! the histograms; the workload owns the sockets, says what one operation is, and verifies that
//! what was sent is what was received.

#![forbid(unsafe_code)]

pub mod number;
pub mod panics;
pub mod testing;

mod accept;
mod call;
mod churn;
mod duplex;
mod exchange;
mod fanin;
mod groups;
mod message;
mod need;
mod paced;
mod pairs;
mod parameter;
mod pingpong;
mod rights;
mod ring;
mod sockets;
mod stream;

pub use need::{Need, missing};
pub use pairs::Pairs;
pub use parameter::{Own, Parameter, Values};

use lockimpls::{Errno, Layer, SockType};

/// What one run of a workload is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many lanes run at once, one thread each; 1 to 128.
    pub threads: usize,
    /// The type of the sockets.
    pub socket_type: SockType,
    /// The length of each message, in bytes; at least 1.
    pub message_bytes: usize,
    /// Check every byte of every message, not only tags and the first and last message.
    pub verify: bool,
    /// Numbers of the workload's own.
    pub own: Own,
    /// For whatever is drawn by chance.
    pub seed: u64,
}

impl Plan {
    /// What a number of the workload's own is.
    #[must_use]
    pub fn value(&self, parameter: &Parameter) -> f64 {
        self.own.of(parameter)
    }
}

/// What a latency is the latency of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Event {
    /// A send (on `pairs`: by the end with the lower address).
    Send = 0,
    /// A send by the end with the higher address (`pairs` records the two apart).
    SendHigher = 1,
    /// A receive.
    Receive = 2,
    /// From a message sent to its answer received.
    RoundTrip = 3,
    /// From the planned start of an operation to its end (`paced`).
    Response = 4,
    /// From the real start of an operation to its end (`paced`; `accept`, `churn`: the whole
    /// cycle).
    Service = 5,
}

/// How many kinds of event there are.
pub const EVENTS: usize = 6;

impl Event {
    /// Every event, by its discriminant.
    pub const ALL: [Event; EVENTS] = [
        Event::Send,
        Event::SendHigher,
        Event::Receive,
        Event::RoundTrip,
        Event::Response,
        Event::Service,
    ];

    /// The name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Event::Send => "send",
            Event::SendHigher => "send_higher_address",
            Event::Receive => "receive",
            Event::RoundTrip => "round_trip",
            Event::Response => "response",
            Event::Service => "service",
        }
    }
}

/// The harness's side of a lane: when to go on, and what to time.
///
/// The lane calls [`Meter::running`] once before each operation and stops when it answers `false`.
/// A lane that serves another one (a receiver, say) asks too, but goes on until that one ends; what
/// it does after the first `false` is counted and recorded nowhere. In a throughput round the other
/// calls compile to nothing, but for the clock.
pub trait Meter {
    /// Whether to do one more operation; counts it (warm-up is not counted).
    fn running(&mut self) -> bool;
    /// A stamp: ends the event that began at the last stamp, and begins the next (one clock
    /// reading).
    fn lap(&mut self, event: Event);
    /// A stamp that ends nothing: what lies between the last stamp and this one is not recorded.
    fn skip(&mut self);
    /// Nanoseconds since the lane began, by the harness's clock (`paced` needs it in every round).
    fn now_ns(&self) -> u64;
    /// Whether the round is over, for a lane that waits between operations (`paced`); counts
    /// nothing.
    fn stopping(&self) -> bool {
        false
    }
    /// Records a latency that the workload took itself with [`Meter::now_ns`].
    fn record(&mut self, event: Event, latency_ns: u64);
}

/// What a lane has done, warm-up and draining included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneSums {
    /// Messages sent whole.
    pub messages_sent: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Messages received whole.
    pub messages_received: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Refusals that are part of the workload (ENOBUFS of a full datagram buffer, say).
    pub refusals: u64,
}

/// One workload on one layer: its sockets.
pub trait Workload: Sync + Sized {
    /// Opens the sockets, on the calling thread.
    ///
    /// # Errors
    /// Those of the layer.
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno>;

    /// What one thread does, from the start of the warm-up to the end of the round, and then
    /// whatever is needed so that every lane can end (draining, end marks). Runs on all lanes at
    /// once.
    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums;

    /// Whether this lane's operations are added up as the workload's (of `stream`, the receivers'
    /// are).
    fn counts(&self, lane: usize) -> bool {
        let _ = lane;
        true
    }

    /// Verifies the sums of all lanes and closes every descriptor.
    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]);
}

/// What a workload asks, in a user's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question; workloads of one question are answered in one sentence.
    pub name: &'static str,
    /// How this workload is told from the others of its question.
    pub label: &'static str,
    /// What one operation is, as a noun.
    pub operation: &'static str,
}

/// A workload, whatever the backend.
pub trait Kind {
    /// The workload on one layer.
    type On: Workload + 'static;
    /// The name by which users choose it.
    const NAME: &'static str;
    /// One line: what the threads do.
    const ABOUT: &'static str;
    /// What one operation is.
    const OPERATION: &'static str;
    /// What it asks; `None` where its operations per second are no answer (those of `paced` are
    /// the rate that it was asked for).
    const QUESTION: Option<Question> = None;
    /// Whether a run that names no workload has it: those that tell the granularities apart, in
    /// about a minute.
    const IS_USUAL: bool = false;
    /// Whether no thread meets another at any socket: then none waits, and counters depend on the
    /// code alone, whatever the number of threads.
    const IS_PRIVATE: bool = false;
    /// Numbers of its own, in the order in which they are shown.
    const PARAMETERS: &'static [Parameter] = &[];
    /// Operations per second and lane that such a plan has it keep; `None`: all that it can do.
    fn pace(plan: &Plan) -> Option<f64> {
        let _ = plan;
        None
    }
    /// How many threads it takes for such a plan, whatever was asked; `None`: the number asked for.
    fn threads(plan: &Plan) -> Option<usize> {
        let _ = plan;
        None
    }
    /// What it asks of a layer, with sockets of this type, beside sending, receiving and closing:
    /// on a layer that has not all of it, it is listed as skipped.
    fn needs(socket_type: SockType) -> &'static [Need] {
        let _ = socket_type;
        &[Need::Socketpair]
    }
    /// Whether it can run as asked.
    ///
    /// # Errors
    /// Why it cannot (it is then listed as skipped): one sentence for a user.
    fn fits(plan: &Plan) -> Result<(), String>;
}

/// Called once per workload.
pub trait Visitor {
    /// Visits one workload.
    fn visit<K: Kind>(&mut self);
}

/// Calls the visitor for every workload, in the order they are shown, and questions answered.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<pairs::Pairs>();
    visitor.visit::<stream::Stream>();
    visitor.visit::<pingpong::Pingpong>();
    visitor.visit::<duplex::Duplex>();
    visitor.visit::<fanin::Fanin>();
    visitor.visit::<groups::Groups>();
    visitor.visit::<ring::Ring>();
    visitor.visit::<accept::Accept>();
    visitor.visit::<churn::Churn>();
    visitor.visit::<rights::Rights>();
    visitor.visit::<paced::Paced>();
}
