//! The check at a thread's end.

use super::report::{Check, describe_held, found, is_ending};
use super::thread::{ThreadExit, this, unregister};

impl Drop for ThreadExit {
    fn drop(&mut self) {
        thread_exit();
    }
}

/// A thread ends: it must hold nothing.
fn thread_exit() {
    let thread = this();
    // exit(3) runs the destructors of the thread that calls it: what it held was reported.
    if thread.holds_anything() && !is_ending() {
        let mut report = String::from("witness: thread exiting with the following locks held:\n");
        let (at, count) = describe_held(thread, &mut report);
        report.push_str("panic: witness_thread_exit");
        found(Check::LeakedLock, count, at, report);
    }
    unregister(thread);
}
