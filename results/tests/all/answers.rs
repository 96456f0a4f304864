//! What a run answers: sentences of records whose truth is known, and that no sentence says more
//! than its interval.

use fastrand::Rng;
use results::answer::{self, Answers, Words};
use results::{
    Answer, Cell, FastPath, HostNoise, LockCounts, Measured, Pinning, Ratio, Record, Run, summarise,
};

use crate::fixture::{cell, host, noon, run};

/// A cell that was measured, and what it says.
#[derive(Clone, Copy, Debug)]
struct Known {
    workload: &'static str,
    backend: &'static str,
    threads: u32,
    /// The ratio, its interval; nothing with too few pairs.
    ratio: Option<[f64; 3]>,
    /// Locks and relocks per operation, the share that was not free.
    locks: [f64; 3],
}

const fn known(
    workload: &'static str,
    backend: &'static str,
    threads: u32,
    ratio: [f64; 3],
    locks: [f64; 3],
) -> Known {
    Known { workload, backend, threads, ratio: Some(ratio), locks }
}

const GLOBAL_LOCKS: [f64; 3] = [4.0, 0.0, 0.0];

fn measured(cell: &Cell, locks: [f64; 3]) -> Measured {
    let operations = 1_000_000.0;
    let of = |share: f64| (operations * share).round() as u64;
    let [acquisitions, relocks, not_free] = locks;
    let is_lockless = acquisitions == 0.0;
    let counts = LockCounts {
        class: "solock".to_owned(),
        acquisitions: of(acquisitions),
        contended: of(acquisitions * not_free),
        relocks: of(relocks),
        retries: 0,
    };
    let fast = if is_lockless { of(1.0) } else { 0 };
    Measured {
        cell_id: cell.id(),
        cell: cell.clone(),
        operations: of(1.0),
        operations_per_thread: vec![of(1.0)],
        operations_per_second: operations,
        seconds: 1.0,
        locks: if is_lockless { Vec::new() } else { vec![counts] },
        fast_path: FastPath { sends: fast, slow_sends: of(1.0) - fast, ..FastPath::default() },
        host_noise: HostNoise::default(),
        pinning: Pinning::default(),
        host: host(),
        started: results::time::rfc3339_utc(noon()),
        ..Measured::default()
    }
}

fn ratio(cell: &Cell, against: &Cell, found: Option<[f64; 3]>) -> Ratio {
    Ratio {
        cell: cell.id(),
        against: against.id(),
        threads: cell.threads,
        metric: "throughput".to_owned(),
        ratio: found.map(|[middle, ..]| middle),
        low: found.map(|[_, low, _]| low),
        high: found.map(|[.., high]| high),
        level: if found.is_some() { 0.95 } else { 0.0 },
        pairs: if found.is_some() { 24 } else { 3 },
        budget_seconds: Some(60.0),
        host: host(),
        ..Ratio::default()
    }
}

/// A run of these cells, each beside `global`.
fn of(all: &[Known]) -> Run {
    let mut run = run(Vec::new());
    for one in all {
        let (cell, against) = (
            cell(one.workload, one.backend, one.threads),
            cell(one.workload, "global", one.threads),
        );
        run.records.push(measured(&against, GLOBAL_LOCKS).into());
        run.records.push(measured(&cell, one.locks).into());
        run.records.push(ratio(&cell, &against, one.ratio).into());
    }
    run
}

fn words() -> Words {
    let words = [
        ("global", "one lock for all"),
        ("per-socket", "a lock per socket"),
        ("lock-free", "no lock"),
    ];
    Words {
        backends: words.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
        finer: vec!["per-socket".to_owned()],
    }
}

fn answers(run: Run) -> Answers {
    let runs = [run];
    Answers::of(&runs, &summarise(&runs, "global").expect("sums up"), &words())
}

fn sentences(run: Run) -> Vec<(String, String)> {
    answers(run).iter().map(|one| (one.question.clone(), one.sentence.clone())).collect()
}

/// The run of the example in the answer's own form.
fn example() -> Vec<Known> {
    vec![
        known("pairs", "per-socket", 1, [0.79, 0.77, 0.81], [7.0, 1.0, 0.0]),
        known("pairs", "per-socket", 2, [3.05, 2.98, 3.12], [7.0, 1.0, 0.0]),
        known("pairs", "lock-free", 1, [1.84, 1.80, 1.88], [0.0, 0.0, 0.0]),
        known("pairs", "lock-free", 2, [7.0, 6.8, 7.2], [0.0, 0.0, 0.0]),
        known("stream", "per-socket", 2, [0.51, 0.47, 0.55], [5.0, 1.0, 0.12]),
        known("duplex", "per-socket", 2, [0.42, 0.4, 0.44], [5.0, 1.0, 0.12]),
        known("pingpong", "per-socket", 2, [1.05, 0.93, 1.18], [14.0, 2.0, 0.0]),
    ]
}

#[test]
fn an_example_reads_well() {
    let mut run = of(&example());
    let host = cell("pairs", "host", 2);
    run.records.push(measured(&host, [0.0; 3]).into());
    if let Some(Record::Measured(host)) = run.records.last_mut() {
        host.fast_path = FastPath::default();
    }
    run.records.push(ratio(&host, &cell("pairs", "global", 2), Some([0.05, 0.04, 0.06])).into());
    let text = answer::text(&answers(run), 80);
    let expected = "\
How fine should the lock be? On this machine (2 CPUs), 64-byte stream messages:
  private pairs   a lock per socket pays from 2 threads: 3.05 x one lock for
                  all [2.98, 3.12]; with 1 thread it costs 21 % [19, 23]: 3 more
                  locks a message, 1 relock a message
  one busy pair   finer is slower: 0.51 x [0.47, 0.55] streaming,
                  0.42 x [0.40, 0.44] both ways: 1 more lock a message, 1 relock
                  a message, 12 % of the locks were not free
  no lock at all  it pays: 1.84 x one lock for all [1.80, 1.88] with 1 thread,
                  7.00 x [6.80, 7.20] with 2
  not answered    pingpong per-socket with 2 threads / global:
                  1.05 [0.93, 1.18], too wide; --budget 90s would decide 10 %
";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn a_sentence_carries_its_cells_and_its_interval() {
    let all = answers(of(&example()));
    let first = all.iter().next().expect("a sentence");
    assert_eq!((first.ratio, first.low, first.high), (Some(3.05), Some(2.98), Some(3.12)));
    let ids = [1, 2].map(|threads| cell("pairs", "per-socket", threads).id());
    assert_eq!(first.cells, ids);
    assert_eq!(first.host, host());
    assert_eq!(first.started, results::time::rfc3339_utc(noon()));
}

fn one_sentence(all: &[Known]) -> String {
    let mut said = sentences(of(all));
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0).1
}

fn pairs(threads: u32, ratio: [f64; 3]) -> Known {
    known("pairs", "per-socket", threads, ratio, GLOBAL_LOCKS)
}

#[test]
fn crossovers_are_told_only_where_they_were_seen() {
    let (less, more, same) = ([0.8, 0.7, 0.9], [2.0, 1.9, 2.1], [1.0, 0.99, 1.01]);
    for (points, expected) in [
        (
            vec![pairs(1, less), pairs(2, more), pairs(4, more)],
            "a lock per socket pays from 2 threads: 2.00 x one lock for all [1.90, 2.10] with 2 \
             threads, 2.00 x [1.90, 2.10] with 4; with 1 thread it costs 20 % [10, 30]",
        ),
        // Between 1 and 8 nothing was measured.
        (
            vec![pairs(1, less), pairs(8, more)],
            "a lock per socket pays with 8 threads: 2.00 x one lock for all [1.90, 2.10]; with 1 \
             thread it costs 20 % [10, 30]",
        ),
        // It does not go on.
        (
            vec![pairs(1, same), pairs(2, more), pairs(4, less)],
            "a lock per socket pays with 2 threads: 2.00 x one lock for all [1.90, 2.10]; with 4 \
             threads it costs 20 % [10, 30]; with 1 thread it makes no difference within 1 %",
        ),
        (
            vec![pairs(1, less), pairs(2, same)],
            "a lock per socket costs 20 % [10, 30] with 1 thread; with 2 threads it makes no \
             difference within 1 %",
        ),
        (
            vec![pairs(1, same), pairs(2, [1.01, 0.98, 1.04])],
            "a lock per socket makes no difference within 4 %",
        ),
        (
            vec![pairs(1, less), pairs(2, less)],
            "finer is slower: 0.80 x [0.70, 0.90] with 1 thread, 0.80 x [0.70, 0.90] with 2",
        ),
    ] {
        // The machine has two CPUs, but nothing here says that they were too few.
        assert_eq!(one_sentence(&points), expected);
    }
}

/// What says nothing lies between numbers of threads, and above them, as what says something else.
#[test]
fn from_a_number_on_nothing_is_open() {
    let (less, more, open) = ([0.8, 0.77, 0.83], [2.0, 1.9, 2.1], [1.0, 0.6, 1.7]);
    let costs = "with 1 thread it costs 20 % [17, 23]";
    let pays = "2.00 x one lock for all [1.90, 2.10]";
    let unmeasured = Known { ratio: None, ..pairs(4, open) };
    for (points, expected) in [
        (
            vec![pairs(1, less), pairs(2, more), pairs(4, open)],
            format!("a lock per socket pays with 2 threads: {pays}; {costs}"),
        ),
        (
            vec![pairs(1, less), pairs(2, more), unmeasured],
            format!("a lock per socket pays with 2 threads: {pays}; {costs}"),
        ),
        (
            vec![pairs(1, less), pairs(2, more), pairs(3, open), pairs(4, more)],
            format!(
                "a lock per socket pays with 2 threads: {pays}; with 4 threads it pays: 2.00 x \
                 [1.90, 2.10]; {costs}"
            ),
        ),
        // Where it begins was not seen.
        (
            vec![pairs(2, less), pairs(3, open), pairs(4, more)],
            format!(
                "a lock per socket pays with 4 threads: {pays}; with 2 threads it costs 20 % \
                 [17, 23]"
            ),
        ),
        // With 4 threads it takes locks, and that is another question.
        (
            vec![
                known("pairs", "lock-free", 1, less, [0.0; 3]),
                known("pairs", "lock-free", 2, more, [0.0; 3]),
                known("pairs", "lock-free", 4, less, GLOBAL_LOCKS),
            ],
            format!("it pays with 2 threads: {pays}; {costs}"),
        ),
    ] {
        let said: Vec<String> = sentences(of(&points)).into_iter().map(|(_, said)| said).collect();
        assert!(said.iter().any(|said| said.ends_with(&expected)), "{expected}: {said:?}");
    }
}

#[test]
fn finer_is_not_slower_where_one_lock_is_not_or_says_nothing() {
    let slow = [0.5, 0.45, 0.55];
    let two = [
        known("stream", "per-socket", 2, slow, GLOBAL_LOCKS),
        known("stream", "per-buffer", 2, [1.5, 1.4, 1.6], GLOBAL_LOCKS),
    ];
    let said = sentences(of(&two));
    assert_eq!(said[0].1, "a lock per socket is slower: 0.50 x [0.45, 0.55]");
    assert_eq!(said[1].1, "per-buffer pays with 2 threads: 1.50 x one lock for all [1.40, 1.60]");
    let open = [
        known("stream", "per-socket", 2, slow, GLOBAL_LOCKS),
        known("duplex", "per-socket", 2, [1.0, 0.5, 2.0], GLOBAL_LOCKS),
    ];
    assert_eq!(
        sentences(of(&open))[0].1,
        "streaming: a lock per socket costs 50 % [45, 55] with 2 threads"
    );
}

#[test]
fn only_what_is_finer_is_called_so() {
    for (backend, subject) in [("per-socket", "finer"), ("global-gc", "global-gc")] {
        let said = one_sentence(&[known("stream", backend, 2, [0.5, 0.45, 0.55], GLOBAL_LOCKS)]);
        assert_eq!(said, format!("{subject} is slower: 0.50 x [0.45, 0.55]"));
    }
}

/// What is said of a part of a question says of which, whatever it says.
#[test]
fn a_part_is_not_told_as_the_whole() {
    let (less, more, same) = ([0.5, 0.45, 0.55], [2.0, 1.9, 2.1], [1.0, 0.98, 1.02]);
    let open = known("duplex", "per-socket", 2, [1.0, 0.5, 2.0], GLOBAL_LOCKS);
    let pays = "2.00 x one lock for all [1.90, 2.10]";
    for (found, expected) in [
        (same, "makes no difference within 2 % with 2 threads".to_owned()),
        (less, "costs 50 % [45, 55] with 2 threads".to_owned()),
        (more, format!("pays with 2 threads: {pays}")),
    ] {
        let said = sentences(of(&[known("stream", "per-socket", 2, found, GLOBAL_LOCKS), open]));
        let [(question, part), (rest, _)] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!([question, rest], ["one busy pair", "not answered"]);
        assert_eq!(*part, format!("streaming: a lock per socket {expected}"));
        let whole = one_sentence(&[known("stream", "per-socket", 2, found, GLOBAL_LOCKS)]);
        assert!(!whole.contains("streaming"), "{whole}");
    }
    // Another number of threads is open; the question has one workload, and its name.
    for (found, expected) in [
        (same, "makes no difference within 2 % with 1 thread".to_owned()),
        (less, "costs 50 % [45, 55] with 1 thread".to_owned()),
        (more, format!("pays with 1 thread: {pays}")),
    ] {
        let said = sentences(of(&[pairs(1, found), pairs(2, [1.0, 0.5, 2.0])]));
        assert_eq!(said[0].1, format!("a lock per socket {expected}"));
    }
    // Where it takes no lock it belongs to another question.
    let said = sentences(of(&[
        known("stream", "lock-free", 2, more, [0.0; 3]),
        known("duplex", "lock-free", 2, same, GLOBAL_LOCKS),
    ]));
    assert_eq!(said[0].1, "both ways: no lock makes no difference within 2 % with 2 threads");
}

#[test]
fn every_class_of_workloads_has_its_question() {
    for (workload, question) in [
        ("pairs", "private pairs"),
        ("stream", "one busy pair"),
        ("duplex", "one busy pair"),
        ("pingpong", "request/reply"),
        ("fanin", "many to one"),
        ("groups", "many to one"),
        ("ring", "neighbours"),
        ("accept", "connection churn"),
        ("churn", "connection churn"),
        ("rights", "descriptors"),
    ] {
        let said =
            sentences(of(&[known(workload, "per-socket", 2, [2.0, 1.9, 2.1], GLOBAL_LOCKS)]));
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].0, question, "{workload}");
    }
    for workload in ["paced", "a workload of tomorrow"] {
        let said =
            sentences(of(&[known(workload, "per-socket", 2, [2.0, 1.9, 2.1], GLOBAL_LOCKS)]));
        assert!(said.is_empty(), "{said:?}");
    }
}

#[test]
fn reasons_are_the_counters() {
    let slow = [0.5, 0.45, 0.55];
    let why = |locks: [f64; 3]| {
        let text = one_sentence(&[known("accept", "per-socket", 2, slow, locks)]);
        text.strip_prefix("finer is slower: 0.50 x [0.45, 0.55]").expect("slower").to_owned()
    };
    assert_eq!(why([4.0, 0.0, 0.0]), "");
    assert_eq!(why([3.0, 0.0, 0.0]), "", "fewer locks are no reason");
    assert_eq!(why([4.5, 0.25, 0.0]), ": 0.5 more locks a connection, 0.25 relocks a connection");
    assert_eq!(why([4.0, 0.0, 0.125]), ": 13 % of the locks were not free");
    let mut busy = of(&[known("pairs", "per-socket", 2, [2.0, 1.9, 2.1], [3.0, 0.0, 0.0])]);
    if let Record::Measured(global) = &mut busy.records[0] {
        global.locks[0].contended = global.locks[0].acquisitions / 4;
    }
    assert_eq!(
        sentences(busy)[0].1,
        "a lock per socket pays with 2 threads: 2.00 x one lock for all [1.90, 2.10] (1 fewer lock \
         a message, on global 25 % of the locks were not free)"
    );
}

#[test]
fn what_is_not_answered_is_said_with_what_would_help() {
    let said = |found: Option<[f64; 3]>| {
        let run = of(&[Known { ratio: found, ..pairs(2, [1.0; 3]) }]);
        let mut said = sentences(run);
        let (question, sentence) = said.remove(0);
        assert_eq!(question, "not answered");
        sentence.strip_prefix("pairs per-socket with 2 threads / global: ").unwrap().to_owned()
    };
    // A quarter of the width takes sixteen times as long; half of it four times.
    assert_eq!(
        said(Some([1.0, 0.9, 1.1])),
        "1.00 [0.90, 1.10], too wide; --budget 4m would decide 5 %"
    );
    assert_eq!(
        said(Some([1.0, 0.94, 1.06])),
        "1.00 [0.94, 1.06], too wide; --budget 90s would decide 5 %"
    );
    assert_eq!(
        said(Some([1.0, 0.1, 2.0])),
        "1.00 [0.10, 2.00], too wide; more than --budget 5m is needed"
    );
    assert_eq!(
        said(None),
        "3 pairs of processes give no interval of 95 %; --budget 2m would give it more pairs"
    );
    let mut old = of(&[pairs(2, [2.0, 1.9, 2.1])]);
    old.records.retain(|record| !matches!(record, Record::Ratio(_)));
    assert_eq!(
        sentences(old)[0].1,
        "pairs per-socket with 2 threads / global: 1 of 1 rounds undisturbed on both sides, 6 are \
         needed for 95 %"
    );
}

#[test]
fn what_would_not_help_is_not_proposed() {
    let said = |found: Option<[f64; 3]>, change: fn(&mut Ratio)| {
        let mut run = of(&[Known { ratio: found, ..pairs(2, [1.0; 3]) }]);
        for record in &mut run.records {
            if let Record::Ratio(ratio) = record {
                change(ratio);
            }
        }
        let sentence = sentences(run).remove(0).1;
        sentence.strip_prefix("pairs per-socket with 2 threads / global: ").unwrap().to_owned()
    };
    let wide = Some([1.0, 0.92, 1.08]);
    for (change, advice) in [
        // It was narrow enough, and would stop there again.
        (
            (|ratio| ratio.within = Some(0.1)) as fn(&mut Ratio),
            "; --within 5% --budget 3m would decide 5 %",
        ),
        (|ratio| ratio.within = Some(0.05), "; --budget 3m would decide 5 %"),
        (|ratio| ratio.within = Some(0.03), "; --budget 3m would decide 5 %"),
        // A run takes a day at most.
        (|ratio| ratio.budget_seconds = Some(24.0 * 3600.0), ""),
        (|ratio| ratio.budget_seconds = None, ""),
    ] {
        assert_eq!(said(wide, change), format!("1.00 [0.92, 1.08], too wide{advice}"));
    }
    let long = |ratio: &mut Ratio| ratio.budget_seconds = Some(13.0 * 3600.0);
    let too_few = "3 pairs of processes give no interval of 95 %";
    assert_eq!(said(None, long), too_few);
    assert_eq!(said(Some([1.0, 0.1, 2.0]), long), "1.00 [0.10, 2.00], too wide");
    let pairless = said(None, |ratio| ratio.pairs = 0);
    assert!(!pairless.contains("budget"), "{pairless}");
    let invalid = said(None, |ratio| {
        ratio.why = Some("invalid: global differs from itself, 0.900 [0.880, 0.910]".to_owned());
    });
    assert_eq!(invalid, "invalid: global differs from itself, 0.900 [0.880, 0.910]");
}

#[test]
fn one_reason_is_told_once() {
    let none = |threads| Known { ratio: None, ..pairs(threads, [1.0; 3]) };
    let said = sentences(of(&[none(1), pairs(2, [0.5, 0.4, 0.6]), none(4)]));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[1].1,
        "pairs per-socket with 1 thread, pairs per-socket with 4 threads / global: 3 pairs of \
         processes give no interval of 95 %; --budget 2m would give it more pairs"
    );
}

/// Cells of one reason, each with numbers of its own, are told of together, without the numbers.
#[test]
fn a_busy_host_is_told_once() {
    let none = |threads| Known { ratio: None, ..pairs(threads, [1.0; 3]) };
    let mut run = of(&[none(1), none(2)]);
    let whys = ["host busy: 3 of 4 slices disturbed", "host busy: 5 of 6 slices disturbed"];
    let mut whys = whys.into_iter();
    for record in &mut run.records {
        if let Record::Ratio(ratio) = record {
            ratio.why = whys.next().map(str::to_owned);
        }
    }
    let said = sentences(run);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(
        said[0].1,
        "pairs per-socket with 1 thread, pairs per-socket with 2 threads / global: host busy; \
         run it with nothing else beside it"
    );
}

#[test]
fn a_level_under_95_percent_says_nothing() {
    let mut run = of(&[pairs(2, [2.0, 1.9, 2.1])]);
    for record in &mut run.records {
        if let Record::Ratio(ratio) = record {
            ratio.level = 0.949;
        }
    }
    let said = sentences(run);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, "not answered");
}

#[test]
fn spoiled_cells_say_nothing_and_are_named() {
    let more = [2.0, 1.9, 2.1];
    for (spoil, words) in [
        (
            (|pinning: &mut Pinning| pinning.oversubscribed = true) as fn(&mut Pinning),
            "more threads than CPUs",
        ),
        (|pinning| pinning.unpinned = true, "not pinned"),
    ] {
        let mut run = of(&[pairs(1, more), pairs(2, more)]);
        for record in &mut run.records {
            if let Record::Measured(measured) = record
                && measured.cell.threads == 2
            {
                spoil(&mut measured.pinning);
            }
        }
        let said = sentences(run);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].1.starts_with("a lock per socket pays with 1 thread"), "{said:?}");
        assert!(said[1].1.contains(words) && said[1].1.contains("with 2 threads"), "{said:?}");
    }
}

#[test]
fn a_cell_that_differs_from_itself_silences_those_beside_it() {
    let more = [2.0, 1.9, 2.1];
    let itself = cell("pairs", "global", 2);
    for (low, high, is_silent) in [(0.98, 1.02, false), (1.01, 1.05, true), (0.95, 0.99, true)] {
        let mut run = of(&[pairs(1, more), pairs(2, more)]);
        run.records.push(ratio(&itself, &itself, Some([(low + high) / 2.0, low, high])).into());
        let said = sentences(run);
        let silent = said.iter().any(|(question, _)| question == "not answered");
        assert_eq!(silent, is_silent, "{said:?}");
        assert!(said[0].1.contains("1 thread"), "the other group is not its business: {said:?}");
    }
}

#[test]
fn several_runs_do_not_share_a_ratio() {
    let runs = [of(&[pairs(2, [2.0, 1.9, 2.1])]), of(&[pairs(2, [3.0, 2.9, 3.1])])];
    let summary = summarise(&runs, "global").expect("sums up");
    let all = Answers::of(&runs, &summary, &words());
    let said: Vec<Answer> = all.iter().cloned().collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].sentence.ends_with("each of 2 runs has its own"), "{said:?}");
}

#[test]
fn of_nothing_nothing_is_said() {
    let nothing = answers(run(Vec::new()));
    assert!(nothing.iter().next().is_none());
    assert_eq!(
        answer::text(&nothing, 80),
        "How fine should the lock be? This run does not say: no ratio was measured.\n"
    );
}

/// Numbers in brackets: each interval that a sentence prints.
fn intervals(sentence: &str) -> Vec<[f64; 2]> {
    let ends = |text: &str| -> Option<[f64; 2]> {
        let (low, high) = text.split_once(']')?.0.split_once(", ")?;
        Some([low.parse().ok()?, high.parse().ok()?])
    };
    sentence.split('[').skip(1).filter_map(ends).collect()
}

/// The truth about one interval: what may be said of it.
fn check_one(sentence: &str, [middle, low, high]: [f64; 3], question: &str) {
    let all = format!("{sentence} of {middle} [{low}, {high}]");
    if sentence.contains("pays") {
        assert!(low > 1.0, "{all}");
    }
    if sentence.contains("costs") || sentence.contains("slower") {
        assert!(high < 1.0, "{all}");
    }
    if let Some((_, rest)) = sentence.split_once("no difference within ") {
        let percent: f64 = rest.split(' ').next().unwrap().parse().unwrap();
        assert!(percent <= 5.0, "{all}");
        assert!(1.0 - percent / 100.0 <= low + 1e-8, "{all}");
        assert!(high <= 1.0 + percent / 100.0 + 1e-8, "{all}");
    }
    if low < 1.0 && high > 1.0 {
        assert!(!sentence.contains("pays") && !sentence.contains("slower"), "{all}");
    }
    let words = ["pays", "costs", "slower", "no difference"];
    let said = words.iter().any(|word| sentence.contains(word));
    assert_eq!(said, question != "not answered", "{all}");
    for [from, to] in intervals(sentence) {
        let is_loss = sentence.contains("costs");
        let (low, high) =
            if is_loss { ((1.0 - high) * 100.0, (1.0 - low) * 100.0) } else { (low, high) };
        assert!(from <= low + 1e-7 && to >= high - 1e-7, "{from} {to}: {all}");
    }
}

/// Intervals of every kind, many of them with an end that is nearly 1.
fn draw(random: &mut Rng) -> [f64; 3] {
    let near = |random: &mut Rng| 1.0 + (random.f64() - 0.5) * 0.02;
    let (one, other) = match random.u32(0..4) {
        0 => (near(random), near(random)),
        1 => (near(random), (random.f64() * 4.0 - 2.0).exp()),
        _ => ((random.f64() * 6.0 - 3.0).exp(), (random.f64() * 6.0 - 3.0).exp()),
    };
    let (low, high) = (one.min(other), one.max(other));
    [low + (high - low) * random.f64(), low, high]
}

#[test]
fn no_sentence_says_more_than_its_interval() {
    let mut random = Rng::with_seed(12);
    for _ in 0..4_000 {
        let found = draw(&mut random);
        let workload = ["pairs", "stream", "rights"][random.usize(0..3)];
        let all = answers(of(&[known(workload, "per-socket", 2, found, GLOBAL_LOCKS)]));
        let said: Vec<&Answer> = all.iter().collect();
        assert_eq!(said.len(), 1);
        check_one(&said[0].sentence, found, &said[0].question);
        let [middle, low, high] = found.map(Some);
        assert_eq!([said[0].ratio, said[0].low, said[0].high], [middle, low, high]);
    }
}

/// Several workloads, backends and numbers of threads at once: every interval that is printed is
/// one of the sentence's cells, and what all of a sentence says is true of each of them.
#[test]
fn no_sentence_about_many_says_more_than_their_intervals() {
    let mut random = Rng::with_seed(13);
    let backends = ["per-socket", "lock-free", "global-gc", "per-buffer"];
    let mut crossovers = 0;
    for _ in 0..400 {
        let mut all = Vec::new();
        for workload in ["pairs", "stream", "duplex"] {
            for backend in &backends[..random.usize(1..5)] {
                for threads in [1, 2, 4] {
                    let lockless = *backend == "lock-free" && workload != "duplex";
                    let locks = if lockless { [0.0; 3] } else { GLOBAL_LOCKS };
                    let found = Some(draw(&mut random)).filter(|_| random.u32(0..8) > 0);
                    all.push(Known { workload, backend, threads, ratio: found, locks });
                }
            }
        }
        let found = |id: &str| {
            let known =
                all.iter().find(|one| cell(one.workload, one.backend, one.threads).id() == id);
            known.expect("a cell of the run").ratio
        };
        let mut told: Vec<String> = Vec::new();
        for answer in answers(of(&all)).iter() {
            check_many(answer, &found);
            check_from(answer, &all);
            crossovers += answer.sentence.matches("pays from ").count();
            told.extend(answer.cells.iter().cloned());
        }
        told.sort();
        let mut ids: Vec<String> =
            all.iter().map(|one| cell(one.workload, one.backend, one.threads).id()).collect();
        ids.sort();
        assert_eq!(told, ids, "every cell is told of once");
    }
    assert!(crossovers > 100, "{crossovers}");
}

fn check_many(answer: &Answer, found: &impl Fn(&str) -> Option<[f64; 3]>) {
    let sentence = &answer.sentence;
    let of_cells: Vec<Option<[f64; 3]>> = answer.cells.iter().map(|id| found(id)).collect();
    if answer.question == "not answered" {
        assert!(!sentence.contains("pays") && !sentence.contains("slower"), "{answer:?}");
        return;
    }
    let of_cells: Vec<[f64; 3]> = of_cells.into_iter().map(|one| one.expect("told")).collect();
    if sentence.contains("is slower") {
        assert!(of_cells.iter().all(|[.., high]| *high < 1.0), "{answer:?} {of_cells:?}");
    }
    let is_printed = |[_, low, high]: &[f64; 3]| {
        intervals(sentence).iter().any(|[from, to]| {
            let covers = |low: f64, high: f64| *from <= low + 1e-7 && *to >= high - 1e-7;
            covers(*low, *high) || covers((1.0 - high) * 100.0, (1.0 - low) * 100.0)
        })
    };
    for one in &of_cells {
        let [_, low, high] = one;
        let is_within = sentence
            .split("no difference within ")
            .skip(1)
            .filter_map(|rest| rest.split(' ').next()?.parse::<f64>().ok())
            .any(|percent| {
                1.0 - percent / 100.0 <= low + 1e-8 && *high <= 1.0 + percent / 100.0 + 1e-8
            });
        assert!(is_printed(one) || is_within, "{one:?} in {answer:?}");
        // What holds 1 is told as no difference or not at all.
        if *low <= 1.0 && *high >= 1.0 {
            assert!(is_within, "{one:?} in {answer:?}");
        }
    }
    for part in sentence.split("; ") {
        for [from, to] in intervals(part) {
            if part.contains("pays") {
                assert!(from > 1.0, "{part}: {answer:?}");
            } else if part.contains("costs") {
                assert!(from >= 1.0 && to <= 100.0, "{part}: {answer:?}");
            } else if part.contains("slower") {
                assert!(to < 1.0, "{part}: {answer:?}");
            }
        }
    }
}

/// "From N threads" is said where every number measured from N on pays, and the one before is known
/// not to.
fn check_from(answer: &Answer, all: &[Known]) {
    let sentence = &answer.sentence;
    let of_answer =
        |one: &&Known| answer.cells.contains(&cell(one.workload, one.backend, one.threads).id());
    for (place, _) in sentence.match_indices("pays from ") {
        let number = sentence[place + "pays from ".len()..].split(' ').next();
        let from: u32 = number.unwrap().parse().expect("a number of threads");
        let labels =
            [("private pairs: ", "pairs"), ("streaming: ", "stream"), ("both ways: ", "duplex")];
        let last = labels.iter().max_by_key(|(label, _)| sentence[..place].rfind(label));
        let told = all.iter().find(of_answer).expect("a cell of the run");
        let workload = match last {
            Some((label, workload)) if sentence[..place].contains(label) => workload,
            _ => told.workload,
        };
        let mut here: Vec<&Known> = all
            .iter()
            .filter(|one| one.workload == workload && one.backend == told.backend)
            .collect();
        here.sort_by_key(|one| one.threads);
        let begins = here.iter().position(|one| one.threads == from).expect("it was measured");
        for one in &here[begins..] {
            assert!(one.ratio.is_some_and(|[_, low, _]| low > 1.0), "{one:?} in {answer:?}");
        }
        let before = here[begins.checked_sub(1).expect("one before")];
        assert!(of_answer(&before), "{before:?} in {answer:?}");
        // It is said of the printed interval, which is wider by less than 0.01 to each side.
        let is_not_so = before.ratio.is_some_and(|[_, low, high]| low < 1.01 || high <= 1.03);
        assert!(is_not_so, "{before:?} in {answer:?}");
    }
}
