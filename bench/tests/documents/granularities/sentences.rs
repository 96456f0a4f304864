//! Sentences, made by rule: which backend is the fastest of a group, and one against another.

use results::answer::{Weight, tied};
use results::outward::Printed;
use results::text::wrapped;
use results::units;

use super::recorded::{Costs, Group, Held, Recorded};

/// The width of a line of the text.
const COLUMNS: usize = 100;
/// Fewer for each operation are not told.
const COUNT_MIN: f64 = 0.005;
/// Two counts that differ by a smaller share of the larger are one.
const COUNT_APART: f64 = 0.01;

/// A sentence as an item of a list.
pub(crate) fn item(sentence: &str) -> String {
    let lines = wrapped(&tied(sentence), "* ", "  ", COLUMNS);
    lines.replace('\u{a0}', " ")
}

/// One backend of a group against another: what the interval allows, and what was counted.
pub(crate) fn compared(recorded: &Recorded, group: &Group, backend: &str, against: &str) -> String {
    let told = match recorded.held(group, backend, against) {
        Held::Told(printed, weight) => verdict(&printed, weight),
        Held::Untold(why) => format!("not told ({why})"),
    };
    let busy = if recorded.was_busy(group, backend) { ", the host was busy" } else { "" };
    let costs = [backend, against].map(|name| recorded.costs(group, name));
    let [Some(own), Some(other)] = costs else {
        return format!("{} against `{against}`: {told}{busy}.", group.cell(backend));
    };
    let counted = counted(&own, &other, group.operation());
    format!("{} against `{against}`: {told}{busy}; {counted}.", group.cell(backend))
}

/// What is said of a ratio.
fn verdict(printed: &Printed, weight: Weight) -> String {
    let numbers = times(printed);
    match weight {
        Weight::More => format!("faster, {numbers}"),
        Weight::Less => format!("slower, {numbers}"),
        Weight::Same(percent) => format!("no difference within {percent} %, {numbers}"),
        Weight::Open => format!("not told, {numbers}"),
    }
}

/// Such as `2.42 x [2.36, 2.79]`.
pub(crate) fn times(printed: &Printed) -> String {
    format!("{} x {}", printed.ratio(), printed.interval())
}

/// What was counted of two backends, and what their profiles say.
fn counted(own: &Costs, other: &Costs, operation: &str) -> String {
    let locks = [own, other].map(|one| count(one.locks));
    let mut parts = vec![beside(&format!("locks a {operation}"), &locks)];
    let relocks = [own, other].map(|one| count(one.relocks));
    if relocks[0] != relocks[1] {
        let many = if relocks[0] == "1" { "" } else { "s" };
        parts.push(beside(&format!("relock{many} a {operation}"), &relocks));
    }
    match (&own.profile, &other.profile) {
        (Some(own), Some(other)) => {
            let bounces = [own, other].map(|one| count(one.bounces));
            let waits = [own, other].map(|one| share(one.waiting()));
            let told = [("last had by the other thread", bounces), ("of the time waiting", waits)];
            let is_there =
                |(_, numbers): &(&str, [String; 2])| !numbers.iter().all(|it| is_none(it));
            parts
                .extend(told.iter().filter(|one| is_there(one)).map(|(what, it)| beside(what, it)));
        }
        _ if own.not_free.max(other.not_free) > 0.0 => {
            let not_free = [own, other].map(|one| share(one.not_free));
            parts.push(beside("of the locks not free at once", &not_free));
        }
        _ => {}
    }
    parts.join(", ")
}

fn is_none(number: &str) -> bool {
    number == "0" || number == "0 %"
}

/// Such as `4 locks a message against 16`.
fn beside(what: &str, [own, other]: &[String; 2]) -> String {
    if own == other {
        return format!("{own} {what} on both");
    }
    format!("{own} {what} against {other}")
}

/// Which backends of a group are the fastest of those that lock, and by how much.
pub(crate) fn fastest(recorded: &Recorded, group: &Group) -> String {
    let (cells, locking) = (group.cell("*"), locking(recorded, group));
    let Some(first) = first(recorded, group, &locking) else {
        return format!("{cells}: nothing was measured.");
    };
    let (mut near, mut behind) = (Vec::new(), Vec::new());
    for name in locking.into_iter().filter(|name| *name != first) {
        match recorded.held(group, first, name) {
            Held::Told(printed, Weight::More) => behind.push((name, printed)),
            Held::Told(printed, weight) => near.push(not_behind(name, &printed, weight)),
            Held::Untold(why) => return format!("{cells}: not told, `{name}` ({why})."),
        }
    }
    behind.sort_by(|(_, one), (_, other)| one.ratio.total_cmp(&other.ratio));
    let place = match near.as_slice() {
        [] => "is the fastest".to_owned(),
        near => format!("is ahead, if not clearly of {}", near.join(", ")),
    };
    let lead = match behind.as_slice() {
        [] => String::new(),
        [(only, by)] => format!("; it is {} `{only}`", times(by)),
        [(next, by), .., (last, most)] => {
            format!(
                "; it is {} `{next}`, the next, and {} `{last}`, the last",
                times(by),
                times(most)
            )
        }
    };
    let last = behind.last().and_then(|(last, _)| {
        let costs = [first, last].map(|name| recorded.costs(group, name));
        let [Some(own), Some(other)] = costs else { return None };
        Some(format!(": {}", counted(&own, &other, group.operation())))
    });
    let (last, without) = (last.unwrap_or_default(), without(recorded, group, first));
    format!("{cells}: of those that lock `{first}` {place}{lead}{last}.{without}")
}

/// The backends of a group that took locks.
fn locking<'a>(recorded: &'a Recorded, group: &Group) -> Vec<&'a str> {
    let locks =
        |name: &&str| recorded.costs(group, name).is_some_and(|costs| costs.locks >= COUNT_MIN);
    recorded.backends.iter().copied().filter(locks).collect()
}

/// The one that has a higher figure than most others of these.
fn first<'a>(recorded: &Recorded, group: &Group, names: &[&'a str]) -> Option<&'a str> {
    let higher = |name: &&'a str| {
        let is_lower = |other: &&&str| match recorded.held(group, name, other) {
            Held::Told(printed, _) => printed.ratio >= 1.0,
            Held::Untold(_) => false,
        };
        names.iter().filter(|other| *other != name).filter(is_lower).count()
    };
    // Of several the one that is shown first.
    names.iter().rev().copied().max_by_key(higher)
}

/// Another one that the fastest is not clearly ahead of.
fn not_behind(name: &str, printed: &Printed, weight: Weight) -> String {
    match weight {
        Weight::Same(percent) => format!("`{name}` (no difference within {percent} %)"),
        _ => format!("`{name}` (not told, {})", times(printed)),
    }
}

/// The backends of the group that take no lock, against its fastest that does.
fn without(recorded: &Recorded, group: &Group, first: &str) -> String {
    let takes_none =
        |name: &&&str| recorded.costs(group, name).is_some_and(|costs| costs.locks < COUNT_MIN);
    let told = |name: &&str| {
        let said = match recorded.held(group, name, first) {
            Held::Told(printed, weight) => verdict(&printed, weight),
            Held::Untold(why) => format!("not told ({why})"),
        };
        format!(" `{name}`, which takes none, against it: {said}.")
    };
    recorded.backends.iter().filter(takes_none).map(told).collect()
}

/// A count that may go with the speed: its words, and what it is of a cell.
type Count = (&'static str, fn(&Costs) -> Option<f64>);

const COUNTS: [Count; 3] = [
    ("takes fewer locks", |costs| Some(costs.locks)),
    ("waits for fewer of them", |costs| Some(costs.locks * costs.not_free)),
    ("takes fewer that the other thread had last", |costs| Some(costs.profile.as_ref()?.bounces)),
];

/// In how many pairs of backends that are told apart the faster one has less of what is counted.
pub(crate) fn agreement(recorded: &Recorded, group: &Group) -> Option<String> {
    let names = locking(recorded, group);
    let mut apart: Vec<[Costs; 2]> = Vec::new();
    let mut pairs = 0;
    for (at, one) in names.iter().enumerate() {
        for other in &names[at + 1..] {
            pairs += 1;
            let costs = [one, other].map(|name| recorded.costs(group, name).unwrap_or_default());
            match recorded.held(group, one, other) {
                Held::Told(_, Weight::More) => apart.push(costs),
                Held::Told(_, Weight::Less) => {
                    let [one, other] = costs;
                    apart.push([other, one]);
                }
                _ => {}
            }
        }
    }
    let told = |(words, of): &Count| {
        let counts = apart.iter().filter_map(|[faster, slower]| Some([of(faster)?, of(slower)?]));
        let differ: Vec<[f64; 2]> = counts.filter(are_apart).collect();
        let fewer = differ.iter().filter(|[faster, slower]| faster < slower).count();
        (!differ.is_empty()).then(|| format!("{words} in {fewer} of {}", differ.len()))
    };
    let told: Vec<String> = COUNTS.iter().filter_map(told).collect();
    (!told.is_empty()).then(|| {
        let (apart, cells) = (apart.len(), group.cell("*"));
        format!("{cells}: {apart} of {pairs} pairs are told apart; the faster {}.", told.join(", "))
    })
}

fn are_apart([one, other]: &[f64; 2]) -> bool {
    let apart = (one - other).abs();
    apart >= COUNT_MIN && apart > COUNT_APART * one.max(*other)
}

/// A count with the digits it needs: `3`, `0.5`.
pub(crate) fn count(value: f64) -> String {
    if value < COUNT_MIN {
        return "0".to_owned();
    }
    let text = units::digits(value);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// A share in percent: `0 %` is none at all.
pub(crate) fn share(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 1.0 => "under 1 %".to_owned(),
        percent if percent < 100.0 && percent > 99.0 => "over 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}
