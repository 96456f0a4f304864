//! What a receive side has of whoever writes to it, where a sender looks for room there.

use super::{Held, Part, SockRef, Socket, SocketLocks};
use crate::objects::sockbuf::Fill;
use crate::primitives::{AtomicPtr, AtomicUsize, Ordering};
use crate::witness;

use Ordering::Relaxed;

/// The other end of a connection, as a receive side has it (`uxst_peer` of FreeBSD's `sockbuf`),
/// and how full that end thinks this side is: as its last append, or the last receive here, left
/// it.
///
/// `[mr]`. Relaxed throughout: written and read under the lock of the receive side, which orders
/// it.
pub(crate) struct Writer<L> {
    peer: AtomicPtr<Socket<L>>,
    cc: AtomicUsize,
    mbcnt: AtomicUsize,
}

impl<L> Writer<L> {
    pub(crate) fn new() -> Self {
        Self {
            peer: AtomicPtr::new(std::ptr::null_mut()),
            cc: AtomicUsize::new(0),
            mbcnt: AtomicUsize::new(0),
        }
    }

    pub(super) fn reset(&self) {
        self.set(None);
    }

    /// It comes, and has sent nothing yet; or goes.
    fn set(&self, peer: Option<SockRef<L>>) {
        let pointer = |so: SockRef<L>| std::ptr::from_ref::<Socket<L>>(&so).cast_mut();
        self.peer.store(peer.map_or(std::ptr::null_mut(), pointer), Relaxed);
        self.tell(Fill::default());
    }

    /// Whether there is one.
    #[inline(always)]
    fn is_there(&self) -> bool {
        !self.peer.load(Relaxed).is_null()
    }

    /// Whether it is this one.
    #[inline(always)]
    fn is(&self, so: &Socket<L>) -> bool {
        std::ptr::eq(self.peer.load(Relaxed), so)
    }

    #[inline(always)]
    fn tell(&self, fill: Fill) {
        self.cc.store(fill.cc, Relaxed);
        self.mbcnt.store(fill.mbcnt, Relaxed);
    }

    #[inline(always)]
    fn told(&self) -> Fill {
        Fill { cc: self.cc.load(Relaxed), mbcnt: self.mbcnt.load(Relaxed) }
    }
}

impl<L: SocketLocks> Held<L> {
    /// Who writes to the receive side, which is locked.
    #[inline(always)]
    #[track_caller]
    fn writer(&self) -> Option<&Writer<L>> {
        let (addr, class) = self.locks.guard(Part::Rcv);
        witness::assert_held(addr, &class);
        self.locks.writer()
    }

    /// The receive side gets a writer, or loses it.
    #[track_caller]
    pub(crate) fn set_writer(&self, peer: Option<SockRef<L>>) {
        self.writer().into_iter().for_each(|writer| writer.set(peer));
    }

    /// Whether `so` writes to the receive side.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn is_written_by(&self, so: &Socket<L>) -> bool {
        self.writer().is_some_and(|writer| writer.is(so))
    }

    /// How full the receive side is, for whoever writes there.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn told_writer(&self) -> Fill {
        self.writer().map_or_else(Fill::default, Writer::told)
    }

    /// The receive side has changed: how full it is for whoever writes there. Whether anybody does.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn tell_writer(&self) -> bool {
        let Some(writer) = self.writer().filter(|writer| writer.is_there()) else { return false };
        writer.tell(self.rcv_fill(self.so_rcv()));
        true
    }
}
