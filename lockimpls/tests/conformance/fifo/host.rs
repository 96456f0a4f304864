//! The machine's own fifos, and how they may differ.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use lockimpls::{Errno, OpenMode};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno as HostErrno;

use super::Fifos;

/// A way in which Linux differs: the case, OpenBSD's answer, Linux's, and why.
pub(super) type Difference = (&'static str, &'static str, &'static str, &'static str);

/// Every way in which the machine may differ. Each row must occur.
pub(super) const ALLOWED: &[Difference] = &[
    ("no bytes", "write w 0 = EPIPE", "write w 0 = 0", "looks at the length first"),
    (
        "more than PIPE_BUF bytes are cut",
        "write w 2000 = 1192",
        "write w 2000 = EWOULDBLOCK",
        "PIPE_BUF is 4096",
    ),
    (
        "more than PIPE_BUF bytes are cut",
        "read r 9000 = 8192 bytes",
        "read r 9000 = 7000 bytes",
        "PIPE_BUF is 4096",
    ),
    ("the cut is at PIPE_BUF", "write w 513 = 512", "write w 513 = EWOULDBLOCK", "it is 4096"),
    (
        "the cut is at PIPE_BUF",
        "read r 9000 = 8192 bytes",
        "read r 9000 = 7680 bytes",
        "PIPE_BUF is 4096",
    ),
    (
        "a write that went in part ends with the last reader",
        "end A = EPIPE",
        "end A = 8192",
        "tells what went out before the pipe broke",
    ),
];

/// As many bytes as the model's fifo holds: two pages.
const CAPACITY: usize = 8192;

/// A fifo of the machine, in a folder of its own.
pub(super) struct HostFifo {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl HostFifo {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        Self { path, _folder: folder }
    }
}

fn answer<T>(result: Result<T, HostErrno>) -> Result<T, Errno> {
    result.map_err(|errno| Errno::from_host(errno.raw_os_error()))
}

impl Fifos for HostFifo {
    type File<'f> = OwnedFd;
    const MODELLED: bool = false;

    fn open(&self, mode: OpenMode) -> Result<OwnedFd, Errno> {
        let mut flags = match (mode.contains(OpenMode::READ), mode.contains(OpenMode::WRITE)) {
            (true, true) => OFlags::RDWR,
            (true, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (false, false) => OFlags::RWMODE,
        };
        flags.set(OFlags::NONBLOCK, mode.contains(OpenMode::NONBLOCK));
        let file = answer(rustix::fs::open(&self.path, flags | OFlags::CLOEXEC, Mode::empty()))?;
        rustix::pipe::fcntl_setpipe_size(&file, CAPACITY).unwrap();
        Ok(file)
    }

    fn read(file: &OwnedFd, data: &mut [u8]) -> Result<usize, Errno> {
        answer(rustix::io::read(file, data))
    }

    fn write(file: &OwnedFd, data: &[u8]) -> Result<usize, Errno> {
        answer(rustix::io::write(file, data))
    }

    fn close(file: OwnedFd) {
        drop(file);
    }
}
