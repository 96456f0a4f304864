//! The fuzzer's judges: for every rule a trace that keeps it and one that was doctored to break it.

use lockimpls::{Backend, Errno, MsgFlags, SockAddr};
use programs::allowed::{self, Verdict};
use programs::check::{Bench, Difference};
use programs::runner::{Answer, Event, Outcome, Target, Trace};
use programs::{Model, Program, Runner, parse};

/// A backend that answers what is written down.
struct Scripted {
    is_modelled: bool,
    trace: Trace,
}

impl Target for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn is_modelled(&self) -> bool {
        self.is_modelled
    }

    fn run(&mut self, _: &Program, trace: &mut Trace) {
        trace.clone_from(&self.trace);
    }
}

/// What is said of these answers.
fn judge(text: &str, trace: &Trace, is_modelled: bool) -> Result<(), Difference> {
    let target = Scripted { is_modelled, trace: trace.clone() };
    Bench::new(vec![Box::new(target)]).unwrap().run(&parse(text).unwrap())
}

/// The kind of difference that is found; empty: none.
fn kind(text: &str, trace: &Trace) -> String {
    judge(text, trace, true).err().map(|difference| difference.kind).unwrap_or_default()
}

fn done(number: usize) -> Answer {
    Answer { outcome: Outcome::Done(number), ..Answer::default() }
}

fn failed(errno: Errno) -> Answer {
    Answer { outcome: Outcome::Failed(errno), ..Answer::default() }
}

fn received(data: &str) -> Answer {
    Answer { data: data.into(), ..done(data.len()) }
}

/// What the model answers to a program of one thread.
fn right(text: &str) -> Trace {
    let mut trace = Trace::default();
    Runner::new(Backend::of::<Model>()).unwrap().run(&parse(text).unwrap(), &mut trace);
    trace
}

const ONE_THREAD: &str = "r0, r1 = socketpair(dgram, nonblock)
bind(r0, \"a\")
sendmsg(r0, \"xyz\", rights=[r1])
r2 = recvmsg(r1, 2, rights=1)
getsockname(r0)
recv(r1, 9)
";

/// Ways to doctor an answer, and what each is called; none where it changes nothing.
fn doctored(is: &Answer) -> Vec<(&'static str, Answer)> {
    let mut all = vec![
        ("not made", Answer { outcome: Outcome::Skipped, ..is.clone() }),
        ("EPIPE for", Answer { outcome: Outcome::Failed(Errno::Epipe), ..is.clone() }),
        ("data", Answer { data: [&is.data[..], b"+"].concat(), ..is.clone() }),
        ("descriptors", Answer { files: [&is.files[..], &[None]].concat(), ..is.clone() }),
        ("name", Answer { name: Some(SockAddr::new("another").unwrap()), ..is.clone() }),
        ("flags", Answer { flags: is.flags ^ MsgFlags::CTRUNC, ..is.clone() }),
    ];
    match is.outcome {
        Outcome::Done(number) => {
            all.push(("number", Answer { outcome: Outcome::Done(number + 1), ..is.clone() }));
        }
        _ => all.push(("success for", Answer { outcome: Outcome::Done(0), ..is.clone() })),
    }
    all
}

#[test]
fn every_part_of_every_answer_is_compared() {
    let right = right(ONE_THREAD);
    assert_eq!(kind(ONE_THREAD, &right), "");
    assert_eq!(right.first.len(), 6);
    for index in 0..right.first.len() {
        for (aspect, answer) in doctored(&right.first[index]) {
            let mut trace = right.clone();
            trace.first[index] = answer;
            let difference = judge(ONE_THREAD, &trace, true).unwrap_err();
            assert!(difference.kind.contains(aspect), "{index}: {aspect}: {}", difference.kind);
            let place = format!("call {} of 6: ", index + 1);
            assert!(difference.report.starts_with(&place), "{}", difference.report);
            assert_eq!(difference.backend, "scripted");
        }
    }
}

#[test]
fn the_machine_is_judged_too() {
    let right = right(ONE_THREAD);
    assert_eq!(judge(ONE_THREAD, &right, false), Ok(()));
    for index in [0, 1, 2, 4] {
        let mut trace = right.clone();
        trace.first[index] = failed(Errno::Enoent);
        assert!(judge(ONE_THREAD, &trace, false).is_err(), "call {}", index + 1);
    }
    // Where the answers may differ and the layers go on alike, what follows is compared.
    let text = "r0 = socket(dgram, nonblock)\nsend(r0, \"x\")\nrecv(r0, 9)\n";
    let mut trace = self::right(text);
    trace.first[1] = failed(Errno::Enotconn);
    assert_eq!(judge(text, &trace, false), Ok(()));
    trace.first[2] = failed(Errno::Epipe);
    assert!(judge(text, &trace, false).is_err());
}

/// A program whose last call is judged, what the machine and the model answer, and what that means.
type Known = (&'static str, Answer, Answer, Option<Verdict>);

fn known() -> Vec<Known> {
    type E = Errno;
    let (same, ends) = (Some(Verdict::Same), Some(Verdict::Diverges));
    let (pair, socket) = ("r0, r1 = socketpair(stream)\n", "r0 = socket(stream)\n");
    let text = |before: &str, call: &str| -> &'static str { format!("{before}{call}").leak() };
    let all = [
        (text(pair, "getsockopt(r0, sndbuf)"), done(1), done(2), same),
        (text(pair, "getsockopt(r0, error)"), done(1), done(2), ends),
        (text(pair, "close(r0)"), done(1), done(2), None),
        (text(pair, "r2 = dup(r0)"), done(0), failed(E::Emfile), ends),
        (text(pair, "r2 = dup(r0)"), failed(E::Emfile), done(0), None),
        (text(pair, "send(r0, \"xy\")"), done(2), failed(E::Ewouldblock), ends),
        (text(pair, "send(r0, \"xy\")"), failed(E::Ewouldblock), done(2), None),
        (text(pair, "recv(r0, 2)"), done(2), failed(E::Ewouldblock), None),
        (text(pair, "send(r0, \"xy\")"), done(2), done(1), ends),
        (text(pair, "send(r0, \"xy\")"), done(1), done(2), None),
        (text(pair, "r2 = recvmsg(r0, 9, rights=1)"), done(1), failed(E::Emsgsize), ends),
        (text(pair, "r2 = recvmsg(r0, 9, rights=1)"), failed(E::Emsgsize), done(1), None),
        (text(pair, "send(r0, \"x\")"), failed(E::Enotconn), failed(E::Edestaddrreq), same),
        (text(pair, "send(r0, \"x\")"), failed(E::Eisconn), failed(E::Enotconn), None),
        (text(pair, "send(r0, \"x\")"), failed(E::Econnrefused), failed(E::Econnreset), ends),
        (text(pair, "recv(r0, 9)"), failed(E::Econnreset), received(""), ends),
        (text(pair, "send(r0, \"x\")"), failed(E::Eperm), done(1), ends),
        (text(pair, "sendto(r0, \"x\", \"a\")"), done(1), failed(E::Eisconn), ends),
        (text(socket, "connect(r0, \"a\")"), failed(E::Einval), failed(E::Eopnotsupp), same),
        (text(socket, "connect(r0, \"a\")"), failed(E::Epipe), failed(E::Eopnotsupp), None),
        (text(socket, "recv(r0, 9)"), failed(E::Einval), failed(E::Enotconn), same),
        (text(socket, "recv(r0, 9)"), failed(E::Epipe), failed(E::Enotconn), None),
        (text(socket, "listen(r0, 1)"), failed(E::Eopnotsupp), failed(E::Einval), same),
        (text(socket, "listen(r0, 1)"), failed(E::Epipe), failed(E::Einval), None),
        (text(socket, "connect(r0, \"a\")"), failed(E::Enoent), failed(E::Eisconn), same),
        (text(socket, "connect(r0, \"a\")"), failed(E::Enoent), done(0), None),
        (text(socket, "bind(r0, \"a\")"), failed(E::Eaddrinuse), failed(E::Einval), same),
        (text(socket, "bind(r0, \"a\")"), failed(E::Eaddrinuse), done(0), None),
        (text(socket, "send(r0, \"x\")"), failed(E::Enotconn), failed(E::Epipe), same),
        (text(socket, "connect(r0, \"a\")"), failed(E::Ewouldblock), done(0), ends),
        (text(pair, "sendmsg(r0, \"x\", rights=[r1])"), failed(E::Ebadf), failed(E::Epipe), same),
        (text(pair, "sendmsg(r0, \"x\", rights=[r1])"), failed(E::Ebadf), done(1), None),
        (text(socket, "listen(r0, 1)"), failed(E::Eopnotsupp), done(0), ends),
        (text(socket, "connect(r0, \"a\")"), failed(E::Eisconn), done(0), ends),
        (text(socket, "bind(r0, \"a\")"), failed(E::Einval), done(0), ends),
        (text(socket, "getpeername(r0)"), done(0), failed(E::Enotconn), same),
        (text(socket, "getsockname(r0)"), done(0), failed(E::Enotconn), None),
        (text(pair, "recv(r0, 9)"), named("x"), received("x"), same),
        (text(pair, "recv(r0, 9)"), named("x"), received("y"), None),
        // Once descriptors were passed, a receive may end elsewhere; after a close, all may differ.
        (text(pair, "sendmsg(r0, \"x\", rights=[r1])\nrecv(r1, 9)"), done(1), done(2), ends),
        (text(pair, "sendmsg(r0, \"x\", rights=[r1])\nclose(r1)"), done(1), done(0), None),
        (
            text(pair, "sendmsg(r0, \"x\", rights=[r1])\nclose(r1)\nr2 = dup(r0)"),
            done(1),
            done(0),
            ends,
        ),
    ];
    all.into()
}

fn named(data: &str) -> Answer {
    Answer { name: SockAddr::new("sender").ok(), ..received(data) }
}

#[test]
fn what_the_machine_may_answer_otherwise_is_allowed_and_nothing_near_it() {
    for (text, host, model, verdict) in known() {
        let program = parse(text).unwrap();
        let index = program.first.len() - 1;
        let is = allowed::verdict(&program, index, &host, &model);
        assert_eq!(is, verdict, "{text}\nhost: {host}\nmodel: {model}");
    }
}

#[test]
fn a_program_is_compared_with_the_machine_up_to_what_it_does_otherwise() {
    let pair = "r0, r1 = socketpair(stream, nonblock)\n";
    for end in [
        "shutdown(r0, rd)",
        "shutdown(r0, rdwr)",
        "setsockopt(r0, sndbuf, 100)",
        "send(r0, bytes(1001, 1))",
        "send(r0, \"x\", oob)",
        "send(r0, \"x\", eor)",
        "recv(r1, 9, oob)",
        "r2 = recvmsg(r1, 9, rights=1, peek)",
        "recv(r1, 0)",
        "sendmsg(r0, \"\", rights=[r0])",
    ] {
        let text = format!("{pair}send(r0, \"x\")\n{end}\nclose(r0)\n");
        assert_eq!(allowed::comparable(&parse(&text).unwrap()).first.len(), 2, "{end}");
    }
    for call in [
        "shutdown(r0, wr)",
        "send(r0, bytes(1000, 1))",
        "recv(r1, 1)",
        "recv(r1, 9, peek)",
        "sendmsg(r0, \"x\", rights=[r0])",
        "connect(r0, \"a\")",
    ] {
        let text = format!("{pair}{call}\nclose(r0)\n");
        assert_eq!(allowed::comparable(&parse(&text).unwrap()).first.len(), 3, "{call}");
    }
    let text = "r0 = socket(dgram)\nconnect(r0, \"a\")\nclose(r0)\n";
    assert_eq!(allowed::comparable(&parse(text).unwrap()).first.len(), 1);
}

/// A thread's calls, one after another: the first begins at `from`.
fn thread(from: u64, answers: impl IntoIterator<Item = Answer>) -> Vec<Event> {
    let event = |(start, answer)| Event { start, end: start + 1, answer };
    (from..).step_by(2).zip(answers).map(event).collect()
}

/// Two senders, two receivers, and what is left.
const FLOW: &str = "r0, r1 = socketpair(seqpacket, nonblock)
thread 1:
send(r0, \"1.00\", dontwait)
send(r0, \"1.01\", dontwait)
thread 2:
send(r0, \"2.00\", dontwait)
thread 3:
recv(r1, 4, dontwait)
recv(r1, 4, dontwait)
thread 4:
recv(r1, 4, dontwait)
then:
recv(r1, 4, dontwait)
recv(r1, 4, dontwait)
";

/// How a flow goes: the receivers' answers, and the last ones; a message or nothing.
fn flow(receivers: [[Option<&str>; 2]; 2], last: [Option<&str>; 2]) -> Trace {
    let got = |data: Option<&str>| data.map_or(failed(Errno::Ewouldblock), received);
    let [third, fourth] = receivers;
    Trace {
        first: vec![done(0)],
        threads: vec![
            thread(0, [done(4), done(4)]),
            thread(1, [done(4)]),
            thread(20, third.map(got)),
            thread(21, [got(fourth[0])]),
        ],
        last: last.map(got).into(),
    }
}

#[test]
fn a_flow_loses_doubles_invents_and_overtakes_nothing() {
    let (a, b, c) = (Some("1.00"), Some("1.01"), Some("2.00"));
    let rights = [
        flow([[a, b], [c, None]], [None, None]),
        flow([[a, c], [b, None]], [None, None]),
        // Of two receivers either may have been first.
        flow([[b, c], [a, None]], [None, None]),
        flow([[a, None], [None, None]], [b, c]),
        flow([[a, None], [None, None]], [c, b]),
    ];
    for trace in &rights {
        assert_eq!(kind(FLOW, trace), "", "{trace:?}");
    }
    let wrongs = [
        (flow([[b, a], [c, None]], [None, None]), "a message that was overtaken"),
        (flow([[c, None], [None, None]], [b, a]), "a message that was overtaken"),
        (flow([[a, b], [a, None]], [c, None]), "a message that came twice"),
        (flow([[a, b], [c, None]], [a, None]), "a message that came twice"),
        (flow([[a, Some("1.02")], [c, None]], [b, None]), "a message that nobody sent"),
        (flow([[a, None], [c, None]], [None, None]), "messages that never came"),
        (flow([[None, None], [None, None]], [None, None]), "messages that never came"),
    ];
    for (trace, what) in wrongs {
        assert_eq!(kind(FLOW, &trace), what);
    }
    // What was refused is not lost, and must not come.
    let mut refused = flow([[a, b], [None, None]], [None, None]);
    refused.threads[1][0].answer = failed(Errno::Ewouldblock);
    assert_eq!(kind(FLOW, &refused), "");
    let mut refused = flow([[a, b], [c, None]], [None, None]);
    refused.threads[1][0].answer = failed(Errno::Ewouldblock);
    assert_eq!(kind(FLOW, &refused), "a message that nobody sent");
}

#[test]
fn a_flow_to_one_of_many_loses_nothing_either() {
    let text = "r0 = socket(dgram, nonblock)
r1 = socket(dgram, nonblock)
bind(r1, \"a\")
connect(r0, \"a\")
thread 1:
send(r0, \"1.00\", dontwait)
thread 2:
recv(r1, 4, dontwait)
then:
recv(r1, 4, dontwait)
";
    let trace = |got: Answer| Trace {
        first: vec![done(0); 4],
        threads: vec![thread(0, [done(4)]), thread(1, [failed(Errno::Ewouldblock)])],
        last: vec![got],
    };
    assert_eq!(kind(text, &trace(failed(Errno::Ewouldblock))), "messages that never came");
    // Not drained: nothing is known. (No history either: a bind is none of its calls.)
    assert_eq!(kind(text, &trace(received("1.00"))), "");
}

/// A history; its messages are not tagged as those of a flow are.
const HISTORY: &str = "r0, r1 = socketpair(stream, nonblock)
thread 1:
send(r0, \"a\", dontwait)
send(r0, \"b\", dontwait)
thread 2:
recv(r1, 9, dontwait)
then:
recv(r1, 9, dontwait)
";

/// What the receiver got, when it began, and what was left.
fn history(got: Answer, from: u64, last: Answer) -> Trace {
    Trace {
        first: vec![done(0)],
        threads: vec![thread(10, [done(1), done(1)]), thread(from, [got])],
        last: vec![last],
    }
}

#[test]
fn a_history_has_an_order_that_explains_it() {
    let none = || failed(Errno::Ewouldblock);
    let no_order = "no order explains the answers";
    // The sends are under way from 10 to 11 and from 12 to 13.
    let before = history(none(), 0, received("ab"));
    let between = [history(none(), 11, received("ab")), history(received("a"), 11, received("b"))];
    let after = history(received("ab"), 20, none());
    for trace in [&before, &between[0], &between[1], &after] {
        assert_eq!(kind(HISTORY, trace), "");
    }
    let wrongs = [
        // Before it was sent; although it was sent; another; the wrong rest; a wrong count.
        history(received("a"), 0, received("b")),
        history(none(), 20, received("ab")),
        history(received("x"), 20, received("b")),
        history(received("a"), 11, received("ab")),
        history(received("a"), 11, none()),
        history(done(1), 20, none()),
    ];
    for trace in wrongs {
        assert_eq!(kind(HISTORY, &trace), no_order, "{trace:?}");
    }
    let mut first = after.clone();
    first.first[0] = failed(Errno::Emfile);
    assert_eq!(kind(HISTORY, &first), "a wrong answer before the threads");
    let mut sent = after;
    sent.threads[0][1].answer = failed(Errno::Epipe);
    assert_eq!(kind(HISTORY, &sent), no_order);
}

#[test]
fn a_collision_explains_one_answer_and_no_other() {
    let text = "r0, r1 = socketpair(stream, nonblock)
thread 1:
send(r0, \"a\", dontwait)
thread 2:
send(r0, \"b\", dontwait)
then:
recv(r1, 9, dontwait)
";
    let trace = |from: u64, answer: Answer| Trace {
        first: vec![done(0)],
        threads: vec![thread(10, [done(1)]), thread(from, [answer])],
        last: vec![received("a")],
    };
    assert_eq!(kind(text, &trace(11, failed(Errno::Ewouldblock))), "");
    // Not at the same time; another error; no error.
    for trace in [
        trace(20, failed(Errno::Ewouldblock)),
        trace(0, failed(Errno::Ewouldblock)),
        trace(11, failed(Errno::Epipe)),
        trace(11, done(1)),
    ] {
        assert_eq!(kind(text, &trace), "no order explains the answers", "{trace:?}");
    }
}
