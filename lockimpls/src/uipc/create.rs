//! socket, socketpair, dup: `sys_socket`, `sys_socketpair` (`uipc_syscalls.c` 1.196), `socreate`,
//! `soconnect2` (`uipc_socket.c` 1.279), `uipc_attach`, `unp_connect2` (`uipc_usrreq.c` 1.166).

use crate::ambient::Surroundings;
use crate::domain::SockType;
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::{Limits, MCLBYTES};
use crate::objects::socket::{OnQueue, Side, State};
use crate::policy::{Collector, Held, Policy, So, SoRef};
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::Relaxed;

impl<P: Policy> Locked<P> {
    /// The socket first, then the descriptor: where there is none, the socket goes again.
    pub(crate) fn sys_socket(&self, kind: SockType) -> Result<Fd, Errno> {
        let so = self.socreate(kind)?;
        let fd = self.fds.allocate_for(so).inspect_err(|_| self.soclose(so))?;
        self.fd_fplock(1);
        Ok(fd)
    }

    /// Both descriptors in one hold of `fdplock`.
    pub(crate) fn sys_socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        let (so, so2) = self.socreate_pair(kind)?;
        let fds = self.fds.allocate_pair_for(so, so2);
        let pair = fds.map_err(|(errno, has_first)| {
            // What has a file goes by its closef, before the others (uipc_syscalls.c 1.196, 514).
            let (before, after) = if has_first { (so, so2) } else { (so2, so) };
            self.soclose(before);
            self.soclose(after);
            errno
        })?;
        self.fd_fplock(2);
        Ok(pair)
    }

    /// Two sockets, connected: STREAM and SEQPACKET by one `soconnect2`, DGRAM by one in each
    /// direction.
    pub(crate) fn socreate_pair(&self, kind: SockType) -> Result<(SoRef<P>, SoRef<P>), Errno> {
        let so = self.socreate(kind)?;
        let so2 = match self.socreate(kind) {
            Ok(so2) => so2,
            Err(errno) => {
                self.soclose(so);
                return Err(errno);
            }
        };
        self.soconnect2(so, so2);
        if kind == SockType::Dgram {
            self.soconnect2(so2, so);
        }
        Ok((so, so2))
    }

    /// `soconnect2`: connects two sockets that nobody else has.
    fn soconnect2(&self, so: SoRef<P>, so2: SoRef<P>) {
        let (mut so, mut so2) = self.policy.solock_pair(&so, &so2);
        self.unp_connect2(&mut so, &mut so2);
        self.policy.sounlock_pair(so, so2);
    }

    /// `socreate`: a socket with its control block and its file. Nothing refers to the file yet:
    /// whoever made it closes the socket itself, or makes a descriptor.
    fn socreate(&self, kind: SockType) -> Result<SoRef<P>, Errno> {
        let place = self.sockets.get(|| self.policy.socket_locks(self.config.lock))?;
        let mut so = self.policy.solock_new(&place, kind);
        so.reset(kind);
        self.soreserve(&mut so);
        self.unp_attach(&mut so);
        self.sofile(&so);
        self.policy.sounlock(so);
        Ok(place)
    }

    /// Gives a locked socket its file, which is counted where its descriptor is made, as is the one
    /// reference on it.
    pub(crate) fn sofile(&self, so: &Held<P>) {
        so.st().clear(State::NOFDREF);
    }

    /// `soreserve`: the sizes of its type.
    pub(crate) fn soreserve(&self, so: &mut Held<P>) {
        let config = &self.config;
        let (snd, rcv) = match so.so_type.get() {
            SockType::Stream | SockType::Seqpacket => (config.pipsiz_bytes, config.pipsiz_bytes),
            SockType::Dgram => (config.dgram_send_bytes, config.dgram_recv_bytes),
        };
        self.sides_enter(so, so);
        let (so_snd, so_rcv) = (so.so_snd(), so.so_rcv());
        so_snd.limits.set(Limits::of(snd));
        so_snd.lowat.set(MCLBYTES.min(snd));
        so.publish_limits();
        so_rcv.limits.set(Limits::of(rcv));
        so_rcv.lowat.set(1);
        so.rcv.reserve(so.so_type.get(), Limits::of(rcv.max(snd)));
        self.policy.side_leave(so, Side::Snd);
        self.policy.side_leave(so, Side::Rcv);
    }

    /// `unp_attach`: the control block, on the list of all. `so` may be unlocked and locked again.
    pub(crate) fn unp_attach(&self, so: &mut Held<P>) {
        self.sockets.unpcbs.get();
        so.st().so_pcb.set(true);
        self.policy.list_enter(so);
        let gc = so.gc(self.policy.collector().gc_guard());
        gc.linked.set(true);
        so.unp_msgcount.store(0, Relaxed);
        gc.dead.set(false);
        self.policy.list_exit(so);
    }

    /// `unp_connect2`: makes `so2` the peer of `so`; for a connection, also the other way. Both are
    /// locked.
    pub(crate) fn unp_connect2(&self, so: &mut Held<P>, so2: &mut Held<P>) {
        so.set_conn(Some(so2.socket()));
        if so.so_type.get() == SockType::Dgram {
            so2.referrers().append(so.socket());
            self.soisconnected(so, None);
            return;
        }
        so2.set_conn(Some(so.socket()));
        self.soisconnected(so, None);
        self.soisconnected(so2, Some(so));
    }

    /// `soisconnected`: wakes whoever waits for the connection; an embryo becomes ready to be
    /// accepted, and one thread in accept is woken.
    fn soisconnected(&self, so: &mut Held<P>, client: Option<&So<P>>) {
        so.st().set(State::ISCONNECTED);
        if P::WAITS_AT_PEER && so.connection_required() {
            self.policy.side_enter(so, Side::Rcv);
            so.set_writer(so.peer());
            self.policy.side_leave(so, Side::Rcv);
        }
        let st = so.st();
        if let Some(head) = st.so_head.get() {
            self.embryo_is_ready(so, &head, client);
            return;
        }
        self.ambient.sched_lock();
        so.timeo_wait.wakeup(false);
        self.sorwakeup(so);
        self.sowwakeup(so);
    }

    /// Moves an embryo from its listener's `so_q0` to `so_q`. The embryo is unlocked and locked
    /// again, the client stays locked.
    fn embryo_is_ready(&self, so3: &mut Held<P>, head: &So<P>, client: Option<&So<P>>) {
        so3.so_refcnt.take();
        head.so_refcnt.take();
        let mut head = self.policy.embryo_to_head(so3, head, client);
        if !P::Fault::omits(Step::NewconnRef) {
            head.so_refcnt.rele();
        }
        so3.so_refcnt.rele();
        if so3.queues().so_onq.get() == OnQueue::Q0 {
            let embryo = so3.socket();
            let queues = head.queues();
            queues.so_q0.remove(embryo);
            queues.so_q.append(embryo);
            so3.queues().so_onq.set(OnQueue::Q);
            self.sorwakeup(&mut head);
            self.ambient.sched_lock();
            head.timeo_wait.wakeup_one();
        }
        self.policy.head_leave(&mut head);
    }

    /// The new reference to the file is taken under `fdplock`: there the descriptor cannot be
    /// closed meanwhile, so that its own reference keeps the file.
    pub(crate) fn sys_dup(&self, s: Fd) -> Result<Fd, Errno> {
        self.fd_fplock(1);
        if !self.fds.is_open(s) {
            return Err(Errno::Ebadf);
        }
        self.fds.enter();
        let result = self.dup_locked(s);
        self.fds.exit();
        result
    }

    fn dup_locked(&self, s: Fd) -> Result<Fd, Errno> {
        if !self.fds.is_open(s) {
            return Err(Errno::Ebadf);
        }
        let so = self.fds.find(s)?;
        let fd = self.fds.allocate_locked()?;
        so.f_count.fetch_add(1, Relaxed);
        self.fds.install(fd, so);
        self.fd_fplock(2);
        Ok(fd)
    }
}
