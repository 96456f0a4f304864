//! What the lock of the socket itself guards: every field here is `[s]`.

use std::ops::Deref;

use super::{BySide, Side, SockList, SockRef, Socket};
use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::primitives::{AtomicPtr, AtomicU32, Cell, Ordering};

use Ordering::Relaxed;

bitflags::bitflags! {
    /// `so_state`, the bits that unix(4) uses. Two that it had in July 2022, SS_CANTSENDMORE and
    /// SS_CANTRCVMORE, are with the sides, as they are today (`sb_state`, `socketvar.h` 1.159).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct State: u32 {
        /// No file refers to the socket. The kernel panics where this is not as it must be; nothing
        /// else reads it.
        const NOFDREF = 0x001;
        const ISCONNECTED = 0x002;
        /// For poll(2) alone, which is not modelled: nothing else looks at it.
        const ISDISCONNECTED = 0x800;
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

/// `so_state`.
pub(crate) struct AtomicState(AtomicU32);

impl AtomicState {
    #[inline(always)]
    pub(crate) fn get(&self) -> State {
        State::from_bits_retain(self.0.load(Relaxed))
    }

    #[inline(always)]
    pub(crate) fn set(&self, state: State) {
        self.0.store(state.bits(), Relaxed);
    }
}

/// `so_error`: the number of an error, or 0.
pub(crate) struct AtomicError(AtomicU32);

impl AtomicError {
    #[inline(always)]
    pub(crate) fn get(&self) -> Option<Errno> {
        Self::error(self.0.load(Relaxed))
    }

    #[inline(always)]
    pub(crate) fn set(&self, error: Option<Errno>) {
        self.0.store(error.map_or(0, Errno::code) as u32, Relaxed);
    }

    /// The error, which is told now. Where two threads look at once, one of them tells it.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<Errno> {
        if self.0.load(Relaxed) == 0 { None } else { Self::error(self.0.swap(0, Relaxed)) }
    }

    #[inline(always)]
    fn error(number: u32) -> Option<Errno> {
        if number == 0 { None } else { Some(Errno::from_host(number as i32)) }
    }
}

/// `so_head`: a listener, or none.
pub(crate) struct AtomicHead<L>(AtomicPtr<Socket<L>>);

impl<L> AtomicHead<L> {
    pub(crate) fn get(&self) -> Option<SockRef<L>> {
        SockRef::from_pointer(self.0.load(Relaxed))
    }

    pub(crate) fn set(&self, head: Option<SockRef<L>>) {
        let pointer = |head: SockRef<L>| std::ptr::from_ref::<Socket<L>>(&head).cast_mut();
        self.0.store(head.map_or(std::ptr::null_mut(), pointer), Relaxed);
    }
}

/// What of a socket may be looked at with the lock of one of its sides alone, as OpenBSD does today
/// (`uipc_socket.c` 1.385, lines 638 and 642): written under the lock of the socket, but for an
/// error that is told. Relaxed throughout: each is a word of its own, no other data is read for
/// what it says, and a look under a side's lock may be out of date when that is left. Where one
/// lock guards all, that lock orders them. The collector looks at them with its own lock alone,
/// where that comes after those of sockets.
pub(crate) struct Seen<L> {
    pub(crate) so_state: AtomicState,
    pub(crate) so_error: AtomicError,
    /// The listener this socket came from, until it is accepted.
    pub(crate) so_head: AtomicHead<L>,
}

impl<L> Seen<L> {
    fn new() -> Self {
        Self {
            so_state: AtomicState(AtomicU32::new(State::NOFDREF.bits())),
            so_error: AtomicError(AtomicU32::new(0)),
            so_head: AtomicHead(AtomicPtr::new(std::ptr::null_mut())),
        }
    }

    fn reset(&self) {
        self.so_state.set(State::NOFDREF);
        self.so_error.set(None);
        self.so_head.set(None);
    }

    /// Whether these bits are all set.
    #[inline]
    pub(crate) fn is(&self, bits: State) -> bool {
        self.so_state.get().contains(bits)
    }
}

/// What the lock of the queues guards of a listener, and of a socket on its queue: `[q]`.
pub(crate) struct Queues<'a, L> {
    pub(crate) so_onq: &'a Cell<OnQueue>,
    pub(crate) so_q0: &'a SockList<L>,
    pub(crate) so_q: &'a SockList<L>,
    /// `so_head` is changed with that lock; the rest is to be looked at.
    pub(crate) seen: &'a Seen<L>,
}

/// The socket itself, without its sides: `[s]`, and as tagged.
pub(crate) struct SoState<L> {
    seen: Seen<L>,
    /// How many calls are under way on the socket: they keep it when its last descriptor is closed.
    pub(crate) users: Cell<u32>,
    /// `[q]`, with the two below.
    pub(super) so_onq: Cell<OnQueue>,
    pub(super) so_q0: SockList<L>,
    pub(super) so_q: SockList<L>,
    pub(crate) so_qlimit: Cell<usize>,
    /// Whether the control block is attached (`so_pcb`).
    pub(crate) so_pcb: Cell<bool>,
    /// The peer. STREAM, SEQPACKET: mutual. DGRAM: one way. `[s l]`: written by [`Held::set_conn`].
    ///
    /// [`Held::set_conn`]: super::Held::set_conn
    pub(super) unp_conn: Cell<Option<SockRef<L>>>,
    /// DGRAM: who is connected to this socket. `[s l]`: changed by way of [`Held::referrers`].
    ///
    /// [`Held::referrers`]: super::Held::referrers
    pub(crate) unp_refs: SockList<L>,
    pub(crate) unp_addr: Cell<Option<SockAddr>>,
    /// The name it is bound to: an index of the table of names.
    pub(crate) unp_vnode: Cell<Option<usize>>,
    /// `lock-free`: the thread that last used the send and the receive side through the lock, and
    /// how many times in a row.
    pub(crate) last_user: BySide<Cell<(u32, u32)>>,
}

impl<L> SoState<L> {
    pub(super) fn unused() -> Self {
        Self {
            seen: Seen::new(),
            users: Cell::new(0),
            so_onq: Cell::new(OnQueue::None),
            so_q0: SockList::new(),
            so_q: SockList::new(),
            so_qlimit: Cell::new(0),
            so_pcb: Cell::new(false),
            unp_conn: Cell::new(None),
            unp_refs: SockList::new(),
            unp_addr: Cell::new(None),
            unp_vnode: Cell::new(None),
            last_user: BySide::each(|| Cell::new((0, 0))),
        }
    }

    /// The peer, for whoever has the lock of the socket, or the side of a gate that is open.
    #[inline(always)]
    pub(crate) fn peer(&self) -> Option<SockRef<L>> {
        self.unp_conn.get()
    }

    pub(super) fn reset(&self) {
        self.seen.reset();
        self.users.set(0);
        self.so_onq.set(OnQueue::None);
        self.so_qlimit.set(0);
        self.so_pcb.set(false);
        self.unp_conn.set(None);
        self.unp_addr.set(None);
        self.unp_vnode.set(None);
        for side in Side::BOTH {
            self.last_user[side].set((0, 0));
        }
    }

    /// On whose queue an embryo begins, which nobody else has yet.
    pub(crate) fn begin_on_queue(&self, so_onq: OnQueue) {
        self.so_onq.set(so_onq);
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
}

impl<L> Deref for SoState<L> {
    type Target = Seen<L>;

    #[inline(always)]
    fn deref(&self) -> &Seen<L> {
        &self.seen
    }
}
