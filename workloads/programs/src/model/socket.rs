//! Making, shutting down and closing sockets.

use std::collections::VecDeque;

use lockimpls::{Errno, Shutdown, SockType};

use super::mbuf::MCLBYTES;
use super::sockbuf::Sockbuf;
use super::{Fd, Id, Sock, State};

impl State {
    /// `socreate` with `uipc_attach` (uipc_socket.c:164, uipc_usrreq.c:474).
    pub(super) fn socreate(&mut self, kind: SockType) -> Result<Id, Errno> {
        let sb_max = self.limits.sb_max;
        let (send, recv) = match kind {
            SockType::Dgram => (self.limits.dgram_send, self.limits.dgram_recv),
            _ => (self.limits.connected, self.limits.connected),
        };
        let (mut snd, mut rcv) = (Sockbuf::default(), Sockbuf::default());
        if !snd.reserve(send, sb_max) || !rcv.reserve(recv, sb_max) {
            return Err(Errno::Enobufs); // uipc_usrreq.c:499
        }
        // uipc_socket2.c:550
        (rcv.lowat, snd.lowat) = (1, MCLBYTES.min(snd.hiwat));
        self.attach(Sock {
            kind,
            is_connected: false,
            cant_send: false,
            cant_recv: false,
            error: None,
            is_listener: false,
            qlimit: 0,
            queue: VecDeque::new(),
            snd,
            rcv,
            conn: None,
            addr: None,
            vnode: None,
            has_file: true,
            nonblock: false,
        })
    }

    /// The end of `uipc_attach`: there is room for so many control blocks (uipc_usrreq.c:502).
    pub(super) fn attach(&mut self, sock: Sock) -> Result<Id, Errno> {
        if self.socks.len() >= self.limits.sockets {
            return Err(Errno::Enobufs); // :504
        }
        let id = self.fresh();
        self.socks.insert(id, sock);
        Ok(id)
    }

    /// `sys_socket` (uipc_syscalls.c:67): the socket is made before a descriptor is looked for.
    pub(super) fn socket(&mut self, kind: SockType) -> Result<Fd, Errno> {
        let has_slot = self.falloc(0);
        let so = self.socreate(kind)?; // :96
        self.slot_or_close(has_slot, &[so])?; // :101
        Ok(self.fdinsert(so))
    }

    /// `sys_socketpair` (uipc_syscalls.c:441).
    pub(super) fn socketpair(&mut self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        let has_slots = self.falloc(0).and_then(|()| self.falloc(1));
        let so1 = self.socreate(kind)?; // :459
        let so2 = match self.socreate(kind) {
            Ok(so2) => so2,
            Err(errno) => {
                self.soclose(so1); // :464
                return Err(errno);
            }
        };
        self.unp_connect2(so1, so2); // :466
        if kind == SockType::Dgram {
            self.unp_connect2(so2, so1); // :474
        }
        self.slot_or_close(has_slots, &[so2, so1])?; // :479, :485
        Ok((self.fdinsert(so1), self.fdinsert(so2)))
    }

    /// Sockets for which there is no descriptor are closed.
    fn slot_or_close(&mut self, slot: Result<(), Errno>, made: &[Id]) -> Result<(), Errno> {
        if slot.is_err() {
            made.iter().for_each(|so| self.soclose(*so)); // :104, :520
        }
        slot
    }

    /// `sys_dup` (kern_descrip.c:288).
    pub(super) fn dup(&mut self, fd: Fd) -> Result<Fd, Errno> {
        let file = self.getsock(fd)?; // :300
        self.fdalloc(0)?; // :303
        Ok(self.fdinsert(file))
    }

    /// `soshutdown` (uipc_socket.c:1194).
    pub(super) fn shutdown(&mut self, fd: Fd, how: Shutdown) -> Result<(), Errno> {
        let so = self.getsock(fd)?;
        if how != Shutdown::Write {
            self.sorflush(so); // :1202, :1205
        }
        if how != Shutdown::Read {
            self.sock(so).cant_send = true; // uipc_usrreq.c:264
            if self.sock(so).needs_connection()
                && let Some(so2) = self.sock(so).conn
            {
                self.sock(so2).cant_recv = true; // uipc_usrreq.c:941
            }
        }
        Ok(())
    }

    /// `sorflush`: the whole buffer is zeroed, its limits and low-water mark too
    /// (uipc_socket.c:1221).
    fn sorflush(&mut self, so: Id) {
        let sock = self.sock(so);
        sock.cant_recv = true; // :1232
        let rcv = std::mem::take(&mut sock.rcv); // :1234
        for m in rcv.records.iter().flatten() {
            self.unp_discard(m.files()); // :1239
        }
    }

    /// `sys_close` (kern_descrip.c:771).
    pub(super) fn close(&mut self, fd: Fd) -> Result<(), Errno> {
        let file = self.fds.remove(&fd).ok_or(Errno::Ebadf)?; // :757
        self.frele(file);
        Ok(())
    }

    /// `soclose` (uipc_socket.c:363).
    pub(super) fn soclose(&mut self, so: Id) {
        if self.sock(so).is_connected {
            self.unp_disconnect(so); // :375
        }
        self.unp_detach(so); // :396
        for so2 in std::mem::take(&mut self.sock(so).queue) {
            self.unp_detach(so2); // soabort :418: uipc_usrreq.c:391
            self.sofree(so2);
        }
        self.sofree(so); // :438
    }

    /// `sofree` (uipc_socket.c:251).
    fn sofree(&mut self, so: Id) {
        self.sorflush(so); // :333
        self.socks.remove(&so);
    }

    /// `unp_detach` (uipc_usrreq.c:570).
    fn unp_detach(&mut self, so: Id) {
        if let Some(name) = self.sock(so).vnode.take()
            && self.names.get(&name) == Some(&Some(so))
        {
            self.names.insert(name, None); // :590: the name stays
        }
        self.unp_disconnect(so); // :604
        for so2 in self.socks.values_mut().filter(|so2| so2.conn == Some(so)) {
            so2.conn = None; // :628
            so2.error = Some(Errno::Econnreset);
            so2.is_connected = false;
        }
        self.gc_after_detach();
    }

    /// `unp_disconnect` (uipc_usrreq.c:896).
    pub(super) fn unp_disconnect(&mut self, so: Id) {
        let Some(so2) = self.sock(so).conn.take() else { return };
        if self.sock(so).kind == SockType::Dgram {
            self.sock(so).is_connected = false; // :911
            return;
        }
        self.sock(so2).conn = None; // :919
        for end in [so, so2] {
            let sock = self.sock(end);
            (sock.snd.cc, sock.snd.mbcnt) = (0, 0); // :916, :920
            // soisdisconnected: uipc_socket2.c:155
            sock.is_connected = false;
            (sock.cant_send, sock.cant_recv) = (true, true);
        }
    }
}
