//! The head that stands before a record in the ring.

use super::charge::{Fill, MSIZE, first_mbuf_len, mbuf_charge, sa_len_of};

/// The length of the head, and the alignment of records.
pub(super) const HEAD: usize = 16;

/// What is noted of a record beside its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A control message belongs to it.
    pub(crate) has_control: bool,
    /// Its sender ended it by hand: MSG_EOR.
    pub(crate) is_eor: bool,
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Bytes of data.
    pub(crate) len: usize,
    /// Bytes of address.
    pub(super) name_len: usize,
    pub(crate) marks: Marks,
    /// Whether it is a datagram (and so its address counts).
    pub(super) is_dgram: bool,
}

impl Record {
    pub(super) fn encode(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&(self.len as u32).to_ne_bytes());
        head[4] = self.name_len as u8;
        head[5] = u8::from(self.marks.has_control);
        head[6] = u8::from(self.is_dgram);
        head[7] = u8::from(self.marks.is_eor);
        head
    }

    pub(super) fn decode(head: [u8; HEAD]) -> Record {
        Record {
            len: u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize,
            name_len: usize::from(head[4]),
            marks: Marks { has_control: head[5] != 0, is_eor: head[7] != 0 },
            is_dgram: head[6] != 0,
        }
    }

    /// How much of the ring it takes.
    pub(super) fn size(self) -> usize {
        (HEAD + self.name_len + self.len).next_multiple_of(HEAD)
    }

    /// What it counts.
    pub(super) fn fill(self) -> Fill {
        if !self.is_dgram {
            return Fill { cc: self.len, mbcnt: mbuf_charge(self.len) };
        }
        Fill { cc: self.len + sa_len_of(self.name_len), mbcnt: MSIZE + mbuf_charge(self.len) }
    }

    /// What a receive with so much room takes of it (`soreceive`, `uipc_socket.c` 1.279, lines 1028
    /// to 1158).
    ///
    /// MSG_TRUNC tells of an mbuf that is left, which one without bytes is, too, where there is no
    /// room. MSG_EOR ends the receive behind the mbuf that is marked: the last one of a plain
    /// record, which `sbcompress` marks, but the first one of a datagram, and of a record with a
    /// control message.
    pub(crate) fn taken(self, room: usize) -> Taken {
        let marks_first = self.marks.is_eor && (self.is_dgram || self.marks.has_control);
        let end = if marks_first { first_mbuf_len(self.len) } else { self.len };
        let bytes = room.min(end);
        Taken {
            bytes,
            is_cut: room == 0 || bytes < self.len,
            is_eor: self.marks.is_eor && room > 0 && bytes == end,
        }
    }

    /// Whether a receive goes on behind it, as if it had not been there: a record of no bytes that
    /// was not ended by hand. (A datagram has an address; the caller knows of a control message.)
    #[inline(always)]
    pub(crate) fn is_nothing(self) -> bool {
        self.len == 0 && !self.marks.is_eor && !self.marks.has_control && !self.is_dgram
    }
}

/// What a receive takes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) bytes: usize,
    /// MSG_TRUNC: the rest is lost.
    pub(crate) is_cut: bool,
    /// MSG_EOR.
    pub(crate) is_eor: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(len: usize, name_len: usize, is_dgram: bool) -> Record {
        Record { len, name_len, marks: Marks::default(), is_dgram }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for bits in 0..8 {
            let marks = Marks { has_control: bits & 1 != 0, is_eor: bits & 2 != 0 };
            let record = Record { marks, ..record(0x0102_0304, 103, bits & 4 != 0) };
            assert_eq!(Record::decode(record.encode()), record);
        }
    }

    #[test]
    fn a_record_takes_its_head_its_address_and_its_bytes_in_whole_pieces() {
        let sizes = [(0, 0), (16, 0), (17, 0), (13, 3), (14, 3), (100, 50)];
        let sizes = sizes.map(|(len, name_len)| record(len, name_len, true).size());
        assert_eq!(sizes, [16, 32, 48, 32, 48, 176]);
    }

    #[test]
    fn a_datagram_counts_its_address() {
        assert_eq!(record(400, 0, false).fill(), Fill { cc: 400, mbcnt: 2304 });
        assert_eq!(record(400, 0, true).fill(), Fill { cc: 416, mbcnt: 2560 });
        assert_eq!(record(400, 7, true).fill(), Fill { cc: 506, mbcnt: 2560 });
    }

    fn taken(record: Record, room: usize) -> (usize, bool, bool) {
        let Taken { bytes, is_cut, is_eor } = record.taken(room);
        (bytes, is_cut, is_eor)
    }

    #[test]
    fn what_is_left_is_cut_off_though_it_has_no_bytes() {
        let (empty, three) = (record(0, 0, false), record(3, 0, false));
        assert_eq!([taken(empty, 0), taken(empty, 1)], [(0, true, false), (0, false, false)]);
        let takes = [0, 2, 3, 9].map(|room| taken(three, room));
        assert_eq!(
            takes,
            [(0, true, false), (2, true, false), (3, false, false), (3, false, false)]
        );
    }

    #[test]
    fn a_marked_mbuf_ends_the_receive() {
        let marks = Marks { is_eor: true, ..Marks::default() };
        let record = |len, is_dgram| Record { marks, ..record(len, 0, is_dgram) };
        assert_eq!(
            [0, 1].map(|room| taken(record(0, false), room)),
            [(0, true, false), (0, false, true)]
        );
        assert_eq!(
            [199, 200].map(|room| taken(record(200, false), room)),
            [(199, true, false), (200, false, true)]
        );
        // 144 bytes are in the first mbuf.
        assert_eq!(
            [143, 144, 999].map(|room| taken(record(200, true), room)),
            [(143, true, false), (144, true, true), (144, true, true)]
        );
        assert_eq!(taken(record(400, true), 400), (400, false, true));
        let with_control =
            Record { marks: Marks { has_control: true, is_eor: true }, ..record(200, false) };
        assert_eq!(taken(with_control, 999), (144, true, true));
    }
}
