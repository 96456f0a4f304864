//! Sending: `sendit`, `sosend`, and PRU_SEND of `uipc_usrreq`.

use lockimpls::{Errno, MsgFlags, SendMsg, SockAddr, SockType};

use super::mbuf::{Chain, MCLBYTES, Mbuf, controllen, fdpass_space, m_getuio};
use super::{Fd, Id, State};

impl State {
    /// `sendit` (uipc_syscalls.c:597). A name always passes `sockargs`: it has at most 106 bytes.
    pub(super) fn send(&mut self, fd: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        let so = self.getsock(fd)?; // :614
        if !msg.rights.is_empty() && controllen(msg.rights.len()) > MCLBYTES {
            return Err(Errno::Einval); // :661, sockargs :1147
        }
        let mut sent = 0;
        match self.sosend(so, msg, &mut sent) {
            Err(Errno::Ewouldblock) if sent > 0 => Ok(sent), // :684
            Err(errno) => Err(errno),
            Ok(()) => Ok(sent),
        }
    }

    /// `sosend` (uipc_socket.c:551). What would wait ends as with MSG_DONTWAIT.
    fn sosend(&mut self, so: Id, msg: &SendMsg<'_, Fd>, sent: &mut usize) -> Result<(), Errno> {
        let is_eor = msg.flags.contains(MsgFlags::EOR);
        if self.sock(so).kind == SockType::Stream && is_eor {
            return Err(Errno::Einval); // :564
        }
        let mut control = (!msg.rights.is_empty()).then_some(msg.rights);
        loop {
            let resid = msg.data.len() - *sent;
            let clen = control.map_or(0, |rights| fdpass_space(rights.len())); // :583
            let mut space = self.may_send(so, resid, clen, msg)? - clen; // :633
            loop {
                let mut top = m_getuio(&msg.data[*sent..], space); // :644
                let bytes: usize = top.iter().map(Mbuf::len).sum();
                (space, *sent) = (space - bytes, *sent + bytes);
                top[0].is_eor = is_eor; // :650: on the first, whether or not it is the last
                if msg.flags.contains(MsgFlags::OOB) {
                    return Err(Errno::Eopnotsupp); // :658, uipc_usrreq.c:415
                }
                self.pru_send(so, top, msg.to, control.take())?; // :657
                if *sent == msg.data.len() {
                    return Ok(()); // :666
                }
                if space == 0 {
                    break; // :665
                }
            }
        }
    }

    /// The checks of `sosend` in their order: how much room there is (uipc_socket.c:596).
    fn may_send(
        &mut self,
        so: Id,
        resid: usize,
        clen: usize,
        msg: &SendMsg<'_, Fd>,
    ) -> Result<usize, Errno> {
        let sock = self.sock(so);
        if sock.cant_send {
            return Err(Errno::Epipe); // :596
        }
        if let Some(errno) = sock.error.take() {
            return Err(errno); // :598
        }
        if !sock.is_connected {
            if sock.needs_connection() {
                // Descriptors alone are left to the protocol.
                if !(resid == 0 && clen != 0) {
                    return Err(Errno::Enotconn); // :605
                }
            } else if msg.to.is_none() {
                return Err(Errno::Edestaddrreq); // :607
            }
        }
        let mut space = sock.snd.space(); // :610
        if msg.flags.contains(MsgFlags::OOB) {
            space += 1024; // :611
        }
        if sock.is_atomic() && resid > sock.snd.hiwat {
            return Err(Errno::Emsgsize); // :614
        }
        let (clen, resid, lowat) = (clen as i64, resid as i64, sock.snd.lowat as i64);
        if space < clen || (space - clen < resid && (sock.is_atomic() || space < lowat)) {
            return Err(Errno::Ewouldblock); // :621
        }
        Ok(space as usize)
    }

    /// PRU_SEND (uipc_usrreq.c:294).
    fn pru_send(
        &mut self,
        so: Id,
        top: Chain,
        to: Option<&SockAddr>,
        control: Option<&[Fd]>,
    ) -> Result<(), Errno> {
        let control = match control {
            Some(fds) => Some(Mbuf::control(self.unp_internalize(fds)?)), // :297
            None => None,
        };
        let files = control.as_ref().map_or(Vec::new(), |m| m.files().to_vec());
        let result = match self.sock(so).kind {
            SockType::Dgram => self.send_dgram(so, top, to, control),
            _ => self.send_connected(so, top, control),
        };
        if result.is_err() {
            self.unp_discard(&files); // :386
        }
        result
    }

    fn send_dgram(
        &mut self,
        so: Id,
        top: Chain,
        to: Option<&SockAddr>,
        control: Option<Mbuf>,
    ) -> Result<(), Errno> {
        if let Some(to) = to {
            if self.sock(so).conn.is_some() {
                return Err(Errno::Eisconn); // :308
            }
            self.unp_connect(so, to)?; // :312
        }
        let so2 = self.sock(so).conn.ok_or(Errno::Enotconn)?; // :317
        let from = self.sock(so).addr.unwrap_or(SockAddr::UNNAMED); // :325
        let mut chain = vec![Mbuf::name(from)];
        chain.extend(control);
        chain.extend(top);
        let fits = self.sock(so2).rcv.append_whole(chain); // :329
        if to.is_some() {
            self.unp_disconnect(so); // :339
        }
        if fits { Ok(()) } else { Err(Errno::Enobufs) } // :334
    }

    fn send_connected(&mut self, so: Id, top: Chain, control: Option<Mbuf>) -> Result<(), Errno> {
        if self.sock(so).cant_send {
            return Err(Errno::Epipe); // :346
        }
        let so2 = self.sock(so).conn.ok_or(Errno::Enotconn)?; // :350
        let is_record = self.sock(so).kind == SockType::Seqpacket;
        let rcv = &mut self.sock(so2).rcv;
        if let Some(control) = control {
            let chain = std::iter::once(control).chain(top).collect();
            if !rcv.append_whole(chain) {
                return Err(Errno::Enobufs); // :361
            }
        } else if is_record {
            rcv.append_record(top); // :370
        } else {
            rcv.append(top); // :372
        }
        self.backpressure(so2, so); // :373
        Ok(())
    }

    /// What lies at the receiver counts at the sender (uipc_usrreq.c:283, :373).
    pub(super) fn backpressure(&mut self, receiver: Id, sender: Id) {
        let (cc, mbcnt) = (self.sock(receiver).rcv.cc, self.sock(receiver).rcv.mbcnt);
        let snd = &mut self.sock(sender).snd;
        (snd.cc, snd.mbcnt) = (cc, mbcnt);
    }
}
