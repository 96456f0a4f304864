//! What is in flight in one layer: descriptors in messages, and messages dropped with descriptors in
//! them.

use crate::domain::PoolUse;
use crate::objects::mbuf::MbufRef;
use crate::objects::pool::Count;
use crate::primitives::{AtomicU32, AtomicUsize, Mutex};
use crate::sync::RwLock;
use crate::witness::Class;

/// What is in flight in one layer.
pub(crate) struct InFlight {
    pub(crate) unp_rights_mtx: RwLock,
    /// `unp_rights`: descriptors in flight. Written under `unp_rights_mtx`; read by anyone as a
    /// hint.
    pub(crate) unp_rights: AtomicUsize,
    /// Dropped messages, under the lock of the deferred closes; the mutex is never contended and
    /// keeps this file free of unsafe code.
    deferred: Mutex<Option<MbufRef>>,
    /// 1 when there is something to collect.
    pub(crate) wanted: AtomicU32,
    /// 1 while a thread collects. Under the collector's lock.
    pub(crate) unp_gcing: AtomicU32,
    pub(crate) count: Count,
}

impl InFlight {
    pub(crate) fn new() -> Self {
        Self {
            unp_rights_mtx: RwLock::new(Class::UnpRightsMtx),
            unp_rights: AtomicUsize::new(0),
            deferred: Mutex::new(None),
            wanted: AtomicU32::new(0),
            unp_gcing: AtomicU32::new(0),
            count: Count::new(),
        }
    }

    pub(crate) fn deferred(&self) -> std::sync::MutexGuard<'_, Option<MbufRef>> {
        self.deferred.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn row(&self) -> PoolUse {
        self.count.row("in_flight")
    }
}
