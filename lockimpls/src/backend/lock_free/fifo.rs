//! Fifos: with the locks, whatever else is done.

use super::{LockFreeLayer, ShutsGate};
use crate::ambient::Surroundings;
use crate::backend::per_socket::SocketPolicy;
use crate::errno::Errno;
use crate::fault::Fault;
use crate::uipc::Locked;
use crate::uipc::fifo::{Fifofs, OpenMode};

/// Its sockets have no descriptor, so that a fifo never goes the fast way.
impl<F: Fault, A: Surroundings> Fifofs for LockFreeLayer<F, A> {
    type FifoVnode = <Locked<SocketPolicy<F, ShutsGate, A>> as Fifofs>::FifoVnode;

    fn fifo_open(&self, vp: &Self::FifoVnode, mode: OpenMode) -> Result<(), Errno> {
        self.slow.fifo_open(vp, mode)
    }

    fn fifo_read(
        &self,
        vp: &Self::FifoVnode,
        mode: OpenMode,
        data: &mut [u8],
    ) -> Result<usize, Errno> {
        self.slow.fifo_read(vp, mode, data)
    }

    fn fifo_write(
        &self,
        vp: &Self::FifoVnode,
        mode: OpenMode,
        data: &[u8],
    ) -> Result<usize, Errno> {
        self.slow.fifo_write(vp, mode, data)
    }

    fn fifo_close(&self, vp: &Self::FifoVnode, mode: OpenMode) {
        self.slow.fifo_close(vp, mode);
    }
}
