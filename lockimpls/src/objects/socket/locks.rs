//! Which locks a socket has, and which one guards it.

use crate::witness::Class;

/// The locks that a socket of a granularity has: none, one, or more. They are made when the socket's
/// place is used for the first time, and stay there for good: a lock's address is its identity.
pub(crate) trait SocketLocks: Send + Sync + 'static {
    /// The lock that guards the socket, one of these or another: its address and its class.
    fn guard(&self) -> (usize, Class);
}
