//! The model's requests that are not about data.

use lockimpls::{Errno, Shutdown, SockAddr, SockOpt, SockType};

use super::{Fd, Id, Side, Sock, State};

use std::collections::VecDeque;

impl State {
    fn create(&mut self, kind: SockType) -> Result<Id, Errno> {
        if self.socks.len() >= self.limits.sockets {
            return Err(Errno::Enobufs);
        }
        let (snd, rcv) = match kind {
            SockType::Dgram => (self.limits.dgram_send, self.limits.dgram_recv),
            _ => (self.limits.connected, self.limits.connected),
        };
        let id = self.fresh();
        let sock = Sock {
            kind,
            nonblock: false,
            connected: false,
            cant_send: false,
            cant_recv: false,
            error: None,
            peer: None,
            addr: None,
            bound: None,
            backlog: None,
            queue: VecDeque::new(),
            is_embryo: false,
            snd: Side { hiwat: snd, lowat: snd.min(2048) },
            rcv: Side { hiwat: rcv, lowat: 1 },
            unread: 0,
            records: VecDeque::new(),
        };
        self.socks.insert(id, sock);
        Ok(id)
    }

    pub(super) fn socket(&mut self, kind: SockType) -> Result<Fd, Errno> {
        if self.room_for_files() < 1 {
            return Err(Errno::Emfile);
        }
        let id = self.create(kind)?;
        Ok(self.open(id))
    }

    pub(super) fn socketpair(&mut self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        if self.room_for_files() < 2 {
            return Err(Errno::Emfile);
        }
        if self.socks.len() + 2 > self.limits.sockets {
            return Err(Errno::Enobufs);
        }
        let (a, b) = (self.create(kind)?, self.create(kind)?);
        self.join(a, b);
        self.join(b, a);
        Ok((self.open(a), self.open(b)))
    }

    /// `b` becomes the peer of `a`.
    fn join(&mut self, a: Id, b: Id) {
        let sock = self.sock(a);
        sock.peer = Some(b);
        sock.connected = true;
    }

    pub(super) fn bind(&mut self, fd: Fd, addr: &SockAddr) -> Result<(), Errno> {
        let id = self.id(fd)?;
        let name = addr.path().to_vec();
        if name.is_empty() || self.sock(id).bound.is_some() {
            return Err(Errno::Einval);
        }
        if self.names.contains_key(&name) {
            return Err(Errno::Eaddrinuse);
        }
        self.names.insert(name.clone(), Some(id));
        let sock = self.sock(id);
        sock.bound = Some(name);
        sock.addr = Some(*addr);
        Ok(())
    }

    pub(super) fn listen(&mut self, fd: Fd, backlog: i32) -> Result<(), Errno> {
        let id = self.id(fd)?;
        let (least, most) = (self.limits.backlog_least, self.limits.backlog_most);
        let sock = self.sock(id);
        if sock.connected || sock.bound.is_none() {
            return Err(Errno::Einval);
        }
        sock.backlog = Some(usize::try_from(backlog).unwrap_or(most).min(most).max(least));
        Ok(())
    }

    /// The socket that a name leads to.
    fn resolve(&self, addr: &SockAddr) -> Result<Id, Errno> {
        if addr.is_unnamed() {
            return Err(Errno::Einval);
        }
        let bound = self.names.get(addr.path()).ok_or(Errno::Enoent)?;
        bound.ok_or(Errno::Econnrefused)
    }

    pub(super) fn connect(&mut self, fd: Fd, addr: &SockAddr) -> Result<(), Errno> {
        let id = self.id(fd)?;
        let sock = self.sock(id);
        if sock.backlog.is_some() {
            return Err(Errno::Eopnotsupp);
        }
        if sock.connected {
            if sock.needs_connection() {
                return Err(Errno::Eisconn);
            }
            self.part(id);
        }
        self.connect_to(id, addr)
    }

    /// The protocol's part of a connect; of a datagram with an address too.
    pub(super) fn connect_to(&mut self, id: Id, addr: &SockAddr) -> Result<(), Errno> {
        let other = self.resolve(addr)?;
        let kind = self.sock(id).kind;
        if self.sock(other).kind != kind {
            return Err(Errno::Eprototype);
        }
        if kind == SockType::Dgram {
            self.join(id, other);
            return Ok(());
        }
        let embryo = self.embryo(other)?;
        self.join(id, embryo);
        self.join(embryo, id);
        Ok(())
    }

    /// A connection in the queue of a listener.
    fn embryo(&mut self, head: Id) -> Result<Id, Errno> {
        let listener = self.sock(head).clone();
        let longest = listener.backlog.ok_or(Errno::Econnrefused)?;
        if listener.queue.len() > 3 * longest {
            return Err(Errno::Econnrefused);
        }
        let id = self.create(listener.kind).map_err(|_| Errno::Econnrefused)?;
        let sock = self.sock(id);
        sock.is_embryo = true;
        sock.nonblock = listener.nonblock;
        (sock.snd, sock.rcv) = (listener.snd, listener.rcv);
        sock.addr = listener.addr;
        self.sock(head).queue.push_back(id);
        Ok(id)
    }

    pub(super) fn accept(&mut self, fd: Fd) -> Result<(Fd, SockAddr), Errno> {
        let head = self.id(fd)?;
        if self.room_for_files() < 1 {
            return Err(Errno::Emfile);
        }
        let listener = self.sock(head);
        if listener.backlog.is_none() {
            return Err(Errno::Einval);
        }
        let Some(id) = listener.queue.pop_front() else {
            return Err(match listener.error.take() {
                Some(errno) => errno,
                None if listener.cant_recv => Errno::Econnaborted,
                None => Errno::Ewouldblock,
            });
        };
        let sock = self.sock(id);
        sock.is_embryo = false;
        let client = sock.peer;
        let name = client.and_then(|client| self.sock(client).addr);
        Ok((self.open(id), name.unwrap_or(SockAddr::UNNAMED)))
    }

    /// Parts a socket from its peer.
    pub(super) fn part(&mut self, id: Id) {
        let Some(other) = self.sock(id).peer.take() else { return };
        self.sock(id).connected = false;
        if self.sock(id).kind == SockType::Dgram {
            return;
        }
        self.sock(other).peer = None;
        for end in [id, other] {
            let sock = self.sock(end);
            sock.connected = false;
            (sock.cant_send, sock.cant_recv) = (true, true);
            sock.unread = 0;
        }
    }

    pub(super) fn close(&mut self, fd: Fd) -> Result<(), Errno> {
        self.let_go = true;
        self.fds.remove(&fd).map(drop).ok_or(Errno::Ebadf)
    }

    /// The socket goes.
    pub(super) fn close_socket(&mut self, id: Id) {
        self.part(id);
        if let Some(name) = self.sock(id).bound.take()
            && self.names.get(&name) == Some(&Some(id))
        {
            self.names.insert(name, None);
        }
        for sock in self.socks.values_mut().filter(|sock| sock.peer == Some(id)) {
            sock.peer = None;
            sock.connected = false;
            sock.error = Some(Errno::Econnreset);
        }
        for embryo in std::mem::take(&mut self.sock(id).queue) {
            self.close_socket(embryo);
        }
        for record in self.socks.remove(&id).into_iter().flat_map(|sock| sock.records) {
            self.discard(&record.rights);
        }
    }

    pub(super) fn shutdown(&mut self, fd: Fd, how: Shutdown) -> Result<(), Errno> {
        let id = self.id(fd)?;
        if how != Shutdown::Write {
            let sock = self.sock(id);
            sock.cant_recv = true;
            sock.rcv = Side::default();
            for record in std::mem::take(&mut sock.records) {
                self.discard(&record.rights);
            }
        }
        let sock = self.sock(id);
        if how != Shutdown::Read {
            sock.cant_send = true;
            if sock.needs_connection()
                && let Some(peer) = sock.peer
            {
                self.sock(peer).cant_recv = true;
            }
        }
        Ok(())
    }

    pub(super) fn getpeername(&mut self, fd: Fd) -> Result<SockAddr, Errno> {
        let id = self.id(fd)?;
        let peer = self.sock(id).peer.ok_or(Errno::Enotconn)?;
        Ok(self.sock(peer).addr.unwrap_or(SockAddr::UNNAMED))
    }

    pub(super) fn setsockopt(
        &mut self,
        fd: Fd,
        option: SockOpt,
        value: usize,
    ) -> Result<(), Errno> {
        let (id, value, sb_max) = (self.id(fd)?, value.max(1), self.limits.sb_max);
        let sock = self.sock(id);
        let (is_over, side) = match option {
            SockOpt::SndBuf | SockOpt::SndLowat => (sock.cant_send, &mut sock.snd),
            SockOpt::RcvBuf | SockOpt::RcvLowat => (sock.cant_recv, &mut sock.rcv),
            SockOpt::Error => return Err(Errno::Enoprotoopt),
        };
        if let SockOpt::SndLowat | SockOpt::RcvLowat = option {
            side.lowat = value.min(side.hiwat);
            return Ok(());
        }
        if is_over || value > sb_max {
            return Err(Errno::Enobufs);
        }
        *side = Side { hiwat: value, lowat: side.lowat.min(value) };
        Ok(())
    }

    pub(super) fn getsockopt(&mut self, fd: Fd, option: SockOpt) -> Result<usize, Errno> {
        let id = self.id(fd)?;
        let sock = self.sock(id);
        Ok(match option {
            SockOpt::SndBuf => sock.snd.hiwat,
            SockOpt::RcvBuf => sock.rcv.hiwat,
            SockOpt::SndLowat => sock.snd.lowat,
            SockOpt::RcvLowat => sock.rcv.lowat,
            SockOpt::Error => sock.error.take().map_or(0, |errno| errno.code() as usize),
        })
    }
}
