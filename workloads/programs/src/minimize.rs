//! Making a failing program smaller: fewer calls, fewer threads, smaller arguments.

use std::collections::BTreeSet;

use crate::{Call, Data, Program, Recv, Send, Var};

/// The smallest program found for which `fails` still says so: calls from the back, halves of them,
/// threads, then arguments, until nothing more can go. `fails` has said so of `program` itself.
pub fn minimize(program: &Program, fails: impl FnMut(&Program) -> bool) -> Program {
    let mut search = Search { best: program.clone(), fails };
    loop {
        let before = search.best.clone();
        search.fewer_threads();
        search.fewer_calls();
        search.merge_threads();
        search.smaller_arguments();
        if search.best == before {
            return before;
        }
    }
}

struct Search<F> {
    best: Program,
    fails: F,
}

impl<F: FnMut(&Program) -> bool> Search<F> {
    /// Takes the candidate if it is another program and still fails.
    fn try_one(&mut self, candidate: Program) -> bool {
        let candidate = pruned(candidate);
        let is_better = candidate != self.best && (self.fails)(&candidate);
        if is_better {
            self.best = candidate;
        }
        is_better
    }

    fn fewer_threads(&mut self) {
        for index in (0..self.best.threads.len()).rev() {
            let mut candidate = self.best.clone();
            candidate.threads.remove(index);
            self.try_one(candidate);
        }
    }

    /// Every call in one row: what depends on no race needs no threads.
    fn merge_threads(&mut self) {
        if self.best.threads.is_empty() {
            return;
        }
        let mut candidate = self.best.clone();
        for thread in std::mem::take(&mut candidate.threads) {
            candidate.first.extend(thread);
        }
        candidate.first.append(&mut candidate.last);
        self.try_one(candidate);
    }

    /// Stretches of calls from the back: first half of the program, then ever shorter ones.
    fn fewer_calls(&mut self) {
        let mut length = self.best.len() / 2;
        while length > 0 {
            let mut end = self.best.len();
            while end > 0 {
                let from = end.saturating_sub(length);
                let candidate = without(&self.best, from, end);
                self.try_one(candidate);
                end = from.min(self.best.len());
            }
            length /= 2;
        }
    }

    fn smaller_arguments(&mut self) {
        for index in 0..self.best.len() {
            let mut tried = BTreeSet::new();
            while let Some(smaller) = self.untried(index, &mut tried) {
                self.try_one(with(&self.best, index, smaller));
            }
        }
    }

    /// The next simpler form of a call.
    fn untried(&self, index: usize, tried: &mut BTreeSet<String>) -> Option<Call> {
        let call = self.best.calls().nth(index)?;
        smaller(call).into_iter().find(|smaller| tried.insert(smaller.to_string()))
    }
}

/// The program without the calls of a range, counted over all of them.
fn without(program: &Program, from: usize, end: usize) -> Program {
    let (mut index, mut less) = (0, program.clone());
    let mut keep = |_: &Call| {
        index += 1;
        !(from..end).contains(&(index - 1))
    };
    less.first.retain(&mut keep);
    less.threads.iter_mut().for_each(|thread| thread.retain(&mut keep));
    less.last.retain(&mut keep);
    less
}

/// The program with another call in place of one.
fn with(program: &Program, index: usize, call: Call) -> Program {
    let mut other = program.clone();
    let threads = other.threads.iter_mut().flatten();
    if let Some(place) = other.first.iter_mut().chain(threads).chain(&mut other.last).nth(index) {
        *place = call;
    }
    other
}

/// Takes out what uses variables that nothing makes any more, and threads without calls; numbers
/// the variables anew.
fn pruned(mut program: Program) -> Program {
    let mut made = BTreeSet::new();
    program.first.retain_mut(|call| admit(call, &mut made));
    for thread in &mut program.threads {
        let mut here = made.clone();
        thread.retain_mut(|call| admit(call, &mut here));
    }
    program.last.retain_mut(|call| admit(call, &mut made));
    program.threads.retain(|thread| !thread.is_empty());
    renumber(&mut program);
    program
}

/// Whether what the call needs is there; descriptors that are not are not passed.
fn admit(call: &mut Call, made: &mut BTreeSet<Var>) -> bool {
    if let Call::Send(Send { rights: Some(rights), .. }) = call {
        rights.retain(|var| made.contains(var));
    }
    let is_whole = call.needs().iter().flatten().all(|var| made.contains(var));
    if is_whole {
        made.extend(call.outs());
    }
    is_whole
}

fn renumber(program: &mut Program) {
    let order: Vec<Var> = program.calls().flat_map(Call::outs).copied().collect();
    let new = |var: &mut Var| {
        if let Some(at) = order.iter().position(|old| old == var) {
            *var = Var(at as u16);
        }
    };
    let threads = program.threads.iter_mut().flatten();
    let calls = program.first.iter_mut().chain(threads).chain(&mut program.last);
    calls.flat_map(Call::vars_mut).for_each(new);
}

/// Simpler forms of a call, the simplest first.
fn smaller(call: &Call) -> Vec<Call> {
    let mut smaller = match call {
        Call::Send(send) => smaller_sends(send).into_iter().map(Call::Send).collect(),
        Call::Recv(recv) => smaller_recvs(recv).into_iter().map(Call::Recv).collect(),
        Call::Socketpair { out, kind, nonblock: true } => {
            vec![Call::Socketpair { out: *out, kind: *kind, nonblock: false }]
        }
        Call::Socket { out, kind, nonblock: true } => {
            vec![Call::Socket { out: *out, kind: *kind, nonblock: false }]
        }
        Call::Setsockopt(s, option, value) if *value > 1 => {
            vec![Call::Setsockopt(*s, *option, 1), Call::Setsockopt(*s, *option, value / 2)]
        }
        _ => Vec::new(),
    };
    smaller.extend(with_first_variables(call));
    smaller
}

/// The call on the sockets made first.
fn with_first_variables(call: &Call) -> Vec<Call> {
    let mut call_again = call.clone();
    let is_used = |var: &Var| !call.outs().contains(var);
    let used: BTreeSet<Var> =
        call_again.vars_mut().iter().map(|var| **var).filter(is_used).collect();
    let mut others = Vec::new();
    for from in used {
        for to in [Var(0), Var(1)].into_iter().filter(|to| *to < from) {
            let mut other = call.clone();
            other.vars_mut().into_iter().filter(|var| **var == from).for_each(|var| *var = to);
            others.push(other);
        }
    }
    others
}

fn smaller_sends(send: &Send) -> Vec<Send> {
    let mut smaller = Vec::new();
    let with_data = |data| Send { data, ..send.clone() };
    if send.data != Data::Text("x".to_owned()) {
        smaller.push(with_data(Data::Text("x".to_owned())));
        let len = send.data.len();
        if len > 2 {
            smaller.push(with_data(Data::Count { len: len / 2, first: 0 }));
            smaller.push(with_data(Data::Count { len: len - 1, first: 0 }));
        }
    }
    if !send.flags.is_empty() {
        smaller.push(Send { flags: lockimpls::MsgFlags::empty(), ..send.clone() });
    }
    if send.to.is_some() {
        smaller.push(Send { to: None, ..send.clone() });
    }
    if let Some(rights) = &send.rights {
        smaller.push(Send { rights: None, ..send.clone() });
        if rights.len() > 1 {
            smaller.push(Send { rights: Some(rights[..1].to_vec()), ..send.clone() });
        }
    }
    smaller
}

fn smaller_recvs(recv: &Recv) -> Vec<Recv> {
    let mut smaller = Vec::new();
    if recv.rights.is_some() && recv.out.is_empty() {
        smaller.push(Recv { rights: None, ..recv.clone() });
    }
    if !recv.flags.is_empty() {
        smaller.push(Recv { flags: lockimpls::MsgFlags::empty(), ..recv.clone() });
    }
    if recv.room > 64 {
        smaller.push(Recv { room: 64, ..recv.clone() });
    }
    smaller
}
