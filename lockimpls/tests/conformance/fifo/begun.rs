//! A call in a thread of its own, and whether it waits.

use std::thread::{Scope, ScopedJoinHandle};

#[cfg(not(target_os = "linux"))]
use crate::battery::settle;

/// A thread that makes a call.
pub(super) struct Begun<'scope> {
    handle: ScopedJoinHandle<'scope, String>,
    #[cfg(target_os = "linux")]
    task: task::Task,
}

impl<'scope> Begun<'scope> {
    pub(super) fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        call: impl FnOnce() -> String + Send + 'scope,
    ) -> Begun<'scope> {
        #[cfg(target_os = "linux")]
        {
            let (told, task) = std::sync::mpsc::channel();
            let handle = scope.spawn(move || {
                told.send(task::Task::this()).unwrap();
                call()
            });
            Begun { handle, task: task.recv().unwrap() }
        }
        #[cfg(not(target_os = "linux"))]
        Begun { handle: scope.spawn(call) }
    }

    /// What it does when it got as far as it can, however busy the machine is.
    #[cfg(target_os = "linux")]
    pub(super) fn state(&self) -> String {
        while !self.handle.is_finished() {
            if self.task.waits() {
                return "waits".into();
            }
        }
        "done".into()
    }

    /// What it does when it had some time.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn state(&self) -> String {
        settle();
        if self.handle.is_finished() { "done" } else { "waits" }.into()
    }

    /// What the call answered.
    pub(super) fn end(self) -> String {
        self.handle.join().unwrap()
    }
}

#[cfg(target_os = "linux")]
mod task {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    /// Between two looks.
    const NAP: Duration = Duration::from_millis(1);
    /// A thread that was on a CPU for so long makes no call any more: it spins.
    const SPINS_NS: u64 = 20_000_000;

    /// A thread, as the system sees it.
    pub(super) struct Task(PathBuf);

    impl Task {
        /// The calling thread.
        pub(super) fn this() -> Task {
            Task(PathBuf::from("/proc").join(fs::read_link("/proc/thread-self").unwrap()))
        }

        /// Whether it sleeps, and not only for a moment, or spins.
        pub(super) fn waits(&self) -> bool {
            let first = self.sleeps();
            std::thread::sleep(NAP);
            (first && self.sleeps()) || self.cpu_ns() > SPINS_NS
        }

        fn sleeps(&self) -> bool {
            let stat = fs::read_to_string(self.0.join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
        }

        fn cpu_ns(&self) -> u64 {
            let times = fs::read_to_string(self.0.join("schedstat")).unwrap_or_default();
            times.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0)
        }
    }
}
