//! bind and listen: `unp_bind`, PRU_LISTEN of `uipc_usrreq` (`uipc_usrreq.c` 1.166), `solisten`
//! (`uipc_socket.c` 1.279).

use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::socket::State;
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        let mut so = self.solock_fd(s)?;
        if let Err(errno) = Self::may_bind(&so) {
            self.sounlock_fd(so);
            return Err(errno);
        }
        so.st().set(State::BINDING);
        // A name comes before a socket in the lock order: the flag keeps others from binding
        // meanwhile.
        if !P::Fault::omits(Step::BindResolve) {
            self.policy.so_leave(&mut so);
        }
        P::Fault::window(Window::Binding);
        let made = self.names.create(name);
        if made.is_ok() {
            self.policy.links_enter();
        }
        self.policy.so_enter(&mut so);
        let st = so.st();
        st.clear(State::BINDING);
        let vnode = match made {
            Ok(vnode) => vnode,
            Err(errno) => {
                self.sounlock_fd(so);
                return Err(errno);
            }
        };
        self.names.bind(vnode, &so);
        st.unp_vnode.set(Some(vnode.0));
        st.unp_addr.set(Some(*name));
        // Before the socket: whoever closed the descriptor meanwhile left the close to this call,
        // and detach locks the name.
        self.names.vop_unlock(vnode);
        self.policy.links_leave();
        self.sounlock_fd(so);
        Ok(())
    }

    fn may_bind(so: &Held<P>) -> Result<(), Errno> {
        let st = so.st();
        if st.is(State::BINDING) || st.is(State::CONNECTING) || st.unp_vnode.get().is_some() {
            return Err(Errno::Einval);
        }
        Ok(())
    }

    pub(crate) fn sys_listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        let so = self.solock_fd(s)?;
        let result = self.solisten(&so, backlog);
        self.sounlock_fd(so);
        result
    }

    fn solisten(&self, so: &Held<P>, backlog: i32) -> Result<(), Errno> {
        let st = so.st();
        if st.is(State::ISCONNECTED) {
            return Err(Errno::Einval);
        }
        self.policy.listen_enter(so);
        if st.unp_vnode.get().is_none() {
            return Err(Errno::Einval);
        }
        // A connect under way would find this very socket listening, at its own name.
        if st.is(State::CONNECTING) && !P::Fault::omits(Step::ListenConnecting) {
            return Err(Errno::Einval);
        }
        let backlog = usize::try_from(backlog).unwrap_or(self.config.somaxconn);
        st.so_qlimit.set(backlog.min(self.config.somaxconn).max(self.config.sominconn));
        st.set(State::ACCEPTCONN);
        Ok(())
    }
}
