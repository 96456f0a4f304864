//! What the machine answers, as errors of the layer.

use std::ffi::c_int;

use crate::errno::Errno;

pub(super) fn last_errno() -> Errno {
    let number = std::io::Error::last_os_error().raw_os_error();
    Errno::from_host(number.expect("the system's last error has its number"))
}

pub(super) fn check(result: isize) -> Result<usize, Errno> {
    if result < 0 { Err(last_errno()) } else { Ok(result as usize) }
}

pub(super) fn check_int(result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(last_errno()) } else { Ok(result) }
}

pub(super) fn file_flags(fd: c_int) -> Result<c_int, Errno> {
    // SAFETY: fcntl(F_GETFL) takes integers only.
    check_int(unsafe { libc::fcntl(fd, libc::F_GETFL) })
}

pub(super) fn is_nonblocking(fd: c_int) -> Result<bool, Errno> {
    Ok(file_flags(fd)? & libc::O_NONBLOCK != 0)
}
