//! `receive-buffer`: a connection's sender holds its peer's receive buffer alone, and waits there.
//!
//! After FreeBSD's unix(4) of 2025: `sys/kern/uipc_usrreq.c` of main, whose lines are cited here;
//! the revision whose file has 121,781 bytes.
//!
//! # What each lock guards
//!
//! * `unp_mtx`, of each socket: the socket itself and its control block. Of two by
//!   `per-socket-try`'s protocol, line for line (381 to 418): a try, the order, the relock; a
//!   connect waits for relocks.
//! * `so_rcv_mtx` (a receive side's `sb_mtx`): what lies there, whether it has ended, **who writes
//!   there** (`uxst_peer`), and whoever sleeps there: its reader, and its writer.
//! * `so_snd_mtx`: a datagram socket's end. A connection's send never takes it.
//! * An sx of each side (`sb_lock`): sending, or receiving, as a whole.
//!
//! # A message's way
//!
//! A connection's send copies with nothing locked (1149). Then: the right to send (1156); both
//! `unp_mtx` (433, 434), of which it leaves its own (453); a reference on the peer, which it leaves
//! then (1181, 1182). From here on it is at the peer's receive side alone (1188): there it looks
//! for room, appends, wakes the reader, and, where there is no room, sleeps (1221). For the next
//! piece it locks that side again, and nothing else.
//!
//! A receive has the right to receive (1405) and its own receive side (1410). It accounts there
//! what it takes, and wakes the writer there (1521). So the two directions of a connection have no
//! lock in common but the two `unp_mtx` that a send passes; and a receive touches nothing of its
//! peer.
//!
//! A datagram's send holds both sockets and the destination's receive side (2027, 2028, 2106).
//!
//! # The pin
//!
//! The reference keeps the peer's place; it does not keep the two together. Whoever parts them has
//! both `unp_mtx`, which the sender has not any more, and says so under each receive side: nobody
//! writes there from then on (3146), and whoever sleeps there is woken in the same hold (3147). So
//! a sender that has the side either comes before the parting there, or sees it. Whoever closes the
//! peer waits for the reference, after that, with nothing locked.
//!
//! * *The end.* A shutdown tells its own socket, and then the peer, under the peer's receive side,
//!   where it wakes the writer. The sender looks at its own word (`SendWords`) with that side
//!   locked: its bytes are before the end, or do not go.
//! * *The wake-up.* A writer sleeps with the peer's receive side, which every receive there has
//!   when it makes room: no wake-up falls between.
//!
//! # Different from the kernel
//!
//! * The answers are OpenBSD's, as on every backend. Room is what the sender's own limits leave
//!   (the kernel's looks at the receiver's, 1056); how full the peer is, for that, is what the last
//!   append or receive left, beside the side itself: a receiver that shuts down for reading throws
//!   its bytes away, and OpenBSD's sender is not told (the kernel's is, and gets EPIPE).
//! * A sender gives up the right to send while it sleeps, as OpenBSD's does; the kernel's keeps it.
//! * Whoever closes a socket waits for its senders' references; in the kernel the last of them
//!   frees it (1301), with its own right to send.
//! * Descriptors are looked up when there is room for them; in the kernel first of all (1117).
//! * Two that part are told one after the other, in one hold of both sockets; the kernel has both
//!   receive sides at once (3224, 3225), without an order of addresses. Nobody is between: whoever
//!   sends on the one that closes has a reference on its file, and whoever sends to it sees its
//!   side.
//! * A message lies in a ring until it is copied: a receive takes its side once more (the kernel's
//!   has unlinked what it copies).
//! * One queue for all datagrams to a socket. The kernel has one for each connected sender, in that
//!   one's send buffer, under the receiver's lock (2104 to 2119).
//! * Of two `unp_mtx`, as on `per-socket-try`: detach looks whether a socket is still connected to
//!   it (the kernel does not, 3422 to 3429), and waits for the references to its control block
//!   (there the last of them frees it, 412). A connect locks client and embryo by address; in the
//!   kernel the client comes after the embryo, which nobody else has yet (2960).
//! * A pending error is told at the peer's receive side; in the kernel with the own `unp_mtx`
//!   (435).
//! * Where both sides of a socket are locked, for their sizes, the receive side comes first, as in
//!   OpenBSD; in the kernel the send side (3117, 3118).
//! * SOCK_LOCK, which guards `so_state`, is the socket's own lock here.
//! * `unp_link_rwlock` is the layer's `unp_gc_lock`: it comes after a socket's lock, and a socket
//!   is put on the list of all, or taken off, with its own held; in the kernel before any (537,
//!   812).
//! * The list of referrers is the destination's own (`unp_defers_lock` there, 3103).
//! * aio, sendfile(2), poll(2) and kqueue(2) are not modelled.
//!
//! Checked by `lockimpls/models/loom`, `pin_*`.

mod locks;

use self::locks::{PinLocks, Pins};
use crate::ambient::{Nothing, Surroundings};
use crate::backend::per_socket::SocketPolicy;
use crate::domain::{Algorithm, SockType};
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::{RefCount, Side};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::uipc::Locked;

/// A sender at its peer's receive buffer alone.
pub(crate) type ReceiveBuffer = Locked<PinPolicy<NoFault>>;

/// The policy of `receive-buffer`.
pub(crate) struct PinPolicy<F, A: Surroundings = Nothing> {
    so: SocketPolicy<F, Pins, A>,
}

impl<F: Fault, A: Surroundings> Policy for PinPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = PinLocks<A::Raw>;
    type Collector = CollectorLocks<PinLocks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = PinPolicy<G, B>;
    const NAME: &'static str = <SocketPolicy<F, Pins, A> as Policy>::NAME;
    const ABOUT: &'static str = "a lock per socket, two per buffer; a sender holds its peer's \
                                 receive buffer alone (FreeBSD main of 2025, uipc_usrreq.c)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;
    const GC_INNER: bool = true;
    const SORELE: bool = true;
    const CALLS_BY_FILE: bool = true;
    const SB_LOCK: bool = true;
    const WAITS_AT_PEER: bool = true;

    fn new(algorithm: Algorithm) -> Self {
        Self { so: SocketPolicy::new(algorithm) }
    }

    fn collector(&self) -> &CollectorLocks<PinLocks<A::Raw>, A::Raw> {
        self.so.collector()
    }

    fn socket_locks(&self, algorithm: Algorithm) -> PinLocks<A::Raw> {
        self.so.socket_locks(algorithm)
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        self.so.so_enter(so);
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.so.so_leave(so);
    }

    #[inline(always)]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so.solock_peer(so)
    }

    fn sounlock_peer(&self, so: &So<Self>, so2: Held<Self>) {
        self.so.sounlock_peer(so, so2);
    }

    fn connect_enter(&self, so: &mut Held<Self>) -> bool {
        self.so.connect_enter(so)
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
    fn side_enter(&self, so: &Held<Self>, side: Side) {
        so.locks.sides[side].sb_mtx.enter();
    }

    #[inline(always)]
    fn side_leave(&self, so: &mut Held<Self>, side: Side) {
        so.locks.sides[side].sb_mtx.exit();
    }

    /// A datagram's destination is locked, too (2028); of a connection `so` alone keeps the peer,
    /// for whoever parts the two must lock it (2683).
    #[inline(always)]
    fn peer_pin(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        if so.so_type.get() == SockType::Dgram {
            return self.solock_peer(so);
        }
        so.peer().map(|so2| Held::<Self>::of(&so2))
    }

    #[inline(always)]
    fn peer_unpin(&self, so: &So<Self>, so2: Held<Self>) {
        if so.so_type.get() == SockType::Dgram {
            self.sounlock_peer(so, so2);
        }
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
        self.so.solock_pair(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.so.sounlock_pair(so, so2);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    fn name_to_head(&self, so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.so.name_to_head(so, head)
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.so.name_to_pair(so, so2)
    }

    fn head_to_pair(
        &self,
        head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        self.so.head_to_pair(head, so, so3)
    }

    fn embryo_enter(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.so.embryo_enter(head, so3)
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

    fn embryo_to_head(
        &self,
        so3: &mut Held<Self>,
        head: &So<Self>,
        client: Option<&So<Self>>,
    ) -> Held<Self> {
        self.so.embryo_to_head(so3, head, client)
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
            self.side_enter(&so, Side::Rcv);
        }
        so
    }

    fn scan_exit(&self, mut so: Held<Self>) {
        if !F::omits(Step::ScanLock) {
            self.side_leave(&mut so, Side::Rcv);
        }
    }

    fn finalize(&self, so: &mut Held<Self>, references: &RefCount) {
        self.so.finalize(so, references);
    }
}
