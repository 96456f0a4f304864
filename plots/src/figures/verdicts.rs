//! Figure 6: what a comparison says, an interval for each cell and metric.

use results::{Compared, Run, Verdict};

use crate::axis::Axis;
use crate::error::PlotError;
use crate::figure::{Content, Figure, IntervalRow, Key, Panel};
use crate::input::Input;
use crate::style;
use crate::table::{Entry, Table};
use crate::unit::Unit;

const COLUMNS: [&str; 14] = [
    "cell",
    "metric",
    "verdict",
    "ratio",
    "low",
    "high",
    "pairs",
    "first",
    "second",
    "same code",
    "smallest visible",
    "A/A low",
    "A/A high",
    "why",
];
const VERDICTS: [Verdict; 4] = [Verdict::Faster, Verdict::Slower, Verdict::Same, Verdict::Unclear];
/// The most rows of a panel.
const ROWS_MAX: usize = 24;

/// Intervals and verdicts.
///
/// # Errors
/// None.
pub(super) fn figure(input: &Input) -> Result<Figure, PlotError> {
    let mut figure = Figure {
        id: "verdicts",
        title: "What the comparison says",
        about: "The second side as a ratio to the first, with its interval; the grey band is the \
                first side against itself. More is faster for throughput, and slower for times."
            .to_owned(),
        columns: 1,
        table: Table::new(&COLUMNS),
        ..Figure::default()
    };
    let compared: Vec<&Compared> = input.runs.iter().flat_map(Run::compared).collect();
    if compared.is_empty() {
        return Ok(figure.missing("the runs hold no comparison; the command `compare` makes one"));
    }
    let found = |verdict: &Verdict| compared.iter().any(|line| line.verdict == *verdict);
    figure.legend = VERDICTS.into_iter().filter(found).map(key).collect();
    let drawn: Vec<&Compared> =
        compared.iter().copied().filter(|line| line.ratio.is_some()).collect();
    figure.panels = drawn.chunks(ROWS_MAX).map(panel).collect();
    if drawn.len() < compared.len() {
        let left = compared.len() - drawn.len();
        figure.notes.push(format!("{left} lines have no ratio, and stand in the table only"));
    }
    figure.table.rows = compared.into_iter().map(entries).collect();
    Ok(figure)
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "FASTER",
        Verdict::Slower => "SLOWER",
        Verdict::Same => "SAME",
        Verdict::Unclear => "UNCLEAR",
    }
}

fn key(verdict: Verdict) -> Key {
    Key { name: name(verdict).to_owned(), style: style::verdict(verdict) }
}

fn panel(lines: &[&Compared]) -> Panel {
    let rows: Vec<IntervalRow> = lines.iter().rev().filter_map(|line| row(line)).collect();
    let ends = |row: &IntervalRow| {
        let itself = row.itself.map_or([None, None], |(low, high)| [Some(low), Some(high)]);
        [[Some(row.ratio), row.low], [row.high, None], itself].concat()
    };
    let values: Vec<f64> = rows.iter().flat_map(ends).flatten().collect();
    let sides = lines
        .first()
        .map_or(String::new(), |line| format!("{} against {}", line.second.name, line.first.name));
    Panel {
        title: sides,
        x: Axis::log("ratio, second to first", Unit::Ratio, &values),
        y: Axis::names("", rows.iter().map(|row| row.label.clone()).collect()),
        content: Content::Intervals { rows },
    }
}

fn row(line: &Compared) -> Option<IntervalRow> {
    let smallest = line.smallest_visible.map(|share| {
        format!("; the smallest change that could be seen: {}", Unit::Share.text(share))
    });
    let same = if line.same_code == Some(true) { "; same code" } else { "" };
    let why = line.why.as_ref().map_or(String::new(), |why| format!("; {why}"));
    Some(IntervalRow {
        name: name(line.verdict).to_owned(),
        label: format!("{} {}", line.cell, line.metric),
        style: style::verdict(line.verdict),
        ratio: line.ratio?,
        low: line.low,
        high: line.high,
        itself: line.itself.as_ref().map(|itself| (itself.low, itself.high)),
        note: format!("{} pairs{same}{}{why}", line.pairs, smallest.unwrap_or_default()),
    })
}

fn entries(line: &Compared) -> Vec<Entry> {
    let same = line.same_code.map_or(Entry::None, |same| if same { "yes" } else { "no" }.into());
    vec![
        line.cell.clone().into(),
        line.metric.clone().into(),
        name(line.verdict).into(),
        Entry::number(line.ratio, Unit::Ratio),
        Entry::number(line.low, Unit::Ratio),
        Entry::number(line.high, Unit::Ratio),
        Entry::count(u64::from(line.pairs)),
        line.first.name.clone().into(),
        line.second.name.clone().into(),
        same,
        Entry::number(line.smallest_visible, Unit::Share),
        Entry::number(line.itself.as_ref().map(|itself| itself.low), Unit::Ratio),
        Entry::number(line.itself.as_ref().map(|itself| itself.high), Unit::Ratio),
        line.why.clone().unwrap_or_default().into(),
    ]
}
