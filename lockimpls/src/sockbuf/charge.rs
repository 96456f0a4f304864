//! What messages count in a buffer, and how much a buffer may hold.

use crate::domain::SockAddr;

/// MSIZE: what a plain mbuf is charged.
pub(crate) const MSIZE: usize = 256;
/// How many bytes a plain mbuf holds.
const MLEN: usize = 224;
/// MCLBYTES: the smallest cluster.
pub(crate) const MCLBYTES: usize = 2048;
/// The cluster sizes, smallest first.
const CLUSTERS: [usize; 6] = [MCLBYTES, 4096, 8192, 16384, 32768, 65536];
/// What the address of an unnamed sender counts as.
pub(super) const SA_UNNAMED: usize = 16;
/// What a message of this many bytes is charged in `mbcnt`.
pub(crate) const fn mbuf_charge(len: usize) -> usize {
    if len <= MLEN {
        return MSIZE;
    }
    let mut i = 0;
    while i < CLUSTERS.len() {
        if len <= CLUSTERS[i] {
            return MSIZE + CLUSTERS[i];
        }
        i += 1;
    }
    let whole = len / 65536;
    whole * (MSIZE + 65536) + if len.is_multiple_of(65536) { 0 } else { mbuf_charge(len % 65536) }
}

/// `sb_mbmax` for a buffer of this `hiwat`.
pub(crate) const fn mbmax_for(hiwat: usize) -> usize {
    let eight = 8 * hiwat;
    if eight > 3 * 65536 { eight } else { 3 * 65536 }
}

/// The length of an address as it counts in `cc`: `sa_len`.
pub(crate) fn sa_len(name: &SockAddr) -> usize {
    if name.is_unnamed() { SA_UNNAMED } else { 2 + name.path().len() + 1 }
}

/// How much a buffer holds, or may hold: bytes and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) cc: usize,
    pub(crate) mbcnt: usize,
}

/// The limits of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// `sb_hiwat`, bytes.
    pub(crate) hiwat: usize,
    /// `sb_mbmax`, bytes of memory.
    pub(crate) mbmax: usize,
}

impl Limits {
    pub(crate) const ZERO: Limits = Limits { hiwat: 0, mbmax: 0 };

    pub(crate) const fn of(hiwat: usize) -> Limits {
        Limits { hiwat, mbmax: mbmax_for(hiwat) }
    }

    /// `sbspace`: what still fits; negative when the buffer is over its limit.
    #[inline(always)]
    pub(crate) fn space(self, fill: Fill) -> isize {
        let bytes = self.hiwat as isize - fill.cc as isize;
        let memory = self.mbmax as isize - fill.mbcnt as isize;
        bytes.min(memory)
    }
}

/// What the bytes of a stream between two positions are charged.
#[inline]
pub(super) fn stream_charge(head: usize, tail: usize) -> usize {
    if head == tail {
        return 0;
    }
    (tail.div_ceil(MCLBYTES) - head / MCLBYTES) * (MSIZE + MCLBYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_charged_the_smallest_that_holds_it() {
        let expected = [
            (0, 256),
            (224, 256),
            (225, 256 + 2048),
            (2048, 256 + 2048),
            (2049, 256 + 4096),
            (65536, 256 + 65536),
            (65537, 2 * 256 + 65536),
            (2 * 65536, 2 * (256 + 65536)),
            (2 * 65536 + 300, 2 * (256 + 65536) + 256 + 2048),
        ];
        for (len, charge) in expected {
            assert_eq!(mbuf_charge(len), charge, "{len} bytes");
        }
    }

    #[test]
    fn memory_is_limited_to_eight_times_the_bytes_or_more() {
        let limits = [4096, 16384, 24576, 24577].map(mbmax_for);
        assert_eq!(limits, [196_608, 196_608, 196_608, 196_616]);
        assert_eq!(Limits::of(24577), Limits { hiwat: 24577, mbmax: 196_616 });
    }

    #[test]
    fn the_scarcer_of_bytes_and_memory_is_the_space() {
        let limits = Limits { hiwat: 10, mbmax: 20 };
        let space = |cc, mbcnt| limits.space(Fill { cc, mbcnt });
        assert_eq!([space(3, 5), space(3, 18), space(12, 5)], [7, 2, -2]);
    }

    #[test]
    fn an_address_counts_its_head_its_path_and_a_nul() {
        let lengths = ["a", "abcd"].map(|path| sa_len(&SockAddr::new(path).unwrap()));
        assert_eq!((sa_len(&SockAddr::UNNAMED), lengths), (16, [4, 7]));
    }

    #[test]
    fn a_stream_is_charged_its_blocks() {
        let blocks = |head, tail| stream_charge(head, tail) / 2304;
        assert_eq!([stream_charge(5, 5), stream_charge(0, 1)], [0, 2304]);
        assert_eq!([blocks(2047, 2049), blocks(2048, 4096), blocks(4095, 6145)], [2, 1, 3]);
    }
}
