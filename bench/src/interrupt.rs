//! Ctrl-C: the first one ends the run in good order, the second one ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use results::{Host, Interrupted, Record};
use signal_hook::consts::{SIGINT, SIGTERM};

/// The exit code of a run that was interrupted.
pub const EXIT_INTERRUPTED: i32 = 130;

/// How long an interrupt can go unnoticed.
const NAP: Duration = Duration::from_millis(50);

/// Whether the run shall end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Catches SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn catch() -> Result<Interrupt, String> {
        let interrupt = Interrupt::default();
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the flag that the first signal sets arms the exit at the second.
            let armed = Arc::clone(&interrupt.0);
            signal_hook::flag::register_conditional_shutdown(signal, EXIT_INTERRUPTED, armed)
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupt.0)))
                .map_err(|error| format!("signal {signal} cannot be caught: {error}"))?;
        }
        Ok(interrupt)
    }

    /// Whether somebody asked for the end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Sleeps that long, or until somebody asks for the end.
    pub fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_set() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(NAP));
        }
    }
}

/// What a run's file says of an interrupt, in which `cell` was being measured.
#[must_use]
pub fn record(cell: Option<String>, host: Host) -> Record {
    Record::from(Interrupted {
        reason: "a signal".to_owned(),
        cell,
        started: results::time::rfc3339_utc(SystemTime::now()),
        host,
    })
}
