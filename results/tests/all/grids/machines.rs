//! What the machines of a grid say side by side.

use results::collected::Collected;
use results::machines::{self, Agreement};
use results::{Compared, Record, Side, Verdict};

use super::{Folder, Sent, only_fault, sent};
use crate::fixture::{cell, host};

#[test]
fn machines_that_differ_are_told_from_those_that_agree() {
    let folder = Folder::new();
    let says = |element, machine, from, ratio| Sent { ratio, ..sent(element, machine, from) };
    folder.send(&says("one", "a", 0, [2.0, 1.95, 2.05]));
    folder.send(&says("one", "b", 0, [2.02, 1.96, 2.08]));
    folder.send(&says("two", "a", 1, [2.0, 1.9, 2.1]));
    folder.send(&says("two", "b", 1, [0.5, 0.45, 0.55]));
    let all = folder.collected(&["a", "b"]);
    let lines = machines::lines(&all, "global").expect("lines");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].agreement, Agreement::Agree);
    let Agreement::Opposite(span) = lines[1].agreement else { panic!("{:?}", lines[1]) };
    assert_eq!((span.low, span.high), (0.45, 2.1));
    let text = machines::render(&all, &lines, 140);
    for part in [
        "throughput to global\n",
        "2.00 [1.95, 2.05]",
        "0.50 [0.45, 0.55]",
        "OPPOSITE: 0.45 to 2.10",
        "machines differ on 1 of 2 figures, and on 1 of these not even in direction",
        "2 of 2 elements",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Narrower than both fit in: each machine has a block of its own.
    let narrow = machines::render(&all, &lines, 40);
    assert_eq!(narrow.matches("cell ").count(), 2, "{narrow}");
}

#[test]
fn a_ratio_that_may_not_be_used_is_held_against_none() {
    let folder = Folder::new();
    folder.send(&sent("one", "a", 0));
    let wide = sent("one", "b", 0);
    let mut records = wide.records();
    for record in &mut records {
        if let Record::Measured(measured) = record {
            measured.pinning.oversubscribed = true;
        }
    }
    folder.put("b.jsonl", &wide.sealed(&records));
    let all = folder.collected(&["a", "b"]);
    let lines = machines::lines(&all, "global").expect("lines");
    assert_eq!(lines[0].agreement, Agreement::Alone);
    let text = machines::render(&all, &lines, 100);
    assert!(text.contains("more threads than CPUs: pairs/per-socket/"), "{text}");
}

/// What is said of one element on two machines.
fn between(first: [f64; 3], second: [f64; 3]) -> Agreement {
    let folder = Folder::new();
    for (machine, ratio) in [("a", first), ("b", second)] {
        folder.send(&Sent { ratio, ..sent("one", machine, 0) });
    }
    let lines = machines::lines(&folder.collected(&["a", "b"]), "global").expect("lines");
    assert_eq!(lines.len(), 1);
    lines[0].agreement
}

#[test]
fn an_interval_that_touches_1_has_no_direction() {
    let [below, above] = [[0.5, 0.4, 0.6], [2.0, 1.9, 2.1]];
    assert!(matches!(between(below, above), Agreement::Opposite(_)));
    assert!(matches!(between([0.9, 0.8, 1.0], above), Agreement::Differ(Some(_))));
    assert!(matches!(between(below, [1.4, 1.0, 1.9]), Agreement::Differ(Some(_))));
    assert!(matches!(between(above, below), Agreement::Opposite(_)));
}

/// Student's t of 23: 2.069 at 5 %, 2.807 at 1 %, 3.104 at 0.5 %. Two intervals are looked at, and
/// each may miss at half of 1 %.
#[test]
fn machines_differ_at_the_level_of_all_intervals_that_are_looked_at() {
    let at = |middle: f64| [middle - 0.05, middle, middle + 0.05].map(f64::exp);
    let ratio = |[low, middle, high]: [f64; 3]| [middle, low, high];
    let apart = |by: f64| between(ratio(at(1.0)), ratio(at(1.0 + by)));
    assert_eq!(apart(0.1 * 2.95 / 2.069), Agreement::Agree);
    assert!(matches!(apart(0.1 * 3.15 / 2.069), Agreement::Differ(Some(_))));
}

#[test]
fn verdicts_stand_side_by_side_and_counters_are_equal_or_not() {
    let folder = Folder::new();
    let side = |name: &str, commit: &str| Side {
        name: name.to_owned(),
        commit: Some(commit.to_owned()),
        value: Some(if name == "v1" { 4.0 } else { 5.0 }),
        ..Side::default()
    };
    let compared = |metric: &str, ratio: Option<[f64; 3]>, second: &str| Compared {
        cell: cell("pairs", "global", 1).id(),
        metric: metric.to_owned(),
        verdict: Verdict::Slower,
        first: side("v1", "aaaa"),
        second: side("v2", second),
        ratio: ratio.map(|ratio| ratio[0]),
        low: ratio.map(|ratio| ratio[1]),
        high: ratio.map(|ratio| ratio[2]),
        pairs: 40,
        host: host(),
        ..Compared::default()
    };
    let send = |machine: &'static str, second: &str, ratio| {
        let one = sent("one", machine, 0);
        let mut records = vec![
            compared("throughput", Some(ratio), second),
            compared("acquisitions", None, second),
        ];
        records.push(Compared { cell: one.cell("per-socket").id(), ..records[0].clone() });
        let records: Vec<Record> = records.into_iter().map(Record::from).collect();
        folder.put(&format!("{machine}.jsonl"), &one.sealed(&records));
    };
    send("a", "bbbb", [0.9, 0.88, 0.92]);
    send("b", "bbbb", [0.9, 0.87, 0.93]);
    let lines = |all: &Collected| machines::lines(all, "global").expect("lines");
    let all = folder.collected(&["a", "b"]);
    let found = lines(&all);
    assert!(found.iter().all(|line| line.agreement == Agreement::Agree), "{found:?}");
    let text = machines::render(&all, &found, 120);
    assert!(text.contains("throughput v2 to v1") && text.contains("0.90 [0.88, 0.92] SLOWER"));
    assert!(text.contains("4.000 -> 5.000 SLOWER"), "{text}");
    // Machines that say the opposite.
    send("b", "bbbb", [1.1, 1.08, 1.12]);
    assert!(matches!(lines(&folder.collected(&["a", "b"]))[0].agreement, Agreement::Opposite(_)));
    send("b", "bbbb", [0.9, 0.87, 0.93]);
    // A branch that has moved is not the same side.
    send("c", "cccc", [0.9, 0.88, 0.92]);
    let all = folder.collected(&["a", "b", "c"]);
    assert!(only_fault(&all).1.text().contains("v2 is cccc here and bbbb in most"));
}

/// A verdict with a reason not to use it is no counter, though it has no ratio either.
#[test]
fn verdicts_that_may_not_be_used_are_held_against_none() {
    let folder = Folder::new();
    for (machine, value) in [("a", 5.0), ("b", 6.0)] {
        let side = |value| Side { value: Some(value), ..Side::default() };
        let compared = Compared {
            cell: cell("pairs", "global", 1).id(),
            metric: "throughput".to_owned(),
            verdict: Verdict::Unclear,
            why: Some("same code".to_owned()),
            first: side(4.0),
            second: side(value),
            pairs: 40,
            host: host(),
            ..Compared::default()
        };
        let one = sent("one", machine, 0);
        let other = Compared { cell: one.cell("per-socket").id(), ..compared.clone() };
        let records = [compared, other].map(Record::from);
        folder.put(&format!("{machine}.jsonl"), &one.sealed(&records));
    }
    let lines = machines::lines(&folder.collected(&["a", "b"]), "global").expect("lines");
    assert!(lines.iter().all(|line| line.agreement == Agreement::Alone), "{lines:?}");
}

#[test]
fn a_machine_is_told_by_its_name_its_nodes_and_how_much_of_it_there_is() {
    let folder = Folder::new();
    folder.send(&sent("one", "a", 0));
    for (node, from) in [("n2", 0), ("n1", 2)] {
        folder.send(&Sent { node, ..sent("one", "b", from) });
    }
    folder.send(&Sent { node: "n1", ..sent("two", "b", 4) });
    let all = folder.collected(&["a", "b", "c"]);
    let headings: Vec<String> = all.machines.iter().map(machines::heading).collect();
    let what = "Example 9000, 2 CPUs allowed (1 package, 2 cores, 2 threads), virtual (kvm), \
                Linux 6.18.0";
    assert_eq!(
        headings,
        [
            format!("a: {what}; 1 of 2 elements"),
            format!("b (n1, n2): {what}; 2 of 2 elements"),
            "c: nothing yet".to_owned(),
        ]
    );
}

/// A ratio that one machine alone has is no interval that is looked at.
#[test]
fn what_one_machine_alone_measured_makes_others_no_more_alike() {
    let folder = Folder::new();
    let at = |middle: f64| [middle, middle - 0.05, middle + 0.05].map(f64::exp);
    for (machine, middle) in [("a", 1.0), ("b", 1.0 + 0.1 * 3.15 / 2.069)] {
        folder.send(&Sent { ratio: at(middle), ..sent("one", machine, 0) });
    }
    folder.send(&sent("two", "a", 1));
    let lines = machines::lines(&folder.collected(&["a", "b"]), "global").expect("lines");
    let found: Vec<Agreement> = lines.iter().map(|line| line.agreement).collect();
    assert!(matches!(found[..], [Agreement::Differ(Some(_)), Agreement::Alone]), "{found:?}");
}

#[test]
fn folders_are_looked_into_six_deep() {
    let folder = Folder::new();
    let one = sent("one", "a", 0);
    let text = one.sealed(&one.records());
    folder.put("1/2/3/4/5/6/7/one.jsonl", &text);
    assert_eq!(folder.collected(&[]).sets().count(), 0);
    folder.put("1/2/3/4/5/6/one.jsonl", &text);
    let all = folder.collected(&[]);
    assert_eq!((all.sets().count(), all.faults.len()), (1, 0));
}

/// Verdicts of one of its cells are not the whole of an element.
#[test]
fn a_set_of_verdicts_speaks_of_each_cell_of_its_element() {
    let folder = Folder::new();
    let one = sent("one", "a", 0);
    let verdict = |backend: &str| {
        let cell = one.cell(backend).id();
        Record::from(Compared { cell, host: host(), ..Compared::default() })
    };
    folder.put("one.jsonl", &one.sealed(&[verdict("global")]));
    let all = folder.collected(&["a"]);
    let why = only_fault(&all).1.text();
    assert!(why.starts_with("cut: it says nothing of pairs/per-socket/"), "{why}");
    folder.put("one.jsonl", &one.sealed(&[verdict("global"), verdict("per-socket")]));
    assert_eq!(folder.collected(&["a"]).sets().count(), 1);
}
