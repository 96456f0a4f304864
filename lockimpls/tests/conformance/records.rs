//! SEQPACKET: a connected sequence of records, whole or not at all.

use lockimpls::{Errno, MsgFlags, SockType};

use crate::battery::{NONE, Program};

const SEQPACKET: SockType = SockType::Seqpacket;

case!(records_keep_their_boundaries, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    for record in [&b"one"[..], b"2", b"three"] {
        assert_eq!(layer.put(a, record), Ok(record.len()));
    }
    assert_eq!(layer.get(b, 99).unwrap(), b"one");
    assert_eq!(layer.get(b, 99).unwrap(), b"2");
    assert_eq!(layer.get(b, 99).unwrap(), b"three");
    layer.close_all(&[a, b]);
});

case!(a_record_may_be_ended_by_hand, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    // Often enough that the lock-free path is open again meanwhile.
    for _ in 0..300 {
        assert_eq!(layer.send(a, b"abc", MsgFlags::EOR), Ok(3));
        assert_eq!(layer.send(a, b"defg", NONE), Ok(4));
        let ended = layer.take(b, 9, 0).unwrap();
        assert_eq!((&ended.data[..], ended.flags), (&b"abc"[..], MsgFlags::EOR));
        assert_eq!(layer.take(b, 9, 0).unwrap().flags, NONE);
        // Its end is not reached.
        assert_eq!(layer.send(a, b"abc", MsgFlags::EOR), Ok(3));
        assert_eq!(layer.take(b, 2, 0).unwrap().flags, MsgFlags::TRUNC);
    }
    layer.close_all(&[a, b]);
});

case!(what_finds_no_room_of_a_record_is_lost, layer, {
    for kind in [SEQPACKET, SockType::Dgram] {
        let (a, b) = layer.pair(kind);
        layer.put(a, b"abcdef").unwrap();
        layer.put(a, b"gh").unwrap();
        let first = layer.take(b, 3, 0).unwrap();
        assert_eq!((&first.data[..], first.flags), (&b"abc"[..], MsgFlags::TRUNC));
        let second = layer.take(b, 3, 0).unwrap();
        assert_eq!((&second.data[..], second.flags), (&b"gh"[..], NONE));
        layer.close_all(&[a, b]);
    }
});

case!(a_peek_leaves_the_record, layer, {
    for kind in [SEQPACKET, SockType::Dgram] {
        let (a, b) = layer.pair(kind);
        layer.put(a, b"abc").unwrap();
        let mut data = [0; 2];
        assert_eq!(layer.recv(b, &mut data, MsgFlags::PEEK), Ok(2));
        assert_eq!(&data, b"ab");
        assert_eq!(layer.get(b, 9).unwrap(), b"abc");
        layer.close_all(&[a, b]);
    }
});

case!(a_record_beyond_the_buffer_is_refused, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    assert_eq!(layer.put(a, &[0; 8193]), Err(Errno::Emsgsize));
    assert_eq!(layer.send(a, &[0; 8193], NONE), Err(Errno::Emsgsize));
    assert_eq!(layer.put(a, &[0; 8192]), Ok(8192));
    assert_eq!(layer.put(a, &[0; 1]), Err(Errno::Ewouldblock));
    assert_eq!(layer.get(b, 9000).unwrap().len(), 8192);
    layer.close_all(&[a, b]);
});

case!(a_record_goes_whole_or_not_at_all, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    assert_eq!(layer.fill(a, &[1; 3000]), (2, Errno::Ewouldblock));
    assert_eq!(layer.put(a, &[2; 8192 - 6000]), Ok(8192 - 6000));
    assert_eq!(layer.drain(b, 9000).len(), 3);
    layer.close_all(&[a, b]);
});

case!(the_memory_of_small_records_is_limited, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    // 196608 bytes of memory, 256 for each record.
    assert_eq!(layer.fill(a, b"x"), (768, Errno::Ewouldblock));
    assert_eq!(layer.get(b, 1).unwrap(), b"x");
    assert_eq!(layer.fill(a, b"x"), (1, Errno::Ewouldblock));
    assert_eq!(layer.drain(b, 1).len(), 768);
    layer.close_all(&[a, b]);
});

case!(a_record_of_no_bytes_is_passed_over_and_accounted, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    // Often enough that the lock-free path is open meanwhile.
    for _ in 0..300 {
        assert_eq!(layer.put(a, b"x"), Ok(1));
        assert_eq!(layer.get(b, 1).unwrap(), b"x");
        assert_eq!(layer.put(a, b""), Ok(0));
        assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
    }
    // Each takes the memory of an mbuf while it lies there.
    (0..768).for_each(|_| assert_eq!(layer.put(a, b""), Ok(0)));
    assert_eq!(layer.put(a, b"x"), Err(Errno::Ewouldblock));
    assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
    assert_eq!(layer.put(a, b"x"), Ok(1));
    assert_eq!(layer.get(b, 1).unwrap(), b"x");
    layer.close_all(&[a, b]);
});

case!(records_arrive_in_order_while_both_ends_are_busy, layer, {
    let (a, b) = layer.pair(SEQPACKET);
    let record = |i: u32| [i.to_le_bytes(), (!i).to_le_bytes()].concat();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for i in 0..5000 {
                assert_eq!(layer.send(a, &record(i), NONE), Ok(8));
            }
        });
        let mut data = [0; 16];
        for i in 0..5000 {
            assert_eq!(layer.recv(b, &mut data, NONE), Ok(8));
            assert_eq!(data[..8], record(i));
        }
    });
    layer.close_all(&[a, b]);
});
