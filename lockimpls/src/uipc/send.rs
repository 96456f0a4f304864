//! send: `sosend` (`uipc_socket.c` 1.279), `uipc_usrreq(PRU_SEND)` (`uipc_usrreq.c` 1.166).
//!
//! The sender waits on its own `so_snd`, which mirrors what of it lies unread at the peer. The lock
//! is dropped while the caller's bytes are copied; afterwards only the protocol looks again. The
//! right to fill `so_snd` (`sblock`) is kept until all is sent or the sender sleeps: until then no
//! other sender's bytes come between. `endpoint-queue` has that right for one attempt (`held.rs`),
//! `state-queue` has no such right.

use crate::domain::{MsgFlags, SendMsg, SockAddr, SockType};
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::mbuf::{MbufRef, control_len};
use crate::objects::sockbuf::Fill;
use crate::objects::socket::{SendLook, Side, State};
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;
use crate::uipc::room::{Room, room_for};

/// How much room out-of-band data is given beyond the limit.
const OOB_BYTES: isize = 1024;

/// How far a send has come.
pub(crate) struct Sending<'a> {
    /// What is left of the caller's bytes.
    pub(crate) rest: &'a [u8],
    /// Descriptors not passed yet.
    pub(super) rights: &'a [Fd],
    pub(super) to: Option<&'a SockAddr>,
    pub(super) nonblock: bool,
    /// MSG_EOR.
    pub(super) is_eor: bool,
    /// MSG_OOB: the room beyond the limit that out-of-band data is given. 0 without it.
    pub(super) oob_bytes: isize,
}

/// A message on its way to a peer.
pub(super) struct Outgoing<'a, L> {
    pub(super) data: &'a [u8],
    pub(super) control: Option<MbufRef<L>>,
    pub(super) is_eor: bool,
}

impl<L> Outgoing<'_, L> {
    /// What the control message counts in a buffer.
    pub(super) fn control_bytes(&self) -> usize {
        self.control.map_or(0, |control| control.control_fill().cc)
    }
}

impl<'a> Sending<'a> {
    /// A send of nothing but bytes, to the peer.
    pub(crate) fn plain(data: &'a [u8], nonblock: bool) -> Self {
        Sending { rest: data, rights: &[], to: None, nonblock, is_eor: false, oob_bytes: 0 }
    }
}

impl<P: Policy> Locked<P> {
    /// `sosend`: the call has begun (`data_enter`), before and after.
    #[inline(always)]
    pub(crate) fn sosend(&self, so: &mut Held<P>, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        if msg.flags.contains(MsgFlags::EOR) && so.so_type.get() == SockType::Stream {
            return Err(Errno::Einval);
        }
        let flags = Self::msg_flags(so, msg.flags);
        let mut sending = Sending {
            rest: msg.data,
            rights: msg.rights,
            to: msg.to,
            nonblock: flags.contains(MsgFlags::DONTWAIT),
            is_eor: flags.contains(MsgFlags::EOR),
            oob_bytes: if flags.contains(MsgFlags::OOB) { OOB_BYTES } else { 0 },
        };
        if P::WAITS_AT_PEER && so.connection_required() {
            let result = self.sosend_pinned(so, &mut sending);
            return sent(msg.data.len() - sending.rest.len(), result);
        }
        let result = loop {
            let seen = if Self::WAKES_UNLOCKED { so.snd_wait.seen() } else { 0 };
            match self.sosend_once(so, &mut sending) {
                Ok(false) if Self::WAKES_UNLOCKED => self.await_room(so, seen),
                Ok(false) => self.sbwait(so, Side::Snd),
                Ok(true) => break Ok(()),
                Err(errno) => break Err(errno),
            }
        };
        sent(msg.data.len() - sending.rest.len(), result)
    }

    /// `sosend` as far as there is room: whether all is sent. If not, the caller may wait.
    #[inline(always)]
    pub(crate) fn sosend_once(
        &self,
        so: &mut Held<P>,
        sending: &mut Sending<'_>,
    ) -> Result<bool, Errno> {
        if P::SENDS_HELD {
            return self.sosend_held(so, sending);
        }
        if P::Fault::omits(Step::EndGuarded) && so.cantsendmore() {
            return Err(Errno::Epipe);
        }
        self.sblock(so, Side::Snd, sending.nonblock)?;
        match self.sosend_some(so, sending) {
            Ok(Room::Wait) => {
                self.sbunlock_to_wait(so, Side::Snd);
                Ok(false)
            }
            Ok(Room::Bytes(_)) => {
                self.sbunlock(so, Side::Snd);
                Ok(true)
            }
            Ok(Room::Ended(result)) => {
                self.sbunlock_to_wait(so, Side::Snd);
                result.map(|()| true)
            }
            Err(errno) => {
                self.sbunlock(so, Side::Snd);
                Err(errno)
            }
        }
    }

    /// Sends until all is sent (`Bytes`, `Ended`) or there is no room (`Wait`).
    #[inline(always)]
    fn sosend_some(&self, so: &mut Held<P>, sending: &mut Sending<'_>) -> Result<Room, Errno> {
        loop {
            let room = match self.sosend_look(so, sending)? {
                Room::Bytes(room) => room,
                Room::Wait if sending.nonblock => return Err(Errno::Ewouldblock),
                at_once => return Ok(at_once),
            };
            let (chunk, rest) = sending.rest.split_at(room.min(sending.rest.len()));
            let m = self.copy_in(so, chunk);
            let result = self.pru_send(so, m, sending);
            if !Self::ONE_HOLD {
                self.peer_to_sb(so);
            } else if result.is_err() || rest.is_empty() {
                self.mbufs.put(m);
                sending.rest = if result.is_err() { sending.rest } else { rest };
                return Ok(Room::Ended(result));
            } else {
                self.policy.side_enter(so, Side::Snd);
            }
            if result.is_ok() || !P::Fault::omits(Step::FreeOnNobufs) {
                self.mbufs.put(m);
            }
            result?;
            (sending.rest, sending.rights) = (rest, &[]);
            if rest.is_empty() {
                return Ok(Room::Bytes(0));
            }
        }
    }

    /// The look before a copy. Of a look with nothing locked, what says that there is no peer may
    /// be half of a parting: it is taken again with the socket locked, and then the parting is
    /// over, or has not begun.
    #[inline(always)]
    fn sosend_look(&self, so: &mut Held<P>, sending: &Sending<'_>) -> Result<Room, Errno> {
        let looks_again = P::SENDS_UNLOCKED && !P::Fault::omits(Step::PartedIsEpipe);
        match Self::sosend_room(so, sending) {
            Err(Errno::Enotconn | Errno::Edestaddrreq) if looks_again => {
                self.own_enter(so);
                let room = Self::sosend_room(so, sending);
                self.own_leave(so);
                room
            }
            room => room,
        }
    }

    /// `sosend`'s checks, in its order, and how much may go at once.
    #[inline(always)]
    pub(super) fn sosend_room(so: &Held<P>, sending: &Sending<'_>) -> Result<Room, Errno> {
        Self::room_beside(so, sending, |so_snd| so_snd.fill())
    }

    /// The same beside what the peer holds.
    #[inline(always)]
    pub(super) fn room_beside(
        so: &Held<P>,
        sending: &Sending<'_>,
        fill: impl FnOnce(&SendLook<'_, P::Locks>) -> Fill,
    ) -> Result<Room, Errno> {
        let (so_snd, seen) = so.so_snd_to_look();
        let (resid, clen) = (sending.rest.len(), control_len(sending.rights.len()));
        if so_snd.cantsendmore() {
            return Err(Errno::Epipe);
        }
        if let Some(errno) = seen.so_error.take() {
            return Err(errno);
        }
        if !seen.is(State::ISCONNECTED) {
            if so.connection_required() {
                if !(resid == 0 && clen != 0) {
                    return Err(Errno::Enotconn);
                }
            } else if sending.to.is_none() {
                return Err(Errno::Edestaddrreq);
            }
        }
        let limits = so_snd.limits();
        if so.is_atomic() && resid > limits.hiwat {
            return Err(Errno::Emsgsize);
        }
        let space = limits.space(fill(&so_snd)) + sending.oob_bytes;
        Ok(room_for(space, clen, resid, so.is_atomic(), so_snd.lowat()))
    }

    /// Copies the caller's bytes into a message, the socket unlocked meanwhile: from the send side
    /// to the socket itself; to neither, where the append begins with what it locks.
    #[inline(always)]
    fn copy_in(&self, so: &mut Held<P>, chunk: &[u8]) -> MbufRef<P::Locks> {
        self.sb_leave(so, Side::Snd);
        let m = self.message_of(chunk);
        P::Fault::window(Window::CopiedIn);
        if !Self::ONE_HOLD {
            self.sb_enter(so, Side::Snd);
            self.sb_to_peer(so);
        }
        m
    }

    /// `PRU_SEND`: hands a message to the peer. The caller keeps the message; a control message is
    /// made here, and either goes to the peer or is disposed of. Out-of-band data (`PRU_SENDOOB`)
    /// comes this far and no farther.
    #[inline(always)]
    fn pru_send(
        &self,
        so: &mut Held<P>,
        m: MbufRef<P::Locks>,
        sending: &Sending<'_>,
    ) -> Result<(), Errno> {
        if sending.oob_bytes != 0 {
            return Err(Errno::Eopnotsupp);
        }
        let message = Outgoing { data: m.data(), control: None, is_eor: sending.is_eor };
        if P::SIDES_APART {
            return self.pru_send_apart(so, message, sending.rights, sending.to);
        }
        if P::WAITS_AT_PEER {
            return self.pru_send_dgram(so, message, sending.rights, sending.to);
        }
        if sending.rights.is_empty() {
            return self.append(so, message, sending.to);
        }
        let control = if P::SENDS_UNLOCKED {
            self.unp_internalize(sending.rights)?
        } else {
            self.policy.so_leave(so);
            let control = self.unp_internalize(sending.rights);
            self.policy.so_enter(so);
            control?
        };
        let result = self.append(so, Outgoing { control: Some(control), ..message }, sending.to);
        if result.is_err() {
            self.unp_discard(control);
        }
        result
    }

    #[inline(always)]
    fn append(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        if so.so_type.get() == SockType::Dgram {
            return self.append_dgram(&mut so.lent(), message, to);
        }
        if P::SENDS_UNLOCKED && so.is_atomic() {
            self.peer_get(so);
        }
        self.append_connected(so, message)
    }

    /// STREAM and SEQPACKET: only what has a control message looks for room at the peer.
    #[inline(always)]
    fn append_connected(
        &self,
        so: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
    ) -> Result<(), Errno> {
        let mut so2 = self.policy.peer_pin(so).ok_or_else(|| self.no_peer(so))?;
        if Self::has_ended(so) {
            return self.refuse(so, so2, Errno::Epipe);
        }
        if P::Fault::omits(Step::SideOrder) {
            self.sides_reversed(so, &so2);
        }
        self.sides_enter(&so2, so);
        if message.control.is_some() && !so2.has_room(message.data.len() + message.control_bytes())
        {
            self.sides_leave(&mut so2, so);
            return self.refuse(so, so2, Errno::Enobufs);
        }
        self.sbappend(so, &mut so2, message, None);
        if P::Fault::omits(Step::MirrorLocked) {
            return self.mirror_later(so, so2);
        }
        let fill = so2.rcv_fill(so2.so_rcv());
        so.account(fill);
        self.sides_leave(&mut so2, so);
        // A reader waits for bytes: a record of none in an empty buffer does not wake it.
        if P::SENDS_UNLOCKED {
            self.unpin_and_wake(so, so2, fill.cc > 0);
            return Ok(());
        }
        if fill.cc > 0 {
            self.wake_reader(&mut so2);
        }
        self.policy.peer_unpin(so, so2);
        Ok(())
    }

    /// The message is at the peer: that is unlocked, and then its reader is woken, which needs no
    /// lock.
    #[inline(always)]
    pub(super) fn unpin_and_wake(&self, so: &So<P>, so2: Held<P>, has_bytes: bool) {
        let reader = so2.socket();
        self.policy.peer_unpin(so, so2);
        if has_bytes && !P::Fault::omits(Step::WakeReader) {
            self.wake_unlocked(&reader, Side::Rcv);
        }
    }

    /// Whether the stream has ended. Nothing goes after its end: the socket is looked at with the
    /// peer there and not before, because `peer_pin` may have unlocked it, and a shutdown may have
    /// told the peer's reader meanwhile that there is no more.
    #[inline(always)]
    pub(super) fn has_ended(so: &Held<P>) -> bool {
        so.cantsendmore() && !P::Fault::omits(Step::EndRecheck)
    }

    /// A message may not go to the peer.
    #[cold]
    fn refuse(&self, so: &So<P>, so2: Held<P>, errno: Errno) -> Result<(), Errno> {
        if !P::Fault::omits(Step::SendNobufsPeer) {
            self.policy.peer_unpin(so, so2);
        }
        if P::Fault::omits(Step::ReportNobufs) { Ok(()) } else { Err(errno) }
    }

    /// Why a connected send finds no peer, with the socket locked: where it was not, the parting
    /// may be half done.
    #[inline(always)]
    fn no_peer(&self, so: &mut Held<P>) -> Errno {
        self.own_enter(so);
        let errno = Self::why_no_peer(&so.lent());
        self.own_leave(so);
        errno
    }

    /// It was never there; or it parted while `peer_pin` had the socket unlocked, and that is EPIPE
    /// as it was before.
    #[cold]
    pub(super) fn why_no_peer(so: &Held<P>) -> Errno {
        let has_parted = so.cantsendmore();
        if has_parted && !P::Fault::omits(Step::PartedIsEpipe) {
            return Errno::Epipe;
        }
        Errno::Enotconn
    }

    #[inline(always)]
    pub(crate) fn wake_reader(&self, so2: &mut Held<P>) {
        if !P::Fault::omits(Step::WakeReader) {
            self.sorwakeup(so2);
        }
    }
}

/// What a send answers that got so far: what went out before the buffer was full is not taken back;
/// other errors hide it.
#[inline(always)]
pub(crate) fn sent(bytes: usize, result: Result<(), Errno>) -> Result<usize, Errno> {
    match result {
        Ok(()) => Ok(bytes),
        Err(Errno::Ewouldblock) if bytes > 0 => Ok(bytes),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod copy_share;
