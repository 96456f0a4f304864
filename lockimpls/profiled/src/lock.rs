//! A lock that keeps a profile.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use lockimpls::raw::{Event, Listener, RawMutex, RawShared};
use lockimpls::{Algorithm, witness};

use crate::recorder::{self, Hold};

/// A lock made of another one, which tells the thread's profile what happens to it.
pub struct Profiled<R> {
    raw: R,
    owner: Owner,
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
    type Shared = ProfiledShared<R::Shared>;

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

    #[inline(never)]
    fn try_enter(&self) -> Option<R::Held> {
        self.raw.try_enter()
    }

    fn wait(&self, turn: R::Turn, may_spin: bool) -> R::Held {
        recorder::wanted(self.owner.is_another());
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
        let hold = recorder::taken(class, site, self.owner.becomes_this());
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
        let (since, place) = (AtomicU64::new(0), AtomicU32::new(0));
        Self { raw, owner: Owner::default(), since, place }
    }
}

/// A lock of two modes that keeps a profile. What its holder is told when it takes the lock, the
/// thread keeps: several have it at a time in shared mode, and a thread one such lock.
pub struct ProfiledShared<R> {
    raw: R,
    owner: Owner,
}

thread_local! {
    static HOLD: Cell<Hold> = const { Cell::new(recorder::UNKNOWN) };
}

// SAFETY: as above.
unsafe impl<R: RawShared> RawShared for ProfiledShared<R> {
    const ALGORITHM: Option<Algorithm> = R::ALGORITHM;

    type Turn = R::Turn;

    fn with(algorithm: Algorithm) -> Self {
        Self { raw: R::with(algorithm), owner: Owner::default() }
    }

    #[inline(never)]
    fn enter_write(&self) -> Result<(), R::Turn> {
        self.raw.enter_write()
    }

    fn wait_write(&self, turn: R::Turn, may_spin: bool) {
        recorder::wanted(self.owner.is_another());
        self.raw.wait_write(turn, may_spin);
    }

    #[inline(never)]
    unsafe fn exit_write(&self) {
        let now = recorder::now();
        // SAFETY: kept by the caller.
        unsafe { self.raw.exit_write() };
        recorder::left(HOLD.get(), now);
    }

    #[inline(never)]
    fn enter_read(&self) -> Result<(), R::Turn> {
        self.raw.enter_read()
    }

    fn wait_read(&self, turn: R::Turn, may_spin: bool) {
        recorder::wanted(self.owner.is_another());
        self.raw.wait_read(turn, may_spin);
    }

    #[inline(never)]
    unsafe fn exit_read(&self) {
        let now = recorder::now();
        // SAFETY: kept by the caller.
        unsafe { self.raw.exit_read() };
        recorder::left(HOLD.get(), now);
    }

    #[inline(never)]
    fn taken(&self, class: u8, site: &'static Location<'static>) {
        HOLD.set(recorder::taken(class, site, self.owner.becomes_this()));
    }
}

/// The thread that had a lock last, or has it: 0 before the first. Written by a holder; read by it,
/// and by whoever is about to wait. Relaxed: it is a number to count by, and orders nothing. Of
/// several that share a lock, it is the last that took it.
#[derive(Default)]
struct Owner(AtomicU32);

impl Owner {
    /// Whether it is another thread.
    fn is_another(&self) -> bool {
        let owner = self.0.load(Relaxed);
        owner != 0 && owner != witness::thread_number()
    }

    /// It is this thread from now on; whether it was another.
    fn becomes_this(&self) -> bool {
        let bounced = self.is_another();
        self.0.store(witness::thread_number(), Relaxed);
        bounced
    }
}
