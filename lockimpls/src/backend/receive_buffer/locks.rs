//! The locks of a socket, which of them guards what, and what a send reads of it without one.

use crossbeam_utils::CachePadded;

use crate::ambient::Surroundings;
use crate::backend::per_buffer::SideLocks;
use crate::backend::per_socket::counted::{CountedLock, Counts};
use crate::backend::per_socket::{OnTake, Sock, SocketPolicy};
use crate::backend::per_socket_try::{hold_connect, lock_peer, lock_referrer};
use crate::domain::Algorithm;
use crate::fault::Fault;
use crate::objects::socket::{BySide, Part, SendWords, SoLock, SocketLocks, Writer};
use crate::primitives::RawMutex;
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

/// `unp_mtx` of a socket, and two locks for each of its sides.
pub(crate) struct PinLocks<R: RawMutex = DefaultRaw> {
    unp_mtx: CountedLock<R>,
    pub(super) sides: BySide<CachePadded<SideLocks<R>>>,
    writer: CachePadded<Writer<Self>>,
    words: CachePadded<SendWords<Self>>,
}

impl<R: RawMutex> SocketLocks for PinLocks<R> {
    const GC: Class = Class::UnpGcLockInner;

    #[inline(always)]
    fn guard(&self, part: Part) -> (usize, Class) {
        match part {
            Part::Socket | Part::Link | Part::Queue => self.unp_mtx.guard(part),
            Part::Snd => (self.sides.snd.sb_mtx.addr(), Class::SbMtxSnd),
            Part::Rcv => (self.sides.rcv.sb_mtx.addr(), Class::SbMtxRcv),
        }
    }

    #[inline(always)]
    fn send_words(&self) -> Option<&SendWords<Self>> {
        Some(&self.words)
    }

    #[inline(always)]
    fn writer(&self) -> Option<&Writer<Self>> {
        Some(&self.writer)
    }
}

impl<R: RawMutex> SoLock for PinLocks<R> {
    type Raw = R;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            unp_mtx: CountedLock::new(algorithm),
            sides: BySide {
                snd: SideLocks::new(Class::SbMtxSnd, algorithm),
                rcv: SideLocks::new(Class::SbMtxRcv, algorithm),
            },
            writer: CachePadded::new(Writer::new()),
            words: CachePadded::new(SendWords::new()),
        }
    }

    #[inline(always)]
    fn so_lock(&self) -> &RwLock<R> {
        self.unp_mtx.so_lock()
    }
}

impl<R: RawMutex> Counts for PinLocks<R> {
    #[inline(always)]
    fn counted(&self) -> &CountedLock<R> {
        &self.unp_mtx
    }
}

/// What is done with two `unp_mtx` is `per-socket-try`'s.
pub(crate) struct Pins;

impl OnTake for Pins {
    type Locks<R: RawMutex> = PinLocks<R>;
    type Beside<R: RawMutex> = ();

    const NAME: &'static str = "receive-buffer";

    #[inline(always)]
    fn solock_peer<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        lock_peer(policy, so)
    }

    fn connect_enter<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> bool {
        hold_connect(policy, so)
    }

    fn solock_referrer<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        lock_referrer(policy, so)
    }
}
