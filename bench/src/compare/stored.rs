//! Sides that were measured before: their counters can be compared, their times only shown.
//!
//! A host drifts by more than most changes within minutes, so two times that were not taken in
//! turns give no verdict, however many of them there are.

use std::time::Duration;

use results::{Cell, Measure, Run, histogram, stats};

use super::State;
use super::counters::{self, PerOperation};
use super::metric::{Metric, Series};
use super::verdicts::Comparison;
use crate::interrupt::Interrupt;
use crate::protocol::{Prepare, SliceAsked, SliceDone};
use crate::turns::launch::Failed;
use crate::turns::server::{Failure, Launch, Server};

/// Why there is no verdict on times.
const WHY: &str = "stored: not measured in turns";
/// Slices of a side that is measured only to stand beside a stored one: throughput, then latency.
const SLICES: [(Measure, usize); 2] = [(Measure::Throughput, 5), (Measure::Latency, 2)];

/// What is measured of a side that was not.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The cell, and where its threads run.
    pub prepare: &'a Prepare,
    /// The length of a slice.
    pub slice: Duration,
}

/// One side of a cell.
#[derive(Debug, Default)]
struct Alone {
    /// By [`Metric`].
    values: [Option<f64>; 3],
    counters: Vec<PerOperation>,
}

/// Fills in what both sides say of a cell, at least one of which was measured before.
pub fn fill(
    comparison: &mut Comparison,
    states: [&State<'_>; 2],
    asked: Asked<'_>,
    interrupt: &Interrupt,
) {
    comparison.why = Some(WHY.to_owned());
    for (side, state) in states.into_iter().enumerate() {
        match alone(state, asked, interrupt) {
            Ok(alone) => take(comparison, side, alone),
            Err(failure) => {
                comparison.why = None;
                comparison.gathered.failure = Some(Failed { party: side, failure });
                return;
            }
        }
    }
}

fn take(comparison: &mut Comparison, side: usize, alone: Alone) {
    for metric in Metric::ALL {
        let series: &mut Series = &mut comparison.gathered.series[metric.index()];
        series.values[side].extend(alone.values[metric.index()]);
    }
    comparison.gathered.counters[side] = alone.counters;
}

fn alone(state: &State<'_>, asked: Asked<'_>, interrupt: &Interrupt) -> Result<Alone, Failure> {
    match state {
        State::Stored(run) => of_run(run, &asked.prepare.cell),
        State::Program(side) => of_program(
            Launch { program: side.layouts.first(), padding: 0, interrupt, hang_limit: None },
            asked,
        ),
        State::Broken(why) | State::Found(why) => Err(Failure::Broken(why.clone())),
    }
}

fn of_run(run: &Run, cell: &Cell) -> Result<Alone, Failure> {
    let slices: Vec<SliceDone> = run
        .measured()
        .filter(|measured| measured.cell == *cell)
        .map(|measured| SliceDone {
            operations: measured.operations,
            operations_per_second: measured.operations_per_second,
            latency_ns: measured.latency_ns.clone(),
            locks: measured.locks.clone(),
            fast_path: measured.fast_path.clone(),
            allocations: measured.allocations,
            ..SliceDone::default()
        })
        .collect();
    if slices.is_empty() {
        return Err(Failure::Broken(format!("the run {} has no such cell", run.id)));
    }
    of_slices(&slices)
}

fn of_program(launch: Launch<'_>, asked: Asked<'_>) -> Result<Alone, Failure> {
    let mut server = Server::start(launch)?;
    server.prepare(asked.prepare)?.map_err(Failure::Broken)?;
    let seconds = asked.slice.as_secs_f64();
    let mut slices = Vec::new();
    for (measure, count) in SLICES {
        let slice = SliceAsked { measure, seconds, warm_up_seconds: seconds };
        for _ in 0..count {
            slices.push(server.slice(slice)?);
        }
    }
    server.end()?;
    of_slices(&slices)
}

fn of_slices(slices: &[SliceDone]) -> Result<Alone, Failure> {
    let rates = slices.iter().filter(|slice| slice.latency_ns.iter().next().is_none());
    let rates: Vec<f64> = rates.map(|slice| slice.operations_per_second).collect();
    let kinds = slices.iter().map(|slice| &slice.latency_ns);
    let sends = kinds.flat_map(|kinds| [kinds.send.as_ref(), kinds.send_higher_address.as_ref()]);
    let sends =
        histogram::merge(sends.flatten()).map_err(|error| Failure::Broken(error.to_string()))?;
    let at = |quantile| (!sends.is_empty()).then(|| sends.value_at_quantile(quantile) as f64);
    Ok(Alone {
        values: [stats::median(&rates), at(0.5), at(0.99)],
        counters: slices.iter().map(counters::per_operation).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use results::{FastPath, Latencies, LockCounts, Measured, Record};

    use super::super::{Layouts, Program};
    use super::*;
    use crate::protocol::{Hello, Say};
    use crate::turns::made_up;

    fn cell(workload: &str) -> Cell {
        Cell { workload: workload.to_owned(), threads: 1, ..Cell::default() }
    }

    fn counted(workload: &str, rate: f64) -> Measured {
        Measured { cell: cell(workload), operations_per_second: rate, ..Measured::default() }
    }

    /// A run in which every number is `n` times what it is in the first: three rounds that count
    /// operations, one that takes stamps, and one of another cell. Of these the first alone has
    /// locks, the second the fast path alone.
    fn run(n: u64) -> Run {
        let lock = LockCounts {
            acquisitions: 40 * n,
            relocks: 20 * n,
            retries: 10 * n,
            saved: 50 * n,
            ..LockCounts::default()
        };
        let locked = Measured {
            operations: 10,
            locks: vec![lock],
            allocations: Some(30 * n),
            ..counted("pairs", 1e6 * n as f64)
        };
        let fast_path = FastPath { sends: 1, ..FastPath::default() };
        let fast = Measured { operations: 10, fast_path, ..counted("pairs", 7e6 * n as f64) };
        let of = |ns: u64, count: u64| {
            let mut recorded = histogram::new();
            recorded.record_n(ns, count).expect("in range");
            histogram::latency(&recorded, 0).ok()
        };
        let latency_ns = Latencies {
            send: of(100 * n, 60),
            send_higher_address: of(900 * n, 40),
            receive: of(5, 1_000),
            ..Latencies::default()
        };
        let rounds = [
            locked,
            fast,
            counted("pairs", 2e6 * n as f64),
            Measured { latency_ns, ..counted("pairs", 9e9) },
            counted("stream", 8e9),
        ];
        Run {
            id: format!("run-{n}"),
            path: "run.jsonl".into(),
            records: rounds.map(Record::from).into(),
            partial: false,
            torn_line: None,
        }
    }

    fn filled(states: [&State<'_>; 2], workload: &str) -> Comparison {
        let prepare = Prepare { cell: cell(workload), ..Prepare::default() };
        let mut comparison = Comparison::default();
        let asked = Asked { prepare: &prepare, slice: Duration::from_millis(20) };
        fill(&mut comparison, states, asked, &Interrupt::default());
        comparison
    }

    #[test]
    fn each_side_has_its_values_and_its_counters_and_no_verdict_on_times() {
        let [first, second] = [1, 2].map(run);
        let it = filled([&State::Stored(&first), &State::Stored(&second)], "pairs");
        assert_eq!(it.why.as_deref(), Some(WHY));
        assert!(it.gathered.failure.is_none());
        // The middle round; half of the sends took no longer, and 99 of a hundred.
        let values = [[2e6, 4e6], [100.0, 200.0], [900.0, 1800.0]];
        for (series, values) in it.gathered.series.iter().zip(values) {
            assert_eq!(series.values, values.map(|value| vec![value]));
            assert!(series.log_ratios.is_empty(), "nothing was measured in turns");
        }
        for (counters, n) in it.gathered.counters.iter().zip([1.0, 2.0]) {
            assert_eq!(counters.len(), 4, "a round each");
            assert_eq!(counters[0], [4.0, 2.0, 5.0, 1.0, 3.0].map(|count| Some(count * n)));
            let none = Some(0.0);
            assert_eq!(counters[1], [none, none, none, none, None]);
            assert_eq!(counters[2], [None; 5]);
        }
    }

    #[test]
    fn a_side_that_cannot_be_had_is_the_one_that_failed() {
        let (run, broken) = (run(3), State::Broken("does not build".to_owned()));
        let stored = State::Stored(&run);
        let failed = |states, workload| {
            let it = filled(states, workload);
            let failed = it.gathered.failure.expect("a side failed");
            assert_eq!(it.why, None);
            let Failure::Broken(why) = failed.failure else { panic!("{:?}", failed.failure) };
            (failed.party, why)
        };
        assert_eq!(failed([&stored, &broken], "pairs"), (1, "does not build".to_owned()));
        let absent = "the run run-3 has no such cell".to_owned();
        assert_eq!(failed([&stored, &stored], "ring"), (0, absent));
    }

    #[test]
    fn without_sends_there_are_no_percentiles() {
        let run = run(1);
        let it = filled([&State::Stored(&run), &State::Stored(&run)], "stream");
        assert_eq!(it.gathered.series[0].values, [vec![8e9], vec![8e9]]);
        assert!(it.gathered.series[1].values.iter().all(Vec::is_empty));
        assert!(it.gathered.series[2].values.iter().all(Vec::is_empty));
    }

    /// A program in which the first slice does a million operations in a second, the second two;
    /// those with stamps have sends of 100 ns and 900 ns.
    #[test]
    fn a_program_beside_a_stored_run_is_measured_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, asked) = (folder.path().join("program"), folder.path().join("asked"));
        let Some(Record::Measured(stamped)) = run(1).records.get(3).cloned() else {
            panic!("the fourth round takes stamps")
        };
        let answer = |latency_ns| {
            let done = Box::new(SliceDone { operations: 10, latency_ns, ..SliceDone::default() });
            serde_json::to_string(&Say::Slice(done)).expect("JSON")
        };
        let (plain, stamped) = (answer(Latencies::default()), answer(stamped.latency_ns));
        let plain =
            plain.replace(r#""operations_per_second":0.0"#, "\"operations_per_second\":'$n'e6");
        let text = format!(
            r#"#!/bin/sh
echo '{{"say":"hello","protocol":1}}'
n=0
while read -r line; do
    echo "$line" >> '{}'
    case "$line" in
    *prepare*) echo '{{"say":"prepared"}}' ;;
    *throughput*) n=$((n + 1)); echo '{plain}' ;;
    *latency*) echo '{stamped}' ;;
    *) exit 0 ;;
    esac
done
"#,
            asked.display()
        );
        made_up::script(&program, &text);
        let (layouts, hello) = (Layouts::one(program), Hello::default());
        let program = Program { layouts, hello, cells: HashMap::new(), code: None };
        let run = run(1);
        let states = [&State::Stored(&run), &State::Program(Box::new(program))];
        let it = filled(states, "pairs");
        assert!(it.gathered.failure.is_none(), "{:?}", it.gathered.failure);
        let values = it.gathered.series.each_ref().map(|series| series.values[1].clone());
        assert_eq!(values, [vec![3e6], vec![100.0], vec![900.0]]);
        assert_eq!(it.gathered.counters[1].len(), 7);
        let asked = std::fs::read_to_string(asked).expect("asked");
        let slice = r#""seconds":0.02,"warm_up_seconds":0.02"#;
        assert_eq!(asked.lines().filter(|line| line.contains(slice)).count(), 7, "{asked}");
    }
}
