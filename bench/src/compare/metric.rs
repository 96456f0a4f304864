//! What is compared by statistics, and what the pairs of a cell said of it.

use hdrhistogram::Histogram;
use results::verdict::Better;
use results::{histogram, stats};

use crate::turns::launch::Launch;

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
    /// Adds what a launch of two says of the metric.
    ///
    /// # Errors
    /// A histogram is damaged: which of the two sent it, and how.
    pub fn add(&mut self, metric: Metric, launch: &Launch) -> Result<(), (usize, String)> {
        let steps = launch.parties.iter().map(|taken| taken.clock_step_ns);
        self.step_ns = steps.fold(self.step_ns, f64::max);
        let Some(quantile) = metric.quantile() else {
            let rates = [0, 1].map(|side: usize| launch.parties[side].middle_rate());
            if let ([Some(first), Some(second)], Some(log)) = (rates, launch.log_ratio(1, 0)) {
                self.push([first, second], log);
            }
            return Ok(());
        };
        let of = |side: usize| launch.parties[side].sends().map_err(|why| (side, why));
        let sends = [of(0)?, of(1)?];
        if sends.iter().any(|sends| sends.len() < SENDS_MIN) {
            self.thin += u32::from(sends.iter().any(|sends| !sends.is_empty()));
            return Ok(());
        }
        let at = |sends: &Histogram<u64>| histogram::value_at(sends, quantile).max(1) as f64;
        let values = [at(&sends[0]), at(&sends[1])];
        self.push(values, (values[1] / values[0]).ln());
        Ok(())
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
    use results::{Latencies, Measure};

    use super::*;
    use crate::protocol::SliceDone;
    use crate::turns::launch::{Slice, Taken};

    /// A side: a turn of slices at this rate, and sends by each end at a time of its own.
    fn side(rate: f64, ends_ns: [u64; 2], sends: u64) -> Taken {
        let histogram = |value| {
            let mut histogram = results::histogram::new();
            histogram.record_n(value, sends).unwrap();
            Some(results::histogram::latency(&histogram, 0).unwrap())
        };
        let [send, send_higher_address] = ends_ns.map(histogram);
        let latency_ns = Latencies { send, send_higher_address, ..Latencies::default() };
        let slice = |measure, done| Slice { measure, done, is_used: true, ..Slice::default() };
        let counted = SliceDone { operations_per_second: rate, ..SliceDone::default() };
        let stamped = SliceDone { latency_ns, ..SliceDone::default() };
        Taken {
            slices: vec![
                slice(Measure::Throughput, counted.clone()),
                slice(Measure::Throughput, counted),
                slice(Measure::Latency, stamped),
            ],
            clock_step_ns: 10.0,
            pinning: None,
            uncopied: None,
        }
    }

    fn launch(send_ns: [u64; 2], sends: u64) -> Launch {
        let [first, second] = send_ns.map(|ns| [ns; 2]);
        let parties = vec![side(1e6, first, sends), side(1.1e6, second, sends)];
        Launch { parties, order: vec![0, 1] }
    }

    fn series(metric: Metric, launch: &Launch) -> Series {
        let mut series = Series::default();
        series.add(metric, launch).unwrap();
        series
    }

    #[test]
    fn the_ratio_is_second_over_first_of_every_metric() {
        // Half of the sends, those of the higher address, are slower: the 99th percentile is
        // theirs.
        let first = side(1e6, [1000, 3000], 5000);
        let second = side(2e6, [2000, 12_000], 5000);
        let launch = Launch { parties: vec![first, second], order: vec![1, 0] };
        for (metric, ratio) in Metric::ALL.into_iter().zip([2.0, 2.0, 4.0]) {
            let series = series(metric, &launch);
            assert!((series.log_ratios[0].exp() - ratio).abs() < 0.01, "{metric:?}: {series:?}");
            assert_eq!(series.use_of(metric), Use::Yes);
        }
    }

    #[test]
    fn more_operations_and_less_time_are_better() {
        let better = Metric::ALL.map(|metric| (metric.name(), metric.better()));
        let expected = [
            ("throughput", Better::Higher),
            ("send_p50", Better::Lower),
            ("send_p99", Better::Lower),
        ];
        assert_eq!(better, expected);
    }

    #[test]
    fn only_latencies_need_stamps() {
        assert_eq!(Metric::ALL.map(Metric::is_latency), [false, true, true]);
    }

    #[test]
    fn a_latency_of_few_steps_or_few_sends_is_not_used() {
        assert_eq!(few_sends(), "fewer than 2000 sends in a process");

        let of = |launch: &Launch| series(Metric::SendP99, launch).use_of(Metric::SendP99);
        assert_eq!(of(&launch([60, 70], 5000)), Use::Not("quantised, step 10 ns".to_owned()));
        assert_eq!(of(&launch([1000, 2000], 100)), Use::Not(few_sends()));
        assert_eq!(of(&launch([1000, 2000], 0)), Use::Absent);
        // The bounds themselves are enough: ten steps of ten nanoseconds, a thousand by each end.
        assert_eq!(of(&launch([100, 200], 1000)), Use::Yes);
        assert_eq!(of(&launch([200, 99], 1000)), Use::Not("quantised, step 10 ns".to_owned()));
        assert_eq!(of(&launch([100, 200], 999)), Use::Not(few_sends()));
        let thin = |thin| Series { thin, ..series(Metric::SendP99, &launch([1000, 2000], 1000)) };
        assert_eq!(thin(1).use_of(Metric::SendP99), Use::Yes, "as many as are not");
        assert_eq!(thin(2).use_of(Metric::SendP99), Use::Not(few_sends()));
        let throughput = series(Metric::Throughput, &launch([60, 70], 0));
        assert_eq!(throughput.use_of(Metric::Throughput), Use::Yes);
    }
}
