//! Many messages: no loss, no duplicate, each sender's order.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use lockimpls::{Errno, MsgFlags, SockType};

use crate::runner::{Answer, Outcome, Trace};
use crate::{Call, Data, Program, Recv, Send, Var};

/// Every message is so long: the sender's thread and its number there, as in `2.07`.
const LENGTH: usize = 4;
/// The name of the receiver of datagrams from many sockets.
const NAME: &str = "a";

/// A flow: a pair, or several datagram sockets to one.
pub(super) fn generate(rng: &mut Rng) -> Program {
    let senders = rng.u32(1..=3) as usize;
    let kind = SockType::ALL[rng.u32(0..3) as usize];
    let mut program = Program::default();
    let (sources, target) = if kind == SockType::Dgram && rng.bool() {
        many_to_one(senders, &mut program)
    } else {
        let out = [Var(0), Var(1)];
        program.first.push(Call::Socketpair { out, kind, nonblock: true });
        let at = rng.u32(0..2) as usize;
        (vec![out[at]; senders], out[1 - at])
    };
    let mut messages = 0;
    for (index, source) in sources.into_iter().enumerate() {
        let count = rng.u32(1..=12) as usize;
        messages += count;
        program.threads.push((0..count).map(|number| send(source, index + 1, number)).collect());
    }
    for _ in 0..rng.u32(1..=2) {
        let room = LENGTH * rng.u32(1..=4) as usize;
        let calls = rng.u32(1..=12);
        program.threads.push((0..calls).map(|_| receive(target, room)).collect());
    }
    program.last = (0..=messages).map(|_| receive(target, LENGTH)).collect();
    program
}

fn many_to_one(senders: usize, program: &mut Program) -> (Vec<Var>, Var) {
    let kind = SockType::Dgram;
    let vars: Vec<Var> = (0..=senders as u16).map(Var).collect();
    let make = |out: &Var| Call::Socket { out: *out, kind, nonblock: true };
    program.first.extend(vars.iter().map(make));
    let target = vars[senders];
    program.first.push(Call::Bind(target, NAME.to_owned()));
    for source in &vars[..senders] {
        program.first.push(Call::Connect(*source, NAME.to_owned()));
    }
    (vars[..senders].to_vec(), target)
}

fn send(s: Var, thread: usize, number: usize) -> Call {
    let data = Data::Text(format!("{thread}.{number:02}"));
    Call::Send(Send { s, data, to: None, rights: None, flags: MsgFlags::DONTWAIT })
}

fn receive(s: Var, room: usize) -> Call {
    Call::Recv(Recv { out: Vec::new(), s, room, rights: None, flags: MsgFlags::DONTWAIT })
}

/// Whether the program's threads do nothing but send tagged messages and receive them, and the end
/// does nothing but drain: then sums and order are known.
fn is_flow(program: &Program) -> bool {
    let is_tagged = |call: &Call| match call {
        Call::Send(Send { data: Data::Text(text), to: None, rights: None, .. }) => {
            text.len() == LENGTH
        }
        other => is_plain_receive(other),
    };
    let is_setup = |call: &Call| {
        matches!(
            call,
            Call::Socketpair { .. } | Call::Socket { .. } | Call::Bind(..) | Call::Connect(..)
        )
    };
    !program.threads.is_empty()
        && program.first.iter().all(is_setup)
        && program.threads.iter().flatten().all(is_tagged)
        && program.last.iter().all(is_plain_receive)
}

fn is_plain_receive(call: &Call) -> bool {
    matches!(call, Call::Recv(Recv { rights: None, room, flags, .. })
        if room.is_multiple_of(LENGTH) && *room > 0 && !flags.contains(MsgFlags::PEEK))
}

/// The calls of one thread, or of the end, with their answers.
type Row<'a> = Vec<(&'a Call, &'a Answer)>;

/// What is wrong with a flow's answers.
pub(super) fn judge(program: &Program, trace: &Trace) -> Option<(String, String)> {
    if !is_flow(program) {
        return None;
    }
    let threads = program.threads.iter().zip(&trace.threads);
    let mut rows: Vec<Row<'_>> = threads
        .map(|(calls, events)| calls.iter().zip(events.iter().map(|event| &event.answer)).collect())
        .collect();
    rows.push(program.last.iter().zip(&trace.last).collect());
    let sent: BTreeMap<String, Var> = rows.iter().flatten().filter_map(sent).collect();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if let Some(wrong) = judge_row(row, &sent, &mut seen) {
            return Some(wrong);
        }
    }
    lost(program, trace, &sent, &seen)
}

/// The message of a send that was taken.
fn sent((call, answer): &(&Call, &Answer)) -> Option<(String, Var)> {
    match call {
        Call::Send(Send { s, data: Data::Text(text), .. })
            if answer.outcome == Outcome::Done(LENGTH) =>
        {
            Some((text.clone(), *s))
        }
        _ => None,
    }
}

/// One receiver's messages: each was sent, none came before, each sender's in order.
fn judge_row(
    row: &Row<'_>,
    sent: &BTreeMap<String, Var>,
    seen: &mut BTreeSet<String>,
) -> Option<(String, String)> {
    let mut latest: BTreeMap<String, String> = BTreeMap::new();
    for (call, answer) in row.iter().filter(|(call, _)| is_plain_receive(call)) {
        for message in answer.data.chunks(LENGTH) {
            let message = message.escape_ascii().to_string();
            let wrong =
                |what: &str| Some((what.to_owned(), format!("{call}: {what}: {message}\n")));
            if !sent.contains_key(&message) {
                return wrong("a message that nobody sent");
            }
            if !seen.insert(message.clone()) {
                return wrong("a message that came twice");
            }
            // The tag is in order of numbers: two digits each.
            let sender = message[..1].to_owned();
            if let Some(before) = latest.insert(sender, message.clone())
                && before > message
            {
                return wrong("a message that was overtaken");
            }
        }
    }
    None
}

/// Messages that were sent to a drained socket and never came.
fn lost(
    program: &Program,
    trace: &Trace,
    sent: &BTreeMap<String, Var>,
    seen: &BTreeSet<String>,
) -> Option<(String, String)> {
    let targets = targets(program);
    let is_drained = |var: &Var| {
        let mut last = program.last.iter().zip(&trace.last).rev();
        let found = last.find(|(call, _)| call.needs()[0] == Some(*var));
        found.is_some_and(|(_, answer)| answer.outcome == Outcome::Failed(Errno::Ewouldblock))
    };
    let is_lost = |(message, source): &(&String, &Var)| {
        !seen.contains(*message) && targets.get(source).is_some_and(is_drained)
    };
    let lost: Vec<&String> = sent.iter().filter(is_lost).map(|(message, _)| message).collect();
    if lost.is_empty() {
        return None;
    }
    let report = format!("{} of {} messages never came: {lost:?}\n", lost.len(), sent.len());
    Some(("messages that never came".to_owned(), report))
}

/// Where what is sent on a socket goes.
fn targets(program: &Program) -> BTreeMap<Var, Var> {
    let (mut targets, mut bound) = (BTreeMap::new(), BTreeMap::new());
    for call in &program.first {
        match call {
            Call::Socketpair { out: [a, b], .. } => {
                targets.insert(*a, *b);
                targets.insert(*b, *a);
            }
            Call::Bind(s, name) => {
                bound.entry(name).or_insert(*s);
            }
            Call::Connect(s, name) => {
                targets.extend(bound.get(name).map(|target| (*s, *target)));
            }
            _ => {}
        }
    }
    targets
}
