//! The policy of backends with a `so_lock` per socket, and the way from one socket to another: that
//! of `per-socket`, or one of their own in its place.

use std::marker::PhantomData;

use crate::ambient::{Nothing, Surroundings};
use crate::domain::Algorithm;
use crate::fault::{Fault, Step, Window};
use crate::objects::socket::{self, OwnLock, SoLock, Socket};
use crate::policy::{CollectorLocks, Held, Policy, So};
use crate::primitives::RawMutex;
use crate::witness::{self, Class, Edge};

/// A locked socket of such a backend.
pub(crate) type Sock<F, T, A> = Held<SocketPolicy<F, T, A>>;

/// Which locks the sockets of a backend have, what it does when it takes a `so_lock`, and how it
/// comes from one socket to another: by default by the protocol of `per-socket`.
pub(crate) trait OnTake: Sized + Send + Sync + 'static {
    /// The locks, made of `R`.
    type Locks<R: RawMutex>: SoLock<Raw = R>;
    /// What the layer has beside its sockets.
    type Beside<R: RawMutex>: Beside;
    /// The backend's name.
    const NAME: &'static str;
    /// See [`Policy::ABOUT`].
    const ABOUT: &'static str =
        "a so_lock per socket, taken in address order (OpenBSD of July 2022)";
    /// See [`Policy::BIASED`].
    const BIASED: bool = false;
    /// See [`Policy::IS_USUAL`].
    const IS_USUAL: bool = true;
    /// Whether a relock takes a reference on the other control block.
    const REFERS: bool = true;
    /// Whether two sockets are locked in the order of their numbers: then the addresses say nothing
    /// of a lock that is taken beside another one.
    const BY_NUMBER: bool = false;

    /// Whether `a` is to be locked before `b`: where there is no other order, the lower address.
    #[inline(always)]
    fn comes_first<F: Fault, R: RawMutex>(
        a: &Socket<Self::Locks<R>>,
        b: &Socket<Self::Locks<R>>,
    ) -> bool {
        comes_first(a, b)
    }

    /// What the witness is told of the second of two, where their order is not that of addresses.
    #[inline(always)]
    fn second<F: Fault, R: RawMutex>(
        _first: &Socket<Self::Locks<R>>,
        _second: &Socket<Self::Locks<R>>,
    ) -> Edge {
        Edge::None
    }

    /// The `so_lock` of `so` was taken just now. One that does no more than lock does nothing here.
    #[inline(always)]
    fn taken<R: RawMutex>(_so: &socket::Held<Self::Locks<R>>) {}

    /// See [`Policy::solock_peer`]: `unp_solock_peer`.
    #[track_caller]
    #[inline(always)]
    fn solock_peer<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        loop {
            let place = so.peer()?;
            let mut so2 = Held::<SocketPolicy<F, Self, A>>::of(&place);
            if place == so.socket() && !F::omits(Step::SelfLock) {
                return Some(so2);
            }
            if Self::comes_first::<F, A::Raw>(so, &so2) || F::omits(Step::AddressOrder) {
                policy.take(&so2, Self::second::<F, A::Raw>(so, &so2));
                return Some(so2);
            }
            policy.relock(&mut so.lent(), &place);
            let now = so.peer();
            if now == Some(place) || F::omits(Step::RelockRecheck) {
                if !F::omits(Step::UnpRefRelock) {
                    so2.unp_refcnt.rele();
                }
                return now.map(|now| Held::<SocketPolicy<F, Self, A>>::of(&now));
            }
            witness::retried(Class::SoLock);
            if !F::omits(Step::RelockChanged) {
                policy.release(&mut so2);
            }
            so2.unp_refcnt.rele();
        }
    }

    /// See [`Policy::solock_to_part`].
    #[track_caller]
    fn solock_to_part<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        Self::solock_peer(policy, so)
    }

    /// See [`Policy::connect_enter`].
    #[track_caller]
    #[inline(always)]
    fn connect_enter<F: Fault, A: Surroundings>(
        _policy: &SocketPolicy<F, Self, A>,
        _so: &mut Sock<F, Self, A>,
    ) -> bool {
        false
    }

    /// See [`Policy::sounlock_parted`].
    #[track_caller]
    fn sounlock_parted<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &So<SocketPolicy<F, Self, A>>,
        so2: Sock<F, Self, A>,
    ) {
        policy.sounlock_peer(so, so2);
    }

    /// See [`Policy::solock_referrer`]: the same by the reverse link.
    #[track_caller]
    fn solock_referrer<F: Fault, A: Surroundings>(
        policy: &SocketPolicy<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        loop {
            let place = so.st().unp_refs.first()?;
            let mut so2 = Held::<SocketPolicy<F, Self, A>>::of(&place);
            if Self::comes_first::<F, A::Raw>(so, &so2) {
                policy.take(&so2, Self::second::<F, A::Raw>(so, &so2));
                return Some(so2);
            }
            policy.relock(&mut so.lent(), &place);
            let still = so2.peer() == Some(so.socket());
            if still || F::omits(Step::ReferrerRecheck) {
                so2.unp_refcnt.rele();
                return Some(so2);
            }
            witness::retried(Class::SoLock);
            policy.release(&mut so2);
            so2.unp_refcnt.rele();
        }
    }
}

/// What a layer has beside its sockets.
pub(crate) trait Beside: Send + Sync {
    /// Its locks are of this algorithm.
    fn new(algorithm: Algorithm) -> Self;
}

impl Beside for () {
    fn new(_algorithm: Algorithm) {}
}

/// The lock is all: `per-socket`.
pub(crate) struct LockAlone;

impl OnTake for LockAlone {
    type Locks<R: RawMutex> = OwnLock<R>;
    type Beside<R: RawMutex> = ();
    const NAME: &'static str = "per-socket";
}

/// The policy of `per-socket`, or of another backend with `so_lock`s, which takes them as `T` says.
pub(crate) struct SocketPolicy<F, T: OnTake = LockAlone, A: Surroundings = Nothing> {
    pub(super) collector: CollectorLocks<T::Locks<A::Raw>, A::Raw>,
    pub(crate) beside: T::Beside<A::Raw>,
    pub(super) what: PhantomData<(F, T, A)>,
}

impl<F: Fault, T: OnTake, A: Surroundings> SocketPolicy<F, T, A> {
    /// Takes one `so_lock`. Here and in lock-free's `solock_unless` alone is one taken.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn take(&self, so: &Held<Self>, edge: Edge) {
        if T::BY_NUMBER && edge == Edge::None {
            witness::check_first(so.locks.so_lock().addr());
        }
        so.locks.so_lock().enter_edge(edge);
        T::taken(so);
    }

    /// Takes one `so_lock`, if it is free: whether it did. Here alone is one tried.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn try_take(&self, so: &Held<Self>) -> bool {
        let is_mine = so.locks.so_lock().try_enter();
        if is_mine {
            T::taken(so);
        }
        is_mine
    }

    /// Releases one `so_lock`. Here and in lock-free's `solock_unless` alone is one released.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn release(&self, so: &mut Held<Self>) {
        so.locks.so_lock().exit();
    }

    /// With `so` locked and `so2` lower: the relock of `solock_peer`, up to both being locked.
    #[track_caller]
    pub(super) fn relock(&self, so: &mut Held<Self>, so2: &So<Self>) {
        so2.unp_refcnt.take();
        self.lower_then(so, so2);
    }

    /// With `so` locked and `so2` lower: unlocks the one, and locks both in order.
    #[track_caller]
    pub(crate) fn lower_then(&self, so: &mut Held<Self>, so2: &So<Self>) {
        self.release(so);
        F::window(Window::Relock);
        self.take(&Held::<Self>::of(so2), Edge::None);
        self.take(so, T::second::<F, A::Raw>(so2, so));
        witness::relocked(Class::SoLock);
    }
}

/// Whether `a` is to be locked before `b`.
#[inline]
pub(crate) fn comes_first<L: SoLock>(a: &Socket<L>, b: &Socket<L>) -> bool {
    a.locks.so_lock().addr() < b.locks.so_lock().addr()
}
