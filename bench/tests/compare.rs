//! `solock compare` as its users meet it: against scripted servers, in a checkout that is
//! interrupted, and with sides that do not exist.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bench::compare::counters;
use bench::protocol::{PROTOCOL, Say};
use results::{Compared, Record, Run, Store, Verdict};
use tempfile::TempDir;

/// What the first line of a server of this protocol is.
const HELLO: &str = r#"{"say":"hello","protocol":1,"clock_step_ns":10.0,"commit":null}"#;
/// A host that disturbs nothing, and one that disturbs everything.
const QUIET: &str = r#"{"on_cpu_share_min":1.0,"run_delay_ns":0,"involuntary_switches":0,"steal_ns":0,"flagged":false}"#;
const BUSY: &str = r#"{"on_cpu_share_min":0.5,"run_delay_ns":9,"involuntary_switches":99,"steal_ns":0,"flagged":true}"#;

/// A server in which every slice is as scripted.
struct Fake {
    hello: String,
    /// Operations per second, in millions; the last digits differ from slice to slice.
    rate: u32,
    locks_per_operation: u32,
    noise: &'static str,
    /// A shell command in place of an answer to the slice.
    instead: &'static str,
}

impl Fake {
    fn of_rate(rate: u32) -> Fake {
        let hello = HELLO.to_owned();
        Fake { hello, rate, locks_per_operation: 4, noise: QUIET, instead: "" }
    }

    /// The program, in a folder; it speaks the protocol in shell.
    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let Fake { hello, rate, locks_per_operation, noise, instead } = self;
        let acquisitions = 10_000 * locks_per_operation;
        let slice = format!(
            r#"{{"say":"slice","seconds":0.02,"operations":10000,"operations_per_second":%s,"locks":[{{"class":"solock","acquisitions":{acquisitions},"contended":0,"relocks":0,"retries":0}}],"host_noise":{noise}}}"#
        );
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
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
    assert!(it.said().contains("new: it speaks protocol 99"), "{}", it.said());
    let hello = "error: unrecognized subcommand".to_owned();
    let it = compare(&Fake::of_rate(10), &Fake { hello, ..Fake::of_rate(10) }, &[]);
    assert_eq!(it.code(), Some(4), "{}", it.said());
    assert!(it.said().contains("it has no `solock serve`"), "{}", it.said());
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
}

/// What `solock serve` answers to these lines, and how it ends.
fn served(asks: &[&str]) -> (Option<i32>, Vec<Say>) {
    let mut child = solock(&["serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("solock starts");
    let mut questions = child.stdin.take().expect("piped");
    for ask in asks {
        writeln!(questions, "{ask}").expect("asked");
    }
    drop(questions);
    let output = child.wait_with_output().expect("ended");
    let answers = text(&output.stdout);
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect(line));
    (output.status.code(), answers.collect())
}

#[test]
fn a_server_measures_what_it_is_asked_for_and_ends_with_its_input() {
    let prepare = |backend: &str| {
        format!(
            r#"{{"ask":"prepare","cell":{{"workload":"pairs","backend":"{backend}","socket_type":"stream","message_bytes":64,"threads":1,"wait":"adaptive"}},"pin":true,"seed":7,"later":1}}"#
        )
    };
    let slice = |measure: &str| {
        format!(r#"{{"ask":"slice","measure":"{measure}","seconds":0.2,"warm_up_seconds":0.002}}"#)
    };
    let (code, answers) = served(&[
        &slice("throughput"),
        &prepare("nosuch"),
        &prepare("per-socket"),
        &slice("throughput"),
        &slice("latency"),
    ]);
    assert_eq!(code, Some(0));
    let [hello, early, unknown, prepared, throughput, latency] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(matches!(hello, Say::Hello(hello) if hello.protocol == PROTOCOL), "{hello:?}");
    assert!(matches!(early, Say::Refused { why } if why.contains("no cell")), "{early:?}");
    assert!(matches!(unknown, Say::Refused { why } if why.contains("nosuch")), "{unknown:?}");
    let Say::Prepared(prepared) = prepared else { panic!("{prepared:?}") };
    assert_eq!(prepared.code.is_none(), prepared.calls.is_empty(), "{prepared:?}");
    let (Say::Slice(throughput), Say::Slice(latency)) = (throughput, latency) else {
        panic!("{answers:?}")
    };
    assert!(throughput.operations > 0 && throughput.latency_ns.send.is_none());
    assert_eq!(counters::per_operation(throughput), [Some(7.0), Some(1.0), Some(0.0), Some(0.0)]);
    assert!(latency.latency_ns.send.as_ref().is_some_and(|send| send.count > 0));
    assert_eq!(served(&["what?"]).0, Some(1));
    assert_eq!(served(&[r#"{"ask":"end"}"#]).0, Some(0));
}

/// Refused with these words before anything is built or measured.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = solock(&["compare"])
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .expect("solock starts");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    for word in words {
        assert!(said.contains(word), "{arguments:?} should say {word:?}: {said}");
    }
    assert!(!folder.join("target").exists() && !folder.join("solock-runs").exists());
}

#[test]
fn bad_requests_are_refused_before_anything_is_built() {
    let folder = checkout();
    let folder = folder.path();
    let valid = ["a commit", "`.` for the working tree", "a stored run", "main", "newest runs"];
    refused(folder, &["HEAD", "nosuch"], &[&["\"nosuch\""][..], &valid].concat());
    refused(folder, &["HEAD"], &["HEAD alone", "two sides"]);
    refused(folder, &["HEAD", ".", "--backend", "globel"], &["did you mean \"global\"?"]);
    refused(folder, &["HEAD", ".", "--budget", "soon"], &["--budget soon", "60s"]);
    refused(folder, &["HEAD", ".", "--slice", "1"], &["--slice 1", "5 to 1000"]);
    let nowhere = tempfile::tempdir().expect("a folder");
    refused(nowhere.path(), &["HEAD", "."], &["there is no side \"HEAD\"", "none here"]);
}

/// A checkout whose program takes long to build.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"bench\"]\n");
    write(
        "bench/Cargo.toml",
        "[package]\nname = \"bench\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [[bin]]\nname = \"solock\"\npath = \"src/main.rs\"\n",
    );
    write("bench/src/main.rs", "fn main() {}\n");
    write(
        "bench/build.rs",
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(15)) }\n",
    );
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"bench\"\nversion = \"0.1.0\"\n");
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(folder.path(), &["add", "."]);
    let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
    git(folder.path(), &[&who[..], &["commit", "--quiet", "--message", "slow to build"]].concat());
    folder
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().expect("git");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Starts a comparison in that checkout, and waits until it builds.
fn building(folder: &Path) -> Child {
    let mut command = solock(&["compare", "HEAD", "main", "--out"]);
    command.arg(folder.join("runs")).current_dir(folder);
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let until = Instant::now() + Duration::from_secs(20);
    let built = folder.join("target/solock-compare/target/release/build");
    while !built.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    assert!(tree(folder).exists(), "the commit is checked out while it is built");
    child
}

fn tree(folder: &Path) -> PathBuf {
    folder.join("target/solock-compare/tree")
}

#[test]
fn ctrl_c_in_a_build_leaves_no_worktree_and_an_untouched_checkout() {
    let folder = checkout();
    let child = building(folder.path());
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(!tree(folder.path()).exists());
    assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 1);
    assert_eq!(git(folder.path(), &["status", "--porcelain", "--untracked-files=no"]), "");
    let run = &Store::at(folder.path().join("runs")).list().expect("readable")[0];
    assert!(Run::read(run).expect("the run can be read").interrupted());
}

#[test]
fn what_a_killed_comparison_left_is_removed_by_the_next() {
    let folder = checkout();
    let mut child = building(folder.path());
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(tree(folder.path()).exists(), "nobody was left to remove it");
    let program = Fake::of_rate(10).write(folder.path(), "fake");
    let given = format!("main={}", program.display());
    // The working tree does not build either: a broken manifest is quicker than a slow build.
    fs::write(folder.path().join("bench/Cargo.toml"), "broken").expect("written");
    let output = solock(&["compare", "main", ".", "--program", &given])
        .args(["--backend", "global", "--threads", "1", "--out", "runs"])
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .output()
        .expect("solock starts");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(".: it does not build"), "{}", text(&output.stderr));
    assert!(!tree(folder.path()).exists());
    assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 1);
}
