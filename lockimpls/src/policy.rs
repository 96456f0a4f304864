//! The locking verbs of a granularity, by intent: what `uipc` calls by hand, in pairs.
//!
//! `uipc` is written once against this trait, and backends that lock differ in nothing else. A verb
//! that locks a socket lends its token ([`Held`]); one that ends with it takes the token; one that
//! may unlock it meanwhile wants it by `&mut`; one that only locks, or only compares, wants the
//! socket or `&Held`. A verb with a body here does nothing where one lock guards every socket.

mod collector;

pub(crate) use self::collector::{Collector, CollectorLocks};

use crate::ambient::Surroundings;
use crate::domain::{Algorithm, SockType};
use crate::fault::Fault;
use crate::objects::socket::{self, RefCount, Side, SockRef, Socket, SocketLocks};

/// A socket of a granularity.
pub(crate) type So<P> = Socket<<P as Policy>::Locks>;
/// A pointer to one.
pub(crate) type SoRef<P> = SockRef<<P as Policy>::Locks>;
/// The token of one that is locked.
pub(crate) type Held<P> = socket::Held<<P as Policy>::Locks>;

/// How one granularity locks.
///
/// "so" is the socket a request is made on, "so2" its peer, "head" a listener, "so3" an embryo: a
/// socket made for a connection and not accepted yet.
pub(crate) trait Policy: Send + Sync + Sized + 'static {
    /// What is left out; [`NoFault`](crate::fault::NoFault) in the real backends.
    type Fault: Fault;
    /// What is around the layer; [`Nothing`](crate::ambient::Nothing) in the backends.
    type Ambient: Surroundings;
    /// The locks that a socket has.
    type Locks: SocketLocks;
    /// How the collector locks.
    type Collector: Collector<Self::Locks>;
    /// The same policy with this left out, and this around it: another instantiation.
    type With<G: Fault, B: Surroundings>: Policy;

    /// The backend's name, or its twin's.
    const NAME: &'static str;
    /// One line: what is locked, after which kernel.
    const ABOUT: &'static str;
    /// Whether a run that names no backend has it.
    const IS_USUAL: bool = true;
    /// Whether a lock-free path runs beside the locks, so that a thread may park without them.
    const BIASED: bool;
    /// Whether the collector's lock comes after those of sockets, so that it locks buffers alone.
    const GC_INNER: bool = false;
    /// Whether a socket goes with its last reference, with nothing locked (`sorele`, in OpenBSD of
    /// 2025); or its closer waits for the others and empties it locked.
    const SORELE: bool = false;
    /// Whether a call under way has a reference on the file; or counts itself in `users`, locked.
    const CALLS_BY_FILE: bool = false;
    /// Whether `sblock` is a lock (`sb_lock`: OpenBSD of 2025), or a flag under that of the side.
    const SB_LOCK: bool = false;
    /// Whether a call that sends, or ends its peer's reading, holds nothing of its own socket while
    /// it is at its peer, or waits for room: it reads its own [`SendWords`](socket::SendWords).
    const SENDS_UNLOCKED: bool = false;
    /// Whether a send has its own socket locked from its look to its append (`uipc/held.rs`).
    const SENDS_HELD: bool = false;
    /// Whether the sides of a message and its account are locked one by one (`uipc/apart.rs`).
    const SIDES_APART: bool = false;
    /// Whether a connection's sender looks for room, and waits, at its peer (`uipc/pinned.rs`).
    const WAITS_AT_PEER: bool = false;

    /// Its locks are of this algorithm, where their type does not say it already.
    fn new(algorithm: Algorithm) -> Self;
    fn collector(&self) -> &Self::Collector;
    /// The locks of a socket that is made.
    fn socket_locks(&self, algorithm: Algorithm) -> Self::Locks;

    /// Locks the socket a request is made on.
    #[inline(always)]
    #[track_caller]
    fn solock(&self, so: &So<Self>) -> Held<Self> {
        let mut so = Held::<Self>::of(so);
        self.so_enter(&mut so);
        so
    }
    #[inline(always)]
    #[track_caller]
    fn sounlock(&self, mut so: Held<Self>) {
        self.so_leave(&mut so);
    }
    /// `solock` of a socket that was unlocked meanwhile, by `so_leave`.
    #[track_caller]
    fn so_enter(&self, so: &mut Held<Self>);
    #[track_caller]
    fn so_leave(&self, so: &mut Held<Self>);
    /// Locks a socket that is made, of this type, which it does not have yet.
    #[track_caller]
    fn solock_new(&self, so: &So<Self>, _kind: SockType) -> Held<Self> {
        self.solock(so)
    }
    /// Unlocks a socket that goes back to the pool: nobody who locks it from now on may touch it.
    #[inline(always)]
    #[track_caller]
    fn sounlock_last(&self, so: Held<Self>) {
        self.sounlock(so);
    }

    /// `unp_solock_peer`: with `so` locked, locks its peer too. `so` may be unlocked and locked
    /// again meanwhile. The peer may be `so` itself.
    #[track_caller]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>>;
    #[track_caller]
    fn sounlock_peer(&self, _so: &So<Self>, _so2: Held<Self>) {}
    /// With `so` locked, locks its peer too, to part the two: `solock_peer`; and where whoever
    /// relocks does not look again, nobody is in a relock from one of them to the other.
    #[inline(always)]
    #[track_caller]
    fn solock_to_part(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.solock_peer(so)
    }
    /// The two are parted: unlocks the other one.
    #[inline(always)]
    #[track_caller]
    fn sounlock_parted(&self, so: &So<Self>, so2: Held<Self>) {
        self.sounlock_peer(so, so2);
    }
    /// With `so` locked and not connected, about to be: waits until nobody relocks from it, where
    /// whoever does must find the same peer or none. Whether `so` was unlocked for that.
    #[inline(always)]
    #[track_caller]
    fn connect_enter(&self, _so: &mut Held<Self>) -> bool {
        false
    }

    /// What a call that sends or receives holds of its socket while it is at none of its parts:
    /// where one lock guards all, that lock; where a side has its own, nothing. Such a call begins.
    #[inline(always)]
    #[track_caller]
    fn data_lock(&self, so: &So<Self>) -> Held<Self> {
        let mut so = Held::<Self>::of(so);
        self.data_enter(&mut so);
        so
    }
    /// Such a call ends.
    #[inline(always)]
    #[track_caller]
    fn data_unlock(&self, mut so: Held<Self>) {
        self.data_leave(&mut so);
    }
    /// Such a call comes back from a copy or a sleep.
    #[inline(always)]
    #[track_caller]
    fn data_enter(&self, so: &mut Held<Self>) {
        self.so_enter(so);
    }
    /// Such a call copies, or sleeps.
    #[inline(always)]
    #[track_caller]
    fn data_leave(&self, so: &mut Held<Self>) {
        self.so_leave(so);
    }
    /// Such a call goes on to the socket itself, and leaves it.
    #[track_caller]
    fn data_to_so(&self, _so: &mut Held<Self>) {}
    #[track_caller]
    fn so_to_data(&self, _so: &mut Held<Self>) {}

    /// With no socket locked, locks what is connected to what, where that has a lock of its own.
    #[track_caller]
    fn links_enter(&self) {}
    #[track_caller]
    fn links_leave(&self) {}
    /// With nothing of the socket held, locks its links for an append, where the sides are apart:
    /// in shared mode unless it is `addressed`, and so will connect it.
    #[track_caller]
    fn append_enter(&self, _so: &mut Held<Self>, _addressed: bool) {}
    #[track_caller]
    fn append_leave(&self, _so: &mut Held<Self>, _addressed: bool) {}

    /// Locks a side with nothing else of the socket held, where a side has a lock of its own.
    #[inline(always)]
    #[track_caller]
    fn side_lock(&self, so: &So<Self>, side: Side) -> Held<Self> {
        let so = Held::<Self>::of(so);
        self.side_enter(&so, side);
        so
    }
    #[inline(always)]
    #[track_caller]
    fn side_unlock(&self, mut so: Held<Self>, side: Side) {
        self.side_leave(&mut so, side);
    }
    /// Locks a side, where it has a lock of its own. What guards all is held where there is none.
    #[track_caller]
    fn side_enter(&self, _so: &Held<Self>, _side: Side) {}
    #[track_caller]
    fn side_leave(&self, _so: &mut Held<Self>, _side: Side) {}

    /// Where a receive looks whether there is something, with only the right to drain held: the
    /// receive side, or [`SocketLocks::look_guard`]. `side_leave` leaves both.
    #[inline(always)]
    #[track_caller]
    fn look_enter(&self, so: &Held<Self>) {
        self.side_enter(so, Side::Rcv);
    }
    /// From there to the receive side itself.
    #[track_caller]
    fn look_to_side(&self, _so: &mut Held<Self>) {}

    /// With `so` locked, the peer, which stays until `peer_unpin`: locked, where its sides have no
    /// locks of their own (`solock_peer`); else `so` alone keeps it, for whoever parts the two must
    /// lock `so`. Where sends are unlocked: with nothing of `so` held, the peer, locked.
    #[inline(always)]
    #[track_caller]
    fn peer_pin(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.solock_peer(so)
    }
    #[inline(always)]
    #[track_caller]
    fn peer_unpin(&self, so: &So<Self>, so2: Held<Self>) {
        self.sounlock_peer(so, so2);
    }
    /// With `so` locked, its peer, to ask for its name. `so` may be unlocked until `peer_looked`.
    #[track_caller]
    fn peer_look(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.solock_peer(so)
    }
    #[track_caller]
    fn peer_looked(&self, so: &mut Held<Self>, so2: Held<Self>) {
        self.sounlock_peer(so, so2);
    }

    /// `solock_pair`: with nothing held, locks two sockets, which may be the same.
    #[track_caller]
    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>);
    #[track_caller]
    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>);

    /// With a name locked, before its socket is looked at: locks what guards every socket.
    #[track_caller]
    fn name_enter(&self, so: &So<Self>);
    /// Leaves the name's socket, which `so` cannot be connected to.
    #[track_caller]
    fn name_leave(&self, so: &So<Self>);
    /// Locks the name's socket, a listener if it listens, for `so` to be connected there. Where one
    /// lock guards all that is on its way to be accepted, or both are wanted, `so` is locked too.
    #[track_caller]
    fn name_to_head(&self, _so: &So<Self>, head: &So<Self>) -> Held<Self> {
        Held::<Self>::of(head)
    }
    /// Leaves the name's socket, which takes no connection from `so`; and `so`, where it is locked.
    #[track_caller]
    fn head_refuse(&self, _so: &So<Self>, head: Held<Self>) {
        self.sounlock(head);
    }
    /// Locks `so` and the name's socket, which may be the same.
    #[track_caller]
    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        (Held::<Self>::of(so), Held::<Self>::of(so2))
    }

    /// With nothing of the socket held takes, or with `nonblock` tries, the lock that `sblock` is.
    #[track_caller]
    fn sb_lock(&self, _so: &So<Self>, _side: Side, _nonblock: bool) -> bool {
        true
    }
    #[track_caller]
    fn sb_unlock(&self, _so: &So<Self>, _side: Side) {}

    /// With a listening socket locked, goes on to the client and its embryo: unlocks the one, locks
    /// the others.
    #[track_caller]
    fn head_to_pair(
        &self,
        _head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        (Held::<Self>::of(so), Held::<Self>::of(so3))
    }

    /// Locks the queues of a listener, with nothing of it held.
    #[track_caller]
    fn queue_lock(&self, head: &So<Self>) -> Held<Self> {
        let mut head = Held::<Self>::of(head);
        self.queue_enter(&mut head);
        head
    }
    fn queue_unlock(&self, mut head: Held<Self>) {
        self.queue_leave(&mut head);
    }
    /// The same of a listener whose queues were unlocked meanwhile, by `queue_leave`.
    #[track_caller]
    fn queue_enter(&self, head: &mut Held<Self>) {
        self.so_enter(head);
    }
    fn queue_leave(&self, head: &mut Held<Self>) {
        self.so_leave(head);
    }
    /// With the listener locked, locks its queues too, where they have a lock of their own.
    #[track_caller]
    fn so_at_queue(&self, _head: &Held<Self>) {}
    fn so_off_queue(&self, _head: &mut Held<Self>) {}
    /// From the listener to its queues alone.
    #[track_caller]
    fn so_to_queue(&self, _head: &mut Held<Self>) {}
    #[track_caller]
    fn queue_to_so(&self, _head: &mut Held<Self>) {}

    /// With the listener locked, locks one of its embryos, whatever the addresses.
    #[track_caller]
    fn embryo_enter(&self, _head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        Held::<Self>::of(so3)
    }
    /// With its queues locked, goes on to an embryo of the listener: locks it, or, where it comes
    /// before the queues, does so at `embryo_taken`, when they are left.
    #[track_caller]
    fn embryo_take(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.embryo_enter(head, so3)
    }
    #[track_caller]
    fn embryo_taken(&self, _so3: &mut Held<Self>) {}
    /// Leaves the listener, or its queues; an embryo stays locked.
    #[track_caller]
    fn head_leave(&self, _head: &mut Held<Self>) {}
    /// Back to the listener, with nothing of its held.
    #[track_caller]
    fn head_return(&self, _head: &mut Held<Self>) {}
    /// Unlocks an embryo, where it has a lock of its own.
    #[track_caller]
    fn embryo_leave(&self, _so3: Held<Self>) {}
    /// The same, where it goes back to the pool.
    #[inline(always)]
    #[track_caller]
    fn embryo_leave_last(&self, so3: Held<Self>) {
        self.embryo_leave(so3);
    }

    /// With `so` locked, which may begin to listen: on to the lock of listeners, if there is one.
    #[track_caller]
    fn listen_enter(&self, _so: &Held<Self>) {}
    /// With a connection locked that was accepted just now: away from the lock of listeners.
    #[track_caller]
    fn accepted(&self, _so: &Held<Self>) {}
    /// With the embryo locked, locks its listener too, embryo last: the embryo is unlocked and
    /// locked again meanwhile. `client` stays locked, if there is one.
    #[track_caller]
    fn embryo_to_head(
        &self,
        _so3: &mut Held<Self>,
        head: &So<Self>,
        _client: Option<&So<Self>>,
    ) -> Held<Self> {
        Held::<Self>::of(head)
    }
    /// With both locked, goes on to attach the embryo: the listener may be unlocked for it.
    #[inline(always)]
    #[track_caller]
    fn attach_enter(&self, head: &mut Held<Self>) {
        self.head_leave(head);
    }
    /// The embryo is attached: back to the listener, both locked.
    #[inline(always)]
    #[track_caller]
    fn attach_exit(&self, so3: &mut Held<Self>, head: &mut Held<Self>) {
        // The token of the listener is there.
        _ = self.embryo_to_head(so3, head, None);
    }
    /// With a datagram socket locked, locks the first of those connected to it, for detach:
    /// `solock_to_part` from the other end. `sounlock_parted` ends it.
    #[track_caller]
    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>>;

    /// With `so` locked, enters the list of all control blocks; `so` may be unlocked for it.
    #[track_caller]
    fn list_enter(&self, _so: &mut Held<Self>) {}
    /// Leaves the list, with `so` locked again.
    #[track_caller]
    fn list_exit(&self, _so: &mut Held<Self>) {}
    /// `list_enter` of a socket that goes: its links may be unlocked, too.
    #[track_caller]
    fn detach_enter(&self, so: &mut Held<Self>) {
        self.list_enter(so);
    }
    #[track_caller]
    fn detach_exit(&self, so: &mut Held<Self>) {
        self.list_exit(so);
    }
    /// Leaves the list for a name, with nothing locked: `so` is unlocked now, wherever it was not.
    #[track_caller]
    fn list_to_name(&self, so: &mut Held<Self>);

    /// With the collector's lock held, locks a socket to scan its buffer.
    #[track_caller]
    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        Held::<Self>::of(so)
    }
    #[track_caller]
    fn scan_exit(&self, _so: Held<Self>) {}

    /// `refcnt_finalize` of the socket or its control block: with `so` locked, waits until nobody
    /// else has one of these references, `so` unlocked meanwhile where others take them.
    #[track_caller]
    fn finalize(&self, _so: &mut Held<Self>, _references: &RefCount) {}
}
