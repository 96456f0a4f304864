//! One line of a run file: what was measured in one round of one cell, what was found, or where a
//! run was cut short.
//!
//! Everything here is data. Names carry their units; `FORMAT.md` says field by field what they
//! mean.

use serde::{Deserialize, Serialize};

pub use crate::cell::Cell;
use crate::compared::Compared;
use crate::element::Element;
use crate::foreign::Foreign;
pub use crate::latencies::{Latencies, Latency};
pub use crate::lock_counts::LockCounts;
use crate::profile::{Profile, Split};
use crate::ratio::{Answer, Ratio};
pub use crate::two_cpus::TwoCpus;

/// The number of the format that this crate writes, and the only one it reads.
pub const SCHEMA: u32 = 1;

/// A round in which a thread was on its CPU for a smaller share of the time than this is flagged.
pub const ON_CPU_SHARE_MIN: f64 = 0.995;

/// One line of a run file.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// One round of one cell.
    Measured(Box<Measured>),
    /// What a check found; the run ended with it.
    Finding(Box<Finding>),
    /// The run was ended before its plan was done (Ctrl-C).
    Interrupted(Box<Interrupted>),
    /// The verdict on one metric of one cell.
    Compared(Box<Compared>),
    /// A ratio between two cells of the run.
    Ratio(Box<Ratio>),
    /// The locks of one class in one cell.
    Profile(Box<Profile>),
    /// What the time of a cell's operations was spent on.
    Split(Box<Split>),
    /// A sentence made from the run's other lines; printed, not stored.
    Answer(Box<Answer>),
    /// The end of an element of a grid.
    Element(Box<Element>),
    /// A number of another program.
    Foreign(Box<Foreign>),
}

/// What a round was for. A throughput round takes no stamp per operation, a latency round takes
/// one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Operations per second.
    #[default]
    Throughput,
    /// Latencies, in histograms.
    Latency,
}

/// One round of one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// [`Cell::id`] of the coordinates below.
    #[serde(rename = "cell")]
    pub cell_id: String,
    /// The coordinates, each a field of the line.
    #[serde(flatten)]
    pub cell: Cell,
    /// The number of the round, from 0; backends are compared inside a round.
    pub round: u32,
    /// The position of this line's measurement in the run, from 0.
    pub order_in_run: u32,
    /// What the shuffling and the workload drew from.
    pub seed: u64,
    /// What the round was for.
    pub measure: Measure,
    /// The measured time, warm-up excluded.
    pub seconds: f64,
    /// Operations done in that time by all threads.
    pub operations: u64,
    /// Operations of each thread that counts.
    pub operations_per_thread: Vec<u64>,
    /// `operations * message_bytes`.
    pub bytes: u64,
    /// `operations / seconds`.
    pub operations_per_second: f64,
    /// Jain's index of `operations_per_thread`: 1 when all did the same, 1/n when one did all.
    pub fairness_jain: f64,
    /// `paced`: operations per second and thread that were reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_achieved: Option<f64>,
    /// `paced`: some thread did not keep up its rate, so the percentiles mean nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overloaded: bool,
    /// Latencies by kind of event; empty in throughput rounds.
    #[serde(default)]
    pub latency_ns: Latencies,
    /// Lock operations, by lock class, of all threads in the measured time.
    pub locks: Vec<LockCounts>,
    /// Operations that took no lock, and those that might have.
    pub fast_path: FastPath,
    /// Allocations that the threads made in the measured time; older records do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<u64>,
    /// What the checks counted: all 0 but the last in a published line.
    pub checks: Checks,
    /// What the measuring costs.
    pub instrument: Instrument,
    /// What else the machine did meanwhile.
    pub host_noise: HostNoise,
    /// What became of the slices that this line is made of; absent where it is one slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<Slices>,
    /// Which CPU each thread was given.
    pub pinning: Pinning,
    /// What the first two CPUs were to each other just before; absent where fewer were used, where
    /// the threads that looked were kept off them, and in lines before this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_cpus: Option<TwoCpus>,
    /// Whether the process ran from a copy of its program that was made for it alone; lines before
    /// this field are of processes that did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_copy: Option<bool>,
    /// The machine.
    pub host: Host,
    /// The compiler, as `rustc --version` prints it.
    pub rustc: String,
    /// What the compiler was told, such as `opt-level 3`; lines before this field do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The commit the program was built from, if it was built in a checkout.
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    pub dirty: Option<bool>,
    /// When the round began: UTC, RFC 3339, milliseconds (see [`crate::time::rfc3339_utc`]).
    pub started: String,
}

/// What became of slices: a slice is repeated because of what else the machine did, never because
/// of what was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slices {
    /// Used.
    pub kept: u32,
    /// Measured, left out, and measured again.
    pub repeated: u32,
    /// Left out because a thread was kept off its CPU. A slice can have several reasons.
    pub off_cpu: u32,
    /// Left out because threads were taken off their CPUs too often.
    pub switched: u32,
    /// Left out because the hypervisor gave time to others.
    pub stolen: u32,
    /// Left out for good: repeats did not help, and what they were for was given up.
    #[serde(default)]
    pub given_up: u32,
}

impl Slices {
    /// Both together.
    #[must_use]
    pub fn plus(self, more: Slices) -> Slices {
        Slices {
            kept: self.kept.saturating_add(more.kept),
            repeated: self.repeated.saturating_add(more.repeated),
            off_cpu: self.off_cpu.saturating_add(more.off_cpu),
            switched: self.switched.saturating_add(more.switched),
            stolen: self.stolen.saturating_add(more.stolen),
            given_up: self.given_up.saturating_add(more.given_up),
        }
    }

    /// Why slices were left out, in words, and how many for each reason.
    #[must_use]
    pub fn causes(&self) -> [(u32, &'static str); 3] {
        [
            (self.off_cpu, "a thread was kept off its CPU"),
            (self.switched, "threads were switched too often"),
            (self.stolen, "the hypervisor gave time to others"),
        ]
    }

    /// Everything that was measured.
    #[must_use]
    pub fn measured(&self) -> u64 {
        [self.kept, self.repeated, self.given_up].into_iter().map(u64::from).sum()
    }
}

/// Operations that took no lock, and those of the same backend that went through the locks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastPath {
    /// Sends that took no lock.
    pub sends: u64,
    /// Receives that took no lock.
    pub receives: u64,
    /// Sends that went through the locks, those that never go another way included.
    pub slow_sends: u64,
    /// Receives that went through the locks.
    pub slow_receives: u64,
    /// Times the fast path was closed for a pair.
    pub gate_closings: u64,
}

/// What the checks counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Locks held at a call's return or at a thread's end.
    pub leaked_locks: u64,
    /// Locks taken in a wrong order.
    pub order_violations: u64,
    /// References, messages, control blocks, sockets and descriptors in use after the end.
    pub objects_left: u64,
    /// Bytes sent but neither received nor discarded.
    pub bytes_lost: u64,
    /// Messages that came in a wrong order or with wrong content.
    pub out_of_order: u64,
    /// Calls whose return was checked, which is how much the zeros above are worth.
    pub operations_checked: u64,
}

impl Checks {
    /// Everything that was found wrong.
    #[must_use]
    pub fn faults(&self) -> u64 {
        [self.leaked_locks, self.order_violations, self.objects_left, self.bytes_lost]
            .into_iter()
            .fold(self.out_of_order, u64::saturating_add)
    }
}

/// What the measuring costs, measured in the same run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// One reading of the clock.
    pub clock_ns: f64,
    /// The smallest step of the clock.
    pub clock_step_ns: f64,
    /// A lock and unlock, unchecked.
    pub lock_ns_per_pair: f64,
    /// What the checker adds to a lock and unlock.
    pub checker_ns_per_pair: f64,
    /// How far two identical runs lay apart, if that was measured.
    pub aa_spread_percent: Option<f64>,
    /// The loop around an operation (tag, check, count, stop flag), if that was measured.
    pub loop_ns_per_operation: Option<f64>,
    /// What the lock-free path's fences are made of: `membarrier`, or `full` (one on each side,
    /// where the system has no membarrier(2)). Lines before this field have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fences: Option<String>,
}

/// What else the machine did in the measured time; `null` where the system does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostNoise {
    /// The share of the time that the unluckiest thread was on its CPU.
    pub on_cpu_share_min: Option<f64>,
    /// Time that threads were ready to run and did not, all threads together.
    pub run_delay_ns: Option<u64>,
    /// Times a thread was taken off its CPU against its will, all threads together.
    pub involuntary_switches: Option<u64>,
    /// Time that the hypervisor gave to others, all CPUs together.
    pub steal_ns: Option<u64>,
    /// `on_cpu_share_min` was below [`ON_CPU_SHARE_MIN`], or more of the time than that leaves was
    /// stolen: kept, and left out of ratios.
    pub flagged: bool,
}

/// Which CPU each thread was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinning {
    /// The CPU asked for, thread by thread; empty when nothing was asked.
    pub asked: Vec<u32>,
    /// The CPU read back from the system, thread by thread; empty when unpinned.
    pub got: Vec<u32>,
    /// At least one thread was not pinned.
    pub unpinned: bool,
    /// There were more threads than CPUs to put them on.
    pub oversubscribed: bool,
    /// And whoever waits for a lock of the layer spins, on a CPU that the holder may need.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spinning: bool,
}

/// The machine. Records of different machines are never mixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The processor's name.
    pub cpu: String,
    /// How many CPUs (hardware threads) are allowed to this program.
    pub cpus: u32,
    /// Packages, cores and threads, such as `1 package, 2 cores, 2 threads`.
    pub topology: String,
    /// The system's kernel and its version.
    pub kernel: String,
    /// The hypervisor's name, if there is one and it shows.
    pub virtualised: Option<String>,
    /// The frequency governor, if the system says.
    pub governor: Option<String>,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which check.
    pub check: String,
    /// How many (locks held, objects left, bytes lost ...); at least 1.
    pub count: u64,
    /// The call that was under way, such as `sys_sendmsg`, or `none`.
    pub operation: String,
    /// The backend the call was made on, or `none`.
    pub backend: String,
    /// The number of the thread that found it.
    pub thread: u32,
    /// Where what is held was acquired, or where the fault is: `file:line`.
    pub at: String,
    /// The whole report, several lines, in witness(4)'s words.
    pub report: String,
    /// [`Cell::id`] of the cell being measured, if one was.
    pub cell: Option<String>,
    /// The commit the program was built from, if it was built in a checkout.
    pub commit: Option<String>,
    /// When it was found: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

/// The run was ended before its plan was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interrupted {
    /// Why, such as `SIGINT`.
    pub reason: String,
    /// [`Cell::id`] of the cell being measured, if one was.
    pub cell: Option<String>,
    /// When it was ended: UTC, RFC 3339, milliseconds.
    pub started: String,
    /// The machine.
    pub host: Host,
}

impl Record {
    /// The machine the line comes from; none where it is a number of another program.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        match self {
            Record::Measured(measured) => Some(&measured.host),
            Record::Finding(finding) => Some(&finding.host),
            Record::Interrupted(interrupted) => Some(&interrupted.host),
            Record::Compared(compared) => Some(&compared.host),
            Record::Ratio(ratio) => Some(&ratio.host),
            Record::Profile(profile) => Some(&profile.host),
            Record::Split(split) => Some(&split.host),
            Record::Answer(answer) => Some(&answer.host),
            Record::Element(element) => Some(&element.host),
            Record::Foreign(_) => None,
        }
    }

    /// The round, if the line is one.
    #[must_use]
    pub fn as_measured(&self) -> Option<&Measured> {
        match self {
            Record::Measured(measured) => Some(measured),
            _ => None,
        }
    }
}

/// A body of each kind is a record.
macro_rules! records {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Record {
            fn from(body: $kind) -> Self {
                Record::$kind(Box::new(body))
            }
        })*
    };
}

records!(Measured, Finding, Interrupted, Compared, Ratio, Profile, Split, Answer, Element, Foreign);
