//! The locks that a program has by name, and what is compiled for them: the built-in ones, or those
//! and some of other crates. Without the feature `variants` there is the default alone, as each
//! backend's own layer has it.

use std::thread;
use std::time::{Duration, Instant};

use lockimpls::exclusion::Steps;
#[cfg(feature = "variants")]
use lockimpls::raw::Or;
use lockimpls::raw::{AnyLock, RawMutex};
use lockimpls::{Algorithm, Backend, Config, Errno, Layer, calibrate};

use workloads::panics::or_report;

use crate::added;

/// Whether layers are there on other locks, with locks of the kernel around them, and on locks that
/// keep a profile.
pub const VARIANTS: bool = cfg!(feature = "variants");

/// Makes a layer of a backend on the lock that the configuration names.
pub(crate) type Open = fn(&Backend, &Config) -> Result<Box<dyn Layer>, Errno>;
/// Takes and releases a lock of that algorithm so many times, with the checker or without.
type Pairs = fn(Algorithm, bool, u64);
/// [`lost`], of a type of raw locks.
type Lost = fn(Algorithm, Duration) -> u64;

/// Locks of other crates, and what is compiled for those and for the built-in ones.
#[derive(Clone, Debug)]
pub struct Locks {
    own: Vec<Algorithm>,
    open: Open,
    pairs: Pairs,
    lost: Lost,
    #[cfg(feature = "variants")]
    open_profiled: Open,
    #[cfg(feature = "variants")]
    profiled_pairs: fn(Algorithm, u64),
}

impl Default for Locks {
    /// The built-in ones alone.
    fn default() -> Locks {
        AnyLock::locks(Vec::new())
    }
}

/// A raw lock that makes every lock of a program.
pub trait MakesAll: RawMutex {
    /// These, which are of other crates, and the built-in ones.
    #[must_use]
    fn locks(own: Vec<Algorithm>) -> Locks;
}

impl MakesAll for AnyLock {
    /// Layers on them are compiled in `anylock` and `profiled`.
    fn locks(own: Vec<Algorithm>) -> Locks {
        Locks {
            own,
            #[cfg(feature = "variants")]
            open: anylock::open,
            #[cfg(not(feature = "variants"))]
            open: |backend, config| (backend.open)(config),
            pairs: calibrate::lock_pairs_asked::<AnyLock>,
            lost: lost_on::<AnyLock>,
            #[cfg(feature = "variants")]
            open_profiled: profiled::open,
            #[cfg(feature = "variants")]
            profiled_pairs: profiled::lock_pairs,
        }
    }
}

#[cfg(feature = "variants")]
impl<A: RawMutex, B: MakesAll> MakesAll for Or<A, B> {
    /// Layers on them are compiled where the program is.
    fn locks(own: Vec<Algorithm>) -> Locks {
        Locks {
            own,
            open: anylock::open_on::<Self>,
            pairs: calibrate::lock_pairs_asked::<Self>,
            lost: lost_on::<Self>,
            open_profiled: profiled::open_on::<Self>,
            profiled_pairs: profiled::lock_pairs_on::<Self>,
        }
    }
}

impl Locks {
    /// Those of other crates.
    #[must_use]
    pub fn own(&self) -> &[Algorithm] {
        &self.own
    }
}

/// Every lock, in the order they are listed; the first is the default.
#[must_use]
pub fn all() -> Vec<Algorithm> {
    let built_in = if VARIANTS { &Algorithm::ALL[..] } else { &Algorithm::ALL[..1] };
    [built_in, added::added().locks.own()].concat()
}

/// A layer with no sockets of this backend, whose locks are of the algorithm that the configuration
/// names.
///
/// # Errors
/// The backend cannot have such locks, or this program has no such layers.
pub fn open(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    (added::added().locks.open)(backend, config)
}

/// Takes and releases a lock nobody wants, `pairs` times, as a layer that is made for any algorithm
/// has it: with the checker or without it.
pub fn pairs(algorithm: Algorithm, checked: bool, pairs: u64) {
    (added::added().locks.pairs)(algorithm, checked, pairs);
}

/// A layer with no sockets of this backend, on locks of that algorithm that keep a profile.
///
/// # Errors
/// As [`profiled::open`].
#[cfg(feature = "variants")]
pub fn open_profiled(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    (added::added().locks.open_profiled)(backend, config)
}

/// The same as [`pairs`] with the checker, and with a profile where the thread has begun one.
#[cfg(feature = "variants")]
pub fn profiled_pairs(algorithm: Algorithm, pairs: u64) {
    (added::added().locks.profiled_pairs)(algorithm, pairs);
}

/// How many steps of several threads are lost that each makes with a lock of that algorithm, for
/// about so long: of one that lets one thread in at a time, none.
#[must_use]
pub fn lost(algorithm: Algorithm, time: Duration) -> u64 {
    (added::added().locks.lost)(algorithm, time)
}

/// How many threads want the lock, and how often each at least: a lock that is given in turns waits
/// at every step for a thread that may have no processor.
const THREADS: usize = 2;
const STEPS: u64 = 1_000;
/// So often a thread lets another one run between the two halves of a step.
const STEPS_TO_YIELD: u64 = 32;

fn lost_on<R: RawMutex>(algorithm: Algorithm, time: Duration) -> u64 {
    let (counted, until) = (Steps::<R>::of(algorithm), Instant::now() + time);
    let steps: u64 = thread::scope(|threads| {
        let step = || or_report(|| step_on(&counted, until));
        let threads = [(); THREADS].map(|()| threads.spawn(step));
        threads.into_iter().map(|thread| thread.join().expect("a panic was reported")).sum()
    });
    steps - counted.count()
}

/// What one of the threads does; how many steps that were.
fn step_on<R: RawMutex>(counted: &Steps<R>, until: Instant) -> u64 {
    let mut step = 0;
    while step < STEPS || Instant::now() < until {
        counted.step(|| {
            if step.is_multiple_of(STEPS_TO_YIELD) {
                thread::yield_now();
            }
        });
        step += 1;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_built_in_lock_loses_a_step() {
        for algorithm in Algorithm::ALL {
            assert_eq!(lost(algorithm, Duration::ZERO), 0, "{}", algorithm.name());
        }
    }
}
