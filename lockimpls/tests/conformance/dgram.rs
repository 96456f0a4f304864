//! DGRAM: addressed and connected, one way, refused rather than waited for.

use lockimpls::{Errno, SockAddr, SockOpt, SockType};

use crate::battery::{NONE, Program, name};

const DGRAM: SockType = SockType::Dgram;

case!(a_full_receiver_refuses_at_once, layer, {
    let (a, b) = layer.pair(DGRAM);
    // 16384 bytes, of which each takes 2048 and 16 for the address.
    assert_eq!(layer.fill(a, &[1; 2048]), (7, Errno::Enobufs));
    assert_eq!(layer.send(a, &[1; 2048], NONE), Err(Errno::Enobufs));
    layer.get(b, 2048).unwrap();
    assert_eq!(layer.put(a, &[1; 2048]), Ok(2048));
    assert_eq!(layer.drain(b, 2048).len(), 7);
    layer.close_all(&[a, b]);
});

case!(the_memory_of_small_datagrams_is_limited, layer, {
    let (a, b) = layer.pair(DGRAM);
    // 196608 bytes of memory, 256 for each message and 256 for its address.
    assert_eq!(layer.fill(a, b"x"), (384, Errno::Enobufs));
    assert_eq!(layer.get(b, 1).unwrap(), b"x");
    assert_eq!(layer.fill(a, b"x"), (1, Errno::Enobufs));
    assert_eq!(layer.drain(b, 1).len(), 384);
    layer.close_all(&[a, b]);
});

case!(a_full_receiver_is_at_the_lower_address_too, layer, {
    let (a, b) = layer.pair(DGRAM);
    assert_eq!(layer.fill(b, &[1; 2048]), (7, Errno::Enobufs));
    assert_eq!(layer.pass(b, &[1; 2000], &[a]), Err(Errno::Enobufs));
    // With a descriptor it is longer than any room will ever be: it would wait.
    assert_eq!(layer.pass(b, &[1; 2048], &[a]), Err(Errno::Ewouldblock));
    assert_eq!(layer.drain(a, 2048).len(), 7);
    layer.close_all(&[a, b]);
});

case!(a_long_datagram_is_refused, layer, {
    let (a, b) = layer.pair(DGRAM);
    assert_eq!(layer.put(a, &[1; 2049]), Err(Errno::Emsgsize));
    assert_eq!(layer.put(a, &[1; 2048]), Ok(2048));
    layer.setsockopt(a, SockOpt::SndBuf, 4096).unwrap();
    assert_eq!(layer.put(a, &[1; 4096]), Ok(4096));
    layer.close_all(&[a, b]);
});

case!(a_datagram_says_where_it_comes_from, layer, {
    let (here, there) = (layer.bound(DGRAM, "here"), layer.bound(DGRAM, "there"));
    let unnamed = layer.socket(DGRAM).unwrap();
    assert_eq!(layer.sendto(here, b"1", &name("there"), NONE), Ok(1));
    assert_eq!(layer.sendto(unnamed, b"2", &name("there"), NONE), Ok(1));
    assert_eq!(layer.take(there, 9, 0).unwrap().from, name("here"));
    assert_eq!(layer.take(there, 9, 0).unwrap().from, SockAddr::UNNAMED);
    // The connection lasted for one datagram.
    assert_eq!(layer.put(here, b"x"), Err(Errno::Edestaddrreq));
    assert_eq!(layer.getpeername(here), Err(Errno::Enotconn));
    layer.close_all(&[here, there, unnamed]);
    layer.unlink(&name("here")).unwrap();
    layer.unlink(&name("there")).unwrap();
});

case!(destinations_that_do_not_take_a_datagram, layer, {
    let s = layer.socket(DGRAM).unwrap();
    let stream = layer.bound(SockType::Stream, "stream");
    let gone = layer.bound(DGRAM, "gone");
    layer.close(gone).unwrap();
    let send = |to: &SockAddr| layer.sendto(s, b"x", to, NONE);
    assert_eq!(send(&name("nowhere")), Err(Errno::Enoent));
    assert_eq!(send(&name("stream")), Err(Errno::Eprototype));
    assert_eq!(send(&name("gone")), Err(Errno::Econnrefused));
    assert_eq!(send(&SockAddr::UNNAMED), Err(Errno::Enoent));
    layer.close_all(&[s, stream]);
    layer.unlink(&name("stream")).unwrap();
    layer.unlink(&name("gone")).unwrap();
});

case!(a_connected_socket_takes_no_destination, layer, {
    let there = layer.bound(DGRAM, "there");
    let s = layer.client(DGRAM, "there");
    assert_eq!(layer.sendto(s, b"x", &name("there"), NONE), Err(Errno::Eisconn));
    assert_eq!(layer.put(s, b"y"), Ok(1));
    assert_eq!(layer.getpeername(s), Ok(name("there")));
    assert_eq!(layer.drain(there, 9), [b"y"]);
    // One way: the destination has no peer.
    assert_eq!(layer.put(there, b"z"), Err(Errno::Edestaddrreq));
    layer.close_all(&[there, s]);
    layer.unlink(&name("there")).unwrap();
});

case!(an_addressed_datagram_to_a_full_receiver, layer, {
    for low_first in [true, false] {
        let early = layer.socket(DGRAM).unwrap();
        let there = layer.bound(DGRAM, "there");
        let late = layer.socket(DGRAM).unwrap();
        let s = if low_first { early } else { late };
        let send = || layer.sendto(s, &[0; 2048], &name("there"), NONE);
        assert!((0..7).all(|_| send() == Ok(2048)));
        assert_eq!(send(), Err(Errno::Enobufs));
        assert_eq!(layer.getpeername(s), Err(Errno::Enotconn));
        layer.close_all(&[early, there, late]);
        layer.unlink(&name("there")).unwrap();
    }
});

case!(a_datagram_socket_connects_anew, layer, {
    let (one, two) = (layer.bound(DGRAM, "one"), layer.bound(DGRAM, "two"));
    let s = layer.client(DGRAM, "one");
    layer.put(s, b"1").unwrap();
    layer.connect(s, &name("two")).unwrap();
    layer.put(s, b"2").unwrap();
    assert_eq!(layer.drain(one, 9), [b"1"]);
    assert_eq!(layer.drain(two, 9), [b"2"]);
    // A failing connect leaves it unconnected.
    assert_eq!(layer.connect(s, &name("nowhere")), Err(Errno::Enoent));
    assert_eq!(layer.put(s, b"3"), Err(Errno::Edestaddrreq));
    layer.connect(s, &name("one")).unwrap();
    assert_eq!(layer.put(s, b"4"), Ok(1));
    layer.close_all(&[one, two, s]);
    layer.unlink(&name("one")).unwrap();
    layer.unlink(&name("two")).unwrap();
});

case!(a_datagram_socket_connected_to_itself, layer, {
    let s = layer.bound(DGRAM, "self");
    assert_eq!(layer.sendto(s, b"1", &name("self"), NONE), Ok(1));
    layer.connect(s, &name("self")).unwrap();
    assert_eq!(layer.put(s, b"2"), Ok(1));
    assert_eq!(layer.pass(s, b"3", &[s]), Ok(1));
    assert_eq!(layer.getpeername(s), Ok(name("self")));
    assert_eq!(layer.get(s, 9).unwrap(), b"1");
    assert_eq!(layer.fill(s, &[1; 2000]).1, Errno::Enobufs);
    assert_eq!(layer.get(s, 9).unwrap(), b"2");
    let third = layer.take(s, 9, 1).unwrap();
    assert_eq!(layer.same_file(third.fds[0], s), Ok(true));
    layer.close_all(&[third.fds[0], s]);
    layer.unlink(&name("self")).unwrap();
});

case!(both_ends_of_a_pair_may_connect_elsewhere, layer, {
    let there = layer.bound(DGRAM, "there");
    let (a, b) = layer.pair(DGRAM);
    layer.put(a, b"to b").unwrap();
    layer.connect(a, &name("there")).unwrap();
    layer.put(a, b"to there").unwrap();
    assert_eq!(layer.put(b, b"to a"), Ok(4));
    assert_eq!(layer.get(a, 9).unwrap(), b"to a");
    assert_eq!(layer.get(b, 9).unwrap(), b"to b");
    assert_eq!(layer.get(there, 9).unwrap(), b"to there");
    layer.close_all(&[a, b, there]);
    layer.unlink(&name("there")).unwrap();
});

case!(many_senders_one_receiver, layer, {
    let there = layer.bound(DGRAM, "there");
    std::thread::scope(|threads| {
        for sender in 0..3_u8 {
            let s = layer.client(DGRAM, "there");
            threads.spawn(move || {
                for i in 0..500_u16 {
                    let message = [sender, i as u8, (i >> 8) as u8];
                    while layer.send(s, &message, NONE) == Err(Errno::Enobufs) {
                        std::thread::yield_now();
                    }
                }
                layer.close(s).unwrap();
            });
        }
        let (mut next, mut data) = ([0_u16; 3], [0; 9]);
        for _ in 0..1500 {
            assert_eq!(layer.recv(there, &mut data, NONE), Ok(3));
            let expected = &mut next[usize::from(data[0])];
            assert_eq!(u16::from_le_bytes([data[1], data[2]]), *expected);
            *expected += 1;
        }
    });
    layer.close(there).unwrap();
    layer.unlink(&name("there")).unwrap();
});
