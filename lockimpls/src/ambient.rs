//! The locks of the kernel around the layer: those that fine-grained locks in unix(4) left as they
//! were (OpenBSD of 2022-07-01).
//!
//! | name | lock | where it is taken |
//! |---|---|---|
//! | `kernel-lock` | KERNEL_LOCK, one for the machine | every `sorwakeup` and `sowwakeup`: `sowakeup` calls `selwakeup` (`uipc_socket2.c` 1.125, 504; `sys_generic.c`, 846); the whole of bind, listen, shutdown, setsockopt, getsockopt and unlink, which `syscalls.master` 1.226 does not mark NOLOCK; looking up a name to connect or send to (`uipc_usrreq.c` 1.167, 768); taking descriptors out of a message (1004); giving back the name of a closed socket (592); SIGPIPE (`uipc_syscalls.c` 1.196, 688) |
//! | `fd-fplock` | `fd_fplock`, one for a process | each `fd_getfile` (`kern_descrip.c`, 240): once in a call on a descriptor, once more for each descriptor sent (`uipc_usrreq.c` 1.167, 1211); each descriptor that appears or goes (`fdinsert` 722, `fdremove` 739, `finishdup` 666 and 679; received: `uipc_usrreq.c`, 1073) |
//! | `f-mtx` | `f_mtx`, one for each file | the counts of transfers, after each send and receive that succeeds (`uipc_syscalls.c` 1.196, 695 and 921) |
//! | `sched-lock` | SCHED_LOCK, one for the machine | `wakeup` (`kern_synch.c` 1.189, 540) where the kernel calls it; going to sleep (363) and coming back (`sched_bsd.c` 1.71, `mi_switch`) |
//!
//! A layer is a process. The kernel lock and the scheduler's are one for this process: all its
//! layers share them.
//!
//! # Asleep, a thread has no kernel lock
//!
//! A thread that holds it may wait for any lock it may sleep for, and the holder of such a lock may
//! wait for the kernel lock: a connect locks sockets under it, and a send wants it with both its
//! sockets locked. The two would wait for each other, but whoever sleeps gives the kernel lock up
//! first, however often it has it, and takes it again when it wakes (`sched_bsd.c` 1.71,
//! `mi_switch`); and a thread that has it does not spin for a lock but sleeps at once
//! (`kern_rwlock.c`, 235). Here [`sleep_begins`] is called where a lock is not free, and where a
//! thread waits for an event. Spinning for the kernel lock needs no such care: its holder never
//! spins for anything but a mutex(9), whose holder waits for nothing. So witness(4) has no order
//! between the kernel lock and what may be slept for, and reports it taken after a mutex
//! (`subr_witness.c`, 950 to 982); [`witness::kernel_lock_wanted`] is that rule.
//!
//! # Without
//!
//! `P::Ambient` of the backends is [`Nothing`], whose hooks are nothing. The locks are in another
//! instantiation of the same source, and there it is asked at run time which of them are taken, and
//! of which algorithm the layer's own locks are ([`AnyLock`](crate::raw::AnyLock)).

mod mp_lock;
mod mutex;
mod variants;

use std::marker::PhantomData;
use std::sync::OnceLock;

use crossbeam_utils::CachePadded;

use crate::domain::{Ambient, Config};
use crate::errno::Errno;
use crate::primitives::own::AtomicU64;
use crate::primitives::{Ordering, RawLock, RawMutex};
use crate::witness::{self, Class, Edge, WaitsFor};

pub(crate) use self::mp_lock::{MpLock, Taken};
use self::mutex::Mutex;
pub use self::variants::Variants;

use Ordering::Relaxed;

/// The kernel lock of this process.
fn kernel_lock() -> &'static MpLock {
    static KERNEL_LOCK: OnceLock<MpLock> = OnceLock::new();
    KERNEL_LOCK.get_or_init(MpLock::new)
}

/// The scheduler's lock of this process.
fn sched_lock() -> &'static MpLock {
    static SCHED_LOCK: OnceLock<MpLock> = OnceLock::new();
    SCHED_LOCK.get_or_init(MpLock::new)
}

fn addr(lock: &MpLock) -> usize {
    std::ptr::from_ref(lock) as usize
}

/// KERNEL_LOCK.
#[track_caller]
fn kernel_enter(lock: &MpLock) {
    witness::kernel_lock_wanted(addr(lock));
    let taken = lock.lock(|| {
        witness::contended(Class::KernelLock);
        witness::sleep(addr(lock), WaitsFor::Lock, 0);
    });
    if taken == Taken::Waited {
        witness::awake();
    }
    if taken != Taken::Again {
        witness::kernel_lock_taken(addr(lock));
    }
}

/// KERNEL_UNLOCK.
#[track_caller]
fn kernel_exit(lock: &MpLock) {
    witness::assert_kept(addr(lock), Class::KernelLock);
    if lock.unlock() {
        witness::unkeep(addr(lock), Class::KernelLock);
    }
}

/// The thread is about to sleep: it gives up the kernel lock; how often it had it.
#[cold]
#[track_caller]
pub(crate) fn sleep_begins() -> u32 {
    if !witness::has_kernel_lock() {
        return 0;
    }
    let lock = kernel_lock();
    witness::unkeep(addr(lock), Class::KernelLock);
    lock.release_all()
}

/// It is awake: it takes the kernel lock as often as it had it.
#[cold]
#[track_caller]
pub(crate) fn sleep_ends(depth: u32) {
    (0..depth).for_each(|_| kernel_enter(kernel_lock()));
}

/// What is around the layer: hooks, where the kernel takes its other locks. Each pair of them
/// leaves nothing held but the kernel lock.
pub(crate) trait Surroundings: Send + Sync + Sized + 'static {
    /// What the layer's own locks are made of.
    type Raw: RawMutex;

    /// What the configuration asks for.
    ///
    /// # Errors
    /// `EINVAL`: that is not this.
    fn new(config: &Config) -> Result<Self, Errno>;

    /// Whether there is anything.
    #[inline(always)]
    fn is_there(&self) -> bool {
        false
    }
    /// KERNEL_LOCK, KERNEL_UNLOCK.
    #[inline(always)]
    fn kernel_lock(&self) {}
    #[inline(always)]
    fn kernel_unlock(&self) {}
    /// `fd_fplock` for the moment in which a file is found, put in its place, or taken from there.
    #[inline(always)]
    fn fd_fplock(&self) {}
    /// `f_mtx` of a file, by its number, while a transfer is counted.
    #[inline(always)]
    fn f_mtx(&self, file: usize, bytes: usize) {
        let _ = (file, bytes);
    }
    /// SCHED_LOCK, while the queue of sleepers is looked at.
    #[inline(always)]
    fn sched_lock(&self) {}
    /// The thread waits for an event now: gives up the kernel lock; how often it had it.
    #[inline(always)]
    fn sleep_begins(&self) -> u32 {
        0
    }
    /// It has waited.
    #[inline(always)]
    fn sleep_ends(&self, depth: u32) {
        let _ = depth;
    }
}

/// Nothing is around the layer, whose own locks are of type `R`.
pub(crate) struct Nothing<R = RawLock>(PhantomData<R>);

impl<R: RawMutex> Surroundings for Nothing<R> {
    type Raw = R;

    fn new(config: &Config) -> Result<Self, Errno> {
        if config.ambient.is_empty() { Ok(Nothing(PhantomData)) } else { Err(Errno::Einval) }
    }
}

/// The locks of the kernel that were asked for.
pub(crate) struct Kernel<R = RawLock> {
    taken: Ambient,
    kernel_lock: &'static MpLock,
    sched_lock: &'static MpLock,
    fd_fplock: CachePadded<Mutex>,
    /// By the place of the file's socket; none where `f_mtx` is not taken.
    files: Box<[CachePadded<File>]>,
    raw: PhantomData<R>,
}

/// What the kernel counts of a file: `f_rxfer` and `f_wxfer`, `f_rbytes` and `f_wbytes`.
struct File {
    f_mtx: Mutex,
    transfers: AtomicU64,
    bytes: AtomicU64,
}

impl File {
    fn new() -> Self {
        let (transfers, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { f_mtx: Mutex::new(Class::FMtx), transfers, bytes }
    }
}

impl<R: RawMutex> Surroundings for Kernel<R> {
    type Raw = R;

    fn new(config: &Config) -> Result<Self, Errno> {
        let files = if config.ambient.contains(Ambient::F_MTX) { config.sockets_max } else { 0 };
        Ok(Self {
            taken: config.ambient,
            kernel_lock: kernel_lock(),
            sched_lock: sched_lock(),
            fd_fplock: CachePadded::new(Mutex::new(Class::FdFplock)),
            files: (0..files).map(|_| CachePadded::new(File::new())).collect(),
            raw: PhantomData,
        })
    }

    #[inline]
    fn is_there(&self) -> bool {
        !self.taken.is_empty()
    }

    #[inline]
    #[track_caller]
    fn kernel_lock(&self) {
        if self.taken.contains(Ambient::KERNEL_LOCK) {
            kernel_enter(self.kernel_lock);
        }
    }

    #[inline]
    #[track_caller]
    fn kernel_unlock(&self) {
        if self.taken.contains(Ambient::KERNEL_LOCK) {
            kernel_exit(self.kernel_lock);
        }
    }

    #[inline]
    #[track_caller]
    fn fd_fplock(&self) {
        if self.taken.contains(Ambient::FD_FPLOCK) {
            self.fd_fplock.enter();
            self.fd_fplock.leave();
        }
    }

    #[inline]
    #[track_caller]
    fn f_mtx(&self, file: usize, bytes: usize) {
        if self.taken.contains(Ambient::F_MTX) {
            let file = &self.files[file];
            file.f_mtx.enter();
            // Relaxed: under the mutex.
            file.transfers.store(file.transfers.load(Relaxed).wrapping_add(1), Relaxed);
            file.bytes.store(file.bytes.load(Relaxed).wrapping_add(bytes as u64), Relaxed);
            file.f_mtx.leave();
        }
    }

    #[inline]
    #[track_caller]
    fn sched_lock(&self) {
        if self.taken.contains(Ambient::SCHED_LOCK) {
            let lock = self.sched_lock;
            witness::checkorder(addr(lock), &Class::SchedLock, Edge::None);
            let taken = lock.lock(|| {
                witness::contended(Class::SchedLock);
                witness::sleep(addr(lock), WaitsFor::Lock, 0);
            });
            if taken == Taken::Waited {
                witness::awake();
            }
            witness::lock(addr(lock), Class::SchedLock);
            self.sched_unlock();
        }
    }

    fn sleep_begins(&self) -> u32 {
        sleep_begins()
    }

    fn sleep_ends(&self, depth: u32) {
        sleep_ends(depth);
    }
}

impl<R> Kernel<R> {
    /// SCHED_UNLOCK.
    #[track_caller]
    fn sched_unlock(&self) {
        witness::unlock(addr(self.sched_lock), &Class::SchedLock);
        let is_anothers = self.sched_lock.unlock();
        debug_assert!(is_anothers, "it is not taken twice");
    }
}

#[cfg(test)]
mod tests;
