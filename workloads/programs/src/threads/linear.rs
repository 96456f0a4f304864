//! Short histories: is there an order in which the sequential model answers the same?
//!
//! The search of Wing and Gong: of the calls that could come first (no other one had ended when
//! they began) each is tried on the model; if it answers as the backend did, the search goes on
//! from there. States that were seen before are not searched again.
//!
//! What is no single step in a kernel is left out. A close and a shutdown let go of one lock before
//! they take the next, so that two threads can see them half done: they are judged only where no
//! other thread uses that socket. A thread that finds another one sending or receiving on the same
//! socket, and does not wait, answers `EWOULDBLOCK` whatever lies there. And a datagram whose
//! destination is closed while its bytes or descriptors are copied answers `ENOTCONN`: the checks
//! that would say more come before the copy.

use std::collections::HashSet;

use fastrand::Rng;
use lockimpls::{Errno, MsgFlags, Shutdown, SockOpt, SockType};

use crate::model::Position;
use crate::runner::{Answer, Event, Outcome, Trace};
use crate::{Call, Data, Program, Recv, Send, Var};

/// The most threads of a history, and the most calls of each.
const THREADS: usize = 4;
/// See [`THREADS`].
const CALLS: usize = 6;

/// A history on a pair: either one thread at each end, which may also close or shut it, or several.
pub(super) fn generate(rng: &mut Rng) -> Program {
    let kind = SockType::ALL[rng.u32(0..3) as usize];
    let mut program = Program::default();
    for pair in [[Var(0), Var(1)], [Var(2), Var(3)]] {
        let kind = if pair[0] == Var(0) { kind } else { SockType::Stream };
        program.first.push(Call::Socketpair { out: pair, kind, nonblock: true });
    }
    let threads = rng.u32(2..=THREADS as u32) as u16;
    for thread in 0..threads {
        let calls = rng.u32(1..=CALLS as u32);
        let end = Var(thread % 2);
        let call = |at| one_call(rng, end, threads == 2, thread * 10 + at as u16);
        program.threads.push((0..calls).map(call).collect());
    }
    program.last = [Var(0), Var(1)].map(|end| receive(end, 1000, None)).into();
    program
}

fn one_call(rng: &mut Rng, end: Var, is_alone: bool, tag: u16) -> Call {
    let data = Data::Text(format!("{tag:02}"));
    let flags = MsgFlags::DONTWAIT;
    match rng.u32(0..if is_alone { 20 } else { 16 }) {
        0..=5 => Call::Send(Send { s: end, data, to: None, rights: None, flags }),
        6..=7 => {
            let rights = Some(vec![Var(2 + rng.u32(0..2) as u16)]);
            Call::Send(Send { s: end, data, to: None, rights, flags })
        }
        8..=11 => receive(end, rng.u32(1..=8) as usize, None),
        12..=13 => receive(end, 8, Some(2)),
        14 => Call::Recv(Recv { flags: flags | MsgFlags::PEEK, ..receive_of(end, 8, None) }),
        15 => Call::Getsockopt(end, SockOpt::Error),
        16 => Call::Shutdown(end, Shutdown::Read),
        17 => Call::Shutdown(end, Shutdown::Write),
        18 => Call::Close(end),
        _ => Call::Getpeername(end),
    }
}

fn receive_of(s: Var, room: usize, rights: Option<usize>) -> Recv {
    Recv { out: Vec::new(), s, room, rights, flags: MsgFlags::DONTWAIT }
}

fn receive(s: Var, room: usize, rights: Option<usize>) -> Call {
    Call::Recv(receive_of(s, room, rights))
}

/// Whether the program is a history that can be judged.
fn is_history(program: &Program) -> bool {
    let is_short = |thread: &Vec<Call>| thread.len() <= CALLS;
    let is_single_step = |(thread, call): (usize, &Call)| match call {
        Call::Send(Send { to: None, flags, .. }) | Call::Recv(Recv { flags, .. }) => {
            flags.contains(MsgFlags::DONTWAIT)
        }
        Call::Shutdown(s, _) | Call::Close(s) => !is_used_elsewhere(program, thread, *s),
        Call::Getsockopt(..) | Call::Getpeername(_) => true,
        _ => false,
    };
    let threads = program.threads.iter().enumerate();
    let mut calls =
        threads.flat_map(|(index, thread)| thread.iter().map(move |call| (index, call)));
    let is_pair = |call: &Call| matches!(call, Call::Socketpair { .. });
    program.threads.len() <= THREADS
        && program.threads.iter().all(is_short)
        && program.first.iter().all(is_pair)
        && calls.all(is_single_step)
}

fn is_used_elsewhere(program: &Program, thread: usize, s: Var) -> bool {
    let others = program.threads.iter().enumerate().filter(|(index, _)| *index != thread);
    let uses = |call: &Call| call.needs().contains(&Some(s)) || call.rights().contains(&s);
    others.flat_map(|(_, calls)| calls).any(uses)
}

/// What is wrong with a history's answers.
pub(super) fn judge(program: &Program, trace: &Trace) -> Option<(String, String)> {
    if !is_history(program) {
        return None;
    }
    let mut start = Position::new(program);
    for (call, answer) in program.first.iter().zip(&trace.first) {
        if start.make(call) != *answer {
            let report = format!("{call}: {answer}\n");
            return Some(("a wrong answer before the threads".to_owned(), report));
        }
    }
    let mut search = Search::new(program, trace);
    if search.is_linear(&start, &mut vec![0; search.rows.len()]) {
        return None;
    }
    Some(("no order explains the answers".to_owned(), describe(program, trace)))
}

fn describe(program: &Program, trace: &Trace) -> String {
    let mut report = String::from("each call, from when to when it was under way, its answer:\n");
    for (index, (calls, events)) in program.threads.iter().zip(&trace.threads).enumerate() {
        for (call, event) in calls.iter().zip(events) {
            let Event { start, end, answer } = event;
            report += &format!("  thread {} [{start:>3}, {end:>3}] {call}: {answer}\n", index + 1);
        }
    }
    for (call, answer) in program.last.iter().zip(&trace.last) {
        report += &format!("  then {call}: {answer}\n");
    }
    report
}

/// A call, when it was under way, and what it answered.
struct Step<'a> {
    call: &'a Call,
    start: u64,
    end: u64,
    answer: &'a Answer,
    /// What it may answer because of a call that was under way at the same time.
    collision: Option<Errno>,
}

struct Search<'a> {
    /// Each thread's calls; the last ones are a thread that begins when the others have ended.
    rows: Vec<Vec<Step<'a>>>,
    seen: HashSet<(Vec<usize>, Position)>,
}

impl<'a> Search<'a> {
    fn new(program: &'a Program, trace: &'a Trace) -> Search<'a> {
        let threads = program.threads.iter().zip(&trace.threads);
        let mut rows: Vec<Vec<Step<'a>>> = threads
            .map(|(calls, events)| calls.iter().zip(events).map(Step::of).collect())
            .collect();
        for row in 0..rows.len() {
            for at in 0..rows[row].len() {
                let others = rows.iter().enumerate().filter(|(other, _)| *other != row);
                let mut steps = others.flat_map(|(_, steps)| steps);
                let collision = steps.find_map(|step| rows[row][at].collision_with(step));
                rows[row][at].collision = collision;
            }
        }
        let after = u64::MAX / 2;
        let last = program.last.iter().zip(&trace.last).zip(0..);
        rows.push(last.map(|(step, at)| Step::at(step, after + 2 * at)).collect());
        Search { rows, seen: HashSet::new() }
    }

    /// Whether there is an order of what is left, from here.
    fn is_linear(&mut self, here: &Position, done: &mut Vec<usize>) -> bool {
        let next = |row: usize, done: &[usize]| done[row];
        let left = |search: &Self, row: usize| next(row, done) < search.rows[row].len();
        let pending: Vec<usize> = (0..done.len()).filter(|row| left(self, *row)).collect();
        if pending.is_empty() {
            return true;
        }
        if !self.seen.insert((done.clone(), here.clone())) {
            return false;
        }
        let first_end = pending.iter().map(|row| self.rows[*row][done[*row]].end).min();
        for row in pending {
            let step = &self.rows[row][done[row]];
            if Some(step.start) > first_end {
                continue;
            }
            let (call, answer) = (step.call, step.answer);
            let collided = step.has_collided();
            let mut there = here.clone();
            let is_same = there.make(call) == *answer;
            done[row] += 1;
            if is_same && self.is_linear(&there, done) || collided && self.is_linear(here, done) {
                return true;
            }
            done[row] -= 1;
        }
        false
    }
}

impl<'a> Step<'a> {
    fn of((call, event): (&'a Call, &'a Event)) -> Step<'a> {
        let Event { start, end, answer } = event;
        Step { call, start: *start, end: *end, answer, collision: None }
    }

    fn at((call, answer): (&'a Call, &'a Answer), start: u64) -> Step<'a> {
        Step { call, start, end: start + 1, answer, collision: None }
    }

    /// What this call may answer because of the other one.
    fn collision_with(&self, other: &Step<'_>) -> Option<Errno> {
        if self.start > other.end || other.start > self.end {
            return None;
        }
        let is_receive = |call: &Call| matches!(call, Call::Recv(_) | Call::Shutdown(..));
        match (self.call, other.call) {
            (Call::Send(a), Call::Send(b)) if a.s == b.s => Some(Errno::Ewouldblock),
            (Call::Send(_), Call::Close(_)) => Some(Errno::Enotconn),
            (a, b) if is_receive(a) && is_receive(b) && a.needs() == b.needs() => {
                Some(Errno::Ewouldblock)
            }
            _ => None,
        }
    }

    /// Whether it answered what only the other call explains.
    fn has_collided(&self) -> bool {
        self.collision.is_some_and(|errno| self.answer.outcome == Outcome::Failed(errno))
    }
}
