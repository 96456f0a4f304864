//! Fifos on top of two sockets: fifofs (`fifo_vnops.c` 1.96).
//!
//! The first open makes two STREAM sockets and connects them: what is sent on `writesock` is
//! received on `readsock`. How many files are open for reading and for writing is guarded by the
//! lock of the fifo's vnode, which an open and a close hold while they lock the sockets: so a
//! vnode's lock comes before every socket's. A read and a write drop it around the receive and the
//! send; that their file is open keeps the sockets.
//!
//! Which side is there is told to the other by the sockets' own flags. Without a reader `writesock`
//! is CANTSENDMORE, and a write EPIPE. When the last writer closes, `readsock` becomes CANTRCVMORE
//! and ISDISCONNECTED: a read takes what is left, then comes the end. The first reader, the first
//! writer clear these flags again. When nobody is left both sockets are closed, with what nobody
//! read.
//!
//! `writesock` has PIPE_BUF as its low-water mark: a write that does not fit is cut where at least
//! that much goes, so one of at most PIPE_BUF bytes goes whole or not at all.
//!
//! # Without the fast path
//!
//! The sockets of a fifo have no descriptor, and `lock-free` goes its fast way, and opens its gate,
//! by a descriptor. So the gate of these sockets is never open, and a thread that clears a flag
//! under a socket's lock has no one to shut out: a fifo takes the locks on every backend.
//!
//! Different from the kernel: a fifo has no name here, and its files are not counted.

use crate::domain::{Domain, MsgFlags, RecvMsg, SendMsg, SockType, WaitStrategy};
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::guarded::Guarded;
use crate::objects::socket::{Side, SockRef, State, WaitPoint};
use crate::policy::{Held, Policy, So};
use crate::primitives::{Ordering, park};
use crate::sync::RwLock;
use crate::uipc::Locked;
use crate::uipc::wait::spin;
use crate::witness::{self, Class, WaitsFor};

use Ordering::Relaxed;

/// PIPE_BUF: a write of at most so many bytes is atomic.
pub const PIPE_BUF: usize = 512;

bitflags::bitflags! {
    /// How a fifo is opened: the flags of open(2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct OpenMode: u32 {
        /// For reading: FREAD.
        const READ = 1;
        /// For writing: FWRITE.
        const WRITE = 2;
        /// O_NONBLOCK: neither the open nor a read or write waits.
        const NONBLOCK = 4;
    }
}

/// A fifo's vnode. Only a [`Fifo`](crate::Fifo) has one, and only calls of its layer are given it:
/// so it never outlives its sockets.
pub(crate) struct FifoVnode<L> {
    /// With `v_fifoinfo`.
    i_lock: Guarded<Option<FifoInfo<L>>>,
    /// Where readers wait for the first writer to open, and writers for the first reader.
    readers_wait: WaitPoint,
    writers_wait: WaitPoint,
}

/// The vnode of a fifo of this granularity.
type Vnode<P> = FifoVnode<<P as Policy>::Locks>;

/// What an open fifo has.
struct FifoInfo<L> {
    readsock: SockRef<L>,
    writesock: SockRef<L>,
    readers: u32,
    writers: u32,
}

impl<L> Clone for FifoInfo<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for FifoInfo<L> {}

impl<L> Default for FifoVnode<L> {
    /// Of a fifo that nobody has open.
    fn default() -> Self {
        Self {
            i_lock: Guarded::new(RwLock::new(Class::Vnode), None),
            readers_wait: WaitPoint::new(),
            writers_wait: WaitPoint::new(),
        }
    }
}

impl<L> FifoVnode<L> {
    fn info(&self) -> Option<FifoInfo<L>> {
        self.i_lock.with(|fip| *fip)
    }

    fn set_info(&self, fip: Option<FifoInfo<L>>) {
        self.i_lock.with(|it| *it = fip);
    }

    /// What there is while some file is open.
    fn opened(&self) -> FifoInfo<L> {
        self.info().expect("an open fifo has its sockets")
    }
}

/// Fifos on the sockets of a layer: what [`Checked`](crate::Checked) makes a
/// [`Fifo`](crate::Fifo)'s calls on. `mode` is that of the file. A layer that implements nothing of
/// it has no fifos, and each open answers `EOPNOTSUPP`.
///
/// What a layer of this crate keeps of a fifo can be made by this crate alone.
pub trait Fifofs: Domain {
    /// What a fifo of this layer keeps; `()` where it has none.
    type FifoVnode: Default + Send + Sync;

    /// See [`Fifo::open`](crate::Fifo::open).
    ///
    /// # Errors
    /// As there.
    fn fifo_open(&self, vp: &Self::FifoVnode, mode: OpenMode) -> Result<(), Errno> {
        let _ = (vp, mode);
        Err(Errno::Eopnotsupp)
    }

    /// See [`FifoFile::read`](crate::FifoFile::read).
    ///
    /// # Errors
    /// As there.
    fn fifo_read(
        &self,
        vp: &Self::FifoVnode,
        mode: OpenMode,
        data: &mut [u8],
    ) -> Result<usize, Errno> {
        let _ = (vp, mode, data);
        Err(Errno::Eopnotsupp)
    }

    /// See [`FifoFile::write`](crate::FifoFile::write).
    ///
    /// # Errors
    /// As there.
    fn fifo_write(
        &self,
        vp: &Self::FifoVnode,
        mode: OpenMode,
        data: &[u8],
    ) -> Result<usize, Errno> {
        let _ = (vp, mode, data);
        Err(Errno::Eopnotsupp)
    }

    /// See [`FifoFile::close`](crate::FifoFile::close).
    fn fifo_close(&self, vp: &Self::FifoVnode, mode: OpenMode) {
        let _ = (vp, mode);
    }
}

impl<P: Policy> Fifofs for Locked<P> {
    type FifoVnode = Vnode<P>;

    fn fifo_open(&self, vp: &Vnode<P>, mode: OpenMode) -> Result<(), Errno> {
        if !mode.intersects(OpenMode::READ | OpenMode::WRITE) {
            return Err(Errno::Einval);
        }
        vp.i_lock.enter();
        let result = self.fifo_open_locked(vp, mode);
        vp.i_lock.exit();
        result
    }

    fn fifo_read(&self, vp: &Vnode<P>, mode: OpenMode, data: &mut [u8]) -> Result<usize, Errno> {
        if !mode.contains(OpenMode::READ) {
            return Err(Errno::Ebadf);
        }
        if data.is_empty() {
            return Ok(0);
        }
        vp.i_lock.enter();
        let rso = vp.opened().readsock;
        if !P::Fault::omits(Step::FifoReceive) {
            vp.i_lock.exit();
        }
        let mut rso = self.policy.data_lock(&rso);
        let result = self.soreceive(&mut rso, &mut RecvMsg::new(data, msg_flags(mode)));
        self.policy.data_unlock(rso);
        vp.i_lock.enter();
        let has_writers = vp.opened().writers > 0;
        vp.i_lock.exit();
        match result {
            Err(Errno::Ewouldblock) if !has_writers => Ok(0),
            result => result,
        }
    }

    fn fifo_write(&self, vp: &Vnode<P>, mode: OpenMode, data: &[u8]) -> Result<usize, Errno> {
        if !mode.contains(OpenMode::WRITE) {
            return Err(Errno::Ebadf);
        }
        vp.i_lock.enter();
        let wso = vp.opened().writesock;
        vp.i_lock.exit();
        let mut wso = self.policy.data_lock(&wso);
        let msg = SendMsg { to: None, data, rights: &[], flags: msg_flags(mode) };
        let result = self.sosend(&mut wso, &msg);
        self.policy.data_unlock(wso);
        // As the kernel does: its caller has locked the vnode, and unlocks it.
        vp.i_lock.enter();
        vp.i_lock.exit();
        result
    }

    fn fifo_close(&self, vp: &Vnode<P>, mode: OpenMode) {
        vp.i_lock.enter();
        self.fifo_close_locked(vp, mode);
        vp.i_lock.exit();
    }
}

fn msg_flags(mode: OpenMode) -> MsgFlags {
    if mode.contains(OpenMode::NONBLOCK) { MsgFlags::DONTWAIT } else { MsgFlags::empty() }
}

/// The rest of `fifo_vnops.c`: the vnode is locked before and after.
impl<P: Policy> Locked<P> {
    fn fifo_open_locked(&self, vp: &Vnode<P>, mode: OpenMode) -> Result<(), Errno> {
        let is_nonblocking = mode.contains(OpenMode::NONBLOCK);
        let mut fip = match vp.info() {
            Some(fip) => fip,
            None => self.fifo_create()?,
        };
        if mode.contains(OpenMode::READ) {
            fip.readers += 1;
            if fip.readers == 1 {
                self.fifo_begin(&fip.writesock, Side::Snd, |so| so.set_cantsendmore(false));
                vp.writers_wait.wakeup(false);
            }
        }
        let is_refused = mode.contains(OpenMode::WRITE) && is_nonblocking && fip.readers == 0;
        if mode.contains(OpenMode::WRITE) {
            fip.writers += 1;
            if fip.writers == 1 && !is_refused {
                self.fifo_begin(&fip.readsock, Side::Rcv, |so| {
                    so.so_rcv().cantrcvmore.set(false);
                    so.st().clear(State::ISDISCONNECTED);
                });
                vp.readers_wait.wakeup(false);
            }
        }
        vp.set_info(Some(fip));
        if is_refused {
            self.fifo_close_locked(vp, mode);
            return Err(Errno::Enxio);
        }
        // At most one of the two: whoever opens for both is its own other side.
        if mode.contains(OpenMode::READ) && fip.writers == 0 && !is_nonblocking {
            self.fifo_sleep(vp, &vp.readers_wait);
        }
        if mode.contains(OpenMode::WRITE) && fip.readers == 0 && !is_nonblocking {
            self.fifo_sleep(vp, &vp.writers_wait);
        }
        Ok(())
    }

    /// The sockets, which nobody reads from or writes to yet.
    fn fifo_create(&self) -> Result<FifoInfo<P::Locks>, Errno> {
        let (readsock, writesock) = self.socreate_pair(SockType::Stream)?;
        self.policy.links_enter();
        let mut wso = self.policy.solock(&writesock);
        self.policy.side_enter(&wso, Side::Snd);
        wso.set_cantsendmore(true);
        wso.so_snd().lowat.set(PIPE_BUF);
        wso.publish_limits();
        self.policy.side_leave(&mut wso, Side::Snd);
        self.policy.sounlock(wso);
        self.policy.links_leave();
        Ok(FifoInfo { readsock, writesock, readers: 0, writers: 0 })
    }

    /// The other side is there: a direction that had ended begins again.
    fn fifo_begin(&self, so: &So<P>, side: Side, begin: impl FnOnce(&Held<P>)) {
        self.policy.links_enter();
        let mut so = self.policy.solock(so);
        self.policy.side_enter(&so, side);
        begin(&so);
        self.policy.side_leave(&mut so, side);
        self.policy.sounlock(so);
        self.policy.links_leave();
    }

    fn fifo_close_locked(&self, vp: &Vnode<P>, mode: OpenMode) {
        let mut fip = vp.opened();
        if mode.contains(OpenMode::READ) {
            fip.readers -= 1;
            if fip.readers == 0 {
                self.policy.links_enter();
                let mut wso = self.policy.solock(&fip.writesock);
                if !P::Fault::omits(Step::FifoEndWriter) {
                    self.socantsendmore(&mut wso);
                    self.wake_at_peer(&wso);
                }
                self.policy.sounlock(wso);
                self.policy.links_leave();
            }
        }
        if mode.contains(OpenMode::WRITE) {
            fip.writers -= 1;
            if fip.writers == 0 {
                let mut rso = self.policy.solock(&fip.readsock);
                rso.st().set(State::ISDISCONNECTED);
                self.socantrcvmore(&mut rso);
                self.policy.sounlock(rso);
            }
        }
        if fip.readers == 0 && fip.writers == 0 {
            self.soclose(fip.readsock);
            self.soclose(fip.writesock);
            vp.set_info(None);
        } else {
            vp.set_info(Some(fip));
        }
    }

    /// `tsleep` of an open: until the other side has come, the vnode unlocked meanwhile. That it
    /// came is enough, though it may have left again since: it is not looked at afterwards.
    ///
    /// A waker holds the vnode's lock, which is released when the thread is queued, so that no
    /// wake-up falls between. There is no timeout.
    #[track_caller]
    fn fifo_sleep(&self, vp: &Vnode<P>, point: &WaitPoint) {
        let seen = point.event.load(Relaxed);
        let has_come = || point.event.load(Relaxed) != seen;
        if self.config.wait != WaitStrategy::Park {
            witness::sleep(point.key(), WaitsFor::Wakeup, vp.i_lock.addr());
            vp.i_lock.exit();
            spin(self.config.wait, has_come);
            vp.i_lock.enter();
        }
        while !has_come() {
            witness::sleep(point.key(), WaitsFor::Wakeup, vp.i_lock.addr());
            // Relaxed: under the lock, as is whoever reads it.
            point.waiting.store(1, Relaxed);
            park(point.key(), || true, || vp.i_lock.exit());
            vp.i_lock.enter();
        }
        witness::awake();
    }
}
