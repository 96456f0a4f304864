//! Choices drawn from a seed.

use lockimpls_shuttle::{SockType, WaitStrategy};

/// A small generator of numbers: a seed repeats its choices.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// One of the first `n` numbers.
    pub(crate) fn roll(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// One time in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }

    pub(crate) fn kind(&mut self) -> SockType {
        self.of(&SockType::ALL)
    }

    pub(crate) fn wait(&mut self) -> WaitStrategy {
        self.of(&WaitStrategy::ALL)
    }

    /// A generator of its own for each thread.
    pub(crate) fn fork(&mut self) -> Dice {
        Dice((self.roll(1 << 30) as u64) << 31 | self.roll(1 << 31) as u64)
    }
}
