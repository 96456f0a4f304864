//! A send that has its own socket locked from its look at the room to the append, while it copies,
//! too: gVisor's (`unix/transport/unix.go` of 3c5eee17dc45; lines are of it).
//!
//! `SendMsg` (1033) is one attempt: it locks the sender's endpoint, looks, copies and appends with
//! the receiver's queue locked as well, unlocks both, and then the reader is woken. Where not all
//! fits it is tried again, after a sleep with nothing held (`unix/unix.go`, 693 to 715).
//!
//! The lock of the socket is the right to send while it is held. Where an attempt leaves it, for
//! descriptors or for a name, the flag is (`sblock`): whoever finds that set waits for it. So
//! nobody uses the room that another one has found, and nobody sends to where another's message
//! goes. From one attempt to the next nothing is kept: another's bytes may come between.

use super::room::Room;
use super::send::{Outgoing, Sending};
use crate::domain::{SockAddr, SockType};
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::sa_len;
use crate::objects::socket::{Side, State};
use crate::policy::{Held, Policy, SoRef};
use crate::uipc::Locked;

/// Whom to wake for a message that is at the peer, if anybody.
type Reader<P> = Option<SoRef<P>>;

/// What has become of an attempt.
enum Attempt<P: Policy> {
    /// There is no room: nothing went.
    NoRoom,
    /// What there was room for went.
    Went(Reader<P>),
}

impl<P: Policy> Locked<P> {
    /// One attempt after another, with nothing of the socket held before and after: whether all is
    /// sent. If not, the caller may wait.
    #[inline(always)]
    pub(super) fn sosend_held(
        &self,
        so: &mut Held<P>,
        sending: &mut Sending<'_>,
    ) -> Result<bool, Errno> {
        loop {
            self.policy.so_enter(so);
            let attempt = self.send_locked(so, sending);
            self.policy.so_leave(so);
            if P::Fault::omits(Step::ReaderKept) {
                self.wake_by_link(so);
            }
            let reader = match attempt? {
                Attempt::NoRoom if sending.nonblock => return Err(Errno::Ewouldblock),
                Attempt::NoRoom => return Ok(false),
                Attempt::Went(reader) => reader,
            };
            if let Some(reader) = reader
                && !P::Fault::omits(Step::WakeReader)
            {
                self.wake_unlocked(&reader, Side::Rcv);
            }
            if sending.rest.is_empty() {
                return Ok(true);
            }
        }
    }

    /// An attempt, with the right to send.
    #[inline(always)]
    fn send_locked(
        &self,
        so: &mut Held<P>,
        sending: &mut Sending<'_>,
    ) -> Result<Attempt<P>, Errno> {
        if so.sb(Side::Snd).locked.get() && !P::Fault::omits(Step::RightLooked) {
            self.sb_flag_wait(&mut so.lent(), Side::Snd, sending.nonblock)?;
        }
        let is_dgram = so.so_type.get() == SockType::Dgram;
        let leaves = !sending.rights.is_empty() || (is_dgram && sending.to.is_some());
        if !leaves {
            return self.attempt(so, sending);
        }
        self.sb_flag_enter(so, Side::Snd, sending.nonblock)?;
        let attempt = self.attempt(&mut so.lent(), sending);
        self.sb_flag_leave(so, Side::Snd);
        attempt
    }

    /// Looks, copies and appends.
    #[inline(always)]
    fn attempt(&self, so: &mut Held<P>, sending: &mut Sending<'_>) -> Result<Attempt<P>, Errno> {
        let Room::Bytes(room) = Self::sosend_room(so, sending)? else {
            return Ok(Attempt::NoRoom);
        };
        let (chunk, rest) = sending.rest.split_at(room.min(sending.rest.len()));
        let m = self.message_of(chunk);
        let sent = self.send_message(so, m, sending);
        self.mbufs.put(m);
        let reader = sent?;
        (sending.rest, sending.rights) = (rest, &[]);
        Ok(Attempt::Went(reader))
    }

    /// `PRU_SEND`: descriptors are looked up with the socket unlocked.
    #[inline(always)]
    fn send_message(
        &self,
        so: &mut Held<P>,
        m: MbufRef<P::Locks>,
        sending: &Sending<'_>,
    ) -> Result<Reader<P>, Errno> {
        if sending.oob_bytes != 0 {
            return Err(Errno::Eopnotsupp);
        }
        let message = Outgoing { data: m.data(), control: None, is_eor: sending.is_eor };
        if sending.rights.is_empty() {
            return self.append_held(so, message, sending.to);
        }
        self.policy.so_leave(so);
        P::Fault::window(Window::CopiedIn);
        let control = self.unp_internalize(sending.rights);
        self.policy.so_enter(so);
        let control = control?;
        let message = Outgoing { control: Some(control), ..message };
        let sent = self.append_held(so, message, sending.to);
        if sent.is_err() {
            self.unp_discard(control);
        }
        sent
    }

    #[inline(always)]
    fn append_held(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        to: Option<&SockAddr>,
    ) -> Result<Reader<P>, Errno> {
        if so.so_type.get() == SockType::Dgram {
            return self.dgram_held(&mut so.lent(), message, to);
        }
        self.connected_held(so, message)
    }

    /// STREAM and SEQPACKET. The own socket keeps the peer (1049), whose queue is locked.
    #[inline(always)]
    fn connected_held(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
    ) -> Result<Reader<P>, Errno> {
        let reader = so.peer().ok_or_else(|| Self::why_no_peer(so))?;
        if Self::has_ended(so) {
            return Err(Errno::Epipe);
        }
        let mut so2 = self.policy.side_lock(&reader, Side::Rcv);
        if message.control.is_some() && !so2.has_room(message.data.len() + message.control_bytes())
        {
            self.policy.side_unlock(so2, Side::Rcv);
            return Err(Errno::Enobufs);
        }
        self.sbappend(so, &mut so2, message, None);
        let fill = so2.rcv_fill(so2.so_rcv());
        so.account(fill);
        self.policy.side_unlock(so2, Side::Rcv);
        // A reader waits for bytes: a record of none in an empty buffer does not wake it.
        Ok((fill.cc > 0).then_some(reader))
    }

    /// DGRAM. An addressed one connects for as long as it lasts, as on every backend; in the kernel
    /// it looks up the destination's queue (`connectionless.go`, 111), and locks that as any other.
    fn dgram_held(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        to: Option<&SockAddr>,
    ) -> Result<Reader<P>, Errno> {
        let Some(name) = to else { return self.record_held(so, message, Errno::Enotconn) };
        self.connect_to_send(so, name)?;
        let sent = self.record_held(so, message, Errno::Econnrefused);
        self.unp_disconnect(so);
        so.st().clear(State::CONNECTING);
        sent
    }

    /// `gone`: what it is called that there is no peer.
    fn record_held(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        gone: Errno,
    ) -> Result<Reader<P>, Errno> {
        let reader = so.peer().ok_or(gone)?;
        let from = so.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        let bytes = sa_len(&from) + message.data.len() + message.control_bytes();
        let mut so2 = self.policy.side_lock(&reader, Side::Rcv);
        if !so2.has_room(bytes) {
            self.policy.side_unlock(so2, Side::Rcv);
            return Err(Errno::Enobufs);
        }
        self.sbappend(so, &mut so2, message, Some(&from));
        self.policy.side_unlock(so2, Side::Rcv);
        Ok(Some(reader))
    }
}
