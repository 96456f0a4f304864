//! Data where each side of a socket is locked by itself, one after the other: `uipc_send` and
//! `uipc_rcvd` of FreeBSD 10.4 (`uipc_usrreq.c` r305261; lines are of it).
//!
//! What is connected to what is locked for an append, by any number of senders at once; that keeps
//! the peer. What lies in a buffer and what the sender knows of it are two sides, and never locked
//! together: the lock of the receiving socket itself, held from the one to the other, keeps them in
//! step, for a receive takes that, too, before it looks what is left and tells the sender (1015).

use super::send::Outgoing;
use crate::domain::{SockAddr, SockType};
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::sa_len;
use crate::objects::socket::{Side, State};
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// `uipc_send` (853), with nothing of the socket held before and after but the right to fill.
    #[inline(always)]
    pub(super) fn pru_send_apart(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        rights: &[Fd],
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        let control = if rights.is_empty() { None } else { Some(self.unp_internalize(rights)?) };
        let message = Outgoing { control, ..message };
        self.policy.append_enter(so, to.is_some());
        let result = if so.so_type.get() == SockType::Dgram {
            self.dgram_apart(&mut so.lent(), message, to)
        } else {
            self.append_apart(so, message)
        };
        self.policy.append_leave(so, to.is_some());
        if let (Err(_), Some(control)) = (&result, control) {
            self.unp_discard(control);
        }
        result
    }

    /// STREAM and SEQPACKET (931 to 1026). The socket itself is not locked: whoever parts it, or
    /// ends the stream, has every link exclusively.
    #[inline(always)]
    fn append_apart(&self, so: &mut Held<P>, message: Outgoing<'_, P::Locks>) -> Result<(), Errno> {
        let so2 = so.peer().ok_or_else(|| Self::why_no_peer(so))?;
        if Self::has_ended(so) {
            return Err(Errno::Epipe);
        }
        let mut so2 = self.policy.solock(&so2);
        self.policy.side_enter(&so2, Side::Rcv);
        if message.control.is_some() && !so2.has_room(message.data.len() + message.control_bytes())
        {
            self.policy.side_leave(&mut so2, Side::Rcv);
            if !P::Fault::omits(Step::SendNobufsPeer) {
                self.policy.sounlock(so2);
            }
            return if P::Fault::omits(Step::ReportNobufs) { Ok(()) } else { Err(Errno::Enobufs) };
        }
        self.sbappend(so, &mut so2, message, None);
        let fill = so2.rcv_fill(so2.so_rcv());
        // A reader waits for bytes: a record of none in an empty buffer does not wake it.
        if fill.cc > 0 && !P::Fault::omits(Step::WakeReader) {
            self.side_leave_waking(&mut so2, Side::Rcv);
        } else {
            self.policy.side_leave(&mut so2, Side::Rcv);
        }
        if P::Fault::omits(Step::HoldToAccount) {
            self.account_unheld(so, so2, fill);
            return Ok(());
        }
        P::Fault::window(Window::Appended);
        self.policy.side_enter(so, Side::Snd);
        so.so_snd().fill.set(fill);
        self.policy.side_leave(so, Side::Snd);
        self.policy.sounlock(so2);
        Ok(())
    }

    /// DGRAM (877 to 930): the own socket keeps its name; the destination itself is not locked but
    /// to be parted from.
    fn dgram_apart(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        let Some(name) = to else {
            let so2 = so.peer().ok_or(Errno::Enotconn)?;
            self.policy.so_enter(so);
            let result = self.append_at(so, self.policy.side_lock(&so2, Side::Rcv), message);
            self.policy.so_leave(so);
            return result;
        };
        if so.peer().is_some() {
            return Err(Errno::Eisconn);
        }
        self.policy.so_enter(so);
        let result = self.dgram_to(so, message, name);
        self.policy.so_leave(so);
        result
    }

    /// An addressed one connects for as long as it lasts, with its links exclusively. It keeps the
    /// flag CONNECTING: the destination may go while they are unlocked, and no other come.
    fn dgram_to(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        name: &SockAddr,
    ) -> Result<(), Errno> {
        self.unp_connect(so, name)?;
        let result = match so.peer() {
            Some(so2) => self.append_at(so, self.policy.side_lock(&so2, Side::Rcv), message),
            None => Err(Errno::Econnrefused),
        };
        self.unp_disconnect(so);
        so.st().clear(State::CONNECTING);
        result
    }

    /// `so2`: its receive side alone is locked, and is left.
    fn append_at(
        &self,
        so: &mut Held<P>,
        mut so2: Held<P>,
        message: Outgoing<'_, P::Locks>,
    ) -> Result<(), Errno> {
        let from = so.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        let bytes = sa_len(&from) + message.data.len() + message.control_bytes();
        if !so2.has_room(bytes) {
            if P::Fault::omits(Step::DiscardLater) {
                self.discard_now(message.control);
            }
            self.policy.side_unlock(so2, Side::Rcv);
            return Err(Errno::Enobufs);
        }
        self.sbappend(so, &mut so2, message, Some(&from));
        if P::Fault::omits(Step::WakeReader) {
            self.policy.side_unlock(so2, Side::Rcv);
        } else {
            self.side_leave_waking(&mut so2, Side::Rcv);
        }
        Ok(())
    }

    /// `uipc_rcvd` (800): tells the sender what is left in the own buffer. The own socket is
    /// locked, which keeps the peer, and any append away; the peer itself is not.
    ///
    /// The kernel looks at the buffer before it locks its socket (822): so it may tell of more room
    /// than there is, which it calls benign (827). Here a send would be let past OpenBSD's limit.
    #[inline(always)]
    pub(super) fn account_apart(&self, so: &mut Held<P>, so2: &mut Held<P>) {
        P::Fault::window(Window::Accounting);
        self.policy.side_enter(so, Side::Rcv);
        let fill = so.rcv_fill(so.so_rcv());
        self.policy.side_leave(so, Side::Rcv);
        self.policy.side_enter(so2, Side::Snd);
        if !P::Fault::omits(Step::MirrorReceived) {
            so2.so_snd().fill.set(fill);
        }
        self.side_leave_waking(so2, Side::Snd);
    }
}
