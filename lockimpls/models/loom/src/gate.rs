//! The gate of the lock-free path (`backend/lock_free/gate.rs`): who is on it, who shuts it, and
//! what may be touched then.

use std::sync::Arc;

use super::shared::{
    ALL_LOOKS, Body, Held, Left, Model, SockRef, Sockets, number_of, pair, seen, small, threads,
};
use crate::backend::lock_free::transfer::{Try, get, put};
use crate::backend::lock_free::{ShutsGate, gate};
use crate::domain::{Domain, SockType};
use crate::fault::{Fault, Step};
use crate::objects::sockbuf::Limits;
use crate::objects::socket::{Parts, Side, State};
use crate::policy::Policy;
use crate::uipc::Locked;
use crate::witness;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "gate_shut",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 47,
        branches: &["sent fast", "gate shut seen", "shut"],
        program: shut_under_sender,
    },
    Model {
        name: "gate_shut_both_sides",
        threads: 3,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 10000,
        branches: &["sent fast", "received fast", "gate shut seen", "shut"],
        program: shut_under_both,
    },
    Model {
        name: "gate_shut_twice",
        threads: 3,
        bound: [Some(4), None],
        looks: 4,
        at_least: 22000,
        branches: &["on the fast path", "gate shut seen", "shut", "found it shut"],
        program: shut_from_both_ends,
    },
    Model {
        name: "gate_shut_three_sides",
        threads: 4,
        bound: [Some(3); 2],
        looks: 4,
        at_least: 49000,
        branches: &["sent fast", "received fast", "on the fast path", "gate shut seen", "shut"],
        program: shut_under_three,
    },
    Model {
        name: "gate_shut_twice_both_sides",
        threads: 4,
        bound: [Some(2), Some(3)],
        looks: 4,
        at_least: 6000,
        branches: &["on the fast path", "gate shut seen", "shut", "found it shut"],
        program: shut_twice_under_both,
    },
    Model {
        name: "gate_four",
        threads: 4,
        bound: [Some(2), Some(3)],
        looks: 4,
        at_least: 7700,
        branches: &["sent fast", "received fast", "gate shut seen", "shut", "found it shut"],
        program: four,
    },
    Model {
        name: "gate_reopened",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 1200,
        branches: &["sent fast", "gate shut seen", "shut", "opened again", "sent after it opened"],
        program: || reopened(0),
    },
    Model {
        name: "gate_reopened_at_the_peer",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 1200,
        branches: &["sent fast", "gate shut seen", "shut", "opened again", "sent after it opened"],
        program: || reopened(1),
    },
    Model {
        name: "gate_owner_changed",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 70,
        branches: &[
            "sent as the first owner",
            "sent as the next owner",
            "found another's",
            "both sent",
        ],
        program: owner_changed,
    },
];

/// `lock-free`'s locked half, where the gate is.
pub(super) type Slow = Locked<Sockets<ShutsGate>>;

/// Opens the gate of a connected pair, for these threads by index: those that send and
/// receive on the lower end, and on the higher.
pub(super) fn open(layer: &Slow, [a, b]: [SockRef; 2], owners: [[usize; 2]; 2]) {
    let (a, b) = layer.policy.solock_pair(&a, &b);
    for (so, owners) in [&a, &b].into_iter().zip(owners) {
        for (side, index) in Side::BOTH.into_iter().zip(owners) {
            so.st().last_user[side].set((number_of(index), 1));
        }
    }
    open_again(layer, [&a, &b]);
    layer.policy.sounlock_pair(a, b);
}

/// Opens the gate if nothing speaks against it. Both are locked.
fn open_again(_: &Slow, [a, b]: [&Held; 2]) {
    assert!(gate::may_open(a, b) && gate::may_open(b, a), "the gate cannot be opened");
    gate::open(a, b);
}

/// One try to send a byte on the fast path: whether the gate was open.
fn send_fast(so: SockRef) -> bool {
    on_fast_path(so, Side::Snd, |me| match put(me, &so, &mut &b"x"[..]) {
        Try::Done(Ok(())) => seen("sent fast"),
        Try::Wait(_) => seen("full"),
        _ => panic!("the pair is connected while the gate is open"),
    })
}

/// One try to receive a byte on the fast path.
fn receive_fast(so: SockRef) -> bool {
    on_fast_path(so, Side::Rcv, |me| {
        let mut data = [0];
        match get(me, &so, &mut data, None) {
            Try::Done(Ok(got)) => {
                assert_eq!((got.bytes, data[0]), (1, b'x'));
                seen("received fast");
            }
            Try::Wait(_) => seen("empty"),
            _ => panic!("the pair is connected while the gate is open"),
        }
    })
}

fn on_fast_path(so: SockRef, side: Side, f: impl FnOnce(u32)) -> bool {
    let me = witness::thread_number();
    let is_mine = gate::enter(&so, side, me);
    if is_mine {
        assert!(
            so.parts_fast(me, &so).st.is(State::ISCONNECTED),
            "somebody parted the pair meanwhile"
        );
        f(me);
    } else {
        seen("gate shut seen");
    }
    if !Left::omits(Step::InUse) {
        gate::leave(&so, me);
    }
    is_mine
}

/// Takes the lock, which shuts the gate; changes what the fast path reads; finds its mirror right.
fn shut(layer: &Slow, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    let st = so.st();
    if st.is(State::ISCONNECTED) {
        let so2 = st.peer().expect("a pair");
        let unread = so2.rcv.tail_hint() - so2.rcv.head_hint();
        assert_eq!(so.so_snd().fill.get().cc, unread, "the mirror is wrong");
        seen("shut");
    }
    layer.unp_disconnect(&mut so);
    layer.policy.sounlock(so);
}

/// Takes the lock, which shuts the gate if nobody has; says which.
pub(super) fn lock_and_say(layer: &Slow, so: SockRef) -> Held {
    let closings = || witness::counters().gate_closings;
    let before = closings();
    let so = layer.policy.solock(&so);
    seen(if closings() > before { "shut" } else { "found it shut" });
    so
}

/// Takes the lock, which shuts the gate if nobody has; writes what the fast path reads; finds its
/// mirror right. The pair stays.
pub(super) fn change(layer: &Slow, so: SockRef) {
    let so = lock_and_say(layer, so);
    let st = so.st();
    let so2 = st.peer().expect("a pair");
    let unread = so2.rcv.tail_hint() - so2.rcv.head_hint();
    assert_eq!(so.so_snd().fill.get().cc, unread, "the mirror is wrong");
    st.so_state.set(st.so_state.get());
    layer.policy.sounlock(so);
}

/// As [`shut`], but the other end may have done it first. One hold of the lock for both: a second
/// one makes the model a fifth larger, and the parting relocks anyway.
fn shut_or_find_it_shut(layer: &Slow, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    let is_first = so.st().is(State::ISCONNECTED);
    seen(if is_first { "shut" } else { "found it shut" });
    layer.unp_disconnect(&mut so);
    layer.policy.sounlock(so);
}

/// What a thread of these models does: with the layer, on one end.
#[derive(Clone, Copy)]
enum Role {
    Send,
    Receive,
    Look,
    Shut,
    ShutOrFind,
    Change,
}

/// One thread for each role, on the lower (0) or higher (1) end of a stream whose gate is open.
fn on_an_open_stream(roles: &[(Role, usize)]) {
    let layer = Arc::new(Slow::new(&small()).expect("a layer"));
    let (sockets, _) = pair(&layer, SockType::Stream);
    let mut owners = [[0; 2]; 2];
    for ((role, at), index) in roles.iter().zip(1..) {
        match role {
            Role::Send | Role::Look => owners[*at][Side::Snd as usize] = index,
            Role::Receive => owners[*at][Side::Rcv as usize] = index,
            Role::Shut | Role::ShutOrFind | Role::Change => {}
        }
    }
    open(&layer, sockets, owners);
    let body = |(role, at): &(Role, usize)| -> Body {
        let (layer, so, role) = (Arc::clone(&layer), sockets[*at], *role);
        Box::new(move || match role {
            Role::Send => _ = send_fast(so),
            Role::Receive => _ = receive_fast(so),
            Role::Look => _ = on_fast_path(so, Side::Snd, |_| seen("on the fast path")),
            Role::Shut => shut(&layer, so),
            Role::ShutOrFind => shut_or_find_it_shut(&layer, so),
            Role::Change => change(&layer, so),
        })
    };
    threads(roles.iter().map(body).collect());
}

fn shut_under_sender() {
    on_an_open_stream(&[(Role::Send, 0), (Role::Shut, 1)]);
}

fn shut_under_both() {
    on_an_open_stream(&[(Role::Send, 0), (Role::Receive, 1), (Role::Change, 0)]);
}

fn shut_from_both_ends() {
    on_an_open_stream(&[(Role::Look, 0), (Role::Change, 0), (Role::Change, 1)]);
}

fn shut_under_three() {
    on_an_open_stream(&[(Role::Send, 0), (Role::Receive, 1), (Role::Look, 1), (Role::Change, 0)]);
}

fn shut_twice_under_both() {
    on_an_open_stream(&[(Role::Look, 0), (Role::Look, 1), (Role::Change, 0), (Role::Change, 1)]);
}

fn four() {
    on_an_open_stream(&[
        (Role::Send, 0),
        (Role::Receive, 1),
        (Role::ShutOrFind, 0),
        (Role::ShutOrFind, 1),
    ]);
}

/// The gate is shut, the pair changed, and the gate opened again, under a sender that tries twice,
/// on the first end named to the opener or on the other.
///
/// Everything is changed that the fast path reads: the flags and limits of both ends, and with a
/// limit, by `may_open`, the ring.
fn reopened(at: usize) {
    let layer = Arc::new(Slow::new(&small()).expect("a layer"));
    let (sockets, _) = pair(&layer, SockType::Stream);
    let mut owners = [[0; 2]; 2];
    owners[at][Side::Snd as usize] = 1;
    open(&layer, sockets, owners);
    let (so, [a, b]) = (sockets[at], sockets);
    let opener = Arc::clone(&layer);
    threads(vec![
        Box::new(move || {
            let first = send_fast(so);
            let second = send_fast(so);
            if !first && second {
                seen("sent after it opened");
            }
        }),
        Box::new(move || {
            let (a, b) = opener.policy.solock_pair(&a, &b);
            seen("shut");
            for end in [&a, &b] {
                let Parts { st, so_snd, .. } = end.parts();
                st.so_state.set(st.so_state.get());
                so_snd.lowat.set(2);
                so_snd.limits.set(Limits::of(2 * small().pipsiz_bytes));
            }
            open_again(&opener, [&a, &b]);
            opener.policy.sounlock_pair(a, b);
            seen("opened again");
        }),
    ]);
}

/// Two threads send on one end: the second makes itself the owner of the direction by the locks,
/// under the first. Only one of them at a time is the ring's producer.
fn owner_changed() {
    let layer = Arc::new(Slow::new(&small()).expect("a layer"));
    let (sockets, _) = pair(&layer, SockType::Stream);
    open(&layer, sockets, [[1, 0], [0, 0]]);
    let (a, changer) = (sockets[0], Arc::clone(&layer));
    let send_on_own = move |what| {
        let is_mine = on_fast_path(a, Side::Snd, |me| {
            let sent = put(me, &a, &mut &b"x"[..]);
            assert!(matches!(sent, Try::Done(Ok(()))), "there is room for two");
            seen(what);
        });
        if !is_mine {
            seen("found another's");
        }
        is_mine
    };
    threads(vec![
        Box::new(move || _ = send_on_own("sent as the first owner")),
        Box::new(move || {
            open(&changer, sockets, [[2, 0], [0, 0]]);
            assert!(send_on_own("sent as the next owner"), "the gate is open, for this thread");
            if sockets[1].rcv.tail_hint() == 2 {
                seen("both sent");
            }
        }),
    ]);
}
