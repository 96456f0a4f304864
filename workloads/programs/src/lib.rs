//! Programs: lists of calls in a small text form, made by chance or by hand, run on any backend.
//!
//! `PROGRAMS.md` describes the form. [`parse`] reads it, [`Program`] prints it, [`generate`] draws
//! programs from a seed, [`Runner`] runs one and keeps what every call answered, [`Model`] is
//! the sequential layer that says what the answers must be, and [`check`] compares.

#![forbid(unsafe_code)]

pub mod allowed;
pub mod cases;
pub mod check;
pub mod generate;
pub mod runner;

mod minimize;
mod model;
mod parse;
mod print;
mod threads;
mod words;

pub use minimize::minimize;
pub use model::Model;
pub use parse::{ParseError, parse};
pub use runner::{Answer, Runner};

use lockimpls::{Config, MsgFlags, Shutdown, SockOpt, SockType};

/// A variable: what a call made and a later call uses. Printed as `r0`, `r1`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u16);

/// The name of a socket in a program.
pub type Name = String;

/// The bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Data {
    /// These: printable ASCII without `"` and `\`.
    Text(String),
    /// So many bytes, counting up from the first: `bytes(2000, 7)`.
    Count {
        /// How many bytes.
        len: usize,
        /// The first byte.
        first: u8,
    },
}

impl Data {
    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Data::Text(text) => text.len(),
            Data::Count { len, .. } => *len,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the bytes into `room`, which keeps its memory from message to message.
    pub fn write_to(&self, room: &mut Vec<u8>) {
        room.clear();
        match self {
            Data::Text(text) => room.extend_from_slice(text.as_bytes()),
            Data::Count { len, first } => {
                room.extend((0..*len).map(|i| first.wrapping_add(i as u8)));
            }
        }
    }
}

/// What a send is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// The socket.
    pub s: Var,
    /// The bytes.
    pub data: Data,
    /// The destination.
    pub to: Option<Name>,
    /// `Some`: sendmsg(2) with these descriptors; `None`: send(2) or sendto(2).
    pub rights: Option<Vec<Var>>,
    /// `DONTWAIT`, `EOR`, `OOB`.
    pub flags: MsgFlags,
}

/// What a receive is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recv {
    /// The descriptors received; those beyond are closed at the program's end.
    pub out: Vec<Var>,
    /// The socket.
    pub s: Var,
    /// Room for so many bytes.
    pub room: usize,
    /// `Some`: recvmsg(2) with room for so many descriptors; `None`: recv(2).
    pub rights: Option<usize>,
    /// `DONTWAIT`, `PEEK`, `OOB`.
    pub flags: MsgFlags,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `r0, r1 = socketpair(stream)`
    Socketpair {
        /// The two sockets.
        out: [Var; 2],
        /// Their type.
        kind: SockType,
        /// Whether they are made nonblocking.
        nonblock: bool,
    },
    /// `r0 = socket(stream)`
    Socket {
        /// The socket.
        out: Var,
        /// Its type.
        kind: SockType,
        /// Whether it is made nonblocking.
        nonblock: bool,
    },
    /// `bind(r0, "a")`
    Bind(Var, Name),
    /// `unlink("a")`
    Unlink(Name),
    /// `listen(r0, 5)`
    Listen(Var, i32),
    /// `connect(r0, "a")`
    Connect(Var, Name),
    /// `r1 = accept(r0)`
    Accept {
        /// The new socket.
        out: Var,
        /// The listener.
        s: Var,
        /// Whether the new socket is made nonblocking.
        nonblock: bool,
    },
    /// `send(r0, "x")`, `sendto(r0, "x", "a")`, `sendmsg(r0, "x", rights=[r1])`
    Send(Send),
    /// `recv(r0, 64)`, `r2 = recvmsg(r0, 64, rights=1)`
    Recv(Recv),
    /// `shutdown(r0, rd)`
    Shutdown(Var, Shutdown),
    /// `close(r0)`
    Close(Var),
    /// `r1 = dup(r0)`
    Dup(Var, Var),
    /// `same_file(r0, r1)`
    SameFile(Var, Var),
    /// `getsockname(r0)`
    Getsockname(Var),
    /// `getpeername(r0)`
    Getpeername(Var),
    /// `setsockopt(r0, sndbuf, 1)`
    Setsockopt(Var, SockOpt, usize),
    /// `getsockopt(r0, error)`
    Getsockopt(Var, SockOpt),
    /// `nonblocking(r0, on)`
    Nonblocking(Var, bool),
}

impl Call {
    /// The variables that the call sets.
    #[must_use]
    pub fn outs(&self) -> &[Var] {
        match self {
            Call::Socketpair { out, .. } => out,
            Call::Socket { out, .. } | Call::Accept { out, .. } | Call::Dup(out, _) => {
                std::slice::from_ref(out)
            }
            Call::Recv(recv) => &recv.out,
            _ => &[],
        }
    }

    /// The sockets it cannot do without.
    #[must_use]
    pub fn needs(&self) -> [Option<Var>; 2] {
        match self {
            Call::Socketpair { .. } | Call::Socket { .. } | Call::Unlink(_) => [None, None],
            Call::SameFile(a, b) => [Some(*a), Some(*b)],
            Call::Send(Send { s, .. })
            | Call::Recv(Recv { s, .. })
            | Call::Accept { s, .. }
            | Call::Dup(_, s)
            | Call::Bind(s, _)
            | Call::Listen(s, _)
            | Call::Connect(s, _)
            | Call::Shutdown(s, _)
            | Call::Close(s)
            | Call::Getsockname(s)
            | Call::Getpeername(s)
            | Call::Setsockopt(s, ..)
            | Call::Getsockopt(s, _)
            | Call::Nonblocking(s, _) => [Some(*s), None],
        }
    }

    /// The descriptors it passes.
    #[must_use]
    pub fn rights(&self) -> &[Var] {
        match self {
            Call::Send(Send { rights: Some(rights), .. }) => rights,
            _ => &[],
        }
    }

    /// Whether it passes any.
    #[must_use]
    pub fn passes_descriptors(&self) -> bool {
        !self.rights().is_empty()
    }

    /// Every variable in it.
    pub(crate) fn vars_mut(&mut self) -> Vec<&mut Var> {
        match self {
            Call::Unlink(_) => Vec::new(),
            Call::Socketpair { out: [a, b], .. } | Call::Dup(a, b) | Call::SameFile(a, b) => {
                vec![a, b]
            }
            Call::Accept { out, s, .. } => vec![out, s],
            Call::Send(send) => {
                std::iter::once(&mut send.s).chain(send.rights.iter_mut().flatten()).collect()
            }
            Call::Recv(recv) => std::iter::once(&mut recv.s).chain(&mut recv.out).collect(),
            Call::Socket { out: s, .. }
            | Call::Bind(s, _)
            | Call::Listen(s, _)
            | Call::Connect(s, _)
            | Call::Shutdown(s, _)
            | Call::Close(s)
            | Call::Getsockname(s)
            | Call::Getpeername(s)
            | Call::Setsockopt(s, ..)
            | Call::Getsockopt(s, _)
            | Call::Nonblocking(s, _) => vec![s],
        }
    }

    /// The name it uses, if any.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match self {
            Call::Bind(_, name) | Call::Unlink(name) | Call::Connect(_, name) => Some(name),
            Call::Send(send) => send.to.as_ref(),
            _ => None,
        }
    }
}

/// A size of the layer that a program may ask for: a field of [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// `sominconn`
    Sominconn,
    /// `somaxconn`
    Somaxconn,
    /// `maxfiles`
    Maxfiles,
    /// `sockets_max`
    SocketsMax,
    /// `reopen_after_calls`
    ReopenAfterCalls,
}

/// A program: what one thread does first, then what several do at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The backends it is meant for; none: every modelled one.
    pub backends: Vec<String>,
    /// What its layer has in other sizes than usual; none: any layer will do.
    pub sizes: Vec<(Size, usize)>,
    /// The calls made first, by one thread.
    pub first: Vec<Call>,
    /// The calls of each thread, made at the same time after that; none: a single-threaded program.
    pub threads: Vec<Vec<Call>>,
    /// The calls made last, by one thread, when the others have ended.
    pub last: Vec<Call>,
}

impl Program {
    /// Every call: the first ones, each thread's, the last ones.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.first.iter().chain(self.threads.iter().flatten()).chain(&self.last)
    }

    /// The sizes of its layer.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = runner::config();
        for (size, number) in &self.sizes {
            match size {
                Size::Sominconn => config.sominconn = *number,
                Size::Somaxconn => config.somaxconn = *number,
                Size::Maxfiles => config.maxfiles = *number,
                Size::SocketsMax => config.sockets_max = *number,
                Size::ReopenAfterCalls => {
                    config.reopen_after_calls = u32::try_from(*number).unwrap_or(u32::MAX);
                }
            }
        }
        config
    }

    /// How many calls there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls().count()
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One more than the highest variable.
    #[must_use]
    pub fn vars(&self) -> usize {
        self.calls().flat_map(Call::outs).map(|var| usize::from(var.0) + 1).max().unwrap_or(0)
    }
}
