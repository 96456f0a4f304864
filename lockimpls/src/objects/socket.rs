//! The socket and its control block: what unix(4) keeps per socket, and which lock guards each
//! field.
//!
//! Tags, as in `socketvar.h` and `unpcb.h`: `[I]` written before the socket is published; `[s]`,
//! `[l]`, `[q]`, `[ms]`, `[mr]` under the lock of the socket itself, of what is connected to what,
//! of a listener's queues, of the send side, of the receive side; `[s ms]`, `[s l]` read under
//! either, written under both; `[g]` `unp_gc_lock` (`unp_lock` in `global`); `[a]` atomic; `[p]`
//! the pool's lock. Which locks the first five are says the policy ([`SocketLocks::guard`]): in
//! `per-socket` all are `so_lock`, in `global` and `global-gc` `unp_lock`.
//!
//! What a lock guards is reached through the token of the locked socket ([`Held`]), by
//! [`Held::st`], [`Held::so_snd`] and their like, which ask the witness whether the calling thread
//! holds that lock, or, where something else keeps the threads apart, by one of the doors at the
//! end of `parts.rs`. Writing it in `lock-free` while its gate is open is impossible: taking the
//! lock shuts the gate first (`backend/lock_free/gate.rs`).

#![allow(unsafe_code)]

mod held;
mod list;
mod locks;
mod parts;
mod refcount;
mod sides;
mod state;
mod wait_point;
mod words;
mod writer;

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use crate::domain::SockType;
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::{Fill, SockBuf, mbuf_charge, stream_charge};
use crate::primitives::{AtomicU32, Cell, Ordering};
use crate::witness::{self, Class};

pub(crate) use self::held::Held;
pub(crate) use self::list::{OnList, SockList};
pub(crate) use self::locks::{OwnLock, Part, SoLock, SocketLocks};
pub(crate) use self::parts::Parts;
pub(crate) use self::refcount::RefCount;
pub(crate) use self::sides::{BySide, RcvState, SbState, Side, SndState};
pub(crate) use self::state::{OnQueue, Seen, SoState, State};
pub(crate) use self::wait_point::WaitPoint;
pub(crate) use self::words::{SendLook, SendWords};
pub(crate) use self::writer::Writer;

use Ordering::{AcqRel, Relaxed};

/// A pointer to a socket of the layer.
pub(crate) struct SockRef<L>(NonNull<Socket<L>>);

impl<L> SockRef<L> {
    /// A pointer that outlives the borrow it is made from.
    #[inline(always)]
    pub(crate) fn new(socket: &Socket<L>) -> Self {
        Self(NonNull::from(socket))
    }

    /// The socket at a pointer that was made from a `SockRef`, unless it is null.
    #[inline]
    pub(crate) fn from_pointer(pointer: *mut Socket<L>) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }
}

impl<L> Clone for SockRef<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for SockRef<L> {}

impl<L> PartialEq for SockRef<L> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<L> Eq for SockRef<L> {}

impl<L> fmt::Debug for SockRef<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SockRef").field(&self.0).finish()
    }
}

impl<L> Deref for SockRef<L> {
    type Target = Socket<L>;

    #[inline(always)]
    fn deref(&self) -> &Socket<L> {
        // SAFETY: sockets live in the slab of their layer, which neither moves nor frees them while
        // the layer lives, and `SockRef`s are kept nowhere but in that layer and in the fifos that
        // borrow it. The socket may have
        // been freed to the pool and taken again; a stale pointer is found out, under the
        // lock, by the generation of the descriptor or of the socket.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: a `SockRef` is as shareable as the `&Socket` it stands for.
unsafe impl<L: SocketLocks> Send for SockRef<L> {}
// SAFETY: as above.
unsafe impl<L: SocketLocks> Sync for SockRef<L> {}

/// What the collector keeps of a control block: all `[g]`.
pub(crate) struct GcState {
    /// On the list of all control blocks.
    pub(crate) linked: Cell<bool>,
    pub(crate) gcrefs: Cell<u32>,
    /// UNP_GCDEAD.
    pub(crate) dead: Cell<bool>,
}

/// The lock-free path's words of one socket. The protocol is in `backend/lock_free/gate.rs`.
pub(crate) struct Fast {
    /// Open, closing or shut. `[a]`
    pub(crate) gate: AtomicU32,
    /// Per direction, the one thread allowed in; 0: none yet. They change only while the gate is
    /// shut. `[a]`
    pub(crate) owner: BySide<AtomicU32>,
    /// What `so_snd.fill` becomes when the lock is next taken. Written when the gate is shut.
    pub(crate) snapshot: Cell<Option<Fill>>,
}

/// One direction's flag, on a line of its own.
pub(crate) struct FastSide {
    /// 1 while the owner of the direction waits on the fast path: it keeps the socket like a call
    /// under way. Written by the owner, who does not change while it is 1. `[a]`
    pub(crate) waits: AtomicU32,
}

/// A socket with its control block and its file. `L`: the locks it has.
#[repr(C)]
pub(crate) struct Socket<L> {
    pub(crate) locks: L,
    /// `[I]`
    pub(crate) so_type: Cell<SockType>,
    /// FNONBLOCK of the file's `f_flag`. `[a]`
    f_nonblock: AtomicU32,
    /// Counts how often this place was freed. `[p]`, read under the socket's lock.
    generation: AtomicU32,
    parts: Parts<L>,
    pub(crate) on_list: OnList<L>,
    pub(crate) fast: CachePadded<Fast>,
    pub(crate) fast_side: BySide<CachePadded<FastSide>>,
    /// The threads that wait for room, for data, for a connection.
    pub(crate) snd_wait: CachePadded<WaitPoint>,
    pub(crate) rcv_wait: CachePadded<WaitPoint>,
    pub(crate) timeo_wait: CachePadded<WaitPoint>,
    /// The threads that wait for SB_LOCK of `so_snd`, `so_rcv`.
    pub(crate) sblock_wait: BySide<WaitPoint>,
    /// The ring of `so_rcv`.
    pub(crate) rcv: SockBuf,
    /// `f_count`: descriptors, and references in flight. `[a]`
    pub(crate) f_count: AtomicU32,
    gc: GcState,
    /// References in flight; under the collector's lock where that is not `unp_lock`. `[a]`
    pub(crate) unp_msgcount: AtomicU32,
    pub(crate) unp_refcnt: RefCount,
    pub(crate) so_refcnt: RefCount,
    /// The next free socket. `[p]`
    pub(crate) next_free: Cell<Option<SockRef<L>>>,
}

// SAFETY: the `Cell`s are touched only as their tags say: `[s]`, `[q]`, `[ms]`, `[mr]` under the
// guarding lock, which the accessors in `parts.rs` assert, and for no longer than it is held: they
// lend for as long as the token is borrowed, and the verbs that unlock want it by value or by
// `&mut`; where two tokens are of one lock, requests end what they read by one before they unlock
// by the other; or of a socket that nobody else has (`parts_unshared`, `parts_of_last`); in
// `lock-free` also read, not written, by a thread that is `in_use`, while nobody can hold the lock
// (`parts_fast` asserts it); `[s ms]`, `[s l]` read under either lock and written under both, where
// the lock of `[l]` may be shared by those who read; `[g]` under the collector's lock; `[p]` under
// the pool's; `[I]` before publication.
unsafe impl<L: SocketLocks> Sync for Socket<L> {}
// SAFETY: nothing in a socket belongs to the thread that made it.
unsafe impl<L: SocketLocks> Send for Socket<L> {}

impl<L: SocketLocks> Socket<L> {
    /// A socket that was never used, with the locks it will have.
    pub(crate) fn unused(locks: L) -> Self {
        Self {
            locks,
            so_type: Cell::new(SockType::Stream),
            f_nonblock: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            parts: Parts::unused(),
            on_list: OnList { next: Cell::new(None) },
            fast: CachePadded::new(Fast {
                gate: AtomicU32::new(0),
                owner: BySide::each(|| AtomicU32::new(0)),
                snapshot: Cell::new(None),
            }),
            fast_side: BySide::each(|| CachePadded::new(FastSide::new())),
            snd_wait: CachePadded::new(WaitPoint::new()),
            rcv_wait: CachePadded::new(WaitPoint::new()),
            timeo_wait: CachePadded::new(WaitPoint::new()),
            sblock_wait: BySide::each(WaitPoint::new),
            rcv: SockBuf::new(),
            f_count: AtomicU32::new(0),
            gc: GcState { linked: Cell::new(false), gcrefs: Cell::new(0), dead: Cell::new(false) },
            unp_msgcount: AtomicU32::new(0),
            unp_refcnt: RefCount(AtomicU32::new(1)),
            so_refcnt: RefCount(AtomicU32::new(1)),
            next_free: Cell::new(None),
        }
    }

    /// The socket goes back to the pool, whose lock is held.
    pub(crate) fn end_generation(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    /// The address of the lock that guards the socket itself.
    #[inline(always)]
    pub(crate) fn guard_addr(&self) -> usize {
        self.locks.guard(Part::Socket).0
    }

    /// Where the threads wait for room, or for data.
    #[inline(always)]
    pub(crate) fn sb_wait(&self, side: Side) -> &WaitPoint {
        match side {
            Side::Snd => &self.snd_wait,
            Side::Rcv => &self.rcv_wait,
        }
    }

    /// The generation, for a thread that will lock a socket that must not be freed meanwhile.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    /// Ends the process with a report if the socket was freed since its generation was read. It is
    /// locked now.
    #[track_caller]
    pub(crate) fn assert_generation(&self, seen: u32) {
        if self.generation() != seen {
            witness::replaced(self.guard_addr());
        }
    }

    /// The address by which the witness knows a thread on the lock-free path of this socket.
    #[inline]
    pub(crate) fn in_use_addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// What the collector's lock guards. `held` is that lock.
    #[inline]
    #[track_caller]
    pub(crate) fn gc(&self, held: (usize, Class)) -> &GcState {
        witness::assert_held(held.0, &held.1);
        &self.gc
    }

    /// Whether this type needs a connection before data can flow (PR_CONNREQUIRED).
    #[inline]
    pub(crate) fn connection_required(&self) -> bool {
        self.so_type.get() != SockType::Dgram
    }

    /// Whether calls on the file do not wait (O_NONBLOCK).
    #[inline]
    pub(crate) fn is_nonblocking(&self) -> bool {
        // Relaxed: a word of its own, as `f_flag` is, which every call reads without a lock.
        self.f_nonblock.load(Relaxed) != 0
    }

    /// Sets or clears O_NONBLOCK.
    #[inline]
    pub(crate) fn set_nonblocking(&self, on: bool) {
        self.f_nonblock.store(u32::from(on), Relaxed);
    }

    /// FREF: one more reference on the file, unless it has none: then it is gone, or going.
    /// `false`: there is no file. The caller came here by a descriptor that may be closed by now,
    /// so it must look again whether it is open: if it is, this is its file.
    #[inline]
    pub(crate) fn fref(&self) -> bool {
        let mut count = self.f_count.load(Relaxed);
        while count != 0 {
            // Acquire; pairs with the Release in `Descriptors::install_first`, whose release
            // sequence every other change of the count continues. A count that the file before this
            // one had is 0 before the place is used again.
            match self.f_count.compare_exchange(count, count + 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// Whether messages keep their boundaries (PR_ATOMIC).
    #[inline]
    pub(crate) fn is_atomic(&self) -> bool {
        self.so_type.get() != SockType::Stream
    }

    /// What the receive buffer holds, control messages included; `so_rcv` is the socket's own.
    #[inline(always)]
    pub(crate) fn rcv_fill(&self, so_rcv: &RcvState<L>) -> Fill {
        let control = so_rcv.fill.get();
        if control.cc != 0 && !self.is_atomic() {
            return self.rcv_fill_by_record(so_rcv, control);
        }
        let data = self.rcv.fill(self.so_type.get());
        Fill { cc: data.cc + control.cc, mbcnt: data.mbcnt + control.mbcnt }
    }

    /// A stream with control messages: bytes that came with one are charged the mbufs they came in
    /// (`sbappendcontrol` links them as they are).
    #[cold]
    fn rcv_fill_by_record(&self, so_rcv: &RcvState<L>, control: Fill) -> Fill {
        let tail = self.rcv.tail();
        let end = |m: Option<MbufRef<L>>| m.map_or(tail, |m| m.position.get());
        let mut next = so_rcv.control.get();
        let mut mbcnt = control.mbcnt + stream_charge(self.rcv.head(), end(next));
        while let Some(m) = next {
            next = m.next.get();
            mbcnt += mbuf_charge(end(next) - m.position.get());
        }
        Fill { cc: tail - self.rcv.head() + control.cc, mbcnt }
    }
}

impl<L: SocketLocks> Held<L> {
    /// Whether the receive buffer, whose lock is held, takes this many bytes more.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let so_rcv = self.so_rcv();
        so_rcv.limits.get().space(self.rcv_fill(so_rcv)) >= bytes as isize
    }

    /// Reinitialises a locked socket; until it is published others can only lock it, find their
    /// descriptor stale, and unlock it.
    pub(crate) fn reset(&self, kind: SockType) {
        self.parts_unshared().reset();
        if let Some(words) = self.locks.send_words() {
            words.reset();
        }
        if let Some(writer) = self.locks.writer() {
            writer.reset();
        }
        self.so_type.set(kind);
        self.set_nonblocking(false);
        self.on_list.next.set(None);
        for side in Side::BOTH {
            self.fast.owner[side].store(0, Relaxed);
        }
        self.fast.snapshot.set(None);
        self.rcv.reset();
        self.f_count.store(0, Relaxed);
        self.unp_refcnt.reset();
        self.so_refcnt.reset();
    }
}

impl FastSide {
    fn new() -> Self {
        Self { waits: AtomicU32::new(0) }
    }
}
