//! The summary as plain text: a line for each cell, and what the checker says.
//!
//! The first table fits in 80 columns; [`wide`] has the rest. There are no colours, so that a table
//! reads the same in a file.

use crate::agreement::Disagreement;
use crate::cell::Cell;
use crate::outward::{self, Printed};
use crate::stats;
use crate::summary::{Flags, Row, Summary};
use crate::text::wrapped;
use crate::units::{percent, rate, time};

/// The width when nobody says: that of a file or a pipe.
pub const COLUMNS_DEFAULT: usize = 80;
/// What stands where there is no number.
pub(crate) const NONE: &str = "-";
/// What stands where numbers mean nothing.
pub(crate) const VOID: &str = "void";
/// What an interval is, and is not.
pub const INTERVALS: &str =
    "[low, high]: 95 % at least, rounded outward; of this run: another's may lie outside";
/// Where fewer calls than this share took no lock, the row shows another backend, too.
const FAST_SHARE_MIN: f64 = 0.95;
/// Before a ratio on which kept runs do not agree.
const MARK: &str = "* ";
/// Between columns.
const GAP: &str = "  ";
/// The second line of a note is indented by this.
const INDENT: &str = "    ";

/// The table, the notes and the last line, for a terminal or a file of so many columns.
#[must_use]
pub fn render(summary: &Summary, columns: usize) -> String {
    let mut text = String::new();
    for table in tables(&summary.rows) {
        text.push_str(&wrap(&table[0].cell.title(), columns));
        let mut lines = vec![header(&summary.reference)];
        lines.extend(table.iter().map(|row| cells(row, &summary.reference)));
        text.push_str(&lined_up(&lines, NAMES));
        for note in notes(&table, &summary.reference) {
            text.push_str(&wrap(&note, columns));
        }
        text.push('\n');
    }
    for line in closing(summary) {
        text.push_str(&wrap(&line, columns));
    }
    text
}

/// What the first table leaves out: latencies, counters, slices; wider than 80 columns where names
/// are long.
#[must_use]
pub fn wide(summary: &Summary) -> String {
    crate::wide::text(&tables(&summary.rows))
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

/// Rows that differ in workload, backend and threads alone, in the order of the first of each.
fn tables(rows: &[Row]) -> Vec<Vec<&Row>> {
    let is_alike = |one: &Row, other: &Row| one.cell.setting() == other.cell.setting();
    let mut tables: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        match tables.iter_mut().find(|table| is_alike(table[0], row)) {
            Some(table) => table.push(row),
            None => tables.push(vec![row]),
        }
    }
    tables
}

/// The columns that are names, and stand to the left.
pub(crate) const NAMES: usize = 2;

/// The columns that say which cell it is.
pub(crate) fn coordinates(row: &Row) -> Vec<String> {
    let Cell { workload, backend, threads, .. } = &row.cell;
    vec![workload.clone(), backend.clone(), threads.to_string()]
}

fn header(reference: &str) -> Vec<String> {
    let ratio = format!("ratio to {reference}");
    ["workload", "backend", "t", "op/s", &ratio, "p50", "p99"].map(str::to_owned).to_vec()
}

fn cells(row: &Row, reference: &str) -> Vec<String> {
    let mut cells = coordinates(row);
    cells.push(row.throughput.map_or(NONE.to_owned(), |found| rate(found.operations_per_second)));
    cells.push(match row.interval() {
        Some(ratio) => {
            let mark = if row.disagreement.is_some() { MARK } else { "" };
            mark.to_owned() + &outward::text(ratio.estimate, ratio.low, ratio.high)
        }
        None if row.cell.backend == reference => "1".to_owned(),
        None => NONE.to_owned(),
    });
    cells.extend(match &row.latency {
        None => [NONE; 2].map(str::to_owned),
        Some(_) if row.flags.overloaded => [VOID; 2].map(str::to_owned),
        Some(latency) => [latency.quantiles.p50_ns, latency.quantiles.p99_ns].map(time),
    });
    cells
}

/// Lines of columns as text, so many of them names.
pub(crate) fn lined_up(lines: &[Vec<String>], names: usize) -> String {
    let widths = widths(lines);
    lines.iter().map(|line| aligned(line, &widths, names) + "\n").collect()
}

/// The widest cell of each column.
pub(crate) fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let widest = |column: usize| lines.iter().map(|line| width(&line[column])).max().unwrap_or(0);
    (0..lines[0].len()).map(widest).collect()
}

/// One line of columns: names to the left, numbers to the right.
pub(crate) fn aligned(cells: &[String], widths: &[usize], names: usize) -> String {
    let mut line = String::new();
    for (index, (cell, room)) in cells.iter().zip(widths).enumerate() {
        let blank = " ".repeat(room - width(cell));
        let is_name = index < names;
        line.push_str(if index == 0 { "" } else { GAP });
        line.push_str(&if is_name { format!("{cell}{blank}") } else { format!("{blank}{cell}") });
    }
    line.trim_end().to_owned()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// What must be known of the rows: each thing once, with the rows it is true of.
fn notes(rows: &[&Row], reference: &str) -> Vec<String> {
    let every: [(&str, Told); 8] = [
        ("OVERLOADED (the rate was not kept up, percentiles are void)", |row| {
            row.flags.overloaded.then(String::new)
        }),
        ("rounds flagged (a thread was kept off its CPU; not in ratios)", |row| {
            let Flags { flagged_rounds, rounds, .. } = row.flags;
            (flagged_rounds > 0).then(|| format!("{flagged_rounds} of {rounds}"))
        }),
        ("op/s is over flagged rounds, there being no others", |row| {
            row.flags.all_flagged.then(String::new)
        }),
        ("threads UNPINNED", |row| row.flags.unpinned.then(String::new)),
        ("more threads than CPUs", |row| {
            (row.flags.oversubscribed && !row.flags.spinning).then(String::new)
        }),
        ("more threads than CPUs, and whoever waits for a lock SPINS", |row| {
            row.flags.spinning.then(String::new)
        }),
        ("some calls took locks all the same; those that took none", |row| {
            row.fast_path_share.filter(|share| *share < FAST_SHARE_MIN).map(percent)
        }),
        ("latencies over one minute, counted as one minute", |row| {
            (row.flags.lost_count > 0).then(|| row.flags.lost_count.to_string())
        }),
    ];
    let mut notes: Vec<String> = events(rows).into_iter().collect();
    notes.extend(lock_pair(rows));
    notes.extend(disagreeing(rows));
    notes.extend(no_ratio(rows, reference));
    notes.extend(busy(rows));
    notes.extend(every.into_iter().filter_map(|(text, told)| note(rows, text, told)));
    notes
}

/// What the latencies are of, where that is not a send.
fn events(rows: &[&Row]) -> Option<String> {
    let mut events: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let Some(latency) = &row.latency else { continue };
        let found = (latency.event, row.cell.workload.as_str());
        if !events.contains(&found) {
            events.push(found);
        }
    }
    let is_one = events.windows(2).all(|pair| pair[0].0 == pair[1].0);
    let name = |event: &str| event.replace('_', " ");
    match events.as_slice() {
        [] => None,
        [(event, _), ..] if is_one => Some(format!("p50, p99: of a {}", name(event))),
        _ => {
            let one = |(event, workload): &(&str, &str)| format!("{workload} a {}", name(event));
            Some(format!("p50, p99: of {}", events.iter().map(one).collect::<Vec<_>>().join(", ")))
        }
    }
}

/// What a lock costs, where its algorithm is not the default. The rows of a table have one.
fn lock_pair(rows: &[&Row]) -> Option<String> {
    let lock = rows.iter().map(|row| &row.cell.lock).find(|lock| !lock.is_empty())?;
    let pairs: Vec<f64> = rows.iter().filter_map(|row| row.lock_ns_per_pair).collect();
    let ns = stats::median(&pairs)?;
    Some(format!("{lock}: {ns:.1} ns for a lock and its unlock that nobody else wants, unchecked"))
}

/// What the mark before ratios is, if there is one, and what all runs together say.
fn disagreeing(rows: &[&Row]) -> Option<String> {
    let marked = || rows.iter().filter_map(|row| Some((row, row.disagreement?)));
    let most = marked().map(|(_, all)| all.runs).max()?;
    let told = |(row, all): (&&Row, Disagreement)| {
        let span = Printed::new(row.ratio.as_ref()?.ratio?, all.low, all.high).span();
        // Not every run has every cell.
        let fewer = if all.runs < most { &format!(" in {}", all.runs) } else { "" };
        Some(format!("{} {span}{fewer}", name(row)))
    };
    let told: Vec<String> = marked().filter_map(told).collect();
    Some(format!("{MARK}{most} kept runs of this program do not agree: {}", told.join(", ")))
}

/// Why rows have no ratio.
fn no_ratio(rows: &[&Row], reference: &str) -> Vec<String> {
    let others: Vec<&&Row> = rows
        .iter()
        .filter(|row| row.cell.backend != reference && row.interval().is_none())
        .collect();
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for row in others {
        let why = match &row.ratio {
            None => format!("{reference} was not measured"),
            Some(ratio) => ratio.why.clone().unwrap_or_else(|| "no interval of 95 %".to_owned()),
        };
        let name = name(row);
        match reasons.iter_mut().find(|(other, _)| *other == why) {
            Some((_, names)) => names.push(name),
            None => reasons.push((why, vec![name])),
        }
    }
    let text =
        |(why, names): &(String, Vec<String>)| format!("no ratio: {why}: {}", names.join(", "));
    reasons.iter().map(text).collect()
}

/// Rows with a ratio that has something to say besides: that the host was busy.
fn busy(rows: &[&Row]) -> Vec<String> {
    let told = |row: &&&Row| row.interval().and(row.ratio.as_ref()?.why.clone());
    let text = |row: &&Row| Some(format!("{}: {}", name(row), told(&row)?));
    rows.iter().filter_map(text).collect()
}

/// Whether something is true of a row, and what more there is to say of that row.
type Told = fn(&Row) -> Option<String>;

/// One note with the rows it is true of; `None` when it is true of none.
fn note(rows: &[&Row], text: &str, told: Told) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut details: Vec<String> = Vec::new();
    for row in rows {
        if let Some(detail) = told(row) {
            names.push(format!("{} {detail}", name(row)));
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

/// A row in a note.
pub(crate) fn name(row: &Row) -> String {
    let Cell { workload, backend, threads, .. } = &row.cell;
    format!("{workload} {backend} t{threads}")
}

fn closing(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if summary.rows.is_empty() {
        lines.push("nothing was measured".to_owned());
    }
    if summary.rows.iter().any(|row| row.interval().is_some()) {
        lines.push(INTERVALS.to_owned());
    }
    lines.extend(ledger(summary));
    if summary.commits.len() > 1 {
        lines.push(format!("measured by several builds: {}", summary.commits.join(", ")));
    }
    for id in &summary.interrupted {
        lines.push(format!("INTERRUPTED: run {id} ended before its plan was done"));
    }
    lines.push(verdict(summary));
    lines
}

/// What became of all slices; `None` where rounds are one slice each.
#[must_use]
pub fn ledger(summary: &Summary) -> Option<String> {
    let all = summary.slices()?;
    let share = |part: u32| {
        let measured = all.measured().max(1) as f64;
        format!("{part} ({:.0} %)", f64::from(part) / measured * 100.0)
    };
    let mut text = format!("slices: {} kept, {} repeated", all.kept, share(all.repeated));
    if all.given_up > 0 {
        text.push_str(&format!(", {} given up", share(all.given_up)));
    }
    let reasons: Vec<String> = all
        .causes()
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} because {why}"))
        .collect();
    if !reasons.is_empty() {
        text.push_str(&format!(": {}", reasons.join(", ")));
    }
    let told: u64 = all.causes().into_iter().map(|(count, _)| u64::from(count)).sum();
    if told > u64::from(all.repeated) + u64::from(all.given_up) {
        text.push_str(if reasons.len() == 2 { " (some for both)" } else { " (some for several)" });
    }
    Some(text)
}

/// A sentence in lines of so many columns, each but the first indented.
pub(crate) fn wrap(sentence: &str, columns: usize) -> String {
    wrapped(sentence, "", INDENT, columns)
}
