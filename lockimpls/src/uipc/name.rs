//! getsockname, getpeername: `sys_getpeername` (`uipc_syscalls.c` 1.196), PRU_SOCKADDR and
//! PRU_PEERADDR of `uipc_usrreq` (`uipc_usrreq.c` 1.166; lines are of 1.167).

use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::socket::State;
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        let so = self.solock_fd(s)?;
        let name = so.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        self.sounlock_fd(so);
        Ok(name)
    }

    pub(crate) fn sys_getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        let mut so = self.solock_fd(s)?;
        let result = self.peeraddr(&mut so);
        self.sounlock_fd(so);
        result
    }

    /// A peer that parts meanwhile has no name, as one that was never bound (line 423).
    fn peeraddr(&self, so: &mut Held<P>) -> Result<SockAddr, Errno> {
        if !so.st().is(State::ISCONNECTED) {
            return Err(Errno::Enotconn);
        }
        let Some(so2) = self.policy.peer_look(so) else {
            return Ok(SockAddr::UNNAMED);
        };
        let name = so2.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        self.policy.peer_looked(so, so2);
        Ok(name)
    }
}
