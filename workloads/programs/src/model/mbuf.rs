//! Messages as chains of mbufs: `mbuf.h` 1.254, `m_getuio` of `uipc_socket.c`.
//!
//! Sizes matter, for an mbuf is charged for (`sb_mbcnt`), a chain is merged where there is room
//! behind its data, and the end of a record is marked on one mbuf. They are those of a machine
//! with 64-bit pointers.

use lockimpls::SockAddr;

use super::Id;

/// mbuf.h:47
const MSIZE: usize = 256;
/// What `struct m_hdr` leaves (mbuf.h:56).
const MLEN: usize = MSIZE - 32;
/// What `struct pkthdr` leaves of that (mbuf.h:57).
const MHLEN: usize = MLEN - 80;
/// mbuf.h:60
const MINCLSIZE: usize = MHLEN + MLEN + 1;
/// mbuf.h:65
pub(super) const MCLBYTES: usize = 2048;
/// mbuf.h:59
pub(super) const MAXMCLBYTES: usize = 64 * 1024;

/// The sizes of clusters (uipc_mbuf.c:111), in whole lines of 64 bytes: `mbinit` makes the pools
/// with that alignment (192), and `m_clget` charges the pool's size (377).
const CLUSTERS: [usize; 8] =
    [MCLBYTES, MCLBYTES + 64, 4096, 8192, 9 * 1024, 12 * 1024, 16 * 1024, MAXMCLBYTES];

/// A whole `sockaddr_un`: what a bound name counts (uipc_usrreq.c:677, un.h:49).
const SOCKADDR_UN: usize = 106;
/// `sun_noname`, a bare `sockaddr` (uipc_usrreq.c:115).
const SOCKADDR: usize = 16;
/// `_ALIGN(sizeof(struct cmsghdr))` (socket.h:542).
const CMSG_HDR: usize = 16;
/// `sizeof(struct fdpass)` (unpcb.h:105).
const FDPASS: usize = 16;

/// CMSG_LEN of so many descriptors as numbers: what a caller hands over and makes room for. The
/// interface has no padding behind the last one.
pub(super) fn controllen(count: usize) -> usize {
    CMSG_HDR + 4 * count
}

/// CMSG_SPACE of so many descriptors as `struct fdpass`: what they count in a buffer.
pub(super) fn fdpass_space(count: usize) -> usize {
    CMSG_HDR + FDPASS * count
}

/// What an mbuf carries: MT_SONAME, MT_CONTROL, MT_DATA.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Content {
    Name(SockAddr),
    /// Files, and how much they count, also when they were discarded where they lie.
    Control(Vec<Id>, usize),
    Data(Vec<u8>),
}

/// An mbuf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mbuf {
    pub(super) content: Content,
    /// The size of its cluster; 0: it has none (M_EXT).
    ext_size: usize,
    /// `m_trailingspace`.
    trailing: usize,
    /// M_EOR
    pub(super) is_eor: bool,
}

/// One message or record.
pub(super) type Chain = Vec<Mbuf>;

impl Mbuf {
    fn new(content: Content, ext_size: usize, trailing: usize) -> Mbuf {
        Mbuf { content, ext_size, trailing, is_eor: false }
    }

    /// A datagram's sender: uipc_usrreq.c:325, uipc_socket2.c:845.
    pub(super) fn name(addr: SockAddr) -> Mbuf {
        Mbuf::new(Content::Name(addr), 0, 0)
    }

    /// Descriptors as `unp_internalize` leaves them: where they do not fit in the mbuf, they are in
    /// a cluster (uipc_usrreq.c:1174, uipc_syscalls.c:1153).
    pub(super) fn control(files: Vec<Id>) -> Mbuf {
        let len = fdpass_space(files.len());
        let is_big = len > MLEN || controllen(files.len()) > MLEN;
        Mbuf::new(Content::Control(files, len), if is_big { MCLBYTES } else { 0 }, 0)
    }

    /// `m_len`
    pub(super) fn len(&self) -> usize {
        match &self.content {
            Content::Name(addr) if addr.is_unnamed() => SOCKADDR,
            Content::Name(_) => SOCKADDR_UN,
            Content::Control(_, len) => *len,
            Content::Data(bytes) => bytes.len(),
        }
    }

    /// What it is charged for (socketvar.h:239).
    pub(super) fn mbcnt(&self) -> usize {
        MSIZE + self.ext_size
    }

    /// Takes the bytes of the next mbuf in, if there is room: the conditions of `sbcompress`
    /// (uipc_socket2.c:932).
    pub(super) fn merges(&mut self, next: &Mbuf) -> bool {
        let most = if self.ext_size > 0 { self.ext_size } else { MCLBYTES } / 4;
        let len = next.len();
        if self.is_eor || len > most || len > self.trailing {
            return false;
        }
        let (Content::Data(here), Content::Data(bytes)) = (&mut self.content, &next.content) else {
            return false;
        };
        here.extend_from_slice(bytes);
        self.trailing -= len;
        true
    }

    /// Whether it carries bytes, as the mbufs of a send all do.
    pub(super) fn is_data(&self) -> bool {
        matches!(self.content, Content::Data(_))
    }

    /// The files in it.
    pub(super) fn files(&self) -> &[Id] {
        if let Content::Control(files, _) = &self.content { files } else { &[] }
    }
}

/// `m_getuio`: the first bytes of a message, in mbufs (uipc_socket.c:679). `space` is not less than
/// 0. The room that records have before their data is of no consequence: nothing is merged into
/// them but what was sent with them, and of that each mbuf but the last is full.
pub(super) fn m_getuio(data: &[u8], mut space: usize) -> Chain {
    let (mut top, mut rest) = (Chain::new(), data);
    loop {
        let resid = rest.len().min(space); // :701
        let ext_size = if resid >= MINCLSIZE { cluster(resid) } else { 0 }; // :702
        let room = match (ext_size, top.is_empty()) {
            (0, true) => MHLEN, // :690
            (0, false) => MLEN, // :695
            (size, _) => size,  // :708
        };
        let (here, later) = rest.split_at(room.min(resid));
        top.push(Mbuf::new(Content::Data(here.to_vec()), ext_size, room - here.len()));
        (rest, space) = (later, space - here.len());
        if space == 0 || rest.is_empty() {
            return top; // :740
        }
    }
}

/// `m_clpool`: the smallest that is enough (uipc_mbuf.c:375).
fn cluster(len: usize) -> usize {
    let len = len.min(MAXMCLBYTES);
    CLUSTERS.into_iter().find(|size| len <= *size).unwrap_or(MAXMCLBYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_charged_the_pool_its_cluster_comes_from() {
        let charged = |len: usize| {
            m_getuio(&vec![0; len], usize::MAX).iter().map(Mbuf::mbcnt).collect::<Vec<_>>()
        };
        for (len, pool) in [(369, 2048), (2048, 2048), (2049, 2112), (2112, 2112), (2113, 4096)] {
            assert_eq!(charged(len), [256 + pool], "{len} bytes");
        }
        assert_eq!((charged(144), charged(145)), (vec![256], vec![256, 256]));
    }
}
