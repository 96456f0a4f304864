//! The machine's own AF_UNIX sockets, through system calls: the reality check.
//!
//! What is locked, and in which order, is the kernel's affair. The answers are the machine's too: a
//! blocking send to a full datagram socket *waits* on Linux, where the model answers `ENOBUFS`.
//!
//! * A descriptor carries the generation of its number, so that a stale one gives `EBADF` and never
//!   reaches the socket that got the number next: one load and one comparison. Between it and the
//!   system call another thread may still close the descriptor, as in any process; whoever uses a
//!   descriptor while another thread closes it gets what the machine makes of it.
//! * Names live in a private directory, made for the first and removed with the layer. What does
//!   not fit there (long names, slashes) gets a number instead, so every [`SockAddr`] can be bound.
//! * The buffers have the machine's default sizes; of the [`Config`] only `wait` is obeyed.
//! * `park` makes blocking system calls. `spin` never does: it repeats nonblocking ones. `adaptive`
//!   repeats a few, then makes the blocking one. accept(2) and connect(2) know no such flag: they
//!   block.

#![allow(unsafe_code)]

mod answer;
mod layer;
mod message;
mod names;
mod rights;
mod try_out;

use std::ffi::c_int;
use std::mem::{size_of, zeroed};

use crossbeam_utils::CachePadded;
use libc::socklen_t;

use self::answer::{check_int, file_flags};
use self::layer::{Counts, FD_MAX};
use self::message::{host_flags, host_option};
use self::names::{Address, Names};
use crate::ambient::Variants;
use crate::domain::{
    Algorithm, Config, Domain, Fd, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr,
    SockOpt, SockType,
};
use crate::errno::Errno;
use crate::fault::Listener;
use crate::primitives::{AtomicU32, Ordering, RawMutex};
use crate::uipc::fifo::Fifofs;

pub(crate) use self::layer::Host;

use Ordering::Relaxed;

fn host_type(kind: SockType) -> c_int {
    let kind = match kind {
        SockType::Stream => libc::SOCK_STREAM,
        SockType::Dgram => libc::SOCK_DGRAM,
        SockType::Seqpacket => libc::SOCK_SEQPACKET,
    };
    kind | libc::SOCK_CLOEXEC
}

fn file_id(fd: c_int) -> Result<(u64, u64), Errno> {
    // SAFETY: a stat is integers only, for which all zeroes is a value.
    let mut stat: libc::stat = unsafe { zeroed() };
    // SAFETY: fstat writes one stat to the room given, which is ours and large enough.
    check_int(unsafe { libc::fstat(fd, &raw mut stat) })?;
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}

impl Variants for Host {
    type UnderAmbient = Host;
    type OnLock<R: RawMutex> = Host;
    type OnListener<R: Listener> = Host;
}

impl Domain for Host {
    type Sock = Fd;

    const NAME: &'static str = "host";
    const ABOUT: &'static str = "the machine's own AF_UNIX sockets, through system calls";
    const MODELLED: bool = false;

    fn new(config: &Config) -> Result<Self, Errno> {
        if !config.ambient.is_empty() || config.lock != Algorithm::default() {
            return Err(Errno::Eopnotsupp);
        }
        Ok(Host {
            generations: (0..FD_MAX).map(|_| AtomicU32::new(0)).collect(),
            wait: config.wait,
            names: Names::new(),
            counts: CachePadded::new(Counts::default()),
        })
    }

    fn try_out() -> Result<(), String> {
        try_out::try_out()
    }

    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        let mut fds = [0; 2];
        // SAFETY: socketpair writes two descriptors to the room for two.
        let result =
            unsafe { libc::socketpair(libc::AF_UNIX, host_type(kind), 0, fds.as_mut_ptr()) };
        check_int(result)?;
        match (self.register(fds[0]), self.register(fds[1])) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (first, second) => {
                // One of them failed and is closed; the other must not stay.
                let _ = first.and_then(|sock| self.close(sock));
                let _ = second.and_then(|sock| self.close(sock));
                Err(Errno::Emfile)
            }
        }
    }

    fn socket(&self, kind: SockType) -> Result<Fd, Errno> {
        // SAFETY: socket takes integers only.
        self.register(check_int(unsafe { libc::socket(libc::AF_UNIX, host_type(kind), 0) })?)
    }

    fn bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        let (fd, address) = (self.fd(s)?, self.names.address(name)?);
        // SAFETY: bind reads `len` bytes of the address, which is its size.
        check_int(unsafe { libc::bind(fd, address.as_ptr(), address.len) }).map(drop)
    }

    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        let address = self.names.address(name)?;
        // SAFETY: the path was copied into zeroes with at least one left after it: it ends with a
        // NUL.
        check_int(unsafe { libc::unlink(address.un.sun_path.as_ptr()) }).map(drop)
    }

    fn listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        let fd = self.fd(s)?;
        // SAFETY: listen takes integers only.
        check_int(unsafe { libc::listen(fd, backlog) }).map(drop)
    }

    fn connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        let (fd, address) = (self.fd(s)?, self.names.address(name)?);
        self.blocking(fd, || {
            // SAFETY: connect reads `len` bytes of the address, which is its size.
            unsafe { libc::connect(fd, address.as_ptr(), address.len) as isize }
        })
        .map(drop)
    }

    fn accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        let fd = self.fd(s)?;
        let mut address = Address::room();
        let accepted = self.blocking(fd, || {
            address = Address::room();
            let len = &raw mut address.len;
            // SAFETY: accept4 writes at most `len` bytes of address, which is the size of the room.
            unsafe { libc::accept4(fd, address.as_mut_ptr(), len, libc::SOCK_CLOEXEC) as isize }
        })?;
        Ok((self.register(accepted as c_int)?, self.names.name(&address)))
    }

    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        let fd = self.fd(s)?;
        if msg.to.is_none() && msg.rights.is_empty() {
            return self.send_bytes(fd, msg.data, msg.flags);
        }
        self.sendmsg_full(fd, msg)
    }

    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.recvmsg_full(self.fd(s)?, msg)
    }

    fn recv(&self, s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        let fd = self.fd(s)?;
        let host = host_flags(flags);
        self.waiting(fd, flags, |add| {
            // SAFETY: recv writes at most `data.len()` bytes at the slice's address.
            unsafe { libc::recv(fd, data.as_mut_ptr().cast(), data.len(), host | add) }
        })
    }

    fn shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        let how = match how {
            Shutdown::Read => libc::SHUT_RD,
            Shutdown::Write => libc::SHUT_WR,
            Shutdown::Both => libc::SHUT_RDWR,
        };
        let fd = self.fd(s)?;
        // SAFETY: shutdown takes integers only.
        check_int(unsafe { libc::shutdown(fd, how) }).map(drop)
    }

    fn close(&self, s: Fd) -> Result<(), Errno> {
        let fd = self.fd(s)?;
        // The generation first: the machine may give the number away as soon as it is closed. Of
        // two threads that close the same descriptor one wins.
        self.generations[fd as usize]
            .compare_exchange(s.generation, s.generation.wrapping_add(1), Relaxed, Relaxed)
            .map_err(|_| Errno::Ebadf)?;
        self.counts.releases.fetch_add(1, Relaxed);
        // SAFETY: the descriptor was opened by this layer, and the exchange above makes this its
        // only close.
        check_int(unsafe { libc::close(fd) }).map(drop)
    }

    fn dup(&self, s: Fd) -> Result<Fd, Errno> {
        let fd = self.fd(s)?;
        // SAFETY: fcntl(F_DUPFD_CLOEXEC) takes integers only.
        self.register(check_int(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })?)
    }

    fn same_file(&self, a: Fd, b: Fd) -> Result<bool, Errno> {
        Ok(file_id(self.fd(a)?)? == file_id(self.fd(b)?)?)
    }

    fn getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.ask_name(s, libc::getsockname)
    }

    fn getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.ask_name(s, libc::getpeername)
    }

    fn setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        let fd = self.fd(s)?;
        let value = c_int::try_from(value).map_err(|_| Errno::Einval)?;
        let (room, len) = ((&raw const value).cast(), size_of::<c_int>() as socklen_t);
        let option = host_option(option);
        // SAFETY: setsockopt reads `len` bytes of the value, which is its size.
        check_int(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, room, len) }).map(drop)
    }

    fn getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        let fd = self.fd(s)?;
        let mut value: c_int = 0;
        let mut len = size_of::<c_int>() as socklen_t;
        let (room, option) = ((&raw mut value).cast(), host_option(option));
        // SAFETY: getsockopt writes at most `len` bytes, which is the size of the value.
        check_int(unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, room, &raw mut len) })?;
        usize::try_from(value).map_err(|_| Errno::Einval)
    }

    fn set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        let fd = self.fd(s)?;
        let flags = file_flags(fd)?;
        let flags = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        // SAFETY: fcntl(F_SETFL) takes integers only.
        check_int(unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
    }

    fn collect(&self) {}

    fn pools(&self) -> Vec<PoolUse> {
        // Releases first, so that other threads' work meanwhile cannot make them the greater
        // number.
        let releases = self.counts.releases.load(Relaxed);
        let requests = self.counts.requests.load(Relaxed);
        vec![PoolUse { name: "fd", in_use: requests - releases, requests, releases }]
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for (fd, generation) in self.generations.iter().enumerate() {
            if !generation.load(Relaxed).is_multiple_of(2) {
                // SAFETY: an odd generation is an open descriptor of this layer, which nobody uses
                // any more.
                unsafe { libc::close(fd as c_int) };
            }
        }
    }
}

/// None: the machine's own fifos are not on sockets.
impl Fifofs for Host {
    type FifoVnode = ();
}
