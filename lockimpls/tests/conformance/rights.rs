//! SCM_RIGHTS: passing descriptors, refusing to, dropping them on the way, and the collector.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use lockimpls::{Config, Errno, Fd, MsgFlags, SockOpt, SockType};

use crate::battery::{AnyLayer, NONE, Program, name};

const STREAM: SockType = SockType::Stream;

/// How many descriptors fit in one message: a 2 KiB cluster.
const MOST: usize = 127;

/// How many descriptors are in flight.
fn in_flight(layer: &AnyLayer) -> u64 {
    layer.pools().iter().find(|pool| pool.name == "in_flight").unwrap().in_use
}

case!(a_descriptor_is_passed, layer, {
    for kind in SockType::ALL {
        for end in 0..2 {
            let (a, b) = layer.pair(kind);
            let (from, to) = if end == 0 { (a, b) } else { (b, a) };
            let (c, d) = layer.pair(STREAM);
            assert_eq!(layer.pass(from, b"two", &[c, d]), Ok(3));
            assert_eq!(in_flight(layer), 2);
            layer.close(c).unwrap();
            let got = layer.take(to, 9, 5).unwrap();
            assert_eq!((&got.data[..], got.fds.len(), got.flags), (&b"two"[..], 2, NONE));
            assert_eq!(in_flight(layer), 0);
            assert_eq!(layer.same_file(got.fds[1], d), Ok(true));
            assert_eq!(layer.put(got.fds[0], b"via c"), Ok(5));
            assert_eq!(layer.get(d, 9).unwrap(), b"via c");
            layer.close_all(&got.fds);
            layer.close_all(&[a, b, d]);
        }
    }
});

case!(descriptors_without_bytes, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.pass(a, b"", &[a]), Ok(0));
        assert_eq!(layer.pass(a, b"", &[b]), Ok(0));
        for of in [a, b] {
            let got = layer.take(b, 9, 1).unwrap();
            assert_eq!(got.data, b"");
            assert_eq!(layer.same_file(got.fds[0], of), Ok(true));
            layer.close_all(&got.fds);
        }
        layer.close_all(&[a, b]);
    }
});

case!(a_control_message_divides_a_stream, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.put(a, b"before").unwrap();
    layer.pass(a, b"with", &[a]).unwrap();
    layer.put(a, b"+after").unwrap();
    layer.pass(a, b"second", &[b]).unwrap();
    let first = layer.take(b, 99, 9).unwrap();
    assert_eq!((&first.data[..], first.fds.len()), (&b"before"[..], 0));
    let second = layer.take(b, 99, 9).unwrap();
    assert_eq!((&second.data[..], second.fds.len()), (&b"with+after"[..], 1));
    let third = layer.take(b, 99, 9).unwrap();
    assert_eq!((&third.data[..], third.fds.len()), (&b"second"[..], 1));
    layer.close_all(&second.fds);
    layer.close_all(&third.fds);
    layer.close_all(&[a, b]);
});

case!(a_peek_brings_no_descriptors, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        layer.pass(a, b"x", &[a]).unwrap();
        assert_eq!(layer.recv(b, &mut [0], MsgFlags::PEEK), Ok(1));
        assert_eq!(in_flight(layer), 1);
        let got = layer.take(b, 1, 1).unwrap();
        assert_eq!(got.fds.len(), 1);
        layer.close_all(&[a, b, got.fds[0]]);
    }
});

case!(without_any_room_descriptors_are_dropped, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let (c, d) = layer.pair(STREAM);
        layer.pass(a, b"x", &[c]).unwrap();
        layer.close(c).unwrap();
        let got = layer.take(b, 9, 0).unwrap();
        assert_eq!((&got.data[..], got.flags), (&b"x"[..], NONE));
        assert_eq!(in_flight(layer), 0);
        // It was the last reference: the socket is closed.
        assert_eq!(layer.get(d, 1).unwrap(), b"");
        layer.close_all(&[a, b, d]);
    }
});

case!(a_message_with_a_descriptor_counts_the_mbufs_it_came_in, layer, {
    // Of 196608 bytes of memory, 256 each for the descriptor, the byte and a datagram's address.
    let kinds = [(STREAM, 384, Errno::Ewouldblock), (SockType::Dgram, 256, Errno::Enobufs)];
    for (kind, most, full) in [(SockType::Seqpacket, 384, Errno::Ewouldblock)].iter().chain(&kinds)
    {
        let (a, b) = layer.pair(*kind);
        layer.setsockopt(a, SockOpt::SndBuf, 20_000).unwrap();
        layer.setsockopt(b, SockOpt::RcvBuf, 20_000).unwrap();
        layer.set_nonblocking(a, true).unwrap();
        for _ in 0..*most {
            assert_eq!(layer.pass(a, b"x", &[a]), Ok(1));
        }
        assert_eq!(layer.pass(a, b"x", &[a]), Err(*full));
        let got = layer.take(b, 1, 1).unwrap();
        assert_eq!(layer.pass(a, b"x", &[a]), Ok(1));
        assert_eq!(layer.pass(a, b"x", &[a]), Err(*full));
        layer.close_all(&[a, b, got.fds[0]]);
    }
});

case!(too_little_room_loses_them_all, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let (c, d) = layer.pair(STREAM);
        layer.pass(a, b"x", &[c, c]).unwrap();
        layer.put(a, b"y").unwrap();
        layer.close(c).unwrap();
        assert_eq!(layer.take(b, 9, 1).unwrap_err(), Errno::Emsgsize);
        assert_eq!(in_flight(layer), 0);
        assert_eq!(layer.put(d, b"x"), Err(Errno::Epipe));
        // What was sent afterwards can still be read.
        assert_eq!(layer.drain(b, 9).concat().last(), Some(&b'y'));
        layer.close_all(&[a, b, d]);
    }
});

fn ten_files() -> Config {
    Config { maxfiles: 10, ..Config::default() }
}

case!(the_receiver_has_no_room_for_a_descriptor, ten_files(), layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        layer.pass(a, b"x", &[a]).unwrap();
        let others: Vec<_> = (0..8).map(|_| layer.dup(a).unwrap()).collect();
        assert_eq!(layer.take(b, 9, 1).unwrap_err(), Errno::Emsgsize);
        assert_eq!(in_flight(layer), 0);
        layer.close_all(&others);
        layer.close_all(&[a, b]);
    }
});

case!(a_tenth_of_all_files_may_be_in_flight, ten_files(), layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.pass(a, b"x", &[a, b]), Err(Errno::Emfile));
        layer.pass(a, b"x", &[b]).unwrap();
        assert_eq!(layer.pass(a, b"x", &[a]), Err(Errno::Emfile));
        assert_eq!(layer.pass(b, b"x", &[a]), Err(Errno::Emfile));
        let got = layer.take(b, 1, 1).unwrap();
        assert_eq!(layer.pass(b, b"x", &[a]), Ok(1));
        layer.close_all(&[a, b, got.fds[0]]);
    }
});

case!(a_message_holds_127_descriptors, layer, {
    for kind in [STREAM, SockType::Seqpacket] {
        let (a, b) = layer.pair(kind);
        // The room that it had reserved is free again: else the layer is not empty at its end.
        assert_eq!(layer.pass(a, b"x", &[a; MOST + 1]), Err(Errno::E2big));
        assert_eq!(layer.pass(a, b"x", &[a; MOST]), Ok(1));
        let got = layer.take(b, 1, MOST).unwrap();
        assert_eq!(got.fds.len(), MOST);
        layer.close_all(&got.fds);
        layer.close_all(&[a, b]);
    }
});

case!(a_closed_descriptor_spoils_the_message, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let gone = layer.socket(STREAM).unwrap();
        layer.close(gone).unwrap();
        // The last one is looked at first.
        for fds in [[gone, a, b], [a, gone, b], [a, b, gone]] {
            assert_eq!(layer.pass(a, b"x", &fds), Err(Errno::Ebadf));
            assert_eq!(in_flight(layer), 0);
        }
        // The descriptors are looked at before the connection.
        assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
        assert_eq!(layer.put(a, b"fine"), Ok(4));
        layer.close_all(&[a, b]);
    }
});

case!(a_full_peer_refuses_what_the_sender_has_room_for, layer, {
    for kind in [STREAM, SockType::Seqpacket] {
        let (a, b) = layer.pair(kind);
        layer.setsockopt(b, lockimpls::SockOpt::RcvBuf, 16).unwrap();
        assert_eq!(layer.pass(a, b"x", &[a]), Err(Errno::Enobufs));
        assert_eq!(layer.pass(a, b"x", &[b, a]), Err(Errno::Enobufs));
        assert_eq!(layer.put(a, b"y"), Ok(1));
        assert_eq!(layer.drain(b, 9).concat(), b"y");
        layer.setsockopt(a, lockimpls::SockOpt::RcvBuf, 16).unwrap();
        assert_eq!(layer.pass(b, b"x", &[a]), Err(Errno::Enobufs));
        layer.close_all(&[a, b]);
    }
});

case!(close_drops_what_is_queued, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let (c, d) = layer.pair(STREAM);
        for _ in 0..3 {
            layer.pass(a, b"x", &[c]).unwrap();
        }
        layer.close_all(&[a, c]);
        assert_eq!(layer.put(d, b"x"), Ok(1));
        layer.close(b).unwrap();
        assert_eq!(in_flight(layer), 0);
        assert_eq!(layer.put(d, b"x"), Err(Errno::Epipe));
        layer.close(d).unwrap();
    }
});

case!(a_socket_in_a_socket_in_a_socket, layer, {
    let (a, b) = layer.pair(STREAM);
    let mut outer = b;
    for _ in 0..50 {
        let (c, d) = layer.pair(STREAM);
        layer.pass(c, b"x", &[outer]).unwrap();
        layer.close_all(&[c, outer]);
        outer = d;
    }
    assert_eq!(layer.put(a, b"x"), Ok(1));
    layer.close(outer).unwrap();
    assert_eq!(in_flight(layer), 0);
    assert_eq!(layer.put(a, b"x"), Err(Errno::Epipe));
    layer.close(a).unwrap();
});

case!(a_socket_in_its_own_buffer_is_collected, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        layer.pass(a, b"x", &[b]).unwrap();
        layer.close_all(&[b, a]);
        layer.collect();
        assert_eq!(in_flight(layer), 0);
    }
});

case!(two_sockets_in_each_other_are_collected, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let (c, d) = layer.pair(STREAM);
        layer.pass(a, b"x", &[c, d]).unwrap();
        layer.pass(b, b"y", &[a]).unwrap();
        layer.pass(c, b"z", &[b, b]).unwrap();
        layer.pass(d, b"z", &[a, b]).unwrap();
        layer.close_all(&[a, b, c, d]);
        layer.collect();
        assert_eq!(in_flight(layer), 0);
    }
});

case!(a_cycle_that_somebody_can_still_read_is_kept, layer, {
    let (a, b) = layer.pair(STREAM);
    let (c, d) = layer.pair(STREAM);
    // b sits in its own buffer, and in that of d, which is open.
    layer.pass(a, b"1", &[b]).unwrap();
    layer.pass(c, b"2", &[b]).unwrap();
    layer.close(b).unwrap();
    layer.collect();
    let got = layer.take(d, 9, 1).unwrap();
    assert_eq!(layer.get(got.fds[0], 0).unwrap(), b"");
    assert_eq!(layer.put(a, b"3"), Ok(1));
    layer.close_all(&[a, c, d, got.fds[0]]);
    layer.collect();
});

case!(a_socket_in_flight_with_no_other_descriptor_lives, layer, {
    let (a, b) = layer.pair(STREAM);
    let (c, d) = layer.pair(STREAM);
    layer.pass(c, b"inner", &[a]).unwrap();
    layer.pass(a, b"outer", &[d]).unwrap();
    layer.close_all(&[d, a]);
    for _ in 0..3 {
        layer.collect();
        let s = layer.socket(STREAM).unwrap();
        layer.close(s).unwrap();
    }
    let outer = layer.take(b, 9, 1).unwrap();
    let inner = layer.take(outer.fds[0], 9, 1).unwrap();
    assert_eq!(inner.data, b"inner");
    assert_eq!(layer.put(inner.fds[0], b"!"), Ok(1));
    assert_eq!(layer.get(b, 9).unwrap(), b"!");
    layer.close_all(&[b, c, outer.fds[0], inner.fds[0]]);
});

case!(descriptors_in_a_connection_that_nobody_accepts, layer, {
    let listener = layer.listener(STREAM, "here");
    let client = layer.client(STREAM, "here");
    let (c, d) = layer.pair(STREAM);
    layer.pass(client, b"x", &[c, client]).unwrap();
    layer.close_all(&[c, client]);
    layer.close(listener).unwrap();
    layer.collect();
    assert_eq!(in_flight(layer), 0);
    assert_eq!(layer.put(d, b"x"), Err(Errno::Epipe));
    layer.close(d).unwrap();
    layer.unlink(&name("here")).unwrap();
});

case!(a_listener_in_its_own_queue_is_collected, layer, {
    for (kind, path) in [(STREAM, "stream"), (SockType::Seqpacket, "seqpacket")] {
        let listener = layer.listener(kind, path);
        let (client, other) = (layer.client(kind, path), layer.client(kind, path));
        let (c, d) = layer.pair(STREAM);
        layer.pass(client, b"x", &[listener, c]).unwrap();
        layer.pass(other, b"y", &[client, listener]).unwrap();
        // Somebody can still accept, and so read all of it.
        let copy = layer.dup(listener).unwrap();
        layer.close_all(&[listener, client, other, c]);
        layer.collect();
        assert_eq!(in_flight(layer), 4);
        assert_eq!(layer.put(d, b"x"), Ok(1));
        layer.close(copy).unwrap();
        layer.collect();
        assert_eq!(in_flight(layer), 0);
        assert_eq!(layer.put(d, b"x"), Err(Errno::Epipe));
        layer.close(d).unwrap();
        layer.unlink(&name(path)).unwrap();
    }
});

case!(descriptors_to_a_named_receiver, layer, {
    let there = layer.bound(SockType::Dgram, "there");
    let s = layer.socket(SockType::Dgram).unwrap();
    let to = name("there");
    let send = |to, rights: &[Fd]| {
        layer.sendmsg(s, &lockimpls::SendMsg { to: Some(to), data: b"x", rights, flags: NONE })
    };
    assert_eq!(send(&to, &[s, there]), Ok(1));
    assert_eq!(send(&name("nowhere"), &[s]), Err(Errno::Enoent));
    assert_eq!(in_flight(layer), 2);
    let got = layer.take(there, 9, 2).unwrap();
    assert_eq!(layer.same_file(got.fds[0], s), Ok(true));
    layer.close_all(&got.fds);
    layer.close_all(&[s, there]);
    layer.unlink(&to).unwrap();
});

case!(a_long_message_with_a_descriptor, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.pass(a, &[1; 1000], &[a]), Ok(1000));
        let got = layer.take(b, 2000, 1).unwrap();
        assert_eq!(got.data.len(), 1000);
        layer.close_all(&[a, b, got.fds[0]]);
    }
});

// A call under way keeps what its socket's buffer holds, though no descriptor of the socket is
// left: it can still receive it.
case!(a_socket_in_its_own_buffer_that_a_call_reads_is_kept, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.setsockopt(b, lockimpls::SockOpt::RcvLowat, 1000).unwrap();
    layer.pass(a, b"x", &[b]).unwrap();
    let (told, number) = std::sync::mpsc::channel();
    let (bytes, got) = std::thread::scope(|threads| {
        let reader = threads.spawn(move || {
            told.send(lockimpls::witness::thread_number()).unwrap();
            let (mut data, mut fds) = (vec![0; 2000], [None]);
            let mut msg = lockimpls::RecvMsg::with_rights(&mut data, &mut fds, NONE);
            (layer.recvmsg(b, &mut msg), fds[0])
        });
        let number = number.recv().unwrap();
        while !lockimpls::witness::awaits_wakeup(number) {
            std::thread::yield_now();
        }
        layer.close(b).unwrap();
        for _ in 0..3 {
            layer.collect();
            assert_eq!(in_flight(layer), 1);
        }
        assert_eq!(layer.put(a, &[0; 1000]), Ok(1000));
        reader.join().unwrap()
    });
    assert_eq!(bytes, Ok(1001));
    layer.close_all(&[a, got.unwrap()]);
});

/// Says when it goes, by a panic too.
struct Gone<'a>(&'a AtomicBool);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        // Relaxed: it only ends the loop of `pass_to`.
        self.0.store(true, Relaxed);
    }
}

/// Passes a descriptor as soon as there is room, as long as there is a receiver.
fn pass_to(layer: &AnyLayer, (a, data, passed): (Fd, &[u8], Fd), receiver_is_gone: &AtomicBool) {
    loop {
        match layer.pass(a, data, &[passed]) {
            Err(Errno::Ewouldblock) if !receiver_is_gone.load(Relaxed) => {}
            sent => return assert_eq!(sent, Ok(data.len())),
        }
    }
}

case!(every_byte_keeps_its_descriptor, layer, {
    let (a, b) = layer.pair(STREAM);
    let is_gone = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for i in 0..3000_u32 {
                pass_to(layer, (a, &[i as u8], a), &is_gone);
            }
        });
        let _receiver = Gone(&is_gone);
        for i in 0..3000_u32 {
            let (mut data, mut fds) = ([0; 9], [None; 9]);
            let mut msg = lockimpls::RecvMsg::with_rights(&mut data, &mut fds, NONE);
            // A control message that came while the one before was delivered ends the read.
            assert_eq!(layer.recvmsg(b, &mut msg), Ok(1));
            assert_eq!(msg.rights_len, 1);
            assert_eq!(data[0], i as u8);
            layer.close(fds[0].unwrap()).unwrap();
        }
    });
    layer.close_all(&[a, b]);
});

case!(descriptors_cross_while_a_collector_runs, layer, {
    let (a, b) = layer.pair(STREAM);
    let (c, d) = layer.pair(STREAM);
    let is_gone = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for _ in 0..300 {
                // `c` is merely in flight: the copy that was sent is closed at once.
                let copy = layer.dup(c).unwrap();
                pass_to(layer, (a, b"x", copy), &is_gone);
                layer.close(copy).unwrap();
                layer.collect();
            }
        });
        let _receiver = Gone(&is_gone);
        for _ in 0..300 {
            let (mut data, mut fds) = ([0], [None]);
            let mut msg = lockimpls::RecvMsg::with_rights(&mut data, &mut fds, NONE);
            layer.recvmsg(b, &mut msg).unwrap();
            let got = fds[0].unwrap();
            layer.put(got, b"y").unwrap();
            layer.close(got).unwrap();
            assert_eq!(layer.get(d, 1).unwrap(), b"y");
        }
    });
    layer.close_all(&[a, b, c, d]);
});
