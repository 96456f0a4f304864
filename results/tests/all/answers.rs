//! What a run answers: sentences of records whose truth is known.

mod bounds;
mod open;
mod truth;

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
        saved: 0,
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
        ..crate::fixture::words()
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
fn of_nothing_nothing_is_said() {
    let nothing = answers(run(Vec::new()));
    assert!(nothing.iter().next().is_none());
    assert_eq!(
        answer::text(&nothing, 80),
        "How fine should the lock be? This run does not say: no ratio was measured.\n"
    );
}

#[test]
fn questions_are_answered_in_their_order_whatever_was_measured_first() {
    let mut all = example();
    let expected = sentences(of(&all));
    // One busy pair before the private ones.
    all.rotate_left(4);
    assert_eq!(sentences(of(&all)), expected);
}
