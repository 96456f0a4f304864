//! The two sides of a socket, without the ring: `struct sockbuf`, and what its lock guards.

use std::ops::{Deref, Index};

use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::{Fill, Limits};
use crate::primitives::Cell;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Snd,
    Rcv,
}

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Snd, Side::Rcv];
}

/// One thing for each side.
pub(crate) struct BySide<T> {
    pub(crate) snd: T,
    pub(crate) rcv: T,
}

impl<T> BySide<T> {
    pub(crate) fn each(make: impl Fn() -> T) -> Self {
        Self { snd: make(), rcv: make() }
    }
}

impl<T> Index<Side> for BySide<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, side: Side) -> &T {
        match side {
            Side::Snd => &self.snd,
            Side::Rcv => &self.rcv,
        }
    }
}

/// What both sides have.
pub(crate) struct SbState {
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

impl SbState {
    fn unused() -> Self {
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
    #[inline(always)]
    pub(crate) fn addr(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

/// `so_snd`: a mirror of what lies unread at the peer. `[ms]`
pub(crate) struct SndState {
    sb: SbState,
    /// SS_CANTSENDMORE. `[s ms]`: written by [`Held::set_cantsendmore`], and while nobody else has
    /// the socket by [`Held::end_unshared`].
    ///
    /// [`Held::set_cantsendmore`]: super::Held::set_cantsendmore
    /// [`Held::end_unshared`]: super::Held::end_unshared
    pub(super) cantsendmore: Cell<bool>,
}

impl SndState {
    pub(super) fn unused() -> Self {
        Self { sb: SbState::unused(), cantsendmore: Cell::new(false) }
    }

    pub(super) fn reset(&self) {
        self.sb.reset();
        self.cantsendmore.set(false);
    }

    /// Whether nothing can be sent any more.
    #[inline(always)]
    pub(crate) fn cantsendmore(&self) -> bool {
        self.cantsendmore.get()
    }
}

impl Deref for SndState {
    type Target = SbState;

    #[inline(always)]
    fn deref(&self) -> &SbState {
        &self.sb
    }
}

/// `so_rcv` beside the ring: its limits and its control messages. `[mr]`
pub(crate) struct RcvState<L> {
    sb: SbState,
    /// SS_CANTRCVMORE.
    pub(crate) cantrcvmore: Cell<bool>,
    /// The control messages in the buffer, oldest first.
    pub(crate) control: Cell<Option<MbufRef<L>>>,
    /// STREAM: the buffer begins with an mbuf of no bytes, of a message whose descriptors were
    /// taken and whose bytes, none, were not: the receive had no room for any, or failed.
    pub(crate) empty_first: Cell<bool>,
}

impl<L> RcvState<L> {
    pub(super) fn unused() -> Self {
        Self {
            sb: SbState::unused(),
            cantrcvmore: Cell::new(false),
            control: Cell::new(None),
            empty_first: Cell::new(false),
        }
    }

    pub(super) fn reset(&self) {
        self.sb.reset();
        self.cantrcvmore.set(false);
        self.control.set(None);
        self.empty_first.set(false);
    }
}

impl<L> Deref for RcvState<L> {
    type Target = SbState;

    #[inline(always)]
    fn deref(&self) -> &SbState {
        &self.sb
    }
}
