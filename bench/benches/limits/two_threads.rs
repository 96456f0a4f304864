//! Two pinned threads: streams, round trips, and how far two threads get beyond one.

use std::hint::spin_loop;
use std::sync::Barrier;
use std::time::Duration;

use lockimpls::{Config, SockType};
use results::Measure;
use solock::cpus::Cpus;
use solock::matrix::{self, Case};
use solock::noise::Snapshot;
use solock::pool::{Lanes, Pin};
use solock::session::warm_up;
use solock::slice::{Process, Slice};
use workloads::{Own, Plan};

use crate::Effort;
use crate::ratio::report;

const MESSAGE: [u8; 64] = [0x5a; 64];
/// How many messages of 64 bytes a stream's buffer holds.
const CAPACITY: usize = 128;

/// How many times the wanted number of rounds is tried at most, where some are not quiet.
const TRIES: usize = 4;

/// Measures and prints.
pub(crate) fn run(cpus: &Cpus, process: &Process, effort: Effort) -> Result<(), String> {
    let bench = Bench {
        one: Lanes::start(1, cpus, Pin::Each)?,
        two: Lanes::start(2, cpus, Pin::Each)?,
        process,
        effort,
    };
    say!("\ntwo pinned threads, 64 bytes: ratios");
    bench.streams()?;
    bench.round_trips()?;
    bench.scaling()
}

struct Bench<'a> {
    one: Lanes,
    two: Lanes,
    process: &'a Process,
    effort: Effort,
}

impl Bench<'_> {
    /// How fast one thread sends to another.
    fn streams(&self) -> Result<(), String> {
        let messages = (self.effort.slice_ns / 50).max(CAPACITY as u64);
        let ratios = self.rounds(|| {
            // Both get a warm-up: a tenth of the messages here, a fifth of the time there.
            self.channel_stream(messages / 10);
            let channel = self.channel_stream(messages);
            let ours = self.throughput("lock-free", "stream", 2)?;
            Ok(ours.zip(channel).map(|(ours, channel)| ours / channel))
        })?;
        report("stream: lock-free / crossbeam-channel", &ratios, " x");
        Ok(())
    }

    /// Messages per second from one lane to the other over crossbeam-channel.
    fn channel_stream(&self, messages: u64) -> Option<f64> {
        let (sender, receiver) = crossbeam_channel::bounded::<[u8; 64]>(CAPACITY);
        let lane = |lane: usize| {
            for _ in 0..messages {
                if lane == 0 {
                    sender.send(MESSAGE).expect("the other lane");
                } else {
                    assert_eq!(receiver.recv().expect("the other lane"), MESSAGE);
                }
            }
        };
        self.timed(lane).map(|ns| messages as f64 * 1e9 / ns)
    }

    /// Runs both lanes at once: nanoseconds until both have ended.
    fn timed(&self, lane: impl Fn(usize) + Sync) -> Option<f64> {
        let clock = &self.process.clock;
        let before = Snapshot::take(self.two.tasks());
        let ready = Barrier::new(2);
        let took = self.two.run(
            |at| {
                ready.wait();
                let start = clock.raw();
                lane(at);
                clock.delta_as_nanos(start, clock.raw())
            },
            || (),
        );
        let ns = took.into_iter().max().unwrap_or(0);
        let noise = Snapshot::take(self.two.tasks()).since(&before, Duration::from_nanos(ns));
        (!noise.flagged).then_some(ns as f64)
    }

    /// The median round trip of one message.
    fn round_trips(&self) -> Result<(), String> {
        let ratios = self.rounds(|| {
            let ring = self.ring_lanes((self.effort.slice_ns / 400).max(16));
            let ours = self.round_trip("lock-free")?;
            Ok(ours.zip(ring).map(|(ours, ring)| ours / ring))
        })?;
        report("round trip p50: lock-free / rtrb", &ratios, " x");
        Ok(())
    }

    /// Two rings, each end in the hands of one lane.
    fn ring_lanes(&self, trips: u64) -> Option<f64> {
        let (ping_in, ping_out) = rtrb::RingBuffer::<[u8; 64]>::new(CAPACITY);
        let (pong_in, pong_out) = rtrb::RingBuffer::<[u8; 64]>::new(CAPACITY);
        let ends = [(ping_in, pong_out), (pong_in, ping_out)].map(std::sync::Mutex::new);
        let clock = &self.process.clock;
        let histogram = std::sync::Mutex::new(results::histogram::new());
        let took = self.timed(|lane| {
            let mut ends = ends[lane].lock().expect("one user");
            let (into, out) = &mut *ends;
            if lane == 1 {
                (0..trips).for_each(|_| push(into, pop(out)));
                return;
            }
            let mut histogram = histogram.lock().expect("one user");
            for _ in 0..trips {
                let start = clock.raw();
                push(into, MESSAGE);
                assert_eq!(pop(out), MESSAGE);
                histogram.saturating_record(clock.delta_as_nanos(start, clock.raw()));
            }
        });
        took.map(|_| histogram.lock().expect("one user").value_at_quantile(0.5) as f64)
    }

    fn round_trip(&self, backend: &str) -> Result<Option<f64>, String> {
        let outcome = self.slice(backend, "pingpong", 2, Measure::Latency)?;
        if outcome.noise.flagged {
            return Ok(None);
        }
        let lanes = outcome.counting();
        let latencies = lanes.filter_map(|lane| lane.latencies.as_ref());
        let mut trips = latencies.map(|all| &all.histograms[workloads::Event::RoundTrip as usize]);
        let trips = trips.find(|trips| !trips.is_empty());
        Ok(trips.map(|trips| trips.value_at_quantile(0.5) as f64))
    }

    /// Two threads on their own pairs beside one; and two on one pair.
    fn scaling(&self) -> Result<(), String> {
        for backend in matrix::usual_backends() {
            let to_one = |workload| {
                self.rounds(|| {
                    let one = self.throughput(backend.name, "pairs", 1)?;
                    let two = self.throughput(backend.name, workload, 2)?;
                    Ok(two.zip(one).map(|(two, one)| two / one))
                })
            };
            let name = format!("pairs, 2 threads / 1: {}", backend.name);
            report(&name, &to_one("pairs")?, " x");
            let name = format!("one pair (duplex), 2 threads / 1: {}", backend.name);
            report(&name, &to_one("duplex")?, " x");
        }
        Ok(())
    }

    /// What quiet rounds say: the number asked for, unless a few times that number do not give it.
    fn rounds(
        &self,
        mut round: impl FnMut() -> Result<Option<f64>, String>,
    ) -> Result<Vec<f64>, String> {
        let wanted = self.effort.rounds_of_two;
        let mut quiet = Vec::with_capacity(wanted);
        for _ in 0..wanted * TRIES {
            quiet.extend(round()?);
            if quiet.len() == wanted {
                break;
            }
        }
        Ok(quiet)
    }

    /// Operations per second.
    fn throughput(
        &self,
        backend: &str,
        workload: &str,
        threads: usize,
    ) -> Result<Option<f64>, String> {
        let outcome = self.slice(backend, workload, threads, Measure::Throughput)?;
        Ok((!outcome.noise.flagged).then(|| outcome.operations_per_second()))
    }

    fn slice(
        &self,
        backend: &str,
        workload: &str,
        threads: usize,
        measure: Measure,
    ) -> Result<solock::slice::Outcome, String> {
        let case = find(backend, workload)?;
        let measured = Duration::from_nanos(2 * self.effort.slice_ns);
        case.run(&Slice {
            lanes: if threads == 1 { &self.one } else { &self.two },
            plan: &plan(threads),
            config: &Config::default(),
            measure,
            warm_up: warm_up(measured),
            measured,
            process: self.process,
        })
    }
}

fn push(into: &mut rtrb::Producer<[u8; 64]>, mut message: [u8; 64]) {
    while let Err(rtrb::PushError::Full(back)) = into.push(message) {
        message = back;
        spin_loop();
    }
}

fn pop(out: &mut rtrb::Consumer<[u8; 64]>) -> [u8; 64] {
    loop {
        match out.pop() {
            Ok(message) => return message,
            Err(_) => spin_loop(),
        }
    }
}

fn find(backend: &str, workload: &str) -> Result<Case, String> {
    matrix::cases()
        .into_iter()
        .find(|case| case.backend.name == backend && case.workload.name == workload)
        .ok_or_else(|| format!("there is no {workload} on {backend}"))
}

fn plan(threads: usize) -> Plan {
    Plan {
        threads,
        socket_type: SockType::Stream,
        message_bytes: 64,
        verify: false,
        own: Own::default(),
        seed: 1,
    }
}
