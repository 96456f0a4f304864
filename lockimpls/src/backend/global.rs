//! `global`: one `unp_lock` over the whole layer.
//!
//! After OpenBSD's unix(4) of 2021-11-06 (`uipc_usrreq.c` 1.155). Whoever holds `unp_lock` may
//! touch every socket, so a peer, a listener or the collector's list needs nothing more, and there
//! is no order to keep. It is released while data is copied from or to the caller and while a
//! thread sleeps. Ten days later the collector got locks of its own: see `global_gc.rs`.
//!
//! How often a file is in flight is counted atomically, with nothing held.

use std::marker::PhantomData;

use crate::ambient::{Nothing, Surroundings};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault};
use crate::guarded::Guarded;
use crate::objects::in_flight::Deferred;
use crate::objects::socket::{Part, SocketLocks};
use crate::policy::{Collector, Held, Policy, So};
use crate::sync::RwLock;
use crate::uipc::Locked;
use crate::witness::Class;

/// One lock for everything.
pub(crate) type Global = Locked<GlobalPolicy<NoFault>>;

/// A socket has no lock: `unp_lock` guards it.
pub(crate) struct SharedLock {
    /// Its address.
    unp_lock: usize,
}

impl SocketLocks for SharedLock {
    #[inline(always)]
    fn guard(&self, _part: Part) -> (usize, Class) {
        (self.unp_lock, Class::UnpLock)
    }
}

/// The policy of `global`.
pub(crate) struct GlobalPolicy<F, A: Surroundings = Nothing> {
    /// With the deferred closes; what else it guards is the sockets. Boxed: its address is its
    /// identity, and the layer that owns it may move before it is used.
    unp_lock: Box<Guarded<Deferred<SharedLock>, A::Raw>>,
    what: PhantomData<(F, A)>,
}

impl<F: Fault, A: Surroundings> Policy for GlobalPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = SharedLock;
    type Collector = Self;
    type With<G: Fault, B: Surroundings> = GlobalPolicy<G, B>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => "global",
    };
    const ABOUT: &'static str = "one unp_lock over the whole layer (OpenBSD until November 2021)";
    const BIASED: bool = false;

    fn new(algorithm: Algorithm) -> Self {
        let lock = RwLock::of(Class::UnpLock, algorithm);
        let unp_lock = Box::new(Guarded::new(lock, Deferred::none()));
        Self { unp_lock, what: PhantomData }
    }

    fn collector(&self) -> &Self {
        self
    }

    fn socket_locks(&self, _algorithm: Algorithm) -> SharedLock {
        SharedLock { unp_lock: self.unp_lock.addr() }
    }

    #[inline(always)]
    fn so_enter(&self, _so: &mut Held<Self>) {
        self.unp_lock.enter();
    }

    #[inline(always)]
    fn so_leave(&self, _so: &mut Held<Self>) {
        self.unp_lock.exit();
    }

    #[inline(always)]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.peer().map(|so2| Held::<Self>::of(&so2))
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.unp_lock.enter();
        (Held::<Self>::of(so), Held::<Self>::of(so2))
    }

    fn sounlock_pair(&self, _so: Held<Self>, _so2: Held<Self>) {
        self.unp_lock.exit();
    }

    fn name_enter(&self, _so: &So<Self>) {
        self.unp_lock.enter();
    }

    fn name_leave(&self, _so: &So<Self>) {
        self.unp_lock.exit();
    }

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.st().unp_refs.first().map(|so2| Held::<Self>::of(&so2))
    }

    fn list_to_name(&self, _so: &mut Held<Self>) {
        self.unp_lock.exit();
    }
}

/// The one lock is the collector's too.
impl<F: Fault, A: Surroundings> Collector<SharedLock> for GlobalPolicy<F, A> {
    type Raw = A::Raw;

    fn gc_guard(&self) -> (usize, Class) {
        (self.unp_lock.addr(), Class::UnpLock)
    }

    fn gc_enter(&self) {
        self.unp_lock.enter();
    }

    fn gc_exit(&self) {
        self.unp_lock.exit();
    }

    fn deferred(&self) -> &Guarded<Deferred<SharedLock>, A::Raw> {
        &self.unp_lock
    }

    fn deferred_enter(&self) -> bool {
        let taken = !self.unp_lock.is_mine();
        if taken {
            self.unp_lock.enter();
        }
        taken
    }

    fn deferred_exit(&self, taken: bool) {
        if taken {
            self.unp_lock.exit();
        }
    }

    fn deferred_leave(&self) {
        self.unp_lock.exit();
    }

    fn deferred_return(&self) {
        self.unp_lock.enter();
    }
}
