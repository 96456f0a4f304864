//! How many allocations a thread made.
//!
//! The timed path of the layer makes none; a commit that changes that is seen as a number, on any
//! machine. Each thread counts for itself, in a thread-local that is no more than a number, so the
//! count costs an allocation about a nanosecond and everything else nothing.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The allocations of this thread so far, one that grew counted as another.
#[must_use]
pub fn of_this_thread() -> u64 {
    COUNT.get()
}

fn count() {
    COUNT.set(COUNT.get().wrapping_add(1));
}

// SAFETY: every call is passed on as it came, so the caller's promises and the system allocator's
// hold. `count` neither allocates nor panics: its thread-local is initialised at compile time and
// has no destructor, so it can be used for as long as a thread runs.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::of_this_thread;

    #[test]
    fn an_allocation_is_counted_where_it_is_made() {
        let before = of_this_thread();
        let mut numbers: Vec<u64> = std::hint::black_box(Vec::with_capacity(1));
        assert_eq!(of_this_thread() - before, 1);
        numbers.reserve_exact(100);
        assert_eq!(of_this_thread() - before, 2);
        drop(std::hint::black_box(numbers));
        assert_eq!(of_this_thread() - before, 2);
        let elsewhere = std::thread::spawn(|| drop(std::hint::black_box(Box::new([0_u8; 1000]))));
        let before = of_this_thread();
        elsewhere.join().expect("joined");
        assert_eq!(of_this_thread() - before, 0);
    }
}
