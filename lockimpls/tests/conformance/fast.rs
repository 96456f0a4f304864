//! What the lock-free path must answer as the locks do, one thing at a time. On the other backends
//! the same programs are plain cases.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockimpls::witness::{awaits_wakeup, counters, thread_number};
use lockimpls::{Config, Errno, Fd, MsgFlags, RecvMsg, Shutdown, SockAddr, SockOpt, SockType};

use crate::battery::{AnyLayer, NONE, Program};

const RECORDS: [SockType; 2] = [SockType::Dgram, SockType::Seqpacket];

/// One message there and back, often enough that the gate opens for this thread.
fn open_gate(layer: &AnyLayer, (a, b): (Fd, Fd)) {
    for _ in 0..3 {
        for (from, to) in [(a, b), (b, a)] {
            layer.put(from, b"open").unwrap();
            assert_eq!(layer.get(to, 9).unwrap(), b"open");
        }
    }
}

case!(a_record_that_is_cut_says_so, layer, {
    for kind in RECORDS {
        let pair = layer.pair(kind);
        open_gate(layer, pair);
        let before = counters();
        for room in [10, 2000] {
            layer.put(pair.0, &[1; 1000]).unwrap();
            let got = layer.take(pair.1, room, 0).unwrap();
            assert_eq!(got.data.len(), room.min(1000));
            assert_eq!(got.flags.contains(MsgFlags::TRUNC), room < 1000);
        }
        let fast = counters().since(&before);
        assert_eq!(
            (fast.fast_sends, fast.fast_receives),
            if fast.fast_sends > 0 { (2, 2) } else { (0, 0) }
        );
        layer.close_all(&[pair.0, pair.1]);
    }
});

case!(a_closed_descriptor_leads_to_no_other_socket, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        open_gate(layer, (a, b));
        layer.close_all(&[a, b]);
        assert_eq!(layer.put(a, b"x"), Err(Errno::Ebadf));
        // The same places, and an open gate again, for the same thread.
        let (c, d) = layer.pair(kind);
        open_gate(layer, (c, d));
        for closed in [a, b] {
            assert_eq!(layer.put(closed, b"x"), Err(Errno::Ebadf));
            assert_eq!(layer.get(closed, 9), Err(Errno::Ebadf));
        }
        for s in [c, d] {
            assert_eq!(layer.get(s, 9), Err(Errno::Ewouldblock));
        }
        layer.close_all(&[c, d]);
    }
});

/// Enough that a thread which goes on in another's socket is seen to; fewer where the machine is so
/// busy that they last longer than this.
const ROUNDS: usize = 100;
const ROUNDS_LAST: Duration = Duration::from_millis(200);

// The thread that waits keeps the socket, as a call under way does: its place is not used again
// before the thread has gone on. A datagram socket's receive would sleep for good: losing the
// destination wakes nobody.
waiting_case!(a_receive_waits_while_its_descriptor_is_closed, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let begin = Instant::now();
        for _ in (0..ROUNDS).take_while(|_| begin.elapsed() < ROUNDS_LAST) {
            let (a, b) = layer.pair(kind);
            let (told, number) = channel();
            std::thread::scope(|threads| {
                let reader = threads.spawn(move || {
                    told.send(thread_number()).unwrap();
                    // The first takes the locks; the second finds an open gate, and nothing.
                    assert_eq!(layer.recv(b, &mut [0; 9], NONE), Ok(5));
                    layer.recv(b, &mut [0; 9], NONE)
                });
                let number = number.recv().unwrap();
                layer.put(a, b"first").unwrap();
                while !awaits_wakeup(number) {
                    std::thread::yield_now();
                }
                layer.close_all(&[b, a]);
                let (c, d) = layer.pair(kind);
                for (from, to) in [(c, d), (d, c)] {
                    layer.put(from, b"stranger").unwrap();
                    std::thread::yield_now();
                    assert_eq!(layer.get(to, 9).unwrap(), b"stranger");
                }
                let got = reader.join().unwrap();
                assert!(!matches!(got, Ok(1..)), "{kind:?}: {got:?}");
                layer.close_all(&[c, d]);
            });
        }
    }
});

// Where the message may be cut, its descriptors' bytes count for the low-water mark: `sosend` asks
// whether what is left of the room and they are enough together.
case!(a_control_message_counts_for_the_low_water_mark_of_a_send, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.setsockopt(a, SockOpt::SndBuf, 100).unwrap();
    layer.setsockopt(a, SockOpt::SndLowat, 95).unwrap();
    let sent = layer.pass(a, &[1; 200], &[a]);
    assert!(matches!(sent, Ok(1..95)), "{sent:?}");
    let got = layer.take(b, 200, 1).unwrap();
    assert_eq!((Ok(got.data.len()), got.fds.len()), (sent, 1));
    layer.close_all(&[a, b, got.fds[0]]);
});

case!(a_flushed_buffer_has_no_low_water_mark, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.setsockopt(b, SockOpt::RcvLowat, 50).unwrap();
    layer.shutdown(b, lockimpls::Shutdown::Read).unwrap();
    assert_eq!(layer.getsockopt(b, SockOpt::RcvLowat), Ok(0));
    layer.close_all(&[a, b]);
});

fn often() -> Config {
    Config { reopen_after_calls: 1, ..Config::default() }
}

case!(what_is_received_without_a_wait_says_its_name, often(), layer, {
    let (a, b) = (layer.bound(SockType::Dgram, "a"), layer.bound(SockType::Dgram, "b"));
    for (s, to) in [(a, "b"), (b, "a")] {
        layer.connect(s, &crate::battery::name(to)).unwrap();
    }
    open_gate(layer, (a, b));
    layer.put(a, b"x").unwrap();
    let (mut data, flags) = ([0; 9], MsgFlags::DONTWAIT);
    let mut from = SockAddr::UNNAMED;
    let mut msg = RecvMsg::new(&mut data, flags);
    msg.from = Some(&mut from);
    assert_eq!(layer.recvmsg(b, &mut msg), Ok(1));
    assert_eq!(from, crate::battery::name("a"));
    layer.close_all(&[a, b]);
});

// Whatever name the caller's room had: with the locks (a peek, the end) and without.
case!(what_is_no_datagram_comes_from_nobody, often(), layer, {
    let (peek, none) = (MsgFlags::PEEK, MsgFlags::empty());
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let (a, b) = layer.pair(kind);
        open_gate(layer, (a, b));
        layer.put(a, b"x").unwrap();
        for (flags, bytes) in [(none, 1), (peek, 1), (none, 1), (peek, 0), (none, 0)] {
            match (flags == peek, bytes) {
                (true, 1) => assert_eq!(layer.put(a, b"y"), Ok(1)),
                (true, _) => layer.shutdown(a, Shutdown::Write).unwrap(),
                _ => {}
            }
            let (mut data, mut from) = ([0; 9], crate::battery::name("another"));
            let mut msg = RecvMsg::new(&mut data, flags | MsgFlags::DONTWAIT);
            msg.from = Some(&mut from);
            assert_eq!(layer.recvmsg(b, &mut msg), Ok(bytes));
            assert_eq!(from, SockAddr::UNNAMED);
        }
        layer.close_all(&[a, b]);
    }
});

// On the fast path a receive takes what there is: with a low-water mark the gate stays shut, to the
// thread that had the direction, too.
case!(a_low_water_mark_keeps_its_owner_waiting, often(), layer, {
    let (a, b) = layer.pair(SockType::Stream);
    layer.setsockopt(b, SockOpt::RcvLowat, 6).unwrap();
    open_gate(layer, (a, b));
    layer.put(a, b"abc").unwrap();
    let (reader, is_over) = (thread_number(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // Relaxed: the scope's end orders the rest.
            while !awaits_wakeup(reader) && !is_over.load(Relaxed) {
                std::thread::yield_now();
            }
            layer.put(a, b"def").unwrap();
        });
        let mut data = [0; 9];
        let got = layer.recv(b, &mut data, NONE);
        is_over.store(true, Relaxed);
        assert_eq!((got, &data[..6]), (Ok(6), b"abcdef".as_slice()));
    });
    layer.close_all(&[a, b]);
});

// Its sends would shut the gate each time: while a third socket is connected to an end, the pair
// keeps to the locks.
case!(a_third_that_is_connected_keeps_a_pair_to_the_locks, often(), layer, {
    let (a, b) = (layer.bound(SockType::Dgram, "a"), layer.bound(SockType::Dgram, "b"));
    let third = layer.socket(SockType::Dgram).unwrap();
    for (s, to) in [(a, "b"), (b, "a"), (third, "b")] {
        layer.connect(s, &crate::battery::name(to)).unwrap();
    }
    let fast_calls = || {
        let before = counters();
        open_gate(layer, (a, b));
        let counts = counters().since(&before);
        counts.fast_sends + counts.fast_receives
    };
    assert_eq!(fast_calls(), 0);
    layer.close_all(&[third]);
    assert_eq!(fast_calls() > 0, layer.name() == "lock-free");
    layer.close_all(&[a, b]);
});
