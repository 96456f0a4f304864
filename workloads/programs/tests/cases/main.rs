//! The cases of `cases/`: on every backend of the registry and on the model, with the
//! table of what they cover.

mod drawn;
mod returns;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};
use std::time::Duration;

use lockimpls::{Backend, MsgFlags, witness};
use programs::cases::{Case, Must, Musts, Profile, is_cases, parse_cases};
use programs::runner::{Target, Trace};
use programs::{Call, Data, Model, Recv, Runner, Send, Size, Var, parse};
use workloads::testing;

/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(200);
/// For how long no call may return while one is under way.
const HANG_AFTER: Duration = Duration::from_secs(10);

/// The folder of the cases.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// A file of the folder.
fn text_of(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every case, in the order of the files' names.
fn cases() -> Vec<Case> {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names.iter().filter(|name| is_cases(&text_of(name))) {
        let parsed = parse_cases(&text_of(name));
        cases.extend(parsed.unwrap_or_else(|error| panic!("{name}, {error}")));
    }
    cases
}

/// A runner of the model, then of every backend.
fn targets() -> Vec<Box<dyn Target>> {
    let mut backends = vec![Backend::of::<Model>()];
    backends.extend(lockimpls::backends());
    let runner = |backend| -> Box<dyn Target> { Box::new(Runner::new(backend).unwrap()) };
    backends.into_iter().map(runner).collect()
}

/// What runs just now, for a report that ends the process and for the watchdog's.
static UNDER_WAY: Mutex<String> = Mutex::new(String::new());

/// From now on a report is preceded by the case it is of, and a call that does not return is one.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        witness::set_finding_hook(|_| {
            // Not the captured output: the process ends.
            let _ = writeln!(std::io::stderr(), "in {}", UNDER_WAY.lock().unwrap());
        });
        std::thread::spawn(|| {
            testing::watch(HANG_AFTER, || {
                std::thread::sleep(WATCH_EVERY);
                true
            });
        });
    });
}

/// The cases with a lock-free path that is opened again after every call.
fn reopened(case: &Case) -> Case {
    let mut case = case.clone();
    case.program.sizes.push((Size::ReopenAfterCalls, 1));
    case
}

/// The same with pairs that are in use: each end of each has sent and received, so that whatever
/// comes then meets the lock-free path. None where the case makes no pair.
fn in_use(case: &Case) -> Option<Case> {
    let mut used = reopened(case);
    used.program.first.clear();
    used.musts.clear();
    for (call, musts) in case.program.first.iter().zip(&case.musts) {
        used.program.first.push(call.clone());
        used.musts.push(musts.clone());
        let Call::Socketpair { out: [a, b], .. } = call else { continue };
        let Must::Succeed = musts.on(Profile::Openbsd2022) else { continue };
        for (from, to) in [(*a, *b), (*b, *a)] {
            used.program.first.extend(message(from, to));
            used.musts.extend([(); 2].map(|()| Musts([Must::Succeed, Must::Succeed])));
        }
    }
    (used.musts.len() > case.musts.len()).then_some(used)
}

/// One message from one end of a pair to the other.
fn message(from: Var, to: Var) -> [Call; 2] {
    let (none, data) = (MsgFlags::empty(), Data::Text("used".to_owned()));
    let send = Send { s: from, data, to: None, rights: None, flags: none };
    let recv = Recv { out: Vec::new(), s: to, room: 9, rights: None, flags: none };
    [Call::Send(send), Call::Recv(recv)]
}

/// Runs a case, in a layer of its own sizes or in one that other cases have used; what is wrong.
fn run(case: &Case, target: &mut dyn Target) -> Option<String> {
    let profile = Profile::of(target)?;
    let name = format!("{} ({}) on {}", case.name, case.kind.name(), target.name());
    *UNDER_WAY.lock().unwrap() = name;
    let mut trace = Trace::default();
    // Closed sockets are used again in another order, and so are their addresses.
    let again = |_| case.run(target, profile, &mut trace).err();
    (0..2).find_map(again).map(|difference| difference.report)
}

#[test]
fn every_case_on_every_backend_and_on_the_model() {
    watch();
    let cases = cases();
    let mut wrong = Vec::new();
    for target in &mut targets() {
        for case in &cases {
            wrong.extend(run(case, target.as_mut()));
            if target.is_modelled() {
                wrong.extend(run(&reopened(case), target.as_mut()));
                wrong.extend(in_use(case).and_then(|used| run(&used, target.as_mut())));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.len() > 200, "{} cases", cases.len());
}

#[test]
fn what_is_printed_can_be_read() {
    for case in cases() {
        let text = case.to_string();
        assert_eq!(parse_cases(&text).as_deref(), Ok(&[case][..]), "{text}");
    }
}

#[test]
fn one_case_stands_for_several_types() {
    let text = "case a-1 (stream, dgram): # a comment\n  layer: maxfiles=9\n  r0, r1 = \
                socketpair(type, nonblock)\n  recv(r0, 8) = EWOULDBLOCK\n    on dgram: \"x\"\n    \
                on linux: stop\n    on linux dgram: ok\n";
    let cases = parse_cases(text).unwrap();
    let head = "  layer: maxfiles=9\n  r0, r1 = socketpair";
    let [stream, dgram] = &cases[..] else { panic!("{} cases", cases.len()) };
    assert_eq!(
        stream.to_string(),
        format!(
            "case a-1 (stream):\n{head}(stream, nonblock)\n  recv(r0, 8) = EWOULDBLOCK\n    on \
             linux: stop\n"
        )
    );
    assert_eq!(
        dgram.to_string(),
        format!(
            "case a-1 (dgram):\n{head}(dgram, nonblock)\n  recv(r0, 8) = \"x\"\n    on linux: ok\n"
        )
    );
    assert_eq!(stream.program_on(Profile::Linux).first.len(), 1);
    assert_eq!(stream.program_on(Profile::Openbsd2022).first.len(), 2);
}

/// A text that is no file of cases: the line, and words that the message must have.
#[track_caller]
fn refused(text: &str, line: usize, words: &[&str]) {
    let error = parse_cases(text).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is missing: {error}");
    }
}

#[test]
fn what_is_no_case_is_refused_with_the_line_and_what_is_valid() {
    let case = "case a (stream):\nr0, r1 = socketpair(type)\n";
    refused("r0 = socket(stream)", 1, &["case NAME (TYPES):"]);
    refused("case A (stream):", 1, &["\"A\"", "send-after-close"]);
    refused("case a (raw):", 1, &["raw", "stream, dgram, seqpacket"]);
    refused("case a (stream, stream):", 1, &["twice"]);
    refused("case a:", 1, &["case NAME (TYPES):"]);
    refused("case a (stream):", 1, &["a case has calls"]);
    refused(&format!("{case}{case}"), 3, &["above"]);
    refused(&format!("{case}send(r0, \"x\") = EFOO"), 3, &["EFOO", "an error or a number"]);
    refused(&format!("{case}recv(r0, 8) = 3"), 3, &["no data"]);
    refused(&format!("{case}recv(r0, 8) = \"x\", trunc"), 3, &["only recvmsg"]);
    refused(&format!("{case}recvmsg(r0, 8) = \"x\", cut"), 3, &["cut", "trunc, ctrunc, eor"]);
    refused(&format!("{case}getsockname(r0) = 0"), 3, &["a name in quotes"]);
    refused(&format!("{case}getsockopt(r0, error) = pending(1)"), 3, &["pending(ERRNO)"]);
    refused(&format!("{case}on windows: EPIPE"), 3, &["windows", "openbsd-2022, linux"]);
    refused("case a (stream):\non linux: EPIPE", 2, &["behind a call"]);
    refused(&format!("{case}layer: maxfiles=9"), 3, &["before the first call"]);
    refused("case a (stream):\nlayer: maxfile=9", 2, &["maxfile=9", "maxfiles", "sockets_max"]);
    for size in ["0", "65537"] {
        refused(&format!("case a (stream):\nlayer: maxfiles={size}"), 2, &["1 to 65536"]);
    }
    refused(&format!("{case}sendmsg(r0, \"x\", rights=[r0*999])"), 3, &["at most 300"]);
    // A program alone has no type of its own, and is no file of cases.
    assert!(parse("r0 = socket(type)").unwrap_err().what.contains("not type"));
    assert!(parse(case).unwrap_err().what.contains("a program has no `case`"));
    assert!(is_cases(&format!("# about\n\n{case}")) && !is_cases("r0 = socket(stream)"));
}

#[test]
fn a_wrong_answer_is_found() {
    let mut model = Runner::new(Backend::of::<Model>()).unwrap();
    let mut found = |lines: &str| {
        let text = format!("case a (dgram):\nr0, r1 = socketpair(type, nonblock)\n{lines}");
        let case = &parse_cases(&text).unwrap()[0];
        let result = case.run(&mut model, Profile::Openbsd2022, &mut Trace::default());
        result.err().map(|difference| format!("{}\n{}", difference.kind, difference.report))
    };
    assert_eq!(found("send(r0, \"ab\") = 2\nrecvmsg(r1, 8) = \"ab\""), None);
    for (lines, words) in [
        ("recv(r0, 8) = \"\"", "recv EWOULDBLOCK for success"),
        ("recv(r0, 8)", "recv EWOULDBLOCK for success"),
        ("send(r0, \"ab\") = 1", "send number"),
        ("send(r0, \"ab\") = EPIPE", "send success for EPIPE"),
        ("send(r0, \"ab\")\nrecv(r1, 8) = \"ac\"", "recv data"),
        ("send(r0, \"ab\")\nrecvmsg(r1, 1) = \"a\"", "recvmsg flags"),
        ("bind(r0, \"n\")\nsend(r0, \"a\")\nrecvmsg(r1, 8) = \"a\"", "recvmsg name"),
        ("sendmsg(r0, \"a\", rights=[r0])\nrecvmsg(r1, 8, rights=1) = \"a\"", "descriptors"),
        (
            "sendmsg(r0, \"a\", rights=[r0])\nrecvmsg(r1, 8, rights=1) = \"a\", rights=[r1]",
            "descriptors",
        ),
        ("getsockopt(r0, error) = pending(ECONNRESET)", "getsockopt number"),
        // A call that is not made, because the one before failed, is wrong too.
        ("r2 = accept(r0) = EINVAL\nclose(r2)", "close not made for success"),
    ] {
        let report = found(lines).unwrap_or_else(|| panic!("{lines}: nothing is found"));
        assert!(report.contains(words), "{lines}: {report}");
    }
}
