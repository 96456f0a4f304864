//! The errors of the socket layer, named after errno(2).
//!
//! The layer answers with the errors that OpenBSD's unix(4) gives for the same request
//! (`uipc_usrreq.c` 1.166, `uipc_socket.c` 1.279); the `host` backend answers with the machine's
//! own.

use std::fmt;
use std::num::NonZero;

/// Why a request was refused: this machine's number for it.
///
/// A word that is not 0, so that an error or a count of bytes is returned in two registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Errno(NonZero<isize>);

/// Declares the errors that have a name here, and lists them.
macro_rules! errnos {
    ($($(#[doc = $about:literal])* $name:ident = $number:ident,)*) => {
        #[allow(non_upper_case_globals, reason = "they are written and matched like variants")]
        impl Errno {
            $(
                $(#[doc = $about])*
                pub const $name: Errno = Errno::from_host(libc::$number);
            )*
        }

        /// Each error with its name here and in errno(2).
        const NAMES: &[(Errno, &str, &str)] =
            &[$((Errno::$name, stringify!($name), stringify!($number))),*];
    };
}

errnos! {
    /// No such name.
    Enoent = ENOENT,
    /// Nobody is there to read what would be written.
    Enxio = ENXIO,
    /// The descriptor is not open.
    Ebadf = EBADF,
    /// The pools are exhausted.
    Enomem = ENOMEM,
    /// The name may not be used by the caller.
    Eacces = EACCES,
    /// An argument makes no sense for this request.
    Einval = EINVAL,
    /// Too many descriptors are open.
    Emfile = EMFILE,
    /// Too many files are open in the system.
    Enfile = ENFILE,
    /// There is no room for another name.
    Enospc = ENOSPC,
    /// The other end cannot receive any more, or this end cannot send any more.
    Epipe = EPIPE,
    /// The request would block, and the socket or the call is nonblocking.
    Ewouldblock = EWOULDBLOCK,
    /// The name does not belong to a socket.
    Enotsock = ENOTSOCK,
    /// A datagram socket without a peer needs a destination.
    Edestaddrreq = EDESTADDRREQ,
    /// The message does not fit in the buffer whole, and may not be cut.
    Emsgsize = EMSGSIZE,
    /// The socket at the name is of another type.
    Eprototype = EPROTOTYPE,
    /// The request is not supported on this socket.
    Eopnotsupp = EOPNOTSUPP,
    /// The address is not of the unix family.
    Eafnosupport = EAFNOSUPPORT,
    /// The name is taken.
    Eaddrinuse = EADDRINUSE,
    /// The connection was torn down before it was accepted.
    Econnaborted = ECONNABORTED,
    /// The peer has gone away.
    Econnreset = ECONNRESET,
    /// The receiving buffer has no room for this message.
    Enobufs = ENOBUFS,
    /// The socket is connected already.
    Eisconn = EISCONN,
    /// The socket is not connected.
    Enotconn = ENOTCONN,
    /// Nobody listens at the name, or the queue is full.
    Econnrefused = ECONNREFUSED,
    /// A connect is under way on this socket.
    Ealready = EALREADY,
    /// The argument list is too long (too many descriptors in one message).
    E2big = E2BIG,
    /// Using the object would lock it against itself (its file has too many references).
    Edeadlk = EDEADLK,
    /// The operation is not permitted.
    Eperm = EPERM,
    /// The option is not known.
    Enoprotoopt = ENOPROTOOPT,
    /// Interrupted by a signal (only `host` can answer this).
    Eintr = EINTR,
}

impl Errno {
    /// The name as errno(2) has it, such as `"ENOBUFS"`; `"errno"` where it has none here.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("errno", |(.., name)| name)
    }

    /// Whether it has a name here. Only `host` answers with others.
    #[must_use]
    pub fn has_name(self) -> bool {
        self.row().is_some()
    }

    fn row(self) -> Option<&'static (Errno, &'static str, &'static str)> {
        NAMES.iter().find(|(errno, ..)| *errno == self)
    }

    /// The error of this name; [`Errno::name`] is its inverse.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Errno> {
        NAMES.iter().find(|(.., known)| *known == name).map(|(errno, ..)| *errno)
    }

    /// This machine's number for the error; [`Errno::from_host`] is its inverse.
    #[must_use]
    pub const fn code(self) -> i32 {
        self.0.get() as i32
    }

    /// The error for one of this machine's errno numbers.
    ///
    /// # Panics
    /// Where it is 0, which is no error.
    #[must_use]
    pub const fn from_host(number: i32) -> Errno {
        Errno(NonZero::new(number as isize).expect("the number of an error"))
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some((_, name, _)) => f.write_str(name),
            None => write!(f, "Errno({})", self.code()),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some((.., name)) => f.write_str(name),
            None => write!(f, "errno {}", self.code()),
        }
    }
}

impl std::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_or_a_count_goes_in_two_words() {
        assert_eq!(size_of::<Result<usize, Errno>>(), 2 * size_of::<usize>());
        assert_eq!(size_of::<Result<(), Errno>>(), size_of::<usize>());
    }

    #[test]
    fn each_has_its_name_and_its_number() {
        for (errno, name, known) in NAMES {
            assert_eq!((Errno::from_name(known), errno.name()), (Some(*errno), *known));
            assert_eq!(Errno::from_host(errno.code()), *errno);
            assert_eq!(
                (format!("{errno:?}"), format!("{errno}")),
                (name.to_string(), known.to_string())
            );
        }
        let other = Errno::from_host(9999);
        assert_eq!((other.has_name(), other.name(), other.code()), (false, "errno", 9999));
        assert_eq!(
            (format!("{other:?}"), format!("{other}")),
            ("Errno(9999)".into(), "errno 9999".into())
        );
    }
}
