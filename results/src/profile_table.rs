//! A profile as plain text: lock_stat's columns for each class of locks and below it for its
//! places, the hottest first; then what an operation's time was spent on, a line for each backend.

use crate::profile::{Events, Profile, Split, Times};
use crate::record::Slices;
use crate::table::lined_up;
use crate::text::wrapped;
use crate::units::{digits, percent, time};

/// The most places of a class that are shown.
const PLACES_MAX: usize = 8;

/// All of it, for so many columns where the names allow that.
#[must_use]
pub fn render(profiles: &[&Profile], splits: &[&Split], columns: usize) -> String {
    let mut text = String::new();
    for split in splits {
        let of_cell: Vec<&Profile> =
            profiles.iter().copied().filter(|profile| profile.cell == split.cell_id).collect();
        text += &cell(split, &of_cell, columns);
        text.push('\n');
    }
    for case in Split::cases(splits) {
        text += &parts(&case, columns);
        text.push('\n');
    }
    for line in closing(splits) {
        text += &wrapped(&line, "", "    ", columns);
    }
    text
}

/// The classes of one cell.
fn cell(split: &Split, profiles: &[&Profile], columns: usize) -> String {
    let head = wrapped(&split.cell_id, "", "    ", columns);
    if profiles.is_empty() {
        return head + "no lock was taken\n";
    }
    let mut text = head + &waits(profiles) + &holds(profiles);
    let left_out = |one: &&Profile| one.sites.len().saturating_sub(PLACES_MAX);
    let hidden: usize = profiles.iter().map(left_out).sum();
    if hidden > 0 {
        text += &format!("places left out: {hidden}; --json has them all\n");
    }
    text
}

/// One kind of table: what its columns are.
type Columns = fn(&Events) -> Vec<String>;

fn row(counts: [u64; 2], times: &Times) -> Vec<String> {
    let times = [times.min, times.max, times.total, times.avg.round() as u64].map(time);
    counts.map(|count| count.to_string()).into_iter().chain(times).collect()
}

fn waits(profiles: &[&Profile]) -> String {
    let columns = |events: &Events| {
        let counts = [events.con_bounces, events.contentions];
        row(counts, &events.wait_ns)
    };
    let head = [
        ["", "con-", "conten-", "wait", "wait", "wait", "wait"],
        ["class, place", "bounces", "tions", "min", "max", "total", "avg"],
    ];
    let is_there = |events: &Events| events.contentions > 0;
    if !profiles.iter().any(|profile| is_there(&profile.events)) {
        return "no lock was waited for\n".to_owned();
    }
    lines(profiles, &head, columns, is_there, |events| events.wait_ns.total)
}

fn holds(profiles: &[&Profile]) -> String {
    let columns = |events: &Events| {
        let counts = [events.acq_bounces, events.acquisitions];
        row(counts, &events.hold_ns)
    };
    let head = [
        ["", "acq-", "acquisi-", "hold", "hold", "hold", "hold"],
        ["class, place", "bounces", "tions", "min", "max", "total", "avg"],
    ];
    let table = lines(profiles, &head, columns, |_| true, |events| events.hold_ns.total);
    table + &profiles.iter().filter_map(|profile| again(profile)).collect::<String>()
}

/// The relocks of a class, and what share of all that were needed a try saved.
fn again(profile: &Profile) -> Option<String> {
    let Events { relocks, retries, saved, .. } = profile.events;
    if [relocks, retries, saved] == [0; 3] {
        return None;
    }
    let tried = if saved == 0 {
        String::new()
    } else {
        let share = saved as f64 / (saved as f64 + relocks as f64);
        format!("; {saved} saved by a try, {} of all", percent(share))
    };
    Some(format!("{}: {relocks} relocks, {retries} retries{tried}\n", profile.class))
}

/// A line for each class, and below it for its places, the hottest first.
fn lines(
    profiles: &[&Profile],
    head: &[[&str; 7]],
    columns: Columns,
    is_there: fn(&Events) -> bool,
    heat: fn(&Events) -> u64,
) -> String {
    let mut lines: Vec<Vec<String>> =
        head.iter().map(|line| line.map(str::to_owned).to_vec()).collect();
    let mut classes: Vec<&&Profile> = profiles.iter().filter(|one| is_there(&one.events)).collect();
    classes.sort_by_key(|profile| std::cmp::Reverse(heat(&profile.events)));
    for profile in classes {
        lines.push([vec![profile.class.clone()], columns(&profile.events)].concat());
        let mut sites: Vec<_> =
            profile.sites.iter().filter(|site| is_there(&site.events)).collect();
        sites.sort_by_key(|site| std::cmp::Reverse(heat(&site.events)));
        for site in sites.into_iter().take(PLACES_MAX) {
            lines.push([vec![format!("  {}", short(&site.at))], columns(&site.events)].concat());
        }
    }
    lined_up(&lines, 1)
}

/// A place by its file's name and folder: the rest of the way is as good as the same for all.
fn short(at: &str) -> &str {
    let before = at.rmatch_indices('/').nth(1);
    before.map_or(at, |(end, _)| &at[end + 1..])
}

fn parts(case: &[&Split], columns: usize) -> String {
    let cell = &case[0].cell;
    let threads = match cell.threads {
        1 => "1 thread".to_owned(),
        several => format!("{several} threads together"),
    };
    let title =
        format!("{}, {threads}, {}: nanoseconds per operation", cell.workload, cell.title());
    let names = case[0].ns_per_operation.all().map(|(name, _)| name.to_owned());
    let ends = ["all", "of wall"].map(str::to_owned);
    let mut lines = vec![[&["backend".to_owned()], &names[..], &ends].concat()];
    for split in case {
        let all = split.ns_per_operation.total();
        let share = all / split.wall_ns_per_operation.max(f64::MIN_POSITIVE);
        let parts = split.ns_per_operation.all().map(|(_, ns)| digits(ns));
        let ends = [digits(all), percent(share)];
        let backend = std::slice::from_ref(&split.cell.backend);
        lines.push([backend, &parts, &ends].concat());
    }
    wrapped(&title, "", "    ", columns) + &lined_up(&lines, 1)
}

/// What must be known of all these numbers.
fn closing(splits: &[&Split]) -> Vec<String> {
    let mut lines = Vec::new();
    if splits.is_empty() {
        return lines;
    }
    let mut costs: Vec<String> = splits.iter().map(|split| of_pair(split)).collect();
    costs.sort();
    costs.dedup();
    lines.push(format!(
        "a profile costs {}; every hold has a reading of the clock in it. These rounds tell no \
         operations per second",
        costs.join(", ")
    ));
    let none = Slices::default();
    let slices = splits.iter().fold(none, |all, split| all.plus(split.slices));
    let repeated = slices.repeated + slices.given_up;
    if repeated > 0 {
        let causes: Vec<String> = slices
            .causes()
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} because {why}"))
            .collect();
        lines.push(format!(
            "slices: {} kept, {repeated} left out: {}",
            slices.kept,
            causes.join(", ")
        ));
    }
    lines
}

fn of_pair(split: &Split) -> String {
    let Split { profiling_ns_per_pair: added, lock_ns_per_pair: without, cell, .. } = split;
    let lock = if cell.lock.is_empty() { String::new() } else { format!(" ({})", cell.lock) };
    format!("{added:.1} ns per lock pair beside {without:.1} ns without{lock}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use crate::profile::{Parts, Site};

    fn events(count: u64, waits: u64) -> Events {
        Events {
            acquisitions: count,
            contentions: waits,
            acq_bounces: count / 2,
            con_bounces: waits,
            relocks: waits,
            retries: 0,
            saved: 0,
            wait_ns: Times::new(waits, [120, 3200], waits * 500),
            hold_ns: Times::new(count, [20, 9000], count * 40),
        }
    }

    fn split(backend: &str) -> Split {
        let cell = Cell {
            backend: backend.to_owned(),
            workload: "duplex".to_owned(),
            socket_type: "stream".to_owned(),
            message_bytes: 64,
            threads: 2,
            wait: "adaptive".to_owned(),
            ..Cell::default()
        };
        let parts =
            Parts { copy: 10.0, wait: 20.0, hold: 30.0, relock: 4.0, parked: 0.0, rest: 36.0 };
        Split {
            cell_id: cell.id(),
            cell,
            operations: 1000,
            ns_per_operation: parts,
            wall_ns_per_operation: 100.5,
            profiling_ns_per_pair: 41.25,
            lock_ns_per_pair: 6.5,
            slices: Slices { kept: 3, repeated: 1, off_cpu: 1, ..Slices::default() },
            ..Split::default()
        }
    }

    fn site(at: &str, count: u64, waits: u64) -> Site {
        Site { at: at.to_owned(), events: events(count, waits) }
    }

    #[test]
    fn a_profile_fits_in_80_columns_and_begins_with_the_hottest() {
        let split = split("one");
        let sites = vec![
            site("lockimpls/src/backend/lock_free/slow.rs:101", 1_000_000, 20_000),
            site("lockimpls/src/objects/descriptors.rs:88", 99_000_000, 100_000),
        ];
        let class = "a_class".to_owned();
        let events = events(100_000_000, 120_000);
        let cell = split.cell_id.clone();
        let profile = Profile { cell, class, events, sites, ..Profile::default() };
        let text = render(&[&profile], &[&split], 80);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(place("  objects/descriptors.rs:88") < place("  lock_free/slow.rs:101"), "{text}");
        for what in ["con-", "acquisi-", "120000", "100000000", "60.0ms", "500ns", "120000 relocks"]
        {
            place(what);
        }
        // It is one long line, wherever it is broken.
        assert!(text.replace("\n    ", " ").contains("tell no operations per second"), "{text}");
    }

    fn profile(events: Events, sites: Vec<Site>) -> Profile {
        let (cell, class) = (split("one").cell_id, "a_class".to_owned());
        Profile { cell, class, events, sites, ..Profile::default() }
    }

    #[test]
    fn what_there_is_none_of_is_not_told() {
        let sites = (0..PLACES_MAX).map(|line| site(&format!("a.rs:{line}"), 10, 0)).collect();
        let mut split = split("one");
        split.slices = Slices { kept: 3, ..Slices::default() };
        let text = render(&[&profile(events(10, 0), sites)], &[&split], 200);
        assert!(text.contains("no lock was waited for\n"), "{text}");
        for absent in ["conten-", "retries", "saved", "places left out", "slices:"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let sites = (0..PLACES_MAX + 2).map(|line| site(&format!("a.rs:{line}"), 10, 1)).collect();
        let again = Events { relocks: 1, retries: 2, ..events(1000, 100) };
        let tried = Profile {
            class: "another".to_owned(),
            ..profile(Events { relocks: 25, saved: 75, ..events(100, 0) }, Vec::new())
        };
        let only = Profile {
            class: "a_third".to_owned(),
            ..profile(Events { saved: 6, ..events(100, 0) }, Vec::new())
        };
        let mut split = split("one");
        split.slices =
            Slices { kept: 3, repeated: 3, given_up: 1, off_cpu: 4, ..Slices::default() };
        (split.cell.lock, split.profiling_ns_per_pair) = ("mcs".to_owned(), 41.5);
        let text = render(&[&profile(again, sites), &tried, &only], &[&split], 200);
        for what in [
            "places left out: 2; --json has them all\n",
            "a_class: 1 relocks, 2 retries\n",
            "another: 25 relocks, 0 retries; 75 saved by a try, 75.0% of all\n",
            "a_third: 0 relocks, 0 retries; 6 saved by a try, 100.0% of all\n",
            "slices: 3 kept, 4 left out: 4 because a thread was kept off its CPU\n",
            "a profile costs 41.5 ns per lock pair beside 6.5 ns without (mcs); every hold",
        ] {
            assert!(text.contains(what), "{what}: {text}");
        }
    }

    #[test]
    fn what_an_operation_is_spent_on_stands_in_one_table_for_all_backends() {
        let (one, mut other) = (split("one"), split("other"));
        other.ns_per_operation.wait = 120.0;
        other.wall_ns_per_operation = 200.0;
        let text = render(&[], &[&one, &other], 80);
        let expected = "\
duplex, 2 threads together, stream, 64 B, adaptive: nanoseconds per operation
backend  copy  wait  hold  relock  parked  rest  all  of wall
one      10.0  20.0  30.0    4.00    0.00  36.0  100    99.5%
other    10.0   120  30.0    4.00    0.00  36.0  200   100.0%
";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("no lock was taken"), "{text}");
        assert!(text.contains("slices: 6 kept, 2 left out: 2 because a thread"), "{text}");
    }
}
