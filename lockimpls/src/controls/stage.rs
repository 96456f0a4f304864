//! Letting another thread in at a window, and knowing when a thread is about to park.

use crate::primitives::{AtomicU32, Mutex, Ordering};

/// What another thread does when the window is reached.
type Action = Box<dyn FnOnce() + Send>;

static ACTION: Mutex<Option<Action>> = Mutex::new(None);

/// How many threads have come to the point of parking.
static PARKING: AtomicU32 = AtomicU32::new(0);

/// What shall happen, in another thread, when the next window is reached.
pub(super) fn arm(action: impl FnOnce() + Send + 'static) {
    *lock() = Some(Box::new(action));
}

fn lock() -> std::sync::MutexGuard<'static, Option<Action>> {
    ACTION.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A window is reached: lets the other thread do what was armed, and waits for it.
pub(super) fn let_in() {
    let action = lock().take();
    if let Some(action) = action {
        std::thread::spawn(action).join().unwrap_or_else(|_| panic!("the other thread failed"));
    }
}

/// A thread is about to park, with its socket locked: whoever takes that lock next finds it parked.
pub(super) fn about_to_park() {
    // Release; pairs with the Acquire in `await_parker`.
    PARKING.fetch_add(1, Ordering::Release);
}

/// Waits until a thread is about to park.
pub(super) fn await_parker() {
    while PARKING.load(Ordering::Acquire) == 0 {
        crate::primitives::yield_now();
    }
}
