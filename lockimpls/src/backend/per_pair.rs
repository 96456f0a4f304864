//! `per-pair`: one lock for both ends of a connection, a global one for everything else but streams
//! on their own.
//!
//! After NetBSD's unix(4) of February 2015: `uipc_usrreq.c` 1.173 (`usrreq` below), `uipc_socket.c`
//! 1.235, `uipc_socket2.c` 1.121 (`socket2`), `uipc_syscalls.c` 1.173, `socketvar.h` 1.135.
//!
//! # Which lock guards a socket
//!
//! Its pointer `so_lock` says so (`usrreq` 131 to 166):
//!
//! * `uipc_lock` guards every datagram socket; every listener; and both ends of a connection from
//!   its connect to its accept. What does not get so far stays there: a client whose connect was
//!   refused, a socket that may not listen, what is accepted when its client has gone.
//! * A stream that is alone has a lock of its own.
//! * The two ends of a connection that was accepted, or made by socketpair, share one: that of the
//!   client, or of the first. They keep it when they part.
//!
//! So a request that needs its peer has it locked already. There is no order of two sockets, no
//! relock, no reference across one.
//!
//! # A lock that can be another one
//!
//! `solock` (`socketvar.h` 482, `socket2` 1396) reads the pointer with nothing held, takes the lock
//! it says, and looks at the pointer again: where it says another lock by then, `solock` lets go
//! and begins again.
//!
//! * The pointer changes only while the lock is held that it says (`socket2` 520). So whoever holds
//!   that, and has seen after taking it that the pointer says it, has the socket until the release.
//! * What was read before may be out of date when the lock is taken: then the lock guards another
//!   socket, or none. Whoever took it looks at the pointer and nothing else, and waits for nothing
//!   meanwhile.
//! * A lock can be taken as long as anybody may have read a pointer to it. In the kernel it is
//!   counted (`kern_mutex_obj.c` 1.5), once for each pointer. Here it lies at the place of a
//!   socket, in memory that is never given back while the layer lives: a lock that its sockets have
//!   left is another socket's, never gone.
//!
//! # Whose lock it is
//!
//! There is a lock at each place, and each socket, also one not in use, has a lock of its own
//! (`unp_streamlock`), but for the ends of a pair: they share one, which keeps the other
//! (`PairLocks::spare`). Whoever leaves the shared lock first, to be freed or to listen or connect
//! again, takes that one along; the second takes the shared one. So no lock is ever two sockets'
//! own, and the shared one of a pair is nobody else's. In time a socket's lock lies at any place:
//! each has cache lines of its own, as in the kernel (`kern_mutex_obj.c` 62).
//!
//! # The order
//!
//! * Own, then `uipc_lock`, in listen and connect (`usrreq` 288): the pointer goes over with both
//!   held.
//! * `uipc_lock`, then the client's own, in accept (`usrreq` 834): the same way back, for both
//!   ends. Here also the own lock of an embryo that is made.
//!
//! This is no circle. Whoever holds `uipc_lock` waits for the own lock of a socket that `uipc_lock`
//! guards, or that is not made yet. That lock guards nothing, for it is no other socket's; so
//! whoever holds it has read an old pointer, looks, and lets go. And whoever waits for `uipc_lock`
//! with an own lock held has seen that this one guards its socket.
//!
//! # Different from the kernel
//!
//! * The answers are OpenBSD's, as on every backend, and so is the collector: `unp_gc_lock` over
//!   the list of all control blocks comes first, so that attach and detach unlock the socket for
//!   it. NetBSD has `filelist_lock` and a lock for each file.
//! * A socket is born with its own lock before it goes to `uipc_lock`, as a datagram socket or an
//!   embryo: one acquisition. socketpair makes two sockets with a lock each, and then takes both,
//!   the lower address first; the kernel gives the second the first's (`uipc_socket.c` 547).
//! * A connect looks whether the name's socket listens with that one's lock; the kernel without,
//!   for what listens is guarded by `uipc_lock` (`usrreq` 1200).
//! * What is accepted has a lock of its own. In the kernel it has none: where its client has gone
//!   before the accept, and it connects later itself, whoever accepts that takes a lock that is not
//!   there (`usrreq` 834).
//! * Nobody who sleeps is woken by a change of lock (`socket2` 528). There a sleep ends with the
//!   lock that it began with; here with `solock`.
//! * The lock of a name stays locked where the kernel has the vnode's `v_interlock` (`usrreq`
//!   1184).
//! * `uipc_lock` is of the class `unplock`, the locks of connections are `solock`s. What
//!   `--ambient` puts around the layer is OpenBSD's.

mod locks;

use std::marker::PhantomData;

use crossbeam_utils::CachePadded;

use self::locks::{LockRef, PairLocks, settle};
use crate::ambient::{Nothing, Surroundings};
use crate::domain::{Algorithm, SockType};
use crate::fault::{Fault, NoFault, Step, Window};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::sync::RwLock;
use crate::uipc::Locked;
use crate::witness::{self, Class, Edge};

/// A lock per connection.
pub(crate) type PerPair = Locked<PairPolicy<NoFault>>;

/// The policy of `per-pair`.
pub(crate) struct PairPolicy<F, A: Surroundings = Nothing> {
    /// Boxed: its address is its identity, and the layer that owns it may move before it is used.
    uipc_lock: Box<CachePadded<RwLock<A::Raw>>>,
    collector: CollectorLocks<PairLocks<A::Raw>, A::Raw>,
    what: PhantomData<(F, A)>,
}

impl<F: Fault, A: Surroundings> PairPolicy<F, A> {
    #[inline(always)]
    #[track_caller]
    fn take(&self, lock: Option<LockRef<A::Raw>>) {
        match lock {
            Some(at) => at.locks.lock.enter(),
            None => self.uipc_lock.enter(),
        }
    }

    #[inline(always)]
    #[track_caller]
    fn release(&self, lock: Option<LockRef<A::Raw>>) {
        match lock {
            Some(at) => at.locks.lock.exit(),
            None => self.uipc_lock.exit(),
        }
    }

    /// `solockretry`: this lock was taken, and is the socket's no more.
    #[cold]
    #[track_caller]
    fn solockretry(&self, so: &So<Self>, mut lock: Option<LockRef<A::Raw>>) {
        while so.locks.so_lock() != lock {
            witness::retried(lock.map_or(Class::UnpLock, |_| Class::SoLock));
            self.release(lock);
            lock = so.locks.so_lock();
            self.take(lock);
        }
    }

    /// The own lock of a locked socket, which is about to leave the lock that it has.
    fn own_of(so: &So<Self>) -> LockRef<A::Raw> {
        so.locks.own.take().unwrap_or_else(|| {
            let shared = so.locks.so_lock().expect("the end of a pair has the pair's lock");
            if F::omits(Step::LeaveSpare) {
                return shared;
            }
            shared.locks.spare.take().unwrap_or(shared)
        })
    }

    /// `unp_resetlock`: with the socket locked, on to `uipc_lock`.
    #[track_caller]
    fn resetlock(&self, so: &So<Self>) {
        let Some(old) = so.locks.so_lock() else { return };
        let own = Self::own_of(so);
        so.locks.own.set(Some(own));
        if F::omits(Step::SwitchHoldsOld) {
            old.locks.lock.exit();
        }
        if !F::omits(Step::SwitchTakesNew) {
            self.uipc_lock.enter_edge(Edge::Switch { from: old.locks.lock.addr() });
        }
        so.locks.set_so_lock(None);
        if !F::omits(Step::SwitchHoldsOld) {
            old.locks.lock.exit();
        }
    }

    /// With both locked, and the own lock of `so`: it becomes that of both, one after the other.
    fn share(so: &So<Self>, so2: &So<Self>) {
        let (lock, spare) = (so.locks.own.take(), so2.locks.own.take());
        let shared = lock.expect("a socket alone has a lock of its own");
        shared.locks.spare.set(spare);
        so.locks.set_so_lock(lock);
        F::window(Window::HalfSwitched);
        so2.locks.set_so_lock(lock);
    }

    /// The socket is about to be freed: it goes back to its own lock, which nobody takes to touch
    /// it. The lock that it has is held: which one.
    fn go_home(so: &So<Self>) -> Option<LockRef<A::Raw>> {
        let (old, own) = (so.locks.so_lock(), Self::own_of(so));
        so.locks.own.set(Some(own));
        so.locks.set_so_lock(Some(own));
        old
    }
}

impl<F: Fault, A: Surroundings> Policy for PairPolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = PairLocks<A::Raw>;
    type Collector = CollectorLocks<PairLocks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = PairPolicy<G, B>;
    const NAME: &'static str = match F::TWIN {
        Some(twin) => twin,
        None => "per-pair",
    };
    const ABOUT: &'static str =
        "a lock per connection, one for the rest (NetBSD of 2015, uipc_usrreq.c 1.173)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;

    fn new(algorithm: Algorithm) -> Self {
        Self {
            uipc_lock: Box::new(CachePadded::new(RwLock::of(Class::UnpLock, algorithm))),
            collector: CollectorLocks::new(algorithm),
            what: PhantomData,
        }
    }

    fn collector(&self) -> &CollectorLocks<PairLocks<A::Raw>, A::Raw> {
        &self.collector
    }

    fn socket_locks(&self, algorithm: Algorithm) -> PairLocks<A::Raw> {
        PairLocks::new(algorithm, self.uipc_lock.addr())
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        let lock = so.locks.so_lock();
        F::window(Window::LockRead);
        self.take(lock);
        if so.locks.so_lock() != lock && !F::omits(Step::LockLookAgain) {
            self.solockretry(so, lock);
        }
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.release(so.locks.so_lock());
    }

    /// A stream has its own lock, a datagram socket goes on.
    fn solock_new(&self, so: &So<Self>, kind: SockType) -> Held<Self> {
        settle(so);
        let so = self.solock(so);
        if kind == SockType::Dgram {
            self.resetlock(&so);
        }
        so
    }

    fn sounlock_last(&self, so: Held<Self>) {
        self.release(Self::go_home(&so));
    }

    #[inline(always)]
    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.peer().map(|so2| Held::<Self>::of(&so2))
    }

    /// For a connection: two new sockets, which come to share the lock of the first.
    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        let held = (Held::<Self>::of(so), Held::<Self>::of(so2));
        if !so.connection_required() {
            self.uipc_lock.enter();
            return held;
        }
        let (a, b) = (so.locks.so_lock(), so2.locks.so_lock());
        let addr = |lock: Option<LockRef<A::Raw>>| lock.map(|at| at.locks.lock.addr());
        let (first, second) = if addr(a) < addr(b) { (a, b) } else { (b, a) };
        self.take(first);
        self.take(second);
        Self::share(so, so2);
        self.release(b);
        held
    }

    fn sounlock_pair(&self, so: Held<Self>, _so2: Held<Self>) {
        self.sounlock(so);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    /// `uipc_lock` guards `so` from here on, whatever becomes of the connect; and `head`, if it
    /// listens.
    fn name_to_head(&self, so: &So<Self>, head: &So<Self>) -> Held<Self> {
        let so = self.solock(so);
        self.resetlock(&so);
        if head.locks.so_lock().is_some() {
            self.uipc_lock.exit();
            return self.solock(head);
        }
        Held::<Self>::of(head)
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.uipc_lock.enter();
        (Held::<Self>::of(so), Held::<Self>::of(so2))
    }

    /// A new embryo goes from its own lock to its listener's; else it is there already.
    fn embryo_enter(&self, _head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        settle(so3);
        if let Some(own) = so3.locks.so_lock() {
            own.locks.lock.enter();
            so3.locks.set_so_lock(None);
            own.locks.lock.exit();
        }
        Held::<Self>::of(so3)
    }

    fn embryo_leave_last(&self, so3: Held<Self>) {
        Self::go_home(&so3);
    }

    fn listen_enter(&self, so: &Held<Self>) {
        self.resetlock(so);
    }

    /// `unp_setpeerlocks`, with the lock that both get taken before (`usrreq` 834).
    fn accepted(&self, so: &Held<Self>) {
        let Some(client) = so.peer() else { return };
        let own = client.locks.own.get().expect("a client's own lock");
        F::window(Window::Accepting);
        if !F::omits(Step::AcceptTakesNew) {
            own.locks.lock.enter();
        }
        Self::share(&client, so);
        if F::omits(Step::AcceptTakesNew) {
            own.locks.lock.enter();
        }
        self.uipc_lock.exit();
    }

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        so.st().unp_refs.first().map(|so2| Held::<Self>::of(&so2))
    }

    fn list_enter(&self, so: &mut Held<Self>) {
        self.so_leave(so);
        self.collector.gc_enter();
    }

    fn list_exit(&self, so: &mut Held<Self>) {
        self.collector.gc_exit();
        self.so_enter(so);
    }

    fn list_to_name(&self, _so: &mut Held<Self>) {
        self.collector.gc_exit();
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        self.solock(so)
    }

    fn scan_exit(&self, so: Held<Self>) {
        self.sounlock(so);
    }
}

#[cfg(test)]
mod tests;
