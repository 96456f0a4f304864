//! Names and connections: bind, listen, connect, accept.

use std::collections::VecDeque;

use lockimpls::{Errno, SockAddr, SockType};

use super::sockbuf::Sockbuf;
use super::{Fd, Id, Sock, State};

impl State {
    /// `unp_bind` (uipc_usrreq.c:649).
    pub(super) fn bind(&mut self, fd: Fd, addr: &SockAddr) -> Result<(), Errno> {
        let so = self.getsock(fd)?;
        if self.sock(so).vnode.is_some() {
            return Err(Errno::Einval); // :661
        }
        if addr.is_unnamed() {
            return Err(Errno::Enoent); // :693, vfs_lookup.c 1.86:157
        }
        let name = addr.path().to_vec();
        if self.names.contains_key(&name) {
            return Err(Errno::Eaddrinuse); // :708
        }
        if self.vnodes() >= self.limits.sockets {
            return Err(Errno::Enospc); // :715
        }
        self.names.insert(name.clone(), Some(so)); // :725
        let sock = self.sock(so);
        (sock.addr, sock.vnode) = (Some(*addr), Some(name));
        Ok(())
    }

    /// How many names there are, with those that only a socket still holds.
    fn vnodes(&self) -> usize {
        let names = &self.names;
        let is_removed = |(id, sock): &(&Id, &Sock)| {
            sock.vnode.as_ref().is_some_and(|name| names.get(name) != Some(&Some(**id)))
        };
        names.len() + self.socks.iter().filter(is_removed).count()
    }

    /// `solisten` (uipc_socket.c:222). A datagram socket may listen as well.
    pub(super) fn listen(&mut self, fd: Fd, backlog: i32) -> Result<(), Errno> {
        let so = self.getsock(fd)?;
        let (least, most) = (self.limits.sominconn, self.limits.somaxconn);
        let sock = self.sock(so);
        if sock.is_connected {
            return Err(Errno::Einval); // :228
        }
        if sock.vnode.is_none() {
            return Err(Errno::Einval); // uipc_usrreq.c:224
        }
        sock.is_listener = true; // :238: the queue of no listener is empty
        sock.qlimit = usize::try_from(backlog).unwrap_or(most).min(most).max(least); // :240
        Ok(())
    }

    /// `sys_connect`, `soconnect` (uipc_syscalls.c:370, uipc_socket.c:471).
    pub(super) fn connect(&mut self, fd: Fd, addr: &SockAddr) -> Result<(), Errno> {
        let so = self.getsock(fd)?;
        let sock = self.sock(so);
        if sock.is_listener {
            return Err(Errno::Eopnotsupp); // uipc_socket.c:477
        }
        if sock.is_connected {
            if sock.needs_connection() {
                return Err(Errno::Eisconn); // uipc_socket.c:485
            }
            self.unp_disconnect(so); // uipc_socket.c:487
        }
        self.unp_connect(so, addr)?;
        // What was pending is told, though the socket is connected now.
        self.sock(so).error.take().map_or(Ok(()), Err) // uipc_syscalls.c:423
    }

    /// `unp_connect` (uipc_usrreq.c:740).
    pub(super) fn unp_connect(&mut self, so: Id, addr: &SockAddr) -> Result<(), Errno> {
        let vnode = self.names.get(addr.path()).ok_or(Errno::Enoent)?; // :769
        let so2 = vnode.ok_or(Errno::Econnrefused)?; // :780
        let kind = self.sock(so).kind;
        if self.sock(so2).kind != kind {
            return Err(Errno::Eprototype); // :784
        }
        let so2 = if kind == SockType::Dgram { so2 } else { self.sonewconn(so2)? }; // :789
        self.unp_connect2(so, so2); // :836
        Ok(())
    }

    /// `unp_connect2` with `soisconnected`, which takes back nothing of what was shut down
    /// (uipc_usrreq.c:863, uipc_socket2.c:100).
    pub(super) fn unp_connect2(&mut self, so: Id, so2: Id) {
        self.sock(so).conn = Some(so2); // :874
        self.sock(so).is_connected = true;
        if self.sock(so).kind != SockType::Dgram {
            self.sock(so2).conn = Some(so); // :884
            self.sock(so2).is_connected = true;
        }
    }

    /// `sonewconn`: a socket for a connection, in the listener's queue, which has of the listener
    /// its state and its sizes (uipc_socket2.c:171).
    fn sonewconn(&mut self, head: Id) -> Result<Id, Errno> {
        let sb_max = self.limits.sb_max;
        let listener = self.sock(head);
        if !listener.is_listener {
            return Err(Errno::Econnrefused); // uipc_usrreq.c:792
        }
        if listener.queue.len() > listener.qlimit * 3 {
            return Err(Errno::Econnrefused); // :186
        }
        let (mut snd, mut rcv) = (Sockbuf::default(), Sockbuf::default());
        // A listener that was shut down for reading has no size to give.
        if !snd.reserve(listener.snd.hiwat, sb_max) || !rcv.reserve(listener.rcv.hiwat, sb_max) {
            return Err(Errno::Econnrefused); // :212
        }
        (snd.lowat, rcv.lowat) = (listener.snd.lowat, listener.rcv.lowat); // :219, :222
        let made = Sock {
            kind: listener.kind,                 // :191
            is_connected: listener.is_connected, // :194, the three
            cant_send: listener.cant_send,
            cant_recv: listener.cant_recv,
            error: None,
            is_listener: false, // :192
            qlimit: 0,
            queue: VecDeque::new(),
            snd,
            rcv,
            conn: None,
            addr: listener.addr, // uipc_usrreq.c:815
            vnode: None,
            has_file: false, // :194
            nonblock: false,
        };
        let so = self.attach(made).map_err(|_| Errno::Econnrefused)?; // :241
        self.sock(head).queue.push_back(so); // :127, of soisconnected
        Ok(so)
    }

    /// `doaccept` (uipc_syscalls.c:240).
    pub(super) fn accept(&mut self, fd: Fd) -> Result<(Fd, SockAddr), Errno> {
        let head = self.getsock(fd)?; // :255
        self.falloc(0)?; // :261
        let listener = self.sock(head);
        if !listener.is_listener {
            return Err(Errno::Einval); // :275
        }
        if listener.nonblock && listener.queue.is_empty() {
            let is_over = listener.cant_recv;
            return Err(if is_over { Errno::Econnaborted } else { Errno::Ewouldblock }); // :279
        }
        if let Some(errno) = listener.error.take() {
            return Err(errno); // :296
        }
        let Some(so) = listener.queue.pop_front() else {
            let is_over = listener.cant_recv;
            return Err(if is_over { Errno::Econnaborted } else { Errno::Ewouldblock }); // :287
        };
        let nonblock = listener.nonblock; // :314
        let sock = self.sock(so);
        (sock.has_file, sock.nonblock) = (true, nonblock);
        let name = self.peeraddr(so); // soaccept, uipc_usrreq.c:258
        Ok((self.fdinsert(so), name))
    }

    /// The name of the peer, if there still is one and it has a name (uipc_usrreq.c:184).
    fn peeraddr(&mut self, so: Id) -> SockAddr {
        let so2 = self.sock(so).conn;
        so2.and_then(|so2| self.sock(so2).addr).unwrap_or(SockAddr::UNNAMED)
    }

    /// `sys_getsockname` (uipc_syscalls.c:1056).
    pub(super) fn getsockname(&mut self, fd: Fd) -> Result<SockAddr, Errno> {
        let so = self.getsock(fd)?;
        Ok(self.sock(so).addr.unwrap_or(SockAddr::UNNAMED))
    }

    /// `sys_getpeername` (uipc_syscalls.c:1095).
    pub(super) fn getpeername(&mut self, fd: Fd) -> Result<SockAddr, Errno> {
        let so = self.getsock(fd)?;
        if !self.sock(so).is_connected {
            return Err(Errno::Enotconn); // :1114
        }
        Ok(self.peeraddr(so))
    }
}
