//! Records and runs made by hand.

use std::time::{Duration, SystemTime};

use results::answer::{Question, Words};
use results::{
    Cell, Checks, FastPath, Finding, Host, HostNoise, Instrument, Latencies, LockCounts, Measure,
    Measured, Pinning, Record, Run, Slices, histogram,
};

/// 2026-11-23T09:15:00Z.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_425_300)
}

pub(crate) fn host() -> Host {
    Host {
        cpu: "Example 9000".to_owned(),
        cpus: 2,
        topology: "1 package, 2 cores, 2 threads".to_owned(),
        kernel: "Linux 6.18.0".to_owned(),
        virtualised: Some("kvm".to_owned()),
        governor: None,
    }
}

pub(crate) fn cell(workload: &str, backend: &str, threads: u32) -> Cell {
    Cell {
        backend: backend.to_owned(),
        workload: workload.to_owned(),
        socket_type: "stream".to_owned(),
        message_bytes: 64,
        threads,
        wait: "adaptive".to_owned(),
        ..Cell::default()
    }
}

/// What workloads ask, as they are registered; backends by their names.
pub(crate) fn words() -> Words {
    let questions = [
        ("pairs", ["private pairs", "private pairs", "message"]),
        ("stream", ["one busy pair", "streaming", "message"]),
        ("duplex", ["one busy pair", "both ways", "message"]),
        ("pingpong", ["request/reply", "ping-pong", "round trip"]),
        ("fanin", ["many to one", "into one socket", "message"]),
        ("groups", ["many to one", "in groups", "message"]),
        ("ring", ["neighbours", "in a ring", "message"]),
        ("accept", ["connection churn", "connections", "connection"]),
        ("churn", ["connection churn", "names that come and go", "cycle"]),
        ("rights", ["descriptors", "with descriptors", "message"]),
    ];
    let asks = |(workload, asks): (&str, [&str; 3])| {
        let [name, label, operation] = asks.map(str::to_owned);
        (workload.to_owned(), Question { name, label, operation })
    };
    Words { questions: questions.map(asks).to_vec(), ..Words::default() }
}

/// A throughput round of one second in which each thread did half of the operations.
pub(crate) fn throughput(backend: &str, round: u32, operations: u64) -> Measured {
    let cell = cell("pairs", backend, 2);
    Measured {
        cell_id: cell.id(),
        cell,
        round,
        order_in_run: round * 4,
        seed: u64::MAX,
        measure: Measure::Throughput,
        seconds: 1.0,
        operations,
        operations_per_thread: vec![operations / 2, operations - operations / 2],
        bytes: operations * 64,
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
        checks: Checks { operations_checked: operations * 2, ..Checks::default() },
        instrument: instrument(),
        host_noise: quiet(),
        slices: Some(Slices {
            kept: 24,
            repeated: 6,
            off_cpu: 5,
            switched: 2,
            stolen: 1,
            given_up: 3,
        }),
        pinning: Pinning { asked: vec![0, 1], got: vec![0, 1], ..Pinning::default() },
        host: host(),
        rustc: "rustc 1.95.0".to_owned(),
        build: Some("opt-level 3".to_owned()),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        dirty: Some(false),
        started: results::time::rfc3339_utc(noon()),
        ..Measured::default()
    }
}

fn instrument() -> Instrument {
    Instrument {
        clock_ns: 10.1,
        clock_step_ns: 10.0,
        lock_ns_per_pair: 10.0,
        checker_ns_per_pair: 1.2,
        aa_spread_percent: Some(1.5),
        loop_ns_per_operation: None,
        fences: Some("membarrier".to_owned()),
    }
}

fn quiet() -> HostNoise {
    HostNoise {
        on_cpu_share_min: Some(0.999),
        run_delay_ns: Some(1000),
        involuntary_switches: Some(1),
        steal_ns: Some(0),
        flagged: false,
    }
}

/// A latency round with these sends.
pub(crate) fn latency(backend: &str, round: u32, sends_ns: &[u64]) -> Measured {
    let mut histogram = histogram::new();
    for send in sends_ns {
        histogram.saturating_record(*send);
    }
    Measured {
        measure: Measure::Latency,
        latency_ns: Latencies {
            send: Some(histogram::latency(&histogram, 0).expect("encodes")),
            ..Latencies::default()
        },
        ..throughput(backend, round, sends_ns.len() as u64)
    }
}

pub(crate) fn finding() -> Finding {
    Finding {
        check: "leaked_locks".to_owned(),
        count: 1,
        operation: "sys_sendmsg".to_owned(),
        backend: "per-socket".to_owned(),
        thread: 1,
        at: "lockimpls/src/uipc/send.rs:42".to_owned(),
        report: "witness: userret: returning with the following locks held:\n".to_owned(),
        cell: Some(cell("pairs", "per-socket", 2).id()),
        commit: None,
        started: results::time::rfc3339_utc(noon()),
        host: host(),
    }
}

/// A finished run that was never in a file.
pub(crate) fn run(measured: Vec<Measured>) -> Run {
    Run {
        id: "20261123T091500Z-3fa2".to_owned(),
        path: "20261123T091500Z-3fa2.jsonl".into(),
        records: measured.into_iter().map(Record::from).collect(),
        partial: false,
        torn_line: None,
    }
}
