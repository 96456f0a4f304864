//! Many records, in a process of their own, whose memory is looked at.

use std::time::{Duration, Instant};

use plots::Plots;
use results::{Measured, Record, Run};

#[path = "../common/mod.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, reason = "shared with the other tests")]
mod common;

use common::{BACKENDS, Place, latency, options, run, sends, throughput};

/// Records, and how long drawing them may take: 5 s in release; a debug build is not held to it.
const RECORDS: u32 = 10_000;
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 120 } else { 5 });
/// Half of a gigabyte, in KiB.
const MEMORY_MAX_KIB: u64 = 500 * 1024;

/// Twenty rounds of many cells, half of them with histograms.
fn many() -> Run {
    let sample = Place { workload: "pairs", backend: "global", threads: 1, round: 0 };
    let with: Vec<Measured> = BACKENDS.map(|backend| latency(sample, sends(backend))).to_vec();
    let mut records: Vec<Record> = Vec::new();
    for number in 0..RECORDS {
        let (round, case) = (number / 2 % 20, number / 40);
        let backend = BACKENDS[case as usize % 3];
        let workload = format!("workload{}", case / 24);
        let place = Place { workload: &workload, backend, threads: 1 + case / 3 % 8, round };
        let operations = 1_000_000 + u64::from(number * 7919 % 100_000);
        let mut measured = throughput(place, operations);
        measured.order_in_run = number;
        if number % 2 == 1 {
            measured.measure = results::Measure::Latency;
            measured.latency_ns = with[case as usize % 3].latency_ns.clone();
        }
        records.push(measured.into());
    }
    run("many", records)
}

#[test]
fn ten_thousand_records_are_drawn_in_time() {
    let runs = [many()];
    let folder = tempfile::tempdir().expect("a folder");
    let (begun, worked) = (Instant::now(), cpu_time());
    let plots = Plots::of(&runs, &options()).expect("figures");
    let written = plots.write(folder.path()).expect("written");
    let wall = begun.elapsed();
    // Where the machine is shared, what others do is not counted.
    let took = cpu_time().zip(worked).map_or(wall, |(now, before)| now - before);
    let page = std::fs::metadata(&written.report).expect("there").len();
    eprintln!("{took:?} of work in {wall:?}, page {page} bytes, peak {:?} KiB", peak_kib());
    assert!(page < 6_000_000, "{page} bytes");
    assert!(took < LIMIT, "{took:?}");
    assert!(peak_kib().is_none_or(|peak| peak < MEMORY_MAX_KIB), "{:?} KiB", peak_kib());
}

/// The time this process was on a CPU, where the system says (in hundredths of a second).
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().ok());
    Some(Duration::from_millis(ticks.sum::<Option<u64>>()? * 10))
}

/// The most memory this process ever had, where the system says.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
