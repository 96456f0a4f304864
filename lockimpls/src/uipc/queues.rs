//! Calls that are at the queues of a listener alone.

use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// Such a call begins.
    #[track_caller]
    pub(super) fn queue_fd(&self, fd: Fd) -> Result<Held<P>, Errno> {
        if P::CALLS_BY_FILE {
            let head = self.fd_getfile(fd)?;
            return Ok(self.policy.queue_lock(&head));
        }
        self.solock_fd(fd)
    }

    /// It ends.
    #[track_caller]
    pub(super) fn queue_fd_leave(&self, head: Held<P>) {
        if P::CALLS_BY_FILE {
            let file = head.socket();
            self.policy.queue_unlock(head);
            return self.closef(file);
        }
        self.sounlock_fd(head);
    }
}
