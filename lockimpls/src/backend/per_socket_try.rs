//! `per-socket-try`: a `so_lock` per socket; the peer's is tried first, and the order of addresses
//! is kept only where that fails.
//!
//! After FreeBSD's unix(4) of releng/13.0 (2021): `sys/kern/uipc_usrreq.c`, whose lines are cited
//! here. The order of addresses and the references are of 2018 (r333744); the try and
//! `unp_pairbusy`, as they are here, of September 2020 (r365764). Datagrams left this way in 2022,
//! streams in 2025. The layer is OpenBSD's, as everywhere; this is the way from one socket to
//! another.
//!
//! # The protocol
//!
//! 1. *A try* (392). With its own socket locked, a request tries the peer's lock, whatever the
//!    addresses. Whoever does not wait closes no circle, so a try asks for no order; and with both
//!    locked the request waits for no third one.
//! 2. *The order* (394, 395). Where another thread has the peer, and that is the higher one, it is
//!    waited for.
//! 3. *The relock* (398 to 418). Where it is the lower one: the request counts itself in its own
//!    socket (`unp_pairbusy`), takes a reference on the peer's control block, unlocks its own
//!    socket, locks both in order, takes itself out, gives the reference back, and looks: the peer
//!    is the same, or there is none. If there is none it unlocks what was the peer. It begins
//!    nothing again.
//! 4. *That the peer is no other* is the connect's to see to (1527 to 1554): it sleeps while
//!    somebody is counted, and the last of them wakes it. A parting does not wait. So from the
//!    count to the look `unp_conn` can become none, and nothing else. Nobody is counted who has no
//!    peer; so a connect that has seen the count at 0, and no peer, finds both so until it has made
//!    the link, for it keeps other connects away meanwhile (CONNECTING).
//! 5. *Detach*, of a datagram socket that others are connected to (837 to 848): takes a reference
//!    on the first of them, unlocks its own socket, locks that one, and comes back from there as
//!    from any socket to its peer (1974 to 1977).
//!
//! How often 1 saved a relock is counted
//! ([`LockCounts::saved`](crate::witness::LockCounts::saved)): a try that took the lower one.
//!
//! A connect that sleeps in 4 has no lock (an addressed send has the right to fill its buffer), and
//! whoever relocks waits for locks alone. So there is no circle. And it waits for those alone that
//! were counted when its socket lost the last peer: a socket without one counts nobody.
//!
//! # Different from the kernel
//!
//! * A datagram's send, and all else that relocks, finds no peer where another thread connects the
//!   socket elsewhere meanwhile, here as there, and answers as it does without one. `per-socket`
//!   goes on to the new peer.
//! * A connect that has waited, and finds that another one was quicker, parts a datagram socket
//!   again, as OpenBSD's does; the kernel's answers EISCONN (1540).
//! * A pcb outlives its socket there, and the last reference frees it (410). Here detach waits for
//!   the references, as OpenBSD's does; so whoever relocks never has the last.
//! * Detach looks whether the socket that it has locked is still connected to it. The kernel does
//!   not (1974 to 1980): that one may have parted and been connected elsewhere meanwhile, and is
//!   parted from there. The control `B08-drop-without-recheck` is the kernel's way.
//! * An addressed send: the kernel's connect returns with the two unlocked (1644), and the send
//!   follows whatever peer the socket has by then (1031, 1040). OpenBSD's layer keeps others away
//!   until the send has parted the two.
//! * getpeername finds the peer as every request does. The kernel looks at `unp_conn` with
//!   `unp_link_rwlock`, which does not guard it any more (924, 930).
//! * The buffers' own mutexes are left out, and so is that a stream's send keeps the peer's pcb
//!   alone (1095), and a receive its own alone (982): `per-buffer` and `shared-link` are about
//!   these. A receive goes to its peer as a send does.
//! * A connect that waits sleeps at once, whatever `--wait` says, and takes none of the locks of
//!   `--ambient`; it gives the kernel lock up, as every sleep does.
//!
//! Checked by `lockimpls/models/loom`, `try_*`.

use crate::ambient::Surroundings;
use crate::backend::per_socket::counted::{CountedLock, Counts, msleep};
use crate::backend::per_socket::{OnTake, SoLock, Sock, SocketPolicy, comes_first};
use crate::fault::{Fault, NoFault, Step, Window};
use crate::policy::{Held, So};
use crate::primitives::RawMutex;
use crate::uipc::Locked;
use crate::witness::{self, Class, Edge};

/// A lock per socket; the peer's is tried first.
pub(crate) type PerSocketTry = Locked<SocketPolicy<NoFault, Tries>>;

/// The peer is tried, relocks are counted, and a connect waits for them: `per-socket-try`.
pub(crate) struct Tries;

type Trying<F, T, A> = SocketPolicy<F, T, A>;

/// With `so` locked: locks `so2`, if it is free; where it is the lower one, that saves a relock.
#[inline(always)]
#[track_caller]
fn try_peer<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so: &Sock<F, T, A>,
    so2: &Sock<F, T, A>,
) -> bool {
    let is_mine = !F::finds_taken() && policy.try_take(so2);
    if is_mine && comes_first(so2, so) {
        witness::relock_saved(Class::SoLock);
    }
    is_mine || F::omits(Step::TryAnswer)
}

/// With `so` locked and its peer lower, which was not free: locks both, unless they are parted
/// meanwhile. Whether they are not.
#[cold]
#[track_caller]
fn relock<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so: &mut Sock<F, T, A>,
    so2: &So<Trying<F, T, A>>,
) -> bool
where
    T::Locks<A::Raw>: Counts,
{
    so.locks.counted().relock_begins();
    if !F::omits(Step::UnpRefTake) {
        so2.unp_refcnt.take();
    }
    policy.lower_then(so, so2);
    so.locks.counted().relock_ends::<F>();
    if !F::omits(Step::UnpRefRelock) {
        so2.unp_refcnt.rele();
    }
    let mut so2 = Held::<Trying<F, T, A>>::of(so2);
    let Some(now) = so.peer() else {
        if F::omits(Step::RelockRecheck) {
            return true;
        }
        if !F::omits(Step::RelockChanged) {
            policy.release(&mut so2);
        }
        return false;
    };
    assert!(now == so2.socket(), "the socket was connected elsewhere in the relock");
    true
}

/// With the referrer `so2` locked, and `so` no more: comes back to `so`, if that is still its peer.
/// Whether it has both.
#[track_caller]
fn comes_back<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so2: &mut Sock<F, T, A>,
    so: &Sock<F, T, A>,
) -> bool
where
    T::Locks<A::Raw>: Counts,
{
    if so2.peer() == Some(so.socket()) {
        return lock_peer(policy, so2).is_some();
    }
    if F::omits(Step::ReferrerRecheck) {
        policy.take(so, Edge::None);
        return true;
    }
    false
}

/// `unp_pcb_lock_peer`.
#[inline(always)]
#[track_caller]
pub(super) fn lock_peer<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so: &mut Sock<F, T, A>,
) -> Option<Sock<F, T, A>>
where
    T::Locks<A::Raw>: Counts,
{
    let place = so.peer()?;
    let so2 = Held::<Trying<F, T, A>>::of(&place);
    if place == so.socket() || try_peer(policy, so, &so2) {
        return Some(so2);
    }
    if comes_first(so, &so2) || F::omits(Step::AddressOrder) {
        policy.take(&so2, Edge::None);
        return Some(so2);
    }
    relock(policy, &mut so.lent(), &place).then_some(so2)
}

/// The loop at the beginning of `unp_connectat`.
#[track_caller]
pub(super) fn hold_connect<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so: &mut Sock<F, T, A>,
) -> bool
where
    T::Locks<A::Raw>: Counts,
{
    let place = so.socket();
    let counted = place.locks.counted();
    if !counted.is_counted() || F::omits(Step::HoldConnect) {
        return false;
    }
    let lock = place.locks.so_lock().addr();
    msleep::<F>(&counted.counted_out, lock, || policy.release(so));
    policy.take(so, Edge::None);
    true
}

/// A step of the walk in `uipc_detach`, and `unp_drop` up to where it parts the two.
#[track_caller]
pub(super) fn lock_referrer<F: Fault, T: OnTake, A: Surroundings>(
    policy: &Trying<F, T, A>,
    so: &mut Sock<F, T, A>,
) -> Option<Sock<F, T, A>>
where
    T::Locks<A::Raw>: Counts,
{
    loop {
        let place = so.st().unp_refs.first()?;
        place.unp_refcnt.take();
        policy.release(so);
        F::window(Window::Relock);
        let mut so2 = Held::<Trying<F, T, A>>::of(&place);
        policy.take(&so2, Edge::None);
        if comes_back(policy, &mut so2, so) {
            place.unp_refcnt.rele();
            return Some(so2);
        }
        witness::retried(Class::SoLock);
        policy.release(&mut so2);
        place.unp_refcnt.rele();
        policy.take(so, Edge::None);
    }
}

impl OnTake for Tries {
    type Locks<R: RawMutex> = CountedLock<R>;
    type Beside<R: RawMutex> = ();
    const NAME: &'static str = "per-socket-try";
    const ABOUT: &'static str = "a so_lock per socket, the peer's tried before the order is kept \
                                 (FreeBSD: uipc_usrreq.c, releng/13.0)";
    const IS_USUAL: bool = false;

    #[inline(always)]
    fn solock_peer<F: Fault, A: Surroundings>(
        policy: &Trying<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        lock_peer(policy, so)
    }

    fn connect_enter<F: Fault, A: Surroundings>(
        policy: &Trying<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> bool {
        hold_connect(policy, so)
    }

    fn solock_referrer<F: Fault, A: Surroundings>(
        policy: &Trying<F, Self, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        lock_referrer(policy, so)
    }
}
