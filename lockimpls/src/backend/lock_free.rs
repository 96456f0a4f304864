//! `lock-free`: sends and receives on a connected pair take no lock.
//!
//! Everything else (control messages, connect, shutdown, close, addressed datagrams, a second
//! thread on one end) takes `per-socket`'s code and its locks. The two meet in one rule: **taking a
//! `so_lock` shuts the fast path of that socket and of its peer first**, and only the holder of
//! both locks opens it again, as the last thing it does. It is a biased lock, in the manner of
//! BRAVO (Dice, Kogan, ATC 2019): the fast path is a lock held in advance by the one thread that
//! uses a direction, and taking the lock revokes it. The protocol is in `gate.rs`, what happens on
//! the fast path in `transfer.rs`, the calls are here.
//!
//! # Waiting
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

mod fifo;
pub(crate) mod gate;
pub(crate) mod transfer;

use self::gate::{count_anew, may_open, note_user};
use self::transfer::{Try, get, put};
use super::per_socket::{OnTake, OwnLock, SocketPolicy};
use crate::ambient::{Kernel, Nothing, Surroundings};
use crate::domain::{
    Config, Domain, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;
use crate::fault::{Event, Fault, Listener, Listens, NoFault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::Taken;
use crate::objects::socket::{self, BySide, Side, SockRef, WaitPoint};
use crate::policy::Policy;
use crate::primitives::{Ordering, RawMutex, heavy_fence, park};
use crate::raw::AnyLock;
use crate::uipc::Locked;
use crate::uipc::send::{Sending, sent};
use crate::uipc::wait::spin;
use crate::witness::{self, FastEvent, WaitsFor};

use Ordering::{Acquire, Relaxed};

type Lock<A> = OwnLock<<A as Surroundings>::Raw>;
type Socket<A> = socket::Socket<Lock<A>>;
type SoRef<A> = SockRef<Lock<A>>;
type Held<A> = socket::Held<Lock<A>>;

/// No lock on the way of a plain message.
pub(crate) type LockFree = LockFreeLayer<NoFault>;

/// The layer: `per-socket`'s, with a fast path before it.
pub(crate) struct LockFreeLayer<F: Fault, A: Surroundings = Nothing> {
    pub(crate) slow: Locked<SocketPolicy<F, ShutsGate, A>>,
}

/// Whoever takes a `so_lock` shuts the gate.
pub(crate) struct ShutsGate;

impl OnTake for ShutsGate {
    type Locks<R: RawMutex> = OwnLock<R>;
    type Beside<R: RawMutex> = ();
    const NAME: &'static str = "lock-free";
    const BIASED: bool = true;

    #[inline(always)]
    fn taken<R: RawMutex>(so: &socket::Held<OwnLock<R>>) {
        gate::shut(so);
    }
}

/// A thread on its way through a call that the fast path could not serve at once: the socket, where
/// the thread has waited for it, and so is its user already.
type Waiter<A> = Option<SoRef<A>>;

/// Why the fast path did not do it.
enum Slow<A: Surroundings> {
    /// It cannot serve this call now, or the thread has waited: go on with `send_on`, `receive_on`.
    Locks(Waiter<A>),
    /// It did: the answer is this error.
    Refused(Errno),
}

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
    /// Sends on the fast path as far as it goes. `rest` is what is left to send.
    #[inline(always)]
    fn fast_send(&self, fd: Fd, rest: &mut &[u8], flags: MsgFlags) -> Result<(), Slow<A>> {
        let (so, me, is_mine) = self.fast_enter(fd, Side::Snd)?;
        F::note(Event::Copy);
        let tried = if is_mine { put(me, &so, rest) } else { Try::Slow };
        F::note(Event::Copied);
        self.fast_leave(&so, Side::Snd, me, flags, tried)
    }

    /// Receives on the fast path.
    #[inline(always)]
    fn fast_receive(
        &self,
        fd: Fd,
        data: &mut [u8],
        flags: MsgFlags,
        from: Option<&mut SockAddr>,
    ) -> Result<Taken, Slow<A>> {
        let (so, me, is_mine) = self.fast_enter(fd, Side::Rcv)?;
        F::note(Event::Copy);
        let tried = if is_mine { get(me, &so, data, from) } else { Try::Slow };
        F::note(Event::Copied);
        self.fast_leave(&so, Side::Rcv, me, flags, tried)
    }

    /// Enters the fast path of a descriptor's socket: the socket, the thread's number, and whether
    /// the pair is this thread's. Where it is not, the try is `Slow`, and `fast_leave` is called all
    /// the same.
    #[inline(always)]
    fn fast_enter(&self, fd: Fd, side: Side) -> Result<(SoRef<A>, u32, bool), Slow<A>> {
        let Ok((place, so)) = self.slow.fds.look(fd) else { return Err(Slow::Locks(None)) };
        let me = witness::thread_number();
        let is_mine = gate::enter(&so, side, me) && place.is_open();
        Ok((so, me, is_mine))
    }

    /// Leaves the fast path after one try there, and waits where that is the answer.
    #[inline(always)]
    fn fast_leave<T>(
        &self,
        so: &Socket<A>,
        side: Side,
        me: u32,
        flags: MsgFlags,
        tried: Try<T>,
    ) -> Result<T, Slow<A>> {
        match tried {
            Try::Done(result) => {
                if !F::omits(Step::InUse) {
                    gate::leave(so, me);
                }
                witness::fast_event(Self::FAST_EVENTS[side]);
                result.map_err(Slow::Refused)
            }
            Try::Slow => {
                gate::leave(so, me);
                Err(Slow::Locks(None))
            }
            Try::Wait(_) if is_dontwait(so, flags) => {
                gate::leave(so, me);
                witness::fast_event(Self::FAST_EVENTS[side]);
                Err(Slow::Refused(Errno::Ewouldblock))
            }
            Try::Wait(index) => {
                self.leave_and_wait(so, side, me, index);
                Err(Slow::Locks(Some(SockRef::new(so))))
            }
        }
    }

    /// More tries, by one that has waited: it needs no descriptor, and waits despite O_NONBLOCK.
    #[cold]
    fn fast_again<T>(
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

    const FAST_EVENTS: BySide<FastEvent> =
        BySide { snd: FastEvent::FastSend, rcv: FastEvent::FastReceive };
    const SLOW_EVENTS: BySide<FastEvent> =
        BySide { snd: FastEvent::SlowSend, rcv: FastEvent::SlowReceive };

    /// From the fast path: waits until the other side moves, or something happens to the socket.
    #[cold]
    fn leave_and_wait(&self, so: &Socket<A>, side: Side, me: u32, index: usize) {
        so.fast_side[side].waits.store(1, Relaxed);
        let so2 = so.parts_fast(me, so).st.unp_conn.get();
        let awaited = Awaited { index, ..Awaited::note(so, so2, side) };
        gate::leave(so, me);
        self.wait(&awaited, side);
    }

    /// From the locked socket: unlocks it and waits; whether this thread could become the one that
    /// is waited for. Otherwise the socket is still locked, and another thread waits already.
    fn unlock_and_wait(&self, so: &mut Held<A>, side: Side) -> bool {
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
        let awaited = Awaited::note(&place, st.unp_conn.get(), side);
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
            if A::IS_THERE {
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

    /// Sends the rest, with the locks where the fast path is shut.
    #[cold]
    fn send_on(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<(), Errno> {
        loop {
            if let Some(so) = waiter {
                match self.fast_again(&so, Side::Snd, |me, so| put(me, so, rest)) {
                    Ok(()) => return Ok(()),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            waiter = self.slow_send_once(fd, rest, flags, waiter)?;
            if waiter.is_none() {
                return Ok(());
            }
        }
    }

    /// Sends with the locks as far as there is room. Where it has to wait it has done so: the
    /// socket, which the thread uses still.
    fn slow_send_once(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Waiter<A>, Errno> {
        let mut so = self.slow_enter(fd, Side::Snd, waiter)?;
        let mut sending = Sending::plain(rest, waiter.is_none() && is_dontwait(&so, flags));
        let result = loop {
            let result = self.slow.sosend_once(&mut so, &mut sending);
            *rest = sending.rest;
            match result {
                Ok(true) => break Ok(()),
                Err(errno) => break Err(errno),
                Ok(false) if self.unlock_and_wait(&mut so, Side::Snd) => {
                    return Ok(Some(so.socket()));
                }
                Ok(false) => self.slow.sbwait(&mut so, Side::Snd),
            }
        };
        self.slow_leave(fd, so, Side::Snd, true);
        result.map(|()| None)
    }

    /// Receives bytes alone, with the locks where the fast path is shut.
    #[cold]
    fn recv_on(
        &self,
        fd: Fd,
        data: &mut [u8],
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<usize, Errno> {
        self.receive_on(fd, &mut RecvMsg::new(data, MsgFlags::empty()), flags, waiter)
    }

    /// Receives, with the locks where the fast path is shut.
    #[cold]
    fn receive_on(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<usize, Errno> {
        loop {
            if let Some(so) = waiter {
                let again =
                    |me, so: &Socket<A>| get(me, so, &mut *msg.data, msg.from.as_deref_mut());
                match self.fast_again(&so, Side::Rcv, again) {
                    Ok(got) => return Ok(note(msg, got)),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            match self.slow_receive_once(fd, msg, flags, waiter)? {
                Ok(bytes) => return Ok(bytes),
                Err(so) => waiter = Some(so),
            }
        }
    }

    /// Receives with the locks. `Err`: there was nothing, and the thread has waited; the socket,
    /// which it uses still.
    fn slow_receive_once(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Result<usize, SoRef<A>>, Errno> {
        let mut so = self.slow_enter(fd, Side::Rcv, waiter)?;
        let is_dontwait = waiter.is_none() && is_dontwait(&so, flags);
        let flags = if is_dontwait { flags | MsgFlags::DONTWAIT } else { flags };
        let result = loop {
            match self.slow.soreceive_once(&mut so, msg, flags) {
                Ok(Some(bytes)) => break Ok(Ok(bytes)),
                Err(errno) => break Err(errno),
                Ok(None) if is_plain(flags) && self.unlock_and_wait(&mut so, Side::Rcv) => {
                    return Ok(Err(so.socket()));
                }
                Ok(None) => self.slow.sbwait(&mut so, Side::Rcv),
            }
        };
        self.slow_leave(fd, so, Side::Rcv, is_plain(flags) && msg.rights_len == 0);
        result
    }

    /// Sends what never goes the fast way.
    #[cold]
    fn slow_send(&self, fd: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.slow.sockargs(fd, msg.rights)?;
        let mut so = self.slow_enter(fd, Side::Snd, None)?;
        let result = self.slow.sosend(&mut so, msg);
        self.slow_leave(fd, so, Side::Snd, false);
        result
    }

    /// Locks the socket, as a call on a descriptor or as one that has waited for it.
    fn slow_enter(&self, fd: Fd, side: Side, waiter: Waiter<A>) -> Result<Held<A>, Errno> {
        let Some(so) = waiter else { return self.slow.solock_fd(fd) };
        let so = self.slow.policy.solock(&so);
        let st = so.st();
        st.users.set(st.users.get() + 1);
        so.fast_side[side].waits.store(0, Relaxed);
        Ok(so)
    }

    /// Ends a call that took the locks; the gate may be opened for the next.
    fn slow_leave(&self, fd: Fd, so: Held<A>, side: Side, is_plain: bool) {
        let opens = note_user(&so, side, is_plain, self.slow.config.reopen_after_calls);
        self.slow.sounlock_fd(so);
        witness::fast_event(Self::SLOW_EVENTS[side]);
        if opens {
            self.reopen(fd);
        }
    }

    /// Opens the gate, if nothing speaks against it. Nothing is held before and after.
    fn reopen(&self, fd: Fd) {
        if F::omits(Step::Reopen) {
            return;
        }
        let Ok(mut so) = self.slow.solock_fd(fd) else { return };
        // This call stays the socket's user until nothing can unlock it any more: `solock_peer` may.
        if let Some(so2) = self.slow.policy.solock_peer(&mut so) {
            let st = so.st();
            let is_pair = so.socket() != so2.socket();
            if !(is_pair && may_open(&so, &so2) && may_open(&so2, &so)) {
                count_anew(&so);
            } else if st.users.get() == 1 && so2.st().users.get() == 0 {
                st.users.set(0);
                gate::open(&so, &so2);
                self.slow.policy.sounlock_peer(&so, so2);
                self.slow.policy.sounlock(so);
                return;
            }
            self.slow.policy.sounlock_peer(&so, so2);
        } else {
            count_anew(&so);
        }
        self.slow.sounlock_fd(so);
    }
}

/// Whether a call that begins may not wait.
#[inline(always)]
fn is_dontwait<R: RawMutex>(so: &socket::Socket<OwnLock<R>>, flags: MsgFlags) -> bool {
    flags.contains(MsgFlags::DONTWAIT) || so.is_nonblocking()
}

/// Tells the caller what else there is to say of a record.
fn note(msg: &mut RecvMsg<'_, Fd>, got: Taken) -> usize {
    msg.flags.set(MsgFlags::TRUNC, got.is_cut);
    msg.flags.set(MsgFlags::EOR, got.is_eor);
    got.bytes
}

/// Whether the fast path knows what to do with these flags.
#[inline(always)]
fn is_plain(flags: MsgFlags) -> bool {
    (flags - MsgFlags::DONTWAIT).is_empty()
}

impl<F: Fault, A: Surroundings> LockFreeLayer<F, A> {
    /// A send, whichever way it goes.
    #[inline(always)]
    fn sosend(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        if !is_plain(flags) {
            return self.slow_send(s, &SendMsg { to: None, data, rights: &[], flags });
        }
        let mut rest = data;
        let result = match self.fast_send(s, &mut rest, flags) {
            Ok(()) => Ok(()),
            Err(Slow::Refused(errno)) => Err(errno),
            Err(Slow::Locks(waiter)) => self.send_on(s, &mut rest, flags, waiter),
        };
        match result {
            Ok(()) => Ok(data.len()),
            Err(errno) => sent(data.len() - rest.len(), Err(errno)),
        }
    }

    /// A receive of bytes, whichever way it goes.
    #[inline(always)]
    fn soreceive(&self, s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        let mut waiter = None;
        if is_plain(flags) {
            match self.fast_receive(s, data, flags, None) {
                Ok(got) => return Ok(got.bytes),
                Err(Slow::Refused(errno)) => return Err(errno),
                Err(Slow::Locks(has_waited)) => waiter = has_waited,
            }
        }
        self.recv_on(s, data, flags, waiter)
    }

    /// A receive of whatever there is, whichever way it goes.
    #[inline(always)]
    fn soreceive_msg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        let flags = std::mem::take(&mut msg.flags);
        msg.rights_len = 0;
        if let Some(from) = &mut msg.from {
            **from = SockAddr::UNNAMED;
        }
        let mut waiter = None;
        if is_plain(flags) {
            match self.fast_receive(s, msg.data, flags, msg.from.as_deref_mut()) {
                Ok(got) => return Ok(note(msg, got)),
                Err(Slow::Refused(errno)) => return Err(errno),
                Err(Slow::Locks(has_waited)) => waiter = has_waited,
            }
        }
        self.receive_on(s, msg, flags, waiter)
    }

    /// The file of a call that is counted when it has succeeded, in a layer with something around
    /// it. Found under `fd_fplock`, as by any call.
    #[inline(always)]
    fn getsock(&self, s: Fd) -> Option<SoRef<A>> {
        self.slow.fd_fplock(1);
        if A::IS_THERE { self.slow.fds.find(s).ok() } else { None }
    }
}

impl<F: Fault, A: Surroundings> Domain for LockFreeLayer<F, A> {
    type Sock = Fd;
    type UnderAmbient = LockFreeLayer<F, Kernel<A::Raw>>;
    type OnAnyLock = LockFreeLayer<F, Nothing<AnyLock>>;
    type OnListener<R: Listener> = LockFreeLayer<Listens<R>, Nothing<R>>;

    const NAME: &'static str = <SocketPolicy<F, ShutsGate, A> as Policy>::NAME;
    const ABOUT: &'static str =
        "no lock for data on a connected pair; a so_lock per socket for the rest";
    const MODELLED: bool = true;

    fn new(config: &Config) -> Result<Self, Errno> {
        Ok(Self { slow: Locked::new(config)? })
    }

    #[inline(always)]
    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        let file = self.getsock(s);
        let result = self.sosend(s, data, flags);
        file.inspect(|so| self.slow.sendit_ends(*so, &result));
        result
    }

    #[inline(always)]
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        if msg.rights.is_empty() && msg.to.is_none() {
            return self.send(s, msg.data, msg.flags);
        }
        let file = self.getsock(s);
        let result = self.slow_send(s, msg);
        file.inspect(|so| self.slow.sendit_ends(*so, &result));
        result
    }

    #[inline(always)]
    fn recv(&self, s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> {
        let file = self.getsock(s);
        let result = self.soreceive(s, data, flags);
        file.inspect(|so| self.slow.transferred(*so, &result));
        result
    }

    #[inline(always)]
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        let file = self.getsock(s);
        let result = self.soreceive_msg(s, msg);
        file.inspect(|so| self.slow.transferred(*so, &result));
        result
    }

    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        self.slow.socketpair(kind)
    }

    fn socket(&self, kind: SockType) -> Result<Fd, Errno> {
        self.slow.socket(kind)
    }

    fn bind(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.slow.bind(s, name)
    }

    fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.slow.unlink(name)
    }

    fn listen(&self, s: Fd, backlog: i32) -> Result<(), Errno> {
        self.slow.listen(s, backlog)
    }

    fn connect(&self, s: Fd, name: &SockAddr) -> Result<(), Errno> {
        self.slow.connect(s, name)
    }

    fn accept(&self, s: Fd) -> Result<(Fd, SockAddr), Errno> {
        self.slow.accept(s)
    }

    fn shutdown(&self, s: Fd, how: Shutdown) -> Result<(), Errno> {
        self.slow.shutdown(s, how)
    }

    fn close(&self, s: Fd) -> Result<(), Errno> {
        self.slow.close(s)
    }

    fn dup(&self, s: Fd) -> Result<Fd, Errno> {
        self.slow.dup(s)
    }

    fn same_file(&self, a: Fd, b: Fd) -> Result<bool, Errno> {
        self.slow.same_file(a, b)
    }

    fn getsockname(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.slow.getsockname(s)
    }

    fn getpeername(&self, s: Fd) -> Result<SockAddr, Errno> {
        self.slow.getpeername(s)
    }

    fn setsockopt(&self, s: Fd, option: SockOpt, value: usize) -> Result<(), Errno> {
        self.slow.setsockopt(s, option, value)
    }

    fn getsockopt(&self, s: Fd, option: SockOpt) -> Result<usize, Errno> {
        self.slow.getsockopt(s, option)
    }

    fn set_nonblocking(&self, s: Fd, on: bool) -> Result<(), Errno> {
        self.slow.set_nonblocking(s, on)
    }

    #[inline(always)]
    fn wants_collect(&self) -> bool {
        self.slow.wants_gc()
    }

    fn collect(&self) {
        self.slow.collect();
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.slow.pools()
    }
}
