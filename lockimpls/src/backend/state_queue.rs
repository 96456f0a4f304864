//! `state-queue`: a lock for the state of each socket, one for its queue; a sender locks its peer
//! alone.
//!
//! After Linux 6.12.95: `net/unix/af_unix.c` (`unix` below), `net/core/sock.c` (`sock`).
//!
//! # What each lock guards
//!
//! * *state* (`unix_state_lock`): the socket itself. And, of a socket that receives: nobody puts
//!   anything into its queue, or ends it, without this lock.
//! * *queue* (`sk_receive_queue.lock`): the receive side; within the state.
//! * *iolock*: receiving from the socket. One reader at a time; it may copy, and sleep for a lock,
//!   with it held. It is `sblock` of the receive side.
//!
//! The send side has no lock that a send takes. Its limits, its end, what of it lies unread at the
//! peer, and which socket that is, are words that anybody may read (`SendWords`): `sk_sndbuf`,
//! `sk_shutdown`, `sk_wmem_alloc`, `unix_peer(sk)` of the kernel. A call has a reference on the
//! file and locks nothing to begin.
//!
//! # A message's way
//!
//! A send looks for room in its words, copies, locks its peer's state, looks again, and appends
//! with the peer's queue locked (`unix` 2287 to 2357). If there is no room it sleeps with nothing
//! held: it has read how many wake-ups there were before it looked, and goes to sleep only if there
//! was none since (`sock_wait_for_wmem`, `sock` 2872). Of its own socket it locks nothing; but a
//! record's sender reads the peer, and its own name, with its own state locked, and unlocks that
//! first (`unix` 308, 2081).
//!
//! A stream's receive looks with the own state locked, without which nobody appends; copies with
//! the iolock alone; takes off what it has read, and gives the room back, with the queue locked
//! (`unix` 2819, 2906, 2929). That is a word of the sender; its state is not locked (`sock` 2618).
//! A receive of records looks with the queue locked.
//!
//! # The peer
//!
//! The link of two sockets is made and cut with both states locked, so that either keeps it. A send
//! reads the word, locks the state of the socket that it says, and looks at the word again: where
//! it says another one, or none, by then, it unlocks and begins again. What was locked may be any
//! socket of the layer by then, or none that is in use: whoever locked it looks at its own word,
//! touches nothing, and waits for nothing meanwhile. Memory is never given back, so it is a lock.
//!
//! * *The end.* A shutdown first tells its own socket, with its state locked, and then the peer,
//!   with that one's (`unix` 3056, 3076). A send looks at the word with the peer locked: if it is
//!   there before the shutdown, its bytes are before the end of the stream; if after, it sees the
//!   word.
//! * *No peer.* Words may be seen half way through a parting: the peer gone, the end not there yet.
//!   Before a send says that there is no peer it locks its own socket and looks again, so that it
//!   is EPIPE where a peer has parted (`unix` 2096 has that lock, too, to part).
//! * *The account.* A receive finds the writer with its own queue locked. Whoever parts the two
//!   comes to both queues before it lets go of the states, so that the writer is not another's
//!   place yet.
//!
//! # Two states
//!
//! A listener, then a client, whatever the addresses, then the embryo, which nobody else has
//! (`unix` 1605, 1643): a socket that connects may not begin to listen, and one that listens may
//! not connect, so there is no circle. Else the lower address first, with nothing held before
//! (`unix` 1410): to connect datagram sockets, to part, to ask for a name.
//!
//! # Different from the kernel
//!
//! * The answers are OpenBSD's, as on every backend. A datagram that finds no room is ENOBUFS at
//!   once, and no sender waits at its destination; one with an address connects for as long as it
//!   lasts, with its own state locked, where the kernel locks the destination alone.
//! * **Two writers of one socket.** In OpenBSD a send has a lock of the send side until it sleeps;
//!   here is none, as on Linux. So where it does not fit at once another's bytes may come between
//!   its parts, also if it did not sleep between them; a send that may not wait never finds another
//!   one sending, which is EWOULDBLOCK there; and two that see the same room may both use it: the
//!   buffer is fuller than its limit by one's message.
//! * Two sockets part with both states locked; Linux has one after the other, and each looks
//!   whether the other is `SOCK_DEAD` (`unix` 686, 714). It has a reference for each pointer to a
//!   peer.
//! * The queues of a listener are under its state. In the kernel they are its receive queue: accept
//!   locks that, and then what it accepted (`unix` 1776, 1790).
//! * A record lies in a ring, and is not a buffer that is taken off the queue before it is copied:
//!   its receive locks the queue twice.
//! * Whoever gives room back wakes the writer with the queue locked.
//! * The collector is OpenBSD's of 2025, as on `per-buffer`: its lock comes after a state and
//!   before a queue, as `unix_gc_lock` does.
//! * State and queue are spin locks, the iolock is a mutex. Here all are of one algorithm, but for
//!   the iolock, which is always of the default: a thread copies with it.

mod locks;

use self::locks::StateLocks;
use crate::ambient::{Nothing, Surroundings};
use crate::backend::per_socket::{OnTake, SocketPolicy};
use crate::domain::Algorithm;
use crate::fault::{Fault, NoFault, Step, Window};
use crate::objects::socket::{RefCount, Side};
use crate::policy::{Collector, CollectorLocks, Held, Policy, So};
use crate::primitives::RawMutex;
use crate::uipc::Locked;
use crate::witness::{self, Class, Edge};

/// A state and a queue per socket.
pub(crate) type StateQueue = Locked<QueuePolicy<NoFault>>;

/// What is done with two states by address is `per-socket`'s.
pub(crate) struct WithQueue;

impl OnTake for WithQueue {
    type Locks<R: RawMutex> = StateLocks<R>;
    type Beside<R: RawMutex> = ();

    const NAME: &'static str = "state-queue";
}

/// The policy of `state-queue`.
pub(crate) struct QueuePolicy<F, A: Surroundings = Nothing> {
    so: SocketPolicy<F, WithQueue, A>,
}

impl<F: Fault, A: Surroundings> Policy for QueuePolicy<F, A> {
    type Fault = F;
    type Ambient = A;
    type Locks = StateLocks<A::Raw>;
    type Collector = CollectorLocks<StateLocks<A::Raw>, A::Raw>;
    type With<G: Fault, B: Surroundings> = QueuePolicy<G, B>;
    const NAME: &'static str = <SocketPolicy<F, WithQueue, A> as Policy>::NAME;
    const ABOUT: &'static str =
        "a lock per socket and one per queue, none of the sender's (Linux 6.12, af_unix.c)";
    const IS_USUAL: bool = false;
    const BIASED: bool = false;
    const GC_INNER: bool = true;
    const SORELE: bool = true;
    const CALLS_BY_FILE: bool = true;
    const SB_LOCK: bool = true;
    const SENDS_UNLOCKED: bool = true;

    fn new(algorithm: Algorithm) -> Self {
        Self { so: SocketPolicy::new(algorithm) }
    }

    fn collector(&self) -> &CollectorLocks<StateLocks<A::Raw>, A::Raw> {
        self.so.collector()
    }

    fn socket_locks(&self, algorithm: Algorithm) -> StateLocks<A::Raw> {
        self.so.socket_locks(algorithm)
    }

    #[inline(always)]
    fn so_enter(&self, so: &mut Held<Self>) {
        self.so.so_enter(so);
    }

    #[inline(always)]
    fn so_leave(&self, so: &mut Held<Self>) {
        self.so.so_leave(so);
    }

    fn solock_peer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so.solock_peer(so)
    }

    fn sounlock_peer(&self, so: &So<Self>, so2: Held<Self>) {
        self.so.sounlock_peer(so, so2);
    }

    #[inline(always)]
    fn data_enter(&self, _so: &mut Held<Self>) {}

    #[inline(always)]
    fn data_leave(&self, _so: &mut Held<Self>) {}

    #[inline(always)]
    fn data_to_so(&self, so: &mut Held<Self>) {
        self.so_enter(so);
    }

    #[inline(always)]
    fn so_to_data(&self, so: &mut Held<Self>) {
        self.so_leave(so);
    }

    /// A side for what is rare: its limits. A look at the receive side has the state, so whoever
    /// exchanges its memory needs both.
    fn side_lock(&self, so: &So<Self>, side: Side) -> Held<Self> {
        let mut so = Held::<Self>::of(so);
        self.so_enter(&mut so);
        self.side_enter(&so, side);
        so
    }

    fn side_unlock(&self, mut so: Held<Self>, side: Side) {
        self.side_leave(&mut so, side);
        self.so_leave(&mut so);
    }

    #[inline(always)]
    fn side_enter(&self, so: &Held<Self>, side: Side) {
        if side == Side::Rcv {
            so.locks.queue.enter();
        }
    }

    /// A receive may stand at the queue, or before it.
    #[inline(always)]
    fn side_leave(&self, so: &mut Held<Self>, side: Side) {
        match side {
            Side::Snd => {}
            Side::Rcv if so.locks.queue.is_mine() => so.locks.queue.exit(),
            Side::Rcv => self.so_leave(so),
        }
    }

    #[inline(always)]
    fn look_enter(&self, so: &Held<Self>) {
        if so.is_atomic() {
            so.locks.queue.enter();
        } else {
            so.locks.state.enter();
        }
    }

    #[inline(always)]
    fn look_to_side(&self, so: &mut Held<Self>) {
        if !so.is_atomic() {
            so.locks.state.exit();
            so.locks.queue.enter();
        }
    }

    #[inline(always)]
    fn peer_pin(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        loop {
            let place = so.locks.words.peer()?;
            F::window(Window::PeerRead);
            let mut so2 = Held::<Self>::of(&place);
            self.so_enter(&mut so2);
            if so.locks.words.peer() == Some(place) || F::omits(Step::PeerLookAgain) {
                return Some(so2);
            }
            witness::retried(Class::SoLock);
            self.so_leave(&mut so2);
        }
    }

    #[inline(always)]
    fn peer_unpin(&self, _so: &So<Self>, mut so2: Held<Self>) {
        self.so_leave(&mut so2);
    }

    /// Of sending there is no right: two writers may send at once.
    #[inline(always)]
    fn sb_lock(&self, so: &So<Self>, side: Side, nonblock: bool) -> bool {
        let lock = &so.locks.iolock;
        match side {
            Side::Snd => return true,
            Side::Rcv if F::omits(Step::ReaderAlone) => return true,
            Side::Rcv if nonblock => return lock.try_enter(),
            Side::Rcv => lock.enter(),
        }
        true
    }

    #[inline(always)]
    fn sb_unlock(&self, so: &So<Self>, side: Side) {
        if side == Side::Rcv && !F::omits(Step::ReaderAlone) {
            so.locks.iolock.exit();
        }
    }

    fn solock_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.so.solock_pair(so, so2)
    }

    fn sounlock_pair(&self, so: Held<Self>, so2: Held<Self>) {
        self.so.sounlock_pair(so, so2);
    }

    fn name_enter(&self, _so: &So<Self>) {}

    fn name_leave(&self, _so: &So<Self>) {}

    fn name_to_head(&self, so: &So<Self>, head: &So<Self>) -> Held<Self> {
        self.so.name_to_head(so, head)
    }

    fn name_to_pair(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        self.so.name_to_pair(so, so2)
    }

    /// The listener stays locked, until its embryo is ready.
    fn head_to_pair(
        &self,
        head: Held<Self>,
        so: &So<Self>,
        so3: &So<Self>,
    ) -> (Held<Self>, Held<Self>) {
        let (place, client) = (head.locks.state.addr(), so.locks.state.addr());
        if F::omits(Step::ListenerFirst) {
            head.locks.state.exit();
            so.locks.state.enter();
            head.locks.state.enter();
        } else {
            so.locks.state.enter_edge(Edge::Embryo { head: place, client: 0 });
        }
        so3.locks.state.enter_edge(Edge::Embryo { head: place, client });
        (Held::<Self>::of(so), Held::<Self>::of(so3))
    }

    fn embryo_enter(&self, head: &Held<Self>, so3: &So<Self>) -> Held<Self> {
        self.so.embryo_enter(head, so3)
    }

    fn head_leave(&self, head: &mut Held<Self>) {
        self.so.head_leave(head);
    }

    fn head_return(&self, head: &mut Held<Self>) {
        self.so.head_return(head);
    }

    fn embryo_leave(&self, so3: Held<Self>) {
        self.so.embryo_leave(so3);
    }

    /// The listener stays locked: the list comes after it.
    fn attach_enter(&self, _head: &mut Held<Self>) {}

    fn attach_exit(&self, _so3: &mut Held<Self>, _head: &mut Held<Self>) {}

    fn solock_referrer(&self, so: &mut Held<Self>) -> Option<Held<Self>> {
        self.so.solock_referrer(so)
    }

    fn list_enter(&self, _so: &mut Held<Self>) {
        self.collector().gc_enter();
    }

    fn list_exit(&self, _so: &mut Held<Self>) {
        self.collector().gc_exit();
    }

    fn list_to_name(&self, so: &mut Held<Self>) {
        self.collector().gc_exit();
        self.so_leave(so);
    }

    fn scan_enter(&self, so: &So<Self>) -> Held<Self> {
        let so = Held::<Self>::of(so);
        if !F::omits(Step::ScanLock) {
            so.locks.queue.enter();
        }
        so
    }

    fn scan_exit(&self, so: Held<Self>) {
        if !F::omits(Step::ScanLock) {
            so.locks.queue.exit();
        }
    }

    fn finalize(&self, so: &mut Held<Self>, references: &RefCount) {
        self.so.finalize(so, references);
    }
}

#[cfg(test)]
mod tests;
