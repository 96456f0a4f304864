//! Made-up runs: what is said of them is known, and a number that is wrong is seen.

use std::path::PathBuf;

use results::{
    Cell, Events, Finding, Interrupted, LockCounts, Measured, Parts, Profile, Ratio, Record, Run,
    Split,
};

use super::questions::QUESTIONS;
use super::recorded::{Group, Held, Recorded};
use super::sentences::{agreement, compared, count, fastest, share};
use super::{expected, parts};

const ROUNDS: u32 = 12;
const GROUP: &str = "duplex/stream/t2";

/// What a backend does in a group: its speed in the even rounds and in the odd ones, the locks of
/// an operation, and how many of a hundred are not free.
type Does = (&'static str, [f64; 2], f64, u64);

const DO: [Does; 5] = [
    ("global", [1e6, 1e6], 4.0, 50),
    ("per-socket", [5e5, 5e5], 7.0, 20),
    ("per-buffer", [1.25e6, 1.25e6], 16.0, 10),
    ("per-pair", [1.1e6, 1.4e6], 4.0, 30),
    ("lock-free", [4e6, 4e6], 0.0, 0),
];

fn cell(group: &str, backend: &str) -> Cell {
    let group = Group::parse(group).expect("a group");
    Cell {
        backend: backend.to_owned(),
        workload: group.workload,
        socket_type: group.kind,
        message_bytes: 64,
        threads: group.threads,
        wait: "adaptive".to_owned(),
        ..Cell::default()
    }
}

fn run(records: Vec<Record>) -> Run {
    let path = PathBuf::from("made-up.jsonl");
    Run { id: "made-up".to_owned(), path, records, partial: false, torn_line: None }
}

fn line(group: &str, does: &Does, round: u32) -> Measured {
    let (backend, speeds, locks, of_hundred) = *does;
    let cell = cell(group, backend);
    let speed = speeds[(round % 2) as usize];
    let acquisitions = (locks * 1000.0) as u64;
    let contended = acquisitions * of_hundred / 100;
    let counts =
        LockCounts { class: "own1".to_owned(), acquisitions, contended, ..LockCounts::default() };
    let mut line = Measured {
        cell_id: cell.id(),
        cell,
        round,
        operations: 1000,
        operations_per_second: speed,
        fairness_jain: 1.0,
        locks: vec![counts],
        commit: Some("0123456789abcdef".to_owned()),
        started: "2026-11-28T00:00:00.000Z".to_owned(),
        ..Measured::default()
    };
    // No path without a lock, but for the one that took none.
    line.fast_path.slow_sends = u64::from(locks > 0.0);
    line.fast_path.sends = u64::from(locks == 0.0);
    line
}

fn measured(groups: &[&str], does: &[Does]) -> Vec<Record> {
    let rounds = groups.iter().flat_map(|group| (0..ROUNDS).map(move |round| (*group, round)));
    let lines = rounds.flat_map(|(group, round)| {
        does.iter().map(move |one| Record::from(line(group, one, round)))
    });
    lines.collect()
}

fn profiled(group: &str, backend: &str, bounces: u64, wait: f64) -> [Record; 2] {
    let cell = cell(group, backend);
    let events = Events { acquisitions: 100, acq_bounces: bounces, ..Events::default() };
    let (id, class) = (cell.id(), "own1".to_owned());
    let commit = Some("0123456789abcdef".to_owned());
    let parts = Parts { wait, hold: 100.0 - wait, ..Parts::default() };
    [
        Record::from(Profile {
            cell: id.clone(),
            class,
            events,
            commit: commit.clone(),
            ..Profile::default()
        }),
        Record::from(Split {
            cell_id: id,
            cell,
            operations: 100,
            ns_per_operation: parts,
            commit,
            ..Split::default()
        }),
    ]
}

fn recorded(records: Vec<Record>) -> Recorded {
    Recorded::new(vec![run(records)]).expect("a run that may be used")
}

fn usual() -> Recorded {
    let profile = [("global", 150, 60.0), ("per-pair", 50, 12.4), ("per-buffer", 40, 10.0)];
    let profile = profile.map(|(backend, bounces, wait)| profiled(GROUP, backend, bounces, wait));
    let runs = vec![run(measured(&[GROUP], &DO)), run(profile.into_iter().flatten().collect())];
    Recorded::new(runs).expect("runs that may be used together")
}

fn group() -> Group {
    Group::parse(GROUP).expect("a group")
}

#[test]
fn a_sentence_says_what_its_interval_allows() {
    let recorded = usual();
    let of = |backend, against| compared(&recorded, &group(), backend, against);
    assert_eq!(
        of("per-socket", "global"),
        "`duplex/per-socket/stream/t2` against `global`: slower, 0.50 x [0.50, 0.50]; 7 locks a \
         message against 4, 20 % of the locks not free at once against 50 %."
    );
    assert_eq!(
        of("per-buffer", "global"),
        "`duplex/per-buffer/stream/t2` against `global`: faster, 1.25 x [1.25, 1.25]; 16 locks a \
         message against 4, 0.4 last had by the other thread against 1.5, 10 % of the time \
         waiting against 60 %."
    );
    assert_eq!(
        of("per-pair", "global").split("; ").nth(1),
        Some(
            "4 locks a message on both, 0.5 last had by the other thread against 1.5, 12 % of the \
             time waiting against 60 %."
        )
    );
    let open = of("per-pair", "per-buffer");
    assert!(open.contains(": not told, 0.99 x [0.88, 1.12]; 4 locks a message against"), "{open}");
    let none = of("per-pair", "host");
    assert!(none.ends_with("against `host`: not told (host was not measured)."), "{none}");
}

#[test]
fn what_differs_by_little_is_no_difference() {
    let does = [DO[0], ("global-gc", [1.01e6, 1.01e6], 4.0, 50)];
    let recorded = recorded(measured(&[GROUP], &does));
    let said = compared(&recorded, &group(), "global-gc", "global");
    assert!(said.contains("no difference within 1 %, 1.01 x [1.01, 1.01]"), "{said}");
}

#[test]
fn too_few_launches_say_nothing() {
    let mut records = measured(&[GROUP], &DO);
    records.truncate(5 * DO.len());
    let recorded = recorded(records);
    let said = compared(&recorded, &group(), "per-socket", "global");
    assert!(said.contains(": not told (5 of 5 rounds undisturbed on both sides"), "{said}");
    let said = fastest(&recorded, &group());
    assert!(said.starts_with("`duplex/*/stream/t2`: not told, `"), "{said}");
}

#[test]
fn where_the_reference_differs_from_itself_nothing_is_told() {
    let mut records = measured(&[GROUP], &DO);
    let id = cell(GROUP, "global").id();
    records.push(Record::from(Ratio {
        cell: id.clone(),
        against: id,
        threads: 2,
        metric: "throughput".to_owned(),
        ratio: Some(1.1),
        low: Some(1.05),
        high: Some(1.15),
        level: 0.99,
        pairs: 12,
        ..Ratio::default()
    }));
    let said = compared(&recorded(records), &group(), "per-socket", "global");
    assert!(said.contains(": not told (the reference differs from itself); 7 locks"), "{said}");
}

#[test]
fn the_fastest_is_named_with_those_that_it_is_not_told_from() {
    assert_eq!(
        fastest(&usual(), &group()),
        "`duplex/*/stream/t2`: of those that lock `per-buffer` is ahead, if not clearly of \
         `per-pair` (not told, 1.01 x [0.89, 1.14]); it is 1.25 x [1.25, 1.25] `global`, the \
         next, and 2.50 x [2.50, 2.50] `per-socket`, the last: 16 locks a message against 7, 10 % \
         of the locks not free at once against 20 %. `lock-free`, which takes none, against it: \
         faster, 3.20 x [3.20, 3.20]."
    );
    let recorded = recorded(measured(&[GROUP], &DO[..2]));
    assert_eq!(
        fastest(&recorded, &group()),
        "`duplex/*/stream/t2`: of those that lock `global` is the fastest; it is 2.00 x [2.00, \
         2.00] `per-socket`: 4 locks a message against 7, 50 % of the locks not free at once \
         against 20 %."
    );
}

#[test]
fn what_goes_with_the_speed_is_counted() {
    // Told apart: all pairs of four but `per-buffer` and `per-pair`. Fewer locks: global over
    // per-socket, per-pair over per-socket (global and per-pair have as many). Fewer waited for:
    // per-buffer (1.6) and per-pair (1.2) over global (2), per-pair over per-socket (1.4).
    let said = agreement(&usual(), &group()).expect("a sentence");
    assert_eq!(
        said,
        "`duplex/*/stream/t2`: 5 of 6 pairs are told apart; the faster takes fewer locks in 2 of \
         4, waits for fewer of them in 3 of 5, takes fewer that the other thread had last in 2 of \
         2."
    );
}

#[test]
fn a_second_thread_is_held_against_one_by_rounds() {
    let mut records = measured(&["pairs/stream/t1"], &[DO[0], DO[2]]);
    let twice = ("per-buffer", [2.5e6, 2.5e6], 16.0, 0);
    records.extend(measured(&["pairs/stream/t2"], &[DO[0], twice]));
    let recorded = recorded(records);
    let said = |backend| match recorded.scaling("pairs", "stream", backend) {
        Held::Told(printed, _) => format!("{} {}", printed.ratio(), printed.interval()),
        Held::Untold(why) => why,
    };
    assert_eq!(said("per-buffer"), "2.00 [2.00, 2.00]");
    assert_eq!(said("global"), "1.00 [1.00, 1.00]");
    assert_eq!(said("per-pair"), "0 rounds give no interval of 95 %");
}

/// A text with a place for each part, which says what the run does.
fn text(recorded: &Recorded) -> String {
    let place = |(name, _): &(&str, String)| format!("<!-- recorded: {name} -->\n<!-- end -->\n");
    let parts = parts(recorded);
    let empty: String = parts.iter().map(place).collect();
    expected(&empty, &parts)
}

#[test]
fn a_wrong_number_is_seen() {
    let recorded = usual();
    let (text, parts) = (text(&recorded), parts(&recorded));
    assert_eq!(expected(&text, &parts), text, "what was written is what is expected");
    let digits = text.char_indices().filter(|(_, character)| character.is_ascii_digit());
    let mut numbers = 0;
    for (at, digit) in digits {
        let other = if digit == '9' { '8' } else { '9' };
        let wrong = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert_ne!(expected(&wrong, &parts), wrong, "digit {at} of\n{text}");
        numbers += 1;
    }
    assert!(numbers > 200, "{numbers} digits in\n{text}");
}

#[test]
fn another_run_has_another_text() {
    let said = text(&usual());
    for (at, one) in DO.iter().enumerate() {
        let mut does = DO;
        does[at].1 = one.1.map(|speed| speed * 1.5);
        let profile = profiled(GROUP, "global", 150, 60.0);
        let runs = vec![run(measured(&[GROUP], &does)), run(profile.to_vec())];
        let other = Recorded::new(runs).expect("a run that may be used");
        assert_ne!(text(&other), said, "{} is half as fast again", one.0);
    }
}

#[test]
fn runs_that_do_not_belong_together_are_refused() {
    let wrong = |records: Vec<Record>| Recorded::new(vec![run(records)]).err().expect("refused");
    let usual = || measured(&[GROUP], &DO);
    let with = |record: Record| [usual(), vec![record]].concat();
    let mut other = line(GROUP, &DO[0], 0);
    other.commit = Some("another".to_owned());
    assert!(wrong(with(Record::from(other))).starts_with("of two programs"));
    assert!(wrong(with(Record::from(Interrupted::default()))).contains("is not whole"));
    assert!(wrong(with(Record::from(Finding::default()))).contains("found something"));
    let invalid = Some("invalid: global differs from itself".to_owned());
    let against = cell(GROUP, "global").id();
    let invalid = Ratio { against, why: invalid, ..Ratio::default() };
    assert_eq!(wrong(with(Record::from(invalid))), "global differs from itself");
    let mut large = line(GROUP, &DO[0], 0);
    large.cell.message_bytes = 1024;
    large.cell_id = large.cell.id();
    assert!(wrong(with(Record::from(large))).contains("has more in its name"));
    let mut leaky = line(GROUP, &DO[0], 0);
    leaky.checks.leaked_locks = 1;
    assert!(wrong(with(Record::from(leaky))).contains("found something"));
    let mut elsewhere = line(GROUP, &DO[0], 0);
    elsewhere.host.cpus = 3;
    assert!(wrong(with(Record::from(elsewhere))).contains("cpus is 3"));
}

#[test]
fn every_question_has_a_line_of_a_run_that_has_all() {
    let every: Vec<Does> =
        solock::matrix::backends().iter().map(|one| (one.name, [1e6; 2], 4.0, 0)).collect();
    let groups: Vec<&str> = QUESTIONS
        .iter()
        .flat_map(|question| question.asked)
        .flat_map(|asked| asked.groups.iter().copied())
        .collect();
    let recorded = recorded(measured(&groups, &every));
    let parts = parts(&recorded);
    for question in QUESTIONS {
        let (_, said) = parts.iter().find(|(name, _)| *name == question.name).expect("a part");
        let lines: usize = question.asked.iter().map(|asked| asked.groups.len()).sum();
        assert_eq!(said.matches("against `").count(), lines, "{said}");
    }
}

#[test]
fn numbers_have_the_digits_they_need() {
    assert_eq!(
        [0.0, 0.001, 0.5, 3.0, 12.25, 16.0].map(count),
        ["0", "0", "0.5", "3", "12.2", "16"]
    );
    let shares = [0.0, 0.004, 0.024, 0.996, 1.0].map(share);
    assert_eq!(shares, ["0 %", "under 1 %", "2 %", "over 99 %", "100 %"]);
}
