//! Tables: every ratio to the reference, what a second thread brings, and what was counted.

use results::units::{digits, rate};
use solock::words::REFERENCE;

use super::recorded::{Costs, Group, Held, Recorded};
use super::sentences::{count, item, share, times};

/// Every backend in every group: the ratio of its operations per second to the reference's.
pub(crate) fn ratios(recorded: &Recorded) -> String {
    let groups = recorded.groups();
    let names = groups.iter().map(|group| format!("`{}`", group.name()));
    let mut text = head("backend", names);
    for backend in &recorded.backends {
        let cells = groups.iter().map(|group| match *backend {
            REFERENCE => speed(recorded, group, backend),
            _ => match recorded.held(group, backend, REFERENCE) {
                Held::Told(printed, _) => format!("{} {}", printed.ratio(), printed.interval()),
                Held::Untold(_) => "?".to_owned(),
            },
        });
        text += &line(&format!("`{backend}`"), cells);
    }
    text.trim_end().to_owned()
}

fn speed(recorded: &Recorded, group: &Group, backend: &str) -> String {
    let speed = recorded.row(group, backend).and_then(|row| row.throughput);
    speed.map_or_else(|| "?".to_owned(), |speed| format!("{}/s", rate(speed.operations_per_second)))
}

/// What a second thread with a pair of its own brings.
pub(crate) fn scaling(recorded: &Recorded) -> String {
    let kinds = ["stream", "dgram"];
    let names = kinds.iter().map(|kind| format!("`pairs/{kind}/t2` / `t1`"));
    let mut text = head("backend", names);
    for backend in &recorded.backends {
        let cells = kinds.iter().map(|kind| match recorded.scaling("pairs", kind, backend) {
            Held::Told(printed, _) => times(&printed),
            Held::Untold(_) => "?".to_owned(),
        });
        text += &line(&format!("`{backend}`"), cells);
    }
    text.trim_end().to_owned()
}

/// A table for each group: what was counted, and the parts of the profile, the fastest first.
pub(crate) fn counts(recorded: &Recorded) -> String {
    let tables = recorded.groups().into_iter().map(|group| {
        let names = [
            "locks", "relocks", "not free", "other's", "copy", "wait", "hold", "relock", "parked",
            "rest", "all",
        ];
        let title = format!("`{}`, a {}", group.name(), group.operation());
        let mut text = head(&title, names.iter().map(|name| (*name).to_owned()));
        for (backend, costs) in by_speed(recorded, &group) {
            text += &line(&format!("`{backend}`"), cells(&costs).into_iter());
        }
        text.trim_end().to_owned()
    });
    tables.collect::<Vec<_>>().join("\n\n")
}

/// The backends whose locks can be seen, the fastest first.
fn by_speed<'a>(recorded: &'a Recorded, group: &Group) -> Vec<(&'a str, Costs)> {
    let speed = |backend: &str| {
        let row = recorded.row(group, backend).and_then(|row| row.throughput);
        row.map_or(0.0, |speed| speed.operations_per_second)
    };
    let costs = |name: &&'static str| Some((*name, recorded.costs(group, name)?));
    let mut all: Vec<(&str, Costs)> = recorded.backends.iter().filter_map(costs).collect();
    all.sort_by(|(one, _), (other, _)| speed(other).total_cmp(&speed(one)));
    all
}

fn cells(costs: &Costs) -> Vec<String> {
    let locks = count(costs.locks);
    // Of next to no lock no share is worth telling.
    let not_free = if locks == "0" { locks.clone() } else { share(costs.not_free) };
    let mut cells = vec![locks, count(costs.relocks), not_free];
    match &costs.profile {
        None => cells.extend(vec!["?".to_owned(); 8]),
        Some(profile) => {
            let parts = &profile.split.ns_per_operation;
            cells.push(count(profile.bounces));
            cells.extend(parts.all().map(|(_, ns)| nanoseconds(ns)));
            cells.push(nanoseconds(parts.total()));
        }
    }
    cells
}

/// A time with as many digits as it is worth.
fn nanoseconds(ns: f64) -> String {
    match ns {
        small if small < 0.05 => "0".to_owned(),
        small if small < 10.0 => format!("{small:.1}"),
        ns => digits(ns.round()).trim_end_matches(".0").to_owned(),
    }
}

fn head(first: &str, names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    format!("| {first} | {} |\n{}|\n", names.join(" | "), "|---".repeat(1 + names.len()))
}

fn line(first: &str, cells: impl Iterator<Item = String>) -> String {
    format!("| {first} | {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// How it was measured: pairs, slices, checks, the two CPUs, and whether the host was busy.
pub(crate) fn circumstances(recorded: &Recorded) -> String {
    let [low, high] = recorded.pairs();
    let pairs = if low == high { low.to_string() } else { format!("{low} to {high}") };
    let (slices, checked) = recorded.checked();
    let kept = slices.kept;
    let repeated = slices.measured() - u64::from(kept);
    let mut text = item(&format!(
        "Each ratio is over {pairs} launches: fresh processes of all backends, slices in turns."
    ));
    text += &item(&format!(
        "Slices: {kept} kept, {repeated} repeated because of what else the machine did. \
         {} calls were checked, and nothing leaked.",
        rate(checked as f64)
    ));
    for told in recorded.two_cpus() {
        text += &item(&format!("The two CPUs, {told}."));
    }
    if recorded.splits().next().is_some() {
        let added = span(recorded.splits().map(|split| split.profiling_ns_per_pair));
        let without = span(recorded.splits().map(|split| split.lock_ns_per_pair));
        text += &item(&format!(
            "Keeping the profile added {added} ns to a lock and its unlock, which took {without} \
             ns without."
        ));
    }
    let groups = recorded.groups();
    let busy = |group| {
        let names = recorded.backends.iter().filter(|name| recorded.was_busy(group, name));
        names.map(|name| group.cell(name)).collect::<Vec<_>>()
    };
    let busy: Vec<String> = groups.iter().flat_map(busy).collect();
    if !busy.is_empty() {
        text += &item(&format!("Too many slices were disturbed of {}.", busy.join(", ")));
    }
    text.trim_end().to_owned()
}

/// The least and the most, such as `42.5 to 43.4`.
fn span(values: impl Iterator<Item = f64>) -> String {
    let ends = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    let [low, high] = ends.map(|end| format!("{end:.1}"));
    if low == high { low } else { format!("{low} to {high}") }
}
