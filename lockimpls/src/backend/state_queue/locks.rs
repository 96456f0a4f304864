//! The locks of a socket, which of them guards what, and the words that none does.

use crossbeam_utils::CachePadded;

use crate::domain::{Algorithm, SockType};
use crate::objects::socket::{Part, SendWords, SoLock, SocketLocks};
use crate::primitives::RawMutex;
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// A socket's state, queue and iolock, and what a send reads of it.
pub(crate) struct StateLocks<R: RawMutex = DefaultRaw> {
    pub(super) state: RwLock<R>,
    pub(super) queue: CachePadded<RwLock<R>>,
    /// Always of the default: a thread copies with it (`LOCKS.md`).
    pub(super) iolock: CachePadded<RwLock<R::Beside>>,
    pub(super) words: CachePadded<SendWords<Self>>,
}

impl<R: RawMutex> SocketLocks for StateLocks<R> {
    const GC: Class = Class::UnpGcLockInner;

    /// The send side is written with the state locked.
    #[inline(always)]
    fn guard(&self, part: Part) -> (usize, Class) {
        match part {
            Part::Rcv => (self.queue.addr(), Class::SbMtxRcv),
            _ => (self.state.addr(), Class::SoLock),
        }
    }

    #[inline(always)]
    fn look_guard(&self, kind: SockType) -> (usize, Class) {
        self.guard(if kind == SockType::Stream { Part::Socket } else { Part::Rcv })
    }

    #[inline(always)]
    fn send_words(&self) -> Option<&SendWords<Self>> {
        Some(&self.words)
    }
}

impl<R: RawMutex> SoLock for StateLocks<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            state: RwLock::of(Class::SoLock, algorithm),
            queue: CachePadded::new(RwLock::of(Class::SbMtxRcv, algorithm)),
            iolock: CachePadded::new(RwLock::new(Class::SbLock)),
            words: CachePadded::new(SendWords::new()),
        }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        &self.state
    }
}
