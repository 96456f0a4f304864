//! shutdown: `soshutdown`, `sorflush` (`uipc_socket.c` 1.279), `unp_shutdown` (`uipc_usrreq.c`
//! 1.166).

use crate::domain::Shutdown;
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::{Fill, Limits};
use crate::objects::socket::{RcvState, Side};
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;
use crate::witness::{self, Class};

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        let mut so = self.call_enter(s)?;
        if how != Shutdown::Write {
            self.sorflush(&mut so);
        }
        if how != Shutdown::Read {
            self.policy.links_enter();
            self.policy.data_to_so(&mut so);
            self.socantsendmore(&mut so);
            if P::SENDS_UNLOCKED {
                // The own socket, and then the peer, as a send.
                self.policy.so_to_data(&mut so);
                self.unp_shutdown(&mut so);
            } else {
                self.unp_shutdown(&mut so);
                self.policy.so_to_data(&mut so);
            }
            self.policy.links_leave();
        }
        self.call_leave(so);
        Ok(())
    }

    /// The peer of a connection sees the end of the stream; a datagram socket's does not.
    fn unp_shutdown(&self, so: &mut Held<P>) {
        if !so.connection_required() {
            return;
        }
        if let Some(mut so2) = self.policy.peer_pin(so) {
            self.socantrcvmore(&mut so2);
            self.policy.peer_unpin(so, so2);
        }
    }

    pub(crate) fn socantsendmore(&self, so: &mut Held<P>) {
        self.policy.side_enter(so, Side::Snd);
        so.set_cantsendmore(true);
        self.side_leave_waking(so, Side::Snd);
    }

    pub(crate) fn socantrcvmore(&self, so: &mut Held<P>) {
        self.policy.side_enter(so, Side::Rcv);
        so.so_rcv().cantrcvmore.set(true);
        self.side_leave_waking(so, Side::Rcv);
    }

    /// `sorflush`: drops what is in the receive buffer, and its limits with it.
    ///
    /// The kernel zeroes every field of `so_rcv` from `sb_cc` to `sb_flags`, the limits included.
    /// So a plain stream append still succeeds afterwards (it looks at the sender's `so_snd`
    /// alone), and one with a control message finds no room: the way to the historical leak that
    /// needs no race.
    pub(crate) fn sorflush(&self, so: &mut Held<P>) {
        if P::SB_LOCK {
            return self.sorflush_by_side(so);
        }
        if P::Fault::omits(Step::FlushSblock) {
            return self.flush_anyway(so);
        }
        if self.sblock(so, Side::Rcv, false).is_err() {
            return;
        }
        self.socantrcvmore(so);
        self.sbunlock(so, Side::Rcv);
        self.flush(so);
    }

    /// `sorflush` of `uipc_socket.c` 1.385, with nothing of the socket held before and after: the
    /// right is kept until the buffer is empty, and what was in it goes with nothing held.
    fn sorflush_by_side(&self, so: &mut Held<P>) {
        if !P::Fault::omits(Step::FlushSblock) {
            self.policy.sb_lock(so, Side::Rcv, false);
        }
        self.policy.data_to_so(so);
        self.socantrcvmore(so);
        self.policy.so_to_data(so);
        self.policy.side_enter(so, Side::Rcv);
        let control = Self::empty(so, so.so_rcv());
        self.policy.side_leave(so, Side::Rcv);
        if !P::Fault::omits(Step::FlushSblock) {
            self.policy.sb_unlock(so, Side::Rcv);
        }
        self.discard_all(control);
    }

    /// The rest of `sorflush`: nobody drains the buffer.
    pub(crate) fn flush(&self, so: &Held<P>) {
        let so_rcv = so.so_rcv();
        if so_rcv.locked.get() {
            witness::kept_by_another(so_rcv.addr(), Class::Sblock);
        }
        let control = Self::empty(so, so_rcv);
        self.discard_all(control);
    }

    /// Empties the receive buffer and takes its limits: the control messages that were in it.
    pub(crate) fn empty(so: &So<P>, so_rcv: &RcvState<P::Locks>) -> Option<MbufRef<P::Locks>> {
        let control = so_rcv.control.take();
        so_rcv.empty_first.set(false);
        so.rcv.flush();
        so_rcv.fill.set(Fill::default());
        so_rcv.limits.set(Limits::ZERO);
        so_rcv.lowat.set(0);
        control
    }

    /// Disposes of a row of control messages.
    pub(crate) fn discard_all(&self, mut control: Option<MbufRef<P::Locks>>) {
        while let Some(m) = control {
            control = m.next.take();
            self.unp_discard(m);
        }
    }
}
