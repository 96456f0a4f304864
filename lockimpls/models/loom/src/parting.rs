//! The partings of `per-socket-wait` (`backend/per_socket_wait.rs`): whoever parts two sockets
//! waits for those that relock, which do not look again. A lost wake-up is a deadlock of the model.

use std::sync::Arc;

use super::shared::{ALL_LOOKS, Body, Left, Model, relocks, seen, small, threads};
use crate::backend::per_socket::counted::CountedLock;
use crate::backend::per_socket::{SoLock, SocketPolicy};
use crate::backend::per_socket_wait::Counted;
use crate::domain::{Domain, SockType};
use crate::objects::socket;
use crate::policy::Policy;
use crate::uipc::Locked;

type Layer = Locked<SocketPolicy<Left, Counted>>;
type SockRef = socket::SockRef<CountedLock>;

/// A model.
const fn model(
    name: &'static str,
    threads: usize,
    bound: [Option<usize>; 2],
    at_least: u64,
    branches: &'static [&'static str],
    program: fn(),
) -> Model {
    Model { name, threads, bound, looks: ALL_LOOKS, at_least, branches, program }
}

const ALL: [Option<usize>; 2] = [None; 2];

pub(super) const MODELS: &[Model] = &[
    model(
        "parting_waits",
        2,
        ALL,
        50,
        &["relocked", "peer gone", "parted", "parked", "woken"],
        waits,
    ),
    model(
        "parting_waits_for_two",
        3,
        [Some(3), None],
        930,
        &["relocked", "peer gone", "parted", "parked", "woken"],
        waits_for_two,
    ),
    model(
        "parting_by_both",
        3,
        [Some(3), None],
        1500,
        &["relocked", "peer gone", "parted", "gone already", "parked", "woken"],
        by_both,
    ),
    model("parting_of_a_third", 2, ALL, 6, &["relocked", "parted", "parked", "woken"], of_a_third),
    model(
        "parting_by_detach",
        2,
        ALL,
        240,
        &["relocked", "peer gone", "parked", "woken"],
        by_detach,
    ),
    model(
        "parting_by_detach_and_connect",
        2,
        ALL,
        200,
        &["dropped", "parted", "parked", "woken"],
        by_detach_and_connect,
    ),
];

fn layer() -> Arc<Layer> {
    Arc::new(Layer::new(&small()).expect("a layer"))
}

/// A connected pair, the lower first.
fn pair(layer: &Layer) -> [SockRef; 2] {
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    ascending([a, b].map(|fd| layer.fds.find(fd).expect("a socket")))
}

/// Datagram sockets, the lowest first.
fn datagrams<const N: usize>(layer: &Layer) -> [SockRef; N] {
    let sockets = std::array::from_fn(|_| {
        let fd = layer.socket(SockType::Dgram).expect("a socket");
        layer.fds.find(fd).expect("its socket")
    });
    ascending(sockets)
}

fn ascending<const N: usize>(sockets: [SockRef; N]) -> [SockRef; N] {
    let address = |so: &SockRef| so.locks.so_lock().addr();
    assert!(sockets.is_sorted_by(|a, b| address(a) < address(b)));
    sockets
}

/// A connect of a datagram socket, past its name.
fn connect(layer: &Layer, so: SockRef, so2: SockRef) {
    let (mut so, mut so2) = layer.policy.solock_pair(&so, &so2);
    layer.unp_connect2(&mut so, &mut so2);
    layer.policy.sounlock_pair(so, so2);
}

/// What a request does that needs its peer: both locked, it finds the peer its own, and writes what
/// both locks guard.
fn use_peer(layer: &Layer, so: SockRef) {
    let before = relocks().0;
    let mut so = layer.policy.solock(&so);
    if let Some(so2) = layer.policy.solock_peer(&mut so) {
        let peer = so.peer();
        assert_eq!(peer, Some(so2.socket()), "the peer is not the one that is locked");
        so2.st().so_error.set(None);
        so.st().so_error.set(None);
        layer.policy.sounlock_peer(&so, so2);
        seen(if relocks().0 > before { "relocked" } else { "ordered" });
    } else {
        seen("peer gone");
    }
    layer.policy.sounlock(so);
}

/// The part of a close that parts from the peer.
fn part(layer: &Layer, so: SockRef) {
    let mut so = layer.policy.solock(&so);
    let was_linked = so.peer().is_some();
    layer.unp_disconnect(&mut so);
    seen(if was_linked { "parted" } else { "gone already" });
    assert_eq!(so.peer(), None);
    layer.policy.sounlock(so);
}

type Role = fn(&Layer, SockRef);

/// One thread for each role.
fn play(layer: &Arc<Layer>, roles: &[(Role, SockRef)]) {
    let body = |(role, so): &(Role, SockRef)| -> Body {
        let (layer, so, role) = (Arc::clone(layer), *so, *role);
        Box::new(move || role(&layer, so))
    };
    threads(roles.iter().map(body).collect());
}

fn waits() {
    let layer = layer();
    let [lower, higher] = pair(&layer);
    play(&layer, &[(use_peer, higher), (part, lower)]);
}

fn waits_for_two() {
    let layer = layer();
    let [lower, higher] = pair(&layer);
    play(&layer, &[(use_peer, higher), (use_peer, higher), (part, lower)]);
}

fn by_both() {
    let layer = layer();
    let [lower, higher] = pair(&layer);
    play(&layer, &[(use_peer, higher), (part, lower), (part, higher)]);
}

/// The middle one is connected to the highest, and that one to the lowest, for which it relocks.
fn of_a_third() {
    let layer = layer();
    let [lowest, middle, highest] = datagrams(&layer);
    connect(&layer, middle, highest);
    connect(&layer, highest, lowest);
    play(&layer, &[(use_peer, highest), (part, middle)]);
}

/// The lower one is closed, and drops the higher one, which relocks for it.
fn by_detach() {
    let layer = layer();
    let [lower, higher] = datagrams(&layer);
    connect(&layer, higher, lower);
    play(&layer, &[(use_peer, higher), (|layer, so| layer.soclose(so), lower)]);
}

/// The higher one is closed, and drops the lower one, which parts itself and connects elsewhere.
fn by_detach_and_connect() {
    let layer = layer();
    let [lower, elsewhere, higher] = datagrams(&layer);
    connect(&layer, lower, higher);
    let (closer, other) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || closer.soclose(higher)),
        Box::new(move || {
            let mut so = other.policy.solock(&lower);
            let was_linked = so.peer().is_some();
            other.unp_disconnect(&mut so);
            seen(if was_linked { "parted" } else { "dropped" });
            other.policy.sounlock(so);
            connect(&other, lower, elsewhere);
        }),
    ]);
    let lower = layer.policy.solock(&lower);
    assert_eq!(lower.peer(), Some(elsewhere), "the new destination was dropped");
    layer.policy.sounlock(lower);
}
