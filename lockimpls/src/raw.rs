//! The algorithms under the layer's lock: exclusive locks that know neither classes nor owners.
//!
//! | name | waits by | after |
//! |---|---|---|
//! | `parking-lot` | spinning, then sleep | `parking_lot`'s `RawRwLock`, exclusively: the default |
//! | `rwlock9` | spinning, then sleep | rwlock(9) of July 2022: all who sleep are woken |
//! | `rwlock9-2025` | spinning, then sleep | rwlock(9) of July 2025: one is woken |
//! | `mutex9` | spinning | mutex(9) |
//! | `ticket` | spinning, in turn | `__mp_lock` without its recursion |
//! | `mcs` | spinning, in turn, each on its own node | Mellor-Crummey and Scott |
//! | `clh` | spinning, in turn, each on the node before it | Craig; Landin and Hagersten |
//! | `futex` | sleep | Drepper's lock of three states |
//! | `std` | spinning, then sleep | `std::sync::Mutex` |
//!
//! rwlock(9) is taken exclusively alone, as unix(4) does: no lock here has readers but
//! `parking-lot`, as a `SharedLock`. The others take its place
//! exclusively ([`Exclusively`]).
//!
//! In user space a thread may be taken off its processor while it has the lock. So whoever spins
//! gives up its own processor once after so many looks (`spin.rs`), which a kernel's locks do not.
//!
//! All but `parking-lot` and `std`, which are not ours, are checked by `lockimpls/models/loom`,
//! `raw_*`: in every order one thread at a time has the lock, sees what the one before it did, and
//! every thread that wants it gets it.

mod any;
mod clh;
mod exclusively;
mod futex;
mod mcs;
mod mutex9;
mod or;
mod rwlock9;
mod rwlock9_2025;
pub(crate) mod spin;
#[cfg(not(any(solock_loom, solock_shuttle)))]
mod std_mutex;
#[cfg(test)]
mod tests;
mod ticket;

pub use crate::fault::{Event, Listener};
pub use crate::primitives::{RawMutex, RawShared};

pub use self::any::{AnyLock, WithLock, with_lock};
pub use self::clh::Clh;
pub use self::exclusively::Exclusively;
pub use self::futex::Futex;
pub use self::mcs::Mcs;
pub use self::mutex9::Mutex9;
pub use self::or::Or;
pub use self::rwlock9::Rwlock9;
pub use self::rwlock9_2025::Rwlock9Of2025;
#[cfg(not(any(solock_loom, solock_shuttle)))]
pub use self::std_mutex::Std;
pub use self::ticket::Ticket;
