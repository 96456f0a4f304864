//! STREAM: bytes without boundaries, cut at the low-water mark, limited by the sender's mirror.

use lockimpls::{Errno, MsgFlags, SockOpt, SockType};

use crate::battery::{NONE, Program};

const STREAM: SockType = SockType::Stream;

case!(bytes_flow_together, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.put(a, b"one ").unwrap();
    layer.put(a, b"two ").unwrap();
    layer.put(a, b"three").unwrap();
    assert_eq!(layer.get(b, 5).unwrap(), b"one t");
    assert_eq!(layer.get(b, 99).unwrap(), b"wo three");
    layer.close_all(&[a, b]);
});

case!(a_record_cannot_end_on_a_stream, layer, {
    let (a, b) = layer.pair(STREAM);
    assert_eq!(layer.send(a, b"x", MsgFlags::EOR), Err(Errno::Einval));
    assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
    layer.close_all(&[a, b]);
});

case!(a_peek_leaves_the_bytes, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.put(a, b"abcdef").unwrap();
    let mut data = [0; 4];
    for _ in 0..2 {
        assert_eq!(layer.recv(b, &mut data, MsgFlags::PEEK), Ok(4));
        assert_eq!(&data, b"abcd");
    }
    assert_eq!(layer.get(b, 99).unwrap(), b"abcdef");
    assert_eq!(
        layer.recv(b, &mut data, MsgFlags::PEEK | MsgFlags::DONTWAIT),
        Err(Errno::Ewouldblock)
    );
    layer.close_all(&[a, b]);
});

case!(a_stream_takes_8192_bytes, layer, {
    let (a, b) = layer.pair(STREAM);
    assert_eq!(layer.fill(a, &[7; 1024]), (8, Errno::Ewouldblock));
    assert_eq!(layer.put(a, b"x"), Err(Errno::Ewouldblock));
    assert_eq!(layer.get(b, 1).unwrap(), [7]);
    assert_eq!(layer.put(a, b"x"), Ok(1));
    assert_eq!(layer.put(a, b"y"), Err(Errno::Ewouldblock));
    let rest = layer.drain(b, 9000).concat();
    assert_eq!(rest.len(), 8192);
    assert_eq!(rest.last(), Some(&b'x'));
    layer.close_all(&[a, b]);
});

case!(a_long_write_is_cut_where_the_buffer_ends, layer, {
    let (a, b) = layer.pair(STREAM);
    assert_eq!(layer.put(a, &[1; 10_000]), Ok(8192));
    assert_eq!(layer.put(a, &[1; 10_000]), Err(Errno::Ewouldblock));
    assert_eq!(layer.drain(b, 10_000).concat().len(), 8192);
    layer.close_all(&[a, b]);
});

case!(a_write_is_cut_only_if_lowat_bytes_are_free, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.put(a, &[1; 8192 - 2047]).unwrap();
    assert_eq!(layer.put(a, &[2; 2048]), Err(Errno::Ewouldblock));
    // What fits goes, however little is free.
    assert_eq!(layer.put(a, &[3; 2047]), Ok(2047));
    layer.drain(b, 9000);
    layer.put(a, &[1; 8192 - 2048]).unwrap();
    assert_eq!(layer.put(a, &[2; 3000]), Ok(2048));
    layer.close_all(&[a, b]);
});

case!(a_nonblocking_socket_does_not_wait, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.set_nonblocking(a, true).unwrap();
    assert_eq!(layer.recv(a, &mut [0], NONE), Err(Errno::Ewouldblock));
    assert_eq!(layer.send(a, &[0; 9000], NONE), Ok(8192));
    assert_eq!(layer.send(a, &[0; 1], NONE), Err(Errno::Ewouldblock));
    layer.set_nonblocking(a, false).unwrap();
    assert_eq!(layer.put(a, &[0; 1]), Err(Errno::Ewouldblock));
    layer.close_all(&[a, b]);
});

case!(the_sender_counts_what_lies_at_its_peer, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.setsockopt(a, SockOpt::SndBuf, 4096).unwrap();
    assert_eq!(layer.fill(a, &[1; 1024]), (4, Errno::Ewouldblock));
    // The receiver's own limit does not bound a plain stream.
    layer.setsockopt(b, SockOpt::RcvBuf, 100).unwrap();
    layer.get(b, 1024).unwrap();
    assert_eq!(layer.put(a, &[1; 1024]), Ok(1024));
    assert_eq!(layer.put(a, &[1; 1]), Err(Errno::Ewouldblock));
    layer.setsockopt(a, SockOpt::SndBuf, 65_536).unwrap();
    assert_eq!(layer.fill(a, &[1; 4096]), (15, Errno::Ewouldblock));
    assert_eq!(layer.drain(b, 100_000).concat().len(), 65_536);
    layer.close_all(&[a, b]);
});

case!(a_megabyte_arrives_as_it_was_sent, layer, {
    let (a, b) = layer.pair(STREAM);
    let sent: Vec<u8> =
        (0..1_000_003_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for chunk in sent.chunks(5003) {
                assert_eq!(layer.send(a, chunk, NONE), Ok(chunk.len()));
            }
        });
        let (mut got, mut data) = (Vec::new(), [0; 3001]);
        while got.len() < sent.len() {
            let bytes = layer.recv(b, &mut data, NONE).unwrap();
            got.extend_from_slice(&data[..bytes]);
        }
        assert!(got == sent);
    });
    layer.close_all(&[a, b]);
});

case!(a_buffer_that_grows_while_it_is_read_keeps_its_bytes, layer, {
    for _ in 0..300 {
        let (a, b) = layer.pair(STREAM);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for round in 0..24_u8 {
                    layer.setsockopt(a, SockOpt::SndBuf, 8192 << (round / 4)).unwrap();
                    assert_eq!(layer.send(a, &[round; 4000], NONE), Ok(4000));
                }
            });
            let (mut got, mut data) = (0, [0; 1500]);
            while got < 24 * 4000 {
                let bytes = layer.recv(b, &mut data, NONE).unwrap();
                for (i, byte) in data[..bytes].iter().enumerate() {
                    assert_eq!(usize::from(*byte), (got + i) / 4000);
                }
                got += bytes;
            }
        });
        layer.close_all(&[a, b]);
    }
});
