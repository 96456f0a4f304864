//! Which locks a socket has.

/// The locks that a socket of a granularity has.
pub(crate) trait SocketLocks: Send + Sync + 'static {}
