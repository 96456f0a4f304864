//! The history of cells across commits: what figure 7 draws, ratios first. Order and change points
//! are those of [`results::history`].

use results::history::{Origin, Point, RATIO, Series, history, of_one_build};
use results::{Measure, Measured, Run, StoreError, stats};

/// A metric of one cell over commits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistorySeries {
    /// The cell.
    pub cell: String,
    /// The backend, for its style.
    pub backend: String,
    /// The metric, such as `throughput`.
    pub metric: String,
    /// In the order of the commits.
    pub points: Vec<HistoryPoint>,
    /// Indices of the points at which something changed.
    pub changes: Vec<usize>,
}

/// One commit's value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryPoint {
    /// The commit, shortened; `+` behind it when the checkout differed from it.
    pub commit: String,
    /// When it was measured: UTC, RFC 3339.
    pub started: String,
    /// The median.
    pub value: f64,
    /// The lower end of a ratio's interval, or the slowest round.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The metrics that are drawn, in the order in which they are.
const METRICS: [&str; 2] = [RATIO, "throughput"];

/// What figure 7 draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The ratio, and the throughput, of each cell that several runs have.
    pub series: Vec<HistorySeries>,
    /// How many runs were built in another way than the newest: they are in none of these.
    pub others: usize,
}

/// The history of runs of one machine, in the order of `commits` (oldest first).
///
/// # Errors
/// The runs are of several machines, or a histogram is damaged.
pub fn of_runs(runs: &[Run], commits: &[String], reference: &str) -> Result<History, StoreError> {
    // One run is no history, and its histograms would be merged once more.
    if runs.len() < 2 {
        return Ok(History::default());
    }
    let (runs, others) = of_one_build(runs.to_vec());
    let all = history(&runs, commits, reference)?;
    let of_metric = |metric: &'static str| {
        all.iter().filter(move |series| series.metric == metric && series.points.len() > 1)
    };
    let drawn = METRICS.into_iter().flat_map(of_metric);
    Ok(History { series: drawn.map(|series| of_series(series, &runs)).collect(), others })
}

fn of_series(series: &Series, runs: &[Run]) -> HistorySeries {
    let cell = series.cell.id();
    let point = |point: &Point| {
        let rounds = rounds(runs, &point.run, &cell);
        let end = |known: Option<f64>, share| {
            known.or_else(|| stats::quantile(&rounds, share)).unwrap_or(point.value)
        };
        HistoryPoint {
            commit: point.run.shown().unwrap_or_else(|| "unknown".to_owned()),
            started: point.run.started.clone(),
            value: point.value,
            low: end(point.low, 0.0),
            high: end(point.high, 1.0),
        }
    };
    HistorySeries {
        points: series.points.iter().map(point).collect(),
        changes: series.changes.iter().map(|change| change.index).collect(),
        backend: series.cell.backend.clone(),
        metric: series.metric.clone(),
        cell,
    }
}

/// The rounds behind a run's median: without those in which a thread was kept off its CPU.
fn rounds(runs: &[Run], origin: &Origin, cell: &str) -> Vec<f64> {
    let counts = |round: &&Measured| {
        round.measure == Measure::Throughput && !round.host_noise.flagged && round.cell_id == cell
    };
    let rounds = runs.iter().filter(|run| run.id == origin.run).flat_map(Run::measured);
    rounds.filter(counts).map(|round| round.operations_per_second).collect()
}
