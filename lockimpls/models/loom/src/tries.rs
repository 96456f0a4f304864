//! The way from one socket to its peer on `per-socket-try` (`backend/per_socket_try.rs`): a try,
//! the order, or a relock, which finds the same peer or none, because a connect waits for it.

use std::sync::Arc;

use super::shared::{ALL_LOOKS, Body, Left, Model, relocks, seen, small, threads};
use crate::ambient::Nothing;
use crate::backend::per_socket::counted::CountedLock;
use crate::backend::per_socket::{SoLock, SocketPolicy};
use crate::backend::per_socket_try::Tries;
use crate::domain::{Algorithm, Config, Domain, SockType};
use crate::objects::socket;
use crate::policy::Policy;
use crate::raw::Mutex9;
use crate::uipc::Locked;
use crate::witness::{Class, counters};

/// On a lock of atomics: loom's own mutex makes a try wait.
type Layer = Locked<SocketPolicy<Left, Tries, Nothing<Mutex9>>>;
type SockRef = socket::SockRef<CountedLock<Mutex9>>;

/// A model.
const fn model(
    name: &'static str,
    threads: usize,
    bound: [Option<usize>; 2],
    at_least: u64,
    branches: &'static [&'static str],
    program: fn(),
) -> Model {
    let looks = if threads == 2 { ALL_LOOKS } else { 4 };
    Model { name, threads, bound, looks, at_least, branches, program }
}

const ALL: [Option<usize>; 2] = [None; 2];

pub(super) const MODELS: &[Model] = &[
    model("try_two_senders", 2, ALL, 6, &["saved", "relocked", "in order"], two_senders),
    model("try_parted", 2, ALL, 6, &["saved", "relocked", "peer gone", "parted"], parted),
    model(
        "try_closed",
        2,
        [Some(3), None],
        100,
        &["saved", "relocked", "peer gone", "closed"],
        closed,
    ),
    model(
        "try_reconnected",
        3,
        [Some(3), None],
        100,
        &["saved", "relocked", "peer gone", "connected elsewhere", "parked", "woken"],
        reconnected,
    ),
    model(
        "try_reconnected_two_senders",
        4,
        [Some(3), Some(4)],
        100,
        &["saved", "relocked", "peer gone", "connected elsewhere", "parked", "woken"],
        reconnected_two_senders,
    ),
    model("try_referrer", 2, ALL, 10, &["dropped", "retried", "connected elsewhere"], referrer),
];

fn layer() -> Arc<Layer> {
    let config = Config { lock: Algorithm::Mutex9, ..small() };
    Arc::new(Layer::new(&config).expect("a layer"))
}

/// Sockets, the lowest first.
fn sockets<const N: usize>(layer: &Layer) -> [SockRef; N] {
    let sockets = std::array::from_fn(|_| {
        let fd = layer.socket(SockType::Dgram).expect("a socket");
        layer.fds.find(fd).expect("its socket")
    });
    let address = |so: &SockRef| so.locks.so_lock().addr();
    assert!(sockets.is_sorted_by(|a, b| address(a) < address(b)));
    sockets
}

/// A connect of a datagram socket that is not connected, past its name.
fn connect(layer: &Layer, so: SockRef, so2: SockRef) {
    let mut held = layer.policy.solock(&so);
    while layer.policy.connect_enter(&mut held) {
        assert_eq!(held.peer(), None);
    }
    layer.policy.sounlock(held);
    let (mut so, mut so2) = layer.policy.solock_pair(&so, &so2);
    layer.unp_connect2(&mut so, &mut so2);
    layer.policy.sounlock_pair(so, so2);
}

fn saved() -> u64 {
    counters().of(Class::SoLock).saved
}

/// What a request does that needs its peer: both locked, it finds the peer its own, and writes what
/// both locks guard.
fn use_peer(layer: &Layer, so: SockRef) {
    let before = (relocks().0, saved());
    let mut so = layer.policy.solock(&so);
    let so2 = layer.policy.solock_peer(&mut so);
    let way = match (relocks().0 - before.0, saved() - before.1) {
        (0, 0) => "in order",
        (0, 1) => "saved",
        (1, 0) => "relocked",
        more => panic!("{more:?} relocks, and saved"),
    };
    seen(way);
    if let Some(so2) = so2 {
        let peer = so.peer();
        assert_eq!(peer, Some(so2.socket()), "the peer is not the one that is locked");
        so2.st().so_error.set(None);
        so.st().so_error.set(None);
        layer.policy.sounlock_peer(&so, so2);
    } else {
        assert_eq!(so.peer(), None, "there is a peer, and none is locked");
        seen("peer gone");
    }
    layer.policy.sounlock(so);
}

/// Parts from the peer.
fn part(layer: &Layer, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    layer.unp_disconnect(&mut so);
    assert_eq!(so.peer(), None);
    layer.policy.sounlock(so);
    seen("parted");
}

type Role = Box<dyn Fn(&Layer) + Send>;

/// One thread for each role.
fn play(layer: &Arc<Layer>, roles: Vec<Role>) {
    let body = |role: Role| -> Body {
        let layer = Arc::clone(layer);
        Box::new(move || role(&layer))
    };
    threads(roles.into_iter().map(body).collect());
}

/// Each is the other's peer.
fn two_senders() {
    let layer = layer();
    let [lower, higher] = sockets(&layer);
    connect(&layer, lower, higher);
    connect(&layer, higher, lower);
    let of = |so| -> Role { Box::new(move |layer| use_peer(layer, so)) };
    play(&layer, vec![of(higher), of(lower)]);
}

/// The lower end of a stream parts from the higher one, which uses it.
fn parted() {
    let layer = layer();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let [lower, higher] = [a, b].map(|fd| layer.fds.find(fd).expect("a socket"));
    play(
        &layer,
        vec![
            Box::new(move |layer| use_peer(layer, higher)),
            Box::new(move |layer| part(layer, lower)),
        ],
    );
}

/// The lower of two datagram sockets is closed, and drops the higher one, which uses it.
fn closed() {
    let layer = layer();
    let [lower, higher] = sockets(&layer);
    connect(&layer, higher, lower);
    play(
        &layer,
        vec![
            Box::new(move |layer| use_peer(layer, higher)),
            Box::new(move |layer| {
                layer.soclose(lower);
                seen("closed");
            }),
        ],
    );
}

/// Connects the highest of three elsewhere, after it has parted from the lowest.
fn elsewhere(so: SockRef, so2: SockRef) -> Role {
    Box::new(move |layer| {
        part(layer, so);
        connect(layer, so, so2);
        seen("connected elsewhere");
    })
}

/// Has this socket's lock, so that a try of it can fail.
fn holder(so: SockRef) -> Role {
    Box::new(move |layer| {
        let mut so = layer.policy.solock(&so);
        so.st().so_error.set(None);
        layer.policy.so_leave(&mut so);
    })
}

/// The highest is connected to the lowest, whose lock another thread has for a while.
fn reconnected() {
    let layer = layer();
    let [lower, other, higher] = sockets(&layer);
    connect(&layer, higher, lower);
    let user = Box::new(move |layer: &Layer| use_peer(layer, higher));
    play(&layer, vec![user, holder(lower), elsewhere(higher, other)]);
}

fn reconnected_two_senders() {
    let layer = layer();
    let [lower, other, higher] = sockets(&layer);
    connect(&layer, higher, lower);
    let user = || -> Role { Box::new(move |layer| use_peer(layer, higher)) };
    play(&layer, vec![user(), user(), holder(lower), elsewhere(higher, other)]);
}

/// A socket is closed, and drops the one that is connected to it, which another thread connects
/// elsewhere.
fn referrer() {
    let layer = layer();
    let [lower, other, higher] = sockets(&layer);
    connect(&layer, lower, higher);
    play(
        &layer,
        vec![
            Box::new(move |layer| {
                let before = relocks().1;
                layer.soclose(higher);
                seen(if relocks().1 > before { "retried" } else { "dropped" });
            }),
            elsewhere(lower, other),
        ],
    );
    let lower = layer.policy.solock(&lower);
    assert_eq!(lower.peer(), Some(other), "the new destination was dropped");
    layer.policy.sounlock(lower);
}
