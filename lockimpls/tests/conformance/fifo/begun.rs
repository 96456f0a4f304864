//! A call in a thread of its own, and whether it waits.

use std::sync::mpsc::channel;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use lockimpls::witness;

/// Between two looks.
const NAP: Duration = Duration::from_millis(1);

/// A thread that makes a call.
pub(super) struct Begun<'scope> {
    handle: ScopedJoinHandle<'scope, String>,
    waiter: Waiter,
}

impl<'scope> Begun<'scope> {
    /// `is_modelled`: the call is of a layer, which knows whether its threads wait.
    pub(super) fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        is_modelled: bool,
        call: impl FnOnce() -> String + Send + 'scope,
    ) -> Begun<'scope> {
        let (told, waiter) = channel();
        let handle = scope.spawn(move || {
            told.send(Waiter::this(is_modelled)).unwrap();
            call()
        });
        Begun { handle, waiter: waiter.recv().unwrap() }
    }

    /// What it does when it got as far as it can, however busy the machine is.
    pub(super) fn state(&self) -> String {
        while !self.handle.is_finished() {
            let first = self.waiter.waits();
            std::thread::sleep(NAP);
            // Not for a moment only.
            if first && self.waiter.waits() {
                return "waits".into();
            }
        }
        "done".into()
    }

    /// What the call answered.
    pub(super) fn end(self) -> String {
        self.handle.join().unwrap()
    }
}

/// Where it is known whether a thread waits.
enum Waiter {
    /// In the layer, by the thread's number there.
    Layer(u32),
    #[cfg(target_os = "linux")]
    Machine(std::path::PathBuf),
}

impl Waiter {
    /// The calling thread.
    #[cfg(target_os = "linux")]
    fn this(is_modelled: bool) -> Waiter {
        if is_modelled {
            return Waiter::Layer(witness::thread_number());
        }
        let task = std::fs::read_link("/proc/thread-self").unwrap();
        Waiter::Machine(std::path::PathBuf::from("/proc").join(task))
    }

    #[cfg(not(target_os = "linux"))]
    fn this(_: bool) -> Waiter {
        Waiter::Layer(witness::thread_number())
    }

    fn waits(&self) -> bool {
        match self {
            Waiter::Layer(number) => witness::awaits_wakeup(*number),
            #[cfg(target_os = "linux")]
            Waiter::Machine(task) => {
                let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
            }
        }
    }
}
