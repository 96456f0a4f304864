//! The summary as plain text: one table per workload, and what the checker says.
//!
//! A row is one line where there is room, and two in 80 columns. There are no colours, so that a
//! table reads the same in a file.

use crate::cell::Cell;
use crate::stats::Interval;
use crate::summary::{Flags, Row, Summary};
use crate::text::wrapped;
use crate::units::{digits, percent, rate, time};

/// The width when nobody says: that of a file or a pipe.
pub const COLUMNS_DEFAULT: usize = 80;
/// What stands where there is no number.
pub(crate) const NONE: &str = "-";
/// Between columns.
const GAP: &str = "  ";
/// The second line of a row, and of a note, is indented by this.
const INDENT: &str = "    ";

/// The tables, the notes and the last line, for a terminal or a file of so many columns.
#[must_use]
pub fn render(summary: &Summary, columns: usize) -> String {
    let mut text = String::new();
    let mut rows = summary.rows.as_slice();
    while let Some(first) = rows.first() {
        let length = rows.iter().take_while(|row| same_table(row, first)).count();
        let (table, rest) = rows.split_at(length);
        text.push_str(&title(&first.cell));
        text.push('\n');
        text.push_str(&table_of(table, &summary.reference, columns));
        if let Some(lines) = by_address(table) {
            text.push_str(&lines);
        }
        for note in notes(table) {
            text.push_str(&wrap(&note, columns));
        }
        text.push('\n');
        rows = rest;
    }
    for line in closing(summary) {
        text.push_str(&wrap(&line, columns));
    }
    text
}

/// The last line: what the checker costs, and whether it found anything.
#[must_use]
pub fn verdict(summary: &Summary) -> String {
    let cost = summary.checker.map_or(String::new(), |checker| {
        let share = checker.share_of_pair * 100.0;
        format!(" {:.1} ns per lock pair ({share:.0} %),", checker.ns_per_pair)
    });
    match (summary.findings.first(), summary.faults) {
        (None, 0) => format!("checker on,{cost} nothing leaked"),
        (None, faults) => format!("checker on,{cost} FOUND: {faults} faults in measured rounds"),
        (Some(finding), _) => format!(
            "checker on,{cost} FOUND: {} ({}) at {}, in {}, backend {}, thread {}",
            finding.check,
            finding.count,
            finding.at,
            finding.operation,
            finding.backend,
            finding.thread
        ),
    }
}

fn same_table(left: &Row, right: &Row) -> bool {
    let blank = |row: &Row| Cell { backend: String::new(), threads: 0, ..row.cell.clone() };
    blank(left) == blank(right)
}

fn title(cell: &Cell) -> String {
    let Cell { workload, socket_type, message_bytes, wait, .. } = cell;
    let mut title = format!("{workload}: {socket_type}, {message_bytes} B, {wait}");
    if let Some(rate) = cell.rate_asked {
        title.push_str(&format!(", {rate} per second and thread"));
    }
    if let (Some(groups), Some(fan)) = (cell.groups, cell.fan) {
        title.push_str(&format!(", {groups} groups of {fan} + {fan}"));
    }
    title
}

/// The columns of a row's first line.
const FIRST: usize = 8;

fn table_of(rows: &[Row], reference: &str, columns: usize) -> String {
    let event =
        rows.iter().find_map(|row| row.latency.as_ref()).map_or("send", |found| found.event);
    let mut lines = vec![header(event, reference)];
    lines.extend(rows.iter().map(cells));
    let widths = widths(&lines);
    let one_line = widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1) <= columns;
    let mut text = String::new();
    for line in &lines {
        let (first, second) = line.split_at(FIRST);
        text.push_str(&aligned(first, &widths[..FIRST], true));
        text.push_str(if one_line { GAP } else { "\n" });
        if !one_line {
            text.push_str(INDENT);
        }
        text.push_str(&aligned(second, &widths[FIRST..], false));
        text.push('\n');
    }
    text
}

fn header(event: &str, reference: &str) -> Vec<String> {
    let first = ["backend", "t", "op/s", "spread"].map(str::to_owned);
    let latency = [format!("{event} p50"), "p99".into(), "p99.9".into(), "max".into()];
    let second = ["locks/op", "relocks", "contended", "fast path", "Jain"].map(str::to_owned);
    let ratio = [format!("ratio to {reference}"), "level".to_owned()];
    [first.as_slice(), &latency, &second, &ratio].concat()
}

fn cells(row: &Row) -> Vec<String> {
    let number = |value: Option<f64>, show: fn(f64) -> String| value.map_or(NONE.to_owned(), show);
    let mut cells = vec![row.cell.backend.clone(), row.cell.threads.to_string()];
    cells.push(number(row.throughput.map(|found| found.operations_per_second), rate));
    let spread = |share: f64| format!("±{}", percent(share));
    cells.push(number(row.throughput.map(|found| found.half_range_share), spread));
    cells.extend(latency_cells(row));
    cells.push(number(row.acquisitions_per_operation, digits));
    cells.push(number(row.relocks_per_operation, digits));
    cells.push(number(row.contended_share, percent));
    cells.push(number(row.fast_path_share, percent));
    cells.push(number(row.fairness_jain, |index| format!("{index:.3}")));
    cells.push(row.ratio.map_or(NONE.to_owned(), ratio_text));
    cells.push(row.ratio.map_or(NONE.to_owned(), |ratio| percent_rounded(ratio.level)));
    cells
}

fn latency_cells(row: &Row) -> [String; 4] {
    match &row.latency {
        None => [NONE; 4].map(str::to_owned),
        Some(_) if row.flags.overloaded => ["void"; 4].map(str::to_owned),
        Some(latency) => {
            let found = &latency.quantiles;
            [found.p50_ns, found.p99_ns, found.p999_ns, found.max_ns].map(time)
        }
    }
}

fn ratio_text(ratio: Interval) -> String {
    format!("{} [{}, {}]", digits(ratio.estimate), digits(ratio.low), digits(ratio.high))
}

fn percent_rounded(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// The widest cell of each column.
pub(crate) fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let widest = |column: usize| lines.iter().map(|line| width(&line[column])).max().unwrap_or(0);
    (0..lines[0].len()).map(widest).collect()
}

/// One line of columns, to the right; the first to the left if it is a name.
pub(crate) fn aligned(cells: &[String], widths: &[usize], named: bool) -> String {
    let mut line = String::new();
    for (index, (cell, room)) in cells.iter().zip(widths).enumerate() {
        let blank = " ".repeat(room - width(cell));
        let is_name = named && index == 0;
        line.push_str(if index == 0 { "" } else { GAP });
        line.push_str(&if is_name { format!("{cell}{blank}") } else { format!("{blank}{cell}") });
    }
    line
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The send's two sides apart, for the rows that have them: the order of the locks differs.
fn by_address(rows: &[Row]) -> Option<String> {
    let header =
        ["send by address", "t", "lower p50", "p99", "p99.9", "higher p50", "p99", "p99.9"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    for row in rows {
        if let Some([lower, higher]) = &row.send_by_address {
            let quantiles = [lower, higher].map(|side| [side.p50_ns, side.p99_ns, side.p999_ns]);
            let mut line = vec![row.cell.backend.clone(), row.cell.threads.to_string()];
            line.extend(quantiles.concat().into_iter().map(time));
            lines.push(line);
        }
    }
    (lines.len() > 1).then(|| {
        let widths = widths(&lines);
        lines.iter().map(|line| aligned(line, &widths, true) + "\n").collect()
    })
}

/// What must be known of the rows: each thing once, with the rows it is true of.
fn notes(rows: &[Row]) -> Vec<String> {
    let every: [(&str, Told); 7] = [
        ("OVERLOADED (the rate was not kept up, percentiles are void)", |flags| {
            flags.overloaded.then(String::new)
        }),
        ("rounds flagged (a thread was kept off its CPU; not in ratios)", |flags| {
            let Flags { flagged_rounds, rounds, .. } = flags;
            (*flagged_rounds > 0).then(|| format!("{flagged_rounds} of {rounds}"))
        }),
        ("op/s is over flagged rounds, there being no others", |flags| {
            flags.all_flagged.then(String::new)
        }),
        ("threads UNPINNED", |flags| flags.unpinned.then(String::new)),
        ("more threads than CPUs", |flags| flags.oversubscribed.then(String::new)),
        ("quantised: p50 is under 10 steps of the clock", |flags| {
            flags.quantised.then(String::new)
        }),
        ("latencies over one minute, counted as one minute", |flags| {
            (flags.lost_count > 0).then(|| flags.lost_count.to_string())
        }),
    ];
    every.into_iter().filter_map(|(text, told)| note(rows, text, told)).collect()
}

/// Whether something is true of a row, and what more there is to say of that row.
type Told = fn(&Flags) -> Option<String>;

/// One note with the rows it is true of; `None` when it is true of none.
fn note(rows: &[Row], text: &str, told: Told) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut details: Vec<String> = Vec::new();
    for row in rows {
        if let Some(detail) = told(&row.flags) {
            names.push(format!("{} t{} {detail}", row.cell.backend, row.cell.threads));
            details.push(detail);
        }
    }
    let all = names.len() == rows.len() && details.windows(2).all(|pair| pair[0] == pair[1]);
    if all && names.len() > 1 {
        return Some(format!("{text}: all {}", details[0]).trim_end().to_owned());
    }
    let names: Vec<&str> = names.iter().map(|name| name.trim_end()).collect();
    (!names.is_empty()).then(|| format!("{text}: {}", names.join(", ")))
}

fn closing(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if summary.rows.is_empty() {
        lines.push("nothing was measured".to_owned());
    }
    if summary.rows.iter().any(|row| row.ratio.is_some_and(|ratio| !ratio.level_reached)) {
        lines.push(
            "ratios are paired by round; few rounds give their widest interval, which has the \
             level shown (95 % needs 6 rounds)"
                .to_owned(),
        );
    }
    if summary.commits.len() > 1 {
        lines.push(format!("measured by several builds: {}", summary.commits.join(", ")));
    }
    for id in &summary.interrupted {
        lines.push(format!("INTERRUPTED: run {id} ended before its plan was done"));
    }
    lines.push(verdict(summary));
    lines
}

/// A sentence in lines of so many columns, each but the first indented.
pub(crate) fn wrap(sentence: &str, columns: usize) -> String {
    wrapped(sentence, "", INDENT, columns)
}
