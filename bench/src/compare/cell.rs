//! One cell on two sides: pairs, until the verdict is clear or the budget is spent.

use std::time::{Duration, Instant};

use results::Control;

use super::counters::PerOperation;
use super::disturbed::Tally;
use super::judge::{self, Judge};
use super::layouts::{Deck, Layouts};
use super::metric::{Metric, Series, Use};
use super::pair::{self, Asked, Pair, SideFailure, Sides};
use crate::interrupt::Interrupt;

/// One pair in so many is the first side with itself.
const CONTROL_EVERY: u32 = 5;

/// The first side with itself, over all cells: what no change looks like here.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// By [`Metric`].
    pub series: [Series; 3],
}

impl Controls {
    /// What they say of a metric, and whether the first side differs from itself in it.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Option<(Control, bool)> {
        judge::control(&self.series[metric.index()].log_ratios)
    }
}

/// Two sides, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Their programs.
    pub sides: [&'a Layouts; 2],
    /// What is measured.
    pub asked: &'a Asked,
    /// The longest it may take.
    pub budget: Duration,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
}

/// What the pairs of a cell said.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// By [`Metric`].
    pub series: [Series; 3],
    /// Counters per operation, slice by slice, of each side.
    pub counters: [Vec<PerOperation>; 2],
    /// Slices of all pairs.
    pub tally: Tally,
    /// What it took.
    pub elapsed: Duration,
    /// What ended it early.
    pub failure: Option<SideFailure>,
}

impl Gathered {
    /// How many pairs were measured.
    #[must_use]
    pub fn pairs(&self) -> u32 {
        self.series[Metric::Throughput.index()].log_ratios.len() as u32
    }

    fn add(&mut self, pair: Pair) {
        add(&mut self.series, &pair);
        for (all, counters) in self.counters.iter_mut().zip(pair.counters) {
            all.extend(counters);
        }
    }

    /// Whether more pairs would change nothing.
    fn is_clear(&self, judge: &Judge) -> bool {
        let is_final = |metric: Metric| {
            let series = &self.series[metric.index()];
            series.use_of(metric) != Use::Yes || judge.look(metric, series, false).is_final
        };
        judge.metrics.iter().copied().all(is_final)
    }
}

fn add(all: &mut [Series; 3], pair: &Pair) {
    for metric in Metric::ALL {
        all[metric.index()].add(metric, pair);
    }
}

/// Measures; `watch` is told how many pairs there are, and how long it took.
pub fn measure(
    job: Job<'_>,
    judge: &Judge,
    controls: &mut Controls,
    random: &mut fastrand::Rng,
    watch: &mut dyn FnMut(u32, Duration),
) -> Gathered {
    let (began, mut gathered) = (Instant::now(), Gathered::default());
    let mut next_look = judge.next_look(0);
    let mut decks = job.sides.map(|layouts| Deck::new(layouts));
    for number in 1.. {
        watch(gathered.pairs(), began.elapsed());
        if began.elapsed() >= job.budget || next_look.is_none() || job.interrupt.is_set() {
            break;
        }
        let is_control = number % CONTROL_EVERY == 0;
        let drawn = if is_control { [0, 0] } else { [0, 1] };
        let programs = drawn.map(|side| decks[side].draw(random));
        let sides = Sides { programs, interrupt: job.interrupt };
        match pair::measure(sides, job.asked, random, &mut gathered.tally) {
            Ok(Some(pair)) if is_control => add(&mut controls.series, &pair),
            Ok(Some(pair)) => gathered.add(pair),
            Ok(None) => {}
            Err(failure) => {
                let side = if is_control { 0 } else { failure.side };
                gathered.failure = Some(SideFailure { side, ..failure });
                break;
            }
        }
        let pairs = gathered.pairs();
        if next_look.is_some_and(|look| pairs >= look) {
            let busy = gathered.tally.is_busy() && !job.asked.noisy;
            if !busy && gathered.is_clear(judge) {
                break;
            }
            next_look = judge.next_look(pairs);
        }
    }
    gathered.elapsed = began.elapsed();
    gathered
}
