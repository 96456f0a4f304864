//! The locks of a socket, and those of all: of the links, of the lists; and how two sockets are
//! locked.

use std::marker::PhantomData;

use crossbeam_utils::CachePadded;

use crate::ambient::{Nothing, Surroundings};
use crate::backend::per_buffer::SideLocks;
use crate::domain::Algorithm;
use crate::fault::Fault;
use crate::guarded::Guarded;
use crate::objects::in_flight::Deferred;
use crate::objects::socket::{BySide, Part, SocketLocks};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::primitives::RawMutex;
use crate::sync::{DefaultRaw, RwLock, SharedLock};
use crate::witness::{Class, Edge};

/// `unp_mtx` of a socket, and two locks for each of its sides.
pub(crate) struct LinkLocks<R: RawMutex = DefaultRaw> {
    pub(super) unp_mtx: RwLock<R>,
    pub(super) sides: BySide<CachePadded<SideLocks<R>>>,
    /// The addresses of the two that guard something of every socket.
    unp_link_rwlock: usize,
    accept_mtx: usize,
}

impl<R: RawMutex> LinkLocks<R> {
    /// In a layer whose `unp_link_rwlock` and `accept_mtx` have these addresses.
    pub(super) fn new(algorithm: Algorithm, unp_link_rwlock: usize, accept_mtx: usize) -> Self {
        Self {
            unp_mtx: RwLock::of(Class::SoLock, algorithm),
            sides: BySide {
                snd: SideLocks::new(Class::SbMtxSnd, algorithm),
                rcv: SideLocks::new(Class::SbMtxRcv, algorithm),
            },
            unp_link_rwlock,
            accept_mtx,
        }
    }
}

impl<R: RawMutex> SocketLocks for LinkLocks<R> {
    const GC: Class = Class::UnpGcLockInner;
    const LINKED: bool = true;

    #[inline(always)]
    fn guard(&self, part: Part) -> (usize, Class) {
        match part {
            Part::Socket => (self.unp_mtx.addr(), Class::SoLock),
            Part::Link => (self.unp_link_rwlock, Class::UnpLock),
            Part::Queue => (self.accept_mtx, Class::AcceptMtx),
            Part::Snd => (self.sides.snd.sb_mtx.addr(), Class::SbMtxSnd),
            Part::Rcv => (self.sides.rcv.sb_mtx.addr(), Class::SbMtxRcv),
        }
    }
}

/// `unp_list_lock` over the list of all control blocks, `unp_defers_lock` over the deferred closes,
/// and `unp_link_rwlock`, which guards the count of a socket's references in flight, too.
pub(crate) struct LinkCollector<R: RawMutex> {
    /// Boxed: its address is its identity, and the layer that owns it may move before it is used.
    pub(super) unp_link_rwlock: Box<CachePadded<SharedLock<R>>>,
    lists: CollectorLocks<LinkLocks<R>, R>,
}

impl<R: RawMutex> LinkCollector<R> {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let link = SharedLock::of(Class::UnpLock, algorithm);
        Self {
            unp_link_rwlock: Box::new(CachePadded::new(link)),
            lists: CollectorLocks::new(algorithm),
        }
    }
}

impl<R: RawMutex> Collector<LinkLocks<R>> for LinkCollector<R> {
    type Raw = R;

    fn gc_guard(&self) -> (usize, Class) {
        self.lists.gc_guard()
    }

    fn gc_enter(&self) {
        self.lists.gc_enter();
    }

    fn gc_exit(&self) {
        self.lists.gc_exit();
    }

    /// For each descriptor (`unp_internalize_fp`, `unp_externalize_fp`: `usrreq` 2121, 2137).
    fn flight_enter(&self) {
        self.unp_link_rwlock.enter();
    }

    fn flight_exit(&self) {
        self.unp_link_rwlock.exit();
    }

    fn deferred(&self) -> &Guarded<Deferred<LinkLocks<R>>, R> {
        self.lists.deferred()
    }

    fn deferred_enter(&self) -> bool {
        self.lists.deferred_enter()
    }

    fn deferred_exit(&self, taken: bool) {
        self.lists.deferred_exit(taken);
    }

    fn gc_to_deferred(&self) {
        self.lists.gc_to_deferred();
    }

    fn deferred_leave(&self) {
        self.lists.deferred_leave();
    }

    fn deferred_return(&self) {
        self.lists.deferred_return();
    }

    fn deferred_to_gc(&self) {
        self.lists.deferred_to_gc();
    }
}

/// The policy of `shared-link`.
pub(crate) struct LinkPolicy<F, A: Surroundings = Nothing> {
    /// Boxed: its address is its identity, and the layer that owns it may move before it is used.
    pub(super) accept_mtx: Box<CachePadded<RwLock<A::Raw>>>,
    pub(super) collector: LinkCollector<A::Raw>,
    pub(super) what: PhantomData<F>,
}

impl<F: Fault, A: Surroundings> LinkPolicy<F, A> {
    #[inline(always)]
    pub(super) fn link(&self) -> &SharedLock<A::Raw> {
        &self.collector.unp_link_rwlock
    }

    /// Locks another socket, with the links held exclusively.
    #[track_caller]
    pub(super) fn take_too(&self, so2: &Held<Self>) {
        so2.locks.unp_mtx.enter_edge(Edge::Linked { link: self.link().addr() });
    }

    /// Locks two sockets, which may be the same, with the links held exclusively.
    #[track_caller]
    pub(super) fn take_both(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        let so = self.solock(so);
        let so2 = Held::<Self>::of(so2);
        if so.socket() != so2.socket() {
            self.take_too(&so2);
        }
        (so, so2)
    }
}
