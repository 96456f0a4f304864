//! Counted pools: what is in use when everything is closed is a leak. Here the count, and the pool
//! of sockets.
//!
//! Memory is taken from the system when an object is used for the first time and is never given
//! back while the layer lives: the timed path allocates nothing, a pointer to a freed object stays
//! a pointer to an object of the same kind, and fresh sockets have ascending addresses.

#![allow(unsafe_code)]

use crate::domain::PoolUse;
use crate::errno::Errno;
use crate::objects::socket::{SockRef, Socket, SocketLocks};
use crate::primitives::own::AtomicU64;
use crate::primitives::{Cell, Ordering, RawMutex, UnsafeCell};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

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
pub(crate) struct SocketPool<L, R: RawMutex = DefaultRaw> {
    pool_lock: RwLock<R>,
    /// Freed sockets, last freed first. `[p]`
    free: Cell<Option<SockRef<L>>>,
    /// How many places were ever used. `[p]`
    used: Cell<usize>,
    places: Box<[UnsafeCell<std::mem::MaybeUninit<Socket<L>>>]>,
    pub(crate) sockets: Count,
    pub(crate) unpcbs: Count,
}

// SAFETY: `free` and `used` are touched under `pool_lock` alone; a place is written once, under
// `pool_lock`, before a reference to it exists.
unsafe impl<L: SocketLocks, R: RawMutex> Sync for SocketPool<L, R> {}
// SAFETY: nothing in the pool belongs to a thread.
unsafe impl<L: SocketLocks, R: RawMutex> Send for SocketPool<L, R> {}

impl<L: SocketLocks, R: RawMutex> SocketPool<L, R> {
    /// Room for `max` sockets, which is address space until it is used.
    pub(crate) fn new(max: usize) -> Self {
        let mut places = Vec::with_capacity(max);
        // SAFETY: `MaybeUninit` needs no initialisation; the capacity is `max`.
        unsafe { places.set_len(max) };
        Self {
            pool_lock: RwLock::new(Class::Pool),
            free: Cell::new(None),
            used: Cell::new(0),
            places: places.into_boxed_slice(),
            sockets: Count::new(),
            unpcbs: Count::new(),
        }
    }

    /// A socket for the caller, still dirty: [`Socket::reset`] it under its lock, which a call on a
    /// stale descriptor may hold. `locks` makes those of a place that was never used.
    pub(crate) fn get(&self, locks: impl FnOnce() -> L) -> Result<SockRef<L>, Errno> {
        self.pool_lock.enter();
        let socket = match self.free.get() {
            Some(socket) => {
                self.free.set(socket.next_free.get());
                Some(socket)
            }
            None => self.fresh(locks),
        };
        self.pool_lock.exit();
        let socket = socket.ok_or(Errno::Enobufs)?;
        self.sockets.get();
        Ok(socket)
    }

    /// A place that was never used. The caller holds `pool_lock`.
    fn fresh(&self, locks: impl FnOnce() -> L) -> Option<SockRef<L>> {
        let at = self.used.get();
        let place = self.places.get(at)?;
        self.used.set(at + 1);
        // SAFETY: this place was never used, and `pool_lock` is held.
        let socket = unsafe { (*place.get()).write(Socket::unused(locks())) };
        Some(SockRef::new(socket))
    }

    /// Which of the places a socket has: below the room there is.
    pub(crate) fn place_of(&self, socket: SockRef<L>) -> usize {
        let at = std::ptr::from_ref::<Socket<L>>(&socket) as usize;
        (at - self.places.as_ptr() as usize) / size_of::<Socket<L>>()
    }

    /// Gives a socket back: whoever still has a pointer to it finds its descriptor closed.
    pub(crate) fn put(&self, socket: SockRef<L>) {
        self.pool_lock.enter();
        socket.end_generation();
        socket.next_free.set(self.free.get());
        self.free.set(Some(socket));
        self.pool_lock.exit();
        self.sockets.put();
    }

    /// Every socket that was ever used. The caller holds the collector's lock, so that none is
    /// linked or unlinked.
    pub(crate) fn all(&self) -> impl Iterator<Item = SockRef<L>> + '_ {
        self.pool_lock.enter();
        let used = self.used.get();
        self.pool_lock.exit();
        self.places[..used].iter().map(|place| {
            // SAFETY: places below `used` were written under `pool_lock` before `used` grew.
            SockRef::new(unsafe { (*place.get()).assume_init_ref() })
        })
    }
}

impl<L, R: RawMutex> Drop for SocketPool<L, R> {
    fn drop(&mut self) {
        for place in &mut self.places[..self.used.get()] {
            // SAFETY: places below `used` are initialised; nobody uses the pool any more.
            unsafe { place.get_mut().assume_init_drop() };
        }
    }
}
