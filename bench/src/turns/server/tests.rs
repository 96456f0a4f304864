//! Servers that are scripts: what they know, how long they are waited for, and their end.

use std::fs;

use results::{Cell, Measure, Own};
use tempfile::TempDir;

use super::*;
use crate::turns::made_up;

const HELLO: &str =
    r#"{"say":"hello","protocol":1,"ambient":["f-mtx"],"locks":["mcs"],"parameters":["depth"]}"#;

/// A script, and what it needs to be started.
struct Script {
    folder: TempDir,
    interrupt: Interrupt,
}

impl Script {
    /// It says hello, and does this from then on.
    fn then(commands: &str) -> Script {
        let script = Script {
            folder: tempfile::tempdir().expect("a folder"),
            interrupt: Interrupt::default(),
        };
        made_up::script(&script.program(), &format!("#!/bin/sh\necho '{HELLO}'\n{commands}\n"));
        script
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    fn start(&self) -> Server {
        let program = self.program();
        let launch =
            Launch { program: &program, padding: 0, interrupt: &self.interrupt, hang_limit: None };
        Server::start(launch).expect("it says hello")
    }
}

/// Ready for whatever it is asked, without an answer to a slice.
const READY: &str = r#"while read -r line; do
    case "$line" in *prepare*) echo '{"say":"prepared"}' ;; *'"end"'*) exit 0 ;; esac
done"#;

fn broken(failure: Failure) -> String {
    match failure {
        Failure::Broken(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cell_of_which_a_server_does_not_know_a_part_is_not_asked_for() {
    let script = Script::then(READY);
    let mut server = script.start();
    let mut of = |change: fn(&mut Cell)| {
        let mut cell = Cell { workload: "paced".to_owned(), ..Cell::default() };
        change(&mut cell);
        let prepared = server.prepare(&Prepare { cell, ..Prepare::default() });
        prepared.expect("answered").map(|_| ())
    };
    assert_eq!(of(|_| ()), Ok(()));
    assert_eq!(of(|cell| cell.ambient = vec!["f-mtx".to_owned()]), Ok(()));
    assert_eq!(of(|cell| cell.lock = "mcs".to_owned()), Ok(()));
    assert_eq!(of(|cell| cell.own = Own::from_iter([("depth", 2.0)])), Ok(()));
    // Older than the list of what a server knows.
    assert_eq!(of(|cell| cell.own = Own::from_iter([("rate_asked", 2.0)])), Ok(()));
    let refused = |why: &str| Err(why.to_owned());
    let ambient = of(|cell| cell.ambient = ["f-mtx", "sched-lock"].map(str::to_owned).to_vec());
    assert_eq!(ambient, refused("this program has no sched-lock around the layer"));
    let lock = of(|cell| cell.lock = "ticket".to_owned());
    assert_eq!(lock, refused("this program has no lock ticket"));
    let own = of(|cell| cell.own = Own::from_iter([("depth", 2.0), ("ways", 2.0)]));
    assert_eq!(own, refused("paced of this program has no ways"));
    server.end().expect("ended");
}

/// An answer may take as long as it is asked to, and so much longer.
#[test]
fn silence_is_borne_for_a_while_and_for_the_time_of_a_slice() {
    let script = Script::then(READY);
    let limit = Duration::from_secs(5);
    let program = script.program();
    let launch = Launch {
        program: &program,
        padding: 0,
        interrupt: &script.interrupt,
        hang_limit: Some(limit),
    };
    let mut server = Server::start(launch).expect("it says hello");
    assert_eq!(server.patience, PATIENCE + limit);
    server.patience = Duration::from_millis(200);
    let (measure, began) = (Measure::Throughput, Instant::now());
    let asked = SliceAsked { measure, seconds: 0.5, warm_up_seconds: 0.4 };
    let failure = server.slice(asked).expect_err("it does not answer");
    assert_eq!(broken(failure), "it said nothing for 1 s");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_100) && took < Duration::from_secs(5), "{took:?}");
    let began = Instant::now();
    server.patience = Duration::ZERO;
    let asked = SliceAsked { measure, seconds: 0.0, warm_up_seconds: 0.0 };
    assert_eq!(broken(server.slice(asked).expect_err("no answer")), "it said nothing for 0 s");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_does_not_listen_is_gone_with_its_handle() {
    let script = Script::then("exec sleep 600");
    let server = script.start();
    let process = PathBuf::from(format!("/proc/{}", server.child.id()));
    assert!(process.exists());
    drop(server);
    assert!(!process.exists());
    // Told to end it is waited for, and then it is ended.
    let (server, began) = (script.start(), Instant::now());
    let process = PathBuf::from(format!("/proc/{}", server.child.id()));
    assert_eq!(server.end(), Ok(()));
    let took = began.elapsed();
    assert!(took >= END_PATIENCE && took < END_PATIENCE * 2, "{took:?}");
    assert!(!process.exists());
}

/// The last of its output may be read a moment after its end.
#[test]
fn what_comes_a_moment_after_the_end_of_a_process_is_read() {
    let last = r#"read -r line; (sleep 0.3; echo '{"say":"prepared"}') & exit 0"#;
    let mut server = Script::then(last).start();
    assert_eq!(server.prepare(&Prepare::default()), Ok(Ok(Prepared::default())));
    let failure = server.prepare(&Prepare::default()).expect_err("it has ended");
    assert!(broken(failure).starts_with("its process ended (exit status: 0)"));
}

#[test]
fn a_program_is_started_as_a_server_with_so_long_an_environment() {
    let interrupt = Interrupt::default();
    let launch = |padding, hang_limit| {
        let program = Path::new("/x/solock");
        let launch = Launch { program, padding, interrupt: &interrupt, hang_limit };
        let command = command(Path::new("/proc/self/fd/7"), launch);
        let words = command.get_args().map(|word| word.to_str().expect("text").to_owned());
        let set = command.get_envs().find(|(name, _)| *name == PADDING).and_then(|(_, set)| set);
        (words.collect::<Vec<_>>(), set.expect("padding").len())
    };
    assert_eq!(launch(0, None), (vec!["serve".to_owned()], 0));
    let words = ["serve", "--hang-limit", "2.5"].map(str::to_owned).to_vec();
    assert_eq!(launch(77, Some(Duration::from_millis(2_500))), (words, 77));
}

#[test]
fn of_what_is_not_understood_the_beginning_is_shown() {
    assert_eq!(shown(&"x".repeat(SHOWN_CHARACTERS)), "x".repeat(SHOWN_CHARACTERS));
    let long = "é".repeat(SHOWN_CHARACTERS + 1);
    assert_eq!(shown(&long), "é".repeat(SHOWN_CHARACTERS) + "...");
    assert_eq!(protocol_of(HELLO), Some(1));
    for line in [r#"{"say":"prepared","protocol":1}"#, r#"{"say":"hello"}"#, "hello", ""] {
        assert_eq!(protocol_of(line), None, "{line}");
    }
}

/// What a check finds after the last answer is a finding, by its line or by the exit code alone.
#[test]
fn a_finding_at_the_end_is_one_by_its_line_or_by_the_code() {
    let finding = Finding { check: "leaked lock".to_owned(), ..Finding::default() };
    let line = serde_json::to_string(&Say::Finding(Box::new(finding.clone()))).expect("JSON");
    let end = |commands: &str| Script::then(commands).start().end();
    let found = |finding: Option<Finding>, report: &str| {
        Err(Failure::Found { finding: finding.map(Box::new), report: report.to_owned() })
    };
    assert_eq!(end("read -r line; exit 0"), Ok(()));
    // Without an answer it is one, too.
    let mut server = Script::then("read -r line; echo early >&2; exit 2").start();
    let failure = server.prepare(&Prepare::default()).expect_err("it ended");
    assert_eq!(Err(failure), found(None, "\nearly"));
    assert_eq!(end("read -r line; exit 1"), Ok(()), "no finding");
    assert_eq!(end("read -r line; echo late >&2; exit 2"), found(None, "\nlate"));
    let both = format!("read -r line; echo '{line}'; exit 0");
    assert_eq!(end(&both), found(Some(finding.clone()), ""));
    // Its last line may come a moment after its end.
    let late = format!("read -r line; (sleep 0.3; echo '{line}') & exit 0");
    assert_eq!(end(&late), found(Some(finding), ""));
    let folder = tempfile::tempdir().expect("a folder");
    let noted = folder.path().join("asked");
    assert_eq!(end(&format!("read -r line; echo \"$line\" > '{}'", noted.display())), Ok(()));
    assert_eq!(fs::read_to_string(noted).expect("asked"), "{\"ask\":\"end\"}\n");
}
