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
//! peer: whoever parts the two must lock both. For one attempt it is also the right to send
//! (`uipc/held.rs`). Where there is no room the send unlocks, and sleeps with nothing held (`unix`
//! 693 to 715): it has read how many wake-ups there were before it looked.
//!
//! What a send looks at, its limits, its end, what of it lies unread at the peer, are words
//! (`SendWords`). In the kernel the limit and what lies unread are fields of the queue that it
//! sends into, under that one's lock. The end is `sendShutdown` of the own endpoint, under its lock
//! (`ep` 948, 1043): a datagram socket's shutdown sets no more. It is also `closed` of the queue,
//! which is set under the queue's lock, and which `isClosed` reads without it (`queue` 40, 54, 59).
//!
//! Here the sender writes what lies unread with its endpoint and that queue locked, a receiver with
//! the queue alone. A receiver gives bytes back, and takes none: with the own endpoint locked the
//! bytes of room that were seen stay, and are not looked for again. The memory that is charged may
//! grow: where a control message is taken off, bytes that came with it are charged as a stream's
//! (`Socket::rcv_fill`). So a send may go past `sb_mbmax`, by that.
//!
//! A receive locks its endpoint to read where its queue is, and unlocks it (`ep` 1005); has the
//! receiver's lock until it has copied (603); and locks the queue to look, and again to take off
//! what it has read and to give room back. It does not lock its peer. The layer reads nothing with
//! the endpoint locked; it is locked because the kernel does so.
//!
//! # The order of two sockets
//!
//! Each socket has a number, from one counter, when it is made (`conn` 144, `kernel.go` 1109), and
//! the lower one is locked first (`conn` 322). A place that is used again gets another number, so
//! the order is not that of addresses. What is made later is higher: an embryo comes after its
//! listener and after its client without a rule of its own. In the kernel sockets that connect have
//! a number, and pairs; a datagram socket of socket(2) has none (`less` 32). Here each has one.
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
//! * **Two at once.** This backend locks two where the kernel locks one after the other: in
//!   connect(2) of a datagram socket (`less` 88, 145), in accept (`conn` 479, 493), and where the
//!   close of a listener comes to what nobody accepted (`conn` 242, 273); and in socketpair(2),
//!   which locks none there (`conn` 156).
//! * **Two writers of one socket.** The right to send ends with each attempt, as in the kernel. So
//!   where a stream's send does not fit at once another's bytes may come between its parts, also if
//!   it did not sleep between them. In OpenBSD the right is kept until the sender sleeps. A send
//!   that may not wait waits for one that copies, as in the kernel, where OpenBSD has EWOULDBLOCK;
//!   that is the answer here, too, where the other one has left its socket.
//! * **Two readers of one socket.** A receive that may not wait is EWOULDBLOCK while another one
//!   has the receiver's lock: that is OpenBSD's answer. The kernel's waits (`ep` 603).
//! * **Two copies.** The kernel copies once, from the caller's memory into the queue, with endpoint
//!   and queue locked (`unix/io.go` 47, `queue` 177); but what may fault goes into a buffer before,
//!   with nothing locked (`pkg/safemem/io.go` 313). The layer copies into a message with the
//!   endpoint locked, and into the ring with both.
//! * While a send looks up descriptors, or a name, its endpoint is unlocked, and a flag is the
//!   right to send (`sblock`). The kernel has looked them up before.
//! * What is received lies in a ring until it is copied, and its room is given back after that: so
//!   every receive locks the queue twice. The kernel takes a message off the queue, and gives its
//!   room back with that, before it copies (`queue` 226 to 230). A stream takes the first one off
//!   (`ep` 613), copies (641), and takes off the next while the caller has room (668): where the
//!   first one fills it, the queue is locked once. There streams alone have the receiver's lock;
//!   here records have it, too.
//! * The receiver's lock comes before the endpoint. In the kernel it comes after it, in a close, in
//!   poll(2), and in ioctl(2) with FIONREAD (`ep` 576, 587, 1079), which are not modelled so.
//! * Whoever gives room back, ends a direction or has made a connection wakes with its locks held;
//!   the kernel when they are unlocked (`conn` 290, 399, `ep` 1170). Nobody's wake-up takes a lock
//!   of a socket here. The kernel's takes that of the queue of waiters, shared (`waiter.Queue.mu`).
//! * getpeername locks the own endpoint, and then the peer's alone, as there (`ep` 1199, 1191). A
//!   reference on the peer's control block keeps it meanwhile; the kernel's is an object that is
//!   collected.
//! * A listener's queue is under its endpoint. In the kernel it is a channel, which is used with
//!   that locked (`conn` 382, 514).
//! * A place's index would be a number without a counter, but its order is that of addresses. So
//!   there is a counter, as in the kernel, which whoever makes a socket writes.
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
use crate::backend::per_socket::SocketPolicy;
use crate::domain::{Algorithm, SockType};
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::{RefCount, Side};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::uipc::Locked;

/// A lock for a socket, by number, and one for its queue.
pub(crate) type EndpointQueue = Locked<EndpointPolicy<NoFault>>;

/// The policy of `endpoint-queue`.
pub(crate) struct EndpointPolicy<F, A: Surroundings = Nothing> {
    so: SocketPolicy<F, ByNumber, A>,
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
        self.so.number(so);
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
        if !F::omits(Step::UnpRefTake) && !F::omits(Step::NameReference) {
            place.unp_refcnt.take();
        }
        self.so_leave(so);
        Some(self.solock(&place))
    }

    fn peer_looked(&self, so: &mut Held<Self>, so2: Held<Self>) {
        let place = so2.socket();
        self.sounlock(so2);
        if !F::omits(Step::UnpRefRelock) && !F::omits(Step::NameReference) {
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
        let mut held = Held::<Self>::of(so);
        self.so_enter(&mut held);
        self.so_leave(&mut held);
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
        self.so.take_both(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.so.sounlock_pair(so, so2);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    /// `BidirectionalConnect` (`conn` 322): both, until the embryo is ready, or the connect is
    /// refused.
    fn name_to_head(&self, so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.so.take_both(so, head).1
    }

    fn head_refuse(&self, so: &So<Self>, head: Held<Self>) {
        self.sounlock_pair(Held::<Self>::of(so), head);
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.so.take_both(so, so2)
    }

    /// Client and listener are locked already: the embryo comes after the higher of the two.
    fn head_to_pair(
        &self,
        head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        let is_head_higher = so.locks.number() < head.locks.number();
        let higher = if is_head_higher { &*head } else { so };
        (Held::<Self>::of(so), self.so.take_second(higher, so3))
    }

    /// A new one: it has the highest number.
    fn embryo_enter(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.so.number(so3);
        self.so.take_second(head, so3)
    }

    fn embryo_take(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.so.take_second(head, so3)
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
