//! Waiting and waking (`objects/socket/wait_point.rs`, `uipc/wait.rs`,
//! `backend/lock_free/waiting.rs`): whoever waits for something that has come is not left asleep. A
//! lost wake-up is a deadlock of the model.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::gate::{lock_and_say, open};
use super::relock::send_or_epipe;
use super::shared::{ALL_LOOKS, Body, LockFree, Model, layer, pair, seen, small, threads};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::Step;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::primitives::Ordering;

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "wait_locked_reader",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 3,
        branches: &["parked", "woken", "received"],
        program: locked_reader,
    },
    Model {
        name: "wait_locked_writer",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 710,
        branches: &["parked", "woken", "sent"],
        program: locked_writer,
    },
    Model {
        name: "wait_locked_two_readers",
        threads: 3,
        bound: [Some(3), None],
        looks: ALL_LOOKS,
        at_least: 490,
        branches: &["parked", "woken", "received"],
        program: locked_two_readers,
    },
    Model {
        name: "wait_locked_reader_ended",
        threads: 3,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 1400,
        branches: &["parked", "woken", "sent", "EPIPE", "end of the stream"],
        program: locked_reader_ended,
    },
    Model {
        name: "wait_locked_two_and_two",
        threads: 4,
        bound: [Some(2), Some(3)],
        looks: ALL_LOOKS,
        at_least: 2900,
        branches: &["parked", "woken", "sent", "received"],
        program: locked_two_and_two,
    },
    Model {
        name: "wait_locked_one_each",
        threads: 3,
        bound: [Some(3), None],
        looks: ALL_LOOKS,
        at_least: 450,
        branches: &["parked", "woken", "taken"],
        program: locked_one_each,
    },
    Model {
        name: "wait_reader",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 44,
        branches: &["parked", "woken", "park refused", "received"],
        program: reader,
    },
    Model {
        name: "wait_writer",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 49,
        branches: &["parked", "woken", "park refused", "sent"],
        program: writer,
    },
    Model {
        name: "wait_both",
        threads: 2,
        bound: [Some(4), None],
        looks: ALL_LOOKS,
        at_least: 870,
        branches: &["parked", "woken", "park refused", "sent"],
        program: both,
    },
    Model {
        name: "wait_writer_ended",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 260,
        branches: &["parked", "woken", "EPIPE"],
        program: writer_ended,
    },
    Model {
        name: "wait_reader_gate_shut",
        threads: 3,
        bound: [Some(3), None],
        looks: 4,
        at_least: 19000,
        branches: &["parked", "woken", "park refused", "shut", "received"],
        program: reader_gate_shut,
    },
    Model {
        name: "wait_reader_closed",
        threads: 2,
        bound: [Some(4), None],
        looks: ALL_LOOKS,
        at_least: 710,
        branches: &["parked", "woken", "end of the stream"],
        program: reader_closed,
    },
    Model {
        name: "wait_writer_closed",
        threads: 2,
        bound: [Some(4), None],
        looks: ALL_LOOKS,
        at_least: 2000,
        branches: &["parked", "woken", "EPIPE"],
        program: writer_closed,
    },
];

/// More than a stream holds.
const FULL: &[u8; 5] = b"abcde";

/// Receives a stream's bytes until so many have come.
fn receive<D: Domain>(layer: &D, s: D::Sock, bytes: usize) {
    let mut got = Vec::new();
    while got.len() < bytes {
        let mut data = [0; 4];
        let n = layer.recv(s, &mut data, MsgFlags::empty()).expect("bytes");
        assert_ne!(n, 0, "the stream ended");
        got.extend_from_slice(&data[..n]);
    }
    assert_eq!(got, FULL[..bytes]);
    seen("received");
}

fn locked_reader() {
    let layer = layer();
    let (_, [a, b]) = pair(&layer, SockType::Stream);
    let (reader, sender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || receive(&*reader, b, 1)),
        Box::new(move || assert_eq!(sender.send(a, &FULL[..1], MsgFlags::empty()), Ok(1))),
    ]);
}

fn locked_writer() {
    let layer = layer();
    let (_, [a, b]) = pair(&layer, SockType::Stream);
    let (reader, sender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || receive(&*reader, b, FULL.len())),
        Box::new(move || {
            assert_eq!(sender.send(a, FULL, MsgFlags::empty()), Ok(FULL.len()));
            seen("sent");
        }),
    ]);
}

/// Readers of one byte on one end of a stream, and senders of one on the other: each reader gets a
/// byte, and each sender has room.
fn locked_crowd(readers: usize, senders: usize, bytes: usize) {
    assert_eq!(readers, senders * bytes);
    let layer = layer();
    let (_, [a, b]) = pair(&layer, SockType::Stream);
    let reader = |_| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || {
            assert_eq!(layer.recv(b, &mut [0], MsgFlags::empty()), Ok(1));
            seen("received");
        })
    };
    let sender = |_| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || {
            assert_eq!(layer.send(a, &FULL[..bytes], MsgFlags::empty()), Ok(bytes));
            seen("sent");
        })
    };
    threads((0..readers).map(reader).chain((0..senders).map(sender)).collect());
}

fn locked_two_readers() {
    locked_crowd(2, 1, 2);
}

fn locked_two_and_two() {
    locked_crowd(2, 2, 1);
}

/// A listener's queue, as a number under its lock: two threads wait as accept does, a third puts
/// two connections there, and wakes one thread for each, as `soisconnected` does.
fn locked_one_each() {
    let layer = layer();
    let ([head, _], _) = pair(&layer, SockType::Stream);
    let so_qlen = Arc::new(AtomicUsize::new(0));
    let taker = |_| -> Body {
        let (layer, so_qlen) = (Arc::clone(&layer), Arc::clone(&so_qlen));
        Box::new(move || {
            let mut held = layer.policy.solock(&head);
            while so_qlen.load(Relaxed) == 0 {
                layer.sosleep(&mut held, &head.timeo_wait);
            }
            so_qlen.fetch_sub(1, Relaxed);
            layer.policy.sounlock(held);
            seen("taken");
        })
    };
    let mut bodies: Vec<Body> = (0..2).map(taker).collect();
    let (giver, so_qlen) = (Arc::clone(&layer), Arc::clone(&so_qlen));
    bodies.push(Box::new(move || {
        for _ in 0..2 {
            let head = giver.policy.solock(&head);
            so_qlen.fetch_add(1, Relaxed);
            head.timeo_wait.wakeup_one();
            giver.policy.sounlock(head);
        }
    }));
    threads(bodies);
}

/// One thread sends and one ends the stream: the reader gets just what was said to be sent.
fn locked_reader_ended() {
    let layer = layer();
    let (_, [a, b]) = pair(&layer, SockType::Stream);
    let (sender, ender, reader) = (Arc::clone(&layer), Arc::clone(&layer), layer);
    // Not of the model: how many bytes are said to be sent, and how many came before the end.
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [sent, read] = counts.clone();
    threads(vec![
        Box::new(move || sent.store(send_or_epipe(&sender, a), Relaxed)),
        Box::new(move || {
            loop {
                match reader.recv(b, &mut [0], MsgFlags::empty()) {
                    Ok(1) => _ = read.fetch_add(1, Relaxed),
                    Ok(0) => break,
                    other => panic!("a read up to the end answers {other:?}"),
                }
            }
            seen("end of the stream");
        }),
        Box::new(move || ender.shutdown(a, Shutdown::Write).expect("a shutdown")),
    ]);
    let [sent, read] = counts.map(|count| count.load(Relaxed));
    assert_eq!(sent, read, "bytes sent, and bytes read up to the end");
}

/// A stream of `lock-free` with these bytes in it, whose gate is open: thread 1 sends on its first
/// end, thread 2 receives on the other.
fn opened(bytes: &[u8]) -> (Arc<LockFree>, [Fd; 2]) {
    let layer = Arc::new(LockFree::new(&small()).expect("a layer"));
    let (sockets, fds) = pair(&layer.slow, SockType::Stream);
    if !bytes.is_empty() {
        assert_eq!(layer.send(fds[0], bytes, MsgFlags::DONTWAIT), Ok(bytes.len()));
    }
    open(&layer.slow, sockets, [[1, 0], [0, 2]]);
    (layer, fds)
}

fn reader() {
    let (layer, [a, b]) = opened(&[]);
    let (sender, reader) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || assert_eq!(sender.send(a, &FULL[..1], MsgFlags::empty()), Ok(1))),
        Box::new(move || receive(&*reader, b, 1)),
    ]);
}

/// The buffer is full: the writer waits for the reader.
fn writer() {
    let (layer, [a, b]) = opened(&FULL[..4]);
    let (sender, reader) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(a, &FULL[4..], MsgFlags::empty()), Ok(1));
            seen("sent");
        }),
        Box::new(move || receive(&*reader, b, 4)),
    ]);
}

/// Each waits for the other: the reader for bytes, the writer for room.
fn both() {
    let (layer, [a, b]) = opened(&[]);
    let (sender, reader) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(a, FULL, MsgFlags::empty()), Ok(FULL.len()));
            seen("sent");
        }),
        Box::new(move || receive(&*reader, b, FULL.len())),
    ]);
}

/// The buffer is full, and a writer waits; thread 2 ends the stream in this way.
fn writer_until(end: fn(&LockFree, [Fd; 2])) {
    let (layer, fds) = opened(&FULL[..4]);
    let (sender, ender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || match sender.send(fds[0], &FULL[4..], MsgFlags::empty()) {
            Err(Errno::Epipe) => seen("EPIPE"),
            other => panic!("a send whose stream ends answers {other:?}"),
        }),
        Box::new(move || end(&ender, fds)),
    ]);
}

fn writer_ended() {
    writer_until(|layer, [a, _]| layer.shutdown(a, Shutdown::Write).expect("a shutdown"));
}

/// The gate is shut by a third thread while one waits for what the other sends.
fn reader_gate_shut() {
    let (layer, [a, b]) = opened(&[]);
    let (sender, reader) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || assert_eq!(sender.send(a, &FULL[..1], MsgFlags::empty()), Ok(1))),
        Box::new(move || receive(&*reader, b, 1)),
        Box::new(move || {
            let so = layer.slow.fds.find(a).expect("a socket");
            let so = lock_and_say(&layer.slow, so);
            layer.slow.policy.sounlock(so);
        }),
    ]);
}

fn reader_closed() {
    let (layer, [a, b]) = opened(&[]);
    let (closer, reader) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || closer.close(a).expect("a close")),
        Box::new(move || {
            assert_eq!(reader.recv(b, &mut [0; 4], MsgFlags::empty()), Ok(0));
            seen("end of the stream");
        }),
    ]);
}

fn writer_closed() {
    writer_until(|layer, [_, b]| layer.close(b).expect("a close"));
}
