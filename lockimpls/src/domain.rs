//! The public seam: what a socket layer can do, and the words of its calls.
//!
//! [`Domain`] is what a backend is. The modelled backends share one implementation of it (`uipc`);
//! `host` answers with system calls; another crate can bring its own and hand it to the same
//! harness. Nobody calls a `Domain` directly: [`Checked`](crate::Checked) is the boundary that
//! every call passes, as every system call passes the kernel's return to user mode.

pub(crate) mod algorithm;
mod config;

use crate::errno::Errno;

pub use self::algorithm::{Algorithm, OwnLock};
pub use self::config::{Ambient, Config, WaitStrategy};

/// The type of a socket, as socket(2) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SockType {
    /// A connected stream of bytes, without record boundaries.
    Stream,
    /// Messages without a connection; a message that finds no room is refused, never waited for.
    Dgram,
    /// A connected sequence of records.
    Seqpacket,
}

impl SockType {
    /// Every type, in the order they are listed to users.
    pub const ALL: [SockType; 3] = [SockType::Stream, SockType::Dgram, SockType::Seqpacket];

    /// The name used on the command line and in records: `stream`, `dgram` or `seqpacket`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SockType::Stream => "stream",
            SockType::Dgram => "dgram",
            SockType::Seqpacket => "seqpacket",
        }
    }
}

/// A descriptor, as the backends here make them: a number, and which of its uses is meant. A stale
/// one is recognised, never taken for its successor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Fd {
    /// A place of the layer's table, or the machine's number.
    pub number: u32,
    /// Grows when the number is used again.
    pub generation: u32,
}

bitflags::bitflags! {
    /// The flags of a send or a receive, and those that a receive gives back.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct MsgFlags: u32 {
        /// Do not wait, whatever the socket's own setting.
        const DONTWAIT = 1;
        /// Read and leave what was read in the buffer.
        const PEEK = 2;
        /// The message ends a record. On a stream: EINVAL.
        const EOR = 4;
        /// Out-of-band data: EOPNOTSUPP here, from a send that passes every other check.
        const OOB = 8;
        /// Given back: something of the message was left, if only an mbuf without bytes where there
        /// was no room, and is lost.
        const TRUNC = 16;
        /// Given back: there were descriptors that found no room, and they are lost. Only `host`
        /// says so; a modelled backend refuses the message, or has no control buffer to look at.
        const CTRUNC = 32;
    }
}

/// Which direction [`Domain::shutdown`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// SHUT_RD: nothing more is received, what is queued is dropped.
    Read,
    /// SHUT_WR: nothing more is sent, the peer sees the end of the stream.
    Write,
    /// SHUT_RDWR: both.
    Both,
}

/// The options of setsockopt(2) that the layer has. All are in bytes but `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SockOpt {
    /// SO_SNDBUF: how many unread bytes the sender may have at its peer.
    SndBuf,
    /// SO_RCVBUF: how many bytes the receive buffer holds.
    RcvBuf,
    /// SO_SNDLOWAT: how much room a send wants before it starts.
    SndLowat,
    /// SO_RCVLOWAT: how many bytes a receive waits for.
    RcvLowat,
    /// SO_ERROR: the pending error, read and cleared; 0 or a number whose [`Errno`] has this code.
    Error,
}

/// A name in the unix domain: a path of at most 103 bytes, or none.
///
/// The type is `Copy` and holds its bytes itself, so that passing names allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SockAddr {
    len: u8,
    path: [u8; SockAddr::MAX],
}

impl SockAddr {
    /// The longest path, in bytes, without its terminating NUL (`sun_path` has 104).
    pub const MAX: usize = 103;

    /// The address of a socket that was never bound.
    pub const UNNAMED: SockAddr = SockAddr { len: 0, path: [0; SockAddr::MAX] };

    /// The address with this path.
    ///
    /// # Errors
    /// `EINVAL` where the path is empty or longer than [`SockAddr::MAX`] bytes.
    pub fn new(path: impl AsRef<[u8]>) -> Result<SockAddr, Errno> {
        let bytes = path.as_ref();
        if bytes.is_empty() || bytes.len() > SockAddr::MAX {
            return Err(Errno::Einval);
        }
        let mut addr = SockAddr { len: bytes.len() as u8, path: [0; SockAddr::MAX] };
        addr.path[..bytes.len()].copy_from_slice(bytes);
        Ok(addr)
    }

    /// The path, empty for an unnamed socket.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.path[..usize::from(self.len)]
    }

    /// Whether this is the address of a socket that was never bound.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.len == 0
    }
}

impl std::fmt::Debug for SockAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SockAddr({:?})", String::from_utf8_lossy(self.path()))
    }
}

/// What sendmsg(2) is given.
#[derive(Clone, Copy, Debug)]
pub struct SendMsg<'a, S> {
    /// The destination of a datagram; ignored on a connected stream.
    pub to: Option<&'a SockAddr>,
    /// The bytes to send.
    pub data: &'a [u8],
    /// The descriptors to pass along (SCM_RIGHTS); none: no control message.
    pub rights: &'a [S],
    /// `DONTWAIT`, `EOR`, `OOB`.
    pub flags: MsgFlags,
}

/// What recvmsg(2) is given, and what it fills in.
#[derive(Debug)]
pub struct RecvMsg<'a, S> {
    /// Room for the bytes.
    pub data: &'a mut [u8],
    /// Room for descriptors: the first [`RecvMsg::rights_len`] are filled in.
    pub rights: &'a mut [Option<S>],
    /// Filled in: how many descriptors were received.
    pub rights_len: usize,
    /// Room for where a datagram came from: what is no datagram has no name. `None`: not asked for.
    pub from: Option<&'a mut SockAddr>,
    /// In: `DONTWAIT`, `PEEK`, `OOB`. Out: `TRUNC`, `CTRUNC`, `EOR`.
    pub flags: MsgFlags,
}

impl<'a, S> RecvMsg<'a, S> {
    /// A receive of bytes alone.
    pub fn new(data: &'a mut [u8], flags: MsgFlags) -> Self {
        Self { data, rights: &mut [], rights_len: 0, from: None, flags }
    }

    /// A receive of bytes and descriptors.
    pub fn with_rights(data: &'a mut [u8], rights: &'a mut [Option<S>], flags: MsgFlags) -> Self {
        Self { data, rights, rights_len: 0, from: None, flags }
    }

    /// Fills in where a datagram came from, if that is asked for.
    pub fn fill_from(&mut self, from: SockAddr) {
        if let Some(room) = &mut self.from {
            **room = from;
        }
    }
}

/// One pool of counted objects: a row of the table that a leak report prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// The kernel's name of the pool: `unpcb`, `socket`, `mbuf`, `file`, `fd`, ...
    pub name: &'static str,
    /// How many objects are in use now.
    pub in_use: u64,
    /// How many were ever taken.
    pub requests: u64,
    /// How many were ever given back.
    pub releases: u64,
}

/// A unix(4) socket layer.
///
/// Every call may be made by any thread on any socket at any time. Calls that would wait do so
/// unless the socket or the call is nonblocking. A closed or never opened descriptor gives `EBADF`
/// in each.
///
/// A layer sends, receives and closes, and opens its sockets in some way. A call that it does not
/// have answers `EOPNOTSUPP`, as the bodies here do, whatever it is given: so it can be asked once
/// what a layer has, and what needs more is not run on it. The same holds for what a message cannot
/// have in it: a name, descriptors.
///
/// Implementations take and release their locks through [`RwLock`](crate::RwLock), so that the
/// witness sees them; they need not (and cannot) check for leaks at a call's end:
/// [`Checked`](crate::Checked) does.
pub trait Domain: Send + Sync + Sized + 'static {
    /// A descriptor: what socket(2) returns. Stale descriptors are recognised, never reused.
    type Sock: Copy + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static;

    /// The name by which users choose this backend, such as `per-socket`.
    const NAME: &'static str;
    /// One line: what is locked, after which kernel or paper.
    const ABOUT: &'static str;
    /// Whether this is the model: its answers are those of the sequential one, and its locks can be
    /// others. Neither the machine's own sockets nor a layer of another crate is.
    const MODELLED: bool = false;
    /// Whether a run that names no backend has it.
    const IS_USUAL: bool = true;

    /// A layer with no sockets.
    ///
    /// # Errors
    /// `EINVAL`: the sizes make no sense, or [`Config::ambient`] or [`Config::lock`] is not this
    /// type's (see [`Variants`](crate::Variants)). `EOPNOTSUPP`: this backend has neither. What the
    /// machine refuses (`host`).
    fn new(config: &Config) -> Result<Self, Errno>;

    /// Whether the surroundings let this backend work: the machine's own needs a folder for names,
    /// and descriptors.
    ///
    /// # Errors
    /// What is refused, why, and what to do: a sentence for a user.
    fn try_out() -> Result<(), String> {
        Ok(())
    }

    /// Two connected sockets; the first has the lower address of the two when nothing was closed
    /// yet.
    fn socketpair(&self, kind: SockType) -> Result<(Self::Sock, Self::Sock), Errno> {
        let _ = kind;
        Err(Errno::Eopnotsupp)
    }
    /// A socket that is not connected.
    fn socket(&self, kind: SockType) -> Result<Self::Sock, Errno> {
        let _ = kind;
        Err(Errno::Eopnotsupp)
    }
    /// Gives the socket a name.
    fn bind(&self, s: Self::Sock, name: &SockAddr) -> Result<(), Errno> {
        let _ = (s, name);
        Err(Errno::Eopnotsupp)
    }
    /// Removes a name, as unlink(2) does; the socket bound to it lives on.
    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        let _ = name;
        Err(Errno::Eopnotsupp)
    }
    /// Makes the socket accept connections, with a queue of `backlog`.
    fn listen(&self, s: Self::Sock, backlog: i32) -> Result<(), Errno> {
        let _ = (s, backlog);
        Err(Errno::Eopnotsupp)
    }
    /// Connects to the socket that is bound to `name`.
    fn connect(&self, s: Self::Sock, name: &SockAddr) -> Result<(), Errno> {
        let _ = (s, name);
        Err(Errno::Eopnotsupp)
    }
    /// Takes the first connection from the queue: its socket and the address of its peer.
    fn accept(&self, s: Self::Sock) -> Result<(Self::Sock, SockAddr), Errno> {
        let _ = s;
        Err(Errno::Eopnotsupp)
    }

    /// Sends a message; returns how many bytes were taken.
    fn sendmsg(&self, s: Self::Sock, msg: &SendMsg<'_, Self::Sock>) -> Result<usize, Errno>;
    /// Receives a message; returns how many bytes were stored, 0 at the end of the stream.
    fn recvmsg(&self, s: Self::Sock, msg: &mut RecvMsg<'_, Self::Sock>) -> Result<usize, Errno>;

    /// [`Domain::sendmsg`] with bytes alone.
    #[inline]
    fn send(&self, s: Self::Sock, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.sendmsg(s, &SendMsg { to: None, data, rights: &[], flags })
    }
    /// [`Domain::recvmsg`] with bytes alone.
    #[inline]
    fn recv(&self, s: Self::Sock, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.recvmsg(s, &mut RecvMsg::new(data, flags))
    }

    /// Ends one direction or both.
    fn shutdown(&self, s: Self::Sock, how: Shutdown) -> Result<(), Errno> {
        let _ = (s, how);
        Err(Errno::Eopnotsupp)
    }
    /// Closes the descriptor; the socket goes with its last descriptor, in flight ones included.
    fn close(&self, s: Self::Sock) -> Result<(), Errno>;
    /// A second descriptor of the same socket.
    fn dup(&self, s: Self::Sock) -> Result<Self::Sock, Errno> {
        let _ = s;
        Err(Errno::Eopnotsupp)
    }
    /// Whether two descriptors are of one open socket.
    fn same_file(&self, a: Self::Sock, b: Self::Sock) -> Result<bool, Errno> {
        let _ = (a, b);
        Err(Errno::Eopnotsupp)
    }
    /// The socket's own name, or [`SockAddr::UNNAMED`].
    fn getsockname(&self, s: Self::Sock) -> Result<SockAddr, Errno> {
        let _ = s;
        Err(Errno::Eopnotsupp)
    }
    /// The peer's name, or [`SockAddr::UNNAMED`].
    fn getpeername(&self, s: Self::Sock) -> Result<SockAddr, Errno> {
        let _ = s;
        Err(Errno::Eopnotsupp)
    }
    /// Sets an option.
    fn setsockopt(&self, s: Self::Sock, option: SockOpt, value: usize) -> Result<(), Errno> {
        let _ = (s, option, value);
        Err(Errno::Eopnotsupp)
    }
    /// Reads an option. For `Error`: 0, or a code that [`Errno::from_host`] knows.
    fn getsockopt(&self, s: Self::Sock, option: SockOpt) -> Result<usize, Errno> {
        let _ = (s, option);
        Err(Errno::Eopnotsupp)
    }
    /// O_NONBLOCK, on the socket.
    fn set_nonblocking(&self, s: Self::Sock, on: bool) -> Result<(), Errno> {
        let _ = (s, on);
        Err(Errno::Eopnotsupp)
    }

    /// Whether there is work that a kernel would leave to a task: the boundary then calls
    /// [`Domain::collect`], after the call that made it necessary has returned and was checked.
    #[inline]
    fn wants_collect(&self) -> bool {
        false
    }
    /// Runs the collector for sockets that only messages refer to, until it finds nothing more.
    #[inline]
    fn collect(&self) {}
    /// Every pool's counts. After all is closed and collected, `in_use` must be 0 everywhere.
    fn pools(&self) -> Vec<PoolUse>;
}
