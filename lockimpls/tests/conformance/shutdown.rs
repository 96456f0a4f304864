//! shutdown, and what the other end sees of it.

use lockimpls::{Errno, Shutdown, SockOpt, SockType};

use crate::battery::{Program, name};

const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

case!(after_shut_wr_the_peer_reads_to_the_end, layer, {
    for kind in CONNECTED {
        for end in 0..2 {
            let (a, b) = layer.pair(kind);
            let (s, peer) = if end == 0 { (a, b) } else { (b, a) };
            layer.put(s, b"last words").unwrap();
            layer.shutdown(s, Shutdown::Write).unwrap();
            assert_eq!(layer.put(s, b"x"), Err(Errno::Epipe));
            assert_eq!(layer.pass(s, b"x", &[a]), Err(Errno::Epipe));
            assert_eq!(layer.get(peer, 99).unwrap(), b"last words");
            assert_eq!(layer.get(peer, 99).unwrap(), b"");
            assert_eq!(layer.put(peer, b"answer"), Ok(6));
            assert_eq!(layer.get(s, 99).unwrap(), b"answer");
            layer.close_all(&[a, b]);
        }
    }
});

case!(after_shut_rd_nothing_is_received, layer, {
    for kind in CONNECTED {
        for end in 0..2 {
            let (a, b) = layer.pair(kind);
            let (s, peer) = if end == 0 { (a, b) } else { (b, a) };
            layer.put(peer, b"dropped").unwrap();
            layer.shutdown(s, Shutdown::Read).unwrap();
            assert_eq!(layer.get(s, 99).unwrap(), b"");
            assert_eq!(layer.put(s, b"out"), Ok(3));
            assert_eq!(layer.get(peer, 99).unwrap(), b"out");
            layer.close_all(&[a, b]);
        }
    }
});

case!(the_peer_is_not_told_of_shut_rd_until_it_passes_a_descriptor, layer, {
    for kind in CONNECTED {
        for end in 0..2 {
            let (a, b) = layer.pair(kind);
            let (s, peer) = if end == 0 { (a, b) } else { (b, a) };
            layer.shutdown(s, Shutdown::Read).unwrap();
            assert_eq!(layer.put(peer, b"accepted"), Ok(8));
            assert_eq!(layer.pass(peer, b"x", &[a]), Err(Errno::Enobufs));
            assert_eq!(layer.pass(peer, b"", &[a, b]), Err(Errno::Enobufs));
            assert_eq!(layer.put(peer, b"!"), Ok(1));
            layer.close_all(&[a, b]);
        }
    }
});

case!(shut_rdwr, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        layer.shutdown(b, Shutdown::Both).unwrap();
        assert_eq!(layer.put(b, b"x"), Err(Errno::Epipe));
        assert_eq!(layer.get(b, 1).unwrap(), b"");
        assert_eq!(layer.get(a, 1).unwrap(), b"");
        // SHUT_WR at b does not keep a from sending.
        assert_eq!(layer.put(a, b"x"), Ok(1));
        layer.close_all(&[a, b]);
    }
});

case!(a_datagram_socket_shuts_only_itself, layer, {
    let (a, b) = layer.pair(SockType::Dgram);
    layer.shutdown(a, Shutdown::Write).unwrap();
    assert_eq!(layer.put(a, b"x"), Err(Errno::Epipe));
    assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
    assert_eq!(layer.put(b, b"x"), Ok(1));
    layer.shutdown(a, Shutdown::Read).unwrap();
    assert_eq!(layer.get(a, 1).unwrap(), b"");
    assert_eq!(layer.put(b, b"x"), Err(Errno::Enobufs));
    layer.close_all(&[a, b]);
});

case!(an_addressed_datagram_after_shutdown, layer, {
    let there = layer.bound(SockType::Dgram, "there");
    let s = layer.socket(SockType::Dgram).unwrap();
    layer.shutdown(there, Shutdown::Read).unwrap();
    let send = || layer.sendto(s, b"x", &name("there"), crate::battery::NONE);
    assert_eq!(send(), Err(Errno::Enobufs));
    layer.shutdown(s, Shutdown::Write).unwrap();
    assert_eq!(send(), Err(Errno::Epipe));
    layer.close_all(&[s, there]);
    layer.unlink(&name("there")).unwrap();
});

case!(a_socket_without_a_peer_can_be_shut, layer, {
    for kind in SockType::ALL {
        let s = layer.socket(kind).unwrap();
        layer.shutdown(s, Shutdown::Both).unwrap();
        assert_eq!(layer.put(s, b"x"), Err(Errno::Epipe));
        assert_eq!(layer.get(s, 1).unwrap(), b"");
        layer.close(s).unwrap();
    }
});

case!(what_is_shut_gets_no_new_buffer, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.shutdown(a, Shutdown::Both).unwrap();
    assert_eq!(layer.setsockopt(a, SockOpt::SndBuf, 4096), Err(Errno::Einval));
    assert_eq!(layer.setsockopt(a, SockOpt::RcvBuf, 4096), Err(Errno::Einval));
    assert_eq!(layer.setsockopt(b, SockOpt::SndBuf, 4096), Ok(()));
    assert_eq!(layer.setsockopt(b, SockOpt::RcvBuf, 4096), Err(Errno::Einval));
    layer.close_all(&[a, b]);
});

case!(dropped_descriptors_are_closed, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let (c, d) = layer.pair(SockType::Stream);
        layer.pass(a, b"x", &[c]).unwrap();
        layer.pass(a, b"y", &[c, c]).unwrap();
        layer.close(c).unwrap();
        assert_eq!(layer.put(d, b"x"), Ok(1));
        layer.shutdown(b, Shutdown::Read).unwrap();
        assert_eq!(layer.put(d, b"x"), Err(Errno::Epipe));
        layer.close_all(&[a, b, d]);
    }
});
