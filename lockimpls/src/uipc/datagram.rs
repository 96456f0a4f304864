//! send of a datagram: to a name, or to the peer (`uipc_usrreq(PRU_SEND)` of `uipc_usrreq.c`
//! 1.166).

use super::send::Outgoing;
use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::objects::sockbuf::sa_len;
use crate::objects::socket::{Side, State};
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// DGRAM: addressed or to the peer; a full buffer is ENOBUFS at once.
    ///
    /// An addressed one connects for as long as it lasts, and keeps the flag CONNECTING: without it
    /// another thread could connect the socket elsewhere while `solock_peer` has it unlocked, and
    /// the message would go there.
    pub(super) fn append_dgram(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        self.own_enter(so);
        let ready = to.map_or(Ok(()), |name| self.connect_to_send(so, name));
        let from = if P::SENDS_UNLOCKED { so.st().unp_addr.get() } else { None };
        self.own_leave(so);
        ready?;
        let result = self.append_to_peer(so, message, to.is_some(), from);
        if to.is_some() {
            self.own_enter(so);
            self.unp_disconnect(so);
            so.st().clear(State::CONNECTING);
            self.own_leave(so);
        }
        result
    }

    #[inline(always)]
    pub(super) fn connect_to_send(&self, so: &mut Held<P>, name: &SockAddr) -> Result<(), Errno> {
        Self::is_unconnected(so)?;
        // Another call may have connected it while this one waited.
        while self.policy.connect_enter(so) {
            Self::is_unconnected(so)?;
        }
        self.unp_connect(so, name)?;
        if P::Fault::omits(Step::KeepConnecting) {
            so.st().clear(State::CONNECTING);
        }
        Ok(())
    }

    #[inline(always)]
    fn is_unconnected(so: &Held<P>) -> Result<(), Errno> {
        if so.peer().is_some() { Err(Errno::Eisconn) } else { Ok(()) }
    }

    /// `from`: the own name, where the socket itself is not locked any more.
    fn append_to_peer(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        addressed: bool,
        from: Option<SockAddr>,
    ) -> Result<(), Errno> {
        let gone = if addressed { Errno::Econnrefused } else { Errno::Enotconn };
        let so2 = self.policy.peer_pin(so);
        assert!(so2.is_some() || !P::Fault::omits(Step::PeerGone), "unp_conn points to a socket");
        let mut so2 = so2.ok_or(gone)?;
        let from = if P::SENDS_UNLOCKED { from } else { so.st().unp_addr.get() };
        let from = from.unwrap_or(SockAddr::UNNAMED);
        let bytes = sa_len(&from) + message.data.len() + message.control_bytes();
        self.policy.side_enter(&so2, Side::Rcv);
        if !so2.has_room(bytes) {
            self.policy.side_leave(&mut so2, Side::Rcv);
            if P::Fault::omits(Step::DiscardLater) {
                self.discard_now(message.control);
            }
            self.policy.peer_unpin(so, so2);
            return Err(Errno::Enobufs);
        }
        self.sbappend(so, &mut so2, message, Some(&from));
        if P::WAITS_AT_PEER && !P::Fault::omits(Step::WakeReader) {
            self.side_leave_waking(&mut so2, Side::Rcv);
            self.policy.peer_unpin(so, so2);
            return Ok(());
        }
        self.policy.side_leave(&mut so2, Side::Rcv);
        if P::SENDS_UNLOCKED {
            self.unpin_and_wake(so, so2, true);
            return Ok(());
        }
        self.wake_reader(&mut so2);
        self.policy.peer_unpin(so, so2);
        Ok(())
    }
}
