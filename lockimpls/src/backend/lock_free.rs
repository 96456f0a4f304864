//! `lock-free`: sends and receives on a connected pair take no lock.
//!
//! Everything else (control messages, connect, shutdown, close, addressed datagrams, a second
//! thread on one end) takes `per-socket`'s code and its locks. The two meet in one rule: **taking a
//! `so_lock` shuts the fast path of that socket and of its peer first**, and only the holder of
//! both locks opens it again, as the last thing it does. It is a biased lock, in the manner of
//! BRAVO (Dice, Kogan, ATC 2019): the fast path is a lock held in advance by the one thread that
//! uses a direction, and taking the lock revokes it.
//!
//! # The gate
//!
//! Each socket has a word, `gate`: `OPEN`, `CLOSING` or `SHUT`. The pair's words change together;
//! the one at the lower address decides who shuts them. Each thread has a word, `in_use`: the
//! socket on whose fast path it is, or 0.
//!
//! * Fast: store `in_use`; light fence; load `gate`. If it is `OPEN` and this thread owns the
//!   direction, the pair stays as it is until `in_use` is 0 again: ring, limits, peer, flags. Else
//!   clear `in_use` and take the locks.
//! * Shut (by whoever has just taken one of the two locks): set both gates to `CLOSING`; heavy
//!   fence; wait until no thread has either socket in `in_use`; note what each direction holds (the
//!   locked path's mirror, `so_snd`); set both to `SHUT`. A second one that wants to shut waits for
//!   that.
//! * Open (with both locks, when nobody uses either socket, nothing but data is queued, and nothing
//!   ended): name the owners of the four directions, set both gates to `OPEN`, unlock, touch
//!   nothing more.
//!
//! The fences are Dekker's: either the fast thread sees `CLOSING`, or the shutting one sees its
//! `in_use`. The light one costs nothing where membarrier(2) can make the heavy one fence for both
//! (see [`primitives`](crate::primitives)).
//!
//! # Why the fast path may read what the locks guard
//!
//! Whoever writes a `[s]` field holds the socket's lock, and got it by way of `shut`, which waited
//! for this thread. So while a thread is `in_use` and has seen `OPEN`, no `[s]` field of the two
//! sockets changes. It reads them; it writes only its own side of a ring. One owner per direction
//! makes that ring single-producer, single-consumer.
//!
//! # Waiting
//!
//! A full or empty ring is answered on the fast path. A thread that must wait marks the direction
//! as awaited (which keeps the socket like a call under way), leaves `in_use`, spins, and at last
//! parks: it sets `waiting`, pays the heavy fence, looks once more, and parks unless a waker has
//! cleared `waiting`. The other side publishes, has a light fence, and loads `waiting`. Only who is
//! about to park pays. Afterwards it enters again; if the gate was shut meanwhile it goes on with
//! the locks.
//!
//! # When it opens
//!
//! When a direction is used for the first time, and then after [`REOPEN_AFTER`] plain calls in a
//! row by one thread on one direction: a revocation costs about as much as that many locked calls,
//! so that a pair with many revocations is slower than `per-socket` by no more than half.

use crossbeam_utils::CachePadded;

use super::per_socket::SocketPolicy;
use crate::descriptors::Fd;
use crate::domain::{
    Config, Domain, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt, SockType,
};
use crate::errno::Errno;
use crate::fault::{Fault, NoFault, Step};
use crate::policy::Policy;
use crate::primitives::{
    AtomicUsize, Ordering, heavy_fence, light_fence, park, spin_loop, yield_now,
};
use crate::sockbuf::{Fill, sa_len};
use crate::socket::{RCV, SND, SoState, SockRef, Socket, State, WaitPoint};
use crate::uipc::Locked;
use crate::uipc::wait::spin;
use crate::witness::{self, Class, FastEvent, THREADS_MAX, WaitsFor};

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// No lock on the way of a plain message.
pub(crate) type LockFree = LockFreeLayer<NoFault>;

/// Calls in a row by one thread that open a gate again.
const REOPEN_AFTER: u32 = 128;

/// The fast path is closed; the sockets' locks rule. Fresh sockets are so.
const SHUT: u32 = 0;
/// Somebody shuts it and waits for the threads inside.
const CLOSING: u32 = 1;
/// The owners of the directions may use it.
const OPEN: u32 = 2;

/// Which thread is on which socket's fast path.
pub(crate) struct Gates {
    /// By thread number: the address of the socket, or 0. Written by that thread alone.
    in_use: Box<[CachePadded<AtomicUsize>]>,
}

impl Gates {
    pub(crate) fn new(is_needed: bool) -> Self {
        let threads = if is_needed { THREADS_MAX + 1 } else { 0 };
        Self { in_use: (0..threads).map(|_| CachePadded::new(AtomicUsize::new(0))).collect() }
    }

    /// Called with `so` just locked: shuts the fast path of `so` and its peer, and waits for who is
    /// on it.
    #[inline(always)]
    pub(crate) fn shut(&self, so: &Socket) {
        // Acquire; pairs with the Release stores of SHUT below: the threads inside have left, the
        // snapshot is there.
        if so.fast.gate.load(Acquire) != SHUT {
            self.shut_slow(so);
        }
        if let Some(fill) = so.fast.snapshot.take() {
            so.st().so_snd.fill.set(fill);
        }
    }

    #[cold]
    fn shut_slow(&self, so: &Socket) {
        // The gate is not shut, so the pair is connected; it stays so, for parting needs this lock
        // too.
        let Some(so2) = so.st().unp_conn.get() else { return };
        let is_lower = so.so_lock.addr() < so2.so_lock.addr();
        let (lower, higher): (&Socket, &Socket) = if is_lower { (so, &so2) } else { (&so2, so) };
        // AcqRel: of two who shut, one does it. Pairs with the Release of the opener.
        if lower.fast.gate.compare_exchange(OPEN, CLOSING, AcqRel, Acquire).is_err() {
            Self::wait_until(so, || so.fast.gate.load(Acquire) == SHUT);
            return;
        }
        higher.fast.gate.store(CLOSING, Relaxed);
        // Pairs with the light fence in `enter`: who does not see CLOSING is seen in `in_use`.
        heavy_fence();
        let (a, b) = (so.in_use_addr(), so2.in_use_addr());
        for thread in &self.in_use {
            // Acquire; pairs with the Release in `leave`: what the thread did to the rings is
            // visible.
            let is_out = || {
                let on = thread.load(Acquire);
                on != a && on != b
            };
            Self::wait_until(so, is_out);
        }
        Self::snapshot(so, &so2);
        Self::snapshot(&so2, so);
        witness::fast_event(FastEvent::GateClosing);
        // Release; pairs with the Acquire in `shut`.
        higher.fast.gate.store(SHUT, Release);
        lower.fast.gate.store(SHUT, Release);
    }

    /// What of `so` lies unread at its peer: the mirror of the locked path, for when `so` is next
    /// locked.
    fn snapshot(so: &Socket, so2: &Socket) {
        let kind = so.so_type.get();
        let fill = if kind == SockType::Dgram { Fill::default() } else { so2.rcv.fill(kind) };
        so.fast.snapshot.set(Some(fill));
    }

    /// Waits for a thread that is on its way out of the fast path: it takes no locks there and does
    /// not sleep.
    fn wait_until(so: &Socket, is_out: impl Fn() -> bool) {
        if is_out() {
            return;
        }
        witness::sleep(so.in_use_addr(), WaitsFor::Gate, 0);
        let mut looks = 0_u32;
        while !is_out() {
            spin_loop();
            looks += 1;
            if looks.is_multiple_of(64) {
                yield_now();
            }
        }
        witness::awake();
    }

    /// Enters the fast path: whether the pair is this thread's now. If not, the caller leaves at
    /// once.
    #[inline(always)]
    #[track_caller]
    fn enter(&self, so: &Socket, which: usize, me: u32) -> bool {
        self.in_use[me as usize].store(so.in_use_addr(), Relaxed);
        witness::lock(so.in_use_addr(), Class::InUse);
        // Pairs with the heavy fence in `shut_slow`.
        light_fence();
        // Acquire; pairs with the Release in `open`: the owners and all that the locks guarded.
        so.fast.gate.load(Acquire) == OPEN && so.fast.owner[which].load(Relaxed) == me
    }

    /// Leaves the fast path.
    #[inline(always)]
    #[track_caller]
    fn leave<F: Fault>(&self, so: &Socket, me: u32) {
        if F::omits(Step::InUse) {
            return;
        }
        witness::unlock(so.in_use_addr(), Class::InUse);
        // Release; pairs with the Acquire in `shut_slow`.
        self.in_use[me as usize].store(0, Release);
    }

    /// Opens the fast path. Both sockets are locked, and nothing they guard is touched after this.
    fn open(so: &Socket, so2: &Socket) {
        for socket in [so, so2] {
            socket.fast.snapshot.set(None);
            for which in [SND, RCV] {
                let (user, _) = socket.st().last_user[which].get();
                if socket.fast_side[which].waits.load(Relaxed) == 0 && user != 0 {
                    socket.fast.owner[which].store(user, Relaxed);
                }
            }
        }
        // Release; pairs with the Acquire in `enter`.
        so.fast.gate.store(OPEN, Release);
        so2.fast.gate.store(OPEN, Release);
    }
}

/// How a try on the fast path ended.
enum Try<T> {
    Done(Result<T, Errno>),
    /// The ring is full or empty, and the caller may wait: until this is no longer what the other
    /// side's index reads.
    Wait(usize),
    /// The locks must be taken.
    Slow,
}

/// The layer: `per-socket`'s, with a fast path before it.
pub(crate) struct LockFreeLayer<F: Fault> {
    slow: Locked<SocketPolicy<F, true>>,
}

impl<F: Fault> LockFreeLayer<F> {
    fn gates(&self) -> &Gates {
        &self.slow.policy.gates
    }

    /// Sends on the fast path as far as it goes. `rest` is what is left to send.
    #[inline(always)]
    fn fast_send(&self, fd: Fd, rest: &mut &[u8], flags: MsgFlags) -> Result<(), Slow> {
        let so = self.slow.fds.find(fd).map_err(|_| Slow::Fresh)?;
        let me = witness::thread_number();
        if so.fast.owner[SND].load(Relaxed) != me {
            return Err(Slow::Fresh);
        }
        let mut has_waited = false;
        loop {
            let is_mine = self.gates().enter(&so, SND, me); // control: in use
            let attempt = if is_mine && (has_waited || self.slow.fds.is_open(fd)) {
                Self::put(&so, rest, flags)
            } else {
                Try::Slow
            };
            match self.after_try(&so, SND, me, &mut has_waited, attempt) {
                Ok(Some(result)) => {
                    witness::fast_event(FastEvent::FastSend);
                    return result.map_err(Slow::Refused);
                }
                Ok(None) => {}
                Err(slow) => return Err(slow),
            }
        }
    }

    /// Receives on the fast path.
    #[inline(always)]
    fn fast_receive(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        flags: MsgFlags,
    ) -> Result<usize, Slow> {
        let so = self.slow.fds.find(fd).map_err(|_| Slow::Fresh)?;
        let me = witness::thread_number();
        if so.fast.owner[RCV].load(Relaxed) != me {
            return Err(Slow::Fresh);
        }
        let mut has_waited = false;
        loop {
            let is_mine = self.gates().enter(&so, RCV, me);
            let attempt = if is_mine && (has_waited || self.slow.fds.is_open(fd)) {
                Self::get(&so, msg, flags)
            } else {
                Try::Slow
            };
            match self.after_try(&so, RCV, me, &mut has_waited, attempt) {
                Ok(Some(result)) => {
                    witness::fast_event(FastEvent::FastReceive);
                    return result.map_err(Slow::Refused);
                }
                Ok(None) => {}
                Err(slow) => return Err(slow),
            }
        }
    }

    /// Leaves the fast path after a try, and waits if the try says so: `Ok(None)` is "try again".
    #[inline(always)]
    fn after_try<T>(
        &self,
        so: &Socket,
        which: usize,
        me: u32,
        has_waited: &mut bool,
        attempt: Try<T>,
    ) -> Result<Option<Result<T, Errno>>, Slow> {
        match attempt {
            Try::Done(result) => {
                if *has_waited {
                    // Relaxed: the Release in `leave` publishes it.
                    so.fast_side[which].waits.store(0, Relaxed);
                }
                self.gates().leave::<F>(so, me);
                Ok(Some(result))
            }
            Try::Slow => {
                self.gates().leave::<F>(so, me);
                Err(if *has_waited { Slow::Waited(SockRef::new(so)) } else { Slow::Fresh })
            }
            Try::Wait(seen) => {
                so.fast_side[which].waits.store(1, Relaxed);
                *has_waited = true;
                self.wait(so, which, me, seen);
                Ok(None)
            }
        }
    }

    /// Leaves the fast path and waits until the other side moves, or something happens to the
    /// socket.
    #[cold]
    fn wait(&self, so: &Socket, which: usize, me: u32, seen: usize) {
        let point: &WaitPoint = if which == SND { &so.snd_wait } else { &so.rcv_wait };
        let event = point.event.load(Relaxed);
        let ring = match (which, so.st_fast(so).unp_conn.get()) {
            (SND, Some(so2)) => so2,
            _ => SockRef::new(so),
        };
        self.gates().leave::<F>(so, me);
        let index = || if which == SND { ring.rcv.head_hint() } else { ring.rcv.tail_hint() };
        let is_ready = || {
            index() != seen
                || point.event.load(Relaxed) != event
                || so.fast.gate.load(Relaxed) != OPEN
        };
        witness::sleep(point.key(), WaitsFor::Wakeup, 0);
        if !spin(self.slow.config.wait, is_ready) {
            point.waiting.store(1, Relaxed);
            // Pairs with the light fences of those who publish and then load `waiting`.
            heavy_fence();
            if !is_ready() {
                // Acquire; pairs with the AcqRel of the waker that cleared it.
                park(point.key(), || point.waiting.load(Acquire) != 0, || {});
            }
        }
        witness::awake();
    }

    /// Puts as much of `rest` as there is room for. The thread is `in_use` of `so`.
    #[inline(always)]
    fn put(so: &Socket, rest: &mut &[u8], flags: MsgFlags) -> Try<()> {
        let st = so.st_fast(so);
        let Some(so2) = st.unp_conn.get() else { return Try::Slow };
        let attempt = match so.so_type.get() {
            SockType::Stream => Self::put_stream(st, &so2, rest),
            SockType::Seqpacket => Self::put_record(st, &so2, rest),
            SockType::Dgram => return Self::put_dgram(so, &so2, rest),
        };
        match attempt {
            Try::Wait(_) if flags.contains(MsgFlags::DONTWAIT) || st.is(State::NONBLOCK) => {
                Try::Done(Err(Errno::Ewouldblock))
            }
            attempt => attempt,
        }
    }

    /// As `sosend` does: all of it, or, when it may not go whole, what fits if that is at least
    /// `lowat`.
    #[inline(always)]
    fn put_stream(st: &SoState, so2: &Socket, rest: &mut &[u8]) -> Try<()> {
        let side = &st.so_snd;
        loop {
            let room =
                so2.rcv.stream_room(side.limits.get().hiwat, rest.len()).max(0).unsigned_abs();
            if room < rest.len() && (room == 0 || room < side.lowat.get()) {
                return Try::Wait(so2.rcv.seen_head());
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            if !now.is_empty() {
                so2.rcv.put_stream(so2.rcv.tail(), now);
                published(&so2.rcv_wait);
            }
            *rest = later;
            if later.is_empty() {
                return Try::Done(Ok(()));
            }
        }
    }

    #[inline(always)]
    fn put_record(st: &SoState, so2: &Socket, rest: &mut &[u8]) -> Try<()> {
        let limits = st.so_snd.limits.get();
        if rest.len() > limits.hiwat {
            return Try::Done(Err(Errno::Emsgsize));
        }
        if limits.space(so2.rcv.record_fill_seen()) < rest.len() as isize
            && limits.space(so2.rcv.record_fill_fresh()) < rest.len() as isize
        {
            return Try::Wait(so2.rcv.seen_head());
        }
        so2.rcv.put_record(so2.rcv.tail(), None, rest, false);
        published(&so2.rcv_wait);
        *rest = &[];
        Try::Done(Ok(()))
    }

    /// A datagram that finds no room is refused at once.
    #[inline(always)]
    fn put_dgram(so: &Socket, so2: &Socket, rest: &mut &[u8]) -> Try<()> {
        let st = so.st_fast(so);
        if rest.len() > st.so_snd.limits.get().hiwat {
            return Try::Done(Err(Errno::Emsgsize));
        }
        let from = st.unp_addr.get().unwrap_or(SockAddr::UNNAMED);
        let limits = so.st_fast(so2).so_rcv.limits.get();
        let bytes = (sa_len(&from) + rest.len()) as isize;
        if limits.space(so2.rcv.record_fill_seen()) < bytes
            && limits.space(so2.rcv.record_fill_fresh()) < bytes
        {
            return Try::Done(Err(Errno::Enobufs));
        }
        so2.rcv.put_record(so2.rcv.tail(), Some(&from), rest, false);
        published(&so2.rcv_wait);
        *rest = &[];
        Try::Done(Ok(()))
    }

    /// Takes what there is. The thread is `in_use` of `so`.
    #[inline(always)]
    fn get(so: &Socket, msg: &mut RecvMsg<'_, Fd>, flags: MsgFlags) -> Try<usize> {
        let st = so.st_fast(so);
        let taken = if so.so_type.get() == SockType::Stream {
            Self::get_stream(so, st, msg)
        } else {
            Self::get_record(so, st, msg)
        };
        if let Some(bytes) = taken {
            return Try::Done(Ok(bytes));
        }
        if msg.data.is_empty() {
            return Try::Done(Ok(0));
        }
        if flags.contains(MsgFlags::DONTWAIT) || st.is(State::NONBLOCK) {
            return Try::Done(Err(Errno::Ewouldblock));
        }
        Try::Wait(so.rcv.head())
    }

    #[inline(always)]
    fn get_stream(so: &Socket, st: &SoState, msg: &mut RecvMsg<'_, Fd>) -> Option<usize> {
        let readable = so.rcv.stream_readable(msg.data.len().max(1));
        if readable == 0 {
            return None;
        }
        let bytes = readable.min(msg.data.len());
        so.rcv.stream_copy(&mut msg.data[..bytes]);
        so.rcv.stream_consume(bytes);
        Self::consumed(st);
        Some(bytes)
    }

    #[inline(always)]
    fn get_record(so: &Socket, st: &SoState, msg: &mut RecvMsg<'_, Fd>) -> Option<usize> {
        let record = so.rcv.front()?;
        let bytes = record.len.min(msg.data.len());
        so.rcv.record_copy(record, &mut msg.data[..bytes]);
        if bytes < record.len {
            msg.flags |= MsgFlags::TRUNC;
        }
        if so.so_type.get() == SockType::Dgram {
            msg.from = so.rcv.record_from(record);
        }
        so.rcv.record_consume(record);
        Self::consumed(st);
        Some(bytes)
    }

    /// Wakes a sender that waits for the room just made.
    #[inline(always)]
    fn consumed(st: &SoState) {
        if let Some(so2) = st.unp_conn.get() {
            published(&so2.snd_wait);
        }
    }

    /// Sends with the locks. `waiter` is the socket, where the thread has waited for it already.
    #[cold]
    fn slow_send(
        &self,
        fd: Fd,
        msg: &SendMsg<'_, Fd>,
        waiter: Option<SockRef>,
    ) -> Result<usize, Errno> {
        let so = self.slow_enter(fd, SND, waiter)?;
        let result = self.slow.sosend(&so, msg);
        let is_plain = msg.rights.is_empty() && msg.to.is_none();
        let opens = Self::note_user(&so, SND, is_plain);
        self.slow.sounlock_fd(&so, Step::SendDone);
        witness::fast_event(FastEvent::SlowSend);
        if opens {
            self.reopen(fd);
        }
        result
    }

    #[cold]
    fn slow_receive(
        &self,
        fd: Fd,
        msg: &mut RecvMsg<'_, Fd>,
        waiter: Option<SockRef>,
    ) -> Result<usize, Errno> {
        let so = self.slow_enter(fd, RCV, waiter)?;
        let is_plain = (msg.flags - MsgFlags::DONTWAIT).is_empty();
        let result = self.slow.soreceive(&so, msg);
        let opens = Self::note_user(&so, RCV, is_plain && msg.rights_len == 0);
        self.slow.sounlock_fd(&so, Step::ReceiveDone);
        witness::fast_event(FastEvent::SlowReceive);
        if opens {
            self.reopen(fd);
        }
        result
    }

    /// Locks the socket, as a call on a descriptor or as one that has waited on the fast path.
    fn slow_enter(&self, fd: Fd, which: usize, waiter: Option<SockRef>) -> Result<SockRef, Errno> {
        let Some(so) = waiter else { return self.slow.solock_fd(fd) };
        self.slow.policy.solock(&so);
        let st = so.st();
        st.users.set(st.users.get() + 1);
        so.fast_side[which].waits.store(0, Relaxed);
        Ok(so)
    }

    /// Notes who uses a direction with the locks; whether the gate should be opened. The socket is
    /// locked.
    fn note_user(so: &Socket, which: usize, is_plain: bool) -> bool {
        let me = witness::thread_number();
        let cell = &so.st().last_user[which];
        if !is_plain {
            cell.set((me, 0));
            return false;
        }
        let (user, times) = cell.get();
        let times = if user == me { times + 1 } else { 1 };
        cell.set((me, times));
        so.fast.owner[which].load(Relaxed) == 0 || times.is_multiple_of(REOPEN_AFTER)
    }

    /// Opens the gate, if nothing speaks against it. Nothing is held before and after.
    fn reopen(&self, fd: Fd) {
        if F::omits(Step::Reopen) {
            return;
        }
        let Ok(so) = self.slow.solock_fd(fd) else { return };
        // This call stays the socket's user until nothing can unlock it any more: `solock_peer` may.
        if let Some(so2) = self.slow.policy.solock_peer(&so) {
            let st = so.st();
            let is_only_user = st.users.get() == 1 && so2.st().users.get() == 0;
            let is_pair = !std::ptr::eq(&*so, &*so2);
            if is_pair && is_only_user && may_open(&so, &so2) && may_open(&so2, &so) {
                st.users.set(0);
                Gates::open(&so, &so2);
                self.slow.policy.sounlock_peer(&so, &so2, Step::ReopenPeer);
                self.slow.policy.sounlock(&so, Step::ReopenOwn);
                return;
            }
            self.slow.policy.sounlock_peer(&so, &so2, Step::ReopenRefusedPeer);
        }
        self.slow.sounlock_fd(&so, Step::ReopenRefused);
    }
}

/// Why the fast path did not do it.
enum Slow {
    /// It cannot serve this call: take the locks.
    Fresh,
    /// The thread has waited on it, and it was shut meanwhile: go on with the locks, on this
    /// socket.
    Waited(SockRef),
    /// It did: the answer is this error.
    Refused(Errno),
}

/// Something was published that a thread at this point may wait for.
#[inline(always)]
fn published(point: &WaitPoint) {
    // Pairs with the heavy fence in `wait`: either the parker sees what was published, or `waiting`
    // is seen here.
    light_fence();
    if point.waiting.load(Relaxed) != 0 {
        point.wakeup_slow();
    }
}

/// Whether nothing at this end speaks against the fast path. Both sockets are locked.
fn may_open(so: &Socket, so2: &Socket) -> bool {
    let st = so.st();
    let is_pair = st.unp_conn.get().is_some_and(|peer| std::ptr::eq(&*peer, so2));
    let ended = State::CANTSENDMORE | State::CANTRCVMORE | State::CLOSING | State::CONNECTING;
    let is_alive = st.is(State::ISCONNECTED) && !st.so_state.get().intersects(ended);
    let is_quiet = st.so_error.get().is_none()
        && st.control.get().is_none()
        && !st.so_snd.locked.get()
        && !st.so_rcv.locked.get()
        && st.so_rcv.lowat.get() == 1;
    let is_alone = so.so_type.get() != SockType::Dgram || st.unp_refs.len() == 1;
    if is_pair && is_alive && is_quiet && is_alone {
        so2.rcv.reserve(so.so_type.get(), st.so_snd.limits.get());
        return true;
    }
    false
}

impl<F: Fault> Domain for LockFreeLayer<F> {
    type Sock = Fd;

    const NAME: &'static str = <SocketPolicy<F, true> as Policy>::NAME;
    const ABOUT: &'static str =
        "no lock for data on a connected pair; a so_lock per socket for the rest";
    const MODELLED: bool = true;

    fn new(config: &Config) -> Result<Self, Errno> {
        Ok(Self { slow: Locked::new(config)? })
    }

    #[inline(always)]
    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        let msg = SendMsg { to: None, data, rights: &[], flags };
        if !(flags - MsgFlags::DONTWAIT).is_empty() {
            return self.slow_send(s, &msg, None);
        }
        let mut rest = data;
        let slow = match self.fast_send(s, &mut rest, flags) {
            Ok(()) => return Ok(data.len()),
            Err(Slow::Refused(Errno::Ewouldblock)) if rest.len() < data.len() => {
                return Ok(data.len() - rest.len());
            }
            Err(Slow::Refused(errno)) => return Err(errno),
            Err(slow) => slow,
        };
        let waiter = if let Slow::Waited(so) = slow { Some(so) } else { None };
        let sent = data.len() - rest.len();
        let result = self.slow_send(s, &SendMsg { data: rest, ..msg }, waiter);
        match result {
            Ok(more) => Ok(sent + more),
            Err(Errno::Ewouldblock) if sent > 0 => Ok(sent),
            Err(errno) => Err(errno),
        }
    }

    #[inline(always)]
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        if msg.rights.is_empty() && msg.to.is_none() {
            return self.send(s, msg.data, msg.flags);
        }
        self.slow_send(s, msg, None)
    }

    #[inline(always)]
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        let flags = msg.flags;
        if !(flags - MsgFlags::DONTWAIT).is_empty() {
            return self.slow_receive(s, msg, None);
        }
        msg.flags = MsgFlags::empty();
        msg.rights_len = 0;
        let waiter = match self.fast_receive(s, msg, flags) {
            Ok(bytes) => return Ok(bytes),
            Err(Slow::Refused(errno)) => return Err(errno),
            Err(Slow::Waited(so)) => Some(so),
            Err(Slow::Fresh) => None,
        };
        msg.flags = flags;
        self.slow_receive(s, msg, waiter)
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
