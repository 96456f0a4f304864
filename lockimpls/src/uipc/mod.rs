//! The requests of unix(4), written once, generic over how they lock.
//!
//! A send's way: [`Locked::sendmsg`](Domain::sendmsg) here finds and locks the socket; `send.rs`
//! waits for room (`sosend`), drops the lock to copy the caller's bytes, and appends them at the
//! peer (`pru_send`); the append goes into the peer's ring (`objects/sockbuf.rs`). Every lock and
//! unlock on the way is a [`Policy`] verb, called by hand. What the locks guard is reached through
//! the token that the verb lends ([`Held`]).
//!
//! # What keeps a socket while a call uses it
//!
//! A call counts itself in `users` under the socket's lock, after it has seen there that its
//! descriptor is open, and takes itself out under the lock again. Whoever closes the last
//! descriptor frees the socket at once if nobody uses it, else marks it `CLOSING`, and the last
//! user frees it: the file reference that a system call holds in a kernel.
//!
//! Where the policy says so ([`Policy::CALLS_BY_FILE`]) a call does have that reference: it finds
//! the socket at its descriptor's place, adds one to `f_count` unless that is 0, and looks again
//! whether the descriptor is open. If not, the file may be another one that has come to this place
//! in memory (`fref`); what was added is taken back by `closef`, which also ends the call, and
//! frees the socket where the last descriptor was closed meanwhile.

mod accept;
mod apart;
mod append;
pub(crate) mod around;
mod bind;
mod close;
mod collect;
mod connect;
mod create;
mod datagram;
pub(crate) mod fifo;
mod held;
mod name;
mod options;
mod pinned;
mod queues;
mod receive;
mod rights;
mod room;
pub(crate) mod send;
mod shutdown;
mod sides;
pub(crate) mod wait;

/// Requests that must not compile; `tests/tokens.rs` looks whether they do.
#[cfg(solock_wrong)]
#[path = "../../tests/tokens/wrong.rs"]
mod wrong;

use crate::ambient::{Kernel, Nothing, Surroundings, Variants};
use crate::domain::{
    Config, Domain, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;
use crate::fault::{Fault, Listener, Listens, Step, Window};
use crate::objects::descriptors::{Descriptors, Fd};
use crate::objects::in_flight::InFlight;
use crate::objects::mbuf::{CONTROL_MAX, MbufPool};
use crate::objects::names::Names;
use crate::objects::pool::SocketPool;
use crate::objects::socket::{FastSide, Socket, State};
use crate::policy::{Held, Policy, SoRef};
use crate::primitives::{Ordering, RawMutex, register_asymmetric};

/// What the locks of a granularity are made of.
type Raw<P> = <<P as Policy>::Ambient as Surroundings>::Raw;
/// What the locks beside them are made of.
type Beside<P> = <Raw<P> as RawMutex>::Beside;

/// A unix(4) layer whose requests lock as `P` says.
pub(crate) struct Locked<P: Policy> {
    pub(crate) policy: P,
    pub(crate) config: Config,
    pub(crate) sockets: SocketPool<P::Locks, Beside<P>>,
    pub(crate) mbufs: MbufPool<P::Locks, Beside<P>>,
    pub(crate) fds: Descriptors<P::Locks, Beside<P>>,
    pub(crate) names: Names<P::Locks, P::Fault, Beside<P>>,
    pub(crate) in_flight: InFlight<Beside<P>>,
    pub(crate) ambient: P::Ambient,
}

impl<P: Policy> Locked<P> {
    /// Whether whoever wakes a thread that waits for a buffer needs no lock for it.
    const WAKES_UNLOCKED: bool = P::SENDS_UNLOCKED || P::SENDS_HELD;

    /// Finds the socket of a descriptor, locks it and counts the call as its user.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn solock_fd(&self, fd: Fd) -> Result<Held<P>, Errno> {
        if P::CALLS_BY_FILE {
            let so = self.fd_getfile(fd)?;
            return Ok(self.policy.solock(&so));
        }
        let (place, so) = self.fds.look(fd)?;
        P::Fault::window(Window::Lookup);
        let so = self.policy.solock(&so);
        if !place.is_open() && !P::Fault::omits(Step::LookupRecheck) {
            self.policy.sounlock(so);
            return Err(Errno::Ebadf);
        }
        let st = so.st();
        st.users.set(st.users.get() + 1);
        Ok(so)
    }

    /// The same, to connect or part it: where the links have a lock of their own, that comes first.
    #[track_caller]
    pub(crate) fn solock_fd_and_links(&self, fd: Fd) -> Result<Held<P>, Errno> {
        if P::CALLS_BY_FILE {
            let so = self.fd_getfile(fd)?;
            self.policy.links_enter();
            return Ok(self.policy.solock(&so));
        }
        self.solock_fd(fd)
    }

    /// Ends a call on a locked socket: unlocks it, and frees it if this was the last user of a
    /// closed one.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sounlock_fd(&self, so: Held<P>) {
        if P::CALLS_BY_FILE {
            let file = so.socket();
            self.policy.sounlock(so);
            return self.closef(file);
        }
        let st = so.st();
        let before = st.users.get();
        st.users.set(before - 1);
        let left = if P::Fault::omits(Step::CountAfter) { before } else { before - 1 };
        if st.is(State::CLOSING) && left == 0 && !is_awaited(&so) {
            self.soclose_locked(so);
            return;
        }
        self.policy.sounlock(so);
    }

    /// A call begins that locks the socket part by part: finds the socket of a descriptor, and
    /// keeps it. Where one lock guards all, it is locked now.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn call_enter(&self, fd: Fd) -> Result<Held<P>, Errno> {
        if P::CALLS_BY_FILE {
            let so = self.fd_getfile(fd)?;
            return Ok(self.policy.data_lock(&so));
        }
        self.solock_fd(fd)
    }

    /// Such a call ends.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn call_leave(&self, so: Held<P>) {
        if P::CALLS_BY_FILE {
            // Beside its parts such a call has nothing locked: its reference alone ends.
            return self.closef(so.socket());
        }
        self.sounlock_fd(so);
    }

    /// `fd_getfile`: the socket of a descriptor, with a reference on its file.
    fn fd_getfile(&self, fd: Fd) -> Result<SoRef<P>, Errno> {
        let (place, so) = self.fds.look(fd)?;
        P::Fault::window(Window::Lookup);
        if !so.fref() {
            return Err(Errno::Ebadf);
        }
        if !place.is_open() && !P::Fault::omits(Step::LookupRecheck) {
            self.closef(so);
            return Err(Errno::Ebadf);
        }
        Ok(so)
    }

    /// sendmsg(2). Compiled twice: on the way of bytes alone is nothing that only a name or
    /// descriptors need.
    #[inline(always)]
    fn sys_sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.fd_fplock(1);
        self.sockargs(s, msg.rights)?;
        let mut so = self.call_enter(s)?;
        let result = self.sosend(&mut so, msg);
        let file = so.socket();
        self.call_leave(so);
        self.sendit_ends(file, &result);
        result
    }

    /// `sockargs` of a control message: more than a cluster of it is refused before the socket is
    /// looked at (`uipc_syscalls.c` 1.196, line 1147).
    #[inline(always)]
    pub(crate) fn sockargs(&self, s: Fd, rights: &[Fd]) -> Result<(), Errno> {
        if rights.len() > CONTROL_MAX { Err(self.too_much_control(s)) } else { Ok(()) }
    }

    /// Only a descriptor that is not open is refused before.
    #[cold]
    fn too_much_control(&self, s: Fd) -> Errno {
        match self.fds.find(s) {
            Ok(_) if self.fds.is_open(s) => Errno::Einval,
            _ => Errno::Ebadf,
        }
    }

    /// recvmsg(2). Compiled twice, as [`Self::sys_sendmsg`] is.
    #[inline(always)]
    fn sys_recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.fd_fplock(1);
        let mut so = self.call_enter(s)?;
        let result = self.soreceive(&mut so, msg);
        let file = so.socket();
        self.call_leave(so);
        self.transferred(file, &result);
        result
    }
}

/// Whether a thread waits on the lock-free path: it uses the socket too.
pub(crate) fn is_awaited<L>(so: &Socket<L>) -> bool {
    let waits = |side: &FastSide| side.waits.load(Ordering::Relaxed) != 0;
    waits(&so.fast_side.snd) || waits(&so.fast_side.rcv)
}

impl<P: Policy> Variants for Locked<P> {
    type UnderAmbient = Locked<P::With<P::Fault, Kernel<Raw<P>>>>;
    type OnLock<R: RawMutex> = Locked<P::With<P::Fault, Nothing<R>>>;
    type OnListener<R: Listener> = Locked<P::With<Listens<R>, Nothing<R>>>;
}

impl<P: Policy> Domain for Locked<P> {
    type Sock = Fd;

    const NAME: &'static str = P::NAME;
    const ABOUT: &'static str = P::ABOUT;
    const MODELLED: bool = true;
    const IS_USUAL: bool = P::IS_USUAL;

    fn new(config: &Config) -> Result<Self, Errno> {
        if config.sockets_max == 0 || config.pipsiz_bytes == 0 || config.maxfiles == 0 {
            return Err(Errno::Einval);
        }
        let is_made_of = Raw::<P>::ALGORITHM;
        if is_made_of.is_some_and(|algorithm| algorithm != config.lock) {
            return Err(Errno::Einval);
        }
        register_asymmetric();
        let policy = P::new(config.lock);
        Ok(Self {
            policy,
            config: config.clone(),
            sockets: SocketPool::new(config.sockets_max),
            mbufs: MbufPool::new(),
            fds: Descriptors::new(config.maxfiles),
            names: Names::new(config.sockets_max),
            in_flight: InFlight::new(),
            ambient: Surroundings::new(config)?,
        })
    }

    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        self.sys_socketpair(kind)
    }

    fn socket(&self, kind: SockType) -> Result<Fd, Errno> {
        self.sys_socket(kind)
    }

    fn bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.kernel_lock();
        self.fd_fplock(1);
        let result = self.sys_bind(s, name);
        self.kernel_unlock();
        result
    }

    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.kernel_lock();
        let result = self.names.unlink(name);
        self.kernel_unlock();
        result
    }

    fn listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        self.kernel_lock();
        self.fd_fplock(1);
        let result = self.sys_listen(s, backlog);
        self.kernel_unlock();
        result
    }

    fn connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.fd_fplock(1);
        self.sys_connect(s, name)
    }

    fn accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        self.sys_accept(s)
    }

    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.sys_sendmsg(s, msg)
    }

    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.sys_recvmsg(s, msg)
    }

    #[inline(always)]
    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.sys_sendmsg(s, &SendMsg { to: None, data, rights: &[], flags })
    }

    #[inline(always)]
    fn recv(&self, s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        self.sys_recvmsg(s, &mut RecvMsg::new(data, flags))
    }

    fn shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        self.kernel_lock();
        self.fd_fplock(1);
        let result = self.sys_shutdown(s, how);
        self.kernel_unlock();
        result
    }

    fn close(&self, s: Fd) -> Result<(), Errno> {
        self.sys_close(s)
    }

    fn dup(&self, s: Fd) -> Result<Fd, Errno> {
        self.sys_dup(s)
    }

    fn same_file(&self, a: Fd, b: Fd) -> Result<bool, Errno> {
        let (so_a, so_b) = (self.fds.find(a)?, self.fds.find(b)?);
        if !self.fds.is_open(a) || !self.fds.is_open(b) {
            return Err(Errno::Ebadf);
        }
        Ok(so_a == so_b)
    }

    fn getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.fd_fplock(1);
        self.sys_getsockname(s)
    }

    fn getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.fd_fplock(1);
        self.sys_getpeername(s)
    }

    fn setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        self.kernel_lock();
        self.fd_fplock(1);
        let result = self.sys_setsockopt(s, option, value);
        self.kernel_unlock();
        result
    }

    fn getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        self.kernel_lock();
        self.fd_fplock(1);
        let result = self.sys_getsockopt(s, option);
        self.kernel_unlock();
        result
    }

    fn set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        self.fd_fplock(1);
        self.sys_set_nonblocking(s, on)
    }

    #[inline(always)]
    fn wants_collect(&self) -> bool {
        self.wants_gc()
    }

    fn collect(&self) {
        self.unp_gc();
    }

    fn pools(&self) -> Vec<PoolUse> {
        vec![
            self.fds.row(),
            self.fds.file_row(),
            self.sockets.sockets.row("socket"),
            self.sockets.unpcbs.row("unpcb"),
            self.mbufs.row(),
            self.names.row(),
            self.in_flight.row(),
        ]
    }
}
