//! The history of cells across commits: what figure 7 draws. Who has change points hands them in;
//! without, several runs are put in the order in which they ran.

use results::{Measure, Measured, Run, stats};

/// One metric of one cell over commits.
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
    /// The lower end of its spread.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How many characters of a commit are shown.
const COMMIT_LENGTH: usize = 7;

/// The throughput of each cell that several runs have, a point per run.
#[must_use]
pub fn of_runs(runs: &[Run]) -> Vec<HistorySeries> {
    let mut ordered: Vec<&Run> = runs.iter().collect();
    ordered.sort_by_key(|run| started(run));
    let mut series: Vec<HistorySeries> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for run in ordered {
        for (cell, rounds) in cells(run) {
            let Some(point) = point(&rounds) else { continue };
            let place = *places.entry(cell.clone()).or_insert(series.len());
            if place == series.len() {
                let backend = rounds[0].cell.backend.clone();
                let metric = "throughput".to_owned();
                series.push(HistorySeries { cell, backend, metric, ..HistorySeries::default() });
            }
            series[place].points.push(point);
        }
    }
    series.retain(|series| series.points.len() > 1);
    series
}

fn started(run: &Run) -> String {
    run.measured().map(|round| round.started.clone()).min().unwrap_or_default()
}

fn cells(run: &Run) -> std::collections::BTreeMap<String, Vec<&Measured>> {
    let mut cells: std::collections::BTreeMap<String, Vec<&Measured>> = Default::default();
    for round in run.measured().filter(|round| round.measure == Measure::Throughput) {
        cells.entry(round.cell.id()).or_default().push(round);
    }
    cells
}

/// The median of a run's rounds, without flagged ones as long as there are others.
fn point(rounds: &[&Measured]) -> Option<HistoryPoint> {
    let all_flagged = rounds.iter().all(|round| round.host_noise.flagged);
    let kept = rounds.iter().filter(|round| all_flagged || !round.host_noise.flagged);
    let values: Vec<f64> = kept.map(|round| round.operations_per_second).collect();
    Some(HistoryPoint {
        commit: commit(rounds.first()?),
        started: rounds.first()?.started.clone(),
        value: stats::median(&values)?,
        low: stats::quantile(&values, 0.0)?,
        high: stats::quantile(&values, 1.0)?,
    })
}

fn commit(round: &Measured) -> String {
    let name = round.commit.as_deref().unwrap_or("unknown");
    let short: String = name.chars().take(COMMIT_LENGTH).collect();
    if round.dirty == Some(true) { short + "+" } else { short }
}
