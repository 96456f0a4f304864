//! Printing programs in the form that [`parse`](crate::parse) reads.

use std::fmt::{Display, Formatter, Result};

use crate::words::{FLAGS, HOWS, KINDS, OPTIONS, SIZES, SWITCH, TIMES_MAX, word};
use crate::{Call, Data, Program, Recv, Send, Size, Var};
use lockimpls::MsgFlags;

impl Display for Var {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "r{}", self.0)
    }
}

impl Display for Data {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Data::Text(text) => write!(f, "{text:?}"),
            Data::Count { len, first } => write!(f, "bytes({len}, {first})"),
        }
    }
}

/// `r0, r1`
pub(crate) fn vars(list: &[Var]) -> String {
    list.iter().map(Var::to_string).collect::<Vec<_>>().join(", ")
}

/// `r0, r1`; a descriptor that comes very often is counted, as far as it can be read again:
/// `r0*300, r0*28`.
fn list(rights: &[Var]) -> String {
    let part = |same: &[Var]| match same.len() {
        0..=TIMES_MIN => vars(same),
        times => format!("{}*{times}", same[0]),
    };
    let runs = rights.chunk_by(Var::eq).flat_map(|same| same.chunks(TIMES_MAX));
    runs.map(part).collect::<Vec<_>>().join(", ")
}

/// Up to here the descriptors are named one by one.
const TIMES_MIN: usize = 8;

/// `sominconn=1, maxfiles=3`
pub(crate) fn sizes(program: &Program) -> String {
    let size = |(size, number): &(Size, usize)| format!("{}={number}", word(&SIZES, size));
    program.sizes.iter().map(size).collect::<Vec<_>>().join(", ")
}

fn flags(f: &mut Formatter<'_>, flags: MsgFlags) -> Result {
    for (word, flag) in FLAGS {
        if flags.contains(flag) {
            write!(f, ", {word}")?;
        }
    }
    Ok(())
}

impl Display for Send {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let call = match (&self.rights, &self.to) {
            (Some(_), _) => "sendmsg",
            (None, Some(_)) => "sendto",
            (None, None) => "send",
        };
        write!(f, "{call}({}, {}", self.s, self.data)?;
        match (&self.rights, &self.to) {
            (Some(_), Some(to)) => write!(f, ", to={to:?}")?,
            (None, Some(to)) => write!(f, ", {to:?}")?,
            _ => {}
        }
        if let Some(rights) = &self.rights {
            write!(f, ", rights=[{}]", list(rights))?;
        }
        flags(f, self.flags)?;
        f.write_str(")")
    }
}

impl Display for Recv {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let call = if self.rights.is_some() { "recvmsg" } else { "recv" };
        write!(f, "{call}({}, {}", self.s, self.room)?;
        if let Some(rights) = self.rights {
            write!(f, ", rights={rights}")?;
        }
        flags(f, self.flags)?;
        f.write_str(")")
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.outs().is_empty() {
            write!(f, "{} = ", vars(self.outs()))?;
        }
        let nonblock = |on: &bool| if *on { ", nonblock" } else { "" };
        match self {
            Call::Socketpair { kind, nonblock: on, .. } => {
                write!(f, "socketpair({}{})", word(&KINDS, kind), nonblock(on))
            }
            Call::Socket { kind, nonblock: on, .. } => {
                write!(f, "socket({}{})", word(&KINDS, kind), nonblock(on))
            }
            Call::Bind(s, name) => write!(f, "bind({s}, {name:?})"),
            Call::Unlink(name) => write!(f, "unlink({name:?})"),
            Call::Listen(s, backlog) => write!(f, "listen({s}, {backlog})"),
            Call::Connect(s, name) => write!(f, "connect({s}, {name:?})"),
            Call::Accept { s, nonblock: on, .. } => write!(f, "accept({s}{})", nonblock(on)),
            Call::Send(send) => send.fmt(f),
            Call::Recv(recv) => recv.fmt(f),
            Call::Shutdown(s, how) => write!(f, "shutdown({s}, {})", word(&HOWS, how)),
            Call::Close(s) => write!(f, "close({s})"),
            Call::Dup(_, s) => write!(f, "dup({s})"),
            Call::SameFile(a, b) => write!(f, "same_file({a}, {b})"),
            Call::Getsockname(s) => write!(f, "getsockname({s})"),
            Call::Getpeername(s) => write!(f, "getpeername({s})"),
            Call::Setsockopt(s, option, value) => {
                write!(f, "setsockopt({s}, {}, {value})", word(&OPTIONS, option))
            }
            Call::Getsockopt(s, option) => {
                write!(f, "getsockopt({s}, {})", word(&OPTIONS, option))
            }
            Call::Nonblocking(s, on) => write!(f, "nonblocking({s}, {})", word(&SWITCH, on)),
        }
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.backends.is_empty() {
            writeln!(f, "backend: {}", self.backends.join(", "))?;
        }
        if !self.sizes.is_empty() {
            writeln!(f, "layer: {}", sizes(self))?;
        }
        for call in &self.first {
            writeln!(f, "{call}")?;
        }
        for (index, thread) in self.threads.iter().enumerate() {
            writeln!(f, "thread {}:", index + 1)?;
            for call in thread {
                writeln!(f, "  {call}")?;
            }
        }
        if !self.last.is_empty() {
            writeln!(f, "then:")?;
        }
        for call in &self.last {
            writeln!(f, "  {call}")?;
        }
        Ok(())
    }
}
