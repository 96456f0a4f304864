//! Which locks a socket has, and which one guards each part of it.

use crate::sync::RwLock;
use crate::witness::Class;

/// A part of a socket, as far as a lock can guard it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The socket itself: [`SoState`](super::SoState).
    Socket,
    /// The send side: [`SndState`](super::SndState).
    Snd,
    /// The receive side: [`RcvState`](super::RcvState).
    Rcv,
}

/// The locks that a socket of a granularity has: none, one, or more. They are made when the socket's
/// place is used for the first time, and stay there for good: a lock's address is its identity.
pub(crate) trait SocketLocks: Send + Sync + 'static {
    /// The class of the collector's lock beside these: whether it comes before them or after them.
    const GC: Class = Class::UnpGcLock;

    /// The lock that guards a part of the socket, one of these or another: its address and its class.
    fn guard(&self, part: Part) -> (usize, Class);
}

/// Locks of a socket among which it has a `so_lock`.
pub(crate) trait SoLock: SocketLocks {
    fn new() -> Self;
    fn so_lock(&self) -> &RwLock;
}

/// A `so_lock`, which guards all of its socket.
pub(crate) struct OwnLock {
    so_lock: RwLock,
}

impl SocketLocks for OwnLock {
    #[inline(always)]
    fn guard(&self, _part: Part) -> (usize, Class) {
        (self.so_lock.addr(), Class::SoLock)
    }
}

impl SoLock for OwnLock {
    fn new() -> Self {
        Self { so_lock: RwLock::new(Class::SoLock) }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock {
        &self.so_lock
    }
}
