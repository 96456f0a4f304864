//! close: what the peer sees, referrers at either address, queues, calls still under way.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockimpls::{Errno, SockType, witness};

use crate::battery::{
    AnyLayer, NONE, Program, hang_after, is_endpoint_queue, is_global, is_per_buffer, is_per_pair,
    is_receive_buffer, is_shared_link, name, parting_waits, settle, tries_first,
};

const DGRAM: SockType = SockType::Dgram;
const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

case!(the_peer_reads_to_the_end, layer, {
    for kind in CONNECTED {
        for end in 0..2 {
            let (a, b) = layer.pair(kind);
            let (s, peer) = if end == 0 { (a, b) } else { (b, a) };
            layer.put(s, b"bye").unwrap();
            layer.put(peer, b"unread").unwrap();
            layer.close(s).unwrap();
            assert_eq!(layer.get(peer, 9).unwrap(), b"bye");
            assert_eq!(layer.get(peer, 9).unwrap(), b"");
            assert_eq!(layer.put(peer, b"x"), Err(Errno::Epipe));
            assert_eq!(layer.pass(peer, b"x", &[peer]), Err(Errno::Epipe));
            assert_eq!(layer.getpeername(peer), Err(Errno::Enotconn));
            layer.close(peer).unwrap();
        }
    }
});

case!(referrers_are_told_whatever_their_address, layer, {
    let low = [(); 2].map(|()| layer.socket(DGRAM).unwrap());
    let there = layer.bound(DGRAM, "there");
    let high = [(); 2].map(|()| layer.socket(DGRAM).unwrap());
    let all = [low, high].concat();
    for s in &all {
        layer.connect(*s, &name("there")).unwrap();
        layer.put(*s, b"x").unwrap();
    }
    layer.close(there).unwrap();
    for s in &all {
        assert_eq!(layer.put(*s, b"x"), Err(Errno::Econnreset));
        assert_eq!(layer.put(*s, b"x"), Err(Errno::Edestaddrreq));
    }
    layer.close_all(&all);
    layer.unlink(&name("there")).unwrap();
});

case!(a_pair_of_datagram_sockets_parts, layer, {
    for end in 0..2 {
        let (a, b) = layer.pair(DGRAM);
        let (s, peer) = if end == 0 { (a, b) } else { (b, a) };
        layer.put(s, b"bye").unwrap();
        layer.close(s).unwrap();
        assert_eq!(layer.put(peer, b"x"), Err(Errno::Econnreset));
        assert_eq!(layer.get(peer, 9).unwrap(), b"bye");
        assert_eq!(layer.get(peer, 9), Err(Errno::Ewouldblock));
        layer.close(peer).unwrap();
    }
});

case!(a_listener_closes_with_connections_waiting, layer, {
    for kind in CONNECTED {
        let before = layer.socket(kind).unwrap();
        let listener = layer.listener(kind, "here");
        let after = [(); 3].map(|()| layer.socket(kind).unwrap());
        let clients = [&[before][..], &after].concat();
        for client in &clients {
            layer.connect(*client, &name("here")).unwrap();
            layer.put(*client, b"lost").unwrap();
        }
        layer.close(clients[1]).unwrap();
        layer.close(listener).unwrap();
        for client in [clients[0], clients[2], clients[3]] {
            assert_eq!(layer.get(client, 1).unwrap(), b"");
            assert_eq!(layer.put(client, b"x"), Err(Errno::Epipe));
            layer.close(client).unwrap();
        }
        layer.unlink(&name("here")).unwrap();
    }
});

case!(close_while_another_thread_receives, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        std::thread::scope(|threads| {
            let reader = threads.spawn(|| layer.recv(b, &mut [0; 9], NONE));
            settle();
            layer.close(b).unwrap();
            assert_eq!(layer.get(b, 1), Err(Errno::Ebadf));
            // The call that is under way keeps the socket.
            let sent = layer.put(a, b"late");
            let got = reader.join().unwrap();
            assert!(got == Err(Errno::Ebadf) || (sent, got) == (Ok(4), Ok(4)), "{sent:?} {got:?}");
        });
        assert!(layer.put(a, b"x").is_err());
        layer.close(a).unwrap();
    }
});

case!(close_while_another_thread_sends, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        layer.put(a, &[1; 8192]).unwrap();
        std::thread::scope(|threads| {
            let writer = threads.spawn(|| layer.send(a, &[2; 4000], NONE));
            settle();
            layer.close(a).unwrap();
            layer.get(b, 8192).unwrap();
            let sent = writer.join().unwrap();
            assert!(matches!(sent, Ok(4000) | Err(Errno::Ebadf)), "{sent:?}");
            let rest = layer.get(b, 8192).unwrap();
            assert_eq!(rest.len(), sent.unwrap_or(0));
            assert_eq!(layer.get(b, 1).unwrap(), b"");
        });
        layer.close(b).unwrap();
    }
});

case!(close_a_listener_while_another_thread_accepts, layer, {
    let listener = layer.bound(SockType::Stream, "here");
    layer.listen(listener, 1).unwrap();
    let client = layer.socket(SockType::Stream).unwrap();
    std::thread::scope(|threads| {
        let acceptor = threads.spawn(|| layer.accept(listener));
        settle();
        layer.close(listener).unwrap();
        let connected = layer.connect(client, &name("here"));
        match acceptor.join().unwrap() {
            Ok((server, _)) => {
                assert_eq!(connected, Ok(()));
                assert_eq!(layer.put(client, b"x"), Ok(1));
                layer.close(server).unwrap();
            }
            Err(errno) => assert_eq!((errno, connected), (Errno::Ebadf, Err(Errno::Econnrefused))),
        }
    });
    layer.close(client).unwrap();
    layer.unlink(&name("here")).unwrap();
});

case!(the_first_of_two_ends_to_close, layer, {
    for kind in SockType::ALL {
        for _ in 0..100 {
            let (a, b) = layer.pair(kind);
            std::thread::scope(|threads| {
                threads.spawn(|| layer.close(a).unwrap());
                layer.close(b).unwrap();
            });
        }
    }
});

case!(one_of_two_closers_is_refused, layer, {
    for _ in 0..100 {
        let (a, b) = layer.pair(SockType::Stream);
        std::thread::scope(|threads| {
            let other = threads.spawn(|| layer.close(a));
            let mine = layer.close(a);
            assert_ne!(mine.is_ok(), other.join().unwrap().is_ok());
        });
        layer.close(b).unwrap();
    }
});

/// How often this thread locked a second socket, looked again, and was linked to it no more.
fn retries() -> u64 {
    witness::counters().of(witness::Class::SoLock).retries
}

/// Rounds until this thread has looked again in vain a few times; whether it has at all, where it
/// looks again (on one CPU that takes seconds). The others do some rounds, and are not asked.
fn rounds_until_retried(looks_again: bool, mut round: impl FnMut(u32)) -> bool {
    let (before, begin) = (retries(), Instant::now());
    let most = if looks_again { 2 * hang_after() } else { Duration::from_millis(50) };
    for i in 0.. {
        round(i);
        if retries() > before + 3 || begin.elapsed() > most {
            break;
        }
    }
    !looks_again || retries() > before
}

/// Whether one lock is for both sockets of a connection, or over all that links them.
fn has_all(layer: &AnyLayer) -> bool {
    is_global(layer) || is_per_pair(layer) || is_shared_link(layer)
}

case!(the_peer_is_another_one_after_the_relock, layer, {
    let (one, two) = (layer.bound(DGRAM, "one"), layer.bound(DGRAM, "two"));
    let s = layer.client(DGRAM, "one");
    let stop = AtomicBool::new(false);
    let has_retried = std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Relaxed) {
                layer.connect(s, &name("two")).unwrap();
                layer.connect(s, &name("one")).unwrap();
            }
        });
        // Where a relock is waited for by partings or connects, or a lock that is held keeps the
        // peer, there is no other one.
        let relock = parting_waits(layer) || tries_first(layer) || is_receive_buffer(layer);
        let keep = has_all(layer) || is_per_buffer(layer) || is_endpoint_queue(layer);
        let looks_again = !relock && !keep;
        let has_retried = rounds_until_retried(looks_again, |i| {
            // The lower sockets' locks are wanted by receives, too, which makes the window longer.
            let sent = layer.put(s, &i.to_le_bytes());
            assert!(
                matches!(sent, Ok(4) | Err(Errno::Edestaddrreq | Errno::Enotconn | Errno::Enobufs)),
                "{sent:?}"
            );
            for there in [one, two] {
                let _ = layer.get(there, 4);
            }
        });
        // Relaxed: it only ends the loop; the end of the scope orders the rest.
        stop.store(true, Relaxed);
        has_retried
    });
    assert!(has_retried, "{}", layer.name());
    layer.close_all(&[one, two, s]);
    layer.unlink(&name("one")).unwrap();
    layer.unlink(&name("two")).unwrap();
});

case!(a_referrer_parts_while_its_destination_closes, layer, {
    let low = [(); 3].map(|()| layer.socket(DGRAM).unwrap());
    let rest = layer.bound(DGRAM, "rest");
    let stop = AtomicBool::new(false);
    let has_retried = std::thread::scope(|threads| {
        for s in low {
            let stop = &stop;
            threads.spawn(move || {
                while !stop.load(Relaxed) {
                    let _ = layer.connect(s, &name("there"));
                    let _ = layer.connect(s, &name("rest"));
                }
            });
        }
        let looks_again = !has_all(layer) && !parting_waits(layer);
        let has_retried = rounds_until_retried(looks_again, |_| {
            let there = layer.bound(DGRAM, "there");
            std::thread::yield_now();
            layer.close(there).unwrap();
            layer.unlink(&name("there")).unwrap();
        });
        // Relaxed: it only ends the loop; the end of the scope orders the rest.
        stop.store(true, Relaxed);
        has_retried
    });
    assert!(has_retried, "{}", layer.name());
    layer.close_all(&low);
    layer.close(rest).unwrap();
    layer.unlink(&name("rest")).unwrap();
});
