//! What messages count in a buffer, and how much a buffer may hold.

use crate::domain::SockAddr;

/// MSIZE: what a plain mbuf is charged.
pub(crate) const MSIZE: usize = 256;
/// MLEN: how many bytes a plain mbuf holds.
pub(crate) const MLEN: usize = 224;
/// MHLEN: how many the first mbuf of a message holds, which has a packet header.
const MHLEN: usize = 144;
/// MINCLSIZE: so many bytes go into a cluster.
const MINCLSIZE: usize = MHLEN + MLEN + 1;
/// MCLBYTES: the smallest cluster.
pub(crate) const MCLBYTES: usize = 2048;
/// MAXMCLBYTES: the largest cluster.
const MAXMCLBYTES: usize = 65536;
/// The cluster sizes, smallest first: `mclsizes` (`uipc_mbuf.c`), in whole cache lines.
const CLUSTERS: [usize; 8] = [MCLBYTES, 2112, 4096, 8192, 9216, 12288, 16384, MAXMCLBYTES];
/// What the address of an unnamed sender counts as: a `sockaddr`.
const SA_UNNAMED: usize = 16;
/// What that of a bound one counts as, however long its path: a `sockaddr_un` (`unp_bind`,
/// `uipc_usrreq.c` 1.167, line 677).
const SA_BOUND: usize = 106;

/// What a message of this many bytes is charged in `mbcnt`: the mbufs that `m_getuio` puts it in.
pub(crate) const fn mbuf_charge(len: usize) -> usize {
    if len <= MHLEN {
        MSIZE
    } else if len < MINCLSIZE {
        2 * MSIZE
    } else if len <= MCLBYTES {
        MSIZE + MCLBYTES
    } else {
        cluster_charge(len)
    }
}

/// [`mbuf_charge`] of more than fits in the smallest cluster.
const fn cluster_charge(len: usize) -> usize {
    let (whole, rest) = (len / MAXMCLBYTES, len % MAXMCLBYTES);
    let charge = whole * (MSIZE + MAXMCLBYTES);
    if rest == 0 {
        return charge;
    }
    if whole > 0 && rest < MINCLSIZE {
        // Only the first mbuf has a packet header.
        return charge + rest.div_ceil(MLEN) * MSIZE;
    }
    let mut i = 0;
    while rest > CLUSTERS[i] {
        i += 1;
    }
    charge + MSIZE + CLUSTERS[i]
}

/// How many bytes of a message are in its first mbuf.
pub(super) const fn first_mbuf_len(len: usize) -> usize {
    let most = if len < MINCLSIZE { MHLEN } else { MAXMCLBYTES };
    if len < most { len } else { most }
}

/// `sb_mbmax` for a buffer of this `hiwat`.
pub(crate) const fn mbmax_for(hiwat: usize) -> usize {
    let eight = 8 * hiwat;
    if eight > 3 * 65536 { eight } else { 3 * 65536 }
}

/// The length of an address as it counts in `cc`: `sa_len`.
pub(crate) fn sa_len(name: &SockAddr) -> usize {
    sa_len_of(name.path().len())
}

/// [`sa_len`] by the length of the path.
pub(super) const fn sa_len_of(path_len: usize) -> usize {
    if path_len == 0 { SA_UNNAMED } else { SA_BOUND }
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
pub(crate) fn stream_charge(head: usize, tail: usize) -> usize {
    if head == tail {
        return 0;
    }
    (tail.div_ceil(MCLBYTES) - head / MCLBYTES) * (MSIZE + MCLBYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_charged_the_mbufs_it_is_put_in() {
        let expected = [
            (0, 256),
            (144, 256),
            (145, 2 * 256),
            (368, 2 * 256),
            (369, 256 + 2048),
            (2048, 256 + 2048),
            (2049, 256 + 2112),
            (2113, 256 + 4096),
            (8193, 256 + 9216),
            (12289, 256 + 16384),
            (16385, 256 + 65536),
            (65536, 256 + 65536),
            (65537, 2 * 256 + 65536),
            (65536 + 225, 3 * 256 + 65536),
            (65536 + 368, 3 * 256 + 65536),
            (65536 + 369, 2 * 256 + 65536 + 2048),
            (2 * 65536, 2 * (256 + 65536)),
            (2 * 65536 + 4096, 2 * (256 + 65536) + 256 + 4096),
        ];
        for (len, charge) in expected {
            assert_eq!(mbuf_charge(len), charge, "{len} bytes");
        }
    }

    #[test]
    fn the_first_mbuf_is_a_small_one_or_a_cluster() {
        let lengths = [0, 144, 145, 368, 369, 65536, 65537].map(first_mbuf_len);
        assert_eq!(lengths, [0, 144, 144, 144, 369, 65536, 65536]);
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
    fn an_address_counts_the_same_however_long_its_path() {
        let lengths = ["a", "abcd"].map(|path| sa_len(&SockAddr::new(path).unwrap()));
        assert_eq!((sa_len(&SockAddr::UNNAMED), lengths), (16, [106, 106]));
    }

    #[test]
    fn a_stream_is_charged_its_blocks() {
        let blocks = |head, tail| stream_charge(head, tail) / 2304;
        assert_eq!([stream_charge(5, 5), stream_charge(0, 1)], [0, 2304]);
        assert_eq!([blocks(2047, 2049), blocks(2048, 4096), blocks(4095, 6145)], [2, 1, 3]);
    }
}
