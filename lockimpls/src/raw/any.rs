//! A lock whose algorithm is chosen when it is made.
//!
//! What is compiled for one algorithm asks nothing. What is compiled for [`AnyLock`] asks the lock
//! itself, at every step, which one it is: a word beside the lock's own and a jump, the same for
//! each, so that they can be compared with each other.
//!
//! Each step is inlined, all algorithms of it, at every place of every backend: a fifth of what the
//! compiler does for these layers. Where the steps were calls, that cost 18 to 24 % of the
//! throughput (pairs, one thread). The default is inlined, so beside it that is no comparison.

#![allow(unsafe_code)]

use super::clh::Clh;
use super::exclusively::Exclusively;
use super::futex::Futex;
use super::mcs::Mcs;
use super::mutex9::Mutex9;
use super::or::Or;
use super::rwlock9::Rwlock9;
use super::rwlock9_2025::Rwlock9Of2025;
#[cfg(not(any(solock_loom, solock_shuttle)))]
use super::std_mutex::Std;
use super::ticket::Ticket;
use crate::domain::{Algorithm, OwnLock};
use crate::primitives::{RawLock, RawMutex};

/// What is compiled for each algorithm.
pub trait WithLock {
    /// What comes of it.
    type Output;

    /// Does it with one of them.
    fn with<R: RawMutex>(self) -> Self::Output;
}

macro_rules! any_lock {
    ($($(#[$cfg:meta])? $name:ident: $lock:ty;)*) => {
        /// A lock of one of the algorithms.
        pub struct AnyLock(Inner);

        enum Inner {
            $($(#[$cfg])? $name($lock),)*
        }

        /// What the holder of such a lock keeps.
        pub struct AnyHeld(Held);

        enum Held {
            $($(#[$cfg])? $name(<$lock as RawMutex>::Held),)*
        }

        /// A turn at such a lock.
        pub struct AnyTurn(Turn);

        enum Turn {
            $($(#[$cfg])? $name(<$lock as RawMutex>::Turn),)*
        }

        // SAFETY: each call goes to the one lock inside, which never becomes another, with what
        // that lock gave.
        unsafe impl RawMutex for AnyLock {
            const ALGORITHM: Option<Algorithm> = None;

            type Held = AnyHeld;
            type Turn = AnyTurn;
            type Beside = RawLock;
            type Shared = AnyShared;

            fn new() -> Self {
                Self::of(Algorithm::default())
            }

            fn of(algorithm: Algorithm) -> Self {
                Self(match algorithm {
                    $($(#[$cfg])? Algorithm::$name => Inner::$name(<$lock>::new()),)*
                    #[cfg(any(solock_loom, solock_shuttle))]
                    Algorithm::Std => unreachable!("a model checker cannot look into it"),
                    Algorithm::Own(lock) => another_crates(lock),
                })
            }

            #[inline(always)]
            fn enter(&self) -> Result<AnyHeld, AnyTurn> {
                match &self.0 {
                    $($(#[$cfg])? Inner::$name(lock) => match lock.enter() {
                        Ok(held) => Ok(AnyHeld(Held::$name(held))),
                        Err(turn) => Err(AnyTurn(Turn::$name(turn))),
                    },)*
                }
            }

            #[inline(always)]
            fn try_enter(&self) -> Option<AnyHeld> {
                match &self.0 {
                    $($(#[$cfg])? Inner::$name(lock) => {
                        lock.try_enter().map(|held| AnyHeld(Held::$name(held)))
                    })*
                }
            }

            fn wait(&self, turn: AnyTurn, may_spin: bool) -> AnyHeld {
                match (&self.0, turn.0) {
                    $($(#[$cfg])? (Inner::$name(lock), Turn::$name(turn)) => {
                        AnyHeld(Held::$name(lock.wait(turn, may_spin)))
                    })*
                    _ => another(),
                }
            }

            #[inline(always)]
            unsafe fn exit(&self, held: AnyHeld) {
                match (&self.0, held.0) {
                    $($(#[$cfg])? (Inner::$name(lock), Held::$name(held)) => {
                        // SAFETY: kept by the caller.
                        unsafe { lock.exit(held) }
                    })*
                    _ => another(),
                }
            }
        }

        /// Does this with the algorithm's own type.
        pub fn with_lock<W: WithLock>(algorithm: Algorithm, what: W) -> W::Output {
            match algorithm {
                $($(#[$cfg])? Algorithm::$name => what.with::<$lock>(),)*
                #[cfg(any(solock_loom, solock_shuttle))]
                Algorithm::Std => unreachable!("a model checker cannot look into it"),
                Algorithm::Own(lock) => another_crates(lock),
            }
        }
    };
}

any_lock! {
    ParkingLot: RawLock;
    Rwlock9: Rwlock9;
    Rwlock9Of2025: Rwlock9Of2025;
    Mutex9: Mutex9;
    Ticket: Ticket;
    Mcs: Mcs;
    Clh: Clh;
    Futex: Futex;
    #[cfg(not(any(solock_loom, solock_shuttle)))]
    Std: Std;
}

/// Such a lock of two modes: the default's has both; any other one has no shared mode, and is taken
/// exclusively by all.
type AnyShared = Or<<RawLock as RawMutex>::Shared, Exclusively<AnyLock>>;

#[cold]
fn another_crates(lock: &OwnLock) -> ! {
    unreachable!("{} is another crate's: `Or` has it", lock.name)
}

#[cold]
fn another() -> ! {
    unreachable!("what another lock gave")
}

#[cfg(all(test, not(any(solock_loom, solock_shuttle))))]
mod tests {
    use super::*;
    use crate::primitives::RawShared;

    #[test]
    fn the_default_alone_lets_in_two_readers() {
        for algorithm in Algorithm::ALL {
            let lock = AnyShared::with(algorithm);
            assert!(lock.enter_read().is_ok());
            // A thread of its own: a lock that knows its holder refuses it. A turn is not dropped
            // where it is a place in a queue, so those locks are asked for nothing here.
            let has_places =
                matches!(algorithm, Algorithm::Ticket | Algorithm::Mcs | Algorithm::Clh);
            if !has_places {
                std::thread::scope(|threads| {
                    let other = || {
                        let is_in = lock.enter_read().is_ok();
                        if is_in {
                            // SAFETY: this thread has the lock in shared mode.
                            unsafe { lock.exit_read() };
                        }
                        is_in
                    };
                    let is_in = threads.spawn(other).join().unwrap();
                    assert_eq!(is_in, algorithm == Algorithm::ParkingLot, "{algorithm:?}");
                });
            }
            // SAFETY: as above.
            unsafe { lock.exit_read() };
        }
    }
}
