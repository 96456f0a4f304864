//! What a set's lines say, and how machines stand side by side.

use super::*;
use crate::collected::Machine;
use crate::compared::Side;
use crate::table::NONE;

fn compared(values: [Option<f64>; 2]) -> Compared {
    let [first, second] = values;
    let side = |name: &str, value| Side { name: name.to_owned(), value, ..Side::default() };
    Compared {
        cell: "pairs/global/stream/64B/t1/adaptive".to_owned(),
        metric: "acquisitions".to_owned(),
        verdict: Verdict::Slower,
        first: side("v1", first),
        second: side("v2", second),
        pairs: 12,
        ..Compared::default()
    }
}

fn with_interval(why: Option<&str>) -> Compared {
    let [ratio, low, high] = [0.9, 0.88, 0.92].map(Some);
    let why = why.map(str::to_owned);
    Compared { ratio, low, high, why, ..compared([Some(4.0), Some(5.0)]) }
}

#[test]
fn a_verdict_is_shown_by_its_interval_or_by_its_numbers() {
    let text = |line: Compared| of_compared(&line, "n1").1.text;
    assert_eq!(text(with_interval(None)), "0.90 [0.88, 0.92]");
    assert_eq!(text(compared([Some(4.0), Some(5.0)])), "4.000 -> 5.000");
    assert_eq!(text(compared([Some(4.0); 2])), "4.000");
    assert_eq!(text(Compared { pairs: 0, ..compared([None; 2]) }), NONE);
}

#[test]
fn a_verdict_has_a_ratio_where_that_may_be_used() {
    let (subject, value) = of_compared(&with_interval(None), "n1");
    assert_eq!((&*subject.against, &*subject.metric), ("v2 to v1", "acquisitions"));
    assert_eq!((&*value.node, value.verdict), ("n1", Some(Verdict::Slower)));
    let ratio = value.ratio.expect("an interval");
    assert_eq!((ratio.cell, ratio.pairs), (subject.cell, 12));
    assert_eq!((ratio.ratio, ratio.low, ratio.high), (Some(0.9), Some(0.88), Some(0.92)));
    assert_eq!(ratio.level, Rule::default().level_per_look);
    assert_eq!(of_compared(&with_interval(Some("host busy")), "n1").1.ratio, None);
    assert_eq!(of_compared(&compared([Some(4.0), Some(5.0)]), "n1").1.ratio, None);
}

#[test]
fn only_what_was_measured_is_measured() {
    let run = |records| Run {
        id: "x".to_owned(),
        path: "x.jsonl".into(),
        records,
        partial: false,
        torn_line: None,
    };
    let one = run(vec![crate::Measured::default().into()]);
    let other = run(vec![compared([None; 2]).into()]);
    assert_eq!(measured(&[other, one.clone()]), [one]);
}

fn value(text: &str) -> Value {
    Value {
        node: "n1".to_owned(),
        text: text.to_owned(),
        verdict: Some(Verdict::Same),
        why: None,
        ratio: None,
    }
}

fn line(cell: &str, values: Vec<Vec<Value>>, agreement: Agreement) -> Line {
    let [cell, against, metric] = [cell, "to global", "throughput"].map(str::to_owned);
    Line { subject: Subject { cell, against, metric }, values, agreement }
}

#[test]
fn counters_agree_where_all_of_them_are_equal() {
    let of = |texts: &[&str]| {
        let values = texts.iter().map(|text| vec![value(text)]).collect();
        line("x", values, Agreement::Alone).agree(0)
    };
    assert_eq!(of(&["4.000"]), Agreement::Alone);
    assert_eq!(of(&["4.000"; 3]), Agreement::Agree);
    for unlike in [["4.000", "4.000", "5.000"], ["4.000", "5.000", "4.000"]] {
        assert_eq!(of(&unlike), Agreement::Differ(None));
    }
}

#[test]
fn a_cell_of_the_table_says_the_verdict_and_how_many_nodes_more_there_are() {
    assert_eq!(told(&[]), "");
    assert_eq!(told(&[value("4.000")]), "4.000 SAME");
    assert_eq!(told(&[value("4.000"), value("5.000"), value("6.000")]), "4.000 SAME (+2)");
}

const SPAN: Disagreement = Disagreement { runs: 2, low: 0.001, high: 0.5 };

#[test]
fn a_span_is_printed_with_the_digits_of_its_middle() {
    assert_eq!(word(Agreement::Differ(Some(SPAN))), "DIFFER: 0.001 to 0.500");
    let wide = Disagreement { low: 4.0, high: 400.0, ..SPAN };
    assert_eq!(word(Agreement::Opposite(wide)), "OPPOSITE: 4.0 to 400.0");
    assert_eq!(word(Agreement::Differ(None)), "DIFFER");
    assert_eq!([Agreement::Agree, Agreement::Alone].map(word), ["agree", ""]);
}

fn machines(names: &[&str]) -> Collected {
    let machine = |name: &&str| Machine { name: (*name).to_owned(), ..Machine::default() };
    Collected { machines: names.iter().map(machine).collect(), faults: Vec::new() }
}

#[test]
fn it_is_counted_on_how_many_figures_machines_differ() {
    let all = machines(&["a", "b"]);
    let notes = |agreements: &[Agreement]| {
        let of = |agreement: &Agreement| line("x", vec![vec![], vec![]], *agreement);
        notes(&all, &agreements.iter().map(of).collect::<Vec<Line>>())
    };
    let (differ, opposite) = (Agreement::Differ(None), Agreement::Opposite(SPAN));
    assert_eq!(notes(&[Agreement::Alone]), Vec::<String>::new());
    assert_eq!(notes(&[Agreement::Agree]), ["machines differ on 0 of 1 figures"]);
    assert_eq!(
        notes(&[differ, Agreement::Alone, differ, Agreement::Agree, opposite]),
        ["machines differ on 3 of 4 figures, and on 1 of these not even in direction"]
    );
    assert_eq!(notes(&[differ, differ]), ["machines differ on 2 of 2 figures"]);
}

#[test]
fn a_reason_is_told_once_for_each_cell_and_machine() {
    let because = |why: &str| Value { why: Some(why.to_owned()), ..value("-") };
    let lines = [
        line(
            "x",
            vec![vec![because("busy"), because("busy")], vec![because("busy")]],
            Agreement::Alone,
        ),
        line("y", vec![vec![because("cut")], vec![value("4.000")]], Agreement::Alone),
    ];
    assert_eq!(notes(&machines(&["a", "b"]), &lines), ["busy: x on a, x on b", "cut: y on a"]);
}

/// Cells of 10 letters, a column of 18, of 11 and of 15, and a last one of 8: of the first two
/// machines lines have 53 letters, of the last two 50, of all three 70.
#[test]
fn so_many_machines_stand_side_by_side_as_fit() {
    let lines = [
        line(
            "cccccccccc",
            vec![
                vec![value("1.00 [0.9, 1]")],
                vec![value("2.0000")],
                vec![value("3.00"), value("")],
            ],
            Agreement::Agree,
        ),
        line("c", vec![vec![], vec![], vec![value("4.00000000")]], Agreement::Alone),
    ];
    let all = machines(&["a", "b", "c"]);
    let blocks = |columns: usize| -> Vec<String> {
        let text = render(&all, &lines, columns);
        let table = text.lines().filter(|line| line.starts_with('c'));
        assert!(table.clone().all(|line| line.chars().count() <= columns), "{columns}:\n{text}");
        let heads = table.filter(|line| line.starts_with("cell "));
        heads.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(blocks(70), ["cell a b c machines"]);
    for columns in [69, 53] {
        assert_eq!(blocks(columns), ["cell a b machines", "cell c machines"]);
    }
    for columns in [52, 50] {
        assert_eq!(blocks(columns), ["cell a machines", "cell b c machines"]);
    }
    assert_eq!(blocks(49), ["cell a machines", "cell b machines", "cell c machines"]);
}

#[test]
fn one_machine_agrees_with_nobody() {
    let lines = [line("pairs", vec![vec![value("1.00")]], Agreement::Alone)];
    let text = render(&machines(&["a"]), &lines, 80);
    assert!(text.contains("\ncell   a\npairs  1.00 SAME\n"), "{text}");
}

#[test]
fn what_agreement_is_worth_is_said_where_it_was_asked() {
    let says = |agreement| {
        let lines = [line("x", vec![vec![value("1.00")], vec![]], agreement)];
        render(&machines(&["a", "b"]), &lines, 500).contains(LEGEND)
    };
    assert!(says(Agreement::Agree) && says(Agreement::Differ(None)) && !says(Agreement::Alone));
}
