//! Messages as they are sent and received, and how a receiver knows that one is the right one.

mod bytes;

use lockimpls::witness::Check;

use self::bytes::{
    END, Heads, WHOLE, ends_mut, find_damage, head_and_tail_difference, head_mask, origin,
    read_head, sequence, sequence_bits, write_body,
};
pub(crate) use self::bytes::{HEAD_BYTES, LANE_BYTES};
use crate::call::Place;

/// How many messages may follow a gap before what is missing counts as lost, not as late.
const PATIENCE: u32 = 256;
/// A gap that is larger than this is not a gap but damage.
const GAP_MAX: i64 = 1 << 20;

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
        Source {
            data: vec![0; message_bytes].into_boxed_slice(),
            heads: Heads::from(origin, 0).with(WHOLE),
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
            self.heads.keep(self.kept);
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
        origin(read_head(&self.data))
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
            self.damaged(place, &format!("it says it is of {:#x}", origin(got)));
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
        if let Some(at) = find_damage(message) {
            self.damaged(place, &format!("byte {at} is {:#04x}", message[at]));
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
