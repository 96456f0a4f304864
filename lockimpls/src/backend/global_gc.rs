//! `global-gc`: one `unp_lock` over every socket, beside it the collector's locks.
//!
//! After OpenBSD's unix(4) of 2022-06-30 (`uipc_usrreq.c` 1.165), the day before per-socket locks.
//! Since 2021-11-16 (1.157) `unp_gc_lock` guards the list of all control blocks and what the
//! collector counts, and `unp_df_lock` the deferred closes. The collector's lock comes first, so
//! that attach and detach drop `unp_lock` for it: what such a socket costs beside its granularity
//! is already in this layer, and the difference to `per-socket` is the granularity's alone.
//!
//! While attach has `unp_lock` dropped for an embryo, its listener and its client are unlocked too:
//! the connecting thread has the listener's name locked, without which the listener cannot detach,
//! and the client is CONNECTING.

use crate::ambient::{Nothing, Surroundings};
use crate::backend::global::{GlobalPolicy, SharedLock};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::uipc::Locked;

/// One lock for every socket, and the collector's own.
pub(crate) type GlobalGc = Locked<GlobalGcPolicy<NoFault>>;

/// The policy of `global-gc`: what is done with sockets alone, `global` does.
pub(crate) struct GlobalGcPolicy<F, A: Surroundings = Nothing> {
    unp: GlobalPolicy<F, A>,
    collector: CollectorLocks<SharedLock, A::Raw>,
}

impl<F: Fault, A: Surroundings> Policy for GlobalGcPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = SharedLock;
    type Collector = CollectorLocks<SharedLock, A::Raw>;
    type With<G: Fault, B: Surroundings> = GlobalGcPolicy<G, B>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => "global-gc",
    };
    const ABOUT: &'static str =
        "one unp_lock over every socket, beside the collector's locks (OpenBSD until July 2022)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;

    fn new(algorithm: Algorithm) -> Self {
        let unp = GlobalPolicy::new(algorithm);
        Self { unp, collector: CollectorLocks::new(algorithm) }
    }

    fn collector(&self) -> &CollectorLocks<SharedLock, A::Raw> {
        &self.collector
    }

    fn socket_locks(&self, algorithm: Algorithm) -> SharedLock {
        self.unp.socket_locks(algorithm)
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        self.unp.so_enter(so);
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.unp.so_leave(so);
    }

    #[inline(always)]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.unp.solock_peer(so)
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.unp.solock_pair(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.unp.sounlock_pair(so, so2);
    }

    fn name_enter(&self, so: &So<Self>) {
        self.unp.name_enter(so);
    }

    fn name_leave(&self, so: &So<Self>) {
        self.unp.name_leave(so);
    }

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.unp.solock_referrer(so)
    }

    fn list_enter(&self, so: &mut Held<Self>) {
        self.unp.so_leave(so);
        self.collector.gc_enter();
    }

    fn list_exit(&self, so: &mut Held<Self>) {
        self.collector.gc_exit();
        self.unp.so_enter(so);
    }

    fn list_to_name(&self, _so: &mut Held<Self>) {
        self.collector.gc_exit();
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        self.unp.solock(so)
    }

    fn scan_exit(&self, so: Held<Self>) {
        self.unp.sounlock(so);
    }
}
