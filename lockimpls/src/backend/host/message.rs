//! Messages to and from the machine: flags and options, parts, addresses and descriptors.

use std::ffi::c_int;
use std::mem::zeroed;

use super::answer::is_nonblocking;
use super::layer::Host;
use super::names::Address;
use super::rights::Cmsg;
use crate::domain::{Domain, Fd, MsgFlags, RecvMsg, SendMsg, SockOpt};
use crate::errno::Errno;

/// Linux closes received descriptors on exec at once; elsewhere the gap does not matter here.
#[cfg(target_os = "linux")]
const RECV_FLAGS: c_int = libc::MSG_CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECV_FLAGS: c_int = 0;

/// The flags but DONTWAIT, which [`Host::waiting`] adds.
pub(super) fn host_flags(flags: MsgFlags) -> c_int {
    let mut host = 0;
    for (flag, bit) in [
        (MsgFlags::PEEK, libc::MSG_PEEK),
        (MsgFlags::EOR, libc::MSG_EOR),
        (MsgFlags::OOB, libc::MSG_OOB),
    ] {
        host |= if flags.contains(flag) { bit } else { 0 };
    }
    host
}

pub(super) fn host_option(option: SockOpt) -> c_int {
    match option {
        SockOpt::SndBuf => libc::SO_SNDBUF,
        SockOpt::RcvBuf => libc::SO_RCVBUF,
        SockOpt::SndLowat => libc::SO_SNDLOWAT,
        SockOpt::RcvLowat => libc::SO_RCVLOWAT,
        SockOpt::Error => libc::SO_ERROR,
    }
}

impl Host {
    /// send(2): bytes alone.
    #[inline]
    pub(super) fn send_bytes(
        &self,
        fd: c_int,
        data: &[u8],
        flags: MsgFlags,
    ) -> Result<usize, Errno> {
        let host = host_flags(flags) | libc::MSG_NOSIGNAL;
        let sent = self.waiting(fd, flags, |add| {
            // SAFETY: send reads `data.len()` bytes at the slice's address.
            unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), host | add) }
        })?;
        if sent < data.len() { self.send_rest(fd, data, sent, flags) } else { Ok(sent) }
    }

    /// After a part was taken: a call that may wait goes on until all is, or something fails.
    #[cold]
    fn send_rest(
        &self,
        fd: c_int,
        data: &[u8],
        mut sent: usize,
        flags: MsgFlags,
    ) -> Result<usize, Errno> {
        if flags.contains(MsgFlags::DONTWAIT) || is_nonblocking(fd)? {
            return Ok(sent);
        }
        let host = host_flags(flags) | libc::MSG_NOSIGNAL;
        while sent < data.len() {
            let rest = &data[sent..];
            let more = self.waiting(fd, flags, |add| {
                // SAFETY: send reads `rest.len()` bytes at the slice's address.
                unsafe { libc::send(fd, rest.as_ptr().cast(), rest.len(), host | add) }
            });
            match more {
                Ok(count) if count > 0 => sent += count,
                _ => break,
            }
        }
        Ok(sent)
    }

    /// sendmsg(2) with a name or descriptors.
    pub(super) fn sendmsg_full(&self, fd: c_int, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        let mut address = msg.to.map(|name| self.names.address(name)).transpose()?;
        let mut cmsg = Cmsg::with(msg.rights.iter().map(|s| self.fd(*s)))?;
        let mut iov =
            libc::iovec { iov_base: msg.data.as_ptr().cast_mut().cast(), iov_len: msg.data.len() };
        let header = header(address.as_mut(), &mut iov, &mut cmsg);
        let host = host_flags(msg.flags) | libc::MSG_NOSIGNAL;
        let sent = self.waiting(fd, msg.flags, |add| {
            // SAFETY: the header points to an address, an iovec of `msg.data` and a control message
            // that all live to the end of this function; sendmsg only reads them.
            unsafe { libc::sendmsg(fd, &raw const header, host | add) }
        })?;
        if sent < msg.data.len() { self.send_rest(fd, msg.data, sent, msg.flags) } else { Ok(sent) }
    }

    /// recvmsg(2), with the sender's name and the descriptors.
    pub(super) fn recvmsg_full(
        &self,
        fd: c_int,
        msg: &mut RecvMsg<'_, Fd>,
    ) -> Result<usize, Errno> {
        let mut address = Address::room();
        let mut cmsg = Cmsg::room_for(msg.rights.len());
        let mut iov =
            libc::iovec { iov_base: msg.data.as_mut_ptr().cast(), iov_len: msg.data.len() };
        let mut header = header(Some(&mut address), &mut iov, &mut cmsg);
        let room = (header.msg_namelen, header.msg_controllen);
        let host = host_flags(msg.flags) | RECV_FLAGS;
        let got = self.waiting(fd, msg.flags, |add| {
            (header.msg_namelen, header.msg_controllen) = room;
            // SAFETY: the header points to an address, an iovec of `msg.data` and the room of a
            // cmsghdr, which all live to the end of this function, with their lengths; recvmsg
            // writes no more than these.
            unsafe { libc::recvmsg(fd, &raw mut header, host | add) }
        })?;
        address.len = header.msg_namelen;
        msg.fill_from(self.names.name(&address));
        msg.flags = given_flags(header.msg_flags);
        msg.rights_len = 0;
        Cmsg::received(&header, |fd| match (self.register(fd), msg.rights_len) {
            (Ok(sock), at) if at < msg.rights.len() => {
                msg.rights[at] = Some(sock);
                msg.rights_len += 1;
            }
            (registered, _) => {
                // No room, or no such number here: lost, as the kernel does it.
                let _ = registered.and_then(|sock| self.close(sock));
                msg.flags |= MsgFlags::CTRUNC;
            }
        });
        Ok(got)
    }
}

/// A header that points to these; they must live as long as it is used.
fn header(address: Option<&mut Address>, iov: &mut libc::iovec, cmsg: &mut Cmsg) -> libc::msghdr {
    // SAFETY: a msghdr is integers and pointers, for which all zeroes is a value.
    let mut header: libc::msghdr = unsafe { zeroed() };
    if let Some(address) = address {
        header.msg_name = address.as_mut_ptr().cast();
        header.msg_namelen = address.len;
    }
    header.msg_iov = iov;
    header.msg_iovlen = 1;
    if cmsg.len != 0 {
        header.msg_control = cmsg.as_mut_ptr();
        header.msg_controllen = cmsg.len as _;
    }
    header
}

fn given_flags(host: c_int) -> MsgFlags {
    let mut flags = MsgFlags::empty();
    flags.set(MsgFlags::TRUNC, host & libc::MSG_TRUNC != 0);
    flags.set(MsgFlags::CTRUNC, host & libc::MSG_CTRUNC != 0);
    flags.set(MsgFlags::EOR, host & libc::MSG_EOR != 0);
    flags
}
