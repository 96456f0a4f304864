//! Where a request meets the locks of the kernel around the layer (see `ambient.rs`): nothing, in a
//! layer that has none.

use crate::ambient::Surroundings;
use crate::errno::Errno;
use crate::objects::socket::Side;
use crate::policy::{Held, Policy, So, SoRef};
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::Relaxed;

impl<P: Policy> Locked<P> {
    /// KERNEL_LOCK. It may be held already.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn kernel_lock(&self) {
        self.ambient.kernel_lock();
    }

    /// KERNEL_UNLOCK.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn kernel_unlock(&self) {
        self.ambient.kernel_unlock();
    }

    /// A file is found by its descriptor (`fd_getfile`), or so many are put in their places, or
    /// taken from there: `fd_fplock`, once for each.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn fd_fplock(&self, times: usize) {
        if self.ambient.is_there() {
            (0..times).for_each(|_| self.ambient.fd_fplock());
        }
    }

    /// `selwakeup` (`sys_generic.c`, 844): the kernel lock, whether or not anybody listens.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn selwakeup(&self) {
        self.kernel_lock();
        self.kernel_unlock();
    }

    /// `sowakeup` (`uipc_socket2.c` 1.125, 494): `wakeup` only where somebody sleeps, `selwakeup`
    /// in any case. The socket is locked; the side is not, where it has a lock of its own.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sowakeup(&self, so: &mut Held<P>, side: Side) {
        if Self::WAKES_UNLOCKED {
            return self.wake_unlocked(so, side);
        }
        self.policy.side_enter(so, side);
        self.wakeup_at(so, side);
        self.policy.side_leave(so, side);
        self.selwakeup();
    }

    /// `sorwakeup_locked`, `sowwakeup_locked` (FreeBSD's `uipc_sockbuf.c` r274043, 184): leaves a
    /// side that has changed, and wakes whoever waits there: in the same hold of its lock, where
    /// each side is locked by itself, or once it is left.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn side_leave_waking(&self, so: &mut Held<P>, side: Side) {
        if !Self::ONE_HOLD {
            self.policy.side_leave(so, side);
            return self.sowakeup(so, side);
        }
        self.wakeup_at(so, side);
        self.policy.side_leave(so, side);
        self.selwakeup();
    }

    /// Wakes whoever waits at a receive side, which is locked, and stays so, unless there are locks
    /// around the layer, which come before it.
    #[inline(always)]
    #[track_caller]
    pub(super) fn wake_here(&self, so: &mut Held<P>) {
        if self.ambient.is_there() {
            self.side_leave_waking(so, Side::Rcv);
            self.policy.side_enter(so, Side::Rcv);
        } else {
            self.wakeup_at(so, Side::Rcv);
        }
    }

    /// The send side of a locked socket has ended: its sender, which may wait at the peer, looks
    /// again.
    pub(crate) fn wake_at_peer(&self, so: &Held<P>) {
        if !P::WAITS_AT_PEER {
            return;
        }
        if let Some(so2) = so.peer() {
            let mut so2 = self.policy.side_lock(&so2, Side::Rcv);
            self.side_leave_waking(&mut so2, Side::Rcv);
        }
    }

    #[inline(always)]
    fn wakeup_at(&self, so: &Held<P>, side: Side) {
        if self.ambient.is_there() && so.sb_wait(side).waiting.load(Relaxed) != 0 {
            self.ambient.sched_lock();
        }
        so.sb_wait(side).wakeup(P::BIASED);
    }

    /// `sowakeup` that needs no lock.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn wake_unlocked(&self, so: &So<P>, side: Side) {
        if self.ambient.is_there() && so.sb_wait(side).waiting.load(Relaxed) != 0 {
            self.ambient.sched_lock();
        }
        so.sb_wait(side).wakeup_unlocked();
        self.selwakeup();
    }

    /// The same of a writer, by its peer `so`, which has the receive side locked: that stays
    /// locked, unless there are locks around the layer, which come before it.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn wake_writer(&self, so: &mut Held<P>, writer: &So<P>) {
        if !self.ambient.is_there() {
            return self.wake_unlocked(writer, Side::Snd);
        }
        self.policy.side_leave(so, Side::Rcv);
        self.wake_unlocked(writer, Side::Snd);
        self.policy.side_enter(so, Side::Rcv);
    }

    /// The end of `sendit` (`uipc_syscalls.c` 1.196, 688 and 695): SIGPIPE under the kernel lock;
    /// what was sent is counted under `f_mtx`.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sendit_ends(&self, so: SoRef<P>, result: &Result<usize, Errno>) {
        if self.ambient.is_there() && *result == Err(Errno::Epipe) {
            self.kernel_lock();
            self.kernel_unlock();
        }
        self.transferred(so, result);
    }

    /// The end of `recvit` (`uipc_syscalls.c` 1.196, 921), and of `sendit`. The kernel has its
    /// reference on the file still; here it may be gone, and its place another one's, which is
    /// counted there.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn transferred(&self, so: SoRef<P>, result: &Result<usize, Errno>) {
        if self.ambient.is_there()
            && let Ok(bytes) = result
        {
            self.ambient.f_mtx(self.sockets.place_of(so), *bytes);
        }
    }
}
