//! How often each request locks: what OpenBSD's source says, request by request; of 2022, and for
//! `per-buffer` of 2025; NetBSD's for `per-pair`, Linux's for `state-queue`, and gVisor's for
//! `endpoint-queue`.
//!
//! `own` is the lock of the socket a request is made on. A send takes it twice (it is dropped while
//! the bytes are copied) and the peer's once; at the higher address it takes its own once more. On
//! `per-buffer` it takes its own once; `acquisitions` of `lockimpls` has the lines. On `per-pair`
//! one lock has both ends, as on `global`; which one is what it is about.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use lockimpls::witness::{Class, Counters, counters};
use lockimpls::{Fd, SockType};

use crate::battery::{
    AnyLayer, NONE, Program, is_endpoint_queue, is_global, is_per_buffer, is_per_pair,
    is_per_socket, is_shared_link, is_state_queue, name, tries_first,
};

/// What a request acquires in each granularity.
struct Locks {
    /// `unp_lock` of `global` and `global-gc`; on `per-pair` that of the connection, or of all.
    unp_lock: u64,
    /// `so_lock`s of `per-socket`, and how many of them after a relock.
    so_lock: u64,
    relocks: u64,
    /// Those of `per-buffer`: `sb_lock`, `so_lock`, relocks, `sb_mtx` of receive sides, of send
    /// sides.
    by_side: [u64; 5],
    /// Those of `state-queue`: iolocks, states, queues.
    by_queue: [u64; 3],
    /// Those of `endpoint-queue`: receivers' locks, endpoints, queues.
    by_number: [u64; 3],
}

/// What `per-buffer` counts.
fn by_side(counts: &Counters) -> [u64; 5] {
    let taken = |class| counts.of(class).acquisitions;
    let relocks = counts.of(Class::SoLock).relocks;
    [
        taken(Class::SbLock),
        taken(Class::SoLock),
        relocks,
        taken(Class::SbMtxRcv),
        taken(Class::SbMtxSnd),
    ]
}

/// What `state-queue` counts, and `endpoint-queue`.
fn by_queue(counts: &Counters) -> [u64; 3] {
    [Class::SbLock, Class::SoLock, Class::SbMtxRcv].map(|class| counts.of(class).acquisitions)
}

/// Runs a request, which must acquire exactly these locks.
#[track_caller]
fn costs<T>(layer: &AnyLayer, expected: &Locks, request: impl FnOnce() -> T) -> T {
    let before = counters();
    let result = request();
    let counts = counters().since(&before);
    let (so, unp) = (counts.of(Class::SoLock), counts.of(Class::UnpLock));
    if is_per_socket(layer) {
        // Whoever relocks takes its own lock once more.
        let saved = if tries_first(layer) { expected.relocks } else { 0 };
        let wanted = [expected.so_lock - saved, expected.relocks - saved, saved];
        assert_eq!([so.acquisitions, so.relocks, so.saved], wanted);
        assert_eq!(unp.acquisitions, 0);
    } else if is_global(layer) {
        assert_eq!((unp.acquisitions, so.acquisitions), (expected.unp_lock, 0));
    } else if is_per_buffer(layer) {
        assert_eq!(by_side(&counts), expected.by_side);
        assert_eq!(unp.acquisitions, 0);
    } else if is_state_queue(layer) {
        assert_eq!(by_queue(&counts), expected.by_queue);
        assert_eq!((unp.acquisitions, counts.of(Class::SbMtxSnd).acquisitions), (0, 0));
    } else if is_endpoint_queue(layer) {
        assert_eq!(by_queue(&counts), expected.by_number);
        assert_eq!((unp.acquisitions, counts.of(Class::SbMtxSnd).acquisitions), (0, 0));
    } else if is_per_pair(layer) {
        let (of_pair, of_all) = (so.acquisitions, unp.acquisitions);
        assert!([(expected.unp_lock, 0), (0, expected.unp_lock)].contains(&(of_pair, of_all)));
        assert_eq!((so.relocks, so.retries, unp.retries), (0, 0, 0));
    }
    result
}

/// Own 2 and peer 1; from the higher end own 3 and peer 1. `by_side`, `by_queue`, `by_number`:
/// whatever the addresses.
fn with_peer(is_high: bool, by_side: [u64; 5], by_queue: [u64; 3], by_number: [u64; 3]) -> Locks {
    let high = u64::from(is_high);
    Locks { unp_lock: 2, so_lock: 2 + 1 + high, relocks: high, by_side, by_queue, by_number }
}

/// A send by `endpoint-queue`: the own endpoint, the peer's queue (gVisor 3c5eee17dc45,
/// `pkg/sentry/socket/unix/transport/unix.go` 1034, `queue.go` 134).
const SEND_BY_NUMBER: [u64; 3] = [0, 1, 1];
/// A receive: the own endpoint to find the queue, the receiver's lock, the queue to look and to
/// take off (`unix.go` 1005, 603, 613, 668). Records have the second, and the last, because they
/// lie in a ring.
const RECEIVE_BY_NUMBER: [u64; 3] = [1, 1, 2];

/// A send by `state-queue`: the peer's state and queue (Linux 6.12.95, `net/unix/af_unix.c`, lines
/// 2349 and 2357); a record's sender has its own state before (308, 2081, 2178).
fn send_by_queue(kind: SockType) -> [u64; 3] {
    [0, 1 + u64::from(kind != SockType::Stream), 1]
}

/// A receive: iolock, state and queue (2811, 2819, 2929). Of records: iolock and queue (2446,
/// 2449), which is locked once more to take the record off, as it lies in a ring.
fn receive_by_queue(kind: SockType) -> [u64; 3] {
    if kind == SockType::Stream { [1, 1, 1] } else { [1, 0, 2] }
}

/// A send to a connection: the own side before and after the copy, to append, at the end; the
/// peer's to append, to wake (`uipc_socket.c` 1.385, lines 631 to 704; `uipc_usrreq.c` 1.221, 548
/// and 549).
const SEND: [u64; 5] = [1, 1, 0, 2, 4];
/// A receive from one: the own side before and after the copy, to account, at the end; the peer's
/// to account, to wake (870 to 1211; 499 and 500).
const RECEIVE: [u64; 5] = [1, 1, 0, 4, 2];
/// A datagram's append leaves the own side alone (629).
const SEND_DGRAM: [u64; 5] = [1, 1, 0, 2, 3];

/// Pairs of each kind, sender first: from the lower to the higher end, and the other way. All are
/// made before one is closed, so that addresses ascend.
fn both_ways(layer: &AnyLayer, kinds: &[SockType]) -> Vec<(SockType, Fd, Fd, bool)> {
    let of = |kind: &SockType| both_ways_of(layer, *kind).map(|(a, b, high)| (*kind, a, b, high));
    kinds.iter().flat_map(of).collect()
}

fn both_ways_of(layer: &AnyLayer, kind: SockType) -> [(Fd, Fd, bool); 2] {
    let ((a, b), (c, d)) = (layer.pair(kind), layer.pair(kind));
    [(a, b, false), (d, c, true)]
}

case!(a_send_and_a_receive, layer, {
    let kinds = [SockType::Stream, SockType::Seqpacket];
    for (kind, s, peer, is_high) in both_ways(layer, &kinds) {
        let send = with_peer(is_high, SEND, send_by_queue(kind), SEND_BY_NUMBER);
        costs(layer, &send, || layer.send(s, b"x", NONE).unwrap());
        let mut data = [0];
        let receive = receive_by_queue(kind);
        let receive = with_peer(!is_high, RECEIVE, receive, RECEIVE_BY_NUMBER);
        costs(layer, &receive, || layer.recv(peer, &mut data, NONE).unwrap());
        layer.close_all(&[s, peer]);
    }
});

case!(a_connected_datagram, layer, {
    for (kind, s, peer, is_high) in both_ways(layer, &[SockType::Dgram]) {
        let send = with_peer(is_high, SEND_DGRAM, send_by_queue(kind), SEND_BY_NUMBER);
        costs(layer, &send, || layer.send(s, b"x", NONE).unwrap());
        // A datagram's receiver accounts to nobody.
        let (by_side, by_queue) = ([1, 0, 0, 2, 0], receive_by_queue(kind));
        let by_number = RECEIVE_BY_NUMBER;
        let alone = Locks { unp_lock: 2, so_lock: 2, relocks: 0, by_side, by_queue, by_number };
        costs(layer, &alone, || layer.recv(peer, &mut [0], NONE).unwrap());
        layer.close_all(&[s, peer]);
    }
});

case!(an_addressed_datagram, layer, {
    let low = layer.socket(SockType::Dgram).unwrap();
    let there = layer.bound(SockType::Dgram, "there");
    let high = layer.socket(SockType::Dgram).unwrap();
    let send = |s| layer.sendto(s, b"x", &name("there"), NONE).unwrap();
    // Own 4 and the destination's 3; from above own 6 and the destination's 3. By side: own 3 and
    // the destination's 2, of which the append is none; the connect wakes at both sides; from above
    // the parting relocks.
    let [from_low, from_high] = [[1, 5, 0, 3, 4], [1, 6, 1, 3, 4]];
    // By queue: own 4 and the destination's 3, as the first connects, and parts, by itself; from
    // above the parting relocks. Nobody locks to wake. By number: own 3, of which the last lasts
    // until the parting, and the destination's 2; from above the parting relocks.
    let low_locks = Locks {
        unp_lock: 4,
        so_lock: 4 + 3,
        relocks: 0,
        by_side: from_low,
        by_queue: [0, 4 + 3, 1],
        by_number: [0, 3 + 2, 1],
    };
    let high_locks = Locks {
        unp_lock: 4,
        so_lock: 6 + 3,
        relocks: 2,
        by_side: from_high,
        by_queue: [0, 5 + 3, 1],
        by_number: [0, 4 + 2, 1],
    };
    costs(layer, &low_locks, || send(low));
    costs(layer, &high_locks, || send(high));
    let before = counters();
    send(low);
    let counts = counters().since(&before);
    assert_eq!(counts.of(Class::Vnode).acquisitions, 1);
    layer.close_all(&[low, there, high]);
    layer.unlink(&name("there")).unwrap();
});

case!(descriptors_cost_one_more, layer, {
    let pairs = SockType::ALL.map(|kind| (kind, both_ways_of(layer, kind)));
    for (kind, ways) in pairs {
        for (s, peer, is_high) in ways {
            for fds in [&[s][..], &[s, peer]] {
                passed(layer, kind, (s, peer, is_high), fds);
            }
            layer.close_all(&[s, peer]);
        }
    }
});

/// Passes descriptors, which takes the own lock once more.
fn passed(layer: &AnyLayer, kind: SockType, (s, peer, is_high): (Fd, Fd, bool), fds: &[Fd]) {
    let mut by_side = if kind == SockType::Dgram { SEND_DGRAM } else { SEND };
    by_side[1] += 1;
    let mut by_number = SEND_BY_NUMBER;
    by_number[1] += 1;
    let send = with_peer(is_high, by_side, send_by_queue(kind), by_number);
    let send = Locks { unp_lock: send.unp_lock + 1, so_lock: send.so_lock + 1, ..send };
    let before = counters();
    costs(layer, &send, || layer.pass(s, b"x", fds).unwrap());
    let counts = counters().since(&before);
    assert_eq!(counts.of(Class::Fdplock).acquisitions, 1);
    assert_eq!(counts.of(Class::UnpRightsMtx).acquisitions, 1);
    let is_gc = layer.name() != "global" && !is_shared_link(layer);
    let per_fd = if is_gc { fds.len() as u64 } else { 0 };
    let gc = [Class::UnpGcLock, Class::UnpGcLockInner];
    assert_eq!(gc.map(|class| counts.of(class).acquisitions).iter().sum::<u64>(), per_fd);
    let got = layer.take(peer, 1, 2).unwrap();
    layer.close_all(&got.fds);
}

/// Makes a call, which on `per-pair` takes locks of connections so often, and that of all.
#[track_caller]
fn takes<T>(layer: &AnyLayer, of_pair: u64, of_all: u64, call: impl FnOnce() -> T) -> T {
    let before = counters();
    let result = call();
    let counts = counters().since(&before);
    if is_per_pair(layer) {
        let taken = [Class::SoLock, Class::UnpLock].map(|class| counts.of(class).acquisitions);
        assert_eq!(taken, [of_pair, of_all]);
    }
    result
}

// A connection has a lock of its own from the accept on (`uipc_usrreq.c` 1.173, line 834), and
// nothing else has: not what waits to be accepted, not a client that was refused, not what is
// accepted when its client has gone, not a socket that could not listen.
case!(what_waits_to_be_accepted_shares_the_lock_of_all, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let (head, alone) = (layer.listener(kind, "head"), layer.socket(kind).unwrap());
        takes(layer, 1, 0, || layer.put(alone, b"x").unwrap_err());
        let [client, gone] = [(); 2].map(|()| layer.client(kind, "head"));
        takes(layer, 0, 2, || layer.put(client, b"x").unwrap());
        layer.close(gone).unwrap();
        let [server, left] = [(); 2].map(|()| layer.accept(head).unwrap().0);
        takes(layer, 2, 0, || layer.put(client, b"y").unwrap());
        takes(layer, 2, 0, || layer.put(server, b"z").unwrap());
        takes(layer, 0, 1, || layer.put(left, b"x").unwrap_err());
        layer.close(head).unwrap();
        // Nothing is at the name; so far nothing has happened to the socket.
        layer.connect(alone, &name("head")).unwrap_err();
        takes(layer, 1, 0, || layer.put(alone, b"x").unwrap_err());
        let bound = layer.bound(kind, "bound");
        layer.connect(alone, &name("bound")).unwrap_err();
        takes(layer, 0, 1, || layer.put(alone, b"x").unwrap_err());
        let unbound = layer.socket(kind).unwrap();
        layer.listen(unbound, 1).unwrap_err();
        takes(layer, 0, 1, || layer.put(unbound, b"x").unwrap_err());
        layer.close_all(&[client, server, left, alone, bound, unbound]);
        for path in ["head", "bound"] {
            layer.unlink(&name(path)).unwrap();
        }
    }
});

// A call that waits for the lock that its socket is about to leave goes on with the new one.
case!(a_name_is_asked_for_while_its_socket_is_accepted, layer, {
    let head = layer.listener(SockType::Stream, "head");
    for _ in 0..200 {
        let client = layer.client(SockType::Stream, "head");
        let is_accepted = AtomicBool::new(false);
        let server = std::thread::scope(|threads| {
            threads.spawn(|| {
                while !is_accepted.load(Relaxed) {
                    assert_eq!(layer.getpeername(client), Ok(name("head")));
                }
            });
            let (server, _) = layer.accept(head).unwrap();
            // Relaxed: it only ends the loop; the end of the scope orders the rest.
            is_accepted.store(true, Relaxed);
            server
        });
        layer.close_all(&[client, server]);
    }
    layer.close(head).unwrap();
    layer.unlink(&name("head")).unwrap();
});

/// Rounds until everybody who uses the pair has been seen to.
const WARM_UP: u32 = 2000;
const ROUNDS: u32 = 20_000;

/// What a thread counts in its rounds after the warm-up; `lock-free` must do them without a lock.
fn rounds(layer: &AnyLayer, warm: &Barrier, mut round: impl FnMut()) {
    (0..WARM_UP).for_each(|_| round());
    warm.wait();
    let before = counters();
    (0..ROUNDS).for_each(|_| round());
    let counts = counters().since(&before);
    warm.wait();
    if layer.name() == "lock-free" {
        assert_lock_free(&counts);
    } else {
        assert!(counts.acquisitions() >= u64::from(ROUNDS));
        assert_eq!(counts.fast_sends + counts.fast_receives, 0);
    }
}

#[track_caller]
fn assert_lock_free(counts: &Counters) {
    let fast = counts.fast_sends + counts.fast_receives;
    let slow = counts.slow_sends + counts.slow_receives;
    assert!(fast >= u64::from(ROUNDS));
    assert!(slow * 1000 < fast, "{slow} of {} calls took the locks", fast + slow);
    assert_eq!(counts.acquisitions(), 0);
    assert_eq!(counts.gate_closings, 0);
}

case!(one_thread_on_both_ends, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        rounds(layer, &Barrier::new(1), || {
            layer.send(a, b"ping", NONE).unwrap();
            layer.recv(b, &mut [0; 9], NONE).unwrap();
        });
        layer.close_all(&[a, b]);
    }
});

case!(one_thread_sends_and_one_receives, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    let warm = Barrier::new(2);
    std::thread::scope(|threads| {
        threads
            .spawn(|| rounds(layer, &warm, || assert_eq!(layer.send(a, b"12345678", NONE), Ok(8))));
        rounds(layer, &warm, || {
            let mut got = 0;
            while got < 8 {
                got += layer.recv(b, &mut [0; 8][got..], NONE).unwrap();
            }
        });
    });
    layer.close_all(&[a, b]);
});

case!(two_threads_take_turns, layer, {
    let (a, b) = layer.pair(SockType::Seqpacket);
    let warm = Barrier::new(2);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            rounds(layer, &warm, || {
                layer.recv(b, &mut [0; 9], NONE).unwrap();
                layer.send(b, b"pong", NONE).unwrap();
            });
        });
        rounds(layer, &warm, || {
            layer.send(a, b"ping", NONE).unwrap();
            layer.recv(a, &mut [0; 9], NONE).unwrap();
        });
    });
    layer.close_all(&[a, b]);
});

#[test]
fn the_loop_that_times_a_lock_counts_too() {
    let before = counters();
    lockimpls::calibrate::lock_pairs_checked(100);
    assert_eq!(counters().since(&before).of(Class::SoLock).acquisitions, 100);
}
