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
            seconds: measured.seconds,
            operations: measured.operations,
            operations_per_second: measured.operations_per_second,
            latency_ns: measured.latency_ns.clone(),
            locks: measured.locks.clone(),
            fast_path: measured.fast_path.clone(),
            allocations: measured.allocations,
            host_noise: measured.host_noise.clone(),
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
