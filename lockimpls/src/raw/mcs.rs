//! `mcs`: a queue in which each thread spins on a node of its own. Mellor-Crummey and Scott,
//! "Algorithms for Scalable Synchronization on Shared-Memory Multiprocessors", ACM TOCS 9 (1),
//! 1991, figure 5.
//!
//! The nodes stand in one table: so many for each thread number, because a thread may have several
//! locks, given back in any order. A node is known by its place in the table, as in Linux's
//! qspinlock, so that no pointer has to be trusted.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use super::spin::spin_until;
use crate::domain::Algorithm;
use crate::primitives::own::AtomicU32 as OwnU32;
use crate::primitives::{AtomicU32, NODES, Ordering, RawLock, RawMutex, THREADS_MAX, table};
use crate::witness;

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// A thread's place in the queue of one lock. Only in the queue of that lock is it anybody else's.
struct Node {
    /// The node after this one, or [`NONE`]. Written by the thread of that node.
    next: AtomicU32,
    /// 1 until the lock is handed to this node's thread. Written by the thread before it.
    waits: AtomicU32,
}

/// No node: thread numbers begin at 1, so that the first places of the table are nobody's.
const NONE: u32 = 0;

table! {
    static TABLE: [Node; (THREADS_MAX + 1) * NODES] =
        const { Node { next: AtomicU32::new(NONE), waits: AtomicU32::new(0) } };
}

table! {
    /// By thread number: which of its nodes are in use, a bit for each. Touched by that thread
    /// alone.
    static USED: [OwnU32; THREADS_MAX + 1] = const { OwnU32::new(0) };
}

fn node(number: u32) -> &'static Node {
    &TABLE[number as usize]
}

/// A node of the calling thread's that is in no queue.
fn take() -> u32 {
    let thread = witness::thread_number();
    let used = &USED[thread as usize];
    let bits = used.load(Relaxed);
    let free = bits.trailing_ones();
    assert!((free as usize) < NODES, "more than {NODES} locks of one thread");
    used.store(bits | 1 << free, Relaxed);
    thread * NODES as u32 + free
}

/// The same, ready to be put into one.
fn ready() -> u32 {
    let mine = take();
    // Relaxed: the node is in no queue; the Release of the exchange that puts it there lets others
    // see it.
    node(mine).next.store(NONE, Relaxed);
    node(mine).waits.store(1, Relaxed);
    mine
}

/// A node of the calling thread's is in no queue any more.
fn give_back(number: u32) {
    let used = &USED[number as usize / NODES];
    used.store(used.load(Relaxed) & !(1 << (number % NODES as u32)), Relaxed);
}

/// An MCS lock.
pub struct Mcs {
    /// The last node of the queue, or [`NONE`] where the lock is free. The first node is the
    /// holder's.
    tail: AtomicU32,
}

/// A place in the queue that is not the first.
pub struct Place {
    mine: u32,
    before: u32,
}

/// The holder's node.
pub struct First(u32);

// SAFETY: the thread has the lock whose node is first. The exchange of `tail` gives each node one
// node before it, or none: then the queue was empty, and it is first. A node leaves the queue at
// its exit alone, which either finds it the last (the exchange of `tail` for NONE) or makes the one
// after it the first, once. It is put into a queue again only by its own thread, after that. The
// next one sees what the last did: through `tail`, written with Release, where the queue was empty,
// through `waits` otherwise.
unsafe impl RawMutex for Mcs {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Mcs);

    type Held = First;
    type Turn = Place;
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { tail: AtomicU32::new(NONE) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<First, Place> {
        let mine = ready();
        // Acquire; pairs with the Release in `exit` where the queue is empty, and with this Release
        // where it is not: that node is ready. Release: so is this one for whoever comes next.
        match self.tail.swap(mine, AcqRel) {
            NONE => Ok(First(mine)),
            before => Err(Place { mine, before }),
        }
    }

    #[inline(always)]
    fn try_enter(&self) -> Option<First> {
        // Relaxed: so that a lock that is taken is not written. The exchange decides.
        if self.tail.load(Relaxed) != NONE {
            return None;
        }
        let mine = ready();
        // As in `enter`, where the queue is empty.
        if self.tail.compare_exchange(NONE, mine, AcqRel, Relaxed).is_err() {
            give_back(mine);
            return None;
        }
        Some(First(mine))
    }

    fn wait(&self, turn: Place, _may_spin: bool) -> First {
        let Place { mine, before } = turn;
        // Release; pairs with the Acquires in `exit`: `waits` is 1 before it is made 0 there.
        node(before).next.store(mine, Release);
        // Acquire; pairs with the Release in `exit`: what the last holder did is visible.
        spin_until(|| node(mine).waits.load(Acquire) == 0);
        First(mine)
    }

    #[inline(always)]
    unsafe fn exit(&self, held: First) {
        let First(mine) = held;
        // Acquire; pairs with the Release in `wait`.
        let mut next = node(mine).next.load(Acquire);
        if next == NONE {
            // Release; pairs with the Acquire in `enter`. Relaxed where it fails: `next` is waited
            // for.
            if self.tail.compare_exchange(mine, NONE, Release, Relaxed).is_ok() {
                give_back(mine);
                return;
            }
            spin_until(|| {
                // As above: somebody is between the exchange of `tail` and the store of `next`.
                next = node(mine).next.load(Acquire);
                next != NONE
            });
        }
        // Release; pairs with the Acquire in `wait`.
        node(next).waits.store(0, Release);
        give_back(mine);
    }
}
