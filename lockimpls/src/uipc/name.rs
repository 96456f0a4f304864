//! getsockname, getpeername: `uipc_sockaddr`, `uipc_peeraddr` (`uipc_usrreq.c` 1.166).

use crate::descriptors::Fd;
use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::fault::Step;
use crate::policy::Policy;
use crate::socket::{Socket, State};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        let so = self.solock_fd(s)?;
        let name = so.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        self.sounlock_fd(&so, Step::NameDone);
        Ok(name)
    }

    pub(crate) fn sys_getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        let so = self.solock_fd(s)?;
        let result = self.peeraddr(&so);
        self.sounlock_fd(&so, Step::PeernameDone);
        result
    }

    fn peeraddr(&self, so: &Socket) -> Result<SockAddr, Errno> {
        if !so.st().is(State::ISCONNECTED) {
            return Err(Errno::Enotconn);
        }
        let so2 = self.policy.solock_peer(so).ok_or(Errno::Enotconn)?;
        let name = so2.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        self.policy.sounlock_peer(so, &so2, Step::PeernamePeer);
        Ok(name)
    }
}
