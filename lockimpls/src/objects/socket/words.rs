//! What a send looks at before it copies: on its own side, with that side's lock; or, where the
//! granularity wants no lock for it, in words that anybody may read.

use super::{SbState, SndState, SockRef, Socket};
use crate::objects::sockbuf::{Fill, Limits};
use crate::primitives::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use Ordering::{Acquire, Relaxed, Release};

/// The send side of a socket as others see it without its lock, and its peer.
///
/// But for the peer each is a word of its own, Relaxed: no other data is read for what it says. A
/// send that reads them with nothing locked (`Policy::SENDS_UNLOCKED`) may decide by what is out of
/// date at once; what must be exact it looks at again with the peer locked. One that has its own
/// socket locked (`Policy::SENDS_HELD`) need not: the end and the limits stay, and what lies unread
/// at the peer can only become fewer bytes. One that is at its peer's receive side
/// (`Policy::WAITS_AT_PEER`) reads them there: whoever ends its sending writes the word, and then
/// comes to that side. What lies unread it has from there (`Writer`).
pub(crate) struct SendWords<L> {
    /// `unp_conn`. `[a]`, written with both sockets locked: so it stays while either is.
    unp_conn: AtomicPtr<Socket<L>>,
    /// SS_CANTSENDMORE. `[a]`, written under the socket's lock.
    cantsendmore: AtomicU32,
    /// `sb_hiwat`, `sb_mbmax`, `sb_lowat`. `[a]`, written under the socket's lock.
    hiwat: AtomicUsize,
    mbmax: AtomicUsize,
    lowat: AtomicUsize,
    /// What lies unread at the peer. `[a]`, written under the lock of the peer's receive side; but
    /// by a parting under the socket's own lock alone (`soisdisconnected`), as it sends no more.
    cc: AtomicUsize,
    mbcnt: AtomicUsize,
}

impl<L> SendWords<L> {
    pub(crate) fn new() -> Self {
        Self {
            unp_conn: AtomicPtr::new(std::ptr::null_mut()),
            cantsendmore: AtomicU32::new(0),
            hiwat: AtomicUsize::new(0),
            mbmax: AtomicUsize::new(0),
            lowat: AtomicUsize::new(0),
            cc: AtomicUsize::new(0),
            mbcnt: AtomicUsize::new(0),
        }
    }

    pub(super) fn reset(&self) {
        self.set_peer(None);
        self.set_cantsendmore(false);
        self.set_limits(Limits::ZERO, 0);
        self.set_fill(Fill::default());
    }

    /// The peer as it is now. Whoever has not locked one of the two may find another one there when
    /// it looks again.
    #[inline(always)]
    pub(crate) fn peer(&self) -> Option<SockRef<L>> {
        // Acquire; pairs with the Release in `set_peer`: the locks at that place were made before.
        SockRef::from_pointer(self.unp_conn.load(Acquire))
    }

    pub(super) fn set_peer(&self, peer: Option<SockRef<L>>) {
        let pointer = |so2: SockRef<L>| std::ptr::from_ref::<Socket<L>>(&so2).cast_mut();
        self.unp_conn.store(peer.map_or(std::ptr::null_mut(), pointer), Release);
    }

    #[inline(always)]
    pub(super) fn cantsendmore(&self) -> bool {
        self.cantsendmore.load(Relaxed) != 0
    }

    pub(super) fn set_cantsendmore(&self, is_so: bool) {
        self.cantsendmore.store(u32::from(is_so), Relaxed);
    }

    pub(super) fn set_limits(&self, limits: Limits, lowat: usize) {
        self.hiwat.store(limits.hiwat, Relaxed);
        self.mbmax.store(limits.mbmax, Relaxed);
        self.lowat.store(lowat, Relaxed);
    }

    #[inline(always)]
    fn limits(&self) -> Limits {
        Limits { hiwat: self.hiwat.load(Relaxed), mbmax: self.mbmax.load(Relaxed) }
    }

    #[inline(always)]
    pub(super) fn set_fill(&self, fill: Fill) {
        self.cc.store(fill.cc, Relaxed);
        self.mbcnt.store(fill.mbcnt, Relaxed);
    }

    #[inline(always)]
    fn fill(&self) -> Fill {
        Fill { cc: self.cc.load(Relaxed), mbcnt: self.mbcnt.load(Relaxed) }
    }
}

/// The send side, by whichever way the granularity has.
pub(crate) struct SendLook<'a, L> {
    /// Read where there are no words alone: its lock is held then.
    pub(super) so_snd: &'a SndState,
    pub(super) words: Option<&'a SendWords<L>>,
}

impl<L> SendLook<'_, L> {
    /// Whether nothing can be sent any more.
    #[inline(always)]
    pub(crate) fn cantsendmore(&self) -> bool {
        self.words.map_or_else(|| self.so_snd.cantsendmore(), SendWords::cantsendmore)
    }

    #[inline(always)]
    pub(crate) fn limits(&self) -> Limits {
        self.words.map_or_else(|| self.so_snd.limits.get(), SendWords::limits)
    }

    /// `sb_lowat`, bytes.
    #[inline(always)]
    pub(crate) fn lowat(&self) -> usize {
        self.words.map_or_else(|| self.so_snd.lowat.get(), |words| words.lowat.load(Relaxed))
    }

    /// What lies unread at the peer.
    #[inline(always)]
    pub(crate) fn fill(&self) -> Fill {
        self.words.map_or_else(|| self.so_snd.fill.get(), SendWords::fill)
    }
}

impl SbState {
    /// Tells others the limits, where they look without the lock.
    pub(super) fn publish<L>(&self, words: &SendWords<L>) {
        words.set_limits(self.limits.get(), self.lowat.get());
    }
}
