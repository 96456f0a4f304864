//! Letting another thread in at a window, and knowing when a thread is about to park.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::fault::Window;
use crate::primitives::{AtomicU32, Mutex, Ordering, yield_now};
use crate::witness;

/// What another thread does when the window is reached.
type Action = Box<dyn FnOnce() + Send>;

/// What shall happen, and in which window, where the process has not chosen one.
static ARMED: Mutex<Option<(Option<Window>, Action)>> = Mutex::new(None);

/// The other thread, where it had to wait for the one in the window.
static OTHER: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

/// How many threads have come to the point of parking.
static PARKING: AtomicU32 = AtomicU32::new(0);

/// What shall happen, in another thread, when the next window is reached.
pub(super) fn arm(action: impl FnOnce() + Send + 'static) {
    *armed() = Some((None, Box::new(action)));
}

/// What shall happen, in another thread, when this window is next reached.
pub(super) fn arm_for(window: Window, action: impl FnOnce() + Send + 'static) {
    *armed() = Some((Some(window), Box::new(action)));
}

/// Whether something shall happen in this window and no other.
pub(super) fn is_armed_for(window: Window) -> bool {
    armed().as_ref().is_some_and(|(it, _)| *it == Some(window))
}

/// Nothing shall happen any more.
pub(super) fn disarm() {
    *armed() = None;
}

fn armed() -> MutexGuard<'static, Option<(Option<Window>, Action)>> {
    ARMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A window is reached: lets the other thread do what was armed.
pub(super) fn let_in() {
    let armed = armed().take();
    if let Some((_, action)) = armed {
        begin(action);
    }
}

/// Another thread does this; returns when it is done, or has to wait for something.
pub(super) fn begin(action: impl FnOnce() + Send + 'static) {
    let number = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&number);
    let other = std::thread::spawn(move || {
        // Relaxed: a number; what the thread does is seen through the locks, or the join.
        told.store(witness::thread_number(), Ordering::Relaxed);
        action();
    });
    while !other.is_finished() && !witness::is_waiting(number.load(Ordering::Relaxed)) {
        yield_now();
    }
    if other.is_finished() {
        join(other);
    } else {
        *OTHER.lock().unwrap_or_else(PoisonError::into_inner) = Some(other);
    }
}

/// Waits for the other thread, if it is not done yet.
pub(super) fn end() {
    let other = OTHER.lock().unwrap_or_else(PoisonError::into_inner).take();
    other.into_iter().for_each(join);
}

fn join(other: JoinHandle<()>) {
    other.join().unwrap_or_else(|_| panic!("the other thread failed"));
}

/// A thread is about to park, with its socket locked: whoever takes that lock next finds it parked.
pub(super) fn about_to_park() {
    // Release; pairs with the Acquire in `await_parker`.
    PARKING.fetch_add(1, Ordering::Release);
}

/// Waits until a thread is about to park.
pub(super) fn await_parker() {
    while PARKING.load(Ordering::Acquire) == 0 {
        yield_now();
    }
}
