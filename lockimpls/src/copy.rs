//! Copying a message's bytes.

#![allow(unsafe_code)]

/// Copies bytes: 16 to 64 of them in place, as pieces of 16 from both ends that overlap in the
/// middle, for a call of memcpy costs as much as copying so few; any other number by that call.
///
/// # Safety
/// As for [`std::ptr::copy_nonoverlapping`].
#[inline(always)]
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    const PIECE: usize = 16;
    type Piece = [u8; PIECE];
    if !(PIECE..=4 * PIECE).contains(&len) {
        // SAFETY: the caller's.
        return unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
    }
    // How far the inner pieces lie from the ends: nowhere, where two pieces are enough.
    let inner = if len > 2 * PIECE { PIECE } else { 0 };
    // SAFETY: every piece lies inside `len` bytes: `len` is at least PIECE, and more than twice
    // that where `inner` is not 0.
    unsafe {
        let piece = |at: usize| {
            let bytes = from.add(at).cast::<Piece>().read_unaligned();
            to.add(at).cast::<Piece>().write_unaligned(bytes);
        };
        piece(0);
        piece(inner);
        piece(len - PIECE - inner);
        piece(len - PIECE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_length_is_copied_whole_and_nothing_else_is_touched() {
        let from: Vec<u8> = (1..=100).collect();
        for len in 0..=100 {
            let mut to = [0; 102];
            // SAFETY: both have at least `len` bytes, and are apart.
            unsafe { copy(from.as_ptr(), to.as_mut_ptr().wrapping_add(1), len) };
            assert_eq!(to[1..=len], from[..len]);
            assert!(to[0] == 0 && to[len + 1..].iter().all(|byte| *byte == 0));
        }
    }
}
