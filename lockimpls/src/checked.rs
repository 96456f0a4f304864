//! The operation boundary: every call of every backend passes here, and nowhere else.

pub(crate) mod fifo;

use crate::domain::{
    Config, Domain, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;
use crate::witness::{self, Operation};

/// A [`Domain`] behind its boundary: the system call's entry and its return to user mode.
///
/// Each call is `#[inline(never)]`, so that every backend pays for the same call, and on return the
/// thread must hold nothing ([`witness`]). The domain inside cannot be reached otherwise.
#[derive(Debug)]
pub struct Checked<D> {
    domain: D,
}

/// Names the call for reports, and checks at its end.
macro_rules! call {
    ($self:ident, $name:literal, $body:expr) => {{
        witness::enter(
            const { &Operation { name: concat!("sys_", $name), backend: <D as Domain>::NAME } },
        );
        let result = $body;
        witness::userret();
        if $self.domain.wants_collect() {
            $self.collect();
        }
        result
    }};
}

use call;

impl<D: Domain> Checked<D> {
    /// A layer with no sockets.
    ///
    /// # Errors
    /// As [`Domain::new`].
    pub fn new(config: &Config) -> Result<Self, Errno> {
        Ok(Self { domain: D::new(config)? })
    }

    /// The backend's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        D::NAME
    }

    /// See [`Domain::socketpair`].
    #[inline(never)]
    pub fn socketpair(&self, kind: SockType) -> Result<(D::Sock, D::Sock), Errno> {
        call!(self, "socketpair", self.domain.socketpair(kind))
    }

    /// See [`Domain::socket`].
    #[inline(never)]
    pub fn socket(&self, kind: SockType) -> Result<D::Sock, Errno> {
        call!(self, "socket", self.domain.socket(kind))
    }

    /// See [`Domain::bind`].
    #[inline(never)]
    pub fn bind(&self, s: D::Sock, name: &SockAddr) -> Result<(), Errno> {
        call!(self, "bind", self.domain.bind(s, name))
    }

    /// See [`Domain::unlink`].
    #[inline(never)]
    pub fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        call!(self, "unlink", self.domain.unlink(name))
    }

    /// See [`Domain::listen`].
    #[inline(never)]
    pub fn listen(&self, s: D::Sock, backlog: i32) -> Result<(), Errno> {
        call!(self, "listen", self.domain.listen(s, backlog))
    }

    /// See [`Domain::connect`].
    #[inline(never)]
    pub fn connect(&self, s: D::Sock, name: &SockAddr) -> Result<(), Errno> {
        call!(self, "connect", self.domain.connect(s, name))
    }

    /// See [`Domain::accept`].
    #[inline(never)]
    pub fn accept(&self, s: D::Sock) -> Result<(D::Sock, SockAddr), Errno> {
        call!(self, "accept", self.domain.accept(s))
    }

    /// See [`Domain::sendmsg`].
    #[inline(never)]
    pub fn sendmsg(&self, s: D::Sock, msg: &SendMsg<'_, D::Sock>) -> Result<usize, Errno> {
        call!(self, "sendmsg", self.domain.sendmsg(s, msg))
    }

    /// See [`Domain::recvmsg`].
    #[inline(never)]
    pub fn recvmsg(&self, s: D::Sock, msg: &mut RecvMsg<'_, D::Sock>) -> Result<usize, Errno> {
        call!(self, "recvmsg", self.domain.recvmsg(s, msg))
    }

    /// See [`Domain::send`].
    #[inline(never)]
    pub fn send(&self, s: D::Sock, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        call!(self, "sendto", self.domain.send(s, data, flags))
    }

    /// See [`Domain::recv`].
    #[inline(never)]
    pub fn recv(&self, s: D::Sock, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        call!(self, "recvfrom", self.domain.recv(s, data, flags))
    }

    /// Sends bytes to a named socket: sendto(2).
    #[inline(never)]
    pub fn sendto(
        &self,
        s: D::Sock,
        data: &[u8],
        to: &SockAddr,
        flags: MsgFlags,
    ) -> Result<usize, Errno> {
        let msg = SendMsg { to: Some(to), data, rights: &[], flags };
        call!(self, "sendto", self.domain.sendmsg(s, &msg))
    }

    /// See [`Domain::shutdown`].
    #[inline(never)]
    pub fn shutdown(&self, s: D::Sock, how: Shutdown) -> Result<(), Errno> {
        call!(self, "shutdown", self.domain.shutdown(s, how))
    }

    /// See [`Domain::close`].
    #[inline(never)]
    pub fn close(&self, s: D::Sock) -> Result<(), Errno> {
        call!(self, "close", self.domain.close(s))
    }

    /// See [`Domain::dup`].
    #[inline(never)]
    pub fn dup(&self, s: D::Sock) -> Result<D::Sock, Errno> {
        call!(self, "dup", self.domain.dup(s))
    }

    /// See [`Domain::same_file`].
    #[inline(never)]
    pub fn same_file(&self, a: D::Sock, b: D::Sock) -> Result<bool, Errno> {
        call!(self, "kcmp", self.domain.same_file(a, b))
    }

    /// See [`Domain::getsockname`].
    #[inline(never)]
    pub fn getsockname(&self, s: D::Sock) -> Result<SockAddr, Errno> {
        call!(self, "getsockname", self.domain.getsockname(s))
    }

    /// See [`Domain::getpeername`].
    #[inline(never)]
    pub fn getpeername(&self, s: D::Sock) -> Result<SockAddr, Errno> {
        call!(self, "getpeername", self.domain.getpeername(s))
    }

    /// See [`Domain::setsockopt`].
    #[inline(never)]
    pub fn setsockopt(&self, s: D::Sock, option: SockOpt, value: usize) -> Result<(), Errno> {
        call!(self, "setsockopt", self.domain.setsockopt(s, option, value))
    }

    /// See [`Domain::getsockopt`].
    #[inline(never)]
    pub fn getsockopt(&self, s: D::Sock, option: SockOpt) -> Result<usize, Errno> {
        call!(self, "getsockopt", self.domain.getsockopt(s, option))
    }

    /// See [`Domain::set_nonblocking`].
    #[inline(never)]
    pub fn set_nonblocking(&self, s: D::Sock, on: bool) -> Result<(), Errno> {
        call!(self, "fcntl", self.domain.set_nonblocking(s, on))
    }

    /// See [`Domain::collect`].
    #[inline(never)]
    pub fn collect(&self) {
        witness::enter(const { &Operation { name: "collect", backend: <D as Domain>::NAME } });
        self.domain.collect();
        witness::userret();
    }

    /// See [`Domain::pools`].
    pub fn pools(&self) -> Vec<PoolUse> {
        self.domain.pools()
    }

    /// The check at the end of a run, when every descriptor was closed: collects, and reports
    /// whatever is still in use. A report ends the process.
    pub fn check_end(&self) {
        self.collect();
        witness::check_pools(D::NAME, &self.pools());
    }
}
