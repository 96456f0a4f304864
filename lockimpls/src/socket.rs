//! The socket and its control block: what unix(4) keeps per socket, and which lock guards each
//! field.
//!
//! Tags, as in `socketvar.h` and `unpcb.h`: `[I]` written before the socket is published; `[s]` the
//! socket's lock (`so_lock`, or `unp_lock` in `global`); `[g]` `unp_gc_lock` (`unp_lock` in
//! `global`); `[a]` atomic; `[p]` the pool's lock.
//!
//! `[s]` fields live in [`SoState`], which only [`Socket::st`] hands out, after it has asked the
//! witness that the calling thread holds that lock. Writing them in `lock-free` while its gate is
//! open is impossible: who takes the lock shuts the gate first (`backend/lock_free/gate.rs`).

#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use crate::domain::{SockAddr, SockType};
use crate::errno::Errno;
use crate::pool::MbufRef;
use crate::primitives::{AtomicU32, Cell, Ordering, unpark_all};
use crate::sockbuf::{Fill, Limits, SockBuf};
use crate::sync::RwLock;
use crate::witness::{self, Class};

use Ordering::{AcqRel, Acquire, Relaxed};

bitflags::bitflags! {
    /// `so_state`, the bits that unix(4) uses.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct State: u32 {
        /// No file refers to the socket.
        const NOFDREF = 0x001;
        const ISCONNECTED = 0x002;
        const CANTSENDMORE = 0x010;
        const CANTRCVMORE = 0x020;
        const ISDISCONNECTED = 0x800;
        /// O_NONBLOCK (the kernel keeps it in the file).
        const NONBLOCK = 0x1_0000;
        /// SO_ACCEPTCONN (the kernel keeps it in `so_options`).
        const ACCEPTCONN = 0x2_0000;
        /// The last descriptor is closed; the last call that is still under way frees the socket.
        const CLOSING = 0x4_0000;
        /// UNP_BINDING.
        const BINDING = 0x10_0000;
        /// UNP_CONNECTING.
        const CONNECTING = 0x20_0000;
    }
}

/// On which of its listener's queues a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnQueue {
    None,
    /// Not connected yet.
    Q0,
    /// Ready to be accepted.
    Q,
}

/// A pointer to a socket of the layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SockRef(NonNull<Socket>);

impl SockRef {
    /// A pointer that outlives the borrow it is made from.
    pub(crate) fn new(socket: &Socket) -> Self {
        Self(NonNull::from(socket))
    }

    /// The socket at a pointer that was made from a `SockRef`, unless it is null.
    #[inline]
    pub(crate) fn from_pointer(pointer: *mut Socket) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }
}

impl Deref for SockRef {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        // SAFETY: sockets live in the slab of their layer, which neither moves nor frees them while
        // the layer lives, and `SockRef`s are kept nowhere but in that layer. The socket may have
        // been freed to the pool and taken again; who holds a stale pointer finds that by the
        // descriptor's or the socket's generation, under the lock.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: a `SockRef` is as shareable as the `&Socket` it stands for.
unsafe impl Send for SockRef {}
// SAFETY: as above.
unsafe impl Sync for SockRef {}

/// A place where threads wait: the kernel's sleep channel.
pub(crate) struct WaitPoint {
    /// Counts wake-ups, for who spins. Written under the socket's lock. `[s]`, read by anyone.
    pub(crate) event: AtomicU32,
    /// 1 while somebody may be parked here. `[a]`: `lock-free`'s parker sets it without the lock.
    pub(crate) waiting: AtomicU32,
}

impl WaitPoint {
    const fn new() -> Self {
        Self { event: AtomicU32::new(0), waiting: AtomicU32::new(0) }
    }

    /// The key under which threads park.
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Wakes whoever waits here. The caller holds the socket's lock; `biased` says that a thread
    /// may be about to park here without it.
    #[inline]
    pub(crate) fn wakeup(&self, biased: bool) {
        // Relaxed: a hint for spinners, who take the lock before they act on it.
        self.event.store(self.event.load(Relaxed).wrapping_add(1), Relaxed);
        if biased {
            // What was changed before this wake-up against `waiting`: pairs with the heavy fence
            // before parking.
            crate::primitives::light_fence();
        }
        if self.waiting.load(Relaxed) != 0 {
            self.wakeup_slow();
        }
    }

    /// Wakes whoever is parked here or about to park.
    #[cold]
    pub(crate) fn wakeup_slow(&self) {
        // AcqRel: only one waker goes on to the queue; the parker's `validate` reads what this
        // wrote.
        if self.waiting.swap(0, AcqRel) != 0 {
            unpark_all(self.key());
        }
    }
}

/// A reference count that keeps an object while its lock is dropped.
pub(crate) struct RefCount(AtomicU32);

impl RefCount {
    /// Takes a reference, which the witness counts as held.
    #[inline]
    #[track_caller]
    pub(crate) fn take(&self) {
        // Relaxed: taken under the lock of the object, or of one that points to it.
        self.0.fetch_add(1, Relaxed);
        witness::keep(std::ptr::from_ref(self) as usize, Class::UnpRef);
    }

    /// Gives a reference back.
    #[inline]
    #[track_caller]
    pub(crate) fn rele(&self) {
        witness::unkeep(std::ptr::from_ref(self) as usize, Class::UnpRef);
        // Release (in AcqRel); pairs with the Acquire in `finalize`: our use of the object is over.
        self.0.fetch_sub(1, AcqRel);
    }

    fn reset(&self) {
        self.0.store(1, Relaxed);
    }

    /// `refcnt_finalize`: waits until the own reference is the only one left. No lock may be held
    /// that a holder of a reference might wait for.
    #[track_caller]
    pub(crate) fn finalize(&self) {
        // Acquire; pairs with the Release in `rele`.
        if self.0.load(Acquire) == 1 {
            return;
        }
        witness::sleep(std::ptr::from_ref(self) as usize, witness::WaitsFor::References, 0);
        while self.0.load(Acquire) != 1 {
            crate::primitives::yield_now();
        }
        witness::awake();
    }
}

/// One direction of a socket, as its owner sees it: `so_snd` (a mirror of what lies unread at
/// the peer) or `so_rcv` (beside the ring: its limits and its control messages). All `[s]`.
pub(crate) struct Side {
    /// `sb_hiwat`, `sb_mbmax`.
    pub(crate) limits: Cell<Limits>,
    /// `sb_lowat`, bytes.
    pub(crate) lowat: Cell<usize>,
    /// `so_snd`: the peer's `sb_cc`, `sb_mbcnt` as of the last send or receive. `so_rcv`: what the
    /// control messages count.
    pub(crate) fill: Cell<Fill>,
    /// SB_LOCK: somebody fills or drains this buffer.
    pub(crate) locked: Cell<bool>,
    /// SB_WANT: somebody else wants to.
    pub(crate) wanted: Cell<bool>,
}

impl Side {
    const fn new() -> Self {
        Self {
            limits: Cell::new(Limits::ZERO),
            lowat: Cell::new(0),
            fill: Cell::new(Fill { cc: 0, mbcnt: 0 }),
            locked: Cell::new(false),
            wanted: Cell::new(false),
        }
    }

    fn reset(&self) {
        self.limits.set(Limits::ZERO);
        self.lowat.set(0);
        self.fill.set(Fill::default());
        self.locked.set(false);
        self.wanted.set(false);
    }

    /// The address by which the witness knows this side's SB_LOCK.
    pub(crate) fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

/// A first-in first-out list of sockets, linked through one of their fields.
pub(crate) struct SockList {
    first: Cell<Option<SockRef>>,
    len: Cell<usize>,
}

impl SockList {
    const fn new() -> Self {
        Self { first: Cell::new(None), len: Cell::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    pub(crate) fn first(&self) -> Option<SockRef> {
        self.first.get()
    }

    /// The sockets, first to last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = SockRef> {
        std::iter::successors(self.first(), |socket| socket.on_list.next.get())
    }

    /// Appends; the link is `so_next` of the sockets on the list.
    pub(crate) fn append(&self, socket: SockRef) {
        socket.on_list.next.set(None);
        match self.last() {
            None => self.first.set(Some(socket)),
            Some(last) => last.on_list.next.set(Some(socket)),
        }
        self.len.set(self.len.get() + 1);
    }

    fn last(&self) -> Option<SockRef> {
        self.iter().last()
    }

    /// Removes; says whether it was there.
    pub(crate) fn remove(&self, socket: SockRef) -> bool {
        let mut link = &self.first;
        let mut at = self.first.get();
        while let Some(here) = at {
            let next = here.on_list.next.get();
            if here == socket {
                link.set(next);
                socket.on_list.next.set(None);
                self.len.set(self.len.get() - 1);
                return true;
            }
            // SAFETY: sockets neither move nor go while the layer lives (see `SockRef`), so that a
            // borrow of one's field may outlive the local `here`.
            link = unsafe { &here.0.as_ref().on_list.next };
            at = next;
        }
        false
    }
}

/// Links of the lists a socket is on, guarded by the lock of the list's owner: a listener's queues,
/// or the referrers of a datagram socket. A socket is on one of them at most.
pub(crate) struct OnList {
    next: Cell<Option<SockRef>>,
}

/// What the socket's lock guards: all `[s]`.
pub(crate) struct SoState {
    pub(crate) so_state: Cell<State>,
    pub(crate) so_error: Cell<Option<Errno>>,
    /// How many calls are under way on the socket: they keep it when its last descriptor is closed.
    pub(crate) users: Cell<u32>,
    pub(crate) so_snd: Side,
    pub(crate) so_rcv: Side,
    /// The control messages in the receive buffer, oldest first.
    pub(crate) control: Cell<Option<MbufRef>>,
    /// The listener this socket came from, until it is accepted.
    pub(crate) so_head: Cell<Option<SockRef>>,
    pub(crate) so_onq: Cell<OnQueue>,
    pub(crate) so_q0: SockList,
    pub(crate) so_q: SockList,
    pub(crate) so_qlimit: Cell<usize>,
    /// Whether the control block is attached (`so_pcb`).
    pub(crate) so_pcb: Cell<bool>,
    /// The peer. STREAM, SEQPACKET: mutual. DGRAM: one way.
    pub(crate) unp_conn: Cell<Option<SockRef>>,
    /// DGRAM: who is connected to this socket.
    pub(crate) unp_refs: SockList,
    pub(crate) unp_addr: Cell<Option<SockAddr>>,
    /// The name it is bound to: an index of the table of names.
    pub(crate) unp_vnode: Cell<Option<usize>>,
    /// `lock-free`: the one who last used the send and the receive side through the lock, and how
    /// often running.
    pub(crate) last_user: [Cell<(u32, u32)>; 2],
}

/// What the collector keeps of a control block: all `[g]`.
pub(crate) struct GcState {
    /// On the list of all control blocks.
    pub(crate) linked: Cell<bool>,
    /// `unp_msgcount`: references in flight.
    pub(crate) msgcount: Cell<u32>,
    pub(crate) gcrefs: Cell<u32>,
    /// UNP_GCDEAD.
    pub(crate) dead: Cell<bool>,
}

/// The lock-free path's words of one socket. The protocol is in `backend/lock_free/gate.rs`.
pub(crate) struct Fast {
    /// Open, closing or shut. `[a]`
    pub(crate) gate: AtomicU32,
    /// The only thread that may send, receive on the fast path; 0: none yet. Change while the gate
    /// is shut. `[a]`
    pub(crate) owner: [AtomicU32; 2],
    /// What `so_snd.fill` becomes when the lock is next taken. Written by who shuts the gate.
    pub(crate) snapshot: Cell<Option<Fill>>,
}

/// One direction's flag, on a line of its own.
pub(crate) struct FastSide {
    /// 1 while the owner of the direction waits on the fast path: it keeps the socket like a call
    /// under way. Written by the owner, who does not change while it is 1. `[a]`
    pub(crate) waits: AtomicU32,
}

/// A socket with its control block and its file.
#[repr(C)]
pub(crate) struct Socket {
    pub(crate) so_lock: RwLock,
    /// The lock that guards [`SoState`]: its address and class. `[I]`, set when the slab is made.
    guard_addr: usize,
    guard_class: Class,
    /// `[I]`
    pub(crate) so_type: Cell<SockType>,
    /// Counts how often this place was freed. `[p]`, read under the socket's lock.
    pub(crate) generation: AtomicU32,
    state: SoState,
    pub(crate) on_list: OnList,
    pub(crate) fast: CachePadded<Fast>,
    pub(crate) fast_side: [CachePadded<FastSide>; 2],
    /// The threads that wait for room, for data, for a connection.
    pub(crate) snd_wait: CachePadded<WaitPoint>,
    pub(crate) rcv_wait: CachePadded<WaitPoint>,
    pub(crate) timeo_wait: CachePadded<WaitPoint>,
    /// The threads that wait for SB_LOCK of `so_snd`, `so_rcv`.
    pub(crate) sblock_wait: [WaitPoint; 2],
    /// The ring of `so_rcv`.
    pub(crate) rcv: SockBuf,
    /// `f_count`: descriptors, and references in flight. `[a]`
    pub(crate) f_count: AtomicU32,
    gc: GcState,
    pub(crate) unp_refcnt: RefCount,
    pub(crate) so_refcnt: RefCount,
    /// The next free socket. `[p]`
    pub(crate) next_free: Cell<Option<SockRef>>,
}

// SAFETY: the `Cell`s are touched only as their tags say: `[s]` under the guarding lock, which `st`
// asserts; in `lock-free` also read, not written, by a thread that is `in_use`, while nobody can
// hold the lock (`st_fast` asserts it); `[g]` under the collector's lock; `[p]` under the pool's;
// `[I]` before publication.
unsafe impl Sync for Socket {}
// SAFETY: nothing in a socket belongs to the thread that made it.
unsafe impl Send for Socket {}

/// Which direction: the index of a pair of fields.
pub(crate) const SND: usize = 0;
/// See [`SND`].
pub(crate) const RCV: usize = 1;

impl Socket {
    /// A socket that was never used. `guard` is the lock that will guard it, or none for its own
    /// `so_lock`. `place` is where it will be, for good.
    pub(crate) fn unused(guard: Option<(usize, Class)>, place: usize) -> Self {
        let own = place + std::mem::offset_of!(Socket, so_lock);
        let (guard_addr, guard_class) = guard.unwrap_or((own, Class::SoLock));
        Self {
            so_lock: RwLock::new(Class::SoLock),
            guard_addr,
            guard_class,
            so_type: Cell::new(SockType::Stream),
            generation: AtomicU32::new(0),
            state: SoState::unused(),
            on_list: OnList { next: Cell::new(None) },
            fast: CachePadded::new(Fast {
                gate: AtomicU32::new(0),
                owner: [AtomicU32::new(0), AtomicU32::new(0)],
                snapshot: Cell::new(None),
            }),
            fast_side: [const { FastSide::new() }; 2].map(CachePadded::new),
            snd_wait: CachePadded::new(WaitPoint::new()),
            rcv_wait: CachePadded::new(WaitPoint::new()),
            timeo_wait: CachePadded::new(WaitPoint::new()),
            sblock_wait: [const { WaitPoint::new() }; 2],
            rcv: SockBuf::new(),
            f_count: AtomicU32::new(0),
            gc: GcState {
                linked: Cell::new(false),
                msgcount: Cell::new(0),
                gcrefs: Cell::new(0),
                dead: Cell::new(false),
            },
            unp_refcnt: RefCount(AtomicU32::new(1)),
            so_refcnt: RefCount(AtomicU32::new(1)),
            next_free: Cell::new(None),
        }
    }

    /// Makes a socket taken from the pool new. It is locked; nobody else does more with it than lock
    /// it, see that a descriptor is stale, and unlock it.
    pub(crate) fn reset(&self, kind: SockType) {
        self.st().reset();
        self.so_type.set(kind);
        self.on_list.next.set(None);
        self.fast.owner[SND].store(0, Relaxed);
        self.fast.owner[RCV].store(0, Relaxed);
        self.fast.snapshot.set(None);
        self.rcv.reset();
        self.f_count.store(0, Relaxed);
        self.unp_refcnt.reset();
        self.so_refcnt.reset();
    }

    /// The address of the lock that guards the socket.
    #[inline(always)]
    pub(crate) fn guard_addr(&self) -> usize {
        self.guard_addr
    }

    /// `soassertlocked`, and what the lock guards.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn st(&self) -> &SoState {
        witness::assert_held(self.guard_addr(), self.guard_class);
        &self.state
    }

    /// The address by which the witness knows a thread on the lock-free path of this socket.
    #[inline]
    pub(crate) fn in_use_addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// What the lock guards, of this socket or of its peer `other`, to be read by a thread that is
    /// `in_use` of this socket: nobody can hold either lock meanwhile, so nobody writes.
    #[inline]
    #[track_caller]
    pub(crate) fn st_fast<'a>(&self, other: &'a Socket) -> &'a SoState {
        witness::assert_held(self.in_use_addr(), Class::InUse);
        &other.state
    }

    /// What the collector's lock guards. `held` is that lock.
    #[inline]
    #[track_caller]
    pub(crate) fn gc(&self, held: (usize, Class)) -> &GcState {
        witness::assert_held(held.0, held.1);
        &self.gc
    }

    /// Whether this type needs a connection before data can flow (PR_CONNREQUIRED).
    #[inline]
    pub(crate) fn connection_required(&self) -> bool {
        self.so_type.get() != SockType::Dgram
    }

    /// Whether messages keep their boundaries (PR_ATOMIC).
    #[inline]
    pub(crate) fn is_atomic(&self) -> bool {
        self.so_type.get() != SockType::Stream
    }

    /// What the receive buffer holds, control messages included; `st` is the socket's own.
    #[inline(always)]
    pub(crate) fn rcv_fill(&self, st: &SoState) -> Fill {
        let control = st.so_rcv.fill.get();
        let data = self.rcv.fill(self.so_type.get());
        Fill { cc: data.cc + control.cc, mbcnt: data.mbcnt + control.mbcnt }
    }
}

impl SoState {
    fn unused() -> Self {
        Self {
            so_state: Cell::new(State::NOFDREF),
            so_error: Cell::new(None),
            users: Cell::new(0),
            so_snd: Side::new(),
            so_rcv: Side::new(),
            control: Cell::new(None),
            so_head: Cell::new(None),
            so_onq: Cell::new(OnQueue::None),
            so_q0: SockList::new(),
            so_q: SockList::new(),
            so_qlimit: Cell::new(0),
            so_pcb: Cell::new(false),
            unp_conn: Cell::new(None),
            unp_refs: SockList::new(),
            unp_addr: Cell::new(None),
            unp_vnode: Cell::new(None),
            last_user: [const { Cell::new((0, 0)) }; 2],
        }
    }

    fn reset(&self) {
        self.so_state.set(State::NOFDREF);
        self.so_error.set(None);
        self.users.set(0);
        self.so_snd.reset();
        self.so_rcv.reset();
        self.control.set(None);
        self.so_head.set(None);
        self.so_onq.set(OnQueue::None);
        self.so_qlimit.set(0);
        self.so_pcb.set(false);
        self.unp_conn.set(None);
        self.unp_addr.set(None);
        self.unp_vnode.set(None);
        self.last_user[SND].set((0, 0));
        self.last_user[RCV].set((0, 0));
    }

    /// Whether these bits are all set.
    #[inline]
    pub(crate) fn is(&self, bits: State) -> bool {
        self.so_state.get().contains(bits)
    }

    /// Sets bits of `so_state`.
    #[inline]
    pub(crate) fn set(&self, bits: State) {
        self.so_state.set(self.so_state.get() | bits);
    }

    /// Clears bits of `so_state`.
    #[inline]
    pub(crate) fn clear(&self, bits: State) {
        self.so_state.set(self.so_state.get() - bits);
    }

    /// One of the two sides, by [`SND`] or [`RCV`].
    #[inline(always)]
    pub(crate) fn side(&self, which: usize) -> &Side {
        if which == SND { &self.so_snd } else { &self.so_rcv }
    }
}

impl FastSide {
    const fn new() -> Self {
        Self { waits: AtomicU32::new(0) }
    }
}
