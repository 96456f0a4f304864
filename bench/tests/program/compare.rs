//! `solock compare` as its users meet it: against scripted servers, and with sides that do not
//! exist.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use super::checkout::Checkout;
use super::common::text;
use results::{Compared, Record, Run, Store, Verdict};
use tempfile::TempDir;

/// What the first line of a server of this protocol is.
const HELLO: &str = r#"{"say":"hello","protocol":1,"clock_step_ns":10.0,"commit":null}"#;
/// A host that disturbs nothing, and one that disturbs everything.
const QUIET: &str = concat!(
    r#"{"on_cpu_share_min":1.0,"run_delay_ns":0,"involuntary_switches":0,"#,
    r#""steal_ns":0,"flagged":false}"#
);
const BUSY: &str = concat!(
    r#"{"on_cpu_share_min":0.5,"run_delay_ns":9,"involuntary_switches":99,"#,
    r#""steal_ns":0,"flagged":true}"#
);

/// A server in which every slice is as scripted.
struct Fake {
    hello: String,
    /// Operations per second, in millions; the last digits differ from slice to slice.
    rate: u32,
    locks_per_operation: u32,
    /// Relocks per operation, and those that a try saved.
    relocks: [u32; 2],
    noise: &'static str,
    /// A shell command in place of an answer to the slice.
    instead: &'static str,
}

impl Fake {
    fn of_rate(rate: u32) -> Fake {
        let hello = HELLO.to_owned();
        Fake { hello, rate, locks_per_operation: 4, relocks: [0; 2], noise: QUIET, instead: "" }
    }

    /// The program, in a folder; it speaks the protocol in shell.
    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let Fake { hello, rate, locks_per_operation, relocks, noise, instead } = self;
        let acquisitions = 10_000 * locks_per_operation;
        let [relocks, saved] = relocks.map(|per_operation| 10_000 * per_operation);
        let lock = format!(
            r#"{{"class":"solock","acquisitions":{acquisitions},"contended":0,"relocks":{relocks},"#
        );
        let lock = lock + &format!(r#""retries":0,"saved":{saved}}}"#);
        let slice = r#"{"say":"slice","seconds":0.02,"operations":10000,"#.to_owned()
            + &format!(r#""operations_per_second":%s,"locks":[{lock}],"host_noise":{noise}}}"#);
        let script = format!(
            r#"#!/bin/sh
echo '{hello}'
count=$$
while read -r line; do
    case "$line" in
    *'"ask":"prepare"'*'"backend":"host"'*) echo '{{"say":"refused","why":"no such backend"}}' ;;
    *'"ask":"prepare"'*) echo '{{"say":"prepared"}}' ;;
    *'"ask":"slice"'*)
        {instead}
        count=$((count + 7919))
        printf '{slice}\n' "{rate}$((100000 + count % 1000))" ;;
    *) exit 0 ;;
    esac
done
"#
        );
        let path = folder.join(name);
        fs::write(&path, script).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        path
    }
}

/// What a comparison of two fakes said.
struct Compares {
    output: Output,
    run: Run,
    _folder: TempDir,
}

impl Compares {
    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn said(&self) -> String {
        text(&self.output.stdout) + &text(&self.output.stderr)
    }

    /// What was stored of a metric.
    fn metric(&self, name: &str) -> &Compared {
        let found = self.run.compared().find(|compared| compared.metric == name);
        found.unwrap_or_else(|| panic!("no {name}: {}", self.said()))
    }
}

/// Compares one cell of two fakes; the budget is no limit where they answer at once.
fn compare(first: &Fake, second: &Fake, more: &[&str]) -> Compares {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (first.write(folder.path(), "one"), second.write(folder.path(), "two"));
    let cell = ["--backend", "global", "--threads", "1", "--slice", "20"];
    let output = solock(&["compare", "old", "new"])
        .args(if more.contains(&"--backend") { &[][..] } else { &cell[..] })
        .args(more)
        .args(["--program", &format!("old={}", first.display())])
        .args(["--program", &format!("new={}", second.display())])
        .arg("--out")
        .arg(folder.path().join("runs"))
        .current_dir(folder.path())
        .output()
        .expect("solock starts");
    let files = Store::at(folder.path().join("runs")).list().expect("readable");
    let said = text(&output.stderr);
    let run = Run::read(files.first().expect(&said)).expect("the run can be read");
    Compares { output, run, _folder: folder }
}

fn solock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[test]
fn a_slower_side_is_slower_and_the_exit_code_says_so() {
    let it = compare(&Fake::of_rate(10), &Fake::of_rate(9), &[]);
    assert_eq!(it.code(), Some(3), "{}", it.said());
    let throughput = it.metric("throughput");
    assert_eq!(throughput.verdict, Verdict::Slower);
    let ratio = throughput.ratio.expect("a ratio");
    assert!((ratio - 0.9).abs() < 0.02, "{ratio}");
    assert_eq!(it.metric("acquisitions").verdict, Verdict::Same);
    assert!(it.said().contains("SLOWER"), "{}", it.said());
}

#[test]
fn the_same_side_is_the_same() {
    let it = compare(&Fake::of_rate(10), &Fake::of_rate(10), &["--json"]);
    assert_eq!(it.code(), Some(0), "{}", it.said());
    assert_eq!(it.metric("throughput").verdict, Verdict::Same);
    let printed: Vec<Record> = text(&it.output.stdout)
        .lines()
        .map(|line| Record::from_line(line).expect("a record"))
        .collect();
    assert_eq!(printed, it.run.records, "what is printed is what is stored");
}

#[test]
fn a_counter_is_a_gate_whatever_the_times_say() {
    let more = Fake { locks_per_operation: 5, ..Fake::of_rate(10) };
    let it = compare(&Fake::of_rate(10), &more, &["--markdown"]);
    assert_eq!(it.code(), Some(3), "{}", it.said());
    assert_eq!(it.metric("acquisitions").verdict, Verdict::Slower);
    assert!(it.said().contains("4.000 -> 5.000"), "{}", it.said());
}

#[test]
fn what_a_try_does_not_save_any_more_is_told_beside_the_relock_that_it_became() {
    let [tries, relocks] = [[0, 2], [2, 0]].map(|relocks| Fake { relocks, ..Fake::of_rate(10) });
    let it = compare(&tries, &relocks, &[]);
    assert_eq!(it.code(), Some(3), "{}", it.said());
    for line in
        ["  relocks      0.000 -> 2.000       SLOWER", "  saved        2.000 -> 0.000       SLOWER"]
    {
        assert!(it.said().lines().any(|said| said == line), "{line:?}: {}", it.said());
    }
    // What falls to nothing is stored, too.
    let it = compare(&relocks, &tries, &[]);
    assert_eq!(it.code(), Some(0), "{}", it.said());
    let verdicts = ["relocks", "saved"].map(|name| it.metric(name).verdict);
    assert_eq!(verdicts, [Verdict::Faster; 2]);
    let it = compare(&Fake::of_rate(10), &Fake::of_rate(10), &[]);
    assert!(!it.said().contains("saved"), "{}", it.said());
}

#[test]
fn a_busy_host_is_said_and_not_judged() {
    let busy = || Fake { noise: BUSY, ..Fake::of_rate(10) };
    let it = compare(&busy(), &busy(), &["--budget", "500ms"]);
    assert_eq!(it.code(), Some(4), "{}", it.said());
    let throughput = it.metric("throughput");
    assert_eq!(throughput.verdict, Verdict::Unclear);
    assert_eq!(throughput.why.as_deref(), Some("host busy"));
    assert!(throughput.slices > 0 && throughput.slices_rejected == throughput.slices);
}

#[test]
fn whoever_asks_for_noise_has_a_verdict_on_a_busy_host() {
    let busy = |rate| Fake { noise: BUSY, ..Fake::of_rate(rate) };
    let it = compare(&busy(10), &busy(9), &["--noisy"]);
    assert_eq!(it.code(), Some(3), "{}", it.said());
    let throughput = it.metric("throughput");
    assert_eq!((throughput.verdict, throughput.why.as_deref()), (Verdict::Slower, None));
}

#[test]
fn a_verdict_says_of_which_commits_it_is_and_since_when() {
    let of = |commit: &str, dirty: bool| {
        let commit = format!(r#""commit":"{commit}","dirty":{dirty}"#);
        Fake { hello: HELLO.replace(r#""commit":null"#, &commit), ..Fake::of_rate(10) }
    };
    let before = results::time::rfc3339_utc(SystemTime::now());
    let it = compare(&of("aaaa", false), &of("bbbb", true), &[]);
    assert!(it.run.compared().count() > 1, "{}", it.said());
    for line in it.run.compared() {
        let sides = [&line.first, &line.second].map(|side| (side.commit.as_deref(), side.dirty));
        assert_eq!(sides, [(Some("aaaa"), Some(false)), (Some("bbbb"), Some(true))]);
        assert!(line.started >= before, "{line:?}");
    }
}

#[test]
fn a_side_that_crashes_in_a_slice_is_named_and_unclear() {
    let crashing = Fake { instead: "echo broken >&2; kill -9 $$", ..Fake::of_rate(10) };
    let it = compare(&Fake::of_rate(10), &crashing, &[]);
    assert_eq!(it.code(), Some(4), "{}", it.said());
    let why = it.metric("throughput").why.clone().expect("a reason");
    assert!(why.contains("new: its process ended") && why.contains("signal: 9"), "{why}");
    assert!(why.contains("broken"), "{why}");
}

/// What ends a foreign program's side: one sentence, however much it wrote.
#[track_caller]
fn broken(instead: &'static str, word: &str) {
    let it = compare(&Fake::of_rate(10), &Fake { instead, ..Fake::of_rate(10) }, &[]);
    assert_eq!(it.code(), Some(4), "{instead}: {}", it.said());
    let why = it.metric("throughput").why.clone().expect("a reason");
    assert!(why.contains(word) && why.len() < 8000, "{instead} should say {word:?}: {why}");
}

#[test]
fn whatever_a_program_writes_is_read_within_bounds() {
    broken(r"yes x | tr -d '\n'", "a line of over 16 MiB");
    broken("yes", "no answer");
    broken("head -c 300000 /dev/urandom", "no answer");
    broken(r"head -c 9000000 /dev/zero | tr '\0' x >&2; exit 1", "its process ended");
    broken("(trap '' HUP; sleep 600) & exit 1", "its process ended");
    for fields in [
        r#"printf '{"say":"slice"}\n'; continue"#,
        r#"printf '{"say":"slice","seconds":"x","operations":1}\n'; continue"#,
        r#"printf '{"say":"prepared"}\n'; continue"#,
        r#"printf '[]\n'; continue"#,
    ] {
        broken(fields, "said");
    }
}

#[test]
fn a_finding_of_a_side_ends_with_code_2() {
    let leaking = Fake { instead: "echo 'witness: userret' >&2; exit 2", ..Fake::of_rate(10) };
    let it = compare(&Fake::of_rate(10), &leaking, &[]);
    assert_eq!(it.code(), Some(2), "{}", it.said());
    assert!(it.said().contains("new: a check found something"), "{}", it.said());
    assert!(it.said().contains("witness: userret"), "{}", it.said());
}

#[test]
fn another_protocol_and_no_server_at_all_are_said_per_side() {
    let hello = r#"{"say":"hello","protocol":99,"news":[]}"#.to_owned();
    let it = compare(&Fake::of_rate(10), &Fake { hello, ..Fake::of_rate(10) }, &[]);
    assert_eq!(it.code(), Some(4), "{}", it.said());
    // In the table, and before it, when the others are still to be measured.
    for said in [&it.output.stdout, &it.output.stderr] {
        assert!(text(said).contains("new: it speaks protocol 99"), "{}", it.said());
    }
    let hello = "error: unrecognized subcommand".to_owned();
    let it = compare(&Fake::of_rate(10), &Fake { hello, ..Fake::of_rate(10) }, &[]);
    assert_eq!(it.code(), Some(4), "{}", it.said());
    assert!(it.said().contains("it has no `solock serve`"), "{}", it.said());
}

#[test]
fn a_side_that_does_not_know_a_lock_is_not_measured_without_it() {
    let hello = HELLO.replace("}", r#","locks":["ticket"]}"#);
    let knows = Fake { hello, ..Fake::of_rate(10) };
    let it = compare(&knows, &Fake::of_rate(10), &["--lock", "parking-lot,ticket"]);
    assert!(it.said().contains("new: this program has no lock ticket"), "{}", it.said());
    let verdict = |it: &Compares, end: &str| {
        let of = |compared: &&Compared| compared.cell.ends_with(end);
        it.run.compared().find(of).map(|compared| compared.verdict)
    };
    assert_eq!(verdict(&it, "/ticket"), Some(Verdict::Unclear), "{}", it.said());
    assert_eq!(verdict(&it, "/adaptive"), Some(Verdict::Same), "{}", it.said());
    let both = compare(&knows, &knows, &["--lock", "ticket"]);
    assert_eq!(verdict(&both, "/ticket"), Some(Verdict::Same), "{}", both.said());
}

#[test]
fn a_cell_that_a_side_does_not_know_leaves_the_others() {
    let it = compare(
        &Fake::of_rate(10),
        &Fake::of_rate(10),
        &["--backend", "host,global", "--threads", "1"],
    );
    assert_eq!(it.code(), Some(4), "{}", it.said());
    let verdict = |backend: &str| {
        let of = |compared: &&Compared| compared.cell.contains(backend);
        it.run.compared().find(of).map(|compared| compared.verdict)
    };
    assert_eq!(verdict("/host/"), Some(Verdict::Unclear));
    assert_eq!(verdict("/global/"), Some(Verdict::Same));
    assert!(it.said().contains("no such backend"), "{}", it.said());
}

#[test]
fn the_verdicts_of_one_run_are_shown_again() {
    let it = compare(&Fake::of_rate(10), &Fake::of_rate(9), &[]);
    let path = it.run.path.to_str().expect("UTF-8");
    let again = solock(&["compare", path, path]).output().expect("solock starts");
    assert_eq!(again.status.code(), Some(3), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("SLOWER"), "{}", text(&again.stdout));
    let shown = solock(&["show", path]).output().expect("solock starts");
    assert_eq!(text(&shown.stdout), text(&again.stdout));
    // Of two comparisons there is nothing to compare.
    let other = compare(&Fake::of_rate(10), &Fake::of_rate(10), &[]);
    let other = other.run.path.to_str().expect("UTF-8").to_owned();
    let both = solock(&["compare", path, &other]).output().expect("solock starts");
    assert_eq!(both.status.code(), Some(1));
    let said = text(&both.stderr);
    assert!(said.contains("is a comparison, with nothing measured to compare"), "{said}");
}

#[test]
fn numbers_of_others_are_no_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let paths = [(); 2].map(|()| {
        let writer = store.start(SystemTime::now()).expect("a run");
        writer.append(&results::Foreign::default().into()).expect("a line");
        writer.finish().expect("the end").to_str().expect("UTF-8").to_owned()
    });
    let output = solock(&["compare", &paths[0], &paths[1]]).output().expect("solock starts");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("holds numbers of others") && said.contains("no verdict"), "{said}");
}

/// Refused with these words, in that folder, before anything is built or measured.
#[track_caller]
fn refused(output: &Output, folder: &Path, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{words:?}");
    for word in words {
        assert!(said.contains(word), "it should say {word:?}: {said}");
    }
    assert!(!folder.join("target").exists() && !folder.join("solock-runs").exists());
}

#[test]
fn bad_requests_are_refused_before_anything_is_built() {
    let checkout = Checkout::named("fn main() {}", b"checkout");
    let refused_there = |arguments: &[&str], words: &[&str]| {
        let output = checkout.solock(&[&["compare"], arguments].concat(), |_| ());
        refused(&output, &checkout.root(), words);
    };
    let valid = ["a commit", "`.` for the working tree", "a stored run", "main", "newest runs"];
    refused_there(&["HEAD", "nosuch"], &[&["\"nosuch\""][..], &valid].concat());
    refused_there(&["HEAD"], &["HEAD alone", "two sides"]);
    refused_there(&["HEAD", ".", "--backend", "globel"], &["did you mean \"global\"?"]);
    refused_there(&["HEAD", ".", "--budget", "soon"], &["--budget soon", "60s"]);
    refused_there(&["HEAD", ".", "--slice", "1"], &["--slice 1", "5 to 1000"]);
    let nowhere = tempfile::tempdir().expect("a folder");
    let output = solock(&["compare", "HEAD", "."]).current_dir(nowhere.path()).output();
    let words = ["there is no side \"HEAD\"", "none here"];
    refused(&output.expect("solock starts"), nowhere.path(), &words);
}
