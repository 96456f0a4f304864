//! What a message holds.
//!
//! A message begins with its head, a 64-bit word in little-endian order, cut to the message's
//! length:
//!
//! | bits | what |
//! |---|---|
//! | 0 | END: the sender sends no more |
//! | 1 | WHOLE: every byte follows the pattern, and is to be checked |
//! | 2 to 7 | the sequence number, low bits |
//! | 8 to 23 | the origin: the sending lane, and what else tells senders apart |
//! | 24 to 63 | the sequence number, high bits |
//!
//! From 16 bytes on the last eight are the head's complement, so that a message put together of two
//! is noticed. These are written and compared for every message. The bytes between are a pattern
//! derived from the head; they are written and compared in the messages marked WHOLE: the first and
//! the last of every sender, and all of them in verify mode.
//!
//! Less than 8 bytes hold less: of a sequence number in one byte only the loss or repetition of up
//! to 31 messages in a row is seen, and the origin needs [`ORIGIN_BYTES`].

/// How long a message must be to tell more than one sender by its lane.
pub(crate) const LANE_BYTES: usize = 2;
/// How long a message must be to hold its origin whole.
pub(crate) const ORIGIN_BYTES: usize = 3;
/// How long a message must be to hold its head whole.
pub(crate) const HEAD_BYTES: usize = 8;

pub(super) const END: u64 = 1;
pub(super) const WHOLE: u64 = 2;
const FLAGS: u64 = END | WHOLE;

const fn head(origin: u16, sequence: u64) -> u64 {
    (sequence & 0x3f) << 2 | (origin as u64) << 8 | (sequence >> 6) << 24
}

/// The heads of one origin's messages, one after the other. Between the two parts of the sequence
/// number stands the origin: here its bits are all set, so that what is added to the low part
/// carries over into the high one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    /// The next head, the origin's bits set; the flags are kept from one head to the next.
    next: u64,
    /// Which of its bits the head has.
    mask: u64,
}

impl Heads {
    pub(super) const ORIGIN: u64 = 0xff_ff00;

    /// From this number on, without flags.
    pub(super) const fn from(origin: u16, sequence: u64) -> Heads {
        let mask = !Self::ORIGIN | (origin as u64) << 8;
        Heads { next: head(u16::MAX, sequence), mask }
    }

    /// The same heads, with flags in the next and those that keep them.
    pub(super) const fn with(self, flags: u64) -> Heads {
        Heads { next: self.next | flags, ..self }
    }

    /// From here on they keep these bits alone.
    #[inline]
    pub(super) const fn keep(&mut self, bits: u64) {
        self.next &= bits;
    }

    /// The next head.
    #[inline]
    pub(super) const fn next(&self) -> u64 {
        self.next & self.mask
    }

    /// Goes on to the one after it.
    #[inline]
    pub(super) const fn advance(&mut self) {
        self.next = self.next.wrapping_add(1 << 2) | Self::ORIGIN;
    }
}

pub(super) const fn sequence(head: u64) -> u64 {
    (head >> 2) & 0x3f | (head >> 24) << 6
}

/// The bits of a head that a message of this length holds.
pub(super) const fn head_mask(len: usize) -> u64 {
    if len >= HEAD_BYTES { u64::MAX } else { (1 << (8 * len)) - 1 }
}

/// How many bits of the sequence number a message of this length holds.
pub(super) const fn sequence_bits(len: usize) -> u32 {
    match len {
        0..=ORIGIN_BYTES => 6,
        4..HEAD_BYTES => 6 + 8 * (len - ORIGIN_BYTES) as u32,
        _ => 46,
    }
}

/// The word that these less than 8 bytes begin: a loop, for so few are not worth a call of memcpy.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[inline]
pub(super) fn read_head(message: &[u8]) -> u64 {
    match message.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => word(message),
    }
}

/// The first and the last eight bytes of a message that has a head and a tail: told apart from
/// shorter ones by one look at its length.
#[inline]
fn ends(message: &[u8]) -> Option<(&[u8; HEAD_BYTES], &[u8; HEAD_BYTES])> {
    if message.len() < 2 * HEAD_BYTES {
        return None;
    }
    message.first_chunk().zip(message.last_chunk())
}

/// The same, to be written.
#[inline]
pub(super) fn ends_mut(
    message: &mut [u8],
) -> Option<(&mut [u8; HEAD_BYTES], &mut [u8; HEAD_BYTES])> {
    if message.len() < 2 * HEAD_BYTES {
        return None;
    }
    let (first, rest) = message.split_first_chunk_mut()?;
    Some((first, rest.last_chunk_mut()?))
}

/// The head of a message; and its tail and what that ought to be, compared: 0 where they agree, or
/// there is none.
#[inline]
pub(super) fn head_and_tail_difference(message: &[u8]) -> (u64, u64) {
    match ends(message) {
        Some((first, last)) => {
            let head = u64::from_le_bytes(*first);
            (head, u64::from_le_bytes(*last) ^ !head)
        }
        None => (read_head(message), 0),
    }
}

/// The bytes between head and tail: where they begin and end.
fn body(len: usize) -> std::ops::Range<usize> {
    let end = if len >= 2 * HEAD_BYTES { len - HEAD_BYTES } else { len };
    HEAD_BYTES.min(len)..end
}

/// The pattern's byte at this place of the body.
fn pattern(head: u64, at: usize) -> u8 {
    let word = (head ^ (at as u64 / 8)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (word >> (8 * (at % 8))) as u8
}

pub(super) fn write_body(message: &mut [u8], head: u64) {
    let head = head & !FLAGS;
    let range = body(message.len());
    for (at, byte) in message[range].iter_mut().enumerate() {
        *byte = pattern(head, at);
    }
}

/// The first byte between head and tail that does not follow the pattern.
pub(super) fn find_damage(message: &[u8]) -> Option<usize> {
    let head = read_head(message) & !FLAGS;
    let range = body(message.len());
    let is_damaged = |(at, byte): (usize, &u8)| *byte != pattern(head, at);
    message[range.clone()].iter().enumerate().position(is_damaged).map(|at| range.start + at)
}

/// Where a message with this head comes from.
#[inline]
pub(super) fn origin(head: u64) -> u16 {
    (head >> 8) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_after_a_head_is_that_of_the_next_number() {
        for origin in [0, 0xabc, u16::MAX] {
            for number in [0, 1, 62, 63, 64, 4095, 1 << 20, (1 << 40) - 1] {
                let mut heads = Heads::from(origin, number);
                assert_eq!(heads.next(), head(origin, number));
                heads.advance();
                let next = heads.next();
                assert_eq!((next, sequence(next)), (head(origin, number + 1), number + 1));
            }
        }
    }
}
