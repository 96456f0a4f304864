//! connect: `soconnect`, `unp_connect`, `sonewconn` (`uipc_socket.c` 1.279, `uipc_usrreq.c` 1.166,
//! `uipc_socket2.c` 1.125).

use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::names::LockedName;
use crate::objects::socket::{OnQueue, SbState, Side, SoState, State};
use crate::policy::{Held, Policy, So, SoRef};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    pub(crate) fn sys_connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        let mut so = self.solock_fd_and_links(s)?;
        let result = self.soconnect(&mut so, name);
        // A connect that succeeds takes the pending error and answers it (`sys_connect`, line 424).
        let result = result.and_then(|()| so.st().so_error.take().map_or(Ok(()), Err));
        self.policy.links_leave();
        self.sounlock_fd(so);
        result
    }

    /// A datagram socket that is connected is disconnected first: a failing reconnect leaves it
    /// unconnected.
    fn soconnect(&self, so: &mut Held<P>, name: &SockAddr) -> Result<(), Errno> {
        self.be_unconnected(so)?;
        // Another call may have connected it while this one waited.
        while self.policy.connect_enter(so) {
            self.be_unconnected(so)?;
        }
        self.unp_connect(so, name)?;
        so.st().clear(State::CONNECTING);
        Ok(())
    }

    /// The socket, which is locked, is one that can be connected, or becomes one.
    fn be_unconnected(&self, so: &mut Held<P>) -> Result<(), Errno> {
        let st = so.st();
        if st.is(State::ACCEPTCONN) {
            return Err(Errno::Eopnotsupp);
        }
        if st.is(State::ISCONNECTED) {
            if so.connection_required() {
                return Err(Errno::Eisconn);
            }
            // An addressed send has connected it, and parts it itself.
            Self::is_idle(st)?;
            self.unp_disconnect(so);
        }
        Ok(())
    }

    /// `unp_connect`: `so` and its links are locked before and after, and unlocked between: the
    /// flag keeps others from connecting it meanwhile, `users` keeps it. Where it succeeds, the
    /// caller clears the flag.
    pub(crate) fn unp_connect(&self, so: &mut Held<P>, name: &SockAddr) -> Result<(), Errno> {
        let st = so.st();
        Self::may_connect(st)?;
        st.set(State::CONNECTING);
        self.policy.links_leave();
        self.policy.so_leave(so);
        P::Fault::window(Window::Connecting);
        self.kernel_lock();
        let result = self.connect_unlocked(so.socket(), name);
        if !P::Fault::omits(Step::KernelConnect) {
            self.kernel_unlock();
        }
        P::Fault::window(Window::Connected);
        self.policy.links_enter();
        self.policy.so_enter(so);
        let st = so.st();
        // Else the peer went away before this socket was locked again.
        let is_there = st.peer().is_some() || P::Fault::omits(Step::PeerGone);
        let result = result.and(if is_there { Ok(()) } else { Err(Errno::Econnrefused) });
        if result.is_err() {
            st.clear(State::CONNECTING);
        }
        result
    }

    /// The part of a connect with no socket locked: the name is locked throughout, so that its
    /// socket cannot detach.
    fn connect_unlocked(&self, so: SoRef<P>, name: &SockAddr) -> Result<(), Errno> {
        let vnode = self.names.lookup(name)?;
        let result = self.connect_to(so, vnode);
        self.names.put(vnode);
        result
    }

    fn connect_to(&self, so: SoRef<P>, vnode: LockedName) -> Result<(), Errno> {
        self.policy.name_enter(&so);
        let so2 = match self.name_socket(&so, vnode) {
            Ok(so2) => so2,
            Err(errno) => {
                self.policy.name_leave(&so);
                return Err(errno);
            }
        };
        let generation = so2.generation();
        P::Fault::window(Window::NameFound);
        if so.connection_required() {
            return self.connect_stream(so, so2, generation);
        }
        let (mut so, mut so2) = self.policy.name_to_pair(&so, &so2);
        so2.assert_generation(generation);
        self.unp_connect2(&mut so, &mut so2);
        self.policy.sounlock_pair(so, so2);
        Ok(())
    }

    /// The socket of a locked name, if it has one of the type of `so`.
    fn name_socket(&self, so: &So<P>, vnode: LockedName) -> Result<SoRef<P>, Errno> {
        let so2 = self.names.socket(vnode).ok_or(Errno::Econnrefused)?;
        if so.so_type.get() == so2.so_type.get() { Ok(so2) } else { Err(Errno::Eprototype) }
    }

    /// A connection: an embryo is made at the listener, and becomes the client's peer.
    fn connect_stream(&self, so: SoRef<P>, head: SoRef<P>, generation: u32) -> Result<(), Errno> {
        let mut head = self.policy.name_to_head(&so, &head);
        head.assert_generation(generation);
        let is_listening = head.st().is(State::ACCEPTCONN);
        let embryo = if is_listening { self.sonewconn(&mut head) } else { None };
        let Some(so3) = embryo else {
            if !P::Fault::omits(Step::ConnectHeadRefused) {
                self.policy.head_refuse(&so, head);
            }
            self.policy.links_leave();
            return Err(Errno::Econnrefused);
        };
        let addr = head.st().unp_addr.get();
        let (mut so, mut so3) = self.policy.head_to_pair(head, &so, &so3);
        so3.st().unp_addr.set(addr);
        self.unp_connect2(&mut so, &mut so3);
        self.policy.sounlock_pair(so, so3);
        Ok(())
    }

    /// `sonewconn`: an embryo on the queue of the listener, which is locked before and after; none
    /// when the queue is full, there is no memory, or the listener has no receive buffer any more.
    ///
    /// The embryo cannot be taken off the queue by a close of the listener meanwhile: detach needs
    /// the name, which the connecting thread has locked.
    fn sonewconn(&self, head: &mut Held<P>) -> Option<SoRef<P>> {
        if self.is_full(head) {
            return None;
        }
        let so3 = self.sockets.get(|| self.policy.socket_locks(self.config.lock)).ok()?;
        let mut embryo = self.policy.embryo_enter(head, &so3);
        embryo.reset(head.so_type.get());
        self.soreserve(&mut embryo);
        if !self.inherit(head, &embryo) {
            self.policy.embryo_leave_last(embryo);
            self.sockets.put(so3);
            return None;
        }
        self.policy.so_at_queue(head);
        head.queues().so_q0.append(so3);
        self.policy.so_off_queue(head);
        self.policy.attach_enter(head);
        self.unp_attach(&mut embryo);
        self.policy.attach_exit(&mut embryo, head);
        self.policy.embryo_leave(embryo);
        Some(so3)
    }

    /// Whether the listener has more connections that nobody accepted than it may have.
    fn is_full(&self, head: &mut Held<P>) -> bool {
        let so_qlimit = head.st().so_qlimit.get();
        self.policy.so_at_queue(head);
        let queues = head.queues();
        let is_full = queues.so_q.len() + queues.so_q0.len() > 3 * so_qlimit;
        self.policy.so_off_queue(head);
        is_full
    }

    /// What an embryo has from its listener (`uipc_socket2.c`, lines 191 to 223): what has ended
    /// there has ended here, too, and the sizes are the same. Whether it can have them: a shutdown
    /// for reading leaves a listener no receive buffer, and `sbreserve` refuses to make one of no
    /// bytes.
    fn inherit(&self, head: &mut Held<P>, so3: &Held<P>) -> bool {
        let to = so3.parts_unshared();
        let is_disconnected = head.st().so_state.get() & State::ISDISCONNECTED;
        to.st.so_state.set(State::NOFDREF | is_disconnected);
        self.policy.side_enter(head, Side::Snd);
        so3.end_unshared(head.cantsendmore());
        let has_snd = Self::inherit_sizes(head.so_snd(), &to.so_snd);
        self.policy.side_leave(head, Side::Snd);
        self.policy.side_enter(head, Side::Rcv);
        to.so_rcv.cantrcvmore.set(head.so_rcv().cantrcvmore.get());
        let has_rcv = Self::inherit_sizes(head.so_rcv(), &to.so_rcv);
        self.policy.side_leave(head, Side::Rcv);
        if !has_snd || !has_rcv {
            return false;
        }
        so3.publish_unshared();
        to.st.so_head.set(Some(head.socket()));
        to.st.begin_on_queue(OnQueue::Q0);
        so3.rcv.reserve(so3.so_type.get(), to.so_rcv.limits.get());
        true
    }

    fn inherit_sizes(from: &SbState, to: &SbState) -> bool {
        if from.limits.get().hiwat == 0 {
            return false;
        }
        to.limits.set(from.limits.get());
        to.lowat.set(from.lowat.get());
        true
    }

    /// Whether no other call is about to bind or connect the socket.
    fn may_connect(st: &SoState<P::Locks>) -> Result<(), Errno> {
        if st.is(State::BINDING) {
            return Err(Errno::Eisconn);
        }
        Self::is_idle(st)
    }

    /// Whether no other call is about to connect the socket.
    fn is_idle(st: &SoState<P::Locks>) -> Result<(), Errno> {
        let is_connecting = st.is(State::CONNECTING) && !P::Fault::omits(Step::ConnectConnecting);
        if is_connecting { Err(Errno::Eisconn) } else { Ok(()) }
    }
}
