//! `solock serve` as `run` and `compare` ask it.

use std::io::Write;
use std::process::{Command, Stdio};

use solock::compare::counters;
use solock::protocol::{PROTOCOL, Say};

/// What `solock serve` answers to these lines, and how it ends.
fn served(asks: &[&str]) -> (Option<i32>, Vec<Say>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_solock"))
        .arg("serve")
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
    let answers = String::from_utf8_lossy(&output.stdout);
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect(line));
    (output.status.code(), answers.collect())
}

#[test]
fn a_server_measures_what_it_is_asked_for_and_ends_with_its_input() {
    let prepare = |backend: &str| {
        let cell = format!(r#""workload":"pairs","backend":"{backend}","socket_type":"stream","#)
            + r#""message_bytes":64,"threads":1,"wait":"adaptive""#;
        format!(r#"{{"ask":"prepare","cell":{{{cell}}},"pin":true,"seed":7,"later":1}}"#)
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
    let counted = [7.0, 1.0, 0.0, 0.0, 0.0].map(Some);
    assert_eq!(counters::per_operation(throughput), counted);
    assert!(latency.latency_ns.send.as_ref().is_some_and(|send| send.count > 0));
    assert_eq!(served(&["what?"]).0, Some(1));
    assert_eq!(served(&[r#"{"ask":"end"}"#]).0, Some(0));
}
