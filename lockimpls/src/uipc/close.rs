//! close: `soclose`, `sofree` (`uipc_socket.c` 1.279), `unp_disconnect`, `unp_detach`
//! (`uipc_usrreq.c` 1.166; lines are of 1.167).
//!
//! Order: part from the peer, take the name away (so that no new connection begins), drop whoever
//! refers here, wait until nobody holds a reference, then the queues of a listener. An embryo is
//! never freed by anyone else: it has no descriptor until it is accepted, and then it is on no
//! queue.

use crate::ambient::Surroundings;
use crate::domain::SockType;
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::{Fill, Limits};
use crate::objects::socket::{OnQueue, RefCount, Side, State};
use crate::policy::{Collector, Held, Policy, So, SoRef};
use crate::primitives::Ordering;
use crate::uipc::{Locked, is_awaited};
use crate::witness;

use Ordering::AcqRel;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_close(&self, s: Fd) -> Result<(), Errno> {
        self.fd_fplock(1);
        let so = self.fds.release(s)?.ok_or(Errno::Ebadf)?;
        self.fd_fplock(1);
        self.closef(so);
        Ok(())
    }

    /// `closef`: drops a reference on a socket's file; the last one closes the socket. No lock is
    /// held.
    pub(crate) fn closef(&self, so: SoRef<P>) {
        // AcqRel: of several closers the last sees what the others did with the file.
        match so.f_count.fetch_sub(1, AcqRel) {
            0 => witness::no_reference(so.guard_addr()),
            1 => {
                self.soclose(so);
                self.fds.fdrop();
            }
            _ => {}
        }
    }

    /// Frees the socket now, or leaves that to the calls that still use it.
    pub(crate) fn soclose(&self, so: SoRef<P>) {
        self.policy.links_enter();
        let so = self.policy.solock(&so);
        let st = so.st();
        if st.users.get() > 0 || is_awaited(&so) {
            // Where links have a lock of their own, calls have references, and no user is counted.
            st.set(State::CLOSING);
            self.policy.sounlock(so);
            return;
        }
        self.soclose_locked(so);
    }

    /// `soclose` of a locked socket that nobody uses, and of its links: it is unlocked and free
    /// afterwards.
    pub(crate) fn soclose_locked(&self, mut so: Held<P>) {
        let place = so.socket();
        if so.st().is(State::ISCONNECTED) {
            self.unp_disconnect(&mut so);
        }
        self.unp_detach(&mut so);
        self.policy.links_leave();
        if so.st().is(State::ACCEPTCONN) {
            self.policy.so_to_queue(&mut so);
            self.abort_queues(&mut so);
            self.policy.queue_to_so(&mut so);
        }
        so.st().set(State::NOFDREF);
        if P::SORELE {
            self.policy.sounlock(so);
            return self.sorele(place);
        }
        self.sofree(&mut so);
        self.policy.sounlock_last(so);
        self.sockets.put(place);
    }

    /// `sofree` of a locked socket on no queue, which has no control block any more: waits until
    /// nobody refers to it, and empties its buffer. The caller unlocks it and gives it back.
    ///
    /// Whoever has a reference is about to lock it after its listener (`soisconnected`). Nothing
    /// can be done with it while it is unlocked: no descriptor, name, peer or queue leads to it,
    /// and a call on a stale descriptor sees that and unlocks it.
    fn sofree(&self, so: &mut Held<P>) {
        let place = so.socket();
        self.policy.finalize(so, &place.so_refcnt);
        self.sorflush(so);
    }

    /// `sorele` (`uipc_socket.c` 1.385, line 275) of a socket that is on no queue and has no
    /// control block any more, with nothing of it held: it goes with its last reference, and then
    /// nobody else has its receive side. In the kernel whoever had the last one frees it; here its
    /// closer waits.
    fn sorele(&self, so: SoRef<P>) {
        RefCount::finalize(&so.so_refcnt);
        let held = self.policy.side_lock(&so, Side::Snd);
        held.so_snd().limits.set(Limits::ZERO);
        held.publish_limits();
        self.policy.side_unlock(held, Side::Snd);
        let control = Self::empty(&so, &so.parts_of_last().so_rcv);
        self.discard_all(control);
        self.sockets.put(so);
    }

    /// Aborts every connection that nobody accepted, the ready ones last.
    fn abort_queues(&self, head: &mut Held<P>) {
        loop {
            let queues = head.queues();
            let first = queues.so_q0.first().or_else(|| queues.so_q.first());
            let Some(so3) = first else { return };
            let mut so3 = self.policy.embryo_take(head, &so3);
            let onq = so3.queues().so_onq.replace(OnQueue::None);
            let queue = if onq == OnQueue::Q0 { queues.so_q0 } else { queues.so_q };
            queue.remove(so3.socket());
            so3.queues().seen.so_head.set(None);
            self.policy.head_leave(head);
            self.policy.links_enter();
            self.policy.embryo_taken(&mut so3);
            self.soabort(so3);
            self.policy.head_return(head);
        }
    }

    /// `soabort`: an embryo, locked with its links and on no queue, goes; the lock of the listener,
    /// where it has one, is not held.
    fn soabort(&self, mut so3: Held<P>) {
        let place = so3.socket();
        self.unp_detach(&mut so3);
        self.policy.links_leave();
        if P::SORELE {
            self.policy.embryo_leave(so3);
            return self.sorele(place);
        }
        self.sofree(&mut so3);
        self.policy.embryo_leave_last(so3);
        self.sockets.put(place);
    }

    /// `unp_disconnect`: parts a locked socket from its peer, if it has one. Its links are locked.
    pub(crate) fn unp_disconnect(&self, so: &mut Held<P>) {
        let so2 = if P::Fault::omits(Step::PeerToPart) {
            self.peer_to_part(so)
        } else {
            self.policy.solock_to_part(so)
        };
        let Some(mut so2) = so2 else { return };
        so.set_conn(None);
        if Self::parts_alone(so) {
            so2.referrers().remove(so.socket());
            so.st().clear(State::ISCONNECTED);
        } else {
            so2.set_conn(None);
            self.soisdisconnected(so);
            if P::Fault::omits(Step::EndWhileParting) {
                self.end_later(so, &mut so2);
            }
            self.soisdisconnected(&mut so2);
        }
        self.policy.sounlock_parted(so, so2);
        P::Fault::window(Window::Parted);
    }

    /// Whether the peer keeps its own link: that of a datagram socket does.
    fn parts_alone(so: &So<P>) -> bool {
        match so.so_type.get() {
            SockType::Dgram => true,
            SockType::Seqpacket => P::Fault::omits(Step::SeqpacketParts),
            SockType::Stream => false,
        }
    }

    /// `soisdisconnected`: nothing more goes either way; wakes everybody.
    fn soisdisconnected(&self, so: &mut Held<P>) {
        self.policy.side_enter(so, Side::Rcv);
        so.so_rcv().cantrcvmore.set(true);
        if P::WAITS_AT_PEER {
            so.set_writer(None);
        }
        self.side_leave_ended(so, Side::Rcv);
        P::Fault::window(Window::EndedHere);
        self.policy.side_enter(so, Side::Snd);
        so.set_cantsendmore(true);
        // The kernel does so in `unp_disconnect`, today without the side's lock. Nothing can be
        // seen of it: the socket never sends again.
        so.account(Fill::default());
        self.side_leave_ended(so, Side::Snd);
        let st = so.st();
        st.clear(State::ISCONNECTED);
        st.set(State::ISDISCONNECTED);
        self.ambient.sched_lock();
        so.timeo_wait.wakeup(P::BIASED);
        if !Self::ONE_HOLD {
            self.sowwakeup(so);
            self.sorwakeup(so);
        }
    }

    /// Leaves a side that has ended. Whoever waits there is woken now, or when both have.
    fn side_leave_ended(&self, so: &mut Held<P>, side: Side) {
        if Self::ONE_HOLD {
            return self.side_leave_waking(so, side);
        }
        self.policy.side_leave(so, side);
    }

    /// `unp_detach`: takes the control block away. `so` and its links are locked before and after,
    /// and unlocked between.
    fn unp_detach(&self, so: &mut Held<P>) {
        let vnode = so.st().unp_vnode.take();
        self.policy.detach_enter(so);
        so.gc(self.policy.collector().gc_guard()).linked.set(false);
        match vnode {
            None => self.policy.detach_exit(so),
            Some(vnode) => self.forget_name(so, vnode),
        }
        self.unp_disconnect(so);
        while let Some(so2) = self.policy.solock_referrer(so) {
            self.unp_drop(so, &so2);
            self.policy.sounlock_parted(so, so2);
        }
        let place = so.socket();
        self.policy.finalize(so, &place.unp_refcnt);
        self.soisdisconnected(so);
        let st = so.st();
        st.so_pcb.set(false);
        st.unp_addr.set(None);
        self.sockets.unpcbs.put();
        self.want_gc_if_in_flight();
    }

    /// From the list of all, the name leads here no more: it comes before the socket in the lock
    /// order, as the list does, and both go in the one time that the socket is unlocked.
    fn forget_name(&self, so: &mut Held<P>, vnode: usize) {
        self.policy.list_to_name(so);
        self.kernel_lock();
        self.names.unbind(vnode);
        self.kernel_unlock();
        self.policy.links_enter();
        self.policy.so_enter(so);
    }

    /// A datagram socket loses its destination (`unp_detach`, lines 628 to 631). Both are locked.
    /// Nobody is told: whoever waits there goes on waiting, and the error is found by the next
    /// call.
    fn unp_drop(&self, so: &Held<P>, so2: &Held<P>) {
        so.referrers().remove(so2.socket());
        let st2 = so2.set_conn(None);
        st2.so_error.set(Some(Errno::Econnreset));
        st2.clear(State::ISCONNECTED);
    }
}
