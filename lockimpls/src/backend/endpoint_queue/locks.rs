//! The locks of a socket, its number, and the words that others read without them.

use crossbeam_utils::CachePadded;

use crate::backend::per_socket::SoLock;
use crate::domain::Algorithm;
use crate::objects::socket::{Part, SendWords, SocketLocks};
use crate::primitives::{AtomicUsize, Ordering, RawMutex};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

use Ordering::Relaxed;

/// A socket's endpoint, queue and receiver mutexes, its number, and what a send reads of it.
pub(crate) struct EndpointLocks<R: RawMutex = DefaultRaw> {
    pub(super) endpoint: RwLock<R>,
    /// The socket's number. Relaxed throughout: written before anything leads to the socket, and
    /// read by whoever has come to it by what does, which orders it.
    number: AtomicUsize,
    pub(super) queue: CachePadded<RwLock<R>>,
    /// Always of the default: a thread copies with it (`LOCKS.md`).
    pub(super) receiver: CachePadded<RwLock<R::Beside>>,
    words: CachePadded<SendWords<Self>>,
}

impl<R: RawMutex> EndpointLocks<R> {
    pub(super) fn number(&self) -> usize {
        self.number.load(Relaxed)
    }

    /// The socket is made.
    pub(super) fn set_number(&self, number: usize) {
        self.number.store(number, Relaxed);
    }
}

impl<R: RawMutex> SocketLocks for EndpointLocks<R> {
    const GC: Class = Class::UnpGcLockInner;

    /// The send side is written with the endpoint locked.
    #[inline(always)]
    fn guard(&self, part: Part) -> (usize, Class) {
        match part {
            Part::Rcv => (self.queue.addr(), Class::SbMtxRcv),
            _ => (self.endpoint.addr(), Class::SoLock),
        }
    }

    #[inline(always)]
    fn send_words(&self) -> Option<&SendWords<Self>> {
        Some(&self.words)
    }
}

impl<R: RawMutex> SoLock for EndpointLocks<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            endpoint: RwLock::of(Class::SoLock, algorithm),
            number: AtomicUsize::new(0),
            queue: CachePadded::new(RwLock::of(Class::SbMtxRcv, algorithm)),
            receiver: CachePadded::new(RwLock::new(Class::SbLock)),
            words: CachePadded::new(SendWords::new()),
        }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        &self.endpoint
    }
}
