//! `endpoint-queue`: a lock for each socket, taken in the order of their numbers, and one for its
//! queue; a sender has its own socket and its peer's queue locked.
//!
//! After gVisor's unix(4) of 2026-08-21 (3c5eee17dc45): `pkg/sentry/socket/unix/transport/unix.go`
//! (`ep` below), `connectioned.go` (`conn`), `connectionless.go` (`less`), `queue.go` (`queue`),
//! and `pkg/sentry/socket/unix/unix.go` (`unix`).
//!
//! # What each lock guards
//!
//! * *endpoint* (`endpointMutex`, `ep` 930): the socket itself, its send side, and whom it is
//!   connected to.
//! * *queue* (`queue.mu`, `queue` 39): the receive side; after an endpoint, its own or the
//!   sender's.
//! * *receiver* (`streamQueueReceiver.mu`, `ep` 554): receiving from the socket. One reader at a
//!   time; it copies with it held. It is `sblock` of the receive side.
//!
//! # A message's way
//!
//! A send locks its own endpoint, looks, copies, locks its peer's queue, appends, and unlocks both
//! (`ep` 1034 to 1050, `queue` 134 to 201); then it wakes the reader. The own endpoint keeps the
//! peer: whoever parts the two must lock both. It is also the right to send (`uipc/held.rs`): two
//! sends on one socket come one after the other. Where there is no room it unlocks, and sleeps with
//! nothing held (`unix` 693 to 715): it has read how many wake-ups there were before it looked.
//!
//! What a send looks at, its limits, its end, what of it lies unread at the peer, are words
//! (`SendWords`). In the kernel they are fields of the queue that it sends into, and the queue's
//! lock guards them. Here the sender writes them with its endpoint and that queue locked, a
//! receiver with the queue alone, which makes room and never takes any: so with the own endpoint
//! locked the room that was seen stays, and is not looked for again.
//!
//! A receive locks its endpoint to read where its queue is, and unlocks it (`ep` 1005); has the
//! receiver's lock until it has copied (603); and locks the queue to look, and again to take off
//! what it has read and to give room back (613, 668). Its peer it does not lock. The layer has
//! nothing to read with the endpoint: that acquisition is the kernel's.
//!
//! # The order of two sockets
//!
//! Each socket has a number, from one counter, when it is made (`conn` 144, `kernel.go` 1109), and
//! the lower one is locked first (`conn` 322). A place that is used again gets another number, so
//! the order is not that of addresses. What is made later is higher: an embryo comes after its
//! listener and after its client without a rule of its own.
//!
//! The kernel locks two in one place, a connect, with nothing held before: client and listener
//! (`conn` 311 to 415). So does this one, and its embryo besides. A socket that connects to itself
//! is locked once.
//!
//! # Different from the kernel
//!
//! * The answers are OpenBSD's, as on every backend. A datagram that finds no room is ENOBUFS at
//!   once; one with an address connects for as long as it lasts, where the kernel locks the
//!   destination for a moment, and then as a connected one (`less` 111 to 123).
//! * **Parting.** The kernel never locks two for it: a close ends both queues with its own endpoint
//!   locked (`conn` 242 to 268), and what was the peer finds that out. OpenBSD's layer clears both
//!   ends. So there is a relock, as on `per-socket`, with numbers in the place of addresses, and
//!   detach's walk to those that refer to a datagram socket.
//! * **Two copies.** The kernel copies once, from the caller's memory into the queue, with endpoint
//!   and queue locked (`unix/io.go` 47, `queue` 177). The layer copies into a message with the
//!   endpoint locked, and into the ring with both.
//! * While a send looks up descriptors, or a name, its endpoint is unlocked, and a flag is the
//!   right to send (`sblock`). The kernel has looked them up before.
//! * A record lies in a ring, and is not a message that is taken off the queue before it is copied:
//!   its receive has the receiver's lock, too, and locks the queue twice. In the kernel streams
//!   alone have that lock, and one that is full with the first message locks the queue once.
//! * The receiver's lock comes before the endpoint; in the kernel after it, in a close and in
//!   poll(2) (`ep` 576, 587), which are not modelled so.
//! * Whoever gives room back, or has made a connection, wakes with its locks held; the kernel when
//!   they are unlocked (`conn` 399). Nobody's wake-up takes a lock of a socket here.
//! * getpeername locks the own endpoint, and then the peer's alone, as there (`ep` 1199, 1191). A
//!   reference on the peer's control block keeps it meanwhile; the kernel's is an object that is
//!   collected.
//! * A listener's queue is under its endpoint. In the kernel it is a channel, which is used with
//!   that locked (`conn` 382, 514).
//! * An identifier that lies in the slab, its index, would be its address. So there is a counter,
//!   one for all, which every socket writes that is made.
//! * The collector is OpenBSD's of 2025, as on `per-buffer`: its lock comes after an endpoint and
//!   before a queue. gVisor has none.
//! * All are of one algorithm, but for the receiver's, which is always of the default.
//!
//! Checked by `lockimpls/models/loom`, `endpoint_*`.

mod locks;
mod numbers;

use self::locks::EndpointLocks;
pub(crate) use self::numbers::ByNumber;
use crate::ambient::{Nothing, Surroundings};
use crate::backend::per_socket::{OnTake, SocketPolicy};
use crate::domain::{Algorithm, SockType};
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::{RefCount, Side};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::uipc::Locked;
use crate::witness::Edge;

/// A lock for a socket, by number, and one for its queue.
pub(crate) type EndpointQueue = Locked<EndpointPolicy<NoFault>>;

/// The policy of `endpoint-queue`.
pub(crate) struct EndpointPolicy<F, A: Surroundings = Nothing> {
    so: SocketPolicy<F, ByNumber, A>,
}

impl<F: Fault, A: Surroundings> EndpointPolicy<F, A> {
    /// A socket is made: it gets a number.
    fn number(&self, so: &So<Self>) {
        so.locks.set_number(self.so.beside.next());
    }

    /// With others locked, which have lower numbers, `first` among them.
    #[track_caller]
    fn take_second(&self, first: &So<Self>, second: &So<Self>) -> Held<Self> {
        let held = Held::<Self>::of(second);
        self.so.take(&held, ByNumber::second::<F, A::Raw>(first, second));
        held
    }

    /// With nothing held: locks two sockets, which may be the same.
    #[track_caller]
    fn take_both(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        let is_lower = ByNumber::comes_first::<F, A::Raw>(so, so2);
        let (first, second) =
            if is_lower || F::omits(Step::AddressOrder) { (so, so2) } else { (so2, so) };
        self.so.take(&Held::<Self>::of(first), Edge::None);
        if !std::ptr::eq(first, second) || F::omits(Step::SelfLock) {
            _ = self.take_second(first, second);
        }
        (Held::<Self>::of(so), Held::<Self>::of(so2))
    }
}

impl<F: Fault, A: Surroundings> Policy for EndpointPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = EndpointLocks<A::Raw>;
    type Collector = CollectorLocks<EndpointLocks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = EndpointPolicy<G, B>;
    const NAME: &'static str = <SocketPolicy<F, ByNumber, A> as Policy>::NAME;
    const ABOUT: &'static str = "a lock per socket in the order of their numbers, one per queue \
                                 (gVisor 3c5eee17dc45, unix/transport)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;
    const GC_INNER: bool = true;
    const SORELE: bool = true;
    const CALLS_BY_FILE: bool = true;
    const SB_LOCK: bool = true;
    const SENDS_HELD: bool = true;

    fn new(algorithm: Algorithm) -> Self {
        Self { so: SocketPolicy::new(algorithm) }
    }

    fn collector(&self) -> &CollectorLocks<EndpointLocks<A::Raw>, A::Raw> {
        self.so.collector()
    }

    fn socket_locks(&self, algorithm: Algorithm) -> EndpointLocks<A::Raw> {
        self.so.socket_locks(algorithm)
    }

    fn solock_new(&self, so: &So<Self>, _kind: SockType) -> Held<Self> {
        self.number(so);
        self.solock(so)
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        self.so.so_enter(so);
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.so.so_leave(so);
    }

    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so.solock_peer(so)
    }

    fn sounlock_peer(&self, so: &So<Self>, so2: Held<Self>) {
        self.so.sounlock_peer(so, so2);
    }

    #[inline(always)]
    fn data_enter(&self, _so: &mut Held<Self>) {}

    #[inline(always)]
    fn data_leave(&self, _so: &mut Held<Self>) {}

    #[inline(always)]
    fn data_to_so(&self, so: &mut Held<Self>) {
        self.so_enter(so);
    }

    #[inline(always)]
    fn so_to_data(&self, so: &mut Held<Self>) {
        self.so_leave(so);
    }

    /// The limits of a send side are the endpoint's.
    fn side_lock(&self, so: &So<Self>, side: Side) -> Held<Self> {
        let mut so = Held::<Self>::of(so);
        match side {
            Side::Snd => self.so_enter(&mut so),
            Side::Rcv => so.locks.queue.enter(),
        }
        so
    }

    fn side_unlock(&self, mut so: Held<Self>, side: Side) {
        match side {
            Side::Snd => self.so_leave(&mut so),
            Side::Rcv => so.locks.queue.exit(),
        }
    }

    #[inline(always)]
    fn side_enter(&self, so: &Held<Self>, side: Side) {
        if side == Side::Rcv {
            so.locks.queue.enter();
        }
    }

    #[inline(always)]
    fn side_leave(&self, so: &mut Held<Self>, side: Side) {
        if side == Side::Rcv {
            so.locks.queue.exit();
        }
    }

    /// Whoever parts the two must lock `so`.
    #[inline(always)]
    fn peer_pin(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.peer().map(|so2| Held::<Self>::of(&so2))
    }

    #[inline(always)]
    fn peer_unpin(&self, _so: &So<Self>, _so2: Held<Self>) {}

    /// `GetRemoteAddress` (`ep` 1198): one after the other.
    fn peer_look(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        let place = so.peer()?;
        if !F::omits(Step::UnpRefTake) {
            place.unp_refcnt.take();
        }
        self.so_leave(so);
        Some(self.solock(&place))
    }

    fn peer_looked(&self, so: &mut Held<Self>, so2: Held<Self>) {
        let place = so2.socket();
        self.sounlock(so2);
        if !F::omits(Step::UnpRefRelock) {
            place.unp_refcnt.rele();
        }
        self.so_enter(so);
    }

    /// Receiving: the endpoint first, as the kernel reads there where the queue is. The right to
    /// send is the endpoint's lock.
    #[inline(always)]
    fn sb_lock(&self, so: &So<Self>, side: Side, nonblock: bool) -> bool {
        if side == Side::Snd {
            return true;
        }
        so.locks.endpoint.enter();
        so.locks.endpoint.exit();
        if F::omits(Step::ReaderAlone) {
            return true;
        }
        if nonblock {
            return so.locks.receiver.try_enter();
        }
        so.locks.receiver.enter();
        true
    }

    #[inline(always)]
    fn sb_unlock(&self, so: &So<Self>, side: Side) {
        if side == Side::Rcv && !F::omits(Step::ReaderAlone) {
            so.locks.receiver.exit();
        }
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.take_both(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.so.sounlock_pair(so, so2);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    /// `BidirectionalConnect` (`conn` 322): both, until the embryo is ready, or the connect is
    /// refused.
    fn name_to_head(&self, so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.take_both(so, head).1
    }

    fn head_refuse(&self, so: &So<Self>, head: Held<Self>) {
        self.sounlock_pair(Held::<Self>::of(so), head);
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.take_both(so, so2)
    }

    /// Client and listener are locked already.
    fn head_to_pair(
        &self,
        head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        (Held::<Self>::of(so), self.take_second(&head, so3))
    }

    /// A new one: it has the highest number.
    fn embryo_enter(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.number(so3);
        self.take_second(head, so3)
    }

    fn embryo_take(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.take_second(head, so3)
    }

    fn head_leave(&self, head: &mut Held<Self>) {
        self.so.head_leave(head);
    }

    fn head_return(&self, head: &mut Held<Self>) {
        self.so.head_return(head);
    }

    fn embryo_leave(&self, so3: Held<Self>) {
        self.so.embryo_leave(so3);
    }

    /// The listener stays locked: the list comes after it.
    fn attach_enter(&self, _head: &mut Held<Self>) {}

    fn attach_exit(&self, _so3: &mut Held<Self>, _head: &mut Held<Self>) {}

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so.solock_referrer(so)
    }

    fn list_enter(&self, _so: &mut Held<Self>) {
        self.collector().gc_enter();
    }

    fn list_exit(&self, _so: &mut Held<Self>) {
        self.collector().gc_exit();
    }

    fn list_to_name(&self, so: &mut Held<Self>) {
        self.collector().gc_exit();
        self.so_leave(so);
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        let so = Held::<Self>::of(so);
        if !F::omits(Step::ScanLock) {
            so.locks.queue.enter();
        }
        so
    }

    fn scan_exit(&self, so: Held<Self>) {
        if !F::omits(Step::ScanLock) {
            so.locks.queue.exit();
        }
    }

    fn finalize(&self, so: &mut Held<Self>, references: &RefCount) {
        self.so.finalize(so, references);
    }
}

#[cfg(test)]
mod tests;
