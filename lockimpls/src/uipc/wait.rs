//! Sleeping and waking: `sblock`, `sbwait`, `sosleep`.
//!
//! A thread sleeps with its socket locked, and the lock is released when the thread is queued:
//! whoever changes what it waits for must take that lock first, and then finds it in the queue. No
//! wake-up can fall between. There is no timeout: a lost wake-up hangs, and is seen by the
//! watchdog.

use crate::ambient::Surroundings;
use crate::domain::{MsgFlags, WaitStrategy};
use crate::errno::Errno;
use crate::fault::{Event, Fault, Step, Window};
use crate::objects::socket::{Part, Side, SocketLocks, WaitPoint};
use crate::policy::{Held, Policy, So};
use crate::primitives::{Ordering, SPINS, heavy_fence, park, spin_loop, yield_now};
use crate::uipc::Locked;
use crate::witness::{self, Class, WaitsFor};

use Ordering::{Acquire, Relaxed};

/// How often a thread that never parks looks before it gives up the processor once.
const SPINS_TO_YIELD: u32 = 256;

/// Looks until `ready` or as long as the strategy says: whether it became ready. The caller holds
/// no lock.
#[inline]
pub(crate) fn spin(strategy: WaitStrategy, ready: impl Fn() -> bool) -> bool {
    match strategy {
        WaitStrategy::Park => ready(),
        WaitStrategy::Adaptive => (0..SPINS).any(|_| {
            spin_loop();
            ready()
        }),
        WaitStrategy::Spin => {
            let mut looks = 0_u32;
            while !ready() {
                spin_loop();
                looks += 1;
                if looks.is_multiple_of(SPINS_TO_YIELD) {
                    yield_now();
                }
            }
            true
        }
    }
}

impl<P: Policy> Locked<P> {
    /// `sosleep`: waits at a point of a locked socket until it is woken, the socket unlocked
    /// meanwhile. It may return early: the caller looks again.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sosleep(&self, so: &mut Held<P>, point: &WaitPoint) {
        self.sleep::<false>(so, point, Part::Socket);
    }

    /// The same of a listener, with the lock of its queues.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sleep_at_queue(&self, head: &mut Held<P>, point: &WaitPoint) {
        self.sleep::<false>(head, point, Part::Queue);
    }

    /// The same with the lock of this part; at its peer a thread has a reference on that.
    #[inline(always)]
    #[track_caller]
    fn sleep<const AT_PEER: bool>(&self, so: &mut Held<P>, point: &WaitPoint, part: Part) {
        let depth = self.ambient.sleep_begins();
        P::Fault::note(Event::Sleep);
        self.rwsleep::<AT_PEER>(&mut so.lent(), point, part);
        P::Fault::note(Event::Awake);
        self.ambient.sleep_ends(depth);
    }

    #[inline(always)]
    #[track_caller]
    fn part_enter(&self, so: &mut Held<P>, part: Part) {
        match part {
            Part::Socket | Part::Link => self.policy.so_enter(so),
            Part::Queue => self.policy.queue_enter(so),
            Part::Snd => self.sb_enter(so, Side::Snd),
            Part::Rcv => {
                self.policy.data_enter(so);
                self.policy.look_enter(so);
            }
        }
    }

    #[inline(always)]
    #[track_caller]
    fn part_leave(&self, so: &mut Held<P>, part: Part) {
        match part {
            Part::Socket | Part::Link => self.policy.so_leave(so),
            Part::Queue => self.policy.queue_leave(so),
            Part::Snd => self.sb_leave(so, Side::Snd),
            Part::Rcv => self.sb_leave(so, Side::Rcv),
        }
    }

    /// `rwsleep`. Whoever parks goes through the queue of sleepers before and after.
    #[track_caller]
    fn rwsleep<const AT_PEER: bool>(&self, so: &mut Held<P>, point: &WaitPoint, part: Part) {
        // Asked for again below: where a socket's lock can be another one, it may be by then.
        let place = so.socket();
        let releases = || match part {
            Part::Rcv => place.locks.look_guard(place.so_type.get()).0,
            _ => place.locks.guard(part).0,
        };
        let seen = point.event.load(Relaxed);
        if self.config.wait == WaitStrategy::Park {
            self.ambient.sched_lock();
        }
        let kind = if AT_PEER { WaitsFor::Side } else { WaitsFor::Wakeup };
        witness::sleep(point.key(), kind, releases());
        if self.config.wait != WaitStrategy::Park {
            self.part_leave(so, part);
            let woken = spin(self.config.wait, || point.event.load(Relaxed) != seen);
            self.part_enter(so, part);
            if woken || point.event.load(Relaxed) != seen {
                witness::awake();
                return;
            }
            self.ambient.sched_lock();
            witness::sleep(point.key(), kind, releases());
        }
        // Relaxed: under the lock, as is whoever reads it.
        point.waiting.store(1, Relaxed);
        P::Fault::window(Window::BeforePark);
        if Self::WAKES_UNLOCKED {
            // Pairs with the light fence in `published`: what came while the lock was left to spin
            // is found by its wake-up here, or that finds `waiting`.
            heavy_fence();
            if point.seen() == seen {
                self.park_awaited(so, point, part);
            }
        } else {
            park(point.key(), || true, || self.part_leave(so, part));
            self.ambient.sched_lock();
            self.part_enter(so, part);
        }
        witness::awake();
    }

    /// Parks where a waker need not hold the lock: one that woke others before may clear `waiting`
    /// just now, and then this thread does not park, and has not unlocked.
    #[track_caller]
    fn park_awaited(&self, so: &mut Held<P>, point: &WaitPoint, part: Part) {
        let mut has_left = false;
        // Acquire; pairs with the AcqRel of the waker that cleared it.
        let is_awaited = || point.waiting.load(Acquire) != 0;
        park(point.key(), is_awaited, || {
            self.part_leave(so, part);
            has_left = true;
        });
        if has_left {
            self.ambient.sched_lock();
            self.part_enter(so, part);
        }
    }

    /// Waits for room with nothing of the socket held, unless a wake-up came since `seen` was read:
    /// before it was found that there is none. A send has no kernel lock to give up.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn await_room(&self, so: &So<P>, seen: u32) {
        P::Fault::note(Event::Sleep);
        self.sleep_unlocked(&so.snd_wait, seen);
        P::Fault::note(Event::Awake);
    }

    #[track_caller]
    fn sleep_unlocked(&self, point: &WaitPoint, seen: u32) {
        let woken = || point.seen() != seen;
        witness::sleep(point.key(), WaitsFor::Wakeup, 0);
        if !spin(self.config.wait, woken) {
            P::Fault::window(Window::BeforeRegister);
            if self.ambient.is_there() {
                self.ambient.sched_lock();
                witness::sleep(point.key(), WaitsFor::Wakeup, 0);
            }
            point.waiting.store(1, Relaxed);
            // Pairs with the light fence in `published`: either the wake-up is seen here, or
            // `waiting` there.
            heavy_fence();
            if P::Fault::omits(Step::RetestWaiting) || !woken() {
                // Acquire; pairs with the AcqRel of the waker that cleared it.
                park(point.key(), || point.waiting.load(Acquire) != 0, || {});
                self.ambient.sched_lock();
            }
        }
        witness::awake();
    }

    /// `sbwait`: waits until the buffer changes, after `sbunlock_to_wait`; then the call begins
    /// again.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sbwait(&self, so: &mut Held<P>, side: Side) {
        let place = so.socket();
        match side {
            Side::Snd => self.sleep::<false>(so, &place.snd_wait, Part::Snd),
            Side::Rcv => self.sleep::<false>(so, &place.rcv_wait, Part::Rcv),
        }
        self.policy.side_leave(so, side);
    }

    /// Waits for room at the peer's receive side, which is locked before and after, with a
    /// reference on the peer alone: OpenBSD's sender gives up the right to send, and takes it again
    /// before it looks.
    #[cold]
    #[track_caller]
    pub(super) fn wait_at_peer(&self, so: &So<P>, so2: &mut Held<P>) {
        let place = so2.socket();
        let gives_up = !P::Fault::omits(Step::RightToWait);
        if gives_up {
            self.policy.sb_unlock(so, Side::Snd);
        }
        if P::Fault::omits(Step::PinOnce) {
            place.so_refcnt.take();
        }
        self.sleep::<true>(so2, &place.rcv_wait, Part::Rcv);
        if gives_up {
            self.policy.side_leave(so2, Side::Rcv);
            self.policy.sb_lock(so, Side::Snd, false);
            self.policy.side_enter(so2, Side::Rcv);
        }
    }

    /// `sblock`: takes the right to fill (`Snd`) or drain (`Rcv`) a buffer, for longer than its
    /// lock is held, and goes to that side.
    ///
    /// # Errors
    /// `EWOULDBLOCK` where another thread has it and the caller may not wait.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sblock(&self, so: &mut Held<P>, side: Side, nonblock: bool) -> Result<(), Errno> {
        if P::SB_LOCK {
            if !self.policy.sb_lock(so, side, nonblock) {
                return Err(Errno::Ewouldblock);
            }
            match side {
                Side::Snd => self.policy.side_enter(so, side),
                Side::Rcv => self.policy.look_enter(so),
            }
            return Ok(());
        }
        self.sb_flag_enter(so, side, nonblock)
    }

    /// Takes the right, where it is a flag.
    #[inline(always)]
    #[track_caller]
    pub(super) fn sb_flag_enter(
        &self,
        so: &mut Held<P>,
        side: Side,
        nonblock: bool,
    ) -> Result<(), Errno> {
        let sb = so.sb(side);
        let addr = sb.addr();
        if sb.locked.replace(true) {
            self.sb_flag_wait(&mut so.lent(), side, nonblock)?;
            so.sb(side).locked.set(true);
        }
        witness::keep(addr, Class::Sblock);
        Ok(())
    }

    /// Waits until no other thread has the flag.
    #[cold]
    pub(super) fn sb_flag_wait(
        &self,
        so: &mut Held<P>,
        side: Side,
        nonblock: bool,
    ) -> Result<(), Errno> {
        let place = so.socket();
        while so.sb(side).locked.get() {
            if nonblock {
                return Err(Errno::Ewouldblock);
            }
            so.sb(side).wanted.set(true);
            self.sosleep(so, &place.sblock_wait[side]);
        }
        Ok(())
    }

    /// `sbunlock`: gives the right back, and leaves the side.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sbunlock(&self, so: &mut Held<P>, side: Side) {
        if P::SB_LOCK {
            self.policy.side_leave(so, side);
        }
        self.sbunlock_to_wait(so, side);
    }

    /// Gives the right back, at the side still, where the call is about to sleep.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sbunlock_to_wait(&self, so: &Held<P>, side: Side) {
        if P::SB_LOCK {
            self.policy.sb_unlock(so, side);
            return;
        }
        self.sb_flag_leave(so, side);
    }

    /// Gives the right back, where it is a flag.
    #[inline(always)]
    #[track_caller]
    pub(super) fn sb_flag_leave(&self, so: &Held<P>, side: Side) {
        let sb = so.sb(side);
        witness::unkeep(sb.addr(), Class::Sblock);
        sb.locked.set(false);
        if sb.wanted.replace(false) && !P::Fault::omits(Step::WakeWanted) {
            self.ambient.sched_lock();
            so.sblock_wait[side].wakeup(false);
        }
    }

    /// `sorwakeup`: wakes whoever waits to read from a locked socket.
    #[inline]
    pub(crate) fn sorwakeup(&self, so: &mut Held<P>) {
        self.sowakeup(so, Side::Rcv);
    }

    /// `sowwakeup`: wakes whoever waits to write to a locked socket.
    #[inline]
    pub(crate) fn sowwakeup(&self, so: &mut Held<P>) {
        self.sowakeup(so, Side::Snd);
    }

    /// The flags of a call, with MSG_DONTWAIT where the file is O_NONBLOCK. That is settled once,
    /// when the call begins (`sendit`, `recvit`: `uipc_syscalls.c` 1.196, lines 617 and 841): a
    /// call that waits goes on waiting, whatever becomes of the file's flag.
    #[inline]
    pub(crate) fn msg_flags(so: &So<P>, flags: MsgFlags) -> MsgFlags {
        if so.is_nonblocking() { flags | MsgFlags::DONTWAIT } else { flags }
    }
}

#[cfg(test)]
mod tests;
