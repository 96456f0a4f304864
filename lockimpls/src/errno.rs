//! The errors of the socket layer, named after errno(2).
//!
//! The layer answers with the errors that OpenBSD's unix(4) gives for the same request
//! (`uipc_usrreq.c` 1.166, `uipc_socket.c` 1.279); the `host` backend answers with the machine's
//! own.

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Errno {
    /// No such name.
    Enoent,
    /// Nobody is there to read what would be written.
    Enxio,
    /// The descriptor is not open.
    Ebadf,
    /// The pools are exhausted.
    Enomem,
    /// The name may not be used by the caller.
    Eacces,
    /// An argument makes no sense for this request.
    Einval,
    /// Too many descriptors are open.
    Emfile,
    /// Too many files are open in the system.
    Enfile,
    /// There is no room for another name.
    Enospc,
    /// The other end cannot receive any more, or this end cannot send any more.
    Epipe,
    /// The request would block, and the socket or the call is nonblocking.
    Ewouldblock,
    /// The name does not belong to a socket.
    Enotsock,
    /// A datagram socket without a peer needs a destination.
    Edestaddrreq,
    /// The message does not fit in the buffer whole, and may not be cut.
    Emsgsize,
    /// The socket at the name is of another type.
    Eprototype,
    /// The request is not supported on this socket.
    Eopnotsupp,
    /// The address is not of the unix family.
    Eafnosupport,
    /// The name is taken.
    Eaddrinuse,
    /// The connection was torn down before it was accepted.
    Econnaborted,
    /// The peer has gone away.
    Econnreset,
    /// The receiving buffer has no room for this message.
    Enobufs,
    /// The socket is connected already.
    Eisconn,
    /// The socket is not connected.
    Enotconn,
    /// Nobody listens at the name, or the queue is full.
    Econnrefused,
    /// A connect is under way on this socket.
    Ealready,
    /// The argument list is too long (too many descriptors in one message).
    E2big,
    /// Using the object would lock it against itself (its file has too many references).
    Edeadlk,
    /// The operation is not permitted.
    Eperm,
    /// The option is not known.
    Enoprotoopt,
    /// Interrupted by a signal (only `host` can answer this).
    Eintr,
    /// An error of the machine's own that has no name here (only `host` can answer this).
    Other(i32),
}

const NAMES: &[(Errno, &str, i32)] = &[
    (Errno::Enoent, "ENOENT", libc::ENOENT),
    (Errno::Enxio, "ENXIO", libc::ENXIO),
    (Errno::Ebadf, "EBADF", libc::EBADF),
    (Errno::Enomem, "ENOMEM", libc::ENOMEM),
    (Errno::Eacces, "EACCES", libc::EACCES),
    (Errno::Einval, "EINVAL", libc::EINVAL),
    (Errno::Emfile, "EMFILE", libc::EMFILE),
    (Errno::Enfile, "ENFILE", libc::ENFILE),
    (Errno::Enospc, "ENOSPC", libc::ENOSPC),
    (Errno::Epipe, "EPIPE", libc::EPIPE),
    (Errno::Ewouldblock, "EWOULDBLOCK", libc::EWOULDBLOCK),
    (Errno::Enotsock, "ENOTSOCK", libc::ENOTSOCK),
    (Errno::Edestaddrreq, "EDESTADDRREQ", libc::EDESTADDRREQ),
    (Errno::Emsgsize, "EMSGSIZE", libc::EMSGSIZE),
    (Errno::Eprototype, "EPROTOTYPE", libc::EPROTOTYPE),
    (Errno::Eopnotsupp, "EOPNOTSUPP", libc::EOPNOTSUPP),
    (Errno::Eafnosupport, "EAFNOSUPPORT", libc::EAFNOSUPPORT),
    (Errno::Eaddrinuse, "EADDRINUSE", libc::EADDRINUSE),
    (Errno::Econnaborted, "ECONNABORTED", libc::ECONNABORTED),
    (Errno::Econnreset, "ECONNRESET", libc::ECONNRESET),
    (Errno::Enobufs, "ENOBUFS", libc::ENOBUFS),
    (Errno::Eisconn, "EISCONN", libc::EISCONN),
    (Errno::Enotconn, "ENOTCONN", libc::ENOTCONN),
    (Errno::Econnrefused, "ECONNREFUSED", libc::ECONNREFUSED),
    (Errno::Ealready, "EALREADY", libc::EALREADY),
    (Errno::E2big, "E2BIG", libc::E2BIG),
    (Errno::Edeadlk, "EDEADLK", libc::EDEADLK),
    (Errno::Eperm, "EPERM", libc::EPERM),
    (Errno::Enoprotoopt, "ENOPROTOOPT", libc::ENOPROTOOPT),
    (Errno::Eintr, "EINTR", libc::EINTR),
];

impl Errno {
    /// The name as errno(2) has it, such as `"ENOBUFS"`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(errno, ..)| *errno == self).map_or("errno", |(_, name, _)| name)
    }

    /// The error of this name; [`Errno::name`] is its inverse.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Errno> {
        NAMES.iter().find(|(_, known, _)| *known == name).map(|(errno, ..)| *errno)
    }

    /// This machine's number for the error; [`Errno::from_host`] is its inverse.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Errno::Other(number) => number,
            known => NAMES.iter().find(|(errno, ..)| *errno == known).map_or(0, |row| row.2),
        }
    }

    /// The error for one of this machine's errno numbers.
    #[must_use]
    pub fn from_host(number: i32) -> Errno {
        NAMES
            .iter()
            .find(|(.., host)| *host == number)
            .map_or(Errno::Other(number), |(errno, ..)| *errno)
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Errno::Other(number) => write!(f, "errno {number}"),
            known => f.write_str(known.name()),
        }
    }
}

impl std::error::Error for Errno {}
