//! Several machines side by side: each ratio of a grid on each of them, and whether they agree.
//!
//! A ratio is of one element, and so of one node and one hour: no two machines are ever in one.
//! Whether machines agree is asked as of several runs of one program (`crate::agreement`): each
//! interval is widened to the level at which all that are looked at hold together in 99 % of grids,
//! and where two of these lie apart the machines differ.

#[cfg(test)]
mod tests;
mod text;

use crate::agreement::{self, Disagreement};
use crate::collected::{Collected, Set};
use crate::compared::{Compared, Verdict};
use crate::error::StoreError;
use crate::outward;
use crate::ratio::{Ratio, THROUGHPUT};
use crate::run::Run;
use crate::summary::{LEVEL, Summary, reference, summarise};
use crate::verdict::Rule;

pub use text::{LEGEND, heading, notes, render, told, word};

/// What is told from the others by its cell, by what it is held against and by its metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// [`crate::Cell::id`] of the cell.
    pub cell: String,
    /// What the ratio is to, such as `to global`, or `HEAD to v1`.
    pub against: String,
    /// `throughput`, a percentile, or a counter.
    pub metric: String,
}

/// What one set says.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The node.
    pub node: String,
    /// The ratio and its interval; of a counter, its numbers.
    pub text: String,
    /// The verdict of a comparison.
    pub verdict: Option<Verdict>,
    /// Why there is no interval, or why it may not be used; or that the host was busy.
    pub why: Option<String>,
    /// The ratio, where it may be held against others.
    pub ratio: Option<Ratio>,
}

/// Whether machines agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Agreement {
    /// Fewer than two say anything.
    Alone,
    /// No difference shows, which is not to say that there is none.
    Agree,
    /// They differ; of counters there is no span.
    Differ(Option<Disagreement>),
    /// They differ, and not even on which is faster do they agree.
    Opposite(Disagreement),
}

/// A ratio on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Of what.
    pub subject: Subject,
    /// By machine, in their order; of each, by node.
    pub values: Vec<Vec<Value>>,
    /// Whether they agree.
    pub agreement: Agreement,
}

/// Every ratio of a grid, in the order of its elements.
///
/// # Errors
/// A histogram of a set is damaged.
pub fn lines(collected: &Collected, usual: &str) -> Result<Vec<Line>, StoreError> {
    let machines = collected.machines.len();
    let mut lines: Vec<Line> = Vec::new();
    for (place, machine) in collected.machines.iter().enumerate() {
        for set in &machine.sets {
            for (subject, value) in values(set, usual)? {
                let known = lines.iter().position(|line| line.subject == subject);
                let at = known.unwrap_or_else(|| {
                    let values = vec![Vec::new(); machines];
                    lines.push(Line { subject, values, agreement: Agreement::Alone });
                    lines.len() - 1
                });
                lines[at].values[place].push(value);
            }
        }
    }
    // Where there is but one there is nothing to agree with.
    let counts = lines.iter().map(|line| line.ratios().len()).filter(|count| *count > 1);
    let intervals = counts.sum();
    lines.iter_mut().for_each(|line| line.agreement = line.agree(intervals));
    Ok(lines)
}

impl Line {
    fn ratios(&self) -> Vec<&Ratio> {
        self.values.iter().flatten().filter_map(|value| value.ratio.as_ref()).collect()
    }

    fn agree(&self, intervals: usize) -> Agreement {
        let ratios = self.ratios();
        if let [first, others @ ..] = ratios.as_slice()
            && !others.is_empty()
        {
            let is_below = |ratio: &&Ratio| ratio.high.is_some_and(|high| high < 1.0);
            let is_above = |ratio: &&Ratio| ratio.low.is_some_and(|low| low > 1.0);
            let opposite = ratios.iter().any(is_below) && ratios.iter().any(is_above);
            return match agreement::disagreement(first, others, intervals) {
                None => Agreement::Agree,
                Some(found) if opposite => Agreement::Opposite(found),
                Some(found) => Agreement::Differ(Some(found)),
            };
        }
        self.agree_on_numbers()
    }

    /// Counters are numbers without intervals: they are equal, or not.
    fn agree_on_numbers(&self) -> Agreement {
        let is_counter = |value: &&Value| value.verdict.is_some() && value.why.is_none();
        let mut numbers = self.values.iter().flatten().filter(is_counter).map(|value| &value.text);
        let (Some(first), true) = (numbers.next(), self.ratios().is_empty()) else {
            return Agreement::Alone;
        };
        match numbers.map(|other| other == first).reduce(|all, one| all && one) {
            None => Agreement::Alone,
            Some(true) => Agreement::Agree,
            Some(false) => Agreement::Differ(None),
        }
    }
}

/// All that a set says.
fn values(set: &Set, usual: &str) -> Result<Vec<(Subject, Value)>, StoreError> {
    let node = &set.element.origin.node;
    let compared = set.run.compared().map(|line| of_compared(line, node));
    let mut values: Vec<(Subject, Value)> = compared.collect();
    if set.run.measured().next().is_some() {
        let runs = std::slice::from_ref(&set.run);
        let summary = summarise(runs, &reference(runs, usual))?;
        values.extend(of_summary(&summary, node));
    }
    Ok(values)
}

fn of_summary(summary: &Summary, node: &str) -> Vec<(Subject, Value)> {
    let value = |row: &crate::summary::Row| {
        let ratio = row.ratio.as_ref()?;
        let spoiled = summary.spoiled(row).map(|spoiled| spoiled.words().to_owned());
        let interval = row.interval();
        let text = interval.map_or_else(none, |it| outward::text(it.estimate, it.low, it.high));
        let missing = || "no interval of 95 %".to_owned();
        let absent = interval.is_none().then(missing);
        let value = Value {
            node: node.to_owned(),
            text,
            verdict: None,
            ratio: (interval.is_some() && spoiled.is_none() && ratio.level >= LEVEL)
                .then(|| ratio.clone()),
            why: spoiled.or_else(|| ratio.why.clone()).or(absent),
        };
        let against = format!("to {}", summary.reference);
        let metric = THROUGHPUT.to_owned();
        Some((Subject { cell: row.cell.id(), against, metric }, value))
    };
    summary.rows.iter().filter_map(value).collect()
}

fn of_compared(line: &Compared, node: &str) -> (Subject, Value) {
    let against = format!("{} to {}", line.second.name, line.first.name);
    let subject = Subject { cell: line.cell.clone(), against, metric: line.metric.clone() };
    let numbers = [line.first.value, line.second.value].map(|number| number.unwrap_or(0.0));
    let text = match (line.ratio, line.low, line.high) {
        (Some(ratio), Some(low), Some(high)) => outward::text(ratio, low, high),
        _ if line.pairs == 0 => none(),
        _ if numbers[0] == numbers[1] => format!("{:.3}", numbers[0]),
        _ => format!("{:.3} -> {:.3}", numbers[0], numbers[1]),
    };
    let value = Value {
        node: node.to_owned(),
        text,
        verdict: Some(line.verdict),
        why: line.why.clone(),
        ratio: (line.low.is_some() && line.why.is_none()).then(|| of_pairs(line)),
    };
    (subject, value)
}

/// A comparison's ratio. Its interval has the level of a comparison that stands alone, or more:
/// then it is widened by more than it need be.
fn of_pairs(line: &Compared) -> Ratio {
    let Compared { cell, ratio, low, high, pairs, .. } = line;
    let level = Rule::default().level_per_look;
    let (ratio, low, high) = (*ratio, *low, *high);
    Ratio { cell: cell.clone(), ratio, low, high, level, pairs: *pairs, ..Ratio::default() }
}

/// What stands where there is no number.
fn none() -> String {
    crate::table::NONE.to_owned()
}

/// The runs of a machine that were measured, for its own table and answer; not its comparisons.
#[must_use]
pub fn measured(runs: &[Run]) -> Vec<Run> {
    runs.iter().filter(|run| run.measured().next().is_some()).cloned().collect()
}
