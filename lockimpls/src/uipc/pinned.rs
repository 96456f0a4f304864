//! Data where a connection's sender is at its peer's receive side alone: there it looks for room,
//! waits for it, and appends (`uipc_sosend_stream_or_seqpacket` of FreeBSD's main of 2025,
//! `uipc_usrreq.c`; `uipc_soreceive_stream_or_seqpacket` for what a receive does not do).
//!
//! The sender has copied before it locks anything. It takes the right to send, finds its peer with
//! both sockets locked, takes a reference on it, and leaves both: it comes back to neither. From
//! then on the peer can part at any moment, and cannot go. What says that it has parted is written
//! with its receive side locked, and looked at there.

use super::room::Room;
use super::send::{Outgoing, Sending};
use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::fault::{Event, Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::mbuf::MbufRef;
use crate::objects::socket::Side;
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// `sosend` of a connection, with nothing of the socket held before and after.
    #[inline(always)]
    pub(super) fn sosend_pinned(
        &self,
        so: &mut Held<P>,
        sending: &mut Sending<'_>,
    ) -> Result<(), Errno> {
        let m = self.mbufs.get();
        Self::copy_ahead(so, sending, m);
        P::Fault::window(Window::CopiedIn);
        let result = if self.policy.sb_lock(so, Side::Snd, sending.nonblock) {
            let result = self.send_to_peer(so, sending, m);
            self.policy.sb_unlock(so, Side::Snd);
            result
        } else {
            Err(Errno::Ewouldblock)
        };
        self.mbufs.put(m);
        result
    }

    /// Copies as much as the send side may hold, with nothing locked; of a record all or nothing.
    #[inline(always)]
    fn copy_ahead(so: &Held<P>, sending: &Sending<'_>, m: MbufRef<P::Locks>) {
        let hiwat = so.so_snd_to_look().0.limits().hiwat;
        let len = match sending.rest.len() {
            len if len <= hiwat => len,
            _ if so.is_atomic() => 0,
            _ => hiwat,
        };
        P::Fault::note(Event::Copy);
        m.fill(&sending.rest[..len]);
        P::Fault::note(Event::Copied);
    }

    /// With the right to send: all that is left, as there is room.
    #[inline(always)]
    fn send_to_peer(
        &self,
        so: &mut Held<P>,
        sending: &mut Sending<'_>,
        m: MbufRef<P::Locks>,
    ) -> Result<(), Errno> {
        let mut so2 = self.pin_peer(so, sending)?;
        P::Fault::window(Window::Pinned);
        let mut ahead = 0;
        let result = loop {
            match self.append_some(so, &mut so2, sending, &m.data()[ahead..]) {
                Ok(Some(bytes)) => {
                    let rest = sending.rest;
                    (sending.rest, sending.rights) = (&rest[bytes..], &[]);
                    ahead += bytes;
                    if sending.rest.is_empty() {
                        break Ok(());
                    }
                }
                Ok(None) => {
                    Self::copy_ahead(so, sending, m);
                    ahead = 0;
                }
                Err(errno) => break Err(errno),
            }
        };
        if !P::Fault::omits(Step::PinRele) {
            so2.so_refcnt.rele();
        }
        result
    }

    /// `uipc_lock_peer`, and the reference: both are locked, and neither when it returns.
    #[inline(always)]
    fn pin_peer(&self, so: &mut Held<P>, sending: &Sending<'_>) -> Result<Held<P>, Errno> {
        self.policy.so_enter(so);
        let Some(mut so2) = self.policy.solock_peer(so) else {
            return Err(self.nobody(&mut so.lent(), sending));
        };
        self.policy.so_leave(so);
        if !P::Fault::omits(Step::PinTake) {
            so2.so_refcnt.take();
        }
        self.policy.so_leave(&mut so2);
        Ok(so2)
    }

    /// Why there is nobody to send to, in `sosend`'s order; the socket is locked, and unlocked
    /// here. What has descriptors and no bytes is refused for its descriptors first.
    #[cold]
    fn nobody(&self, so: &mut Held<P>, sending: &Sending<'_>) -> Errno {
        let room = Self::sosend_room(so, sending);
        let why = Self::why_no_peer(so);
        self.policy.so_leave(so);
        match room {
            Err(errno) => errno,
            Ok(Room::Wait) if sending.nonblock => Errno::Ewouldblock,
            Ok(_) if sending.oob_bytes != 0 => Errno::Eopnotsupp,
            Ok(_) => match self.unp_internalize(sending.rights) {
                Ok(control) => {
                    self.unp_discard(control);
                    why
                }
                Err(errno) => errno,
            },
        }
    }

    /// One append at the peer, after waiting for room: how many bytes; none where there is more
    /// room than was copied.
    #[inline(always)]
    fn append_some(
        &self,
        so: &mut Held<P>,
        so2: &mut Held<P>,
        sending: &Sending<'_>,
        ahead: &[u8],
    ) -> Result<Option<usize>, Errno> {
        self.policy.side_enter(so2, Side::Rcv);
        let room = match self.room_at_peer(so, so2, sending) {
            Ok(room) => room,
            Err(errno) => {
                self.policy.side_leave(so2, Side::Rcv);
                return Err(errno);
            }
        };
        let bytes = room.min(sending.rest.len());
        if bytes > ahead.len() {
            self.policy.side_leave(so2, Side::Rcv);
            return Ok(None);
        }
        let message = Outgoing { data: &ahead[..bytes], control: None, is_eor: sending.is_eor };
        if sending.rights.is_empty() {
            self.append_here(so, so2, message);
        } else {
            self.append_rights(so, so2, message, sending.rights)?;
        }
        Ok(Some(bytes))
    }

    /// How much may go now, with the peer's receive side locked; it sleeps there until there is
    /// some.
    #[inline(always)]
    fn room_at_peer(
        &self,
        so: &Held<P>,
        so2: &mut Held<P>,
        sending: &Sending<'_>,
    ) -> Result<usize, Errno> {
        loop {
            if Self::has_parted(so, so2) {
                return Err(Errno::Epipe);
            }
            match Self::room_beside(so, sending, |_| so2.told_writer()) {
                Ok(Room::Bytes(_)) if sending.oob_bytes != 0 => return Err(Errno::Eopnotsupp),
                Ok(Room::Bytes(room)) => return Ok(room),
                Ok(_) if sending.nonblock => return Err(Errno::Ewouldblock),
                Ok(_) => self.wait_at_peer(so, so2),
                // It was connected: the two are parting just now, and the peer's side has not been
                // told yet.
                Err(Errno::Enotconn) => return Err(Errno::Epipe),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Whether the peer, whose receive side is locked, has parted from this socket.
    #[inline(always)]
    fn has_parted(so: &So<P>, so2: &Held<P>) -> bool {
        !so2.is_written_by(so) && !P::Fault::omits(Step::PinLookAgain)
    }

    /// The peer's receive side is locked, and left.
    #[inline(always)]
    fn append_here(&self, so: &mut Held<P>, so2: &mut Held<P>, message: Outgoing<'_, P::Locks>) {
        self.sbappend(so, so2, message, None);
        so2.tell_writer();
        // A reader waits for bytes: a record of none in an empty buffer does not wake it.
        if so2.told_writer().cc > 0 && !P::Fault::omits(Step::WakeReader) {
            self.side_leave_waking(so2, Side::Rcv);
        } else {
            self.policy.side_leave(so2, Side::Rcv);
        }
    }

    /// The same with descriptors, which are found with nothing locked. Meanwhile nobody else sends.
    #[cold]
    fn append_rights(
        &self,
        so: &mut Held<P>,
        so2: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        rights: &[Fd],
    ) -> Result<(), Errno> {
        self.policy.side_leave(so2, Side::Rcv);
        let control = self.unp_internalize(rights)?;
        let message = Outgoing { control: Some(control), ..message };
        self.policy.side_enter(so2, Side::Rcv);
        let refused = if Self::has_parted(so, so2) || Self::has_ended(so) {
            Some(Errno::Epipe)
        } else {
            let has_room = so2.has_room(message.data.len() + message.control_bytes());
            (!has_room).then_some(Errno::Enobufs)
        };
        let Some(errno) = refused else {
            self.append_here(so, so2, message);
            return Ok(());
        };
        if P::Fault::omits(Step::DiscardLater) {
            self.discard_now(Some(control));
        }
        self.policy.side_leave(so2, Side::Rcv);
        self.unp_discard(control);
        Err(errno)
    }

    /// What a receive does when it has taken something out, with its receive side locked before and
    /// after: whoever writes there is told there, and woken. Nothing of the peer is touched.
    #[inline(always)]
    pub(super) fn rcvd_here(&self, so: &mut Held<P>) {
        if so.tell_writer() && !P::Fault::omits(Step::WakeWriter) {
            self.wake_here(so);
        }
    }

    /// DGRAM: `uipc_sosend_dgram` from where its send side is left, and nothing of the socket held.
    pub(super) fn pru_send_dgram(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        rights: &[Fd],
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        let control = if rights.is_empty() { None } else { Some(self.unp_internalize(rights)?) };
        self.policy.so_enter(so);
        let result = self.append_dgram(&mut so.lent(), Outgoing { control, ..message }, to);
        self.policy.so_leave(so);
        if let (Err(_), Some(control)) = (&result, control) {
            self.unp_discard(control);
        }
        result
    }
}
