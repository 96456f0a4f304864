//! A layer of any backend, behind one table of calls.
//!
//! A workload is compiled once against [`Layer`] and runs on every backend: each call goes through
//! the table to the backend's own boundary ([`Checked`]), which is not inlined anyway. So a backend
//! costs its own code and no copy of each workload's.

use crate::ambient::Variants;
use crate::backend::{Visitor, visit_all};
use crate::checked::Checked;
use crate::domain::{
    Config, Domain, Fd, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;

/// Declares the calls of a layer, hands each on to the boundary, and lists where their code begins.
macro_rules! layer {
    ($($(#[doc = $about:literal])* fn $call:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        /// A socket layer behind its boundary, whatever its backend.
        pub trait Layer: Send + Sync {
            $(
                $(#[doc = $about])*
                fn $call(&self $(, $arg: $type)*) -> $result;
            )*

            /// Where the code of each call begins: for telling whether two programs have the same.
            fn code(&self) -> Vec<usize>;
        }

        impl<D: Domain<Sock = Fd>> Layer for Checked<D> {
            $(
                fn $call(&self $(, $arg: $type)*) -> $result {
                    Checked::$call(self $(, $arg)*)
                }
            )*

            fn code(&self) -> Vec<usize> {
                vec![$({
                    let call: fn(&Self $(, $type)*) -> $result = Checked::<D>::$call;
                    call as usize
                }),*]
            }
        }
    };
}

layer! {
    /// The backend's name.
    fn name() -> &'static str;
    /// See [`Domain::socketpair`].
    fn socketpair(kind: SockType) -> Result<(Fd, Fd), Errno>;
    /// See [`Domain::socket`].
    fn socket(kind: SockType) -> Result<Fd, Errno>;
    /// See [`Domain::bind`].
    fn bind(s: Fd, name: &SockAddr) -> Result<(), Errno>;
    /// See [`Domain::unlink`].
    fn unlink(name: &SockAddr) -> Result<(), Errno>;
    /// See [`Domain::listen`].
    fn listen(s: Fd, backlog: i32) -> Result<(), Errno>;
    /// See [`Domain::connect`].
    fn connect(s: Fd, name: &SockAddr) -> Result<(), Errno>;
    /// See [`Domain::accept`].
    fn accept(s: Fd) -> Result<(Fd, SockAddr), Errno>;
    /// See [`Domain::sendmsg`].
    fn sendmsg(s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno>;
    /// See [`Domain::recvmsg`].
    fn recvmsg(s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno>;
    /// See [`Domain::send`].
    fn send(s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno>;
    /// See [`Domain::recv`].
    fn recv(s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno>;
    /// See [`Checked::sendto`].
    fn sendto(s: Fd, data: &[u8], to: &SockAddr, flags: MsgFlags) -> Result<usize, Errno>;
    /// See [`Domain::shutdown`].
    fn shutdown(s: Fd, how: Shutdown) -> Result<(), Errno>;
    /// See [`Domain::close`].
    fn close(s: Fd) -> Result<(), Errno>;
    /// See [`Domain::dup`].
    fn dup(s: Fd) -> Result<Fd, Errno>;
    /// See [`Domain::same_file`].
    fn same_file(a: Fd, b: Fd) -> Result<bool, Errno>;
    /// See [`Domain::getsockname`].
    fn getsockname(s: Fd) -> Result<SockAddr, Errno>;
    /// See [`Domain::getpeername`].
    fn getpeername(s: Fd) -> Result<SockAddr, Errno>;
    /// See [`Domain::setsockopt`].
    fn setsockopt(s: Fd, option: SockOpt, value: usize) -> Result<(), Errno>;
    /// See [`Domain::getsockopt`].
    fn getsockopt(s: Fd, option: SockOpt) -> Result<usize, Errno>;
    /// See [`Domain::set_nonblocking`].
    fn set_nonblocking(s: Fd, on: bool) -> Result<(), Errno>;
    /// See [`Domain::collect`].
    fn collect() -> ();
    /// See [`Domain::pools`].
    fn pools() -> Vec<PoolUse>;
    /// See [`Checked::check_end`].
    fn check_end() -> ();
}

/// A backend without its type: what is known of it, and how a layer of it is made.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    /// [`Domain::NAME`].
    pub name: &'static str,
    /// [`Domain::ABOUT`].
    pub about: &'static str,
    /// [`Domain::MODELLED`].
    pub modelled: bool,
    /// [`Domain::IS_USUAL`].
    pub is_usual: bool,
    /// A layer with no sockets, as [`Domain::new`] makes it. Locks of the kernel around one of this
    /// crate, and another algorithm than the default, are `EINVAL`: such layers ([`Variants`]) are
    /// compiled elsewhere, so that the code of these does not depend on whether there are any.
    pub open: fn(&Config) -> Result<Box<dyn Layer>, Errno>,
    /// [`Domain::try_out`].
    pub try_out: fn() -> Result<(), String>,
}

impl Backend {
    /// The backend of this type.
    #[must_use]
    pub const fn of<D: Domain<Sock = Fd>>() -> Backend {
        Backend {
            name: D::NAME,
            about: D::ABOUT,
            modelled: D::MODELLED,
            is_usual: D::IS_USUAL,
            open: open::<D>,
            try_out: D::try_out,
        }
    }
}

fn open<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}

/// Every backend, in the order they are shown.
#[must_use]
pub fn backends() -> Vec<Backend> {
    let mut all = Visited(Vec::new());
    visit_all(&mut all);
    all.0
}

/// The backends that were visited.
struct Visited(Vec<Backend>);

impl Visitor for Visited {
    fn visit<D: Variants<Sock = Fd>>(&mut self) {
        self.0.push(Backend::of::<D>());
    }
}
