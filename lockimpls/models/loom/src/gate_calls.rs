//! The gate of the lock-free path under whole calls: while another thread opens it for a call that
//! waits for the lock, while another one uses the same end, and while one ends the connection.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::gate::{Slow, change, open};
use super::shared::{ALL_LOOKS, Body, LockFree, Model, SockRef, pair, seen, small, threads};
use crate::backend::lock_free::gate;
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::primitives::Ordering;
use crate::witness::{self, Counters};

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "gate_found_open",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 14,
        branches: &["sent fast", "went back", "sent with the locks", "opened", "a call under way"],
        program: found_open,
    },
    Model {
        name: "gate_found_open_in_vain",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 10,
        branches: &["took the locks", "went back, and took the locks"],
        program: found_open_in_vain,
    },
    Model {
        name: "gate_two_receivers",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 280,
        branches: &["the owner received", "the other one received"],
        program: two_receivers,
    },
    Model {
        name: "gate_send_close",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 1400,
        branches: &["sent", "EPIPE"],
        program: send_close,
    },
    Model {
        name: "gate_send_shutdown",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 34,
        branches: &["sent", "EPIPE"],
        program: send_shutdown,
    },
];

/// What this thread counts in a call.
fn counted(call: impl FnOnce()) -> Counters {
    let before = witness::counters();
    call();
    witness::counters().since(&before)
}

/// A stream whose gate is open for these threads, as [`open`] has it.
fn opened(owners: [[usize; 2]; 2]) -> (Arc<LockFree>, [SockRef; 2], [Fd; 2]) {
    let layer = Arc::new(LockFree::new(&small()).expect("a layer"));
    let (sockets, ends) = pair(&layer.slow, SockType::Stream);
    open(&layer.slow, sockets, owners);
    (layer, sockets, ends)
}

/// The same, but the gate was shut since. It was open once, so that no call opens it at its end.
fn shut_again(owners: [[usize; 2]; 2]) -> (Arc<LockFree>, [SockRef; 2], [Fd; 2]) {
    let (layer, sockets, ends) = opened(owners);
    change(&layer.slow, sockets[0]);
    (layer, sockets, ends)
}

/// Opens the gate for those that had it before, if no call is under way, as the layer does.
fn open_if_quiet(layer: &Slow, [a, b]: [SockRef; 2]) {
    let (a, b) = layer.policy.solock_pair(&a, &b);
    let is_quiet = [&a, &b].iter().all(|so| so.st().users.get() == 0);
    if is_quiet && gate::may_open(&a, &b) && gate::may_open(&b, &a) {
        gate::open(&a, &b);
        seen("opened");
    } else {
        seen("a call under way");
    }
    layer.policy.sounlock_pair(a, b);
}

/// A send comes to a gate that is shut, and waits for the lock perhaps, while another thread opens
/// it for the sender. Then the gate is shut once more, and the mirror is right.
fn found_open() {
    let (layer, sockets, [a, _]) = shut_again([[1, 0], [0, 0]]);
    let (sender, opener) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let count = counted(|| {
                assert_eq!(sender.send(a, b"x", MsgFlags::DONTWAIT), Ok(1));
            });
            seen(match (count.fast_sends, count.acquisitions()) {
                (1, 0) => "sent fast",
                (1, _) => "went back",
                _ => "sent with the locks",
            });
        }),
        Box::new(move || open_if_quiet(&opener.slow, sockets)),
    ]);
    change(&layer.slow, sockets[0]);
}

/// The same with a receive of no bytes from an empty stream, which takes the locks wherever it is.
fn found_open_in_vain() {
    let owners = [[0, 1], [0, 0]];
    let (layer, sockets, [a, _]) = shut_again(owners);
    let (receiver, opener) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let count = counted(|| {
                let got = receiver.recv(a, &mut [], MsgFlags::DONTWAIT);
                assert_eq!(got, Ok(0));
            });
            assert_eq!((count.fast_receives, count.slow_receives), (0, 1));
            seen(match count.acquisitions() {
                1 => "took the locks",
                _ => "went back, and took the locks",
            });
        }),
        Box::new(move || open(&opener.slow, sockets, owners)),
    ]);
}

/// Two threads receive on one end, whose fast path is open for the first. One byte is there: one of
/// them has it.
fn two_receivers() {
    let (layer, sockets, [a, b]) = opened([[0, 1], [0, 0]]);
    assert_eq!(layer.send(b, b"x", MsgFlags::DONTWAIT), Ok(1));
    let got = Arc::new(AtomicUsize::new(0));
    let receiver = |what| -> Body {
        let (layer, got) = (Arc::clone(&layer), Arc::clone(&got));
        Box::new(move || match layer.recv(a, &mut [0], MsgFlags::DONTWAIT) {
            Ok(bytes) => {
                seen(what);
                got.fetch_add(bytes, Relaxed);
            }
            Err(errno) => assert_eq!(errno, Errno::Ewouldblock),
        })
    };
    threads(vec![receiver("the owner received"), receiver("the other one received")]);
    assert_eq!(got.load(Relaxed), 1, "a byte came twice, or not at all");
    change(&layer.slow, sockets[1]);
}

/// A send whose fast path is open, while another thread ends the connection.
fn send_against(end: fn(&LockFree, Fd, Fd)) {
    let (layer, _, [a, b]) = opened([[1, 0], [0, 0]]);
    let (sender, ender) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || match sender.send(a, b"x", MsgFlags::DONTWAIT) {
            Ok(1) => seen("sent"),
            Err(Errno::Epipe) => seen("EPIPE"),
            other => panic!("a send whose connection ends answers {other:?}"),
        }),
        Box::new(move || end(&ender, a, b)),
    ]);
}

fn send_close() {
    send_against(|layer, _, peer| layer.close(peer).expect("a close"));
}

fn send_shutdown() {
    send_against(|layer, own, _| layer.shutdown(own, Shutdown::Write).expect("a shutdown"));
}
