//! setsockopt, getsockopt, O_NONBLOCK: `sosetopt`, `sogetopt` (`uipc_socket.c` 1.279), `sbreserve`
//! (`uipc_socket2.c` 1.125).

use crate::domain::SockOpt;
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::Limits;
use crate::objects::socket::Side;
use crate::policy::{Policy, So};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        let so = self.solock_fd(s)?;
        let result = self.sosetopt(&so, option, value.max(1));
        self.sounlock_fd(&so);
        result
    }

    fn sosetopt(&self, so: &So<P>, option: SockOpt, value: usize) -> Result<(), Errno> {
        match option {
            SockOpt::SndBuf if so.cantsendmore() => Err(Errno::Einval),
            SockOpt::RcvBuf if so.so_rcv().cantrcvmore.get() => Err(Errno::Einval),
            SockOpt::SndBuf => self.sbreserve(so, Side::Snd, value),
            SockOpt::RcvBuf => self.sbreserve(so, Side::Rcv, value),
            SockOpt::SndLowat => Self::set_lowat(so, Side::Snd, value),
            SockOpt::RcvLowat => Self::set_lowat(so, Side::Rcv, value),
            SockOpt::Error => Err(Errno::Enoprotoopt),
        }
    }

    /// `sbreserve`: new limits; ENOBUFS above `sb_max`.
    fn sbreserve(&self, so: &So<P>, side: Side, value: usize) -> Result<(), Errno> {
        if value > self.config.sb_max_bytes {
            return Err(Errno::Enobufs);
        }
        let sb = so.sb(side);
        sb.limits.set(Limits::of(value));
        sb.lowat.set(sb.lowat.get().min(value));
        if side == Side::Rcv {
            so.rcv.reserve(so.so_type.get(), Limits::of(value));
        }
        Ok(())
    }

    fn set_lowat(so: &So<P>, side: Side, value: usize) -> Result<(), Errno> {
        let sb = so.sb(side);
        sb.lowat.set(value.min(sb.limits.get().hiwat));
        Ok(())
    }

    pub(crate) fn sys_getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        let so = self.solock_fd(s)?;
        let value = match option {
            SockOpt::SndBuf => so.so_snd().limits.get().hiwat,
            SockOpt::RcvBuf => so.so_rcv().limits.get().hiwat,
            SockOpt::SndLowat => so.so_snd().lowat.get(),
            SockOpt::RcvLowat => so.so_rcv().lowat.get(),
            SockOpt::Error => so.st().so_error.take().map_or(0, |errno| errno.code() as usize),
        };
        self.sounlock_fd(&so);
        Ok(value)
    }

    pub(crate) fn sys_set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        let so = self.solock_fd(s)?;
        so.set_nonblocking(on);
        self.sounlock_fd(&so);
        Ok(())
    }
}
