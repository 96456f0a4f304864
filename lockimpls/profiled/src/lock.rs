//! A lock that keeps a profile.

#![allow(unsafe_code)]

use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use lockimpls::raw::{Event, Listener, RawMutex};
use lockimpls::{Algorithm, witness};

use crate::recorder::{self, Hold};

/// A lock made of another one, which tells the thread's profile what happens to it.
pub struct Profiled<R> {
    raw: R,
    /// The thread that had it last, or has it: 0 before the first. Written by the holder; read by
    /// it, and by whoever is about to wait. Relaxed: it is a number to count by, and orders
    /// nothing.
    owner: AtomicU32,
    /// What the holder is told when it takes the lock, and wants to know when it releases it.
    /// Written and read by the holder alone; Relaxed, as the lock orders one holder after the
    /// other.
    since: AtomicU64,
    place: AtomicU32,
}

// None of it is inlined: at every place of the layer it would be compiled anew, for the price of a
// call, which is little beside a reading of the clock.
//
// SAFETY: each call that takes or releases goes to the one lock inside, with what that lock gave;
// the rest are numbers.
unsafe impl<R: RawMutex> RawMutex for Profiled<R> {
    const ALGORITHM: Option<Algorithm> = R::ALGORITHM;

    type Held = R::Held;
    type Turn = R::Turn;
    type Beside = Profiled<R::Beside>;

    fn new() -> Self {
        Self::with(R::new())
    }

    fn of(algorithm: Algorithm) -> Self {
        Self::with(R::of(algorithm))
    }

    #[inline(never)]
    fn enter(&self) -> Result<R::Held, R::Turn> {
        self.raw.enter()
    }

    fn wait(&self, turn: R::Turn, may_spin: bool) -> R::Held {
        recorder::wanted(self.is_anothers());
        self.raw.wait(turn, may_spin)
    }

    #[inline(never)]
    unsafe fn exit(&self, held: R::Held) {
        let hold = Hold { since: self.since.load(Relaxed), place: self.place.load(Relaxed) };
        let now = recorder::now();
        // SAFETY: kept by the caller.
        unsafe { self.raw.exit(held) };
        // The next one may have the lock by now: nothing of it is touched.
        recorder::left(hold, now);
    }

    #[inline(never)]
    fn taken(&self, class: u8, site: &'static Location<'static>) {
        let bounced = self.is_anothers();
        self.owner.store(witness::thread_number(), Relaxed);
        let hold = recorder::taken(class, site, bounced);
        self.since.store(hold.since, Relaxed);
        self.place.store(hold.place, Relaxed);
    }
}

impl<R: RawMutex> Listener for Profiled<R> {
    #[inline(never)]
    fn note(event: Event) {
        recorder::note(event);
    }
}

impl<R> Profiled<R> {
    fn with(raw: R) -> Self {
        let (owner, since, place) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU32::new(0));
        Self { raw, owner, since, place }
    }

    /// Whether another thread had it last, or has it.
    fn is_anothers(&self) -> bool {
        let owner = self.owner.load(Relaxed);
        owner != 0 && owner != witness::thread_number()
    }
}
