//! `lock-free`: sends and receives on a connected pair take no lock.
//!
//! Everything else (control messages, connect, shutdown, close, addressed datagrams, a second
//! thread on one end) takes `per-socket`'s code and its locks. The two meet in one rule: **taking a
//! `so_lock` shuts the fast path of that socket and of its peer first** (but for a thread that
//! finds it opened while it waited for the lock, and gives the lock back), and only the holder of
//! both locks opens it again, as the last thing it does. It is a biased lock, in the manner of
//! BRAVO (Dice, Kogan, ATC 2019): the fast path is a lock held in advance by the one thread that
//! uses a direction, and taking the lock revokes it. The protocol is in `gate.rs`, what happens on
//! the fast path in `transfer.rs`, what takes the locks in `slow.rs`, how a thread waits in
//! `waiting.rs`; the calls are here.

mod fifo;
pub(crate) mod gate;
mod slow;
pub(crate) mod transfer;
mod waiting;

use self::transfer::{Try, get, put};
use super::per_socket::{OnTake, OwnLock, SocketPolicy};
use crate::ambient::{Kernel, Nothing, Surroundings, Variants};
use crate::domain::{
    Config, Domain, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;
use crate::fault::{Event, Fault, Listener, Listens, NoFault, Step};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::Taken;
use crate::objects::socket::{self, BySide, Side, SockRef};
use crate::policy::Policy;
use crate::primitives::RawMutex;
use crate::uipc::Locked;
use crate::uipc::send::sent;
use crate::witness::{self, FastEvent};

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

impl<F: Fault, A: Surroundings> LockFreeLayer<F, A> {
    const FAST_EVENTS: BySide<FastEvent> =
        BySide { snd: FastEvent::FastSend, rcv: FastEvent::FastReceive };
    const SLOW_EVENTS: BySide<FastEvent> =
        BySide { snd: FastEvent::SlowSend, rcv: FastEvent::SlowReceive };

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
    /// the pair is this thread's. Where it is not, the try is `Slow`, and `fast_leave` is called
    /// all the same.
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
        if self.slow.ambient.is_there() { self.slow.fds.find(s).ok() } else { None }
    }
}

impl<F: Fault, A: Surroundings> Variants for LockFreeLayer<F, A> {
    type UnderAmbient = LockFreeLayer<F, Kernel<A::Raw>>;
    type OnLock<R: RawMutex> = LockFreeLayer<F, Nothing<R>>;
    type OnListener<R: Listener> = LockFreeLayer<Listens<R>, Nothing<R>>;
}

impl<F: Fault, A: Surroundings> Domain for LockFreeLayer<F, A> {
    type Sock = Fd;

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
