//! `per-socket`: a `so_lock` per socket, taken in address order.
//!
//! After OpenBSD's unix(4) of 2022-07-01 (`uipc_usrreq.c` 1.166, `uipc_socket.c` 1.279,
//! `uipc_socket2.c` 1.125).
//!
//! # The protocol
//!
//! Connected sockets point at each other, so both must be locked to append to a buffer, to account
//! for what was read, or to part. To keep two threads from waiting for each other, the lower
//! address is locked first. A request already holds its own socket when it needs the peer; if the
//! peer is the lower one:
//!
//! 1. take a reference on the peer's control block (it is pinned: whoever unlinks it must lock this
//!    socket, which is still held; freeing it waits for references);
//! 2. unlock the own socket, lock the peer, lock the own socket again;
//! 3. look again: if the peer is not the same, unlock it, drop the reference, begin again. A
//!    stream's peer can only have gone; a datagram socket's may be another one;
//! 4. drop the reference: the peer's lock pins it now.
//!
//! Whatever was read of the own socket before step 2 is stale after it.
//!
//! Detach looks for the sockets connected to a datagram socket the same way, but checks the
//! *reverse* link (does it still point here?). A listening socket comes before its embryos whatever
//! their addresses: an embryo that must go to its listener takes references on both, unlocks
//! itself, locks the listener, then itself, and its caller looks whether it is still on the queue.
//! While a connect completes, the client stays locked throughout: client, listener, embryo. This
//! cannot deadlock: no one but the connecting thread can hold the embryo and want the client,
//! because the embryo has no descriptor yet, and listeners are never peers.
//!
//! Checked by `lockimpls/models/loom`, `relock_*`: with a peer that parts, that is connected
//! elsewhere, or that is closed, every order of two senders finds both locks held and the peer its
//! own, or no peer.

use std::marker::PhantomData;

use crate::ambient::{Kernel, Nothing, Surroundings};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step, Window};
pub(crate) use crate::objects::socket::{OwnLock, SoLock};
use crate::objects::socket::{RefCount, Socket};
use crate::policy::{Collector, CollectorLocks, Policy, So, SoRef};
use crate::primitives::RawMutex;
use crate::raw::AnyLock;
use crate::uipc::Locked;
use crate::witness::{self, Class, Edge};

/// A lock per socket.
pub(crate) type PerSocket = Locked<SocketPolicy<NoFault>>;

/// Which locks the sockets of a backend have, and what it does when it takes a `so_lock`.
pub(crate) trait OnTake: Send + Sync + 'static {
    /// The locks, made of `R`.
    type Locks<R: RawMutex>: SoLock<Raw = R>;
    /// The backend's name.
    const NAME: &'static str;
    /// See [`Policy::BIASED`].
    const BIASED: bool;

    /// The `so_lock` of `so` was taken just now.
    fn taken<R: RawMutex>(so: &Socket<Self::Locks<R>>);
}

/// The lock is all: `per-socket`.
pub(crate) struct LockAlone;

impl OnTake for LockAlone {
    type Locks<R: RawMutex> = OwnLock<R>;
    const NAME: &'static str = "per-socket";
    const BIASED: bool = false;

    #[inline(always)]
    fn taken<R: RawMutex>(_so: &Socket<OwnLock<R>>) {}
}

/// The policy of `per-socket`, or of another backend with `so_lock`s, which does `T` when it takes
/// one.
pub(crate) struct SocketPolicy<F, T: OnTake = LockAlone, A: Surroundings = Nothing> {
    collector: CollectorLocks<T::Locks<A::Raw>, A::Raw>,
    what: PhantomData<(F, T, A)>,
}

impl<F: Fault, T: OnTake, A: Surroundings> SocketPolicy<F, T, A> {
    /// Takes one `so_lock`. The only place where one is taken.
    #[inline(always)]
    #[track_caller]
    fn take(&self, so: &So<Self>, edge: Edge) {
        so.locks.so_lock().enter_edge(edge);
        T::taken(so);
    }

    /// Releases one `so_lock`. The only place where one is released.
    #[inline(always)]
    #[track_caller]
    fn release(&self, so: &So<Self>) {
        so.locks.so_lock().exit();
    }

    /// With `so` locked and `so2` lower: the relock of `solock_peer`, up to both being locked.
    #[track_caller]
    fn relock(&self, so: &So<Self>, so2: &So<Self>) {
        so2.unp_refcnt.take();
        self.release(so);
        F::window(Window::Relock);
        self.take(so2, Edge::None);
        self.take(so, Edge::None);
        witness::relocked(Class::SoLock);
    }
}

/// Whether `a` is to be locked before `b`.
#[inline]
fn comes_first<L: SoLock>(a: &Socket<L>, b: &Socket<L>) -> bool {
    a.locks.so_lock().addr() < b.locks.so_lock().addr()
}

impl<F: Fault, T: OnTake, A: Surroundings> Policy for SocketPolicy<F, T, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = T::Locks<A::Raw>;
    type Collector = CollectorLocks<T::Locks<A::Raw>, A::Raw>;
    type UnderAmbient = SocketPolicy<F, T, Kernel<A::Raw>>;
    type OnAnyLock = SocketPolicy<F, T, Nothing<AnyLock>>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => T::NAME,
    };
    const ABOUT: &'static str =
        "a so_lock per socket, taken in address order (OpenBSD of July 2022)";
    const BIASED: bool = T::BIASED;

    fn new(algorithm: Algorithm) -> Self {
        Self { collector: CollectorLocks::new(algorithm), what: PhantomData }
    }

    fn collector(&self) -> &CollectorLocks<T::Locks<A::Raw>, A::Raw> {
        &self.collector
    }

    fn socket_locks(&self, algorithm: Algorithm) -> T::Locks<A::Raw> {
        T::Locks::new(algorithm)
    }

    #[inline(always)]
    fn solock(&self, so: &So<Self>) {
        self.take(so, Edge::None);
    }

    #[inline(always)]
    fn sounlock(&self, so: &So<Self>) {
        self.release(so);
    }

    #[inline(always)]
    fn solock_peer(&self, so: &So<Self>) -> Option<SoRef<Self>> {
        loop {
            let so2 = so.st().unp_conn.get()?;
            if std::ptr::eq(&*so2, so) && !F::omits(Step::SelfLock) {
                return Some(so2);
            }
            if comes_first(so, &so2) || F::omits(Step::AddressOrder) {
                self.take(&so2, Edge::None);
                return Some(so2);
            }
            self.relock(so, &so2);
            let now = so.st().unp_conn.get();
            if now == Some(so2) || F::omits(Step::RelockRecheck) {
                if !F::omits(Step::UnpRefRelock) {
                    so2.unp_refcnt.rele();
                }
                return now;
            }
            witness::retried(Class::SoLock);
            if !F::omits(Step::RelockChanged) {
                self.release(&so2);
            }
            so2.unp_refcnt.rele();
        }
    }

    #[inline(always)]
    fn sounlock_peer(&self, so: &So<Self>, so2: &So<Self>) {
        if !std::ptr::eq(so, so2) || F::omits(Step::SelfUnlock) {
            self.release(so2);
        }
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) {
        let (first, second) = if comes_first(so, so2) { (so, so2) } else { (so2, so) };
        self.take(first, Edge::None);
        if !std::ptr::eq(first, second) {
            self.take(second, Edge::None);
        }
    }

    fn sounlock_pair(&self, so: &So<Self>, so2: &So<Self>) {
        if !std::ptr::eq(so, so2) {
            self.release(so2);
        }
        self.release(so);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    fn name_to_head(&self, head: &So<Self>) {
        self.take(head, Edge::None);
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) {
        self.solock_pair(so, so2);
    }

    fn head_to_pair(&self, head: &So<Self>, so: &So<Self>, so3: &So<Self>) {
        self.release(head);
        self.solock_pair(so, so3);
    }

    fn embryo_enter(&self, head: &So<Self>, so3: &So<Self>) {
        self.take(so3, Edge::Embryo { head: head.locks.so_lock().addr(), client: 0 });
    }

    fn head_leave(&self, head: &So<Self>) {
        self.release(head);
    }

    fn head_return(&self, head: &So<Self>) {
        self.take(head, Edge::None);
    }

    fn embryo_leave(&self, so3: &So<Self>) {
        self.release(so3);
    }

    fn embryo_to_head(&self, so3: &So<Self>, head: &So<Self>, client: Option<&So<Self>>) {
        let client = client.map_or(0, |so| so.locks.so_lock().addr());
        self.release(so3);
        self.take(head, Edge::Head { client });
        self.take(so3, Edge::Embryo { head: head.locks.so_lock().addr(), client });
    }

    fn solock_referrer(&self, so: &So<Self>) -> Option<SoRef<Self>> {
        loop {
            let so2 = so.st().unp_refs.first()?;
            if comes_first(so, &so2) {
                self.take(&so2, Edge::None);
                return Some(so2);
            }
            self.relock(so, &so2);
            let still = so2.st().unp_conn.get().is_some_and(|peer| std::ptr::eq(&*peer, so));
            if still || F::omits(Step::ReferrerRecheck) {
                so2.unp_refcnt.rele();
                return Some(so2);
            }
            witness::retried(Class::SoLock);
            self.release(&so2);
            so2.unp_refcnt.rele();
        }
    }

    fn list_enter(&self, so: &So<Self>) {
        if !F::omits(Step::ListEnter) {
            self.release(so);
        }
        self.collector.gc_enter();
    }

    fn list_exit(&self, so: &So<Self>) {
        self.collector.gc_exit();
        self.take(so, Edge::None);
    }

    fn list_to_name(&self, _so: &So<Self>) {
        self.collector.gc_exit();
    }

    fn scan_enter(&self, so: &So<Self>) {
        if !F::omits(Step::ScanLock) {
            self.take(so, Edge::None);
        }
    }

    fn scan_exit(&self, so: &So<Self>) {
        if !F::omits(Step::ScanLock) {
            self.release(so);
        }
    }

    fn finalize(&self, so: &So<Self>, references: &RefCount) {
        if F::omits(Step::FinalizeUnlocked) {
            references.finalize();
            return;
        }
        self.release(so);
        references.finalize();
        self.take(so, Edge::None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::domain::{Config, Domain, SockType};
    use crate::fault::met::{Met, has_met, meet};
    use crate::witness::{counters, is_held, is_waiting, thread_number};

    type Layer = Locked<SocketPolicy<Met>>;
    type SockRef = SoRef<SocketPolicy<Met>>;

    /// Every layer of these tests, never freed: another thread may still use it. Kept here so that
    /// memcheck does not call it lost.
    static LAYERS: Mutex<Vec<&Layer>> = Mutex::new(Vec::new());

    /// A layer and sockets of it, the lowest first.
    fn layer<const N: usize>() -> (&'static Layer, [SockRef; N]) {
        let layer: &Layer = Box::leak(Box::new(Layer::new(&Config::default()).unwrap()));
        LAYERS.lock().unwrap_or_else(PoisonError::into_inner).push(layer);
        let sockets = [(); N].map(|()| layer.socket(SockType::Dgram).unwrap());
        let sockets = sockets.map(|fd| layer.fds.find(fd).unwrap());
        assert!(sockets.is_sorted_by(|a, b| comes_first(a, b)));
        (layer, sockets)
    }

    /// Of whichever sockets the thread holds the locks.
    fn mine<const N: usize>(sockets: [SockRef; N]) -> [bool; N] {
        sockets.map(|so| so.locks.so_lock().is_mine())
    }

    /// `so` gets the peer `so2`, or none.
    fn connect(so: SockRef, so2: Option<SockRef>) {
        so.locks.so_lock().enter();
        so.st().unp_conn.set(so2);
        so.locks.so_lock().exit();
    }

    /// Datagram socket `so` is connected to `so2`, and on its list.
    fn refer(so: SockRef, so2: SockRef) {
        connect(so, Some(so2));
        so2.locks.so_lock().enter();
        so2.st().unp_refs.append(so);
        so2.locks.so_lock().exit();
    }

    /// Runs it: its result, and how often it relocked and began again.
    fn counting<T>(request: impl FnOnce() -> T) -> (T, u64, u64) {
        let before = counters();
        let result = request();
        let counts = counters().since(&before).of(Class::SoLock);
        (result, counts.relocks, counts.retries)
    }

    #[test]
    fn a_peer_below_is_locked_by_a_relock() {
        let (layer, [a, b]) = layer();
        connect(a, Some(b));
        connect(b, Some(a));
        for (so, so2, relocks) in [(a, b, 0), (b, a, 1)] {
            layer.policy.solock(&so);
            assert_eq!(counting(|| layer.policy.solock_peer(&so)), (Some(so2), relocks, 0));
            assert_eq!(mine([so, so2]), [true, true]);
            layer.policy.sounlock_peer(&so, &so2);
            assert_eq!(mine([so, so2]), [true, false]);
            layer.policy.sounlock(&so);
            assert_eq!(mine([so, so2]), [false, false]);
            // No reference is kept.
            witness::userret();
            so2.unp_refcnt.finalize();
        }
    }

    #[test]
    fn a_socket_may_be_its_own_peer() {
        let (layer, [so]) = layer();
        connect(so, Some(so));
        layer.policy.solock(&so);
        assert_eq!(layer.policy.solock_peer(&so), Some(so));
        layer.policy.sounlock_peer(&so, &so);
        assert_eq!(mine([so]), [true]);
        layer.policy.sounlock(&so);
        layer.policy.solock_pair(&so, &so);
        assert_eq!(mine([so]), [true]);
        layer.policy.sounlock_pair(&so, &so);
        assert_eq!(mine([so]), [false]);
        witness::userret();
    }

    #[test]
    fn a_pair_is_locked_in_order() {
        let (layer, [a, b]) = layer();
        for (so, so2) in [(a, b), (b, a)] {
            layer.policy.solock_pair(&so, &so2);
            assert_eq!(mine([a, b]), [true, true]);
            layer.policy.sounlock_pair(&so, &so2);
            assert_eq!(mine([a, b]), [false, false]);
        }
    }

    #[test]
    fn a_peer_that_changes_in_the_relock_is_looked_for_again() {
        let (layer, [old, new, so]) = layer();
        for (peer, relocks) in [(Some(new), 2), (None, 1)] {
            connect(so, Some(old));
            meet(Window::Relock, move || connect(so, peer));
            layer.policy.solock(&so);
            assert_eq!(counting(|| layer.policy.solock_peer(&so)), (peer, relocks, 1));
            assert!(has_met());
            assert_eq!(mine([old, new, so]), [false, peer.is_some(), true]);
            if let Some(so2) = peer {
                layer.policy.sounlock_peer(&so, &so2);
            }
            layer.policy.sounlock(&so);
            witness::userret();
            old.unp_refcnt.finalize();
        }
    }

    #[test]
    fn a_referrer_is_locked_in_order() {
        let (layer, [low, so, high]) = layer();
        refer(high, so);
        refer(low, so);
        layer.policy.solock(&so);
        for (referrer, relocks) in [(high, 0), (low, 1)] {
            assert_eq!(
                counting(|| layer.policy.solock_referrer(&so)),
                (Some(referrer), relocks, 0)
            );
            assert_eq!(mine([so, referrer]), [true, true]);
            so.st().unp_refs.remove(referrer);
            layer.policy.sounlock_peer(&so, &referrer);
        }
        assert_eq!(layer.policy.solock_referrer(&so), None);
        layer.policy.sounlock(&so);
        witness::userret();
        low.unp_refcnt.finalize();
    }

    #[test]
    fn a_referrer_that_goes_in_the_relock_is_left_alone() {
        let (layer, [referrer, elsewhere, so]) = layer();
        refer(referrer, so);
        meet(Window::Relock, move || {
            connect(referrer, Some(elsewhere));
            so.locks.so_lock().enter();
            so.st().unp_refs.remove(referrer);
            so.locks.so_lock().exit();
        });
        layer.policy.solock(&so);
        assert_eq!(counting(|| layer.policy.solock_referrer(&so)), (None, 1, 1));
        assert_eq!(mine([referrer, elsewhere, so]), [false, false, true]);
        layer.policy.sounlock(&so);
        witness::userret();
        referrer.unp_refcnt.finalize();
    }

    #[test]
    fn a_listener_comes_before_its_embryos() {
        let (layer, [so3, head, client]) = layer();
        let policy = &layer.policy;
        policy.solock(&head);
        policy.embryo_enter(&head, &so3);
        assert_eq!(mine([so3, head]), [true, true]);
        policy.head_leave(&head);
        assert_eq!(mine([so3, head]), [true, false]);
        policy.embryo_to_head(&so3, &head, None);
        assert_eq!(mine([so3, head]), [true, true]);
        policy.embryo_leave(&so3);
        policy.head_leave(&head);
        assert_eq!(mine([so3, head]), [false, false]);
        // The client stays locked, above both.
        policy.solock_pair(&client, &so3);
        policy.embryo_to_head(&so3, &head, Some(&client));
        assert_eq!(mine([so3, head, client]), [true; 3]);
        policy.embryo_leave(&so3);
        policy.sounlock(&client);
        policy.head_leave(&head);
        policy.head_return(&head);
        assert_eq!(mine([so3, head, client]), [false, true, false]);
        policy.head_to_pair(&head, &client, &so3);
        assert_eq!(mine([so3, head, client]), [true, false, true]);
        policy.sounlock_pair(&client, &so3);
        witness::userret();
    }

    #[test]
    fn the_lists_have_their_locks() {
        let (layer, [so]) = layer();
        let policy = &layer.policy;
        let collector = policy.collector();
        let ((gc, class), df) = (collector.gc_guard(), collector.deferred_guard());
        assert_eq!(class, Class::UnpGcLock);
        let held = || (so.locks.so_lock().is_mine(), is_held(gc), is_held(df));
        policy.solock(&so);
        policy.list_enter(&so);
        assert_eq!(held(), (false, true, false));
        policy.list_exit(&so);
        assert_eq!(held(), (true, false, false));
        assert!(collector.deferred_enter());
        assert_eq!(held(), (true, false, true));
        collector.deferred_exit(true);
        policy.sounlock(&so);
        collector.gc_enter();
        policy.scan_enter(&so);
        assert_eq!(held(), (true, true, false));
        policy.scan_exit(&so);
        assert_eq!(held(), (false, true, false));
        collector.gc_exit();
        assert_eq!(held(), (false, false, false));
        witness::userret();
    }

    #[test]
    fn who_has_a_reference_may_lock_what_waits_for_it() {
        let (layer, [so]) = layer();
        let waiter = thread_number();
        let (tell, told) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            so.unp_refcnt.take();
            tell.send(()).unwrap();
            while !is_waiting(waiter) {
                std::thread::yield_now();
            }
            layer.policy.solock(&so);
            so.st().unp_conn.set(Some(so));
            so.unp_refcnt.rele();
            layer.policy.sounlock(&so);
        });
        told.recv().unwrap();
        layer.policy.solock(&so);
        layer.policy.finalize(&so, &so.unp_refcnt);
        assert_eq!((mine([so]), so.st().unp_conn.get()), ([true], Some(so)));
        layer.policy.sounlock(&so);
        other.join().unwrap();
        witness::userret();
    }
}
