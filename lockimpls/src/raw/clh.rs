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
//!   before it may still write that node, once, and never touches it after that write. Whoever has
//!   read that the write was made is alone with the node, and keeps it as a spare one;
//! * a thread number: its spare nodes.

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
    /// 1 while the thread that put this at the tail waits for the lock or has it.
    is_taken: AtomicU32,
}

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

fn new_node(is_taken: u32) -> NonNull<Line> {
    let node = Node { is_taken: AtomicU32::new(is_taken) };
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
        return new_node(1);
    }
    spare.count.store(count - 1, Relaxed);
    let node = spare.nodes[count - 1].load(Relaxed);
    let node = NonNull::new(node).expect("a spare node below the count");
    // SAFETY: a spare node is alive and this thread's alone.
    let is_taken = unsafe { &node.as_ref().is_taken };
    // Relaxed: the Release of the exchange that puts it at a tail lets others see it.
    is_taken.store(1, Relaxed);
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
    /// Whether the thread before this one has left.
    #[inline(always)]
    fn is_first(&self) -> bool {
        // SAFETY: `before` is this place's (see the top), and so alive.
        let before = unsafe { self.before.as_ref() };
        // Acquire; pairs with the Release in `exit`: what the last holder did is visible, and it
        // does not touch the node any more.
        before.is_taken.load(Acquire) == 0
    }
}

// SAFETY: the exchange of `tail` gives each place the one before it, and no two places the same. A
// thread has the lock when the one before it has left. The node it reads says so only by that
// exit's store: it was 1 before the exchange that put it at the tail, which is seen by the exchange
// that found it there (Release and Acquire).
unsafe impl RawMutex for Clh {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Clh);

    type Held = Place;
    type Turn = Place;
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { tail: AtomicPtr::new(new_node(0).as_ptr()) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<Place, Place> {
        let mine = take();
        // Release: `is_taken` is 1 for whoever finds this node. Acquire; pairs with that Release of
        // the exchange before.
        let before = self.tail.swap(mine.as_ptr(), AcqRel);
        let before = NonNull::new(before).expect("a lock has a node at its tail");
        let place = Place { mine, before };
        if place.is_first() { Ok(place) } else { Err(place) }
    }

    fn wait(&self, turn: Place, _may_spin: bool) -> Place {
        spin_until(|| turn.is_first());
        turn
    }

    #[inline(always)]
    unsafe fn exit(&self, held: Place) {
        // SAFETY: the node is this thread's, or the next one's, which frees it after the store
        // below.
        let is_taken = unsafe { &held.mine.as_ref().is_taken };
        // Release; pairs with the Acquire in `is_first`.
        is_taken.store(0, Release);
        // SAFETY: `is_first` was true: the node before is this thread's alone.
        unsafe { give_back(held.before) };
    }
}

impl Drop for Clh {
    fn drop(&mut self) {
        // Relaxed: nobody else has the lock any more. The node is not null: nothing stores that.
        let tail = NonNull::new(self.tail.load(Relaxed)).expect("a lock has a node at its tail");
        // SAFETY: nobody waits for a lock that is dropped, so the node at its tail is nobody
        // else's. Where the lock was left taken, its holder's `Place` is never used again: `exit`
        // wants the lock.
        unsafe { free(tail) };
    }
}
