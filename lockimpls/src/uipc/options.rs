//! setsockopt, getsockopt, O_NONBLOCK: `sosetopt`, `sogetopt` (`uipc_socket.c` 1.279), `sbreserve`
//! (`uipc_socket2.c` 1.125).

use crate::domain::SockOpt;
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::Limits;
use crate::objects::socket::Side;
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        let so = self.call_enter(s)?;
        let result = match side_of(option) {
            None => Err(Errno::Enoprotoopt),
            Some(side) => {
                let held = self.policy.side_lock(&so, side);
                let result = self.sosetopt(&held, option, value.max(1));
                self.policy.side_unlock(held, side);
                result
            }
        };
        self.call_leave(so);
        result
    }

    /// The side is locked that the option is of.
    fn sosetopt(&self, so: &Held<P>, option: SockOpt, value: usize) -> Result<(), Errno> {
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
    fn sbreserve(&self, so: &Held<P>, side: Side, value: usize) -> Result<(), Errno> {
        if value > self.config.sb_max_bytes {
            return Err(Errno::Enobufs);
        }
        let sb = so.sb(side);
        sb.limits.set(Limits::of(value));
        sb.lowat.set(sb.lowat.get().min(value));
        match side {
            Side::Snd => so.publish_limits(),
            Side::Rcv => so.rcv.reserve(so.so_type.get(), Limits::of(value)),
        }
        Ok(())
    }

    fn set_lowat(so: &Held<P>, side: Side, value: usize) -> Result<(), Errno> {
        let sb = so.sb(side);
        sb.lowat.set(value.min(sb.limits.get().hiwat));
        if side == Side::Snd {
            so.publish_limits();
        }
        Ok(())
    }

    pub(crate) fn sys_getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        let mut so = self.call_enter(s)?;
        let value = match side_of(option) {
            None => {
                self.policy.data_to_so(&mut so);
                let error = so.st().so_error.take();
                self.policy.so_to_data(&mut so);
                error.map_or(0, |errno| errno.code() as usize)
            }
            Some(side) => {
                let held = self.policy.side_lock(&so, side);
                let sb = held.sb(side);
                let is_size = matches!(option, SockOpt::SndBuf | SockOpt::RcvBuf);
                let value = if is_size { sb.limits.get().hiwat } else { sb.lowat.get() };
                self.policy.side_unlock(held, side);
                value
            }
        };
        self.call_leave(so);
        Ok(value)
    }

    pub(crate) fn sys_set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        let so = self.call_enter(s)?;
        so.set_nonblocking(on);
        self.call_leave(so);
        Ok(())
    }
}

/// The side that an option is of; the pending error is of the socket itself.
fn side_of(option: SockOpt) -> Option<Side> {
    match option {
        SockOpt::SndBuf | SockOpt::SndLowat => Some(Side::Snd),
        SockOpt::RcvBuf | SockOpt::RcvLowat => Some(Side::Rcv),
        SockOpt::Error => None,
    }
}
