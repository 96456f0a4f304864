//! The head that stands before a record in the ring.

use super::charge::{Fill, MSIZE, mbuf_charge, sa_len_of};

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
}
