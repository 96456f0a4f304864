//! What each cell's figures were from commit to commit, and where they changed.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::cell::Cell;
use crate::changes::{ChangePoint, change_points};
use crate::error::StoreError;
use crate::outward;
use crate::record::Measured;
use crate::run::{Run, same_machine};
use crate::summary::{Row, summarise};
use crate::time::in_utc;
use crate::units;

/// The metric that comes first: the throughput as a ratio to a reference of the same run, which
/// survives another host and another hour; a throughput does not.
pub const RATIO: &str = "ratio";
/// Relocks that a try saved, per operation.
const SAVED: &str = "saved_per_operation";

/// One metric of one cell over the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// What was measured; its name in JSON.
    #[serde(serialize_with = "serialize_name")]
    pub cell: Cell,
    /// [`RATIO`], `throughput`, `send_p99` (or of the event that stands for the workload), or a
    /// counter: `acquisitions_per_operation`, `relocks_per_operation`, `saved_per_operation`.
    pub metric: String,
    /// The backend that a ratio is to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// The unit of every value.
    pub unit: Unit,
    /// A value per run that has one, oldest commit first.
    pub points: Vec<Point>,
    /// Where the level changes; an index is one into `points`.
    pub changes: Vec<ChangePoint>,
}

impl Series {
    /// The value as people read it, without its unit where the metric's name says it.
    #[must_use]
    pub fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::OperationsPerSecond => units::rate(value),
            Unit::Nanoseconds => units::time(value.round() as u64),
            Unit::PerOperation | Unit::Ratio => units::digits(value),
        }
    }

    /// A point's value as people read it, with its interval if it has one.
    #[must_use]
    pub fn shown_point(&self, point: &Point) -> String {
        match (point.low, point.high) {
            (Some(low), Some(high)) => outward::text(point.value, low, high),
            _ => self.shown(point.value),
        }
    }
}

fn serialize_name<S: Serializer>(cell: &Cell, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&cell.id())
}

/// The unit of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Operations per second; more is better.
    OperationsPerSecond,
    /// Nanoseconds; less is better.
    Nanoseconds,
    /// A count per operation.
    PerOperation,
    /// One throughput over another; more is better.
    Ratio,
}

/// What one run says of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The place of the run among all runs of the history, from 0.
    pub place: usize,
    /// The run.
    #[serde(flatten)]
    pub run: Origin,
    /// The value, in the series' unit.
    pub value: f64,
    /// The lower end of its interval of 95 % at least; only of ratios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The run's id.
    pub run: String,
    /// The commit the program was built from, if that is known.
    pub commit: Option<String>,
    /// Whether the checkout differed from that commit.
    pub dirty: Option<bool>,
    /// When the run's first round began: UTC, RFC 3339, milliseconds.
    pub started: String,
}

/// How many characters of a commit's name are shown.
const COMMIT_CHARACTERS: usize = 8;

impl Origin {
    /// The commit, shortened, with `+` behind it when the checkout differed from it; none where it
    /// is not known.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        let short: String = self.commit.as_ref()?.chars().take(COMMIT_CHARACTERS).collect();
        Some(if self.dirty == Some(true) { short + "+" } else { short })
    }

    fn of(run: &Run) -> Option<Origin> {
        let Measured { commit, dirty, started, .. } = run.measured().next()?;
        Some(Origin {
            run: run.id.clone(),
            commit: commit.clone(),
            dirty: *dirty,
            started: in_utc(started),
        })
    }
}

/// The series of all cells of runs of one machine. Runs go by the place of their commit in
/// `commits`, oldest first, and by time where that is the same; a run of no such commit goes right
/// behind the run that began last before it.
///
/// The ratio to `reference` is that of each run by itself. Throughput is the median of a run's
/// rounds, without any in which a thread was kept off its CPU; a run in which that was so in all of
/// them has none. Percentiles are of its merged histograms.
///
/// # Errors
/// The runs are of several machines, or a histogram is damaged.
pub fn history(
    runs: &[Run],
    commits: &[String],
    reference: &str,
) -> Result<Vec<Series>, StoreError> {
    same_machine(runs)?;
    let mut series: Vec<Series> = Vec::new();
    let mut indexes: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (place, (origin, run)) in in_order(runs, commits).into_iter().enumerate() {
        for row in summarise(std::slice::from_ref(run), reference)?.rows {
            for Figure { metric, unit, value, interval } in figures(&row) {
                let key = (row.cell.id(), metric);
                let index = *indexes.entry(key.clone()).or_insert(series.len());
                if index == series.len() {
                    let against = (unit == Unit::Ratio).then(|| reference.to_owned());
                    series.push(Series {
                        cell: row.cell.clone(),
                        metric: key.1,
                        against,
                        unit,
                        points: Vec::new(),
                        changes: Vec::new(),
                    });
                }
                let [low, high] = interval.map_or([None; 2], |ends| ends.map(Some));
                series[index].points.push(Point { place, run: origin.clone(), value, low, high });
            }
        }
    }
    // Where no run was saved a relock no lock is tried.
    series.retain(|one| one.metric != SAVED || one.points.iter().any(|point| point.value > 0.0));
    ratios_first(&mut series);
    for one in &mut series {
        let values: Vec<f64> = one.points.iter().map(|point| point.value).collect();
        one.changes = change_points(&values);
    }
    Ok(series)
}

/// How many figures of runs have no ratio beside them, though the cell is not the reference's.
#[must_use]
pub fn without_ratio(series: &[Series], reference: &str) -> usize {
    let places = |of: &Series| of.points.iter().map(|point| point.place).collect::<Vec<_>>();
    let others = series
        .iter()
        .filter(|one| one.unit == Unit::OperationsPerSecond && one.cell.backend != reference);
    let missing = others.map(|one| {
        let is_its = |other: &&Series| other.unit == Unit::Ratio && other.cell == one.cell;
        let ratios = series.iter().find(is_its).map(places).unwrap_or_default();
        places(one).iter().filter(|place| !ratios.contains(place)).count()
    });
    missing.sum()
}

/// The runs whose program was built as the newest run's was, by the same compiler, and how many
/// others there are: one commit built in another way is another program, and a change from one to
/// the other would be taken for a commit's.
#[must_use]
pub fn of_one_build(runs: Vec<Run>) -> (Vec<Run>, usize) {
    let build =
        |run: &Run| run.measured().next().map(|line| (line.rustc.clone(), line.build.clone()));
    let began = |run: &&Run| run.measured().next().map(|line| in_utc(&line.started));
    let newest = runs.iter().max_by_key(began).and_then(build);
    let (kept, others): (Vec<Run>, Vec<Run>) =
        runs.into_iter().partition(|run| build(run).is_none_or(|one| Some(one) == newest));
    (kept, others.len())
}

/// What is to be said of those others; nothing where there are none.
#[must_use]
pub fn left_out(others: usize) -> Option<String> {
    let what = "runs built in another way than the newest, or by another compiler, left out";
    (others > 0).then(|| format!("{what}: {others}"))
}

/// Puts the series of a cell together, in one order for all cells, the ratio first; cells in the
/// order of their first series.
fn ratios_first(series: &mut [Series]) {
    let mut cells: BTreeMap<String, usize> = BTreeMap::new();
    for one in series.iter() {
        let count = cells.len();
        cells.entry(one.cell.id()).or_insert(count);
    }
    let rank = |one: &Series| match one.unit {
        Unit::Ratio => 0,
        Unit::OperationsPerSecond => 1,
        Unit::Nanoseconds => 2,
        Unit::PerOperation => 3,
    };
    series.sort_by_key(|one| {
        let counter = (one.unit == Unit::PerOperation).then(|| one.metric.clone());
        (cells.get(&one.cell.id()).copied(), rank(one), counter)
    });
}

/// The runs that measured something, oldest commit first.
fn in_order<'a>(runs: &'a [Run], commits: &[String]) -> Vec<(Origin, &'a Run)> {
    let by_name: BTreeMap<&str, usize> =
        commits.iter().enumerate().map(|(place, commit)| (commit.as_str(), place)).collect();
    let mut origins: Vec<(Origin, &Run)> =
        runs.iter().filter_map(|run| Some((Origin::of(run)?, run))).collect();
    origins.sort_by(|(left, _), (right, _)| left.started.cmp(&right.started));
    let mut place = None;
    let mut placed = Vec::with_capacity(origins.len());
    for (origin, run) in origins {
        let known = origin.commit.as_deref().and_then(|commit| by_name.get(commit).copied());
        // `None` comes first: a run before any that is known.
        place = known.or(place);
        placed.push((place, origin, run));
    }
    placed.sort_by_key(|(place, ..)| *place);
    placed.into_iter().map(|(_, origin, run)| (origin, run)).collect()
}

/// What a row says of one metric.
struct Figure {
    metric: String,
    unit: Unit,
    value: f64,
    interval: Option<[f64; 2]>,
}

/// What a row says, by metric; nothing where its numbers mean nothing.
fn figures(row: &Row) -> Vec<Figure> {
    let plain = |metric: &str, unit, value| {
        let (metric, interval) = (metric.to_owned(), None);
        Figure { metric, unit, value, interval }
    };
    let mut figures = Vec::new();
    figures.extend(row.interval().map(|found| Figure {
        interval: Some([found.low, found.high]),
        ..plain(RATIO, Unit::Ratio, found.estimate)
    }));
    let throughput = row.throughput.filter(|_| !row.flags.all_flagged);
    figures.extend(
        throughput.map(|found| {
            plain("throughput", Unit::OperationsPerSecond, found.operations_per_second)
        }),
    );
    let latency =
        row.latency.as_ref().filter(|found| !row.flags.overloaded && found.quantiles.count > 0);
    figures.extend(latency.map(|found| {
        let value = found.quantiles.p99_ns as f64;
        plain(&format!("{}_p99", found.event), Unit::Nanoseconds, value)
    }));
    // None is a number here: from some to none is a change.
    let saved = row.relocks_per_operation.map(|_| row.saved_per_operation.unwrap_or(0.0));
    let counters = [
        ("acquisitions_per_operation", row.acquisitions_per_operation),
        ("relocks_per_operation", row.relocks_per_operation),
        (SAVED, saved),
    ];
    for (name, value) in counters {
        figures.extend(value.map(|value| plain(name, Unit::PerOperation, value)));
    }
    figures
}
