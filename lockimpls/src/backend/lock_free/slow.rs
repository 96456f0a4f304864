//! Calls that take the locks, because the fast path cannot serve them or is shut; and opening it
//! again.

use super::gate::{count_anew, may_open, note_user};
use super::transfer::{get, put};
use super::{Held, LockFreeLayer, Slow, SoRef, Socket, Waiter, gate, is_dontwait, is_plain, note};
use crate::ambient::Surroundings;
use crate::domain::{MsgFlags, RecvMsg, SendMsg};
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::socket::Side;
use crate::policy::Policy;
use crate::primitives::Ordering;
use crate::uipc::send::Sending;
use crate::witness;

use Ordering::Relaxed;

impl<F: Fault, A: Surroundings> LockFreeLayer<F, A> {
    /// Sends the rest, with the locks where the fast path is shut.
    #[cold]
    pub(super) fn send_on(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<(), Errno> {
        loop {
            if let Some(so) = waiter {
                match self.fast_again(&so, Side::Snd, |me, so| put(me, so, rest)) {
                    Ok(()) => return Ok(()),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            waiter = self.slow_send_once(fd, rest, flags, waiter)?;
            if waiter.is_none() {
                return Ok(());
            }
        }
    }

    /// Sends with the locks as far as there is room. Where it has to wait it has done so: the
    /// socket, which the thread uses still.
    fn slow_send_once(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Waiter<A>, Errno> {
        let mut so = self.slow_enter(fd, Side::Snd, waiter)?;
        let mut sending = Sending::plain(rest, waiter.is_none() && is_dontwait(&so, flags));
        let result = loop {
            let result = self.slow.sosend_once(&mut so, &mut sending);
            *rest = sending.rest;
            match result {
                Ok(true) => break Ok(()),
                Err(errno) => break Err(errno),
                Ok(false) if self.unlock_and_wait(&mut so, Side::Snd) => {
                    return Ok(Some(so.socket()));
                }
                Ok(false) => self.slow.sbwait(&mut so, Side::Snd),
            }
        };
        self.slow_leave(fd, so, Side::Snd, true);
        result.map(|()| None)
    }

    /// Receives bytes alone, with the locks where the fast path is shut.
    #[cold]
    pub(super) fn recv_on(
        &self,
        fd: Fd,
        data: &mut [u8],
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<usize, Errno> {
        self.receive_on(fd, &mut RecvMsg::new(data, MsgFlags::empty()), flags, waiter)
    }

    /// Receives, with the locks where the fast path is shut.
    #[cold]
    pub(super) fn receive_on(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<usize, Errno> {
        loop {
            if let Some(so) = waiter {
                let again =
                    |me, so: &Socket<A>| get(me, so, &mut *msg.data, msg.from.as_deref_mut());
                match self.fast_again(&so, Side::Rcv, again) {
                    Ok(got) => return Ok(note(msg, got)),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            match self.slow_receive_once(fd, msg, flags, waiter)? {
                Ok(bytes) => return Ok(bytes),
                Err(so) => waiter = Some(so),
            }
        }
    }

    /// Receives with the locks. `Err`: there was nothing, and the thread has waited; the socket,
    /// which it uses still.
    fn slow_receive_once(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Result<usize, SoRef<A>>, Errno> {
        let mut so = self.slow_enter(fd, Side::Rcv, waiter)?;
        let is_dontwait = waiter.is_none() && is_dontwait(&so, flags);
        let flags = if is_dontwait { flags | MsgFlags::DONTWAIT } else { flags };
        let result = loop {
            match self.slow.soreceive_once(&mut so, msg, flags) {
                Ok(Some(bytes)) => break Ok(Ok(bytes)),
                Err(errno) => break Err(errno),
                Ok(None) if is_plain(flags) && self.unlock_and_wait(&mut so, Side::Rcv) => {
                    return Ok(Err(so.socket()));
                }
                Ok(None) => self.slow.sbwait(&mut so, Side::Rcv),
            }
        };
        self.slow_leave(fd, so, Side::Rcv, is_plain(flags) && msg.rights_len == 0);
        result
    }

    /// Sends what never goes the fast way.
    #[cold]
    pub(super) fn slow_send(&self, fd: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.slow.sockargs(fd, msg.rights)?;
        let mut so = self.slow_enter(fd, Side::Snd, None)?;
        let result = self.slow.sosend(&mut so, msg);
        self.slow_leave(fd, so, Side::Snd, false);
        result
    }

    /// Locks the socket, as a call on a descriptor or as one that has waited for it.
    fn slow_enter(&self, fd: Fd, side: Side, waiter: Waiter<A>) -> Result<Held<A>, Errno> {
        let Some(so) = waiter else { return self.slow.solock_fd(fd) };
        let so = self.slow.policy.solock(&so);
        let st = so.st();
        st.users.set(st.users.get() + 1);
        so.fast_side[side].waits.store(0, Relaxed);
        Ok(so)
    }

    /// Ends a call that took the locks; the gate may be opened for the next.
    fn slow_leave(&self, fd: Fd, so: Held<A>, side: Side, is_plain: bool) {
        let opens = note_user(&so, side, is_plain, self.slow.config.reopen_after_calls);
        self.slow.sounlock_fd(so);
        witness::fast_event(Self::SLOW_EVENTS[side]);
        if opens {
            self.reopen(fd);
        }
    }

    /// Opens the gate, if nothing speaks against it. Nothing is held before and after.
    fn reopen(&self, fd: Fd) {
        if F::omits(Step::Reopen) {
            return;
        }
        let Ok(mut so) = self.slow.solock_fd(fd) else { return };
        // This call stays the socket's user until nothing can unlock it any more: `solock_peer` may.
        if let Some(so2) = self.slow.policy.solock_peer(&mut so) {
            let st = so.st();
            let is_pair = so.socket() != so2.socket();
            if !(is_pair && may_open(&so, &so2) && may_open(&so2, &so)) {
                count_anew(&so);
            } else if st.users.get() == 1 && so2.st().users.get() == 0 {
                st.users.set(0);
                gate::open(&so, &so2);
                self.slow.policy.sounlock_peer(&so, so2);
                self.slow.policy.sounlock(so);
                return;
            }
            self.slow.policy.sounlock_peer(&so, so2);
        } else {
            count_anew(&so);
        }
        self.slow.sounlock_fd(so);
    }
}
