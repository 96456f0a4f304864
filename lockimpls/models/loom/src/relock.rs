//! The relock of `per-socket` (`backend/per_socket.rs`): two locks in address order, although the
//! own one is held first, and the second look after it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::shared::{ALL_LOOKS, Body, Layer, Model, SockRef, layer, pair, relocks, seen, threads};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::Step;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "relock_two_senders",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 6,
        branches: &["ordered", "relocked"],
        program: two_senders,
    },
    Model {
        name: "relock_parted",
        threads: 3,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 150,
        branches: &["ordered", "relocked", "peer gone", "peer gone in the relock", "parted"],
        program: parted,
    },
    Model {
        name: "relock_parted_by_two",
        threads: 4,
        bound: [Some(4); 2],
        looks: ALL_LOOKS,
        at_least: 15000,
        branches: &["ordered", "relocked", "peer gone", "peer gone in the relock", "parted"],
        program: parted_by_two,
    },
    Model {
        name: "relock_reconnected",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 43,
        branches: &["relocked", "retried", "ordered", "peer gone", "connected elsewhere"],
        program: reconnected,
    },
    Model {
        name: "relock_reconnected_two_senders",
        threads: 3,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 35000,
        branches: &["relocked", "retried", "ordered", "peer gone", "connected elsewhere"],
        program: reconnected_two_senders,
    },
    Model {
        name: "relock_referrer",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 25,
        branches: &["dropped", "retried", "connected elsewhere"],
        program: referrer,
    },
    Model {
        name: "relock_send_close",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 100,
        branches: &["sent", "EPIPE", "relocked"],
        program: send_close,
    },
    Model {
        name: "relock_send_shutdown",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 16,
        branches: &["sent", "EPIPE", "relocked"],
        program: send_shutdown,
    },
];

/// What a request does that needs its peer: both locked, it finds the peer its own, and writes what
/// both locks guard.
fn use_peer(layer: &Layer, so: SockRef) {
    let before = relocks();
    let mut so = layer.policy.solock(&so);
    let so2 = layer.policy.solock_peer(&mut so);
    let (relocked, retried) = (relocks().0 > before.0, relocks().1 > before.1);
    if let Some(so2) = so2 {
        let peer = so.peer();
        assert_eq!(peer, Some(so2.socket()), "the peer is not the one that is locked");
        so2.st().so_error.set(None);
        so.st().so_error.set(None);
        layer.policy.sounlock_peer(&so, so2);
        seen(if relocked { "relocked" } else { "ordered" });
    } else {
        seen(if relocked { "peer gone in the relock" } else { "peer gone" });
    }
    if retried {
        seen("retried");
    }
    layer.policy.sounlock(so);
}

/// The part of a close that parts from the peer.
fn part(layer: &Layer, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    if so.peer().is_some() {
        layer.unp_disconnect(&mut so);
        seen("parted");
    }
    assert_eq!(so.peer(), None);
    layer.policy.sounlock(so);
}

fn disconnect(layer: &Layer, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    layer.unp_disconnect(&mut so);
    layer.policy.sounlock(so);
}

fn connect(layer: &Layer, so: SockRef, so2: SockRef) {
    let (mut so, mut so2) = layer.policy.solock_pair(&so, &so2);
    layer.unp_connect2(&mut so, &mut so2);
    layer.policy.sounlock_pair(so, so2);
}

/// A connect of a datagram socket, past its name: it parts from its peer and gets another one.
fn connect_elsewhere(layer: &Layer, so: SockRef, so2: SockRef) {
    disconnect(layer, so);
    connect(layer, so, so2);
    seen("connected elsewhere");
}

type Role = fn(&Layer, SockRef);

/// One thread for each role, on a stream's lower (0) or higher (1) end.
fn on_a_stream(roles: &[(Role, usize)]) {
    let layer = layer();
    let (sockets, _) = pair(&layer, SockType::Stream);
    let body = |(role, at): &(Role, usize)| -> Body {
        let (layer, so, role) = (Arc::clone(&layer), sockets[*at], *role);
        Box::new(move || role(&layer, so))
    };
    threads(roles.iter().map(body).collect());
}

fn two_senders() {
    on_a_stream(&[(use_peer, 0), (use_peer, 1)]);
}

fn parted() {
    on_a_stream(&[(use_peer, 0), (use_peer, 1), (part, 0)]);
}

fn parted_by_two() {
    on_a_stream(&[(use_peer, 0), (use_peer, 1), (part, 0), (part, 1)]);
}

/// Three datagram sockets, the lowest address first; the one in the middle is connected to the
/// lowest.
fn three(layer: &Layer) -> [SockRef; 3] {
    let socket = |_| {
        let fd = layer.socket(SockType::Dgram).expect("a socket");
        layer.fds.find(fd).expect("its socket")
    };
    let sockets: [SockRef; 3] = std::array::from_fn(socket);
    let [lowest, middle, _] = sockets;
    connect(layer, middle, lowest);
    sockets
}

/// Senders on a datagram socket whose peer is lower, and a connect of it to a higher one.
fn reconnect_under(senders: usize) {
    let layer = layer();
    let [_, so, elsewhere] = three(&layer);
    let sender = |_| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || use_peer(&layer, so))
    };
    let mut bodies: Vec<Body> = (0..senders).map(sender).collect();
    let other = Arc::clone(&layer);
    bodies.push(Box::new(move || connect_elsewhere(&other, so, elsewhere)));
    threads(bodies);
}

fn reconnected() {
    reconnect_under(1);
}

fn reconnected_two_senders() {
    reconnect_under(2);
}

/// The lowest is closed, and drops who is connected to it, while that one connects elsewhere.
fn referrer() {
    let layer = layer();
    let [lowest, so, elsewhere] = three(&layer);
    // Its referrer must be the lower one for a relock.
    disconnect(&layer, so);
    let (so, closed) = (lowest, so);
    connect(&layer, so, closed);

    let (closer, other) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let before = relocks().1;
            closer.soclose(closed);
            if relocks().1 > before {
                seen("retried");
            }
        }),
        Box::new(move || {
            let held = other.policy.solock(&so);
            if held.peer().is_none() {
                seen("dropped");
            }
            other.policy.sounlock(held);
            connect_elsewhere(&other, so, elsewhere);
        }),
    ]);
    let so = layer.policy.solock(&so);
    assert_eq!(so.peer(), Some(elsewhere), "the new destination was dropped");
    layer.policy.sounlock(so);
}

/// The calls: a send on the higher end, a close of the lower one.
fn send_close() {
    let layer = layer();
    let (_, [lower, higher]) = pair(&layer, SockType::Stream);
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let before = relocks().0;
            send_or_epipe(&sender, higher);
            if relocks().0 > before {
                seen("relocked");
            }
        }),
        Box::new(move || closer.close(lower).expect("a close")),
    ]);
    layer.close(higher).expect("a close");
    assert!(layer.pools().iter().all(|pool| pool.in_use == 0), "something is left");
}

/// The calls: a send on the higher end; a shutdown of it, and reads at the other end up to the end.
fn send_shutdown() {
    let layer = layer();
    let (_, [lower, higher]) = pair(&layer, SockType::Stream);
    // Not of the model: how many bytes are said to be sent, and how many came before the end.
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [sent, read] = counts.clone();
    let (sender, ender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            let before = relocks().0;
            sent.store(send_or_epipe(&sender, higher), Relaxed);
            if relocks().0 > before {
                seen("relocked");
            }
        }),
        Box::new(move || {
            ender.shutdown(higher, Shutdown::Write).expect("a shutdown");
            while ender.recv(lower, &mut [0], MsgFlags::DONTWAIT) == Ok(1) {
                read.fetch_add(1, Relaxed);
            }
        }),
    ]);
    let [sent, read] = counts.map(|count| count.load(Relaxed));
    assert_eq!(sent, read, "bytes sent, and bytes read up to the end");
}

/// How many bytes of one were sent on a stream that another thread ends.
pub(super) fn send_or_epipe<P: Policy>(layer: &Locked<P>, s: Fd) -> usize {
    match layer.send(s, b"x", MsgFlags::DONTWAIT) {
        Ok(1) => {
            seen("sent");
            1
        }
        Err(Errno::Epipe) => {
            seen("EPIPE");
            0
        }
        other => panic!("a send whose peer is gone answers {other:?}"),
    }
}
