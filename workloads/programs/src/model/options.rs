//! Options: `sosetopt` and `sogetopt` of `uipc_socket.c`.

use lockimpls::{Errno, SockOpt};

use super::{Fd, State};

impl State {
    /// `sosetopt` (uipc_socket.c:1791). Memory is never short: `sbcheckreserve` refuses nothing.
    pub(super) fn setsockopt(
        &mut self,
        fd: Fd,
        option: SockOpt,
        value: usize,
    ) -> Result<(), Errno> {
        let so = self.getsock(fd)?;
        let sb_max = self.limits.sb_max;
        let value = value.max(1); // :1857
        let sock = self.sock(so);
        let (is_over, sb) = match option {
            SockOpt::SndBuf | SockOpt::SndLowat => (sock.cant_send, &mut sock.snd),
            SockOpt::RcvBuf | SockOpt::RcvLowat => (sock.cant_recv, &mut sock.rcv),
            SockOpt::Error => return Err(Errno::Enoprotoopt), // :1953
        };
        match option {
            SockOpt::SndLowat | SockOpt::RcvLowat => sb.lowat = value.min(sb.hiwat), // :1879, :1884
            _ if is_over => return Err(Errno::Einval),                               // :1862, :1871
            _ if !sb.reserve(value, sb_max) => return Err(Errno::Enobufs),           // :1866, :1875
            _ => {}
        }
        Ok(())
    }

    /// `sogetopt` (uipc_socket.c:1967).
    pub(super) fn getsockopt(&mut self, fd: Fd, option: SockOpt) -> Result<usize, Errno> {
        let so = self.getsock(fd)?;
        let sock = self.sock(so);
        Ok(match option {
            SockOpt::SndBuf => sock.snd.hiwat,   // :2031
            SockOpt::RcvBuf => sock.rcv.hiwat,   // :2035
            SockOpt::SndLowat => sock.snd.lowat, // :2039
            SockOpt::RcvLowat => sock.rcv.lowat, // :2043
            SockOpt::Error => sock.error.take().map_or(0, |errno| errno.code() as usize), // :2018
        })
    }
}
