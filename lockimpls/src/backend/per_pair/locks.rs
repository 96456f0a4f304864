//! The lock at the place of a socket, and which lock the socket has.

use crossbeam_utils::CachePadded;

use crate::domain::Algorithm;
use crate::objects::socket::{Part, SockRef, Socket, SocketLocks};
use crate::primitives::{AtomicPtr, Ordering, RawMutex};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

use Ordering::{Acquire, Relaxed, Release};

/// A lock, by the place where it lies.
pub(super) type LockRef<R> = SockRef<PairLocks<R>>;

/// The place of a lock, or none.
struct LockPointer<R: RawMutex>(AtomicPtr<Socket<PairLocks<R>>>);

impl<R: RawMutex> LockPointer<R> {
    fn none() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[inline(always)]
    fn load(&self, order: Ordering) -> Option<LockRef<R>> {
        SockRef::from_pointer(self.0.load(order))
    }

    fn store(&self, lock: Option<LockRef<R>>, order: Ordering) {
        let pointer = |lock: LockRef<R>| std::ptr::from_ref::<Socket<_>>(&lock).cast_mut();
        self.0.store(lock.map_or(std::ptr::null_mut(), pointer), order);
    }
}

/// The same, as what a lock guards, which orders it: Relaxed throughout.
pub(super) struct Guarded<R: RawMutex>(LockPointer<R>);

impl<R: RawMutex> Guarded<R> {
    pub(super) fn get(&self) -> Option<LockRef<R>> {
        self.0.load(Relaxed)
    }

    pub(super) fn set(&self, lock: Option<LockRef<R>>) {
        self.0.store(lock, Relaxed);
    }

    pub(super) fn take(&self) -> Option<LockRef<R>> {
        let lock = self.get();
        self.set(None);
        lock
    }
}

/// The lock at the place of a socket, and which lock the socket has.
pub(crate) struct PairLocks<R: RawMutex = DefaultRaw> {
    /// A lock, which some socket's `so_lock` may say.
    pub(super) lock: CachePadded<RwLock<R>>,
    /// The lock of the socket of this place; none: `uipc_lock`. `[a]`, written with the old one
    /// held.
    so_lock: LockPointer<R>,
    /// `unp_streamlock`: the socket's own lock; none where it is the end of a pair, or was never
    /// used. Under the lock of the socket.
    pub(super) own: Guarded<R>,
    /// Under `lock`: where that is shared, the lock that the first to leave it takes along.
    pub(super) spare: Guarded<R>,
    /// The address of `uipc_lock`.
    uipc_lock: usize,
}

impl<R: RawMutex> PairLocks<R> {
    /// Those of a place that was never used, in a layer whose `uipc_lock` has this address.
    pub(super) fn new(algorithm: Algorithm, uipc_lock: usize) -> Self {
        Self {
            lock: CachePadded::new(RwLock::of(Class::SoLock, algorithm)),
            so_lock: LockPointer::none(),
            own: Guarded(LockPointer::none()),
            spare: Guarded(LockPointer::none()),
            uipc_lock,
        }
    }

    /// The lock of the socket, as the pointer says now.
    #[inline(always)]
    pub(super) fn so_lock(&self) -> Option<LockRef<R>> {
        // Acquire; pairs with the Release in `set_so_lock`: the lock at that place was made before.
        self.so_lock.load(Acquire)
    }

    /// `solockreset`: the socket has this lock from now on. The one it had is held.
    pub(super) fn set_so_lock(&self, lock: Option<LockRef<R>>) {
        // Release; pairs with the Acquire in `so_lock`. That whoever has the new lock sees what was
        // done with the old one is those locks' affair: the old one is held until both are.
        self.so_lock.store(lock, Release);
    }
}

impl<R: RawMutex> SocketLocks for PairLocks<R> {
    /// Whoever holds the socket sees the lock that it holds. Whoever does not may see any.
    #[inline(always)]
    fn guard(&self, _part: Part) -> (usize, Class) {
        match self.so_lock() {
            Some(at) => (at.locks.lock.addr(), Class::SoLock),
            None => (self.uipc_lock, Class::UnpLock),
        }
    }
}

/// A socket that is used for the first time, whose place nobody else has seen, has the lock there.
pub(super) fn settle<R: RawMutex>(so: &Socket<PairLocks<R>>) {
    if so.locks.own.get().is_none() {
        let here = Some(SockRef::new(so));
        so.locks.own.set(here);
        so.locks.set_so_lock(here);
    }
}
