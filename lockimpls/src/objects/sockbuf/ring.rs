//! Copying into and out of a ring's memory.

#![allow(unsafe_code)]

use crate::copy::copy;
use crate::primitives::{UnsafeCell, note_read, note_write};

/// Where a ring's bytes are. Whoever copies without the socket's lock takes this while it is
/// locked: a ring that was replaced meanwhile keeps its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Ring {
    pub(super) base: *const UnsafeCell<u8>,
    /// The capacity, a power of two, less one.
    pub(super) mask: usize,
}

impl Ring {
    /// Copies into the ring at a position.
    #[inline(always)]
    pub(super) fn copy_in(self, position: usize, data: &[u8]) {
        let (at, base) = (position & self.mask, self.base.cast_mut().cast::<u8>());
        let first = self.mask + 1 - at;
        note_write(base.wrapping_add(at), data.len().min(first));
        note_write(base, data.len().saturating_sub(first));
        // SAFETY: `at + first` is at most the capacity, and the rest at most `at` (the callers put
        // no more than the room they were told of). Only the producer writes, only between `tail`
        // and `head + capacity`, and the consumer does not read there before `tail` has passed it.
        // `UnsafeCell<u8>` has `u8`'s layout.
        unsafe {
            if data.len() <= first {
                copy(data.as_ptr(), base.add(at), data.len());
            } else {
                data.as_ptr().copy_to_nonoverlapping(base.add(at), first);
                data.as_ptr().add(first).copy_to_nonoverlapping(base, data.len() - first);
            }
        }
    }

    /// Copies out of the ring from a position: what lies between `head` and `tail` as the caller
    /// saw them with this ring.
    #[inline(always)]
    pub(crate) fn copy_out(self, position: usize, data: &mut [u8]) {
        let (at, base) = (position & self.mask, self.base.cast::<u8>());
        let first = self.mask + 1 - at;
        note_read(base.wrapping_add(at), data.len().min(first));
        note_read(base, data.len().saturating_sub(first));
        // SAFETY: as in `copy_in`; the consumer reads between `head` and `tail` only, where the
        // producer does not write before `head` has passed it. The memory of a replaced ring stays
        // until the buffer goes, and nobody writes to it any more.
        unsafe {
            if data.len() <= first {
                copy(base.add(at), data.as_mut_ptr(), data.len());
            } else {
                base.add(at).copy_to_nonoverlapping(data.as_mut_ptr(), first);
                base.copy_to_nonoverlapping(data.as_mut_ptr().add(first), data.len() - first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: usize = 128;

    #[test]
    fn bytes_go_round_and_nothing_else_is_touched() {
        let data: Vec<u8> = (1..=CAPACITY as u8).collect();
        for position in 0..2 * CAPACITY {
            for len in [0, 1, 2, 31, 64, 127, 128] {
                let memory: Vec<_> = (0..3 * CAPACITY).map(|_| UnsafeCell::new(0)).collect();
                let ring = Ring { base: memory[CAPACITY..].as_ptr(), mask: CAPACITY - 1 };
                ring.copy_in(position, &data[..len]);
                let mut expected = vec![0; 3 * CAPACITY];
                for (at, byte) in (position..).zip(&data[..len]) {
                    expected[CAPACITY + at % CAPACITY] = *byte;
                }
                let mut out = vec![0; len + 2];
                ring.copy_out(position, &mut out[1..=len]);
                assert_eq!(out[1..=len], data[..len], "{len} bytes from {position}");
                assert_eq!((out[0], out[len + 1]), (0, 0));
                let memory: Vec<u8> = memory.into_iter().map(UnsafeCell::into_inner).collect();
                assert_eq!(memory, expected, "{len} bytes at {position}");
            }
        }
    }
}
