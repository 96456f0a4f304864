//! Fifos behind the boundary: what a caller has of one, and its calls.

use std::fmt;

use super::{Checked, call};
use crate::domain::Domain;
use crate::errno::Errno;
use crate::uipc::fifo::{Fifofs, OpenMode};
use crate::witness::{self, Operation};

impl<D: Fifofs> Checked<D> {
    /// A fifo on two sockets of this layer, which nobody has open: mkfifo(2), but for its name.
    pub fn mkfifo(&self) -> Fifo<'_, D> {
        Fifo { layer: self, vnode: D::FifoVnode::default() }
    }

    #[inline(never)]
    fn fifo_open(&self, vp: &D::FifoVnode, mode: OpenMode) -> Result<(), Errno> {
        call!(self, "open", self.domain.fifo_open(vp, mode))
    }

    #[inline(never)]
    fn fifo_read(
        &self,
        vp: &D::FifoVnode,
        mode: OpenMode,
        data: &mut [u8],
    ) -> Result<usize, Errno> {
        call!(self, "read", self.domain.fifo_read(vp, mode, data))
    }

    #[inline(never)]
    fn fifo_write(&self, vp: &D::FifoVnode, mode: OpenMode, data: &[u8]) -> Result<usize, Errno> {
        call!(self, "write", self.domain.fifo_write(vp, mode, data))
    }

    #[inline(never)]
    fn fifo_close(&self, vp: &D::FifoVnode, mode: OpenMode) {
        call!(self, "close", self.domain.fifo_close(vp, mode));
    }
}

/// A fifo of a layer, made by [`Checked::mkfifo`]. It has no sockets while nobody has it open.
pub struct Fifo<'l, D: Fifofs> {
    layer: &'l Checked<D>,
    vnode: D::FifoVnode,
}

impl<D: Fifofs> Fifo<'_, D> {
    /// open(2). Unless it is nonblocking it waits for the other side.
    ///
    /// # Errors
    /// `EINVAL` for neither reading nor writing; `ENXIO` for a nonblocking writer without a reader;
    /// `EOPNOTSUPP` on a layer without fifos (`host`); what making the sockets answers.
    pub fn open(&self, mode: OpenMode) -> Result<FifoFile<'_, D>, Errno> {
        self.layer.fifo_open(&self.vnode, mode)?;
        Ok(FifoFile { fifo: self, mode })
    }
}

impl<D: Fifofs> fmt::Debug for Fifo<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo").field("layer", &self.layer.name()).finish_non_exhaustive()
    }
}

/// An open fifo: what a descriptor of it refers to. A borrow of it stands for the reference that a
/// call holds, so it cannot be closed under a call; one that is dropped without
/// [`FifoFile::close`] leaks, and is found when the layer ends.
#[must_use = "a file that is not closed leaks"]
#[derive(Debug)]
pub struct FifoFile<'f, D: Fifofs> {
    fifo: &'f Fifo<'f, D>,
    mode: OpenMode,
}

impl<D: Fifofs> FifoFile<'_, D> {
    /// read(2): 0 at the end, when there is no writer and nothing left.
    ///
    /// # Errors
    /// `EBADF` for a file not open for reading; `EWOULDBLOCK`.
    pub fn read(&self, data: &mut [u8]) -> Result<usize, Errno> {
        self.fifo.layer.fifo_read(&self.fifo.vnode, self.mode, data)
    }

    /// write(2): how many bytes were taken.
    ///
    /// # Errors
    /// `EBADF` for a file not open for writing; `EPIPE` without a reader; `EWOULDBLOCK`.
    pub fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        self.fifo.layer.fifo_write(&self.fifo.vnode, self.mode, data)
    }

    /// close(2).
    pub fn close(self) {
        self.fifo.layer.fifo_close(&self.fifo.vnode, self.mode);
    }
}
