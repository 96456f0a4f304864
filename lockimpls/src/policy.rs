//! The locking verbs of a granularity, by intent: what `uipc` calls by hand, in pairs.
//!
//! `uipc` is written once against this trait; a backend that locks differs from another in nothing
//! else.
//!
//! A verb with a body here does nothing where one lock guards every socket.

mod collector;

pub(crate) use self::collector::{Collector, CollectorLocks};

use crate::ambient::Surroundings;
use crate::domain::Algorithm;
use crate::fault::Fault;
use crate::objects::socket::{RefCount, Side, SockRef, Socket, SocketLocks};

/// A socket of a granularity.
pub(crate) type So<P> = Socket<<P as Policy>::Locks>;
/// A pointer to one.
pub(crate) type SoRef<P> = SockRef<<P as Policy>::Locks>;

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
    /// The same policy with the locks of the kernel around it.
    type UnderAmbient: Policy;
    /// The same policy with locks of any algorithm.
    type OnAnyLock: Policy;

    /// The backend's name, or its twin's.
    const NAME: &'static str;
    /// One line: what is locked, after which kernel.
    const ABOUT: &'static str;

    /// Whether a lock-free path runs beside the locks, so that a thread may park without them.
    const BIASED: bool;

    /// Whether the collector's lock comes after those of sockets (OpenBSD of 2025): it locks a
    /// buffer, and no socket.
    const GC_INNER: bool = false;

    /// Whether a socket goes with its last reference, with nothing locked (`sorele`, in OpenBSD of
    /// 2025); or its closer waits for the others and empties it locked.
    const SORELE: bool = false;

    /// Whether a call under way has a reference on the file, as a kernel's has, and so needs no lock
    /// to begin; or counts itself in `users`, under the socket's lock.
    const CALLS_BY_FILE: bool = false;

    /// Whether `sblock` is a lock (`sb_lock`, as in OpenBSD of 2025), or a flag that the side's own
    /// lock guards.
    const SB_LOCK: bool = false;

    /// Its locks are of this algorithm, where their type does not say it already.
    fn new(algorithm: Algorithm) -> Self;

    fn collector(&self) -> &Self::Collector;

    /// The locks of a socket that is made.
    fn socket_locks(&self, algorithm: Algorithm) -> Self::Locks;

    /// Locks the socket a request is made on.
    #[track_caller]
    fn solock(&self, so: &So<Self>);
    #[track_caller]
    fn sounlock(&self, so: &So<Self>);

    /// `unp_solock_peer`: with `so` locked, locks its peer too. `so` may be unlocked and locked
    /// again meanwhile; what was read of it before is stale. The peer may be `so` itself.
    #[track_caller]
    fn solock_peer(&self, so: &So<Self>) -> Option<SoRef<Self>>;
    #[track_caller]
    #[inline(always)]
    fn sounlock_peer(&self, _so: &So<Self>, _so2: &So<Self>) {}

    /// What a call that sends or receives holds of its socket while it is at none of its parts: where
    /// one lock guards all, that lock; where a side has its own, nothing. Such a call begins, or
    /// comes back from a copy or a sleep.
    #[track_caller]
    #[inline(always)]
    fn data_enter(&self, so: &So<Self>) {
        self.solock(so);
    }
    /// Such a call ends, copies, or sleeps.
    #[track_caller]
    #[inline(always)]
    fn data_leave(&self, so: &So<Self>) {
        self.sounlock(so);
    }
    /// Such a call goes on to the socket itself.
    #[track_caller]
    #[inline(always)]
    fn data_to_so(&self, _so: &So<Self>) {}
    /// Such a call leaves the socket itself.
    #[track_caller]
    #[inline(always)]
    fn so_to_data(&self, _so: &So<Self>) {}

    /// Locks a side, where it has a lock of its own. What guards all is held where there is none.
    #[track_caller]
    #[inline(always)]
    fn side_enter(&self, _so: &So<Self>, _side: Side) {}
    #[track_caller]
    #[inline(always)]
    fn side_leave(&self, _so: &So<Self>, _side: Side) {}

    /// With `so` locked, the peer, which stays until `peer_unpin`: locked, where its sides have no
    /// locks of their own (`solock_peer`); else `so` alone keeps it, for whoever parts the two must
    /// lock `so`.
    #[track_caller]
    #[inline(always)]
    fn peer_pin(&self, so: &So<Self>) -> Option<SoRef<Self>> {
        self.solock_peer(so)
    }
    #[track_caller]
    #[inline(always)]
    fn peer_unpin(&self, so: &So<Self>, so2: &So<Self>) {
        self.sounlock_peer(so, so2);
    }

    /// `solock_pair`: with nothing held, locks two sockets, which may be the same.
    #[track_caller]
    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>);
    #[track_caller]
    fn sounlock_pair(&self, so: &So<Self>, so2: &So<Self>);

    /// With a name locked, before its socket is looked at: locks what guards every socket.
    #[track_caller]
    fn name_enter(&self, so: &So<Self>);
    /// Leaves the name's socket, which `so` cannot be connected to. `per-socket` has locked nothing
    /// for it.
    #[track_caller]
    fn name_leave(&self, so: &So<Self>);
    /// Locks the name's socket, a listener.
    #[track_caller]
    fn name_to_head(&self, _head: &So<Self>) {}
    /// Locks `so` and the name's socket, which may be the same.
    #[track_caller]
    fn name_to_pair(&self, _so: &So<Self>, _so2: &So<Self>) {}

    /// Takes the lock that `sblock` is, with nothing of the socket held: whether it has it. `nonblock`:
    /// it does not wait.
    #[track_caller]
    fn sb_lock(&self, _so: &So<Self>, _side: Side, _nonblock: bool) -> bool {
        true
    }
    #[track_caller]
    fn sb_unlock(&self, _so: &So<Self>, _side: Side) {}

    /// With a listening socket locked, goes on to the client and its embryo: unlocks the one, locks
    /// the others.
    #[track_caller]
    fn head_to_pair(&self, _head: &So<Self>, _so: &So<Self>, _so3: &So<Self>) {}

    /// With the listener locked, locks one of its embryos, whatever the addresses.
    #[track_caller]
    fn embryo_enter(&self, _head: &So<Self>, _so3: &So<Self>) {}
    /// Leaves the listener; an embryo stays locked.
    #[track_caller]
    fn head_leave(&self, _head: &So<Self>) {}
    /// Back to the listener, with nothing of its held.
    #[track_caller]
    fn head_return(&self, _head: &So<Self>) {}
    /// Unlocks an embryo, where it has a lock of its own.
    #[track_caller]
    fn embryo_leave(&self, _so3: &So<Self>) {}
    /// With the embryo locked, locks its listener too, embryo last: the embryo is unlocked and
    /// locked again meanwhile. `client` stays locked, if there is one.
    #[track_caller]
    fn embryo_to_head(&self, _so3: &So<Self>, _head: &So<Self>, _client: Option<&So<Self>>) {}

    /// With the listener and its embryo locked, goes on to attach the embryo: the listener is
    /// unlocked where the order wants it.
    #[track_caller]
    #[inline(always)]
    fn attach_enter(&self, head: &So<Self>) {
        self.head_leave(head);
    }
    /// The embryo is attached: back to the listener, both locked.
    #[track_caller]
    #[inline(always)]
    fn attach_exit(&self, so3: &So<Self>, head: &So<Self>) {
        self.embryo_to_head(so3, head, None);
    }

    /// With a datagram socket locked, locks the first of those connected to it, for detach.
    #[track_caller]
    fn solock_referrer(&self, so: &So<Self>) -> Option<SoRef<Self>>;

    /// With `so` locked, enters the list of all control blocks: `so` is unlocked where the order
    /// wants it.
    #[track_caller]
    fn list_enter(&self, _so: &So<Self>) {}
    /// Leaves the list, with `so` locked again.
    #[track_caller]
    fn list_exit(&self, _so: &So<Self>) {}
    /// Leaves the list for a name, with nothing locked: `so` is unlocked now, wherever it was not.
    #[track_caller]
    fn list_to_name(&self, so: &So<Self>);

    /// With the collector's lock held, locks a socket to scan its buffer.
    #[track_caller]
    fn scan_enter(&self, _so: &So<Self>) {}
    #[track_caller]
    fn scan_exit(&self, _so: &So<Self>) {}

    /// `refcnt_finalize` of the socket or its control block: with `so` locked, waits until nobody
    /// else has one of these references, `so` unlocked meanwhile where others take them.
    #[track_caller]
    fn finalize(&self, _so: &So<Self>, _references: &RefCount) {}
}
