//! The model in the middle of a program: a state and the variables so far, to be copied and tried.

use lockimpls::{Errno, RecvMsg, SendMsg, SockAddr};

use super::{Fd, State};
use crate::runner::{Answer, Outcome};
use crate::{Call, Program, Recv, Send, Var};

/// A state of the model and what the variables are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    state: State,
    vars: Vec<Option<Fd>>,
    /// The variables that received descriptors are compared with.
    known: Vec<Var>,
}

impl Position {
    /// Before the first call.
    pub(crate) fn new(program: &Program) -> Position {
        let known = program.first.iter().flat_map(Call::outs).copied().collect();
        Position { state: State::new(&program.config()), vars: vec![None; program.vars()], known }
    }

    /// Makes one call.
    pub(crate) fn make(&mut self, call: &Call) -> Answer {
        let mut answer = Answer::default();
        answer.outcome = match self.try_make(call, &mut answer) {
            None => Outcome::Skipped,
            Some(Ok(number)) => Outcome::Done(number),
            Some(Err(errno)) => Outcome::Failed(errno),
        };
        self.state.settle();
        answer
    }

    fn get(&self, var: Var) -> Option<Fd> {
        self.vars.get(usize::from(var.0)).copied().flatten()
    }

    /// The calls of histories; others are not made.
    fn try_make(&mut self, call: &Call, answer: &mut Answer) -> Option<Result<usize, Errno>> {
        let none = |()| 0;
        Some(match call {
            Call::Socketpair { out, kind, .. } => self.state.socketpair(*kind).map(|(a, b)| {
                self.vars[usize::from(out[0].0)] = Some(a);
                self.vars[usize::from(out[1].0)] = Some(b);
                0
            }),
            Call::Send(send) => return self.send(send),
            Call::Recv(recv) => return self.receive(recv, answer),
            Call::Shutdown(s, how) => self.state.shutdown(self.get(*s)?, *how).map(none),
            Call::Close(s) => self.state.close(self.get(*s)?).map(none),
            Call::Getsockopt(s, option) => self.state.getsockopt(self.get(*s)?, *option),
            Call::Getpeername(s) => {
                let name = self.state.getpeername(self.get(*s)?);
                answer.name = name.ok();
                name.map(|_| 0)
            }
            _ => return None,
        })
    }

    fn send(&mut self, send: &Send) -> Option<Result<usize, Errno>> {
        let s = self.get(send.s)?;
        let rights = send.rights.iter().flatten();
        let rights: Vec<Fd> = rights.map(|var| self.get(*var)).collect::<Option<_>>()?;
        let mut data = Vec::new();
        send.data.write_to(&mut data);
        let msg = SendMsg { to: None, data: &data, rights: &rights, flags: send.flags };
        Some(self.state.send(s, &msg))
    }

    fn receive(&mut self, recv: &Recv, answer: &mut Answer) -> Option<Result<usize, Errno>> {
        let s = self.get(recv.s)?;
        let mut rights = vec![None; recv.rights.unwrap_or(0)];
        answer.data.resize(recv.room, 0);
        let mut from = SockAddr::UNNAMED;
        let mut msg = RecvMsg::with_rights(&mut answer.data, &mut rights, recv.flags);
        msg.from = Some(&mut from);
        let result = self.state.receive(s, &mut msg);
        let (flags, received) = (msg.flags, msg.rights_len);
        answer.data.truncate(*result.as_ref().unwrap_or(&0));
        if recv.rights.is_some() && result.is_ok() {
            self.keep(recv, &rights[..received], answer);
            (answer.name, answer.flags) = (Some::<SockAddr>(from), flags);
        }
        Some(result)
    }

    /// Keeps the descriptors received.
    fn keep(&mut self, recv: &Recv, rights: &[Option<Fd>], answer: &mut Answer) {
        for (index, fd) in rights.iter().flatten().enumerate() {
            let id = self.state.getsock(*fd);
            let same =
                |var: &&Var| self.get(**var).is_some_and(|known| self.state.getsock(known) == id);
            answer.files.push(self.known.iter().find(same).copied());
            if let Some(var) = recv.out.get(index) {
                self.vars[usize::from(var.0)] = Some(*fd);
            }
        }
    }
}
