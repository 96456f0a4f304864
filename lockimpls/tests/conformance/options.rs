//! Options: the sizes of 2022, their limits, SO_ERROR and the receiver's low-water mark.

use lockimpls::{Config, Errno, MsgFlags, SockOpt, SockType};

use crate::battery::{NONE, Program, name, settle};

case!(the_sizes_of_2022, layer, {
    for (kind, snd, rcv) in [
        (SockType::Stream, 8192, 8192),
        (SockType::Dgram, 2048, 16384),
        (SockType::Seqpacket, 8192, 8192),
    ] {
        let s = layer.socket(kind).unwrap();
        assert_eq!(layer.getsockopt(s, SockOpt::SndBuf), Ok(snd));
        assert_eq!(layer.getsockopt(s, SockOpt::RcvBuf), Ok(rcv));
        assert_eq!(layer.getsockopt(s, SockOpt::SndLowat), Ok(2048));
        assert_eq!(layer.getsockopt(s, SockOpt::RcvLowat), Ok(1));
        assert_eq!(layer.getsockopt(s, SockOpt::Error), Ok(0));
        layer.close(s).unwrap();
    }
});

/// Buffers smaller than the usual low-water mark.
fn small() -> Config {
    Config { pipsiz_bytes: 1000, ..Config::default() }
}

// `soreserve` lowers the mark to the limit (`uipc_socket2.c` 1.125, line 554): else a stream so
// small would take nothing of what does not fit.
case!(a_low_water_mark_is_at_most_the_limit, small(), layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.getsockopt(a, SockOpt::SndLowat), Ok(1000));
        let is_stream = kind == SockType::Stream;
        let answer = if is_stream { Ok(1000) } else { Err(Errno::Emsgsize) };
        assert_eq!(layer.put(a, &[0; 1500]), answer);
        layer.close_all(&[a, b]);
    }
});

case!(buffers_have_a_largest_size, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    for option in [SockOpt::SndBuf, SockOpt::RcvBuf] {
        assert_eq!(layer.setsockopt(a, option, (2 << 20) + 1), Err(Errno::Enobufs));
        assert_eq!(layer.setsockopt(a, option, 2 << 20), Ok(()));
        assert_eq!(layer.getsockopt(a, option), Ok(2 << 20));
        assert_eq!(layer.setsockopt(a, option, 0), Ok(()));
        assert_eq!(layer.getsockopt(a, option), Ok(1));
    }
    // The low-water mark is never above the limit.
    assert_eq!(layer.getsockopt(a, SockOpt::SndLowat), Ok(1));
    assert_eq!(layer.setsockopt(b, SockOpt::SndLowat, 100_000), Ok(()));
    assert_eq!(layer.getsockopt(b, SockOpt::SndLowat), Ok(8192));
    assert_eq!(layer.setsockopt(b, SockOpt::Error, 1), Err(Errno::Enoprotoopt));
    layer.close_all(&[a, b]);
});

case!(a_sender_wants_its_low_water_mark, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.setsockopt(a, SockOpt::SndLowat, 100).unwrap();
    layer.put(a, &[1; 8000]).unwrap();
    assert_eq!(layer.put(a, &[2; 1000]), Ok(192));
    layer.get(b, 99).unwrap();
    assert_eq!(layer.put(a, &[3; 1000]), Err(Errno::Ewouldblock));
    layer.get(b, 1).unwrap();
    assert_eq!(layer.put(a, &[3; 1000]), Ok(100));
    layer.close_all(&[a, b]);
});

case!(a_receiver_waits_for_its_low_water_mark, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.setsockopt(b, SockOpt::RcvLowat, 6).unwrap();
    layer.put(a, b"abc").unwrap();
    // A receive that does not wait takes what is there.
    assert_eq!(layer.get(b, 9).unwrap(), b"abc");
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut data = [0; 9];
            let bytes = layer.recv(b, &mut data, NONE).unwrap();
            data[..bytes].to_vec()
        });
        layer.put(a, b"abc").unwrap();
        settle();
        layer.put(a, b"def").unwrap();
        assert_eq!(reader.join().unwrap(), b"abcdef");
    });
    layer.put(a, b"short").unwrap();
    // The end of the stream leaves nothing to wait for.
    layer.close(a).unwrap();
    assert_eq!(layer.recv(b, &mut [0; 9], NONE), Ok(5));
    layer.close(b).unwrap();
});

case!(an_error_is_told_once, layer, {
    let told = Errno::Econnreset.code() as usize;
    for ask in 0..4 {
        let there = layer.bound(SockType::Dgram, "there");
        let s = layer.client(SockType::Dgram, "there");
        layer.close(there).unwrap();
        layer.unlink(&name("there")).unwrap();
        match ask {
            0 => assert_eq!(layer.getsockopt(s, SockOpt::Error), Ok(told)),
            1 => assert_eq!(layer.put(s, b"x"), Err(Errno::Econnreset)),
            2 => assert_eq!(layer.get(s, 1), Err(Errno::Econnreset)),
            _ => {
                // A peek does not take the error away.
                let peek = MsgFlags::PEEK | MsgFlags::DONTWAIT;
                assert_eq!(layer.recv(s, &mut [0], peek), Err(Errno::Econnreset));
                assert_eq!(layer.get(s, 1), Err(Errno::Econnreset));
            }
        }
        assert_eq!(layer.getsockopt(s, SockOpt::Error), Ok(0));
        assert_eq!(layer.put(s, b"x"), Err(Errno::Edestaddrreq));
        assert_eq!(layer.get(s, 1), Err(Errno::Ewouldblock));
        layer.close(s).unwrap();
    }
});

case!(a_send_over_a_limit_that_was_lowered, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.put(a, &[7; 100]).unwrap();
    layer.setsockopt(a, SockOpt::SndBuf, 50).unwrap();
    for _ in 0..300 {
        assert_eq!(layer.put(a, b""), Err(Errno::Ewouldblock));
        assert_eq!(layer.put(a, b"x"), Err(Errno::Ewouldblock));
    }
    assert_eq!(layer.get(b, 60).unwrap().len(), 60);
    assert_eq!(layer.put(a, b""), Ok(0));
    layer.close_all(&[a, b]);
});
