//! How much of a send may go at once (`uipc_socket.c` 1.279, `sosend`).

use crate::errno::Errno;

/// One look at the buffer.
pub(super) enum Room {
    /// This many bytes may go now.
    Bytes(usize),
    /// None: wait.
    Wait,
    /// The send has come to its end at the append, and does not look at the buffer again.
    Ended(Result<(), Errno>),
}

/// How much of `resid` bytes may go at once into `space`, of which a control message takes `clen`:
/// all of it; or, where a message may be cut, what fits if there are at least `lowat` bytes of
/// space. That may be none: then the control message goes alone.
#[inline(always)]
pub(super) fn room_for(
    space: isize,
    clen: usize,
    resid: usize,
    is_atomic: bool,
    lowat: usize,
) -> Room {
    let rest = space - clen as isize;
    if rest < 0 {
        return Room::Wait;
    }
    let rest = rest.unsigned_abs();
    if rest < resid && (is_atomic || space.unsigned_abs() < lowat) {
        return Room::Wait;
    }
    Room::Bytes(rest)
}
