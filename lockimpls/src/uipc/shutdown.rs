//! shutdown: `soshutdown`, `sorflush` (`uipc_socket.c` 1.279), `unp_shutdown` (`uipc_usrreq.c`
//! 1.166).

use crate::domain::Shutdown;
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::{Fill, Limits};
use crate::objects::socket::Side;
use crate::policy::{Policy, So};
use crate::uipc::Locked;
use crate::witness::{self, Class};

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        let so = self.solock_fd(s)?;
        if how != Shutdown::Write {
            self.sorflush(&so);
        }
        if how != Shutdown::Read {
            self.socantsendmore(&so);
            self.unp_shutdown(&so);
        }
        self.sounlock_fd(&so);
        Ok(())
    }

    /// The peer of a connection sees the end of the stream; a datagram socket's does not.
    fn unp_shutdown(&self, so: &So<P>) {
        if !so.connection_required() {
            return;
        }
        if let Some(so2) = self.policy.solock_peer(so) {
            self.socantrcvmore(&so2);
            self.policy.sounlock_peer(so, &so2);
        }
    }

    pub(crate) fn socantsendmore(&self, so: &So<P>) {
        so.set_cantsendmore(true);
        self.sowwakeup(so);
    }

    pub(crate) fn socantrcvmore(&self, so: &So<P>) {
        so.so_rcv().cantrcvmore.set(true);
        self.sorwakeup(so);
    }

    /// `sorflush`: drops what is in the receive buffer, and its limits with it.
    ///
    /// The kernel zeroes every field of `so_rcv` from `sb_cc` to `sb_flags`, the limits included.
    /// So a plain stream append still succeeds afterwards (it looks at the sender's `so_snd`
    /// alone), and one with a control message finds no room: the way to the historical leak that
    /// needs no race.
    pub(crate) fn sorflush(&self, so: &So<P>) {
        if P::Fault::omits(Step::FlushSblock) {
            return self.flush_anyway(so);
        }
        if self.sblock(so, so.sb(Side::Rcv), Side::Rcv, false).is_err() {
            return;
        }
        self.socantrcvmore(so);
        self.sbunlock(so, Side::Rcv);
        self.flush(so);
    }

    /// The rest of `sorflush`: nobody drains the buffer.
    pub(crate) fn flush(&self, so: &So<P>) {
        let so_rcv = so.so_rcv();
        if so_rcv.locked.get() {
            witness::kept_by_another(so_rcv.addr(), Class::Sblock);
        }
        let mut control = so_rcv.control.take();
        so_rcv.empty_first.set(false);
        so.rcv.flush();
        so_rcv.fill.set(Fill::default());
        so_rcv.limits.set(Limits::ZERO);
        so_rcv.lowat.set(0);
        while let Some(m) = control {
            control = m.next.take();
            self.unp_discard(m);
        }
    }
}
