//! The algorithms that a lock can have, by name.

/// The algorithm of a lock. `lockimpls/src/raw/` has a file for each that is this crate's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `parking_lot`'s lock for readers and writers, without readers.
    #[default]
    ParkingLot,
    /// rwlock(9) of July 2022.
    Rwlock9,
    /// rwlock(9) of July 2025.
    Rwlock9Of2025,
    /// mutex(9).
    Mutex9,
    /// The ticket lock.
    Ticket,
    /// Mellor-Crummey and Scott's queue.
    Mcs,
    /// Craig's queue; Landin and Hagersten's.
    Clh,
    /// Drepper's futex of three states.
    Futex,
    /// The standard library's mutex.
    Std,
    /// Another crate's, known by what it says of itself.
    Own(&'static OwnLock),
}

use Algorithm::{Clh, Futex, Mcs, Mutex9, Own, ParkingLot, Rwlock9, Rwlock9Of2025, Std, Ticket};

/// What users are told of an algorithm; what another crate says of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnLock {
    /// The name by which users choose it, such as `ticket`.
    pub name: &'static str,
    /// One line: how it waits, and after what it is.
    pub about: &'static str,
    /// Whether a thread that waits never sleeps, so that it wants a CPU of its own.
    pub spins: bool,
}

const fn sleeps(name: &'static str, about: &'static str) -> OwnLock {
    OwnLock { name, about, spins: false }
}

const fn spins(name: &'static str, about: &'static str) -> OwnLock {
    OwnLock { name, about, spins: true }
}

impl Algorithm {
    /// Those of this crate, in the order in which they are listed to users. The first is the
    /// default.
    pub const ALL: [Algorithm; 9] =
        [ParkingLot, Rwlock9, Rwlock9Of2025, Mutex9, Ticket, Mcs, Clh, Futex, Std];

    const fn told(self) -> OwnLock {
        match self {
            ParkingLot => {
                sleeps("parking-lot", "spins, then sleeps: parking_lot's RawRwLock (default)")
            }
            Rwlock9 => {
                sleeps("rwlock9", "spins, then sleeps, wakes all: rwlock(9), kern_rwlock.c 1.48")
            }
            Rwlock9Of2025 => sleeps(
                "rwlock9-2025",
                "spins, then sleeps, wakes one: rwlock(9), kern_rwlock.c 1.58",
            ),
            Mutex9 => spins("mutex9", "spins: mutex(9), kern_lock.c 1.72"),
            Ticket => spins("ticket", "spins in turn: the ticket lock of kern_lock.c 1.72"),
            Mcs => spins("mcs", "spins in turn, each on its own node: Mellor-Crummey and Scott"),
            Clh => spins("clh", "spins in turn, each on the node before its own: Craig"),
            Futex => sleeps("futex", "sleeps at once, wakes one: Drepper's futex of three states"),
            Std => sleeps("std", "spins, then sleeps: std::sync::Mutex"),
            Own(lock) => *lock,
        }
    }

    /// The name that users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.told().name
    }

    /// One line: how it waits, and after what it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.told().about
    }

    /// Whether a thread that waits never sleeps, so that it wants a CPU of its own.
    #[must_use]
    pub const fn spins(self) -> bool {
        self.told().spins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_have_one_name_and_the_first_is_the_default() {
        for algorithm in Algorithm::ALL {
            let named = |other: &Algorithm| other.name() == algorithm.name();
            assert_eq!(Algorithm::ALL.iter().filter(|other| named(other)).count(), 1);
        }
        assert_eq!(Algorithm::ALL[0], Algorithm::default());
    }

    #[test]
    fn another_crates_is_what_it_says_of_itself() {
        const ONE: OwnLock = spins("one", "spins");
        const OTHER: OwnLock = OwnLock { name: "other", ..ONE };
        let lock = Algorithm::Own(&ONE);
        assert_eq!((lock.name(), lock.about(), lock.spins()), ("one", "spins", true));
        assert_ne!(lock, Algorithm::Own(&OTHER));
        assert!(!Algorithm::ALL.contains(&lock));
    }
}
