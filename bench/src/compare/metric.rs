//! What is compared by statistics, and what the pairs of a cell said of it.

use hdrhistogram::Histogram;
use results::stats;
use results::verdict::Better;

use super::pair::Pair;

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Operations per second.
    Throughput,
    /// The median of a send, in nanoseconds.
    SendP50,
    /// The 99th percentile of a send, in nanoseconds.
    SendP99,
}

/// A percentile of fewer sends than this, in one process, says more about chance.
const SENDS_MIN: u64 = 2000;
/// A latency of fewer steps of the clock than this moves in jumps of over 10 %.
const STEPS_MIN: f64 = 10.0;

impl Metric {
    /// All of them, in the order they are shown.
    pub const ALL: [Metric; 3] = [Metric::Throughput, Metric::SendP50, Metric::SendP99];

    /// The name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::SendP50 => "send_p50",
            Metric::SendP99 => "send_p99",
        }
    }

    /// Which way is better.
    #[must_use]
    pub fn better(self) -> Better {
        match self {
            Metric::Throughput => Better::Higher,
            Metric::SendP50 | Metric::SendP99 => Better::Lower,
        }
    }

    /// Its place in [`Metric::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it needs slices with stamps.
    #[must_use]
    pub fn is_latency(self) -> bool {
        self.quantile().is_some()
    }

    fn quantile(self) -> Option<f64> {
        match self {
            Metric::Throughput => None,
            Metric::SendP50 => Some(0.5),
            Metric::SendP99 => Some(0.99),
        }
    }
}

/// One metric over the pairs of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Logarithms of second over first, pair by pair.
    pub log_ratios: Vec<f64>,
    /// The value of each side, pair by pair.
    pub values: [Vec<f64>; 2],
    /// Pairs with too few sends for it.
    pub thin: u32,
    /// The step of the coarsest clock, in nanoseconds.
    pub step_ns: f64,
}

impl Series {
    /// Adds what a pair says of the metric.
    pub fn add(&mut self, metric: Metric, pair: &Pair) {
        self.step_ns = self.step_ns.max(pair.clock_step_ns);
        let Some(quantile) = metric.quantile() else {
            self.push(pair.operations_per_second, pair.log_ratio);
            return;
        };
        if pair.sends.iter().any(|sends| sends.len() < SENDS_MIN) {
            self.thin += u32::from(pair.sends.iter().any(|sends| !sends.is_empty()));
            return;
        }
        let at = |sends: &Histogram<u64>| sends.value_at_quantile(quantile).max(1) as f64;
        let values = [at(&pair.sends[0]), at(&pair.sends[1])];
        self.push(values, (values[1] / values[0]).ln());
    }

    fn push(&mut self, values: [f64; 2], log_ratio: f64) {
        self.log_ratios.push(log_ratio);
        self.values[0].push(values[0]);
        self.values[1].push(values[1]);
    }

    /// The middle value of a side, if there is one.
    #[must_use]
    pub fn value(&self, side: usize) -> Option<f64> {
        stats::median(&self.values[side])
    }

    /// How well the metric can be told at all.
    #[must_use]
    pub fn use_of(&self, metric: Metric) -> Use {
        let Some((first, second)) = self.value(0).zip(self.value(1)) else {
            return if self.thin > 0 { Use::Not(few_sends()) } else { Use::Absent };
        };
        if metric == Metric::Throughput {
            return Use::Yes;
        }
        if first.min(second) < STEPS_MIN * self.step_ns {
            return Use::Not(format!("quantised, step {:.0} ns", self.step_ns));
        }
        if self.thin as usize > self.log_ratios.len() {
            return Use::Not(few_sends());
        }
        Use::Yes
    }
}

fn few_sends() -> String {
    format!("fewer than {SENDS_MIN} sends in a process")
}

/// Whether a metric gets a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// It does.
    Yes,
    /// It does not, and why.
    Not(String),
    /// The cell does not have it.
    Absent,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(send_ns: [u64; 2], sends: u64) -> Pair {
        let histogram = |value| {
            let mut histogram = results::histogram::new();
            histogram.record_n(value, sends).unwrap();
            histogram
        };
        Pair {
            log_ratio: 0.1,
            operations_per_second: [1e6, 1.1e6],
            sends: send_ns.map(histogram),
            counters: [vec![], vec![]],
            clock_step_ns: 10.0,
        }
    }

    fn series(metric: Metric, pair: &Pair) -> Series {
        let mut series = Series::default();
        series.add(metric, pair);
        series
    }

    #[test]
    fn a_latency_of_many_steps_is_used() {
        let series = series(Metric::SendP50, &pair([1000, 2000], 5000));
        assert!((series.log_ratios[0] - 2_f64.ln()).abs() < 0.01);
        assert_eq!(series.use_of(Metric::SendP50), Use::Yes);
    }

    #[test]
    fn a_latency_of_few_steps_or_few_sends_is_not() {
        let of = |pair: &Pair| series(Metric::SendP99, pair).use_of(Metric::SendP99);
        assert_eq!(of(&pair([60, 70], 5000)), Use::Not("quantised, step 10 ns".to_owned()));
        assert_eq!(of(&pair([1000, 2000], 100)), Use::Not(few_sends()));
        assert_eq!(of(&pair([1000, 2000], 0)), Use::Absent);
        let throughput = series(Metric::Throughput, &pair([60, 70], 0));
        assert_eq!(throughput.use_of(Metric::Throughput), Use::Yes);
    }
}
