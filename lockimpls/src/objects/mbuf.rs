//! Messages on their way into a buffer, control messages in one, and the pool they come from.
//!
//! Memory is taken from the system when a message is used for the first time and is never given
//! back while the layer lives, as in `pool.rs`: the timed path allocates nothing.

#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use crate::copy::copy;
use crate::domain::PoolUse;
use crate::objects::sockbuf::{Fill, MCLBYTES, MLEN, MSIZE};
use crate::objects::socket::{SockRef, SocketLocks};
use crate::primitives::own::AtomicU64;
use crate::primitives::{Cell, Ordering, RawMutex, THREADS_MAX, UnsafeCell};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::{self, Class};

use Ordering::Relaxed;

/// How many descriptors one message can carry: a cluster of 16-byte entries after a 16-byte head.
pub(crate) const RIGHTS_MAX: usize = (MCLBYTES - 16) / 16;

/// How many descriptors a caller's control message has room for: a cluster of numbers after the
/// same head.
pub(crate) const CONTROL_MAX: usize = (MCLBYTES - 16) / 4;

/// A message on its way into a buffer, or a control message in one.
pub(crate) struct Mbuf<L> {
    /// Bytes on their way from the caller: only its taker touches it.
    data: UnsafeCell<Vec<u8>>,
    /// A control message: the sockets whose files it refers to.
    rights: UnsafeCell<Vec<SockRef<L>>>,
    /// Where in a stream the control message belongs: before the byte at this position.
    pub(crate) position: Cell<usize>,
    /// The next on whatever list it is on.
    pub(crate) next: Cell<Option<MbufRef<L>>>,
}

/// A pointer to a message. One thread at a time has it: its taker, or the holder of its list's
/// lock.
pub(crate) struct MbufRef<L>(NonNull<Mbuf<L>>);

impl<L> Clone for MbufRef<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for MbufRef<L> {}

impl<L> Deref for MbufRef<L> {
    type Target = Mbuf<L>;

    #[inline(always)]
    fn deref(&self) -> &Mbuf<L> {
        // SAFETY: messages are freed with their layer alone, and `MbufRef`s are kept nowhere else.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: see `MbufRef`: a message is in one thread's hands at a time, or on a list under its lock.
unsafe impl<L: SocketLocks> Send for MbufRef<L> {}
// SAFETY: as above.
unsafe impl<L: SocketLocks> Sync for MbufRef<L> {}

impl<L> Mbuf<L> {
    /// The bytes.
    #[allow(clippy::mut_from_ref)]
    #[inline]
    pub(crate) fn data(&self) -> &mut Vec<u8> {
        // SAFETY: one thread at a time has the message (see `MbufRef`), and the callers keep one
        // borrow at a time.
        unsafe { &mut *self.data.get() }
    }

    /// Makes these the bytes.
    #[inline(always)]
    pub(crate) fn fill(&self, bytes: &[u8]) {
        let data = self.data();
        data.clear();
        data.reserve(bytes.len());
        // SAFETY: there is room for that many, and nobody else has the message.
        unsafe {
            copy(bytes.as_ptr(), data.as_mut_ptr(), bytes.len());
            data.set_len(bytes.len());
        }
    }

    /// The sockets whose files a control message refers to.
    #[allow(clippy::mut_from_ref)]
    #[inline]
    pub(crate) fn rights(&self) -> &mut Vec<SockRef<L>> {
        // SAFETY: as for `data`.
        unsafe { &mut *self.rights.get() }
    }

    /// What the control message counts: 16 bytes a descriptor after a head of 16, in one mbuf or a
    /// cluster.
    pub(crate) fn control_fill(&self) -> Fill {
        let cc = control_len(self.rights().len());
        let mbcnt = if cc <= MLEN { MSIZE } else { MSIZE + MCLBYTES };
        Fill { cc, mbcnt }
    }
}

/// The length of a control message with this many descriptors, as `sb_cc` counts it.
#[inline(always)]
pub(crate) const fn control_len(rights: usize) -> usize {
    if rights == 0 { 0 } else { 16 + 16 * rights }
}

/// One thread's spare message and counts, on its own line.
struct Magazine<L> {
    spare: Cell<Option<MbufRef<L>>>,
    requests: AtomicU64,
    releases: AtomicU64,
}

/// The messages of a layer.
pub(crate) struct MbufPool<L, R: RawMutex = DefaultRaw> {
    pool_lock: RwLock<R>,
    /// `[p]`
    free: Cell<Option<MbufRef<L>>>,
    /// Every message ever made. `[p]`
    #[allow(clippy::vec_box, reason = "a message's address must not change")]
    made: UnsafeCell<Vec<Box<Mbuf<L>>>>,
    /// By thread number: only that thread touches its own.
    magazines: Box<[CachePadded<Magazine<L>>]>,
}

// SAFETY: `free` and `made` are touched under `pool_lock`; a magazine by the one living thread with
// its number.
unsafe impl<L: SocketLocks, R: RawMutex> Sync for MbufPool<L, R> {}
// SAFETY: nothing in the pool belongs to a thread for good: numbers are handed on when threads end.
unsafe impl<L: SocketLocks, R: RawMutex> Send for MbufPool<L, R> {}

impl<L, R: RawMutex> MbufPool<L, R> {
    pub(crate) fn new() -> Self {
        let magazine = || {
            CachePadded::new(Magazine {
                spare: Cell::new(None),
                requests: AtomicU64::new(0),
                releases: AtomicU64::new(0),
            })
        };
        Self {
            pool_lock: RwLock::new(Class::Pool),
            free: Cell::new(None),
            made: UnsafeCell::new(Vec::new()),
            magazines: (0..=THREADS_MAX).map(|_| magazine()).collect(),
        }
    }

    #[inline(always)]
    fn magazine(&self) -> &Magazine<L> {
        &self.magazines[witness::thread_number() as usize]
    }

    /// `m_get`: an empty message.
    #[inline(always)]
    pub(crate) fn get(&self) -> MbufRef<L> {
        let magazine = self.magazine();
        magazine.requests.store(magazine.requests.load(Relaxed) + 1, Relaxed);
        magazine.spare.take().unwrap_or_else(|| self.get_slow())
    }

    #[cold]
    fn get_slow(&self) -> MbufRef<L> {
        self.pool_lock.enter();
        let mbuf = match self.free.get() {
            Some(mbuf) => {
                self.free.set(mbuf.next.get());
                mbuf
            }
            None => self.make(),
        };
        self.pool_lock.exit();
        mbuf.next.set(None);
        mbuf
    }

    /// A message that was never used. The caller holds `pool_lock`.
    fn make(&self) -> MbufRef<L> {
        let mbuf = Box::new(Mbuf {
            data: UnsafeCell::new(Vec::with_capacity(MCLBYTES)),
            rights: UnsafeCell::new(Vec::with_capacity(RIGHTS_MAX)),
            position: Cell::new(0),
            next: Cell::new(None),
        });
        let pointer = MbufRef(NonNull::from(&*mbuf));
        // SAFETY: `pool_lock` is held.
        unsafe { (*self.made.get()).push(mbuf) };
        pointer
    }

    /// `m_freem`: gives a message back.
    #[inline(always)]
    pub(crate) fn put(&self, mbuf: MbufRef<L>) {
        mbuf.data().clear();
        mbuf.rights().clear();
        let magazine = self.magazine();
        magazine.releases.store(magazine.releases.load(Relaxed) + 1, Relaxed);
        if magazine.spare.get().is_none() {
            magazine.spare.set(Some(mbuf));
        } else {
            self.put_slow(mbuf);
        }
    }

    #[cold]
    fn put_slow(&self, mbuf: MbufRef<L>) {
        self.pool_lock.enter();
        mbuf.next.set(self.free.get());
        self.free.set(Some(mbuf));
        self.pool_lock.exit();
    }

    pub(crate) fn row(&self) -> PoolUse {
        let sum = |f: fn(&Magazine<L>) -> &AtomicU64| -> u64 {
            self.magazines.iter().map(|magazine| f(magazine).load(Relaxed)).sum()
        };
        let (requests, releases) = (sum(|m| &m.requests), sum(|m| &m.releases));
        PoolUse { name: "mbuf", in_use: requests.saturating_sub(releases), requests, releases }
    }
}
