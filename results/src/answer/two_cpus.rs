//! What the first two CPUs were to each other from launch to launch, and the ratios that clearly
//! hung on it.
//!
//! It was looked at before each launch, so that no launch is told apart by what it measured. A
//! ratio is said to hang on it where the launches of either kind are enough for an interval each,
//! and these lie apart; of the others nothing is said, neither that they do nor that they do not.

use std::collections::{BTreeMap, BTreeSet};

use super::open;
use super::points::Point;
use super::questions;
use crate::cell::Cell;
use crate::outward;
use crate::ratio::Answer;
use crate::record::{Measure, Measured, TwoCpus};
use crate::run::Run;
use crate::stats::{self, Interval};

/// The level of intervals that must lie apart: by chance two do so in fewer than one of 1,000
/// cells.
const LEVEL: f64 = 0.99;
/// Near and far are told apart where the longest way of a line is so many times the shortest.
const FAR: f64 = 1.5;

/// A launch: the run, its group of cells, its round.
type Launch = (usize, String, u32);

/// A sentence about the CPUs, if they were looked at, and one for each ratio that hung on them.
pub(super) fn answers(runs: &[Run], points: &[Point]) -> Vec<Answer> {
    let groups: BTreeSet<String> = points.iter().map(|point| group(&point.row.cell)).collect();
    let launches = launches(runs, |cell| groups.contains(&group(cell)));
    if launches.is_empty() {
        return Vec::new();
    }
    let looks: Vec<&TwoCpus> = launches.values().copied().collect();
    let is_of = |cell: &Cell| launches.keys().any(|(_, of, _)| *of == group(cell));
    let told: Vec<&Cell> =
        points.iter().map(|point| &point.row.cell).filter(|cell| is_of(cell)).collect();
    let mut answers = vec![answer(what_they_were(&looks), &told)];
    for point in points.iter().filter(|point| point.spoiled.is_none()) {
        for split in Split::all(&looks) {
            let text = apart(runs, point, split);
            answers.extend(text.map(|text| answer(text, &[&point.row.cell])));
        }
    }
    answers
}

/// That the CPUs were not the same to each other in all launches of some cells, if so.
pub(super) fn changes(runs: &[Run], is_one: impl Fn(&Cell) -> bool) -> Option<String> {
    let launches = launches(runs, is_one);
    let looks: Vec<&TwoCpus> = launches.values().copied().collect();
    let as_one = looks.iter().filter(|two| two.are_as_one_core()).count();
    let is_split = |split: &Split| match split {
        Split::Core => as_one > 0 && as_one < looks.len(),
        Split::Line(_) => true,
    };
    let text = |split: Split| match split {
        Split::Core => {
            let all = looks.len();
            format!("the two CPUs worked as one core does in {as_one} of {all} launches")
        }
        // How long it took stands in the sentence about the CPUs.
        Split::Line(_) => {
            "a cache line's way between two cores was longer in some launches".to_owned()
        }
    };
    let told: Vec<String> = Split::all(&looks).into_iter().filter(is_split).map(text).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// What the first two CPUs were before each launch of some cells.
fn launches(runs: &[Run], is_one: impl Fn(&Cell) -> bool) -> BTreeMap<Launch, &TwoCpus> {
    let mut launches = BTreeMap::new();
    for (run, line) in lines(runs).filter(|(_, line)| is_one(&line.cell)) {
        if let Some(two) = &line.two_cpus {
            launches.insert((run, group(&line.cell), line.round), two);
        }
    }
    launches
}

fn answer(sentence: String, cells: &[&Cell]) -> Answer {
    Answer {
        question: questions::TWO_CPUS.to_owned(),
        sentence,
        cells: cells.iter().map(|cell| cell.id()).collect(),
        ..Answer::default()
    }
}

fn lines(runs: &[Run]) -> impl Iterator<Item = (usize, &Measured)> {
    runs.iter().enumerate().flat_map(|(place, run)| run.measured().map(move |line| (place, line)))
}

/// What the cells of a launch have in common.
fn group(cell: &Cell) -> String {
    cell.group().id()
}

fn what_they_were(looks: &[&TwoCpus]) -> String {
    let (all, as_one) = (looks.len(), looks.iter().filter(|two| two.are_as_one_core()).count());
    let launches = if all == 1 { "the one launch".to_owned() } else { format!("{all} launches") };
    let mut text = match as_one {
        0 => format!("they worked as two cores do in {launches}"),
        _ if as_one == all => format!("they worked as one core does in {launches}"),
        _ => format!("they worked as one core does in {as_one} of {launches}"),
    };
    if let Some(way) = way(looks.iter().copied()) {
        text.push_str(&format!("; {way}"));
    }
    text
}

/// How long a line was under way in these launches.
fn way<'a>(looks: impl Iterator<Item = &'a TwoCpus>) -> Option<String> {
    let [shortest, longest] = extremes(looks)?;
    let (low, high) = (shortest.floor(), longest.ceil());
    Some(format!("a cache line went over and back in {low:.0} to {high:.0} ns"))
}

/// The shortest and the longest way of a line.
fn extremes<'a>(looks: impl Iterator<Item = &'a TwoCpus>) -> Option<[f64; 2]> {
    let ways: Vec<f64> = looks.filter_map(|two| two.line_round_trip_ns).collect();
    Some([stats::quantile(&ways, 0.0)?, stats::quantile(&ways, 1.0)?])
}

/// What tells two kinds of launches apart.
#[derive(Clone, Copy, Debug)]
enum Split {
    /// Whether they worked as one core does.
    Core,
    /// Where they worked as two: near and far, by this way of a line in nanoseconds.
    Line(f64),
}

impl Split {
    /// Those that there are among these launches.
    fn all(looks: &[&TwoCpus]) -> Vec<Split> {
        let apart = looks.iter().copied().filter(|two| !two.are_as_one_core());
        let far = extremes(apart).filter(|[shortest, longest]| *longest >= FAR * shortest);
        let middle = far.map(|[shortest, longest]| (shortest * longest).sqrt());
        [Some(Split::Core), middle.map(Split::Line)].into_iter().flatten().collect()
    }

    /// Of which kind a launch is; it may be of none.
    fn kind(self, two: &TwoCpus) -> Option<usize> {
        match self {
            Split::Core => Some(usize::from(two.are_as_one_core())),
            Split::Line(_) if two.are_as_one_core() => None,
            Split::Line(middle) => Some(usize::from(two.line_round_trip_ns? > middle)),
        }
    }

    fn names(self) -> [String; 2] {
        match self {
            Split::Core => ["where they worked as two cores", "where as one"].map(str::to_owned),
            Split::Line(middle) => [
                format!("where a cache line took up to {middle:.0} ns"),
                "where it took longer".to_owned(),
            ],
        }
    }
}

/// What a ratio was in launches of either kind, if it clearly differed.
fn apart(runs: &[Run], point: &Point, split: Split) -> Option<String> {
    let ratio = point.row.ratio.as_ref()?;
    let mut kinds: [Vec<(f64, f64)>; 2] = Default::default();
    let rates = [&point.row.cell.id(), &ratio.against].map(|cell| rates(runs, cell));
    for (launch, (rate, two)) in &rates[0] {
        if let (Some((other, _)), Some(kind)) = (rates[1].get(launch), split.kind(two)) {
            kinds[kind].push((*rate, *other));
        }
    }
    let found = |pairs: &Vec<(f64, f64)>| {
        stats::paired_ratio(pairs, LEVEL).filter(|interval| interval.level_reached)
    };
    let [one, other] = [found(&kinds[0])?, found(&kinds[1])?];
    let names = split.names();
    let text = |kind: usize, interval: &Interval| {
        let Interval { estimate, low, high, .. } = *interval;
        let (name, count) = (&names[kind], kinds[kind].len());
        format!("{} {name} ({count} launches)", outward::text(estimate, low, high))
    };
    (one.high < other.low || other.high < one.low)
        .then(|| format!("{}: {}, {}", open::pair(&[point.row]), text(0, &one), text(1, &other)))
}

/// What a cell reached in each launch that was not flagged, and what the CPUs were in it.
fn rates<'a>(runs: &'a [Run], cell: &str) -> BTreeMap<(usize, u32), (f64, &'a TwoCpus)> {
    let counts = |line: &Measured| {
        line.cell_id == cell && line.measure == Measure::Throughput && !line.host_noise.flagged
    };
    let rate = |(run, line): (usize, &'a Measured)| {
        let two = line.two_cpus.as_ref().filter(|_| counts(line))?;
        Some(((run, line.round), (line.operations_per_second, two)))
    };
    lines(runs).filter_map(rate).collect()
}
