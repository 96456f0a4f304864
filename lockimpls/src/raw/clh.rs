//! `clh`: a queue in which each thread spins on the node of the one before it, and keeps that node
//! when it leaves. Craig, "Building FIFO and Priority-Queuing Spin Locks from Atomic Swap", TR
//! 93-02-02, University of Washington, 1993; Magnusson, Landin and Hagersten, "Queue Locks on Cache
//! Coherent Multiprocessors", IPPS 1994.
//!
//! # Whose a node is
//!
//! A node always has one owner, which alone may hand it on or free it:
//!
//! * a lock that nobody has or waits for: the node at its tail;
//! * a thread in the queue: the node that it put at the tail, until the next thread's exchange
//!   takes that over, or the thread's exit leaves it to the lock;
//! * a thread in the queue, too: the node before its own, which its exchange found; the thread
//!   before it may still write that node's state, once, and never touches the node after that.
//!   Whoever has read that the state was written is alone with the node, and keeps it as a spare
//!   one;
//! * a thread number: its spare nodes.
//!
//! # How a thread tries
//!
//! As published, whoever comes must wait: the node at the tail is not its own to look at before its
//! exchange has made it so, and a place once taken is kept. Here a thread that only tries, and
//! finds that it is not the first, undoes its exchange where nobody has come behind it: then the
//! node before its own is at the tail again, as if it had not come. Otherwise it leaves: its node
//! says so, and which node was before it, so that the next thread goes on waiting there, and owns
//! both. (Scott and Scherer, "Scalable Queue-Based Spin Locks with Timeout", PPoPP 2001, let a
//! thread leave that has waited.)

#![allow(unsafe_code)]

use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use super::exclusively::Exclusively;
use super::spin::spin_until;
use crate::domain::Algorithm;
use crate::primitives::own::{AtomicPtr as OwnPtr, AtomicUsize as OwnUsize};
use crate::primitives::{
    AtomicPtr, AtomicU32, NODES, Ordering, RawLock, RawMutex, THREADS_MAX, table,
};
use crate::witness;

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// What the next thread looks at.
struct Node {
    /// One of the three below.
    state: AtomicU32,
    /// In a node that is `LEFT`: the one before it. Written before that is.
    before: AtomicPtr<Line>,
}

/// The thread that put the node at the tail has had the lock.
const FREE: u32 = 0;
/// It waits for the lock or has it.
const TAKEN: u32 = 1;
/// It has left without it.
const LEFT: u32 = 2;

/// A line of its own each, so that a thread's spinning disturbs no other.
type Line = CachePadded<Node>;

/// The nodes that the threads of one number have to spare. Touched by the thread of that number
/// alone; from one to the next it goes with the number, under the witness's lock.
struct Spare {
    count: OwnUsize,
    nodes: [OwnPtr<Line>; NODES],
}

table! {
    static SPARE: [Spare; THREADS_MAX + 1] = const {
        Spare {
            count: OwnUsize::new(0),
            nodes: [const { OwnPtr::new(std::ptr::null_mut()) }; NODES],
        }
    };
}

fn spare() -> &'static Spare {
    &SPARE[witness::thread_number() as usize]
}

fn new_node(state: u32) -> NonNull<Line> {
    let before = AtomicPtr::new(std::ptr::null_mut());
    let node = Node { state: AtomicU32::new(state), before };
    NonNull::from(Box::leak(Box::new(CachePadded::new(node))))
}

/// Frees a node.
///
/// # Safety
/// It is the caller's, and nobody else touches it.
unsafe fn free(node: NonNull<Line>) {
    // SAFETY: made by `new_node` from a box; the caller owns it.
    drop(unsafe { Box::from_raw(node.as_ptr()) });
}

/// A node that is the caller's alone, taken already.
fn take() -> NonNull<Line> {
    let spare = spare();
    let count = spare.count.load(Relaxed);
    if count == 0 {
        return new_node(TAKEN);
    }
    spare.count.store(count - 1, Relaxed);
    let node = spare.nodes[count - 1].load(Relaxed);
    let node = NonNull::new(node).expect("a spare node below the count");
    // SAFETY: a spare node is alive and this thread's alone.
    let state = unsafe { &node.as_ref().state };
    // Relaxed: the Release of the exchange that puts it at a tail lets others see it.
    state.store(TAKEN, Relaxed);
    node
}

/// Keeps a node to spare, or frees it where there is no place.
///
/// # Safety
/// It is the caller's, and nobody else touches it.
unsafe fn give_back(node: NonNull<Line>) {
    let spare = spare();
    let count = spare.count.load(Relaxed);
    match spare.nodes.get(count) {
        Some(place) => {
            place.store(node.as_ptr(), Relaxed);
            spare.count.store(count + 1, Relaxed);
        }
        // SAFETY: kept by the caller.
        None => unsafe { free(node) },
    }
}

/// A CLH lock.
pub struct Clh {
    /// The node of the last thread that came.
    tail: AtomicPtr<Line>,
}

/// A place in the queue: a thread's node, and the one before it.
pub struct Place {
    mine: NonNull<Line>,
    before: NonNull<Line>,
}

impl Place {
    /// Whether nobody is before this one any more.
    #[inline(always)]
    fn is_first(&mut self) -> bool {
        loop {
            // SAFETY: `before` is this place's (see the top), and so alive.
            let before = unsafe { self.before.as_ref() };
            // Acquire; pairs with the Release in `exit`: what the last holder did is visible, and
            // it does not touch the node any more; and with that in `leave`, likewise.
            match before.state.load(Acquire) {
                FREE => return true,
                TAKEN => return false,
                _ => self.go_on(),
            }
        }
    }

    /// The thread before this one has left: this place's is the node before that one's, too.
    #[cold]
    fn go_on(&mut self) {
        // SAFETY: as in `is_first`. Relaxed: written before the state was, which was read.
        let next = unsafe { self.before.as_ref() }.before.load(Relaxed);
        // SAFETY: whoever put it at the tail has written its state, and does not touch it any more.
        unsafe { give_back(self.before) };
        self.before = NonNull::new(next).expect("a node before one that was left");
    }

    /// Leaves the queue to the thread that has come behind.
    #[cold]
    fn leave(self) {
        // SAFETY: `mine` is the next one's, which frees it after the last store below.
        let mine = unsafe { self.mine.as_ref() };
        // Relaxed: the Release below.
        mine.before.store(self.before.as_ptr(), Relaxed);
        // Release; pairs with the Acquire in `is_first`.
        mine.state.store(LEFT, Release);
    }
}

// SAFETY: the exchange of `tail` gives each place the one before it, and no two places the same:
// one that is given back to the tail has nobody behind it, and whoever leaves one gives it to the
// next place alone. A thread has the lock when the one before it has had it. The node it reads says
// so only by that exit's store: it was TAKEN before the exchange that put it at the tail, which is
// seen by the exchange that found it there (Release and Acquire; an undone exchange passes it on
// with both). What is at the tail is in boxes, and the lock is a pointer to one: it can be moved.
unsafe impl RawMutex for Clh {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Clh);

    type Held = Place;
    type Turn = Place;
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { tail: AtomicPtr::new(new_node(FREE).as_ptr()) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<Place, Place> {
        let mine = take();
        // Release: the node is TAKEN for whoever finds it. Acquire; pairs with that Release of the
        // exchange before.
        let before = self.tail.swap(mine.as_ptr(), AcqRel);
        let before = NonNull::new(before).expect("a lock has a node at its tail");
        let mut place = Place { mine, before };
        if place.is_first() { Ok(place) } else { Err(place) }
    }

    fn try_enter(&self) -> Option<Place> {
        let place = match self.enter() {
            Ok(place) => return Some(place),
            Err(place) => place,
        };
        let (mine, before) = (place.mine.as_ptr(), place.before.as_ptr());
        // Release: whoever finds `before` at the tail sees what this thread saw of it. Acquire;
        // pairs with that Release of one that came behind, looked at `mine`, and undid its
        // exchange, too.
        if self.tail.compare_exchange(mine, before, AcqRel, Relaxed).is_ok() {
            // SAFETY: nobody is behind: the node is this thread's alone again.
            unsafe { give_back(place.mine) };
        } else {
            place.leave();
        }
        None
    }

    fn wait(&self, mut turn: Place, _may_spin: bool) -> Place {
        spin_until(|| turn.is_first());
        turn
    }

    #[inline(always)]
    unsafe fn exit(&self, held: Place) {
        // SAFETY: the node is this thread's, or the next one's, which frees it after the store
        // below.
        let state = unsafe { &held.mine.as_ref().state };
        // Release; pairs with the Acquire in `is_first`.
        state.store(FREE, Release);
        // SAFETY: `is_first` was true: the node before is this thread's alone.
        unsafe { give_back(held.before) };
    }
}

impl Drop for Clh {
    fn drop(&mut self) {
        // Relaxed, all: nobody else has the lock any more.
        let mut node = self.tail.load(Relaxed);
        while let Some(last) = NonNull::new(node) {
            // SAFETY: nobody waits for a lock that is dropped, so the node at its tail is nobody
            // else's, nor is the one before it where it was left. Where the lock was left taken,
            // its holder's `Place` is never used again: `exit` wants the lock.
            let Node { state, before } = unsafe { &**last.as_ref() };
            let is_left = state.load(Relaxed) == LEFT;
            node = if is_left { before.load(Relaxed) } else { std::ptr::null_mut() };
            // SAFETY: as above.
            unsafe { free(last) };
        }
    }
}
