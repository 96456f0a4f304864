//! For unit tests: another thread, let in at a window. Not compiled into anything else.

use std::cell::RefCell;

use super::{Fault, Window};

type Action = Box<dyn FnOnce() + Send>;

thread_local! {
    static ARMED: RefCell<Option<(Window, Action)>> = const { RefCell::new(None) };
}

/// Leaves out nothing; in the window that was armed another thread does what was asked.
pub(crate) struct Met;

impl Fault for Met {
    fn finds_taken() -> bool {
        is_armed(Window::Relock)
    }

    fn window(window: Window) {
        if is_armed(window)
            && let Some((_, action)) = ARMED.take()
        {
            std::thread::spawn(action).join().unwrap();
        }
    }
}

/// Whether another thread is to be let in at this window.
fn is_armed(window: Window) -> bool {
    ARMED.with_borrow(|armed| armed.as_ref().is_some_and(|(at, _)| *at == window))
}

/// When the calling thread comes to this window next, another one does this.
pub(crate) fn meet(at: Window, action: impl FnOnce() + Send + 'static) {
    ARMED.set(Some((at, Box::new(action))));
}

/// Whether the calling thread has come to every window that was armed.
pub(crate) fn has_met() -> bool {
    ARMED.with_borrow(Option::is_none)
}
