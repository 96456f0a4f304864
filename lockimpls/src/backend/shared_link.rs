//! `shared-link`: one lock over what is connected to what, which senders share, a mutex per socket
//! and one per buffer.
//!
//! After FreeBSD 10.4's unix(4): `uipc_usrreq.c` r305261 (`usrreq` below), `uipc_socket.c` r305261
//! (`socket`), `uipc_sockbuf.c` r274043 (`sockbuf`), `uipc_syscalls.c` r321021 (`syscalls`),
//! `socketvar.h` r321021.
//!
//! # What each lock guards
//!
//! * `unp_link_rwlock`, one for all (`usrreq` 190 to 218): what is connected to what, and so
//!   whether a socket may send; the references in flight. Whoever reads that shares it, or has the
//!   socket's own lock; whoever writes it has it exclusively, and the locks of both sockets.
//! * `unp_mtx`, of each socket: the socket itself and its control block. Two are held with
//!   `unp_link_rwlock` held exclusively alone (`usrreq` 218), in any order: nobody else has two
//!   then.
//! * `sb_mtx`, of each side: what lies in the buffer, its limits, whether the side has ended, and
//!   whoever waits there. `sb_sx` (`sb_lock` here), of each side: sending, or receiving, as a
//!   whole.
//! * `accept_mtx`, one for all: the queues of every listener. Whoever accepts sleeps on it.
//! * `unp_list_lock`, one for all: the list of all control blocks.
//!
//! # A message's way
//!
//! A send takes `sb_sx` and looks for room under its own `sb_mtx`, once. It copies, and then shares
//! `unp_link_rwlock`: the peer stays, and so does the answer to whether the stream has ended, for a
//! parting and a shutdown want that lock exclusively (`usrreq` 944, 957). So the own `unp_mtx` is
//! not taken; the peer's is, then its receive side's `sb_mtx`, for the append, and when that is
//! left the own send side's, for the account (`usrreq` 969, 970, 1021).
//!
//! A receive shares nothing: its own `unp_mtx` pins the peer, for whoever parts the two must hold
//! it (`usrreq` 815). And it is the `unp_mtx` that a sender holds from its append to its account
//! (`usrreq` 1015). So the account that is written last is that of what was done last.
//!
//! So two pairs have one lock in common on a send's way, which both only read: each writes the
//! count of its readers when it comes and when it goes. How many of its acquisitions are readers'
//! is counted by the witness alone (`LockCounts::shared`): a run's file has their sum.
//!
//! # The order
//!
//! A name; `unp_link_rwlock`; `unp_mtx`; `unp_list_lock`; `accept_mtx`; a receive side; a send
//! side. None goes from one mode of `unp_link_rwlock` to the other: an addressed send, which
//! connects, has it exclusively, lets go of it for the name, and looks again.
//!
//! # Different from the kernel
//!
//! * The answers are OpenBSD's, as on every backend, and so are the states that they hang on: the
//!   sender knows how full its peer is to the byte, where the kernel has one bit (SB_STOP).
//! * So a receive looks what is left in its buffer with its `unp_mtx` held; the kernel looks
//!   before, and may let a sender past the limit (`usrreq` 822 to 835).
//! * SOCK_LOCK is the receive side's mutex (`socketvar.h` 144), and guards `so_state`. Here the
//!   socket's own does: where the kernel takes the one for a state alone, the layer has the other.
//! * `unp_mtx` recurses in the kernel (`usrreq` 266, 1693). Here it is handed on.
//! * A datagram's receive takes `sb_sx`, and its side's `sb_mtx` twice: it lies in the ring until
//!   it is copied. The kernel unlinks it, and takes one mutex (`socket` 2113).
//! * Whoever waits for a buffer gives back `sb_sx`; the kernel keeps it (`sockbuf` 130).
//! * detach and bind lock the name, whose lock guards `v_socket`; in the kernel `unp_link_rwlock`
//!   does.
//! * A listener, and what is made there, are locked for as long as they are used, before the queue.
//! * All are of one algorithm; only `parking_lot`'s has a shared mode. With any other `--lock`
//!   `unp_link_rwlock` is taken exclusively by all.

mod locks;

use std::marker::PhantomData;

use crossbeam_utils::CachePadded;

pub(crate) use self::locks::LinkPolicy;
use self::locks::{LinkCollector, LinkLocks};
use crate::ambient::Surroundings;
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::Side;
use crate::policy::{Collector, Held, Policy, So};
use crate::sync::RwLock;
use crate::uipc::Locked;
use crate::witness::Class;

/// A lock of the links, shared by senders.
pub(crate) type SharedLink = Locked<LinkPolicy<NoFault>>;

impl<F: Fault, A: Surroundings> Policy for LinkPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = LinkLocks<A::Raw>;
    type Collector = LinkCollector<A::Raw>;
    type With<G: Fault, B: Surroundings> = LinkPolicy<G, B>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => "shared-link",
    };
    const ABOUT: &'static str = "a link lock that senders share, a mutex per socket and buffer \
                                 (FreeBSD 10.4, uipc_usrreq.c r305261)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;
    const GC_INNER: bool = true;
    const SORELE: bool = true;
    const CALLS_BY_FILE: bool = true;
    const SB_LOCK: bool = true;
    const SIDES_APART: bool = true;

    fn new(algorithm: Algorithm) -> Self {
        let accept_mtx = RwLock::of(Class::AcceptMtx, algorithm);
        Self {
            accept_mtx: Box::new(CachePadded::new(accept_mtx)),
            collector: LinkCollector::new(algorithm),
            what: PhantomData,
        }
    }

    fn collector(&self) -> &LinkCollector<A::Raw> {
        &self.collector
    }

    fn socket_locks(&self, algorithm: Algorithm) -> LinkLocks<A::Raw> {
        LinkLocks::new(algorithm, self.link().addr(), self.accept_mtx.addr())
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        so.locks.unp_mtx.enter();
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        so.locks.unp_mtx.exit();
    }

    /// With the links held exclusively.
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        let place = so.peer()?;
        let so2 = Held::<Self>::of(&place);
        if place != so.socket() {
            self.take_too(&so2);
        }
        Some(so2)
    }

    fn sounlock_peer(&self, so: &So<Self>, mut so2: Held<Self>) {
        if !std::ptr::eq(so, &*so2) {
            self.so_leave(&mut so2);
        }
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

    #[inline(always)]
    fn links_enter(&self) {
        if F::omits(Step::LinksAlone) {
            return self.link().enter_read();
        }
        self.link().enter();
    }

    #[inline(always)]
    fn links_leave(&self) {
        self.link().exit();
    }

    #[inline(always)]
    fn append_enter(&self, _so: &mut Held<Self>, addressed: bool) {
        if addressed && !F::omits(Step::AddressedAlone) {
            self.link().enter();
        } else if !F::omits(Step::LinkForAppend) {
            self.link().enter_read();
        }
    }

    #[inline(always)]
    fn append_leave(&self, _so: &mut Held<Self>, addressed: bool) {
        if addressed {
            self.link().exit();
        } else {
            self.link().exit_read();
        }
    }

    #[inline(always)]
    fn side_enter(&self, so: &Held<Self>, side: Side) {
        so.locks.sides[side].sb_mtx.enter();
    }

    #[inline(always)]
    fn side_leave(&self, so: &mut Held<Self>, side: Side) {
        so.locks.sides[side].sb_mtx.exit();
    }

    #[inline(always)]
    fn peer_pin(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.peer().map(|so2| Held::<Self>::of(&so2))
    }

    #[inline(always)]
    fn peer_unpin(&self, _so: &So<Self>, _so2: Held<Self>) {}

    /// `uipc_peeraddr`, `uipc_accept` (`usrreq` 377, 776).
    fn peer_look(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so_leave(so);
        self.link().enter_read();
        if let Some(so2) = so.peer() {
            return Some(self.solock(&so2));
        }
        self.link().exit_read();
        self.so_enter(so);
        None
    }

    fn peer_looked(&self, so: &mut Held<Self>, so2: Held<Self>) {
        self.sounlock(so2);
        self.link().exit_read();
        self.so_enter(so);
    }

    #[inline(always)]
    fn sb_lock(&self, so: &So<Self>, side: Side, nonblock: bool) -> bool {
        so.locks.sides[side].lock(nonblock)
    }

    #[inline(always)]
    fn sb_unlock(&self, so: &So<Self>, side: Side) {
        so.locks.sides[side].sb_lock.exit();
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.links_enter();
        self.take_both(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.sounlock_peer(&so, so2);
        self.sounlock(so);
        self.links_leave();
    }

    fn name_enter(&self, _so: &So<Self>) {
        self.links_enter();
    }

    fn name_leave(&self, _so: &So<Self>) {
        self.links_leave();
    }

    fn name_to_head(&self, _so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.solock(head)
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.take_both(so, so2)
    }

    fn head_to_pair(
        &self,
        head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        self.sounlock(head);
        self.take_both(so, so3)
    }

    fn embryo_enter(&self, _head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        let so3 = Held::<Self>::of(so3);
        self.take_too(&so3);
        so3
    }

    fn head_leave(&self, head: &mut Held<Self>) {
        self.queue_leave(head);
    }

    fn head_return(&self, head: &mut Held<Self>) {
        self.queue_enter(head);
    }

    fn embryo_leave(&self, so3: Held<Self>) {
        self.sounlock(so3);
    }

    /// The embryo stays locked: the queue comes after it.
    fn embryo_to_head(
        &self,
        _so3: &mut Held<Self>,
        head: &So<Self>,
        _client: Option<&So<Self>>,
    ) -> Held<Self> {
        self.queue_lock(head)
    }

    /// The listener stays locked: the list comes after it.
    fn attach_enter(&self, _head: &mut Held<Self>) {}

    fn attach_exit(&self, _so3: &mut Held<Self>, _head: &mut Held<Self>) {}

    fn queue_enter(&self, _head: &mut Held<Self>) {
        if !F::omits(Step::QueueLock) {
            self.accept_mtx.enter();
        }
    }

    fn queue_leave(&self, _head: &mut Held<Self>) {
        if !F::omits(Step::QueueLock) {
            self.accept_mtx.exit();
        }
    }

    fn so_at_queue(&self, _head: &Held<Self>) {
        self.accept_mtx.enter();
    }

    fn so_off_queue(&self, _head: &mut Held<Self>) {
        self.accept_mtx.exit();
    }

    fn so_to_queue(&self, head: &mut Held<Self>) {
        self.so_leave(head);
        self.queue_enter(head);
    }

    fn queue_to_so(&self, head: &mut Held<Self>) {
        self.queue_leave(head);
        self.so_enter(head);
    }

    /// The queue comes after its embryos: they are locked when it is left.
    fn embryo_take(&self, _head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        Held::<Self>::of(so3)
    }

    fn embryo_taken(&self, so3: &mut Held<Self>) {
        self.so_enter(so3);
    }

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        let place = so.referrers().first()?;
        let so2 = Held::<Self>::of(&place);
        self.take_too(&so2);
        Some(so2)
    }

    fn list_enter(&self, _so: &mut Held<Self>) {
        self.collector.gc_enter();
    }

    fn list_exit(&self, _so: &mut Held<Self>) {
        self.collector.gc_exit();
    }

    /// `uipc_detach` takes the list with nothing held, and then the links (`usrreq` 659, 669).
    fn detach_enter(&self, so: &mut Held<Self>) {
        if !F::omits(Step::DetachLeavesLinks) {
            self.links_leave();
        }
        self.so_leave(so);
        self.collector.gc_enter();
    }

    fn detach_exit(&self, so: &mut Held<Self>) {
        self.collector.gc_exit();
        self.links_enter();
        self.so_enter(so);
    }

    fn list_to_name(&self, _so: &mut Held<Self>) {
        self.collector.gc_exit();
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        self.side_lock(so, Side::Rcv)
    }

    fn scan_exit(&self, so: Held<Self>) {
        self.side_unlock(so, Side::Rcv);
    }
}
