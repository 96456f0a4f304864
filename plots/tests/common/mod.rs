//! Runs made by hand, shared by the tests of this crate.

use std::path::PathBuf;

use plots::Options;
use results::{
    AgainstItself, Cell, Checks, Compared, FastPath, Host, HostNoise, Instrument, Interrupted,
    Latencies, LockCounts, Measure, Measured, Parts, Record, Run, Side, Slices, Split, Verdict,
    histogram,
};

/// The backends, in the order of legends.
pub const BACKENDS: [&str; 3] = ["global", "per-socket", "lock-free"];

/// What a name in a record may try.
pub const HOSTILE: &str = "</script><script>document.title='broken out'</script>";

pub fn options() -> Options {
    Options {
        backends: BACKENDS.map(str::to_owned).to_vec(),
        reference: "global".to_owned(),
        ..Options::default()
    }
}

pub fn host() -> Host {
    Host {
        cpu: "Example <9000>".to_owned(),
        cpus: 2,
        topology: "1 package, 2 cores, 2 threads".to_owned(),
        kernel: "Linux 6.18.0".to_owned(),
        ..Host::default()
    }
}

pub fn run(id: &str, records: Vec<Record>) -> Run {
    let path = PathBuf::from(format!("{id}.jsonl"));
    Run { id: id.to_owned(), path, records, partial: false, torn_line: None }
}

/// What differs between two rounds.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub workload: &'a str,
    pub backend: &'a str,
    pub threads: u32,
    pub round: u32,
}

/// A throughput round of one second.
pub fn throughput(place: Place, operations: u64) -> Measured {
    let cell = Cell {
        backend: place.backend.to_owned(),
        workload: place.workload.to_owned(),
        socket_type: "stream".to_owned(),
        message_bytes: 64,
        threads: place.threads,
        wait: "adaptive".to_owned(),
        ..Cell::default()
    };
    Measured {
        cell_id: cell.id(),
        cell,
        round: place.round,
        order_in_run: place.round,
        seconds: 1.0,
        operations,
        operations_per_thread: vec![operations],
        operations_per_second: operations as f64,
        fairness_jain: 1.0,
        locks: vec![LockCounts {
            class: "solock".to_owned(),
            acquisitions: operations * 4,
            contended: operations,
            relocks: operations / 2,
            retries: 0,
            saved: 0,
        }],
        fast_path: FastPath { slow_sends: operations, ..FastPath::default() },
        allocations: Some(0),
        checks: Checks { operations_checked: operations, ..Checks::default() },
        instrument: Instrument {
            clock_ns: 10.1,
            clock_step_ns: 10.0,
            lock_ns_per_pair: 10.0,
            checker_ns_per_pair: 1.2,
            aa_spread_percent: Some(1.5),
            loop_ns_per_operation: None,
            fences: Some("membarrier".to_owned()),
        },
        host_noise: HostNoise { on_cpu_share_min: Some(0.999), ..HostNoise::default() },
        host: host(),
        rustc: "rustc 1.95.0".to_owned(),
        commit: Some("0123456789abcdef".to_owned()),
        dirty: Some(false),
        started: format!("2026-11-23T09:15:{:02}.000Z", place.round % 60),
        ..Measured::default()
    }
}

/// A latency round with these sends.
pub fn latency(place: Place, sends_ns: impl Iterator<Item = u64>) -> Measured {
    let mut histogram = histogram::new();
    sends_ns.for_each(|send| histogram.saturating_record(send));
    let send = histogram::latency(&histogram, 0).expect("encodes");
    Measured {
        measure: Measure::Latency,
        latency_ns: Latencies { send: Some(send), ..Latencies::default() },
        ..throughput(place, histogram.len() * 900)
    }
}

/// Operations per second: more threads and finer locks give more.
pub fn operations(backend: &str, threads: u32, round: u32) -> u64 {
    let place = BACKENDS.iter().position(|name| *name == backend).unwrap_or(0) as u64 + 1;
    1_000_000 * place * u64::from(threads) + 10_000 * u64::from(round)
}

/// Sends with a second hump, and one that is far longer than all others.
pub fn sends(backend: &str) -> impl Iterator<Item = u64> {
    let factor = BACKENDS.iter().position(|name| *name == backend).unwrap_or(0) as u64 + 1;
    let usual = (0..900).map(move |number| (100 + number % 70) * factor);
    let hump = (0..99).map(move |number| (9_000 + number * 20) * factor);
    usual.chain(hump).chain([7_654_321 * factor])
}

/// Two workloads, three backends, one and two threads, six rounds.
pub fn full_run(id: &str) -> Run {
    let mut records: Vec<Record> = Vec::new();
    for round in 0..6 {
        for (workload, threads) in [("pairs", 1), ("pairs", 2), ("stream", 2)] {
            for backend in BACKENDS {
                let place = Place { workload, backend, threads, round };
                records.push(throughput(place, operations(backend, threads, round)).into());
                records.push(latency(place, sends(backend)).into());
            }
        }
    }
    for (order, record) in records.iter_mut().enumerate() {
        if let Record::Measured(measured) = record {
            measured.order_in_run = order as u32;
        }
    }
    run(id, records)
}

/// A line of a comparison.
pub fn compared(cell: &str, verdict: Verdict, ratio: f64) -> Compared {
    let side = |name: &str| Side { name: name.to_owned(), ..Side::default() };
    Compared {
        cell: cell.to_owned(),
        metric: "throughput".to_owned(),
        verdict,
        first: side("HEAD~1"),
        second: side("HEAD"),
        ratio: Some(ratio),
        low: Some(ratio * 0.98),
        high: Some(ratio * 1.03),
        pairs: 20,
        itself: Some(AgainstItself { ratio: 1.0, low: 0.99, high: 1.01, pairs: 10 }),
        smallest_visible: Some(0.02),
        started: "2026-11-23T09:15:00.000Z".to_owned(),
        host: host(),
        ..Compared::default()
    }
}

/// A verdict of each kind.
pub fn comparison() -> Vec<Record> {
    [
        ("pairs/global/stream/64B/t2/adaptive", Verdict::Same, 1.002),
        ("pairs/per-socket/stream/64B/t2/adaptive", Verdict::Slower, 0.92),
        ("stream/lock-free/stream/64B/t2/adaptive", Verdict::Faster, 1.08),
        (HOSTILE, Verdict::Unclear, 0.97),
    ]
    .map(|(cell, verdict, ratio)| compared(cell, verdict, ratio).into())
    .to_vec()
}

/// The end of a run by Ctrl-C.
pub fn interrupted() -> Record {
    Interrupted { reason: "SIGINT".to_owned(), host: host(), ..Interrupted::default() }.into()
}

/// A profile: what operations are spent on, on two backends.
pub fn profiled() -> Vec<Record> {
    let split = |backend: &str, wait: f64| {
        let cell = Cell {
            backend: backend.to_owned(),
            workload: "duplex".to_owned(),
            socket_type: "stream".to_owned(),
            message_bytes: 64,
            threads: 2,
            wait: "adaptive".to_owned(),
            ..Cell::default()
        };
        let parts = Parts { copy: 40.0, wait, hold: 90.0, relock: 20.0, parked: 5.0, rest: 70.0 };
        Split {
            cell_id: cell.id(),
            cell,
            operations: 1000,
            wall_ns_per_operation: parts.total(),
            ns_per_operation: parts,
            profiling_ns_per_pair: 44.0,
            lock_ns_per_pair: 6.0,
            slices: Slices { kept: 10, ..Slices::default() },
            commit: Some("0123456789abcdef".to_owned()),
            started: "2026-11-23T09:15:00.000Z".to_owned(),
            host: host(),
            ..Split::default()
        }
    };
    [split("per-socket", 300.0), split("global", 500.0)].map(Record::from).to_vec()
}
