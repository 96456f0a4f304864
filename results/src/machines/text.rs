//! Machines side by side, as plain text.

use super::{Agreement, Line, Value};
use crate::collected::{Collected, Machine};
use crate::compared::Verdict;
use crate::outward::Printed;
use crate::record::Host;
use crate::table;
use crate::text::wrapped;

/// What a line that belongs to the one above begins with.
const INDENT: &str = "    ";
/// Between columns.
const GAP: usize = 2;
/// What it is worth that machines agree, or differ.
pub const LEGEND: &str = "machines differ where two intervals lie apart after all were widened, so \
                      that together they hold in 99 % of grids; that they agree says only that no \
                      difference shows. Each ratio is of one element on one node";

/// The machines, every ratio on each of them, and where they differ, for so many columns.
#[must_use]
pub fn render(collected: &Collected, lines: &[Line], columns: usize) -> String {
    let mut text = String::new();
    for machine in &collected.machines {
        text += &wrapped(&heading(machine), "", INDENT, columns);
    }
    for part in parts(lines) {
        text += &format!("\n{} {}\n", part[0].subject.metric, part[0].subject.against);
        text += &blocks(collected, &part, columns);
    }
    text.push('\n');
    for note in notes(collected, lines) {
        text += &wrapped(&note, "", INDENT, columns);
    }
    if lines.iter().any(|line| line.agreement != Agreement::Alone) {
        text += &wrapped(LEGEND, "", INDENT, columns);
    }
    text
}

/// A machine: its name, its nodes, what it is, and how much of it there is.
#[must_use]
pub fn heading(machine: &Machine) -> String {
    let Some(first) = machine.sets.first() else {
        return format!("{}: nothing yet", machine.name);
    };
    let nodes = machine.nodes();
    let nodes = if nodes == [machine.name.as_str()] {
        String::new()
    } else {
        format!(" ({})", nodes.join(", "))
    };
    let Host { cpu, cpus, topology, kernel, virtualised, .. } = &first.element.host;
    let guest = virtualised.as_ref().map_or(String::new(), |by| format!(", virtual ({by})"));
    let there = machine.runs().len();
    let all = there + machine.missing.len();
    let name = &machine.name;
    let what = format!("{cpu}, {cpus} CPUs allowed ({topology}){guest}, {kernel}");
    format!("{name}{nodes}: {what}; {there} of {all} elements")
}

/// Lines of one metric against one thing, in the order of the first of each.
fn parts(lines: &[Line]) -> Vec<Vec<&Line>> {
    let key = |line: &Line| (line.subject.metric.clone(), line.subject.against.clone());
    let mut parts: Vec<Vec<&Line>> = Vec::new();
    for line in lines {
        match parts.iter_mut().find(|part| key(part[0]) == key(line)) {
            Some(part) => part.push(line),
            None => parts.push(vec![line]),
        }
    }
    parts
}

/// A table for each group of machines that fits into the columns.
fn blocks(collected: &Collected, part: &[&Line], columns: usize) -> String {
    let names: Vec<&str> = collected.machines.iter().map(|one| one.name.as_str()).collect();
    let width = |machine: usize| {
        let cells = part.iter().map(|line| told(&line.values[machine]));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        GAP + widest.max(names[machine].chars().count())
    };
    let outer = |of: &dyn Fn(&Line) -> usize| part.iter().map(|line| of(line)).max().unwrap_or(0);
    let last = outer(&|line| word(line.agreement).chars().count()).max(last(&names).len());
    let rest = outer(&|line| line.subject.cell.chars().count()) + GAP + last;
    let (mut text, mut from) = (String::new(), 0);
    while from < names.len() {
        let (mut to, mut used) = (from + 1, rest + width(from));
        while to < names.len() && used + width(to) <= columns {
            used += width(to);
            to += 1;
        }
        text += &block(&names, part, from..to);
        from = to;
    }
    text
}

/// What the last column is called: whether machines agree. One alone has nothing there.
fn last(names: &[&str]) -> &'static str {
    if names.len() > 1 { "machines" } else { "" }
}

fn block(names: &[&str], part: &[&Line], machines: std::ops::Range<usize>) -> String {
    let own = names[machines.clone()].iter().map(|name| (*name).to_owned());
    let head = ["cell".to_owned()].into_iter().chain(own).chain([last(names).to_owned()]);
    let mut lines: Vec<Vec<String>> = vec![head.collect()];
    for line in part {
        let values = line.values[machines.clone()].iter().map(|values| told(values));
        let cell = [line.subject.cell.clone()].into_iter();
        lines.push(cell.chain(values).chain([word(line.agreement)]).collect());
    }
    table::lined_up(&lines, lines[0].len())
}

/// What a machine says, in a cell of a table: that of its first node, and how many more there are.
#[must_use]
pub fn told(values: &[Value]) -> String {
    let Some(first) = values.first() else { return String::new() };
    let verdict = first.verdict.map_or("", |verdict| match verdict {
        Verdict::Faster => " FASTER",
        Verdict::Slower => " SLOWER",
        Verdict::Same => " SAME",
        Verdict::Unclear => " UNCLEAR",
    });
    let more = if values.len() > 1 { &format!(" (+{})", values.len() - 1) } else { "" };
    format!("{}{verdict}{more}", first.text)
}

/// Whether machines agree, in a cell of a table.
#[must_use]
pub fn word(agreement: Agreement) -> String {
    match agreement {
        Agreement::Alone => String::new(),
        Agreement::Agree => "agree".to_owned(),
        Agreement::Differ(None) => "DIFFER".to_owned(),
        Agreement::Differ(Some(span)) | Agreement::Opposite(span) => {
            let middle = (span.low * span.high).sqrt();
            let word =
                if matches!(agreement, Agreement::Opposite(_)) { "OPPOSITE" } else { "DIFFER" };
            format!("{word}: {}", Printed::new(middle, span.low, span.high).span())
        }
    }
}

/// How many ratios machines differ on; and of those that say nothing, why.
#[must_use]
pub fn notes(collected: &Collected, lines: &[Line]) -> Vec<String> {
    let count = |is: &dyn Fn(Agreement) -> bool| lines.iter().filter(|l| is(l.agreement)).count();
    let asked = count(&|it| it != Agreement::Alone);
    let opposite = count(&|it| matches!(it, Agreement::Opposite(_)));
    let differ = opposite + count(&|it| matches!(it, Agreement::Differ(_)));
    let mut notes = Vec::new();
    if asked > 0 {
        let mut note = format!("machines differ on {differ} of {asked} figures");
        if opposite > 0 {
            note += &format!(", and on {opposite} of these not even in direction");
        }
        notes.push(note);
    }
    notes.extend(reasons(collected, lines));
    notes
}

/// Each reason once, with the cells and machines it is true of.
fn reasons(collected: &Collected, lines: &[Line]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for line in lines {
        for (machine, value) in collected.machines.iter().zip(&line.values) {
            for why in value.iter().filter_map(|value| value.why.as_deref()) {
                let what = format!("{} on {}", line.subject.cell, machine.name);
                match reasons.iter_mut().find(|(other, _)| *other == why) {
                    Some((_, all)) if all.contains(&what) => {}
                    Some((_, all)) => all.push(what),
                    None => reasons.push((why, vec![what])),
                }
            }
        }
    }
    reasons.iter().map(|(why, of)| format!("{why}: {}", of.join(", "))).collect()
}
