//! Calls that take the locks, because the fast path cannot serve them or is shut; and opening it
//! again.

use super::gate::{count_anew, may_open, note_user};
use super::transfer::{get, put};
use super::{Held, LockFreeLayer, Slow, SoRef, Socket, Waiter, gate, is_dontwait, is_plain, note};
use crate::ambient::Surroundings;
use crate::backend::per_socket::{OnTake, SoLock, SocketPolicy};
use crate::domain::{MsgFlags, RecvMsg, SendMsg, SockAddr};
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::sockbuf::Taken;
use crate::objects::socket::Side;
use crate::policy::{Held as Token, Policy, So};
use crate::primitives::Ordering;
use crate::uipc::send::Sending;
use crate::witness;

use Ordering::Relaxed;

/// How far a call came with the locks.
enum Once<A: Surroundings, T> {
    /// It is done.
    Done(T),
    /// It has waited, with the socket unlocked, which it uses still.
    Waited(SoRef<A>),
    /// Nowhere: the fast path was opened for it while it waited for the lock.
    Opened,
}

impl<F: Fault, T: OnTake, A: Surroundings> SocketPolicy<F, T, A> {
    /// Takes the `so_lock`, and gives it back at once where `goes_back` says so, which is asked
    /// when the lock is there and before [`OnTake::taken`]. It must touch nothing that the lock
    /// guards.
    #[track_caller]
    fn solock_unless(
        &self,
        so: &So<Self>,
        goes_back: impl FnOnce() -> bool,
    ) -> Option<Token<Self>> {
        so.locks.so_lock().enter();
        if goes_back() {
            so.locks.so_lock().exit();
            return None;
        }
        let so = Token::<Self>::of(so);
        if !F::omits(Step::OnTake) {
            T::taken(&so);
        }
        Some(so)
    }
}

impl<F: Fault, A: Surroundings> LockFreeLayer<F, A> {
    /// Sends the rest, with the locks where the fast path is shut.
    #[cold]
    pub(super) fn send_on(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<(), Errno> {
        let mut is_fast = waiter.is_some();
        loop {
            if is_fast {
                let tried = match waiter {
                    Some(so) => self.fast_again(&so, Side::Snd, |me, so| put(me, so, rest)),
                    None => self.fast_send(fd, rest, flags),
                };
                match tried {
                    Ok(()) => return Ok(()),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            match self.slow_send_once(fd, rest, flags, waiter)? {
                Once::Done(()) => return Ok(()),
                Once::Waited(so) => waiter = Some(so),
                Once::Opened => {}
            }
            is_fast = true;
        }
    }

    /// Sends with the locks as far as there is room, and waits where there is none.
    fn slow_send_once(
        &self,
        fd: Fd,
        rest: &mut &[u8],
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Once<A, ()>, Errno> {
        let Some(mut so) = self.slow_enter(fd, Side::Snd, waiter)? else { return Ok(Once::Opened) };
        let mut sending = Sending::plain(rest, waiter.is_none() && is_dontwait(&so, flags));
        let result = loop {
            let result = self.slow.sosend_once(&mut so, &mut sending);
            *rest = sending.rest;
            match result {
                Ok(true) => break Ok(()),
                Err(errno) => break Err(errno),
                Ok(false) if self.unlock_and_wait(&mut so, Side::Snd) => {
                    return Ok(Once::Waited(so.socket()));
                }
                Ok(false) => self.slow.sbwait(&mut so, Side::Snd),
            }
        };
        self.slow_leave(fd, so, Side::Snd, true);
        result.map(Once::Done)
    }

    /// Receives bytes alone, with the locks where the fast path is shut.
    #[cold]
    pub(super) fn recv_on(
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
    pub(super) fn receive_on(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        mut waiter: Waiter<A>,
    ) -> Result<usize, Errno> {
        let mut is_fast = waiter.is_some();
        loop {
            if is_fast {
                let (data, from) = (&mut *msg.data, msg.from.as_deref_mut());
                let tried = match waiter {
                    Some(so) => self.fast_receive_again(&so, data, from),
                    None => self.fast_receive(fd, data, flags, from),
                };
                match tried {
                    Ok(got) => return Ok(note(msg, got)),
                    Err(Slow::Refused(errno)) => return Err(errno),
                    Err(Slow::Locks(so)) => waiter = so,
                }
            }
            match self.slow_receive_once(fd, msg, flags, waiter)? {
                Once::Done(bytes) => return Ok(bytes),
                Once::Waited(so) => waiter = Some(so),
                Once::Opened => {}
            }
            is_fast = true;
        }
    }

    /// Receives on the fast path, after a wait.
    fn fast_receive_again(
        &self,
        so: &Socket<A>,
        data: &mut [u8],
        mut from: Option<&mut SockAddr>,
    ) -> Result<Taken, Slow<A>> {
        self.fast_again(so, Side::Rcv, |me, so| get(me, so, &mut *data, from.as_deref_mut()))
    }

    /// Receives with the locks, and waits where there is nothing.
    fn slow_receive_once(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
        waiter: Waiter<A>,
    ) -> Result<Once<A, usize>, Errno> {
        let so = if is_plain(flags) {
            self.slow_enter(fd, Side::Rcv, waiter)?
        } else {
            Some(self.slow.solock_fd(fd)?)
        };
        let Some(mut so) = so else { return Ok(Once::Opened) };
        let is_dontwait = waiter.is_none() && is_dontwait(&so, flags);
        let flags = if is_dontwait { flags | MsgFlags::DONTWAIT } else { flags };
        let result = loop {
            match self.slow.soreceive_once(&mut so, msg, flags) {
                Ok(Some(bytes)) => break Ok(Once::Done(bytes)),
                Err(errno) => break Err(errno),
                Ok(None) if is_plain(flags) && self.unlock_and_wait(&mut so, Side::Rcv) => {
                    return Ok(Once::Waited(so.socket()));
                }
                Ok(None) => self.slow.sbwait(&mut so, Side::Rcv),
            }
        };
        self.slow_leave(fd, so, Side::Rcv, is_plain(flags) && msg.rights_len == 0);
        result
    }

    /// Sends what never goes the fast way.
    #[cold]
    pub(super) fn slow_send(&self, fd: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.slow.sockargs(fd, msg.rights)?;
        let mut so = self.slow.solock_fd(fd)?;
        let result = self.slow.sosend(&mut so, msg);
        self.slow_leave(fd, so, Side::Snd, false);
        result
    }

    /// Locks the socket, as a call on a descriptor or as one that has waited for it. `None`, with
    /// nothing held: the fast path was opened for this thread while it waited for the lock.
    fn slow_enter(&self, fd: Fd, side: Side, waiter: Waiter<A>) -> Result<Option<Held<A>>, Errno> {
        let (place, so) = match waiter {
            Some(so) => (None, so),
            None => {
                let (place, so) = self.slow.fds.look(fd)?;
                F::window(Window::Lookup);
                (Some(place), so)
            }
        };
        // Open before, the path could not serve the call, or was opened just now: it is shut.
        let was_open = !F::omits(Step::OpenBefore) && gate::is_open_for(&so, side);
        let goes_back = || !was_open && !F::omits(Step::GoBack) && gate::is_open_for(&so, side);
        let Some(held) = self.slow.policy.solock_unless(&so, goes_back) else { return Ok(None) };
        let is_closed = place.is_some_and(|place| !place.is_open());
        if is_closed && !F::omits(Step::LookupRecheck) {
            self.slow.policy.sounlock(held);
            return Err(Errno::Ebadf);
        }
        let st = held.st();
        st.users.set(st.users.get() + 1);
        if waiter.is_some() {
            held.fast_side[side].waits.store(0, Relaxed);
        }
        Ok(Some(held))
    }

    /// Ends a call that took the locks; the gate may be opened for the next.
    fn slow_leave(&self, fd: Fd, so: Held<A>, side: Side, is_plain: bool) {
        let opens = note_user(&so, side, is_plain, self.slow.config.reopen_after_calls);
        self.slow.sounlock_fd(so);
        witness::fast_event(Self::SLOW_EVENTS[side]);
        if opens {
            self.reopen(fd, side);
        }
    }

    /// Opens the gate, if nothing speaks against it, and no other thread has meanwhile. Nothing is
    /// held before and after.
    fn reopen(&self, fd: Fd, side: Side) {
        if F::omits(Step::Reopen) {
            return;
        }
        let Ok(Some(mut so)) = self.slow_enter(fd, side, None) else { return };
        // This call stays the socket's user until nothing can unlock it any more: `solock_peer`
        // may.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::yield_now;

    use super::*;
    use crate::ambient::Nothing;
    use crate::backend::lock_free::LockFree;
    use crate::domain::{Config, Domain, SockType};
    use crate::witness::{awaits_wakeup, counters, is_waiting, thread_number};

    const NONE: MsgFlags = MsgFlags::empty();

    /// The gate opens, for the thread with this number, while that waits for the lock of one end;
    /// both ends are locked, and unlocked then.
    fn open_for(layer: &LockFree, (a, b): (Held<Nothing>, Held<Nothing>), number: u32) {
        while !is_waiting(number) || awaits_wakeup(number) {
            yield_now();
        }
        a.st().last_user[Side::Snd].set((number, 1));
        assert!(may_open(&a, &b) && may_open(&b, &a));
        gate::open(&a, &b);
        layer.slow.policy.sounlock_pair(a, b);
    }

    /// (fast sends, slow ones, fast receives, slow ones, gates shut) of a call.
    fn counted(call: impl FnOnce()) -> [u64; 5] {
        let before = counters();
        call();
        let c = counters().since(&before);
        [c.fast_sends, c.slow_sends, c.fast_receives, c.slow_receives, c.gate_closings]
    }

    #[test]
    fn a_call_that_waited_for_the_lock_goes_the_way_that_was_opened_meanwhile() {
        let layer = LockFree::new(&Config::default()).unwrap();
        let (fd, peer) = layer.socketpair(SockType::Stream).unwrap();
        let [so, so2] = [fd, peer].map(|fd| layer.slow.fds.find(fd).unwrap());
        let (tell, told) = channel();
        let pair = layer.slow.policy.solock_pair(&so, &so2);
        std::thread::scope(|threads| {
            let sender = threads.spawn(|| {
                tell.send(thread_number()).unwrap();
                counted(|| assert_eq!(layer.send(fd, b"x", NONE), Ok(1)))
            });
            open_for(&layer, pair, told.recv().unwrap());
            assert_eq!(sender.join().unwrap(), [1, 0, 0, 0, 0]);
        });
    }

    #[test]
    fn a_call_that_waited_for_bytes_does_so_too() {
        let layer = LockFree::new(&Config::default()).unwrap();
        let (fd, peer) = layer.socketpair(SockType::Stream).unwrap();
        let [so, so2] = [fd, peer].map(|fd| layer.slow.fds.find(fd).unwrap());
        let (tell, told) = channel();
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| {
                tell.send(thread_number()).unwrap();
                let mut data = [0; 9];
                counted(|| assert_eq!(layer.recv(peer, &mut data, NONE), Ok(1)))
            });
            let number = told.recv().unwrap();
            while !awaits_wakeup(number) {
                yield_now();
            }
            let pair = layer.slow.policy.solock_pair(&so, &so2);
            so2.rcv.put_stream(so2.rcv.tail(), b"x");
            so2.rcv_wait.wakeup(true);
            open_for(&layer, pair, number);
            assert_eq!(reader.join().unwrap(), [0, 0, 1, 0, 0]);
        });
    }

    #[test]
    fn what_an_open_gate_cannot_serve_shuts_it() {
        let layer = LockFree::new(&Config::default()).unwrap();
        let (fd, peer) = layer.socketpair(SockType::Stream).unwrap();
        // The first opens the gate.
        for fast in [0, 1] {
            let sent = counted(|| assert_eq!(layer.send(fd, b"x", NONE), Ok(1)));
            let got = counted(|| assert_eq!(layer.recv(peer, &mut [0; 9], NONE), Ok(1)));
            assert_eq!((sent[0], got[2]), (fast, fast));
        }
        let nothing = || layer.recv(peer, &mut [], MsgFlags::DONTWAIT);
        assert_eq!(counted(|| assert_eq!(nothing(), Ok(0))), [0, 0, 0, 1, 1]);
    }
}
