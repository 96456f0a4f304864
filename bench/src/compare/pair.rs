//! A pair of fresh processes, one of each side, both alive: the unit of a comparison.
//!
//! What differs from launch to launch (where the stack and the heap lie, which pages) hits a whole
//! pair, so it is drawn anew for each. What drifts within a second is cancelled inside it: slices
//! of both sides take turns, A B B A or B A A B by a coin, so that neither a trend nor whatever
//! repeats favours a side.

use std::path::PathBuf;
use std::time::Duration;

use hdrhistogram::Histogram;
use results::{Measure, histogram, stats};

use super::counters::{self, PerOperation};
use super::disturbed::{Tally, is_disturbed};
use super::server::{Failure, Launch, Server};
use crate::interrupt::Interrupt;
use crate::protocol::{Prepare, SliceAsked, SliceDone};

/// Throughput slices come in as many groups of four: on a host whose cores flicker the median of
/// six is worth more than half as many pairs again of three (`METHODOLOGY.md`).
const QUADS: usize = 6;
/// The longest padding of the environment, in bytes.
const PADDING_MAX: usize = 4096;
/// How often a disturbed slice is measured again before the pair is given up.
const REDONE_MAX: u32 = 10;
/// The same where disturbed slices are used in the end (`--noisy`).
const REDONE_NOISY_MAX: u32 = 2;
/// The share of a slice's time that is run before it.
const WARM_UP_SHARE: f64 = 0.1;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The cell, and where its threads run.
    pub prepare: Prepare,
    /// The length of a slice.
    pub slice: Duration,
    /// Whether the sends are looked at, too.
    pub latencies: bool,
    /// Whether disturbed slices are used when nothing better comes.
    pub noisy: bool,
}

/// The two sides of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The program of each.
    pub programs: [&'a PathBuf; 2],
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
}

/// What a pair measured.
#[derive(Debug)]
pub struct Pair {
    /// The logarithm of second over first, operations per second.
    pub log_ratio: f64,
    /// Operations per second of each side: the median over its slices.
    pub operations_per_second: [f64; 2],
    /// The sends of each side.
    pub sends: [Histogram<u64>; 2],
    /// Counters per operation, slice by slice, of each side.
    pub counters: [Vec<PerOperation>; 2],
    /// The step of the coarser clock, in nanoseconds.
    pub clock_step_ns: f64,
}

/// A side that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct SideFailure {
    /// Which of the two.
    pub side: usize,
    /// Why.
    pub failure: Failure,
}

/// Measures a pair; none if the host was too busy for it.
///
/// # Errors
/// A side failed.
pub fn measure(
    sides: Sides<'_>,
    asked: &Asked,
    random: &mut fastrand::Rng,
    tally: &mut Tally,
) -> Result<Option<Pair>, SideFailure> {
    let servers = start(sides, asked, random)?;
    let mut running = Running { servers, asked, random, tally };
    running.warm_up()?;
    let measured = running.all()?;
    running.servers.into_iter().for_each(Server::end);
    Ok(measured)
}

/// Starts both in an order that a coin decides, and gets them ready.
fn start(
    sides: Sides<'_>,
    asked: &Asked,
    random: &mut fastrand::Rng,
) -> Result<[Server; 2], SideFailure> {
    let first_first = random.bool();
    let mut start = |side: usize| {
        let padding = random.usize(0..=PADDING_MAX);
        let launch = Launch { program: sides.programs[side], padding, interrupt: sides.interrupt };
        ready(launch, &asked.prepare).map_err(|failure| SideFailure { side, failure })
    };
    if first_first {
        let first = start(0)?;
        Ok([first, start(1)?])
    } else {
        let second = start(1)?;
        Ok([start(0)?, second])
    }
}

fn ready(launch: Launch<'_>, prepare: &Prepare) -> Result<Server, Failure> {
    let mut server = Server::start(launch)?;
    server.prepare(prepare)?.map_err(Failure::Broken)?;
    Ok(server)
}

/// Two servers that are ready.
struct Running<'a> {
    servers: [Server; 2],
    asked: &'a Asked,
    random: &'a mut fastrand::Rng,
    tally: &'a mut Tally,
}

/// The slices of a group of four, by side.
type Quad = [Vec<SliceDone>; 2];

impl Running<'_> {
    /// The first slice of each touches its memory, and is thrown away.
    fn warm_up(&mut self) -> Result<(), SideFailure> {
        (0..2).try_for_each(|side| self.slice(side, Measure::Throughput).map(|_| ()))
    }

    fn all(&mut self) -> Result<Option<Pair>, SideFailure> {
        let mut quads = Vec::with_capacity(QUADS);
        for _ in 0..QUADS {
            match self.quad(Measure::Throughput)? {
                Some(quad) => quads.push(quad),
                None => return Ok(None),
            }
        }
        let stamped =
            if self.asked.latencies { self.quad(Measure::Latency)? } else { Some(Quad::default()) };
        let Some(latencies) = stamped else { return Ok(None) };
        let steps = [0, 1].map(|side: usize| self.servers[side].hello.clock_step_ns);
        Ok(Some(Pair {
            log_ratio: stats::median(&quads.iter().map(log_ratio).collect::<Vec<f64>>())
                .unwrap_or_default(),
            operations_per_second: [0, 1].map(|side| middle_rate(&quads, side)),
            counters: [0, 1].map(|side| counters_of(&quads, side)),
            sends: [sends(&latencies, 0)?, sends(&latencies, 1)?],
            clock_step_ns: steps[0].max(steps[1]),
        }))
    }

    /// Four slices in turns; none if the host was too busy.
    fn quad(&mut self, measure: Measure) -> Result<Option<Quad>, SideFailure> {
        let outer = usize::from(self.random.bool());
        let mut quad = Quad::default();
        for side in [outer, 1 - outer, 1 - outer, outer] {
            match self.clean_slice(side, measure)? {
                Some(slice) => quad[side].push(slice),
                None => return Ok(None),
            }
        }
        Ok(Some(quad))
    }

    /// A slice that the host did not disturb; none if there was none.
    fn clean_slice(
        &mut self,
        side: usize,
        measure: Measure,
    ) -> Result<Option<SliceDone>, SideFailure> {
        let redone_max = if self.asked.noisy { REDONE_NOISY_MAX } else { REDONE_MAX };
        for redone in 0..=redone_max {
            let slice = self.slice(side, measure)?;
            self.tally.slices += 1;
            // A slice without an operation was not run: its threads never saw it begin.
            let nothing = slice.operations == 0;
            let disturbed = nothing || is_disturbed(&slice.host_noise, slice.seconds);
            if disturbed {
                self.tally.rejected += 1;
            }
            if !disturbed || (self.asked.noisy && redone == redone_max && !nothing) {
                return Ok(Some(slice));
            }
        }
        Ok(None)
    }

    fn slice(&mut self, side: usize, measure: Measure) -> Result<SliceDone, SideFailure> {
        let seconds = self.asked.slice.as_secs_f64();
        let asked = SliceAsked { measure, seconds, warm_up_seconds: seconds * WARM_UP_SHARE };
        self.servers[side].slice(asked).map_err(|failure| SideFailure { side, failure })
    }
}

/// The mean logarithm of the second side less that of the first.
fn log_ratio(quad: &Quad) -> f64 {
    let mean = |slices: &[SliceDone]| {
        let sum: f64 = slices.iter().map(|slice| slice.operations_per_second.ln()).sum();
        sum / slices.len() as f64
    };
    mean(&quad[1]) - mean(&quad[0])
}

fn middle_rate(quads: &[Quad], side: usize) -> f64 {
    let slices = quads.iter().flat_map(|quad| &quad[side]);
    let rates: Vec<f64> = slices.map(|slice| slice.operations_per_second).collect();
    stats::median(&rates).unwrap_or_default()
}

fn counters_of(quads: &[Quad], side: usize) -> Vec<PerOperation> {
    quads.iter().flat_map(|quad| &quad[side]).map(counters::per_operation).collect()
}

/// All sends of a side; `pairs` counts those of the two ends apart, here they are one.
fn sends(quad: &Quad, side: usize) -> Result<Histogram<u64>, SideFailure> {
    let kinds = quad[side].iter().map(|slice| &slice.latency_ns);
    let sends = kinds.flat_map(|kinds| [kinds.send.as_ref(), kinds.send_higher_address.as_ref()]);
    histogram::merge(sends.flatten())
        .map_err(|error| SideFailure { side, failure: Failure::Broken(error.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rate: f64) -> SliceDone {
        SliceDone { operations_per_second: rate, ..SliceDone::default() }
    }

    #[test]
    fn a_trend_that_is_even_in_time_cancels() {
        // A B B A, each slice a tenth faster than the one before it.
        let quad = [vec![slice(100.0), slice(133.1)], vec![slice(110.0), slice(121.0)]];
        assert!(log_ratio(&quad).abs() < 1e-12);
    }

    #[test]
    fn the_ratio_is_second_over_first() {
        let quad = [vec![slice(100.0); 2], vec![slice(50.0); 2]];
        assert!((log_ratio(&quad).exp() - 0.5).abs() < 1e-12);
    }
}
