//! A panic is a finding: in a kernel it is where a pointer to nothing is followed.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use lockimpls::witness;

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs it; a panic is reported with its place and with what the thread holds, and ends the
/// process: other threads may wait for this one.
pub fn or_report<T>(work: impl FnOnce() -> T) -> T {
    let (mut work, mut done) = (Some(work), None);
    caught(&mut || done = work.take().map(|work| work()));
    done.expect("what did not panic is done")
}

/// Compiled once, whatever is done.
fn caught(work: &mut dyn FnMut()) {
    keep_places();
    let Err(panic) = catch_unwind(AssertUnwindSafe(work)) else { return };
    let message = message(&*panic);
    match PLACE.take() {
        Some(place) => witness::report_panic_at(message, &place),
        None => witness::report_panic(message),
    }
}

/// What catches a panic does not learn its place: only the hook does.
fn keep_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PLACE.set(panic.location().map(ToString::to_string));
            usual(panic);
        }));
    });
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_has_its_words() {
        let text: Box<dyn Any + Send> = Box::new("short");
        assert_eq!(message(&*text), "short");
        let text: Box<dyn Any + Send> = Box::new("long".to_owned());
        assert_eq!(message(&*text), "long");
        let number: Box<dyn Any + Send> = Box::new(5);
        assert_eq!(message(&*number), "(no message)");
    }
}
