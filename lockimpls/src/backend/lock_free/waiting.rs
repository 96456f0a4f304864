//! Waiting for the other side, without the locks.
//!
//! A full or empty ring is answered on the fast path. A thread that must wait, whether it looked
//! there or with the locks, marks the direction as awaited (which keeps the socket like a call
//! under way, and its thread the owner), leaves, spins, and at last parks: it sets `waiting`, pays
//! the heavy fence, looks once more, and parks unless a waker has cleared `waiting`. The other side
//! publishes, has a light fence, and loads `waiting`. Only one about to park pays. Afterwards it
//! tries the fast path again; if the gate is shut it goes on with the locks. A thread that waits
//! keeps no gate shut, so that its peer can open it meanwhile.
//!
//! Nothing is missed between the look and the wait. On the fast path only the other side's owner
//! moves, and the waiter compares that one's index with what it saw when it looked; events change
//! under the lock alone, for which the waiter would have had to leave. With the lock nothing
//! changes until it is dropped.

use super::transfer::Try;
use super::{Held, LockFreeLayer, Slow, SoRef, Socket, gate};
use crate::ambient::Surroundings;
use crate::fault::{Event, Fault, Step, Window};
use crate::objects::socket::{Side, SockRef, WaitPoint};
use crate::policy::Policy;
use crate::primitives::{Ordering, heavy_fence, park};
use crate::uipc::wait::spin;
use crate::witness::{self, WaitsFor};

use Ordering::{Acquire, Relaxed};

/// What a thread looked at before it left to wait.
struct Awaited<'a, A: Surroundings> {
    point: &'a WaitPoint,
    event: u32,
    /// Whose ring, and what the other side's index read.
    ring: SoRef<A>,
    index: usize,
}

impl<A: Surroundings> Awaited<'_, A> {
    /// What the owner of `side` of `so` waits for. The caller holds the lock, or is `in_use`.
    fn note<'a>(so: &'a Socket<A>, so2: Option<SoRef<A>>, side: Side) -> Awaited<'a, A> {
        let (point, ring) = if side == Side::Snd {
            (&*so.snd_wait, so2.unwrap_or(SockRef::new(so)))
        } else {
            (&*so.rcv_wait, SockRef::new(so))
        };
        let index = Self::index(ring, side);
        Awaited { point, event: point.event.load(Relaxed), ring, index }
    }

    /// The other side's index: what was read of the peer's ring, or put into the own.
    fn index(ring: SoRef<A>, side: Side) -> usize {
        if side == Side::Snd { ring.rcv.head_hint() } else { ring.rcv.tail_hint() }
    }

    /// Whether the other side moved, or something happened to the socket.
    fn is_over(&self, side: Side) -> bool {
        let has_moved = if side == Side::Snd {
            Self::index(self.ring, Side::Snd) != self.index
        } else {
            self.ring.rcv.has_come(self.index)
        };
        has_moved || self.point.event.load(Relaxed) != self.event
    }
}

impl<F: Fault, A: Surroundings> LockFreeLayer<F, A> {
    /// More tries, by one that has waited: it needs no descriptor, and waits despite O_NONBLOCK.
    #[cold]
    pub(super) fn fast_again<T>(
        &self,
        so: &Socket<A>,
        side: Side,
        mut attempt: impl FnMut(u32, &Socket<A>) -> Try<T>,
    ) -> Result<T, Slow<A>> {
        let me = witness::thread_number();
        loop {
            let is_mine = gate::enter(so, side, me);
            F::note(Event::Copy);
            let tried = if is_mine { attempt(me, so) } else { Try::Slow };
            F::note(Event::Copied);
            match tried {
                Try::Done(result) => {
                    // Relaxed: the Release in `leave` publishes it.
                    so.fast_side[side].waits.store(0, Relaxed);
                    gate::leave(so, me);
                    witness::fast_event(Self::FAST_EVENTS[side]);
                    return result.map_err(Slow::Refused);
                }
                Try::Slow => {
                    gate::leave(so, me);
                    return Err(Slow::Locks(Some(SockRef::new(so))));
                }
                Try::Wait(index) => self.leave_and_wait(so, side, me, index),
            }
        }
    }

    /// From the fast path: waits until the other side moves, or something happens to the socket.
    #[cold]
    pub(super) fn leave_and_wait(&self, so: &Socket<A>, side: Side, me: u32, index: usize) {
        so.fast_side[side].waits.store(1, Relaxed);
        let so2 = so.parts_fast(me, so).st.peer();
        let awaited = Awaited { index, ..Awaited::note(so, so2, side) };
        gate::leave(so, me);
        self.wait(&awaited, side);
    }

    /// From the locked socket: unlocks it and waits; whether this thread could become the one that
    /// is waited for. Otherwise the socket is still locked, and another thread waits already.
    pub(super) fn unlock_and_wait(&self, so: &mut Held<A>, side: Side) -> bool {
        let place = so.socket();
        let waits = &place.fast_side[side].waits;
        if waits.load(Relaxed) != 0 {
            return false;
        }
        waits.store(1, Relaxed);
        // The gate is shut: the owner may change. It is this thread, once the gate opens.
        so.fast.owner[side].store(witness::thread_number(), Relaxed);
        let st = so.st();
        st.users.set(st.users.get() - 1);
        let awaited = Awaited::note(&place, st.peer(), side);
        self.slow.policy.so_leave(so);
        self.wait(&awaited, side);
        true
    }

    /// Waits, with nothing held.
    #[cold]
    fn wait(&self, awaited: &Awaited<'_, A>, side: Side) {
        let point = awaited.point;
        F::note(Event::Sleep);
        witness::sleep(point.key(), WaitsFor::Wakeup, 0);
        if !spin(self.slow.config.wait, || awaited.is_over(side)) {
            F::window(Window::BeforeRegister);
            if self.slow.ambient.is_there() {
                self.slow.ambient.sched_lock();
                witness::sleep(point.key(), WaitsFor::Wakeup, 0);
            }
            point.waiting.store(1, Relaxed);
            // Pairs with the light fences of those who publish and then load `waiting`.
            heavy_fence();
            if F::omits(Step::RetestWaiting) || !awaited.is_over(side) {
                // Acquire; pairs with the AcqRel of the waker that cleared it.
                park(point.key(), || point.waiting.load(Acquire) != 0, || {});
                self.slow.ambient.sched_lock();
            }
        }
        witness::awake();
        F::note(Event::Awake);
    }
}
