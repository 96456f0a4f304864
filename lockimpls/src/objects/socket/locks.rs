//! Which locks a socket has, and which one guards each part of it.

use super::{SendWords, Writer};
use crate::domain::{Algorithm, SockType};
use crate::primitives::RawMutex;
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// A part of a socket, as far as a lock can guard it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The socket itself: [`SoState`](super::SoState).
    Socket,
    /// To whom it is connected: `unp_conn`, `unp_refs`, and whether it may send. The socket's own
    /// lock is enough to read it; whoever writes it has both.
    Link,
    /// Its queues, where it listens, and on whose queue it is.
    Queue,
    /// The send side: [`SndState`](super::SndState).
    Snd,
    /// The receive side: [`RcvState`](super::RcvState).
    Rcv,
}

/// The locks that a socket of a granularity has: none, one, or more. They are made when the
/// socket's place is used for the first time, and stay there for good: a lock's address is its
/// identity.
pub(crate) trait SocketLocks: Send + Sync + Sized + 'static {
    /// The class of the collector's lock beside these: whether it comes before them or after them.
    const GC: Class = Class::UnpGcLock;

    /// Whether [`Part::Link`] has another lock than the socket itself, which is one for all
    /// sockets.
    const LINKED: bool = false;

    /// The lock that guards a part of the socket, one of these or another: its address and its
    /// class.
    fn guard(&self, part: Part) -> (usize, Class);

    /// The lock with which a receive of this type looks at the receive side, and waits there,
    /// before it takes something out: what guards that side, or one without which nobody puts
    /// anything in.
    #[inline(always)]
    fn look_guard(&self, _kind: SockType) -> (usize, Class) {
        self.guard(Part::Rcv)
    }

    /// What a send looks at with nothing locked, or with its own socket; none where it does so with
    /// the lock of its side.
    #[inline(always)]
    fn send_words(&self) -> Option<&SendWords<Self>> {
        None
    }

    /// Who writes to the receive side, where a sender looks for room there; none where it does not.
    #[inline(always)]
    fn writer(&self) -> Option<&Writer<Self>> {
        None
    }
}

/// Locks of a socket among which it has a `so_lock`.
pub(crate) trait SoLock: SocketLocks {
    /// What they are made of.
    type Raw: RawMutex;

    /// Its locks are of this algorithm, where their type does not say it already.
    fn new(algorithm: Algorithm) -> Self;
    fn so_lock(&self) -> &RwLock<Self::Raw>;
}

/// A `so_lock`, which guards all of its socket.
pub(crate) struct OwnLock<R: RawMutex = DefaultRaw> {
    so_lock: RwLock<R>,
}

impl<R: RawMutex> SocketLocks for OwnLock<R> {
    #[inline(always)]
    fn guard(&self, _part: Part) -> (usize, Class) {
        (self.so_lock.addr(), Class::SoLock)
    }
}

impl<R: RawMutex> SoLock for OwnLock<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self { so_lock: RwLock::of(Class::SoLock, algorithm) }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        &self.so_lock
    }
}
