//! For unit tests: every acquisition of a thread, in order. Not compiled into anything else.

use std::cell::RefCell;
use std::panic::Location;

use super::Class;

/// One lock taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) addr: usize,
    pub(crate) class: Class,
    /// Whether in shared mode.
    pub(crate) shared: bool,
    /// Where the request took it.
    pub(crate) site: &'static Location<'static>,
}

thread_local! {
    static TRACE: RefCell<Option<Vec<Taken>>> = const { RefCell::new(None) };
}

/// The thread has taken a lock.
#[track_caller]
pub(super) fn note(addr: usize, class: Class) {
    let taken = Taken { addr, class, shared: false, site: Location::caller() };
    TRACE.with_borrow_mut(|trace| trace.iter_mut().for_each(|trace| trace.push(taken)));
}

/// The lock that was taken last is held in shared mode.
pub(super) fn note_shared() {
    TRACE.with_borrow_mut(|trace| {
        trace.iter_mut().filter_map(|trace| trace.last_mut()).for_each(|last| last.shared = true);
    });
}

/// What the calling thread takes in a request, and what the request answers.
pub(crate) fn traced<T>(request: impl FnOnce() -> T) -> (T, Vec<Taken>) {
    TRACE.set(Some(Vec::new()));
    let result = request();
    (result, TRACE.take().unwrap_or_default())
}
