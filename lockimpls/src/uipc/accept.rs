//! accept: `doaccept` (`uipc_syscalls.c` 1.196), PRU_ACCEPT of `uipc_usrreq` (`uipc_usrreq.c`
//! 1.166).

use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::socket::{OnQueue, Side, State};
use crate::policy::{Held, Policy, SoRef};
use crate::uipc::{Locked, is_awaited};

impl<P: Policy> Locked<P> {
    /// The descriptor is made before any socket is locked, and given back when there is no
    /// connection.
    pub(crate) fn sys_accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        self.fd_fplock(1);
        if !self.fds.is_open(s) {
            return Err(Errno::Ebadf);
        }
        let fd = self.fds.falloc()?;
        let accepted = self.soaccept(s);
        self.fd_fplock(1);
        match accepted {
            Ok((so, name)) => {
                self.fds.insert(fd, so);
                Ok((fd, name))
            }
            Err(errno) => {
                self.fds.ffree(fd);
                Err(errno)
            }
        }
    }

    fn soaccept(&self, s: Fd) -> Result<(SoRef<P>, SockAddr), Errno> {
        let mut head = self.queue_fd(s)?;
        let so = match self.await_connection(&mut head) {
            Ok(so) => so,
            Err(errno) => {
                self.queue_fd_leave(head);
                return Err(errno);
            }
        };
        // The listener comes before the embryo, whatever their addresses.
        let mut so = self.policy.embryo_take(&head, &so);
        head.queues().so_q.remove(so.socket());
        let queues = so.queues();
        queues.seen.so_head.set(None);
        queues.so_onq.set(OnQueue::None);
        // SOCK_NONBLOCK_INHERIT: as the listener is now, not when the connection came (line 314).
        so.set_nonblocking(head.is_nonblocking());
        let is_last = Self::unuse(&head);
        self.policy.head_leave(&mut head);
        self.policy.embryo_taken(&mut so);
        self.sofile(&so);
        let name = self.accepted_name(&mut so);
        self.policy.accepted(&so);
        let accepted = so.socket();
        self.policy.sounlock(so);
        if is_last {
            // The listener was closed while this call waited on it, and nobody else will free it.
            self.soclose(head.socket());
        }
        if P::CALLS_BY_FILE {
            self.closef(head.socket());
        }
        Ok((accepted, name))
    }

    /// The call uses the locked listener no more: whether it must be closed now.
    fn unuse(head: &Held<P>) -> bool {
        if P::CALLS_BY_FILE {
            return false;
        }
        let st = head.st();
        st.users.set(st.users.get() - 1);
        st.users.get() == 0 && st.is(State::CLOSING) && !is_awaited(head)
    }

    /// Waits until the queue of a locked listener has a connection (`doaccept`, lines 275 to 300).
    /// A call that may not wait leaves a pending error where it is, unless there is a connection;
    /// then the error comes first.
    ///
    /// Nobody but a new connection wakes it: a shutdown wakes those that wait for data alone.
    fn await_connection(&self, head: &mut Held<P>) -> Result<SoRef<P>, Errno> {
        let queues = head.queues();
        if !queues.seen.is(State::ACCEPTCONN) {
            return Err(Errno::Einval);
        }
        if head.is_nonblocking() && queues.so_q.len() == 0 {
            return Err(if self.has_ended_as_listener(head) {
                Errno::Econnaborted
            } else {
                Errno::Ewouldblock
            });
        }
        loop {
            let queues = head.queues();
            if let Some(errno) = queues.seen.so_error.take() {
                return Err(errno);
            }
            if let Some(so) = queues.so_q.first() {
                return Ok(so);
            }
            if self.has_ended_as_listener(head) {
                return Err(Errno::Econnaborted);
            }
            let listener = head.socket();
            self.sleep_at_queue(head, &listener.timeo_wait);
        }
    }

    /// SS_CANTRCVMORE of a listener, from its queues.
    fn has_ended_as_listener(&self, head: &mut Held<P>) -> bool {
        if !P::SIDES_APART {
            return head.has_listener_ended();
        }
        self.policy.side_enter(head, Side::Rcv);
        let has_ended = head.so_rcv().cantrcvmore.get();
        self.policy.side_leave(head, Side::Rcv);
        has_ended
    }

    /// PRU_ACCEPT: the name of the client, if it has one and is still there.
    fn accepted_name(&self, so: &mut Held<P>) -> SockAddr {
        let Some(so2) = self.policy.peer_look(so) else {
            return SockAddr::UNNAMED;
        };
        let name = so2.st().unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        self.policy.peer_looked(so, so2);
        name
    }
}
