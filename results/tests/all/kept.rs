//! What other kept runs of a program add to an answer: stores whose truth is known.

use results::answer::Answers;
use results::{
    Answer, Disagreement, Kept, Measured, Ratio, Record, Run, Store, Summary, summarise, table,
};

use crate::fixture::{cell, host, noon, throughput, words};

/// A run that says this of `pairs` with two threads, `per-socket` to `global`.
#[derive(Clone, Debug)]
struct Says {
    ratio: [f64; 3],
    /// Its place among the runs: it began so many seconds after noon.
    second: u64,
}

fn says(second: u64, ratio: [f64; 3]) -> Says {
    Says { ratio, second }
}

impl Says {
    fn lines(&self, change: impl Fn(&mut Measured)) -> Vec<Record> {
        let started = noon() + std::time::Duration::from_secs(self.second);
        let line = |backend: &str| {
            let mut line = throughput(backend, 0, 1000);
            line.started = results::time::rfc3339_utc(started);
            change(&mut line);
            line
        };
        let lines = ["global", "per-socket"].map(line);
        let [cell, against] = ["per-socket", "global"].map(|name| cell("pairs", name, 2).id());
        let [ratio, low, high] = self.ratio.map(Some);
        let found = Ratio {
            cell,
            against,
            threads: 2,
            metric: "throughput".to_owned(),
            ratio,
            low,
            high,
            level: 0.95,
            pairs: 24,
            host: lines[0].host.clone(),
            ..Ratio::default()
        };
        lines.into_iter().map(Record::from).chain([found.into()]).collect()
    }
}

/// Keeps a run of these lines, and reads it.
fn keep(store: &Store, lines: &[Record]) -> Run {
    let writer = store.start(noon()).expect("a run");
    lines.iter().for_each(|line| writer.append(line).expect("a line"));
    writer.finish().expect("the end");
    store.read(writer.id()).expect("a run")
}

fn summary(run: &Run, kept: &Kept) -> Summary {
    let mut summary = summarise(std::slice::from_ref(run), "global").expect("sums up");
    summary.hold_against(kept);
    summary
}

fn answers(run: &Run, kept: &Kept) -> Vec<Answer> {
    let (runs, summary) = (std::slice::from_ref(run), summary(run, kept));
    Answers::of(runs, &summary, &words()).iter().cloned().collect()
}

/// What the first says, the others being kept beside it.
fn said(shown: &Says, others: &[Says]) -> Answer {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for other in others {
        keep(&store, &other.lines(|_| ()));
    }
    let run = keep(&store, &shown.lines(|_| ()));
    let kept = Kept::beside(&store, std::slice::from_ref(&run));
    let mut all = answers(&run, &kept);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_run_that_does_not_agree_widens_what_is_said() {
    let shown = says(0, [2.26, 2.2, 2.31]);
    let alone = said(&shown, &[]);
    assert!(
        alone.sentence.ends_with("pays with 2 threads: 2.26 x global [2.20, 2.31]"),
        "{alone:?}"
    );
    assert_eq!((alone.low, alone.high, alone.runs), (Some(2.2), Some(2.31), None));
    let agrees = says(1, [2.42, 2.33, 2.5]);
    assert_eq!(
        said(&shown, std::slice::from_ref(&agrees)),
        alone,
        "what chance can do is no contradiction"
    );
    let far = says(2, [3.12, 3.06, 3.18]);
    let all = said(&shown, &[agrees, far]);
    assert!(
        all.sentence.ends_with("2.20 to 3.18 x global in 3 runs kept of this program"),
        "{all:?}"
    );
    assert_eq!((all.ratio, all.low, all.high), (None, Some(2.2), Some(3.18)));
    assert_eq!(all.runs, Some(3));
}

/// The table of a run of these lines, beside another whose ratio is 3.12 [3.06, 3.18].
fn table_beside(lines: impl Fn(&Says) -> Vec<Record>) -> (Summary, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    keep(&store, &lines(&says(1, [3.12, 3.06, 3.18])));
    let run = keep(&store, &lines(&says(0, [2.26, 2.2, 2.31])));
    let summary = summary(&run, &Kept::beside(&store, std::slice::from_ref(&run)));
    let text = table::render(&summary, 80);
    (summary, text)
}

#[test]
fn a_table_marks_the_ratios_on_which_runs_do_not_agree() {
    let (summary, text) = table_beside(|says| says.lines(|_| ()));
    let all = Disagreement { runs: 2, low: 2.2, high: 3.18 };
    assert_eq!(summary.rows[1].disagreement, Some(all));
    assert_eq!(summary.rows[0].disagreement, None);
    assert!(text.contains("  * 2.26 [2.20, 2.31]"), "{text}");
    let legend = "* 2 kept runs of this program do not agree: pairs per-socket t2 2.20 to 3.18\n";
    assert!(text.contains(legend), "{text}");
    let quiet = table::render(&summarise(&[], "global").expect("nothing"), 80);
    assert!(!quiet.contains('*'), "{quiet}");
}

/// A ratio that no sentence is made of, the machine's own sockets' say, is in the table all the
/// same.
#[test]
fn a_table_marks_what_the_answer_does_not_rank() {
    let (_, text) =
        table_beside(|says| says.lines(|line| (line.locks, line.fast_path) = Default::default()));
    assert!(text.contains("  * 2.26 [2.20, 2.31]"), "{text}");
}

#[test]
fn a_ratio_that_may_not_be_used_is_held_against_none() {
    let (_, text) = table_beside(|says| says.lines(|line| line.pinning.oversubscribed = true));
    assert!(text.contains("2.26 [2.20, 2.31]") && !text.contains('*'), "{text}");
}

/// The reference against itself, of this workload, with two threads.
fn itself(workload: &str, low: f64, high: f64) -> Ratio {
    let id = cell(workload, "global", 2).id();
    let [ratio, low, high] = [(low + high) / 2.0, low, high].map(Some);
    Ratio {
        cell: id.clone(),
        against: id,
        metric: "throughput".to_owned(),
        ratio,
        low,
        high,
        level: 0.95,
        pairs: 24,
        host: host(),
        ..Ratio::default()
    }
}

/// The shown run's own reference against itself: an interval that holds 1 spoils nothing.
#[test]
fn a_reference_that_only_touches_1_does_not_differ_from_itself() {
    let is_used = |low: f64, high: f64| {
        let lines = |says: &Says| {
            let mut lines = says.lines(|_| ());
            lines.push(itself("pairs", low, high).into());
            lines
        };
        table_beside(lines).1.contains("  * 2.26 [2.20, 2.31]")
    };
    assert!(is_used(1.0, 1.05) && is_used(0.95, 1.0));
    assert!(!is_used(1.001, 1.05) && !is_used(0.95, 0.999));
}

/// Two runs of programs of which nobody can say that they were one.
#[test]
fn an_unknown_program_is_held_against_none() {
    let is_marked = |change: fn(&mut Measured)| {
        table_beside(|says| says.lines(change)).1.contains("  * 2.26 [2.20, 2.31]")
    };
    assert!(is_marked(|_| ()));
    assert!(!is_marked(|line| line.commit = None));
    assert!(!is_marked(|line| line.build = None));
    assert!(!is_marked(|line| line.dirty = Some(true)));
    assert!(!is_marked(|line| line.dirty = None));
}

#[test]
fn what_all_runs_together_allow_is_said_and_no_more() {
    let costs = said(&says(0, [0.8, 0.78, 0.82]), &[says(1, [0.9, 0.88, 0.92])]);
    assert!(
        costs.sentence.ends_with("costs 8 to 22 % in 2 runs kept of this program with 2 threads")
            || costs.sentence.ends_with("is slower: 0.78 to 0.92 x in 2 runs kept of this program"),
        "{costs:?}"
    );
    // One run pays, the other costs.
    let open = said(&says(0, [1.11, 1.05, 1.14]), &[says(1, [0.95, 0.92, 0.98])]);
    assert_eq!(open.question, "not answered");
    assert_eq!(
        open.sentence,
        "pairs per-socket with 2 threads / global: 1.11 [1.05, 1.14] in this run, 0.92 to 1.14 in \
         2 kept of this program: they do not agree"
    );
    assert_eq!((open.low, open.high, open.runs), (Some(0.92), Some(1.14), Some(2)));
    let same = said(&says(0, [1.02, 1.015, 1.025]), &[says(1, [0.985, 0.98, 0.99])]);
    assert!(same.sentence.ends_with("makes no difference within 3 %"), "{same:?}");
    assert_eq!((same.low, same.high, same.runs), (Some(0.98), Some(1.03), Some(2)));
}

/// How many runs the answer of a quiet run is over, when another of 3 [2.9, 3.1] lies beside it.
fn runs_with(change: impl Fn(&mut Measured), also: impl Fn(&mut Vec<Record>)) -> Option<u32> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut lines = says(1, [3.0, 2.9, 3.1]).lines(change);
    also(&mut lines);
    keep(&store, &lines);
    let run = keep(&store, &says(0, [2.0, 1.9, 2.1]).lines(|_| ()));
    answers(&run, &Kept::beside(&store, std::slice::from_ref(&run)))[0].runs
}

#[test]
fn only_the_same_program_on_the_same_machine_and_cpus_is_held_against_it() {
    let changed = |change: fn(&mut Measured)| runs_with(change, |_| ());
    assert_eq!(changed(|_| ()), Some(2));
    assert_eq!(changed(|line| line.commit = Some("another".to_owned())), None);
    assert_eq!(changed(|line| line.commit = None), None);
    assert_eq!(changed(|line| line.dirty = Some(true)), None);
    assert_eq!(changed(|line| line.rustc = "rustc 1.96.0".to_owned()), None);
    assert_eq!(changed(|line| line.build = Some("opt-level 0".to_owned())), None);
    assert_eq!(changed(|line| line.build = None), None);
    assert_eq!(changed(|line| line.host.kernel = "Linux 6.19.0".to_owned()), None);
    assert_eq!(changed(|line| line.pinning.asked = vec![1, 0]), None);
    let elsewhere = |line: &mut Measured, backend: &str| {
        if line.cell.backend == backend {
            line.pinning.asked = vec![1, 0];
        }
    };
    assert_eq!(runs_with(|line| elsewhere(line, "per-socket"), |_| ()), None);
    assert_eq!(runs_with(|line| elsewhere(line, "global"), |_| ()), Some(2), "not that cell's");
    // The same run under another name.
    assert_eq!(changed(|line| line.started = results::time::rfc3339_utc(noon())), None);
}

#[test]
fn ratios_that_say_nothing_are_not_held_against_it() {
    fn ratio(lines: &mut [Record], change: impl Fn(&mut Ratio)) {
        for line in lines {
            if let Record::Ratio(ratio) = line {
                change(ratio);
            }
        }
    }
    let changed = |change: fn(&mut Ratio)| runs_with(|_| (), |lines| ratio(lines, change));
    assert_eq!(changed(|_| ()), Some(2));
    assert_eq!(changed(|ratio| ratio.level = 0.94), None);
    assert_eq!(changed(|ratio| (ratio.low, ratio.high) = (None, None)), None);
    assert_eq!(changed(|ratio| ratio.cell = cell("pairs", "lock-free", 2).id()), None);
    assert_eq!(changed(|ratio| ratio.against = cell("pairs", "per-buffer", 2).id()), None);
    assert_eq!(changed(|ratio| ratio.metric = "send_p99".to_owned()), None);
    let beside = |workload: &'static str, low: f64, high: f64| {
        runs_with(
            |_| (),
            move |lines| {
                lines.push(itself(workload, low, high).into());
            },
        )
    };
    assert_eq!(beside("pairs", 0.98, 1.02), Some(2));
    assert_eq!(beside("pairs", 1.0, 1.05), Some(2), "it holds 1");
    assert_eq!(beside("pairs", 0.95, 1.0), Some(2));
    assert_eq!(beside("pairs", 1.01, 1.05), None);
    assert_eq!(beside("pairs", 0.95, 0.99), None);
    assert_eq!(beside("stream", 1.01, 1.05), Some(2));
}

#[test]
fn the_newest_runs_are_looked_at_and_what_cannot_be_read_is_left_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for second in 1..=25 {
        keep(&store, &says(second, [3.0, 2.9, 3.1]).lines(|_| ()));
    }
    std::fs::write(folder.path().join("20270101T000000Z-0000.jsonl"), "no record\n")
        .expect("written");
    let run = keep(&store, &says(0, [2.0, 1.9, 2.1]).lines(|_| ()));
    assert_eq!(answers(&run, &Kept::beside(&store, std::slice::from_ref(&run)))[0].runs, Some(21));
    let several = [run.clone(), run.clone()];
    assert_eq!(answers(&run, &Kept::beside(&store, &several))[0].runs, None);
}

/// Student's t of 23: 2.069 at 5 %, 2.807 at 1 %, 3.104 at 0.5 %, 3.27 at a third of 1 %. Two
/// intervals are looked at, the shown run's and the other's: the reference has none.
#[test]
fn runs_differ_at_the_level_of_all_intervals_that_are_looked_at() {
    let at = |middle: f64| [middle, middle - 0.05, middle + 0.05].map(f64::exp);
    let differ = |by: f64| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        keep(&store, &says(1, at(1.0 + by)).lines(|_| ()));
        let run = keep(&store, &says(0, at(1.0)).lines(|_| ()));
        let kept = Kept::beside(&store, std::slice::from_ref(&run));
        summary(&run, &kept).rows[1].disagreement.is_some()
    };
    assert!(!differ(0.1 * 2.95 / 2.069) && differ(0.1 * 3.15 / 2.069));
}
