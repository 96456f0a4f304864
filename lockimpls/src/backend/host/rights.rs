//! SCM_RIGHTS of the machine: descriptors packed into a control message, and out of it.

use std::ffi::{c_int, c_uint};
use std::mem::size_of;

use crate::errno::Errno;

/// The most descriptors in one message (Linux's SCM_MAX_FD).
pub(super) const RIGHTS_MAX: usize = 253;

/// Room for one control message with [`RIGHTS_MAX`] descriptors, aligned as a cmsghdr wants.
pub(super) struct Cmsg {
    room: [u64; 132],
    /// How many bytes of the room are used (sending) or offered (receiving).
    pub(super) len: usize,
}

fn space(descriptors: usize) -> usize {
    // SAFETY: CMSG_SPACE computes with its argument alone.
    unsafe { libc::CMSG_SPACE((descriptors * size_of::<c_int>()) as c_uint) as usize }
}

impl Cmsg {
    /// Room to receive so many descriptors; none: no control message.
    pub(super) fn room_for(descriptors: usize) -> Cmsg {
        let len = if descriptors == 0 { 0 } else { space(descriptors.min(RIGHTS_MAX)) };
        Cmsg { room: [0; 132], len }
    }

    /// A message with these descriptors.
    pub(super) fn with(
        fds: impl ExactSizeIterator<Item = Result<c_int, Errno>>,
    ) -> Result<Cmsg, Errno> {
        if fds.len() > RIGHTS_MAX {
            return Err(Errno::Einval);
        }
        let mut cmsg = Cmsg::room_for(fds.len());
        if fds.len() == 0 {
            return Ok(cmsg);
        }
        let bytes = (fds.len() * size_of::<c_int>()) as c_uint;
        let header = cmsg.room.as_mut_ptr().cast::<libc::cmsghdr>();
        // SAFETY: the room is aligned for a cmsghdr and, by the check above, holds one with
        // `fds.len()` descriptors after it; CMSG_DATA points there, to where they may be written
        // unaligned.
        unsafe {
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
            let data = libc::CMSG_DATA(header).cast::<c_int>();
            for (i, fd) in fds.enumerate() {
                data.add(i).write_unaligned(fd?);
            }
        }
        Ok(cmsg)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        self.room.as_mut_ptr().cast()
    }

    /// Calls `each` with every descriptor that `header`, a receive into this room, brought.
    pub(super) fn received(header: &libc::msghdr, mut each: impl FnMut(c_int)) {
        // SAFETY: recvmsg left whole control messages in the room that `header` still points to,
        // and its length in `msg_controllen`; the CMSG macros stay inside it, and a message's
        // length says how many descriptors follow its header.
        unsafe {
            let mut message = libc::CMSG_FIRSTHDR(header);
            while !message.is_null() {
                if (*message).cmsg_level == libc::SOL_SOCKET
                    && (*message).cmsg_type == libc::SCM_RIGHTS
                {
                    let bytes = (*message).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                    let data = libc::CMSG_DATA(message).cast::<c_int>();
                    for i in 0..bytes / size_of::<c_int>() {
                        each(data.add(i).read_unaligned());
                    }
                }
                message = libc::CMSG_NXTHDR(header, message);
            }
        }
    }
}
