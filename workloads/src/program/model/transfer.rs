//! The model's send and receive.

use lockimpls::{Errno, MsgFlags, RecvMsg, SendMsg, SockAddr, SockType};

use super::{Fd, Id, Record, State, control_len};

/// The most descriptors in one message: what fits in a cluster of 2 KiB.
const RIGHTS_MAX: usize = 127;

/// What one send hands to the protocol at once.
struct Message<'a> {
    data: &'a [u8],
    rights: &'a [Id],
    is_eor: bool,
}

impl Message<'_> {
    /// It, as it lies in a buffer.
    fn from(&self, from: Option<SockAddr>) -> Record {
        let (rights, data) = (self.rights.to_vec(), self.data.to_vec());
        Record { rights, data, from, is_eor: self.is_eor }
    }
}

impl State {
    pub(super) fn send(&mut self, fd: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        let id = self.id(fd)?;
        if msg.flags.contains(MsgFlags::OOB) {
            return Err(Errno::Eopnotsupp);
        }
        if msg.flags.contains(MsgFlags::EOR) && self.sock(id).kind == SockType::Stream {
            return Err(Errno::Einval);
        }
        let (mut sent, mut rights) = (0, msg.rights);
        loop {
            let rest = &msg.data[sent..];
            let bytes = match self.room_to_send(id, rest.len(), rights.len(), msg.to) {
                Ok(room) => room.min(rest.len()),
                // What went out before the buffer was full is not taken back.
                Err(Errno::Ewouldblock) if sent > 0 => return Ok(sent),
                Err(errno) => return Err(errno),
            };
            let files = self.files_of(rights)?;
            let is_eor = msg.flags.contains(MsgFlags::EOR);
            let message = Message { data: &rest[..bytes], rights: &files, is_eor };
            let delivered = self.deliver(id, &message, msg.to);
            if delivered.is_err() {
                self.discard(&files);
            }
            delivered?;
            (sent, rights) = (sent + bytes, &[]);
            if sent == msg.data.len() {
                return Ok(sent);
            }
        }
    }

    /// `sosend`'s checks, in its order: how many bytes may go now.
    fn room_to_send(
        &mut self,
        id: Id,
        resid: usize,
        rights: usize,
        to: Option<&SockAddr>,
    ) -> Result<usize, Errno> {
        let (sock, clen) = (self.sock(id), control_len(rights));
        if sock.cant_send {
            return Err(Errno::Epipe);
        }
        if let Some(errno) = sock.error.take() {
            return Err(errno);
        }
        if !sock.connected && sock.needs_connection() && (resid > 0 || rights == 0) {
            return Err(Errno::Enotconn);
        }
        if !sock.connected && !sock.needs_connection() && to.is_none() {
            return Err(Errno::Edestaddrreq);
        }
        if sock.is_atomic() && resid > sock.snd.hiwat {
            return Err(Errno::Emsgsize);
        }
        let space = sock.snd.hiwat.saturating_sub(sock.unread);
        let is_over = sock.unread > sock.snd.hiwat;
        if is_over || space < clen {
            return Err(Errno::Ewouldblock);
        }
        let left = space - clen;
        if left < resid && (sock.is_atomic() || space < sock.snd.lowat || left == 0) {
            return Err(Errno::Ewouldblock);
        }
        Ok(left)
    }

    /// `unp_internalize`: the files of descriptors.
    fn files_of(&self, fds: &[Fd]) -> Result<Vec<Id>, Errno> {
        if fds.is_empty() {
            return Ok(Vec::new());
        }
        if fds.len() > RIGHTS_MAX {
            return Err(Errno::E2big);
        }
        if self.in_flight() + fds.len() > self.limits.files / 10 {
            return Err(Errno::Emfile);
        }
        fds.iter().map(|fd| self.id(*fd)).collect()
    }

    /// The protocol's part of a send.
    fn deliver(
        &mut self,
        id: Id,
        message: &Message<'_>,
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        if self.sock(id).kind == SockType::Dgram {
            return self.deliver_dgram(id, message, to);
        }
        let peer = self.sock(id).peer.ok_or(Errno::Enotconn)?;
        let is_stream = self.sock(id).kind == SockType::Stream;
        let receiver = self.sock(peer);
        let record = message.from(None);
        // Only a message with descriptors looks for room at the peer.
        if !record.rights.is_empty() && receiver.rcv.hiwat < receiver.received() + record.len() {
            return Err(Errno::Enobufs);
        }
        match receiver.records.back_mut() {
            Some(last) if is_stream && record.rights.is_empty() => last.data.extend(record.data),
            _ if is_stream && record.len() == 0 => {}
            _ => receiver.records.push_back(record),
        }
        let unread = receiver.received();
        self.sock(id).unread = unread;
        Ok(())
    }

    fn deliver_dgram(
        &mut self,
        id: Id,
        message: &Message<'_>,
        to: Option<&SockAddr>,
    ) -> Result<(), Errno> {
        if let Some(addr) = to {
            if self.sock(id).peer.is_some() {
                return Err(Errno::Eisconn);
            }
            self.connect_to(id, addr)?;
        }
        let from = self.sock(id).addr.unwrap_or(SockAddr::UNNAMED);
        let peer = self.sock(id).peer.ok_or(Errno::Enotconn)?;
        let receiver = self.sock(peer);
        let record = message.from(Some(from));
        let fits = receiver.received() + record.len() <= receiver.rcv.hiwat;
        if fits {
            receiver.records.push_back(record);
        }
        if to.is_some() {
            self.part(id);
        }
        if fits { Ok(()) } else { Err(Errno::Enobufs) }
    }

    pub(super) fn receive(&mut self, fd: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        let (id, flags) = (self.id(fd)?, msg.flags);
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::Eopnotsupp);
        }
        (msg.flags, msg.rights_len) = (MsgFlags::empty(), 0);
        if !self.has_something(id, msg.data.len(), flags)? {
            return Ok(0);
        }
        let is_peek = flags.contains(MsgFlags::PEEK);
        if !is_peek && let Err(errno) = self.take_rights(id, msg) {
            self.was_received(id);
            return Err(errno);
        }
        let bytes = self.take_bytes(id, msg, is_peek);
        if !is_peek {
            self.was_received(id);
        }
        Ok(bytes)
    }

    /// `soreceive`'s checks, in its order: whether there is something to take; `false`: the end.
    fn has_something(&mut self, id: Id, room: usize, flags: MsgFlags) -> Result<bool, Errno> {
        let sock = self.sock(id);
        let has_data = !sock.records.is_empty();
        let is_short = !flags.contains(MsgFlags::DONTWAIT)
            && !sock.is_atomic()
            && sock.records.len() == 1
            && sock.received() < room
            && sock.received() < sock.rcv.lowat;
        if has_data && !is_short {
            return Ok(true);
        }
        if let Some(errno) = sock.error {
            if !has_data && !flags.contains(MsgFlags::PEEK) {
                sock.error = None;
            }
            return if has_data { Ok(true) } else { Err(errno) };
        }
        if sock.cant_recv {
            return Ok(has_data);
        }
        if sock.needs_connection() && !sock.connected {
            return Err(Errno::Enotconn);
        }
        if room == 0 { Ok(false) } else { Err(Errno::Ewouldblock) }
    }

    /// The descriptors of the first record; where they find no room they are lost, and with them
    /// a whole record where there are records.
    fn take_rights(&mut self, id: Id, msg: &mut RecvMsg<'_, Fd>) -> Result<(), Errno> {
        let room_for_files = self.room_for_files();
        let sock = self.sock(id);
        let is_stream = sock.kind == SockType::Stream;
        let Some(first) = sock.records.front_mut() else { return Ok(()) };
        let rights = std::mem::take(&mut first.rights);
        if rights.is_empty() {
            return Ok(());
        }
        if msg.rights.is_empty() {
            msg.flags |= MsgFlags::CTRUNC;
            self.discard(&rights);
            return Ok(());
        }
        if rights.len() > msg.rights.len().min(room_for_files) {
            if !is_stream || first.data.is_empty() {
                sock.records.pop_front();
            }
            self.discard(&rights);
            return Err(Errno::Emsgsize);
        }
        msg.rights_len = rights.len();
        for (slot, id) in msg.rights.iter_mut().zip(rights) {
            *slot = Some(self.open(id));
        }
        Ok(())
    }

    fn take_bytes(&mut self, id: Id, msg: &mut RecvMsg<'_, Fd>, is_peek: bool) -> usize {
        let sock = self.sock(id);
        let is_stream = sock.kind == SockType::Stream;
        let Some(first) = sock.records.front_mut() else { return 0 };
        let bytes = first.data.len().min(msg.data.len());
        msg.data[..bytes].copy_from_slice(&first.data[..bytes]);
        msg.from = first.from.unwrap_or(SockAddr::UNNAMED);
        let is_cut = bytes < first.data.len();
        msg.flags.set(MsgFlags::TRUNC, is_cut && !is_stream);
        msg.flags.set(MsgFlags::EOR, first.is_eor && !is_cut);
        if is_peek {
            return bytes;
        }
        if is_stream && is_cut {
            first.data.drain(..bytes);
        } else {
            sock.records.pop_front();
        }
        bytes
    }

    /// What was taken counts at the sender no more.
    fn was_received(&mut self, id: Id) {
        let (received, sock) = (self.sock(id).received(), self.sock(id));
        if sock.needs_connection()
            && let Some(peer) = sock.peer
        {
            self.sock(peer).unread = received;
        }
    }
}
