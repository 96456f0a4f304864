//! The gate of `lock-free`'s fast path: who may be on it, who shuts it, when it opens again.
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
//! * Open (with both locks, when no call is under way on either socket, nothing but data is queued,
//!   and nothing ended): name the owners of the four directions, set both gates to `OPEN`, unlock,
//!   touch nothing more.
//! * Go back (by a thread that found the gate shut, waited for the lock, has it, and finds the gate
//!   open for itself): unlock, and go the fast way.
//!
//! The fences are Dekker's: either the fast thread sees `CLOSING`, or the shutting one sees its
//! `in_use`. The light one costs nothing where membarrier(2) can make the heavy one fence for both
//! (see [`primitives`](crate::primitives)).
//!
//! # Why the fast path may read what the locks guard
//!
//! Whoever writes what the socket's lock guards holds it, and got it by way of [`shut`], which
//! waited for this thread. So while a thread is `in_use` and has seen `OPEN`, nothing of that of
//! the two sockets changes. It reads them; it writes only its own side of a ring. One owner per
//! direction makes that ring single-producer, single-consumer.
//!
//! # Going back
//!
//! Where threads wait for each other, one of them is queued for a lock while the other opens the
//! gate. If it shut the gate as soon as it had that lock, the gate would never stay open. Going
//! back breaks no rule: the thread has held the lock and not shut the gate, but it has touched
//! nothing that the lock guards, no token was made, and nobody relies on a lock being free.
//!
//! It does not go on for ever. A call that the fast path cannot serve finds the gate open there,
//! and so before it waits for the lock: then it shuts it. So each time a call goes back, another
//! thread has opened the gate since the call last looked, at the end of a call of its own: some
//! call always ends. That the same call finds the gate open each time and shut each time it gets
//! there is not ruled out; who shuts it must then make a call with the locks each time, too.
//!
//! # When it opens
//!
//! After the first plain call on a direction, and then after `reopen_after_calls` plain calls in a
//! row by one thread on one direction: a revocation costs about as much as that many locked calls,
//! so that a pair with many revocations is slower than `per-socket` by no more than half. A try
//! that finds a call under way on the peer is repeated after the next call; one that finds anything
//! else in the way waits for that many calls again.
//!
//! Checked by `lockimpls/models/loom`, `gate_*`: with one thread that shuts the gate or two, with
//! one that opens it again, and against close and shutdown, no `[s]` field is written under a
//! thread on the fast path, and the mirror is right; with both fences full. A call that goes back
//! ends, as does one that an open gate cannot serve.

use crate::domain::SockType;
use crate::objects::sockbuf::Fill;
use crate::objects::socket::{Held, Parts, Side, Socket, SocketLocks, State};
use crate::primitives::{Ordering, THREADS_MAX, heavy_fence, light_fence, spin_loop, yield_now};
use crate::witness::{self, FastEvent, WaitsFor};

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The fast path is closed; the sockets' locks rule. Fresh sockets are so.
const SHUT: u32 = 0;
/// Somebody shuts it and waits for the threads inside.
const CLOSING: u32 = 1;
/// The owners of the directions may use it.
const OPEN: u32 = 2;

/// Called with `so` just locked: shuts the fast path of `so` and its peer, and waits for the
/// threads on it.
#[inline(always)]
pub(crate) fn shut<L: SocketLocks>(so: &Held<L>) {
    // Acquire; pairs with the Release stores of SHUT below: the threads inside have left, the
    // snapshot is there.
    if so.fast.gate.load(Acquire) != SHUT {
        shut_slow(so);
    }
    if let Some(fill) = so.fast.snapshot.take() {
        so.so_snd().fill.set(fill);
    }
}

#[cold]
fn shut_slow<L: SocketLocks>(so: &Held<L>) {
    // The gate is not shut, so the pair is connected; it stays so, for parting needs this lock
    // too.
    let Some(so2) = so.peer() else { return };
    let is_lower = so.guard_addr() < so2.guard_addr();
    let (lower, higher): (&Socket<L>, &Socket<L>) = if is_lower { (so, &so2) } else { (&so2, so) };
    // AcqRel: of two that shut, one does it. Pairs with the Release of the opener.
    if lower.fast.gate.compare_exchange(OPEN, CLOSING, AcqRel, Acquire).is_err() {
        wait_until(so, || so.fast.gate.load(Acquire) == SHUT);
        return;
    }
    higher.fast.gate.store(CLOSING, Relaxed);
    // Pairs with the light fence in `enter`: whoever does not see CLOSING is seen in `in_use`.
    heavy_fence();
    let pair = (so.in_use_addr(), so2.in_use_addr());
    for thread in 1..=THREADS_MAX {
        wait_until(so, || !witness::is_on_fast_path(thread, pair));
    }
    snapshot(so, &so2);
    snapshot(&so2, so);
    witness::fast_event(FastEvent::GateClosing);
    // Release; pairs with the Acquire in `shut`.
    higher.fast.gate.store(SHUT, Release);
    lower.fast.gate.store(SHUT, Release);
}

/// What of `so` lies unread at its peer: the mirror of the locked path, for when `so` is next
/// locked.
fn snapshot<L: SocketLocks>(so: &Socket<L>, so2: &Socket<L>) {
    let kind = so.so_type.get();
    let fill = if kind == SockType::Dgram { Fill::default() } else { so2.rcv.fill(kind) };
    so.fast.snapshot.set(Some(fill));
}

/// Waits for a thread that is on its way out of the fast path: it takes no locks there and does
/// not sleep.
fn wait_until<L: SocketLocks>(so: &Socket<L>, is_out: impl Fn() -> bool) {
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
pub(crate) fn enter<L: SocketLocks>(so: &Socket<L>, side: Side, me: u32) -> bool {
    witness::enter_fast(me, so.in_use_addr());
    // Pairs with the heavy fence in `shut_slow`.
    light_fence();
    // Acquire; pairs with the Release in `open`: the owners and all that the locks guarded.
    so.fast.gate.load(Acquire) == OPEN && so.fast.owner[side].load(Relaxed) == me
}

/// Whether the fast path is open for this thread: a hint, for one that is not on it.
///
/// Relaxed, both: nothing is read or written on the strength of it. A thread that goes to the fast
/// path asks again, in [`enter`]. What it found there is not unseen here afterwards: of one word a
/// thread reads no older value than it has read.
pub(crate) fn is_open_for<L: SocketLocks>(so: &Socket<L>, side: Side) -> bool {
    let me = witness::thread_number();
    so.fast.gate.load(Relaxed) == OPEN && so.fast.owner[side].load(Relaxed) == me
}

/// Leaves the fast path.
#[inline(always)]
#[track_caller]
pub(crate) fn leave<L: SocketLocks>(so: &Socket<L>, me: u32) {
    witness::leave_fast(me, so.in_use_addr());
}

/// Opens the fast path. Both sockets are locked, and nothing they guard is touched after this.
pub(crate) fn open<L: SocketLocks>(so: &Held<L>, so2: &Held<L>) {
    for socket in [so, so2] {
        socket.fast.snapshot.set(None);
        count_anew(socket);
        for side in Side::BOTH {
            let (user, _) = socket.st().last_user[side].get();
            // A thread that waits on the fast path goes on with it: it stays the owner.
            if socket.fast_side[side].waits.load(Relaxed) == 0 && user != 0 {
                socket.fast.owner[side].store(user, Relaxed);
            }
        }
    }
    // Release; pairs with the Acquire in `enter`.
    so.fast.gate.store(OPEN, Release);
    so2.fast.gate.store(OPEN, Release);
}

/// Whether nothing at this end speaks against the fast path but calls under way. Both sockets are
/// locked.
///
/// Some looks refuse nothing that the others let pass, so no test can see them: a connect takes the
/// pending error, so that a connected socket has none; `locked` and CONNECTING belong to a call
/// under way; and what cannot receive any more has lost its low-water mark, or cannot send, or its
/// peer cannot.
pub(crate) fn may_open<L: SocketLocks>(so: &Held<L>, so2: &Socket<L>) -> bool {
    let Parts { st, so_snd, so_rcv } = so.parts();
    let is_pair = st.peer().is_some_and(|peer| std::ptr::eq(&*peer, so2));
    let has_ended = so_snd.cantsendmore() || so_rcv.cantrcvmore.get();
    let is_changing = st.so_state.get().intersects(State::CLOSING | State::CONNECTING);
    let is_alive = st.is(State::ISCONNECTED) && !has_ended && !is_changing;
    let is_quiet = st.so_error.get().is_none()
        && so_rcv.control.get().is_none()
        && !so_rcv.empty_first.get()
        && !so_snd.locked.get()
        && !so_rcv.locked.get()
        && so_rcv.lowat.get() == 1;
    let is_alone = so.so_type.get() != SockType::Dgram || st.unp_refs.len() == 1;
    if is_pair && is_alive && is_quiet && is_alone {
        so2.rcv.reserve(so.so_type.get(), so_snd.limits.get());
        return true;
    }
    false
}

/// Notes that this thread used a direction with the locks, in a way the fast path could have
/// served or not; whether to try to open the gate. The socket is locked.
pub(crate) fn note_user<L: SocketLocks>(
    so: &Held<L>,
    side: Side,
    is_plain: bool,
    reopen_after: u32,
) -> bool {
    let me = witness::thread_number();
    let cell = &so.st().last_user[side];
    if !is_plain {
        cell.set((me, 0));
        return false;
    }
    let (user, times) = cell.get();
    let times = if user == me { times.saturating_add(1) } else { 1 };
    cell.set((me, times));
    so.fast.owner[side].load(Relaxed) == 0 || times >= reopen_after
}

/// The next try to open the gate comes after that many calls again: where it cannot be opened soon,
/// and where it is open now. The socket is locked.
pub(crate) fn count_anew<L: SocketLocks>(so: &Held<L>) {
    for side in Side::BOTH {
        let last_user = &so.st().last_user[side];
        let (user, _) = last_user.get();
        last_user.set((user, 0));
    }
}
