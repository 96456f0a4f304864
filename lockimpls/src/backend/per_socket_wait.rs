//! `per-socket-wait`: a `so_lock` per socket, taken in address order; whoever parts two sockets
//! waits for those that relock.
//!
//! After XNU's unix(4) of xnu-11417.101.15 (2025-05-01): `bsd/kern/uipc_usrreq.c`, whose lines are
//! cited here. The layer is OpenBSD's, as everywhere; this is the way from one socket to another.
//!
//! # The protocol
//!
//! 1. *A relock* is `per-socket`'s: the lower address is locked first, and a request that has the
//!    higher one locked unlocks it, locks the lower, locks its own again (231 to 252). But before,
//!    it counts itself in its own socket (`rw_thrcount`, 240; UNP_DONTDISCONNECT says that this is
//!    not 0), and takes itself out afterwards, with both locked; the last wakes whoever waits for
//!    that (249). It takes no reference and does not look again: the link is the same, by 2.
//! 2. *A parting* locks both sockets, looks whether the higher one is counted, and if so unlocks
//!    both, sleeps, and begins again (1667 to 1676). Only the higher one of two ever relocks for
//!    the other, and it was counted under a lock that the parting has; so a link never goes while
//!    somebody is on the way along it. The count is of the socket and not of the link: a parting
//!    from a socket that relocks for a third one waits too.
//! 3. *One parting at a time* in the layer: `disconnect_in_progress`, a flag under the lock
//!    `unp_disconnect_lock`, from before the other socket is locked until the link is gone (1614 to
//!    1629, 1725). Whoever finds it set unlocks its socket and sleeps. So a parting that unlocks
//!    its own socket for the lower one, or sleeps as in 2, finds the same link afterwards, and does
//!    not look again either; and detach takes the first of those that refer to its socket without a
//!    reference. Everybody's partings wait while one waits for a relock.
//!
//! A thread that sleeps in 2 or 3 has no lock (it may have the right to fill a buffer, as in XNU:
//! whoever relocks does not want that), and one that relocks waits for locks alone, whose holders,
//! by the order, wait for no parting. So there is no circle. But a parting finds the count at 0 by
//! luck alone where several threads relock from one socket all the time: here, as in XNU, nothing
//! bounds how often it is overtaken, and all others wait for it.
//!
//! `unp_disconnect_lock` comes after `so_lock`, and nothing is taken while it is held. The flag is
//! no lock and no reference to the witness, because a thread sleeps with it.
//!
//! # Different from the kernel
//!
//! * *The wake-up of 2.* The kernel unlocks the other socket and then sleeps with its own mutex
//!   (1669, 1673). Where its own socket is the lower one, the relocker that it waits for needs the
//!   other mutex alone if it relocks for a third socket: it may come back between the two, wake
//!   nobody, and the parting sleeps until that socket relocks again, and with it, by 3, every
//!   parting of the machine. Here the thread sleeps with the lock of the socket that is counted,
//!   which is unlocked when the thread is queued. The control `B37-parting-sleeps-late` is the
//!   kernel's way. A parting of 3 sleeps with `unp_disconnect_lock`, there and here.
//! * Detach sets the flag once for each socket that refers to it, from before that one is locked
//!   until it is dropped. The kernel sets it to lock that one, and once more to part it (1094 to
//!   1116): where another parting is under way by then, it sleeps with that one unlocked (1617),
//!   which may be connected elsewhere meanwhile, and is parted from there (1631).
//! * The rest of the layer is OpenBSD's, with its locks: a listener before its embryos (XNU: after
//!   them), the names, the collector, whose lock comes before sockets. XNU's collector tries the
//!   sockets' mutexes and begins again where one is taken; a global lock stands around its name
//!   lookup.
//! * XNU has no SOCK_SEQPACKET; here it locks as a stream does.
//! * A parting that waits sleeps at once, whatever `--wait` says, and takes none of the locks of
//!   `--ambient`; it gives the kernel lock up, as every sleep does.
//!
//! Checked by `lockimpls/models/loom`, `parting_*`.

use crate::ambient::Surroundings;
use crate::backend::per_socket::counted::{CountedLock, msleep};
use crate::backend::per_socket::{Beside, OnTake, SoLock, Sock, SocketPolicy, comes_first};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step};
use crate::objects::socket::WaitPoint;
use crate::policy::{Held, Policy, So};
use crate::primitives::{AtomicU32, Ordering, RawMutex};
use crate::sync::RwLock;
use crate::uipc::Locked;
use crate::witness::{Class, Edge};

use Ordering::Relaxed;

/// A lock per socket; partings wait.
pub(crate) type PerSocketWait = Locked<SocketPolicy<NoFault, Counted>>;

/// That one parting is under way at most.
pub(crate) struct Partings<R: RawMutex> {
    unp_disconnect_lock: RwLock<R>,
    /// `disconnect_in_progress`: 1 while one is. Relaxed throughout: written and read under
    /// `unp_disconnect_lock`, which orders it.
    disconnect_in_progress: AtomicU32,
    /// Where others wait for its end. Woken under `unp_disconnect_lock`.
    over: WaitPoint,
}

impl<R: RawMutex> Beside for Partings<R> {
    fn new(algorithm: Algorithm) -> Self {
        Self {
            unp_disconnect_lock: RwLock::of(Class::UnpDisconnectLock, algorithm),
            disconnect_in_progress: AtomicU32::new(0),
            over: WaitPoint::new(),
        }
    }
}

impl<R: RawMutex> Partings<R> {
    /// A parting begins if none is under way: whether it does.
    fn try_begin(&self) -> bool {
        let is_free = self.disconnect_in_progress.load(Relaxed) == 0;
        if is_free {
            self.disconnect_in_progress.store(1, Relaxed);
        }
        is_free
    }

    /// It ends.
    #[track_caller]
    fn end(&self) {
        self.unp_disconnect_lock.enter();
        self.disconnect_in_progress.store(0, Relaxed);
        self.over.wakeup(false);
        self.unp_disconnect_lock.exit();
    }
}

/// Relocks are counted, and whoever parts two sockets waits for them: `per-socket-wait`.
pub(crate) struct Counted;

type Counting<F, A> = SocketPolicy<F, Counted, A>;

impl Counted {
    /// With `so` locked and its peer `so2` lower: locks both, counted meanwhile.
    #[track_caller]
    fn relock<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
        so2: &So<Counting<F, A>>,
    ) {
        so.locks.relock_begins();
        policy.lower_then(so, so2);
        so.locks.relock_ends::<F>();
    }

    /// With `so` locked: a parting begins, and no other one is under way. `so` is unlocked while it
    /// waits for that.
    #[track_caller]
    fn begin_parting<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
    ) {
        let partings = &policy.beside;
        let lock = &partings.unp_disconnect_lock;
        lock.enter();
        if partings.try_begin() || F::omits(Step::PartOneAtATime) {
            lock.exit();
            return;
        }
        policy.release(so);
        loop {
            msleep::<F>(&partings.over, lock.addr(), || lock.exit());
            lock.enter();
            if partings.try_begin() {
                break;
            }
        }
        lock.exit();
        policy.take(so, Edge::None);
    }

    /// With `so` locked, and a parting of it and `so2` begun: locks the other one too, when nobody
    /// relocks from one to the other any more. `so` is unlocked and locked again meanwhile.
    #[track_caller]
    fn lock_when_back<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
        so2: &mut Sock<F, Self, A>,
    ) {
        if so.socket() == so2.socket() {
            return;
        }
        let is_lower = comes_first(so, so2);
        if is_lower {
            policy.take(so2, Edge::None);
        } else {
            policy.lower_then(so, so2);
        }
        let (lower, higher) = if is_lower { (so, so2) } else { (so2, so) };
        while higher.locks.is_counted() && !F::omits(Step::WaitForRelock) {
            Self::sleep_until_back(policy, lower, higher);
            policy.take(lower, Edge::None);
            policy.take(higher, Edge::None);
        }
    }

    /// Sleeps, with both unlocked, until those that relock from the higher one are back.
    #[track_caller]
    fn sleep_until_back<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        lower: &mut Sock<F, Self, A>,
        higher: &mut Sock<F, Self, A>,
    ) {
        let counted = higher.socket();
        let sleeps_late = F::omits(Step::SleepWithCounted);
        let (first, with) = if sleeps_late { (higher, lower) } else { (lower, higher) };
        policy.release(first);
        let lock = with.locks.so_lock().addr();
        msleep::<F>(&counted.locks.counted_out, lock, || policy.release(with));
    }
}

impl OnTake for Counted {
    type Locks<R: RawMutex> = CountedLock<R>;
    type Beside<R: RawMutex> = Partings<R>;
    const NAME: &'static str = "per-socket-wait";
    const ABOUT: &'static str =
        "a so_lock per socket; a parting waits for relocks (XNU: uipc_usrreq.c, xnu-11417.101.15)";
    const IS_USUAL: bool = false;
    const REFERS: bool = false;

    /// `unp_get_locks_in_order`.
    #[inline(always)]
    fn solock_peer<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        let place = so.peer()?;
        let so2 = Held::<Counting<F, A>>::of(&place);
        if place == so.socket() {
            return Some(so2);
        }
        if comes_first(so, &so2) {
            policy.take(&so2, Edge::None);
        } else {
            Self::relock(policy, &mut so.lent(), &place);
        }
        Some(so2)
    }

    /// `unp_disconnect`, up to where it takes the link away.
    fn solock_to_part<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        so.peer()?;
        Self::begin_parting(policy, so);
        // Another parting may have been waited for.
        let Some(so2) = so.peer() else {
            policy.beside.end();
            return None;
        };
        let mut so2 = Held::<Counting<F, A>>::of(&so2);
        Self::lock_when_back(policy, so, &mut so2);
        Some(so2)
    }

    fn sounlock_parted<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &So<Counting<F, A>>,
        so2: Sock<F, Self, A>,
    ) {
        policy.beside.end();
        policy.sounlock_peer(so, so2);
    }

    /// A step of the walk in `unp_detach`.
    fn solock_referrer<F: Fault, A: Surroundings>(
        policy: &Counting<F, A>,
        so: &mut Sock<F, Self, A>,
    ) -> Option<Sock<F, Self, A>> {
        so.st().unp_refs.first()?;
        Self::begin_parting(policy, so);
        // As above.
        let Some(so2) = so.st().unp_refs.first() else {
            policy.beside.end();
            return None;
        };
        let mut so2 = Held::<Counting<F, A>>::of(&so2);
        Self::lock_when_back(policy, so, &mut so2);
        Some(so2)
    }
}
