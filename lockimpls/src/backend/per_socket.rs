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
//! Whatever was read of the own socket before step 2 is stale after it: `solock_peer` wants its
//! token by `&mut`.
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

pub(crate) mod counted;
mod way;

use std::marker::PhantomData;

pub(super) use self::way::{Beside, Sock, comes_first};
pub(crate) use self::way::{LockAlone, OnTake, SocketPolicy};
use crate::ambient::Surroundings;
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::RefCount;
pub(crate) use crate::objects::socket::{OwnLock, SoLock};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::uipc::Locked;
use crate::witness::Edge;

/// A lock per socket.
pub(crate) type PerSocket = Locked<SocketPolicy<NoFault>>;

impl<F: Fault, T: OnTake, A: Surroundings> Policy for SocketPolicy<F, T, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = T::Locks<A::Raw>;
    type Collector = CollectorLocks<T::Locks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = SocketPolicy<G, T, B>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => T::NAME,
    };
    const ABOUT: &'static str = T::ABOUT;
    const BIASED: bool = T::BIASED;
    const IS_USUAL: bool = T::IS_USUAL;

    fn new(algorithm: Algorithm) -> Self {
        let collector = CollectorLocks::new(algorithm);
        Self { collector, beside: Beside::new(algorithm), what: PhantomData }
    }

    fn collector(&self) -> &CollectorLocks<T::Locks<A::Raw>, A::Raw> {
        &self.collector
    }

    fn socket_locks(&self, algorithm: Algorithm) -> T::Locks<A::Raw> {
        T::Locks::new(algorithm)
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        self.take(so, Edge::None);
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.release(so);
    }

    #[inline(always)]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        T::solock_peer(self, so)
    }

    #[inline(always)]
    fn sounlock_peer(&self, so: &So<Self>, mut so2: Held<Self>) {
        if !std::ptr::eq(so, &*so2) || F::omits(Step::SelfUnlock) {
            self.release(&mut so2);
        }
    }

    fn solock_to_part(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        T::solock_to_part(self, so)
    }

    fn sounlock_parted(&self, so: &So<Self>, so2: Held<Self>) {
        T::sounlock_parted(self, so, so2);
    }

    #[inline(always)]
    fn connect_enter(&self, so: &mut Held<Self>) -> bool {
        T::connect_enter(self, so)
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        let (so, so2) = (Held::<Self>::of(so), Held::<Self>::of(so2));
        let (first, second) = if comes_first(&so, &so2) { (&so, &so2) } else { (&so2, &so) };
        self.take(first, Edge::None);
        if first.socket() != second.socket() {
            self.take(second, Edge::None);
        }
        (so, so2)
    }

    fn sounlock_pair(&self, mut so: Held<Self>, mut so2: Held<Self>) {
        if so.socket() != so2.socket() {
            self.release(&mut so2);
        }
        self.release(&mut so);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    fn name_to_head(&self, _so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.solock(head)
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.solock_pair(so, so2)
    }

    fn head_to_pair(
        &self,
        mut head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        self.release(&mut head);
        self.solock_pair(so, so3)
    }

    fn embryo_enter(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        let so3 = Held::<Self>::of(so3);
        self.take(&so3, Edge::Embryo { head: head.locks.so_lock().addr(), client: 0 });
        so3
    }

    fn head_leave(&self, head: &mut Held<Self>) {
        self.release(head);
    }

    fn head_return(&self, head: &mut Held<Self>) {
        self.take(head, Edge::None);
    }

    fn embryo_leave(&self, mut so3: Held<Self>) {
        self.release(&mut so3);
    }

    fn embryo_to_head(
        &self,
        so3: &mut Held<Self>,
        head: &So<Self>,
        client: Option<&So<Self>>,
    ) -> Held<Self> {
        let client = client.map_or(0, |so| so.locks.so_lock().addr());
        let head = Held::<Self>::of(head);
        self.release(so3);
        self.take(&head, Edge::Head { client });
        self.take(so3, Edge::Embryo { head: head.locks.so_lock().addr(), client });
        head
    }

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        T::solock_referrer(self, so)
    }

    fn list_enter(&self, so: &mut Held<Self>) {
        if !F::omits(Step::ListEnter) {
            self.release(so);
        }
        self.collector.gc_enter();
    }

    fn list_exit(&self, so: &mut Held<Self>) {
        self.collector.gc_exit();
        self.take(so, Edge::None);
    }

    fn list_to_name(&self, _so: &mut Held<Self>) {
        self.collector.gc_exit();
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        let so = Held::<Self>::of(so);
        if !F::omits(Step::ScanLock) {
            self.take(&so, Edge::None);
        }
        so
    }

    fn scan_exit(&self, mut so: Held<Self>) {
        if !F::omits(Step::ScanLock) {
            self.release(&mut so);
        }
    }

    fn finalize(&self, so: &mut Held<Self>, references: &RefCount) {
        if !T::REFERS && std::ptr::eq(references, &so.unp_refcnt) {
            return;
        }
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
mod tests;
