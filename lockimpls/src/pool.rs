//! Counted pools: sockets, messages, descriptors. What is in use when everything is closed is a
//! leak.
//!
//! Memory is taken from the system when an object is used for the first time and is never given
//! back while the layer lives: the timed path allocates nothing, a pointer to a freed object stays
//! a pointer to an object of the same kind, and fresh sockets have ascending addresses.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use crate::copy::copy;
use crate::domain::PoolUse;
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::primitives::own::AtomicU64;
use crate::primitives::{Cell, Ordering, THREADS_MAX, UnsafeCell};
use crate::sockbuf::{MCLBYTES, MLEN, MSIZE};
use crate::socket::{SockRef, Socket};
use crate::sync::RwLock;
use crate::witness::{self, Class};

use Ordering::Relaxed;

/// Requests and releases of one pool.
#[derive(Debug, Default)]
pub(crate) struct Count {
    requests: AtomicU64,
    releases: AtomicU64,
}

impl Count {
    pub(crate) const fn new() -> Self {
        Self { requests: AtomicU64::new(0), releases: AtomicU64::new(0) }
    }

    pub(crate) fn get(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// [`Count::get`], unless more than `most` would be in use then: whether it did.
    pub(crate) fn get_up_to(&self, most: usize) -> bool {
        let requests = self.requests.fetch_add(1, Relaxed) + 1;
        // Others may have got and put meanwhile, so that the releases run ahead.
        let fits = requests.saturating_sub(self.releases.load(Relaxed)) <= most as u64;
        if !fits {
            self.put();
        }
        fits
    }

    pub(crate) fn put(&self) {
        self.releases.fetch_add(1, Relaxed);
    }

    pub(crate) fn row(&self, name: &'static str) -> PoolUse {
        let (requests, releases) = (self.requests.load(Relaxed), self.releases.load(Relaxed));
        PoolUse { name, in_use: requests.saturating_sub(releases), requests, releases }
    }
}

/// The sockets of a layer.
pub(crate) struct SocketPool<F: Fault> {
    pool_lock: RwLock,
    /// Freed sockets, last freed first. `[p]`
    free: Cell<Option<SockRef>>,
    /// How many places were ever used. `[p]`
    used: Cell<usize>,
    places: Box<[UnsafeCell<std::mem::MaybeUninit<Socket>>]>,
    guard: Option<(usize, Class)>,
    pub(crate) sockets: Count,
    pub(crate) unpcbs: Count,
    fault: PhantomData<F>,
}

// SAFETY: `free` and `used` are touched under `pool_lock` alone; a place is written once, under
// `pool_lock`, before a reference to it exists.
unsafe impl<F: Fault> Sync for SocketPool<F> {}
// SAFETY: nothing in the pool belongs to a thread.
unsafe impl<F: Fault> Send for SocketPool<F> {}

impl<F: Fault> SocketPool<F> {
    /// Room for `max` sockets, guarded by one lock or by their own. The room is address space until
    /// it is used.
    pub(crate) fn new(max: usize, guard: Option<(usize, Class)>) -> Self {
        let mut places = Vec::with_capacity(max);
        // SAFETY: `MaybeUninit` needs no initialisation; the capacity is `max`.
        unsafe { places.set_len(max) };
        Self {
            pool_lock: RwLock::new(Class::Pool),
            free: Cell::new(None),
            used: Cell::new(0),
            places: places.into_boxed_slice(),
            guard,
            sockets: Count::new(),
            unpcbs: Count::new(),
            fault: PhantomData,
        }
    }

    /// A socket for the caller, as its last user left it: [`Socket::reset`] comes next, under the
    /// socket's lock, for a call on a stale descriptor may hold that just now.
    pub(crate) fn get(&self) -> Result<SockRef, Errno> {
        self.pool_lock.enter();
        let socket = match self.free.get() {
            Some(socket) => {
                self.free.set(socket.next_free.get());
                Some(socket)
            }
            None => self.fresh(),
        };
        if !F::omits(Step::PoolSocketGet) {
            self.pool_lock.exit();
        }
        let socket = socket.ok_or(Errno::Enobufs)?;
        self.sockets.get();
        Ok(socket)
    }

    /// A place that was never used. The caller holds `pool_lock`.
    fn fresh(&self) -> Option<SockRef> {
        let at = self.used.get();
        let place = self.places.get(at)?;
        self.used.set(at + 1);
        // SAFETY: this place was never used, and `pool_lock` is held.
        let socket =
            unsafe { (*place.get()).write(Socket::unused(self.guard, place.get() as usize)) };
        Some(SockRef::new(socket))
    }

    /// Which of the places a socket has: below the room there is.
    pub(crate) fn place_of(&self, socket: SockRef) -> usize {
        let at = std::ptr::from_ref::<Socket>(&socket) as usize;
        (at - self.places.as_ptr() as usize) / size_of::<Socket>()
    }

    /// Gives a socket back: whoever still has a pointer to it finds its descriptor closed.
    pub(crate) fn put(&self, socket: SockRef) {
        self.pool_lock.enter();
        socket.end_generation();
        socket.next_free.set(self.free.get());
        self.free.set(Some(socket));
        if !F::omits(Step::PoolSocketPut) {
            self.pool_lock.exit();
        }
        self.sockets.put();
    }

    /// Every socket that was ever used. The caller holds the collector's lock, so that none is
    /// linked or unlinked.
    pub(crate) fn all(&self) -> impl Iterator<Item = SockRef> + '_ {
        self.pool_lock.enter();
        let used = self.used.get();
        self.pool_lock.exit();
        self.places[..used].iter().map(|place| {
            // SAFETY: places below `used` were written under `pool_lock` before `used` grew.
            SockRef::new(unsafe { (*place.get()).assume_init_ref() })
        })
    }
}

impl<F: Fault> Drop for SocketPool<F> {
    fn drop(&mut self) {
        for place in &mut self.places[..self.used.get()] {
            // SAFETY: places below `used` are initialised; nobody uses the pool any more.
            unsafe { place.get_mut().assume_init_drop() };
        }
    }
}

/// How many descriptors one message can carry: a cluster of 16-byte entries after a 16-byte head.
pub(crate) const RIGHTS_MAX: usize = (MCLBYTES - 16) / 16;

/// How many descriptors a caller's control message has room for: a cluster of numbers after the same
/// head.
pub(crate) const CONTROL_MAX: usize = (MCLBYTES - 16) / 4;

/// A message on its way into a buffer, or a control message in one.
pub(crate) struct Mbuf {
    /// Bytes on their way from the caller: only its taker touches it.
    data: UnsafeCell<Vec<u8>>,
    /// A control message: the sockets whose files it refers to.
    rights: UnsafeCell<Vec<SockRef>>,
    /// Where in a stream the control message belongs: before the byte at this position.
    pub(crate) position: Cell<usize>,
    /// The next on whatever list it is on.
    pub(crate) next: Cell<Option<MbufRef>>,
}

/// A pointer to a message. One thread at a time has it: its taker, or the holder of its list's
/// lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MbufRef(NonNull<Mbuf>);

impl Deref for MbufRef {
    type Target = Mbuf;

    #[inline(always)]
    fn deref(&self) -> &Mbuf {
        // SAFETY: messages are freed with their layer alone, and `MbufRef`s are kept nowhere else.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: see `MbufRef`: a message is in one thread's hands at a time, or on a list under its lock.
unsafe impl Send for MbufRef {}
// SAFETY: as above.
unsafe impl Sync for MbufRef {}

impl Mbuf {
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
        // SAFETY: there is room for as many, and nobody else has the message.
        unsafe {
            copy(bytes.as_ptr(), data.as_mut_ptr(), bytes.len());
            data.set_len(bytes.len());
        }
    }

    /// The sockets whose files a control message refers to.
    #[allow(clippy::mut_from_ref)]
    #[inline]
    pub(crate) fn rights(&self) -> &mut Vec<SockRef> {
        // SAFETY: as for `data`.
        unsafe { &mut *self.rights.get() }
    }

    /// What the control message counts: 16 bytes a descriptor after a head of 16, in one mbuf or a
    /// cluster.
    pub(crate) fn control_fill(&self) -> crate::sockbuf::Fill {
        let cc = control_len(self.rights().len());
        let mbcnt = if cc <= MLEN { MSIZE } else { MSIZE + MCLBYTES };
        crate::sockbuf::Fill { cc, mbcnt }
    }
}

/// The length of a control message with this many descriptors, as `sb_cc` counts it.
#[inline(always)]
pub(crate) const fn control_len(rights: usize) -> usize {
    if rights == 0 { 0 } else { 16 + 16 * rights }
}

/// One thread's spare message and counts, on its own line.
struct Magazine {
    spare: Cell<Option<MbufRef>>,
    requests: AtomicU64,
    releases: AtomicU64,
}

/// The messages of a layer.
pub(crate) struct MbufPool<F: Fault> {
    pool_lock: RwLock,
    /// `[p]`
    free: Cell<Option<MbufRef>>,
    /// Every message ever made. `[p]`
    #[allow(clippy::vec_box, reason = "a message's address must not change")]
    made: UnsafeCell<Vec<Box<Mbuf>>>,
    /// By thread number: only that thread touches its own.
    magazines: Box<[CachePadded<Magazine>]>,
    fault: PhantomData<F>,
}

// SAFETY: `free` and `made` are touched under `pool_lock`; a magazine by the one living thread with
// its number.
unsafe impl<F: Fault> Sync for MbufPool<F> {}
// SAFETY: nothing in the pool belongs to a thread for good: numbers are handed on when threads end.
unsafe impl<F: Fault> Send for MbufPool<F> {}

impl<F: Fault> MbufPool<F> {
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
            fault: PhantomData,
        }
    }

    #[inline]
    fn magazine(&self) -> &Magazine {
        &self.magazines[witness::thread_number() as usize]
    }

    /// `m_get`: an empty message.
    #[inline]
    pub(crate) fn get(&self) -> MbufRef {
        let magazine = self.magazine();
        magazine.requests.store(magazine.requests.load(Relaxed) + 1, Relaxed);
        magazine.spare.take().unwrap_or_else(|| self.get_slow())
    }

    #[cold]
    fn get_slow(&self) -> MbufRef {
        self.pool_lock.enter();
        let mbuf = match self.free.get() {
            Some(mbuf) => {
                self.free.set(mbuf.next.get());
                mbuf
            }
            None => self.make(),
        };
        if !F::omits(Step::PoolMbufGet) {
            self.pool_lock.exit();
        }
        mbuf.next.set(None);
        mbuf
    }

    /// A message that was never used. The caller holds `pool_lock`.
    fn make(&self) -> MbufRef {
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
    #[inline]
    pub(crate) fn put(&self, mbuf: MbufRef) {
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
    fn put_slow(&self, mbuf: MbufRef) {
        self.pool_lock.enter();
        mbuf.next.set(self.free.get());
        self.free.set(Some(mbuf));
        if !F::omits(Step::PoolMbufPut) {
            self.pool_lock.exit();
        }
    }

    pub(crate) fn row(&self) -> PoolUse {
        let sum = |f: fn(&Magazine) -> &AtomicU64| -> u64 {
            self.magazines.iter().map(|magazine| f(magazine).load(Relaxed)).sum()
        };
        let (requests, releases) = (sum(|m| &m.requests), sum(|m| &m.releases));
        PoolUse { name: "mbuf", in_use: requests.saturating_sub(releases), requests, releases }
    }
}
