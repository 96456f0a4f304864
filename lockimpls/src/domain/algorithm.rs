//! The algorithms that a lock can have, by name.

/// The algorithm of a lock. `lockimpls/src/raw/` has a file for each.
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
}

use Algorithm::{Clh, Futex, Mcs, Mutex9, ParkingLot, Rwlock9, Rwlock9Of2025, Std, Ticket};

/// What users are told of one.
struct Row {
    algorithm: Algorithm,
    name: &'static str,
    about: &'static str,
    spins: bool,
}

const fn sleeps(algorithm: Algorithm, name: &'static str, about: &'static str) -> Row {
    Row { algorithm, name, about, spins: false }
}

const fn spins(algorithm: Algorithm, name: &'static str, about: &'static str) -> Row {
    Row { algorithm, name, about, spins: true }
}

/// In the order of the variants.
const ROWS: [Row; 9] = [
    sleeps(ParkingLot, "parking-lot", "spins, then sleeps: parking_lot's RawRwLock (default)"),
    sleeps(Rwlock9, "rwlock9", "spins, then sleeps, wakes all: rwlock(9), kern_rwlock.c 1.48"),
    sleeps(
        Rwlock9Of2025,
        "rwlock9-2025",
        "spins, then sleeps, wakes one: rwlock(9), kern_rwlock.c 1.58",
    ),
    spins(Mutex9, "mutex9", "spins: mutex(9), kern_lock.c 1.72"),
    spins(Ticket, "ticket", "spins in turn: the ticket lock of kern_lock.c 1.72"),
    spins(Mcs, "mcs", "spins in turn, each on its own node: Mellor-Crummey and Scott"),
    spins(Clh, "clh", "spins in turn, each on the node before its own: Craig"),
    sleeps(Futex, "futex", "sleeps at once, wakes one: Drepper's futex of three states"),
    sleeps(Std, "std", "spins, then sleeps: std::sync::Mutex"),
];

impl Algorithm {
    /// All of them, in the order in which they are listed to users. The first is the default.
    pub const ALL: [Algorithm; ROWS.len()] = {
        let mut all = [ParkingLot; ROWS.len()];
        let mut i = 0;
        while i < all.len() {
            all[i] = ROWS[i].algorithm;
            i += 1;
        }
        all
    };

    /// The name that users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        ROWS[self as usize].name
    }

    /// One line: how it waits, and after what it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        ROWS[self as usize].about
    }

    /// Whether a thread that waits never sleeps, so that it wants a CPU of its own.
    #[must_use]
    pub const fn spins(self) -> bool {
        ROWS[self as usize].spins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_in_the_order_of_the_variants_and_no_two_have_one_name() {
        for (i, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            assert_eq!(algorithm as usize, i);
            let named = |other: &Algorithm| other.name() == algorithm.name();
            assert_eq!(Algorithm::ALL.iter().filter(|other| named(other)).count(), 1);
        }
        assert_eq!(Algorithm::ALL[0], Algorithm::default());
    }
}
