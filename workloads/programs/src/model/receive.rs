//! Receiving: `recvit`, `soreceive`, and PRU_RCVD of `uipc_usrreq`.

use lockimpls::{Errno, MsgFlags, RecvMsg, SockAddr, SockType};

use super::mbuf::Content;
use super::{Fd, Id, State};

/// What one turn of `soreceive` came to.
enum Turn {
    /// The call ends with so many bytes.
    Done(usize),
    /// It took nothing that counts and starts again.
    Restart,
}

impl State {
    /// `recvit` (uipc_syscalls.c:796) with `soreceive` (uipc_socket.c:798). What would wait answers
    /// EWOULDBLOCK.
    pub(super) fn receive(&mut self, fd: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        let so = self.getsock(fd)?;
        let mut flags = msg.flags;
        if self.sock(so).nonblock {
            flags |= MsgFlags::DONTWAIT; // uipc_syscalls.c:841
        }
        (msg.flags, msg.rights_len) = (MsgFlags::empty(), 0);
        msg.fill_from(SockAddr::UNNAMED);
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::Eopnotsupp); // :819, uipc_usrreq.c:414
        }
        loop {
            if !self.is_ready(so, flags, msg)? {
                return Ok(0);
            }
            let turn = match flags.contains(MsgFlags::PEEK) {
                true => Turn::Done(self.peek(so, msg)),
                false => self.take(so, msg)?,
            };
            if let Turn::Done(bytes) = turn {
                return Ok(bytes);
            }
        }
    }

    /// Whether there is something to take now (uipc_socket.c:862); `false`: the call ends with
    /// nothing.
    fn is_ready(&mut self, so: Id, flags: MsgFlags, msg: &RecvMsg<'_, Fd>) -> Result<bool, Errno> {
        let (room, has_control) = (msg.data.len(), !msg.rights.is_empty());
        let sock = self.sock(so);
        let has_data = !sock.rcv.records.is_empty();
        let is_short = !flags.contains(MsgFlags::DONTWAIT)
            && sock.rcv.cc < room
            && sock.rcv.cc < sock.rcv.lowat
            && sock.rcv.records.len() == 1
            && !sock.is_atomic();
        if has_data && !is_short {
            return Ok(true);
        }
        if let Some(errno) = sock.error {
            if has_data {
                return Ok(true); // :876
            }
            if !flags.contains(MsgFlags::PEEK) {
                sock.error = None; // :879
            }
            return Err(errno);
        }
        if sock.cant_recv {
            return Ok(has_data); // :883
        }
        if sock.rcv.records.front().is_some_and(|record| record.iter().any(|m| m.is_eor)) {
            return Ok(true); // :889
        }
        if sock.needs_connection() && !sock.is_connected {
            return Err(Errno::Enotconn); // :894
        }
        if room == 0 && !has_control { Ok(false) } else { Err(Errno::Ewouldblock) } // :899, :901
    }

    /// MSG_PEEK: the first record is looked at. Descriptors are not shown (uipc_socket.c:965), and
    /// a turn that met any mbuf is the last (:941, :1002, :1070, :1102).
    fn peek(&mut self, so: Id, msg: &mut RecvMsg<'_, Fd>) -> usize {
        let sock = self.sock(so);
        let is_atomic = sock.is_atomic();
        let mut copied = 0;
        for m in sock.rcv.records.front().into_iter().flatten() {
            let bytes = match &m.content {
                Content::Name(addr) => {
                    msg.fill_from(*addr); // :944
                    continue;
                }
                Content::Control(..) => continue,
                Content::Data(bytes) => bytes,
            };
            if copied == msg.data.len() || msg.flags.contains(MsgFlags::EOR) {
                msg.flags.set(MsgFlags::TRUNC, is_atomic); // :1020, :1125, :1151
                break;
            }
            let len = bytes.len().min(msg.data.len() - copied); // :1043
            msg.data[copied..copied + len].copy_from_slice(&bytes[..len]);
            copied += len;
            if len < bytes.len() {
                msg.flags.set(MsgFlags::TRUNC, is_atomic); // :1151
                break;
            }
            msg.flags.set(MsgFlags::EOR, m.is_eor); // :1065
        }
        copied
    }

    /// The first record, or of a stream what there is room for (uipc_socket.c:915 to :1180).
    fn take(&mut self, so: Id, msg: &mut RecvMsg<'_, Fd>) -> Result<Turn, Errno> {
        let mut may_restart = !msg.data.is_empty(); // :1176
        let before = self.sock(so).rcv.records.len();
        if self.sock(so).kind == SockType::Dgram {
            may_restart = false; // :941
            if let Some(Content::Name(addr)) = self.sock(so).rcv.pop().map(|m| m.content) {
                msg.fill_from(addr); // :949
            }
        }
        let mut error = Ok(());
        if self.first_files(so).is_some() {
            may_restart = false; // :1002
            error = self.take_control(so, msg);
        }
        // The record is whole or in part still there; a mark for when it is used up.
        let is_left = |state: &mut State| state.sock(so).rcv.records.len() == before;
        let mut copied = 0;
        while error.is_ok() && is_left(self) && copied < msg.data.len() {
            copied += self.take_data(so, &mut msg.data[copied..], &mut msg.flags);
            if msg.flags.contains(MsgFlags::EOR) {
                break; // :1125
            }
        }
        if is_left(self) && self.sock(so).is_atomic() {
            msg.flags |= MsgFlags::TRUNC; // :1151
            self.sock(so).rcv.drop_record();
        }
        self.pru_rcvd(so); // :1172
        error?;
        let is_over = msg.flags.contains(MsgFlags::EOR) || self.sock(so).cant_recv;
        let restarts = may_restart && copied == 0 && !is_over;
        Ok(if restarts { Turn::Restart } else { Turn::Done(copied) }) // :1176
    }

    /// The files of a control message at the head of the buffer.
    fn first_files(&mut self, so: Id) -> Option<Vec<Id>> {
        match &self.sock(so).rcv.records.front()?.first()?.content {
            Content::Control(files, _) => Some(files.clone()),
            _ => None,
        }
    }

    /// The control message at the head of the buffer (uipc_socket.c:971).
    fn take_control(&mut self, so: Id, msg: &mut RecvMsg<'_, Fd>) -> Result<(), Errno> {
        let files = self.first_files(so).unwrap_or_default();
        self.sock(so).rcv.pop();
        if msg.rights.is_empty() {
            self.unp_discard(&files); // :992. No MSG_CTRUNC: uipc_syscalls.c:884
            return Ok(());
        }
        let fds = self.unp_externalize(files, msg.rights.len())?; // :980
        msg.rights_len = fds.len();
        for (slot, fd) in msg.rights.iter_mut().zip(fds) {
            *slot = Some(fd);
        }
        Ok(())
    }

    /// Bytes of the first mbuf (uipc_socket.c:1040): how many.
    fn take_data(&mut self, so: Id, room: &mut [u8], flags: &mut MsgFlags) -> usize {
        let rcv = &mut self.sock(so).rcv;
        let first = rcv.records.front_mut().and_then(|record| record.first_mut());
        let Some(m) = first else { return 0 };
        let is_eor = m.is_eor;
        let Content::Data(bytes) = &mut m.content else { return 0 };
        let len = bytes.len().min(room.len()); // :1043
        room[..len].copy_from_slice(&bytes[..len]);
        if len == bytes.len() {
            flags.set(MsgFlags::EOR, is_eor); // :1065
            rcv.pop(); // :1073
        } else {
            bytes.drain(..len); // :1106
            rcv.cc -= len;
        }
        len
    }

    /// PRU_RCVD, where the protocol wants it (uipc_usrreq.c:268).
    fn pru_rcvd(&mut self, so: Id) {
        if self.sock(so).needs_connection()
            && let Some(so2) = self.sock(so).conn
        {
            self.backpressure(so, so2); // :283
        }
    }
}
