//! The ways out of a layer that no workload takes: nothing there, no room, nobody on the other
//! side, a descriptor that is closed. What each answers is the layer's own affair; that it returns
//! with no lock, and leaves nothing behind, is not.

use lockimpls::{Errno, Fd, Layer, MsgFlags, SockType};

use super::{Job, child};

/// More messages than a buffer holds.
const MESSAGES: usize = 10_000;
/// The length of one, in bytes.
const BYTES: usize = 1000;

/// Takes them all, in both directions, with sockets of this type, if the layer makes pairs of it.
pub(super) fn meet(job: &Job, kind: SockType) {
    let layer = child::layer(job);
    for is_turned in [false, true] {
        let Ok((one, other)) = layer.socketpair(kind) else { return };
        let (from, to) = if is_turned { (other, one) } else { (one, other) };
        by_one(&*layer, from, to);
    }
    layer.check_end();
}

fn by_one(layer: &dyn Layer, from: Fd, to: Fd) {
    // Nothing is there; then there is no room; then nothing is there again.
    let _ = receive(layer, to);
    let _ = (0..MESSAGES).try_for_each(|_| send(layer, from).map(drop));
    let _ = (0..MESSAGES).try_for_each(|_| receive(layer, to).map(drop));
    // Nobody is on the other side.
    let _ = send(layer, from);
    let _ = layer.close(to);
    let _ = (send(layer, from), receive(layer, from));
    let _ = layer.close(from);
    // Neither is open.
    for closed in [from, to] {
        let _ = (send(layer, closed), receive(layer, closed), layer.close(closed));
    }
}

fn send(layer: &dyn Layer, from: Fd) -> Result<usize, Errno> {
    layer.send(from, &[7; BYTES], MsgFlags::DONTWAIT)
}

fn receive(layer: &dyn Layer, to: Fd) -> Result<usize, Errno> {
    layer.recv(to, &mut [0; BYTES], MsgFlags::DONTWAIT)
}
