//! What a message holds, and how a receiver knows that it is the right one.
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

use lockimpls::witness::Check;

use crate::call::Place;

/// How long a message must be to tell more than one sender by its lane.
pub(crate) const LANE_BYTES: usize = 2;
/// How long a message must be to hold its origin whole.
pub(crate) const ORIGIN_BYTES: usize = 3;
/// How long a message must be to hold its head whole.
pub(crate) const HEAD_BYTES: usize = 8;

const END: u64 = 1;
const WHOLE: u64 = 2;
const FLAGS: u64 = END | WHOLE;

/// How many messages may follow a gap before what is missing counts as lost, not as late.
const PATIENCE: u32 = 256;
/// A gap that is larger than this is not a gap but damage.
const GAP_MAX: i64 = 1 << 20;

const fn head(origin: u16, sequence: u64) -> u64 {
    (sequence & 0x3f) << 2 | (origin as u64) << 8 | (sequence >> 6) << 24
}

/// The heads of one origin's messages, one after the other. Between the two parts of the sequence
/// number stands the origin: here its bits are all set, so that what is added to the low part
/// carries over into the high one.
#[derive(Clone, Copy, Debug)]
struct Heads {
    /// The next head, the origin's bits set; the flags are kept from one head to the next.
    next: u64,
    /// Which of its bits the head has.
    mask: u64,
}

impl Heads {
    const ORIGIN: u64 = 0xff_ff00;

    /// From this number on, without flags.
    const fn from(origin: u16, sequence: u64) -> Heads {
        let mask = !Self::ORIGIN | (origin as u64) << 8;
        Heads { next: head(u16::MAX, sequence), mask }
    }

    /// The next head.
    #[inline]
    const fn next(&self) -> u64 {
        self.next & self.mask
    }

    /// Goes on to the one after it.
    #[inline]
    const fn advance(&mut self) {
        self.next = self.next.wrapping_add(1 << 2) | Self::ORIGIN;
    }
}

const fn sequence(head: u64) -> u64 {
    (head >> 2) & 0x3f | (head >> 24) << 6
}

/// The bits of a head that a message of this length holds.
const fn head_mask(len: usize) -> u64 {
    if len >= HEAD_BYTES { u64::MAX } else { (1 << (8 * len)) - 1 }
}

/// How many bits of the sequence number a message of this length holds.
const fn sequence_bits(len: usize) -> u32 {
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
fn read_head(message: &[u8]) -> u64 {
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
fn ends_mut(message: &mut [u8]) -> Option<(&mut [u8; HEAD_BYTES], &mut [u8; HEAD_BYTES])> {
    if message.len() < 2 * HEAD_BYTES {
        return None;
    }
    let (first, rest) = message.split_first_chunk_mut()?;
    Some((first, rest.last_chunk_mut()?))
}

/// The head of a message; and its tail and what that ought to be, compared: 0 where they agree, or
/// there is none.
#[inline]
fn head_and_tail_difference(message: &[u8]) -> (u64, u64) {
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

fn write_body(message: &mut [u8], head: u64) {
    let head = head & !FLAGS;
    let range = body(message.len());
    for (at, byte) in message[range].iter_mut().enumerate() {
        *byte = pattern(head, at);
    }
}

/// A sender's side: its buffer, and what comes next.
#[derive(Debug)]
pub(crate) struct Source {
    data: Box<[u8]>,
    /// With the flags of the next message, unless it is the last.
    heads: Heads,
    /// What the messages after the first keep of its flags.
    kept: u64,
    /// How much of the message in the buffer was taken.
    sent: usize,
}

impl Source {
    /// Makes the buffer, on the thread that will use it.
    pub(crate) fn new(message_bytes: usize, origin: u16, verify: bool) -> Source {
        let heads = Heads::from(origin, 0);
        Source {
            data: vec![0; message_bytes].into_boxed_slice(),
            heads: Heads { next: heads.next | WHOLE, ..heads },
            kept: if verify { u64::MAX } else { !WHOLE },
            sent: message_bytes,
        }
    }

    /// Makes the next message.
    #[inline]
    pub(crate) fn fill(&mut self) {
        self.write(self.heads.next());
    }

    /// Makes the last message.
    pub(crate) fn fill_end(&mut self) {
        self.write(self.heads.next() | WHOLE | END);
    }

    #[inline]
    fn write(&mut self, head: u64) {
        match ends_mut(&mut self.data) {
            Some((first, last)) => {
                (*first, *last) = (head.to_le_bytes(), (!head).to_le_bytes());
            }
            None => self.write_short(head),
        }
        if head & WHOLE != 0 {
            write_body(&mut self.data, head);
            self.heads.next &= self.kept;
        }
        self.heads.advance();
        self.sent = 0;
    }

    /// Writes what there is room for of the head, where there is none for a tail.
    fn write_short(&mut self, head: u64) {
        for (to, byte) in self.data.iter_mut().zip(head.to_le_bytes()) {
            *to = byte;
        }
    }

    /// What is still to be sent of the message.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.data[self.sent..]
    }

    /// So many bytes were taken; whether the message is gone.
    #[inline]
    pub(crate) fn took(&mut self, bytes: usize) -> bool {
        self.sent += bytes;
        self.is_sent()
    }

    /// Whether nothing is left to be sent.
    #[inline]
    pub(crate) fn is_sent(&self) -> bool {
        self.sent == self.data.len()
    }

    /// Whether a part was taken, and not all.
    pub(crate) fn is_begun(&self) -> bool {
        self.sent != 0 && !self.is_sent()
    }

    /// Gives up the rest of the message: the connection it was sent on is gone.
    pub(crate) fn abandon(&mut self) {
        self.sent = self.data.len();
    }
}

/// A receiver's side: its buffer, and how much of a message has arrived in it.
#[derive(Debug)]
pub(crate) struct Sink {
    data: Box<[u8]>,
    got: usize,
}

impl Sink {
    /// Makes the buffer, on the thread that will use it.
    pub(crate) fn new(message_bytes: usize) -> Sink {
        Sink { data: vec![0; message_bytes].into_boxed_slice(), got: 0 }
    }

    /// Room for the rest of the message.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.data[self.got..]
    }

    /// So many bytes arrived; whether the message is whole. It stays readable until the next
    /// arrives.
    #[inline]
    pub(crate) fn put(&mut self, bytes: usize) -> bool {
        self.got += bytes;
        let whole = self.got == self.data.len();
        if whole {
            self.got = 0;
        }
        whole
    }

    /// Forgets a part of a message: the connection it came from is gone.
    pub(crate) fn abandon(&mut self) {
        self.got = 0;
    }

    /// The message that has just become whole.
    #[inline]
    pub(crate) fn message(&self) -> &[u8] {
        &self.data
    }

    /// Where that message says it comes from.
    #[inline]
    pub(crate) fn origin(&self) -> u16 {
        (read_head(&self.data) >> 8) as u16
    }
}

/// The messages of one sender at one receiver: they must come in order, none missing, none twice.
#[derive(Debug)]
pub(crate) struct Order {
    origin: u16,
    /// What the next message must have, without flags.
    expected: Heads,
    /// What must be equal in a head of a message that needs no closer look.
    mask: u64,
    /// Whether the next message needs a closer look: after a gap, or where a gap is allowed.
    suspect: bool,
    /// The next message may have any later number.
    resumed: bool,
    /// How many are missing, since which number, and how many may come before they count as lost.
    missing: u64,
    missing_from: u64,
    patience: u32,
}

impl Order {
    /// Before the first message of this origin.
    pub(crate) fn new(message_bytes: usize, origin: u16) -> Order {
        Order {
            origin,
            expected: Heads::from(origin, 0),
            mask: head_mask(message_bytes) & !END,
            suspect: false,
            resumed: false,
            missing: 0,
            missing_from: 0,
            patience: 0,
        }
    }

    /// From here on other messages may have been lost on the way, with the socket they were sent
    /// to; what comes must still be later than what came.
    pub(crate) fn resume(&mut self) {
        (self.suspect, self.resumed) = (true, true);
    }

    /// Checks the message; whether it was the last. Reports what is wrong, which ends the process.
    #[inline]
    pub(crate) fn check(&mut self, message: &[u8], place: &Place) -> bool {
        let (got, difference) = head_and_tail_difference(message);
        let unusual = (got ^ self.expected.next()) & self.mask;
        if unusual | difference != 0 || self.suspect {
            self.check_slow(message, place);
        } else {
            self.expected.advance();
        }
        got & END != 0
    }

    /// The number the next message must have.
    fn next(&self) -> u64 {
        sequence(self.expected.next())
    }

    fn check_slow(&mut self, message: &[u8], place: &Place) {
        let (got, difference) = head_and_tail_difference(message);
        if difference != 0 {
            self.damaged(place, "its last 8 bytes belong to another one");
        }
        let next = self.next();
        if (got ^ self.expected.next()) & self.mask & Heads::ORIGIN != 0 {
            let origin = (got >> 8) as u16;
            self.damaged(place, &format!("it says it is of {origin:#x}"));
        }
        if got & WHOLE != 0 {
            self.check_body(message, place);
        }
        let unused = 64 - sequence_bits(message.len());
        let ahead = (sequence(got).wrapping_sub(next) << unused).cast_signed() >> unused;
        match ahead {
            0 => {}
            1.. if self.resumed => {}
            1..=GAP_MAX => self.gap(ahead.cast_unsigned()),
            ..0 => self.behind(ahead, place),
            _ => self.damaged(place, &format!("its number is off by {ahead}")),
        }
        self.expected = Heads::from(self.origin, next.wrapping_add_signed(ahead) + 1);
        self.resumed = false;
        self.overdue(got & END != 0, place);
        self.suspect = self.missing != 0;
    }

    fn check_body(&self, message: &[u8], place: &Place) {
        let head = read_head(message) & !FLAGS;
        let range = body(message.len());
        let start = range.start;
        for (at, byte) in message[range].iter().enumerate() {
            if *byte != pattern(head, at) {
                self.damaged(place, &format!("byte {} is {byte:#04x}", start + at));
            }
        }
    }

    /// Messages are missing: they are late, and then out of order, or lost.
    #[cold]
    fn gap(&mut self, count: u64) {
        if self.missing == 0 {
            (self.missing_from, self.patience) = (self.next(), PATIENCE);
        }
        self.missing += count;
    }

    /// A message came that ought to have come before.
    #[cold]
    fn behind(&self, ahead: i64, place: &Place) -> ! {
        let (origin, next) = (self.origin, self.next());
        let number = next.wrapping_add_signed(ahead);
        if self.missing != 0 && number >= self.missing_from {
            let what = format!("message {number} of {origin:#x} came after {}", next - 1);
            place.report(Check::OutOfOrder, 1, &what);
        }
        let what = format!("message {number} of {origin:#x} came twice, again before {next}");
        place.report(Check::BytesLost, 1, &what)
    }

    /// What is missing counts as lost when enough came after it, or no more comes.
    fn overdue(&mut self, end: bool, place: &Place) {
        if self.missing == 0 {
            return;
        }
        self.patience = self.patience.saturating_sub(1);
        if end || self.patience == 0 {
            let (from, origin) = (self.missing_from, self.origin);
            let what = format!("message {from} of {origin:#x} never came");
            place.report(Check::BytesLost, self.missing, &what);
        }
    }

    #[cold]
    fn damaged(&self, place: &Place, how: &str) -> ! {
        let (origin, next) = (self.origin, self.next());
        let what = format!("message {next} of {origin:#x} came out wrong: {how}");
        place.report(Check::BytesLost, 1, &what)
    }
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
