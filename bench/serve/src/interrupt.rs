//! Signals that ask for the end: the first one ends the work in good order, the second one ends the
//! program, and what it must not leave behind with it.

use std::fs;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use results::{Host, Interrupted, Record};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// The exit code of a run that was interrupted.
pub const EXIT_INTERRUPTED: i32 = 130;

/// How long an interrupt can go unnoticed.
const NAP: Duration = Duration::from_millis(50);

/// Whether the run shall end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Catches signals from now on, in a process that has nothing to undo.
    ///
    /// # Errors
    /// The system refuses.
    pub fn catch() -> Result<Interrupt, String> {
        let interrupt = Interrupt::default();
        for signal in signals() {
            // The order matters: the flag that the first signal sets arms the exit at the second.
            let armed = Arc::clone(&interrupt.0);
            signal_hook::flag::register_conditional_shutdown(signal, EXIT_INTERRUPTED, armed)
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupt.0)))
                .map_err(|error| format!("signal {signal} cannot be caught: {error}"))?;
        }
        Ok(interrupt)
    }

    /// Catches signals from now on; at the second one, what was named by [`undo`] is done before
    /// the process ends. A thread waits for them, so that no handler does what a handler may not.
    ///
    /// # Errors
    /// The system refuses.
    pub fn catch_and_undo() -> Result<Interrupt, String> {
        let failed = |error| format!("signals cannot be caught: {error}");
        let (interrupt, mut caught) =
            (Interrupt::default(), Signals::new(signals()).map_err(failed)?);
        let flag = Arc::clone(&interrupt.0);
        let wait = move || {
            for _ in caught.forever() {
                if flag.swap(true, Relaxed) {
                    // What was begun last is undone first. The list stays locked: meanwhile nothing
                    // is added to it or taken away.
                    undone().iter().rev().for_each(|(_, undo)| undo());
                    exit(EXIT_INTERRUPTED);
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
        Ok(interrupt)
    }

    /// Whether somebody asked for the end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// As if somebody had asked.
    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.store(true, Relaxed);
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

/// Does this, which ends the process, at the first signal from now on.
///
/// # Errors
/// The system refuses.
pub fn at_first(end: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let failed = |error| format!("signals cannot be caught: {error}");
    let mut caught = Signals::new(signals()).map_err(failed)?;
    let wait = move || {
        if caught.forever().next().is_some() {
            end();
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}

type Undo = Box<dyn Fn() + Send>;

/// What is under way and must not stay half done.
static UNDER_WAY: Mutex<Vec<(u64, Undo)>> = Mutex::new(Vec::new());

fn undone() -> MutexGuard<'static, Vec<(u64, Undo)>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on this is done at the second signal, until the answer is dropped.
#[must_use]
pub fn undo(what: impl Fn() + Send + 'static) -> UnderWay {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    undone().push((number, Box::new(what)));
    UnderWay(number)
}

/// Something that would be undone.
#[derive(Debug)]
pub struct UnderWay(u64);

impl Drop for UnderWay {
    fn drop(&mut self) {
        undone().retain(|(number, _)| *number != self.0);
    }
}

/// The signals that ask for the end, but those that this process was started to ignore, by `nohup`
/// say.
fn signals() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = ignored(&status);
    let all = [SIGINT, SIGTERM, SIGHUP].into_iter();
    all.filter(|signal| ignored & (1 << (signal - 1)) == 0).collect()
}

/// The set of ignored signals, a bit for each; none where the system does not tell.
fn ignored(status: &str) -> u64 {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}

/// A file that grows beyond what `ulimit -f` allows is an error of the write, as on a full disk,
/// and not the end of the process.
pub fn survive_file_limit() {
    // A signal that somebody handles does not kill. Where it cannot be handled all is as before.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_a_set() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert_eq!(ignored(status), 1 << (SIGHUP - 1) | 1 << 12);
        assert_eq!(ignored(""), 0);
    }

    #[test]
    fn what_has_ended_is_not_undone() {
        let (first, second) = (undo(|| ()), undo(|| ()));
        let numbers = |under_way: [&UnderWay; 2]| under_way.map(|under_way| under_way.0);
        let [one, two] = numbers([&first, &second]);
        drop(first);
        let left: Vec<u64> = undone().iter().map(|(number, _)| *number).collect();
        assert!(!left.contains(&one) && left.contains(&two));
    }
}
