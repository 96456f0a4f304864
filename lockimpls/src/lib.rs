//! A unix(4) socket layer in user space, with interchangeable locking, and the checker that never
//! looks away.
//!
//! * [`Domain`] is what a backend is; [`visit_all`] names every one of them.
//! * [`Checked`] is the boundary every call passes: what a system call's entry and return are to a
//!   kernel. [`Layer`] is that boundary of any backend, for code that is compiled once.
//! * [`witness`] keeps what every thread holds, and reports what is held too long or taken in the
//!   wrong order.
//! * [`RwLock`] is the lock of other crates' layers, taken and released by hand; [`Guarded`] is one
//!   with what it guards. The layers of this crate have the same without what moving needs.
//!
//! The lock order is the table at [`witness::Class`].

// A model checker's package is empty where the checker is not asked for.
#![cfg(not(solock_empty))]
// loom uses a part of what is here.
#![cfg_attr(solock_loom, allow(dead_code, unused_imports))]
// shuttle uses all but the locks of other crates.
#![cfg_attr(solock_shuttle, allow(dead_code))]

mod ambient;
pub mod calibrate;
#[cfg(not(solock_loom))]
pub mod controls;
pub mod domain;
pub mod errno;
#[cfg(not(any(solock_loom, solock_shuttle)))]
pub mod exclusion;
pub mod raw;
pub mod witness;

#[cfg(test)]
mod acquisitions;
mod backend;
mod checked;
#[cfg(test)]
mod child;
mod copy;
mod fault;
mod guarded;
mod layer;
#[cfg(not(any(solock_loom, solock_shuttle)))]
mod movable;
mod objects;
mod policy;
mod primitives;
mod sync;
mod uipc;

/// The models of the protocols, and what checks them.
#[cfg(solock_loom)]
#[path = "../models/loom/src/mod.rs"]
pub mod models;

pub use ambient::Variants;
pub use backend::{Visitor, visit_all};
pub use checked::Checked;
pub use checked::fifo::{Fifo, FifoFile};
pub use domain::{
    Algorithm, Ambient, Config, Domain, Fd, MsgFlags, OwnLock, PoolUse, RecvMsg, SendMsg, Shutdown,
    SockAddr, SockOpt, SockType, WaitStrategy,
};
pub use errno::Errno;
pub use layer::{Backend, Layer, backends};
#[cfg(not(any(solock_loom, solock_shuttle)))]
pub use movable::{Guarded, RwLock};
pub use primitives::fences;
#[cfg(solock_shuttle)]
pub use primitives::parks;
pub use sync::DefaultRaw;
pub use uipc::fifo::{Fifofs, OpenMode, PIPE_BUF};
