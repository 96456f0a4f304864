//! What is in flight in one layer: descriptors in messages, and messages dropped with descriptors
//! in them, which wait to be closed.

use crate::domain::PoolUse;
use crate::objects::mbuf::MbufRef;
use crate::objects::pool::Count;
use crate::primitives::{AtomicU32, AtomicUsize, RawMutex};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// The deferred closes: dropped messages, the last one first. Guarded by a lock of the policy's
/// collector.
pub(crate) struct Deferred<L>(Option<MbufRef<L>>);

impl<L> Deferred<L> {
    /// None.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Adds a message.
    pub(crate) fn push(&mut self, control: MbufRef<L>) {
        control.next.set(self.0.replace(control));
    }

    /// Takes the one that was added last.
    pub(crate) fn pop(&mut self) -> Option<MbufRef<L>> {
        let first = self.0?;
        self.0 = first.next.take();
        Some(first)
    }
}

/// What is in flight in one layer.
pub(crate) struct InFlight<R: RawMutex = DefaultRaw> {
    pub(crate) unp_rights_mtx: RwLock<R>,
    /// `unp_rights`: descriptors in flight. Written under `unp_rights_mtx`; read by anyone as a
    /// hint.
    pub(crate) unp_rights: AtomicUsize,
    /// 1 when there is something to collect.
    pub(crate) wanted: AtomicU32,
    /// 1 while a thread collects. Under the collector's lock.
    pub(crate) unp_gcing: AtomicU32,
    pub(crate) count: Count,
}

impl<R: RawMutex> InFlight<R> {
    pub(crate) fn new() -> Self {
        Self {
            unp_rights_mtx: RwLock::new(Class::UnpRightsMtx),
            unp_rights: AtomicUsize::new(0),
            wanted: AtomicU32::new(0),
            unp_gcing: AtomicU32::new(0),
            count: Count::new(),
        }
    }

    pub(crate) fn row(&self) -> PoolUse {
        self.count.row("in_flight")
    }
}
