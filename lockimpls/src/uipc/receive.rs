//! receive: `soreceive` (`uipc_socket.c` 1.279), `uipc_usrreq(PRU_RCVD)` (`uipc_usrreq.c` 1.166).
//!
//! The right to drain `so_rcv` (`sblock`) makes the caller its only consumer, so that the bytes can
//! be copied with the socket unlocked. Control messages and limits may change meanwhile: they are
//! read again. What was taken is accounted to the peer's `so_snd` afterwards, with both locked.
//!
//! A record of no bytes that nobody ended by hand is no answer: the receive takes it, accounts it,
//! and begins again, unless nothing more can come, or no bytes were asked for.

use crate::domain::{MsgFlags, RecvMsg, SockAddr};
use crate::errno::Errno;
use crate::fault::{Event, Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::{Fill, Record, Taken};
use crate::objects::socket::{RcvState, SendWords, Side, SocketLocks, State};
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;

/// What a look at the buffer found.
enum Found {
    /// Bytes of a stream, no control message before them.
    Bytes,
    /// A stream that is a row of records: it has a control message, or what is left of one.
    FirstRecord,
    /// A record.
    Record,
    /// The end of the stream, or nothing asked for: neither bytes nor descriptors.
    End,
    /// Nothing: wait.
    Wait,
}

impl<P: Policy> Locked<P> {
    /// `soreceive`: the call has begun (`data_enter`), before and after.
    #[inline(always)]
    pub(crate) fn soreceive(
        &self,
        so: &mut Held<P>,
        msg: &mut RecvMsg<'_, Fd>,
    ) -> Result<usize, Errno> {
        let flags = Self::msg_flags(so, msg.flags);
        loop {
            if let Some(bytes) = self.soreceive_once(so, msg, flags)? {
                return Ok(bytes);
            }
            self.sbwait(so, Side::Rcv);
        }
    }

    /// `soreceive` up to where it would wait: takes what there is. `None`: there is nothing, and
    /// the caller may wait for it.
    #[inline(always)]
    pub(crate) fn soreceive_once(
        &self,
        so: &mut Held<P>,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
    ) -> Result<Option<usize>, Errno> {
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::Eopnotsupp);
        }
        msg.flags = MsgFlags::empty();
        msg.rights_len = 0;
        if let Some(from) = &mut msg.from {
            **from = SockAddr::UNNAMED;
        }
        loop {
            let nonblock = flags.contains(MsgFlags::DONTWAIT);
            self.sblock(so, Side::Rcv, nonblock)?;
            let result = match Self::soreceive_look(so, msg, flags) {
                Ok(Found::Bytes) => {
                    let bytes = self.take_bytes(so, msg, flags);
                    self.sbunlock(so, Side::Rcv);
                    return Ok(Some(bytes));
                }
                Ok(Found::Wait) => {
                    self.sbunlock_to_wait(so, Side::Rcv);
                    return Ok(None);
                }
                Ok(Found::FirstRecord) => {
                    self.policy.look_to_side(so);
                    self.take_first_record(&mut so.lent(), msg, flags)
                }
                Ok(Found::Record) => self.take_record(&mut so.lent(), msg, flags),
                Ok(Found::End) => Ok(Some(0)),
                Err(errno) => Err(errno),
            };
            self.sbunlock(so, Side::Rcv);
            // `None`: what was taken was nothing, and the receive begins again (line 1176).
            if !matches!(result, Ok(None)) {
                return result;
            }
        }
    }

    /// Looks whether there is something to take; if not, why, in `soreceive`'s order (lines 862 to
    /// 904).
    #[inline(always)]
    fn soreceive_look(
        so: &Held<P>,
        msg: &RecvMsg<'_, Fd>,
        flags: MsgFlags,
    ) -> Result<Found, Errno> {
        let (so_rcv, seen) = so.so_rcv_to_look();
        let (has_data, is_enough) = Self::is_enough(so, so_rcv, msg.data.len(), flags);
        if is_enough {
            return Ok(Self::data(so, so_rcv));
        }
        if let Some(errno) = seen.so_error.get() {
            if has_data {
                return Ok(Self::data(so, so_rcv));
            }
            let is_peek = flags.contains(MsgFlags::PEEK);
            return Err(if is_peek { errno } else { seen.so_error.take().unwrap_or(errno) });
        }
        if so_rcv.cantrcvmore.get() {
            return Ok(if has_data { Self::data(so, so_rcv) } else { Found::End });
        }
        if so.connection_required() && !seen.is(State::ISCONNECTED) {
            return Err(Errno::Enotconn);
        }
        // Whoever has room for descriptors asks for something.
        if msg.data.is_empty() && msg.rights.is_empty() {
            return Ok(Found::End);
        }
        if flags.contains(MsgFlags::DONTWAIT) {
            return Err(Errno::Ewouldblock);
        }
        Ok(Found::Wait)
    }

    /// What kind of data the buffer has.
    #[inline(always)]
    fn data(so: &So<P>, so_rcv: &RcvState<P::Locks>) -> Found {
        if so.is_atomic() {
            Found::Record
        } else if so_rcv.control.get().is_some() || so_rcv.empty_first.get() {
            Found::FirstRecord
        } else {
            Found::Bytes
        }
    }

    /// Whether the buffer has anything, and whether it is enough to return. MSG_DONTWAIT takes what
    /// there is, whatever the low-water mark.
    #[inline(always)]
    fn is_enough(
        so: &So<P>,
        so_rcv: &RcvState<P::Locks>,
        resid: usize,
        flags: MsgFlags,
    ) -> (bool, bool) {
        if so.is_atomic() {
            let has_record = so.rcv.front().is_some();
            return (has_record, has_record);
        }
        let readable = so.rcv.stream_readable(resid.max(1));
        if readable >= resid.max(1) {
            // As much as is asked for: what else there is changes nothing.
            return (true, true);
        }
        let (control, is_left) = (so_rcv.control.get(), so_rcv.empty_first.get());
        let has_data = readable > 0 || control.is_some() || is_left;
        // `sb_cc`: a control message counts too.
        let count = readable + so_rcv.fill.get().cc;
        let short =
            !flags.contains(MsgFlags::DONTWAIT) && count < resid && count < so_rcv.lowat.get();
        // A control message after the first record is a second record: there is nothing to wait for
        // in the first.
        let ends = control
            .is_some_and(|m| m.position.get() > so.rcv.head() || m.next.get().is_some() || is_left);
        (has_data, has_data && (!short || ends))
    }

    #[inline(always)]
    fn take_bytes(&self, so: &mut Held<P>, msg: &mut RecvMsg<'_, Fd>, flags: MsgFlags) -> usize {
        let bytes = msg.data.len().min(so.rcv.stream_readable(msg.data.len()));
        if msg.data.is_empty() {
            self.policy.look_to_side(so);
        }
        self.uiomove(so, so.rcv.head(), msg, bytes);
        if !flags.contains(MsgFlags::PEEK) {
            so.rcv.stream_consume(bytes);
            self.pru_rcvd(so);
        }
        bytes
    }

    /// A stream with control messages is a row of records: each message begins one, whose bytes go
    /// to the next. A receive takes from the first alone.
    #[cold]
    fn take_first_record(
        &self,
        so: &mut Held<P>,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
    ) -> Result<Option<usize>, Errno> {
        let (is_peek, room) = (flags.contains(MsgFlags::PEEK), msg.data.len());
        let so_rcv = so.so_rcv();
        let begins_here = |m: &MbufRef<P::Locks>| m.position.get() == so.rcv.head();
        let here = so_rcv.control.get().filter(|m| begins_here(m) && !so_rcv.empty_first.get());
        if let Some(control) = here
            && !is_peek
        {
            Self::remove_control(so, control);
            so_rcv.empty_first.set(Self::first_record_len(so, so_rcv.control.get()) == 0);
            if let Err(errno) = self.deliver_control(so, control, msg) {
                self.pru_rcvd(so);
                return Err(errno);
            }
        }
        // Only now: the socket was unlocked, and more may have come.
        let next = match here {
            Some(control) if is_peek => control.next.get(),
            _ => so.so_rcv().control.get(),
        };
        let bytes = room.min(Self::first_record_len(so, next));
        self.uiomove(so, so.rcv.head(), msg, bytes);
        if is_peek {
            return Ok(Some(bytes));
        }
        so.rcv.stream_consume(bytes);
        let so_rcv = so.so_rcv();
        so_rcv.empty_first.set(so_rcv.empty_first.get() && room == 0);
        self.pru_rcvd(so);
        let is_nothing = here.is_none() && bytes == 0 && room > 0;
        Ok((!is_nothing || so.so_rcv().cantrcvmore.get()).then_some(bytes))
    }

    /// How many bytes there are before a control message, or at all.
    fn first_record_len(so: &So<P>, next: Option<MbufRef<P::Locks>>) -> usize {
        let readable = so.rcv.stream_readable(usize::MAX);
        next.map_or(readable, |m| m.position.get() - so.rcv.head())
    }

    fn take_record(
        &self,
        so: &mut Held<P>,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
    ) -> Result<Option<usize>, Errno> {
        let is_peek = flags.contains(MsgFlags::PEEK);
        let Some(record) = so.rcv.front() else { return Ok(Some(0)) };
        if let Some(from) = &mut msg.from {
            **from = so.rcv.record_from(record);
        }
        if record.marks.has_control
            && !is_peek
            && let Err(errno) = self.take_control(so, msg)
        {
            self.consume_record(so, record);
            return Err(errno);
        }
        let Taken { bytes, is_cut, is_eor } = record.taken(msg.data.len());
        msg.flags.set(MsgFlags::TRUNC, is_cut);
        msg.flags.set(MsgFlags::EOR, is_eor);
        self.uiomove(so, so.rcv.record_data(record), msg, bytes);
        if is_peek {
            return Ok(Some(bytes));
        }
        self.consume_record(so, record);
        let is_nothing = record.is_nothing() && !msg.data.is_empty();
        Ok((!is_nothing || so.so_rcv().cantrcvmore.get()).then_some(bytes))
    }

    /// Fills the caller's buffer with the socket unlocked: `sblock` keeps the bytes where they are,
    /// and a ring that is replaced meanwhile keeps them too. For a receive without room for bytes
    /// the socket is not unlocked (line 1020).
    #[inline(always)]
    pub(super) fn uiomove(
        &self,
        so: &mut Held<P>,
        position: usize,
        msg: &mut RecvMsg<'_, Fd>,
        bytes: usize,
    ) {
        if msg.data.is_empty() {
            return;
        }
        let ring = so.rcv.ring();
        self.sb_leave(so, Side::Rcv);
        P::Fault::note(Event::Copy);
        ring.copy_out(position, &mut msg.data[..bytes]);
        P::Fault::note(Event::Copied);
        P::Fault::window(Window::CopiedOut);
        self.sb_enter(so, Side::Rcv);
    }

    fn consume_record(&self, so: &mut Held<P>, record: Record) {
        so.rcv.record_consume(record);
        if so.connection_required() {
            self.pru_rcvd(so);
        }
    }

    /// Delivers a record's control message; where that fails the whole record is lost.
    fn take_control(&self, so: &mut Held<P>, msg: &mut RecvMsg<'_, Fd>) -> Result<(), Errno> {
        let Some(control) = so.so_rcv().control.get() else { return Ok(()) };
        Self::remove_control(so, control);
        self.deliver_control(so, control, msg)
    }

    /// Takes the first control message off the buffer.
    fn remove_control(so: &Held<P>, control: MbufRef<P::Locks>) {
        let so_rcv = so.so_rcv();
        so_rcv.control.set(control.next.take());
        let (fill, less) = (so_rcv.fill.get(), control.control_fill());
        so_rcv.fill.set(Fill { cc: fill.cc - less.cc, mbcnt: fill.mbcnt - less.mbcnt });
    }

    /// Turns a control message into descriptors of the caller's, the socket unlocked meanwhile;
    /// without a control buffer it is disposed of, and nothing tells the caller (`recvit` looks for
    /// MSG_CTRUNC in such a buffer alone: `uipc_syscalls.c` 1.196, line 884).
    fn deliver_control(
        &self,
        so: &mut Held<P>,
        control: MbufRef<P::Locks>,
        msg: &mut RecvMsg<'_, Fd>,
    ) -> Result<(), Errno> {
        if msg.rights.is_empty() {
            self.policy.side_leave(so, Side::Rcv);
            self.unp_discard(control);
            self.policy.side_enter(so, Side::Rcv);
            return Ok(());
        }
        self.sb_leave(so, Side::Rcv);
        let result = self.unp_externalize(control, msg.rights);
        self.sb_enter(so, Side::Rcv);
        msg.rights_len = result?;
        Ok(())
    }

    /// `PRU_RCVD`, from the receive side and back: accounts what was taken to the peer's `so_snd`,
    /// and wakes whoever waits there.
    #[inline(always)]
    fn pru_rcvd(&self, so: &mut Held<P>) {
        if Self::WAKES_UNLOCKED {
            return self.rcvd_unlocked(so);
        }
        if P::WAITS_AT_PEER {
            return self.rcvd_here(so);
        }
        if P::Fault::omits(Step::LookLocked) {
            return self.account_looks_first(so);
        }
        self.sb_to_so(so, Side::Rcv);
        if let Some(mut so2) = self.policy.peer_pin(so) {
            if P::SIDES_APART {
                self.account_apart(so, &mut so2);
                return self.so_to_sb(so, Side::Rcv);
            }
            self.sides_enter(so, &so2);
            if !P::Fault::omits(Step::MirrorReceived) {
                so2.account(so.rcv_fill(so.so_rcv()));
            }
            self.sides_leave(so, &mut so2);
            self.sowwakeup(&mut so2);
            self.policy.peer_unpin(so, so2);
        }
        self.so_to_sb(so, Side::Rcv);
    }

    /// The same where the peer's account is a word. With the receive side locked the peer stays
    /// what it is: whoever parts the two comes to this side before the parting is over
    /// (`soisdisconnected`), and the account of a socket that was parted is looked at no more.
    #[inline(always)]
    fn rcvd_unlocked(&self, so: &mut Held<P>) {
        let Some(so2) = so.locks.send_words().and_then(SendWords::peer) else { return };
        let fill = so.rcv_fill(so.so_rcv());
        if P::Fault::omits(Step::AccountLocked) {
            return self.account_later(so, &so2, fill);
        }
        P::Fault::window(Window::Account);
        if !P::Fault::omits(Step::MirrorReceived) {
            so2.account_word(fill);
        }
        self.wake_writer(so, &so2);
    }
}
