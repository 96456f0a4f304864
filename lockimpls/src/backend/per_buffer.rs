//! `per-buffer`: a `so_lock` per socket, and two locks per buffer.
//!
//! After OpenBSD's unix(4) of 2025-08-04: `uipc_usrreq.c` 1.221 (`usrreq` below), `uipc_socket.c`
//! 1.385 (`socket`), `uipc_socket2.c` 1.186, `uipc_syscalls.c` 1.224.
//!
//! # What each lock guards
//!
//! * `so_lock`: the socket itself, and its control block.
//! * `sb_mtx`, of each side: what lies in the buffer, its limits, whether the side has ended, who
//!   waits there. A thread that waits for a buffer sleeps on its `sb_mtx`.
//! * `sb_lock`, of each side: sending on the socket, or receiving from it, as a whole. It is
//!   `sblock`.
//!
//! A call has a reference on the file and locks nothing to begin. `so_state` and `so_error` are
//! looked at under one `sb_mtx` (`socket` 638, 642, 903, 922), and may be out of date when that is
//! left.
//!
//! # A message's way
//!
//! A send takes `sb_lock`, looks for room under its own `sb_mtx`, copies with neither `sb_mtx` nor
//! `so_lock`, and appends with its own `so_lock` and, in this order, the receiving buffer's
//! `sb_mtx` and its own (`usrreq` 548). The peer's `so_lock` is not taken, and so there is no
//! relock: `unp_conn` is read under the own `so_lock`, and whoever clears it must hold both
//! sockets' locks, so that the peer stays while the own lock is held. A receive gives the room back
//! the same way (`usrreq` 499).
//!
//! Two `sb_mtx` together are one of a receive side and one of a send side, in that order: no
//! circle. Connecting, parting, naming still lock both sockets in address order, by `per-socket`'s
//! protocol.
//!
//! # The end of a stream
//!
//! CANTSENDMORE is written under `so_lock` and `sb_mtx`, and read under either. CANTRCVMORE is
//! written under the side's `sb_mtx` and a `so_lock`: that of the socket, or, by a peer that shuts
//! down, that of the peer (`usrreq` 472). A listener has no peer; so its own `so_lock` is enough to
//! read it there.
//!
//! # The collector
//!
//! `unp_gc_lock` comes after `so_lock`, so that attach and detach keep the socket locked. The
//! collector locks buffers and no sockets.
//!
//! # Different from the kernel
//!
//! * The answers are those of 2022, as on every backend: what has ended at a listener has ended at
//!   what is accepted from it (the kernel of today has that flag in the buffer, and does not
//!   inherit it), a datagram socket can listen, sizes are those of 2022, and so on.
//! * The collector finds a listener in its own queue. It cannot lock the listener for that; see
//!   `each_buffer_alone`.
//! * `so_snd`'s counts are emptied under its `sb_mtx` when two sockets part; the kernel does so
//!   under both `so_lock`s alone (`usrreq` 1011).
//! * `sb_mtx` is a mutex(9), for which a CPU of the kernel spins. Here it is of the same algorithm
//!   as `so_lock`: by default it spins a while and then parks.
//! * What `--ambient` puts around the layer is that of July 2022; a wake-up of today takes no
//!   kernel lock.

use crossbeam_utils::CachePadded;

use crate::ambient::{Nothing, Surroundings};
use crate::backend::per_socket::{OnTake, SoLock, SocketPolicy};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::{BySide, Part, RefCount, Side, SocketLocks};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::primitives::RawMutex;
use crate::sync::{DefaultRaw, RwLock};
use crate::uipc::Locked;
use crate::witness::Class;

/// Locks per buffer.
pub(crate) type PerBuffer = Locked<BufferPolicy<NoFault>>;

/// The locks of one side.
pub(super) struct SideLocks<R: RawMutex> {
    /// Always of the default: a thread copies with it (`LOCKS.md`).
    pub(super) sb_lock: RwLock<R::Beside>,
    pub(super) sb_mtx: RwLock<R>,
}

impl<R: RawMutex> SideLocks<R> {
    pub(super) fn new(mtx: Class, algorithm: Algorithm) -> CachePadded<Self> {
        let sb_mtx = RwLock::of(mtx, algorithm);
        CachePadded::new(Self { sb_lock: RwLock::new(Class::SbLock), sb_mtx })
    }

    /// Takes `sb_lock`, or tries it; whether it has it.
    #[inline(always)]
    #[track_caller]
    pub(super) fn lock(&self, nonblock: bool) -> bool {
        if nonblock {
            return self.sb_lock.try_enter();
        }
        self.sb_lock.enter();
        true
    }
}

/// A socket's `so_lock`, and two locks for each of its sides.
pub(crate) struct BufferLocks<R: RawMutex = DefaultRaw> {
    so_lock: RwLock<R>,
    sides: BySide<CachePadded<SideLocks<R>>>,
}

impl<R: RawMutex> SocketLocks for BufferLocks<R> {
    const GC: Class = Class::UnpGcLockInner;

    #[inline(always)]
    fn guard(&self, part: Part) -> (usize, Class) {
        match part {
            Part::Socket | Part::Link | Part::Queue => (self.so_lock.addr(), Class::SoLock),
            Part::Snd => (self.sides.snd.sb_mtx.addr(), Class::SbMtxSnd),
            Part::Rcv => (self.sides.rcv.sb_mtx.addr(), Class::SbMtxRcv),
        }
    }
}

impl<R: RawMutex> SoLock for BufferLocks<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            so_lock: RwLock::of(Class::SoLock, algorithm),
            sides: BySide {
                snd: SideLocks::new(Class::SbMtxSnd, algorithm),
                rcv: SideLocks::new(Class::SbMtxRcv, algorithm),
            },
        }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        &self.so_lock
    }
}

/// What is done with `so_lock`s is `per-socket`'s.
pub(crate) struct WithSides;

impl OnTake for WithSides {
    type Locks<R: RawMutex> = BufferLocks<R>;
    type Beside<R: RawMutex> = ();

    const NAME: &'static str = "per-buffer";
}

/// The policy of `per-buffer`.
pub(crate) struct BufferPolicy<F, A: Surroundings = Nothing> {
    so: SocketPolicy<F, WithSides, A>,
}

impl<F: Fault, A: Surroundings> Policy for BufferPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = BufferLocks<A::Raw>;
    type Collector = CollectorLocks<BufferLocks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = BufferPolicy<G, B>;
    const NAME: &'static str = <SocketPolicy<F, WithSides, A> as Policy>::NAME;
    const ABOUT: &'static str =
        "a so_lock per socket, two locks per buffer (OpenBSD of August 2025)";
    const BIASED: bool = false;
    const GC_INNER: bool = true;
    const SORELE: bool = true;
    const CALLS_BY_FILE: bool = true;
    const SB_LOCK: bool = true;

    fn new(algorithm: Algorithm) -> Self {
        Self { so: SocketPolicy::new(algorithm) }
    }

    fn collector(&self) -> &CollectorLocks<BufferLocks<A::Raw>, A::Raw> {
        self.so.collector()
    }

    fn socket_locks(&self, algorithm: Algorithm) -> BufferLocks<A::Raw> {
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
