//! The backends: one file is one granularity.
//!
//! Adding one is a file here, its `mod` line and its `visit` line below, next to each other.

pub(crate) mod endpoint_queue;
pub(crate) mod global;
pub(crate) mod global_gc;
mod host;
#[cfg(test)]
mod kept;
pub(crate) mod lock_free;
pub(crate) mod per_buffer;
pub(crate) mod per_pair;
pub(crate) mod per_socket;
pub(crate) mod per_socket_try;
pub(crate) mod per_socket_wait;
pub(crate) mod receive_buffer;
pub(crate) mod shared_link;
pub(crate) mod state_queue;

use crate::ambient::Variants;
use crate::domain::Fd;
use crate::uipc::fifo::Fifofs;

/// Called once per backend, with its type: how a name chosen at run time becomes code without
/// indirection.
pub trait Visitor {
    /// Visits one backend.
    fn visit<D: Fifofs<Sock = Fd> + Variants>(&mut self);
}

/// Calls the visitor for every backend, in the order they are shown.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<global::Global>();
    visitor.visit::<global_gc::GlobalGc>();
    visitor.visit::<per_socket::PerSocket>();
    visitor.visit::<per_buffer::PerBuffer>();
    visitor.visit::<lock_free::LockFree>();
    visitor.visit::<host::Host>();
    // What is added comes last: the colours of the others stay what they are.
    visitor.visit::<per_pair::PerPair>();
    visitor.visit::<per_socket_wait::PerSocketWait>();
    visitor.visit::<state_queue::StateQueue>();
    visitor.visit::<shared_link::SharedLink>();
    visitor.visit::<per_socket_try::PerSocketTry>();
    visitor.visit::<receive_buffer::ReceiveBuffer>();
    visitor.visit::<endpoint_queue::EndpointQueue>();
}
