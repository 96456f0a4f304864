//! What the threads of a layer tell that listens: for a profile.

use crate::primitives::RawMutex;

/// What the calling thread goes over to, beside taking and releasing locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It copies a message's bytes.
    Copy,
    /// It has copied them.
    Copied,
    /// It has released a lock to take it again behind another one.
    Relock,
    /// It waits for an event, with nothing held once it does.
    Sleep,
    /// It has waited.
    Awake,
}

/// A raw lock whose layers tell it what their threads go over to
/// ([`Variants::OnListener`](crate::Variants::OnListener)).
pub trait Listener: RawMutex {
    /// What the calling thread goes over to.
    fn note(event: Event);
}
