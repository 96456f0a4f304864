//! The verbs, one by one: what they lock, in which order, and what they find.

use super::*;
use crate::backend::kept;
use crate::domain::{Domain, SockType};
use crate::fault::Window;
use crate::fault::met::{Met, has_met, meet};
use crate::objects::socket;
use crate::policy::SoRef;
use crate::witness::{self, Class, counters, is_held, is_waiting, thread_number};

type Layer = Locked<SocketPolicy<Met>>;
type SockRef = SoRef<SocketPolicy<Met>>;

/// A layer and sockets of it, the lowest first.
fn layer<const N: usize>() -> (&'static Layer, [SockRef; N]) {
    let layer: &Layer = kept::layer();
    let sockets = [(); N].map(|()| layer.socket(SockType::Dgram).unwrap());
    let sockets = sockets.map(|fd| layer.fds.find(fd).unwrap());
    assert!(sockets.is_sorted_by(|a, b| comes_first(a, b)));
    (layer, sockets)
}

/// Of whichever sockets the thread holds the locks.
fn mine<const N: usize>(sockets: [SockRef; N]) -> [bool; N] {
    sockets.map(|so| so.locks.so_lock().is_mine())
}

/// `so` gets the peer `so2`, or none.
fn connect(layer: &Layer, so: SockRef, so2: Option<SockRef>) {
    let so = layer.policy.solock(&so);
    so.set_conn(so2);
    layer.policy.sounlock(so);
}

/// Datagram socket `so` is connected to `so2`, and on its list.
fn refer(layer: &Layer, so: SockRef, so2: SockRef) {
    connect(layer, so, Some(so2));
    let so2 = layer.policy.solock(&so2);
    so2.st().unp_refs.append(so);
    layer.policy.sounlock(so2);
}

/// Which socket a token is of.
fn socket_of(so: Option<&socket::Held<OwnLock>>) -> Option<SockRef> {
    so.map(socket::Held::socket)
}

/// Runs it: its result, and how often it relocked and began again.
fn counting<T>(request: impl FnOnce() -> T) -> (T, u64, u64) {
    let before = counters();
    let result = request();
    let counts = counters().since(&before).of(Class::SoLock);
    (result, counts.relocks, counts.retries)
}

#[test]
fn a_peer_below_is_locked_by_a_relock() {
    let (layer, [a, b]) = layer();
    connect(layer, a, Some(b));
    connect(layer, b, Some(a));
    for (so, so2, relocks) in [(a, b, 0), (b, a, 1)] {
        let mut held = layer.policy.solock(&so);
        let (peer, relocked, retried) = counting(|| layer.policy.solock_peer(&mut held));
        assert_eq!((socket_of(peer.as_ref()), relocked, retried), (Some(so2), relocks, 0));
        assert_eq!(mine([so, so2]), [true, true]);
        layer.policy.sounlock_peer(&held, peer.unwrap());
        assert_eq!(mine([so, so2]), [true, false]);
        layer.policy.sounlock(held);
        assert_eq!(mine([so, so2]), [false, false]);
        // No reference is kept.
        witness::userret();
        so2.unp_refcnt.finalize();
    }
}

#[test]
fn a_socket_may_be_its_own_peer() {
    let (layer, [so]) = layer();
    connect(layer, so, Some(so));
    let mut held = layer.policy.solock(&so);
    let so2 = layer.policy.solock_peer(&mut held).unwrap();
    assert_eq!(so2.socket(), so);
    layer.policy.sounlock_peer(&held, so2);
    assert_eq!(mine([so]), [true]);
    layer.policy.sounlock(held);
    let (held, so2) = layer.policy.solock_pair(&so, &so);
    assert_eq!(mine([so]), [true]);
    layer.policy.sounlock_pair(held, so2);
    assert_eq!(mine([so]), [false]);
    witness::userret();
}

#[test]
fn a_pair_is_locked_in_order() {
    let (layer, [a, b]) = layer();
    for (so, so2) in [(a, b), (b, a)] {
        let (so, so2) = layer.policy.solock_pair(&so, &so2);
        assert_eq!(mine([a, b]), [true, true]);
        layer.policy.sounlock_pair(so, so2);
        assert_eq!(mine([a, b]), [false, false]);
    }
}

#[test]
fn a_peer_that_changes_in_the_relock_is_looked_for_again() {
    let (layer, [old, new, so]) = layer();
    for (peer, relocks) in [(Some(new), 2), (None, 1)] {
        connect(layer, so, Some(old));
        meet(Window::Relock, move || connect(layer, so, peer));
        let mut held = layer.policy.solock(&so);
        let (so2, relocked, retried) = counting(|| layer.policy.solock_peer(&mut held));
        assert_eq!((socket_of(so2.as_ref()), relocked, retried), (peer, relocks, 1));
        assert!(has_met());
        assert_eq!(mine([old, new, so]), [false, peer.is_some(), true]);
        if let Some(so2) = so2 {
            layer.policy.sounlock_peer(&held, so2);
        }
        layer.policy.sounlock(held);
        witness::userret();
        old.unp_refcnt.finalize();
    }
}

#[test]
fn a_referrer_is_locked_in_order() {
    let (layer, [low, so, high]) = layer();
    refer(layer, high, so);
    refer(layer, low, so);
    let mut held = layer.policy.solock(&so);
    for (referrer, relocks) in [(high, 0), (low, 1)] {
        let (so2, relocked, retried) = counting(|| layer.policy.solock_referrer(&mut held));
        assert_eq!((socket_of(so2.as_ref()), relocked, retried), (Some(referrer), relocks, 0));
        assert_eq!(mine([so, referrer]), [true, true]);
        held.st().unp_refs.remove(referrer);
        layer.policy.sounlock_peer(&held, so2.unwrap());
    }
    assert!(layer.policy.solock_referrer(&mut held).is_none());
    layer.policy.sounlock(held);
    witness::userret();
    low.unp_refcnt.finalize();
}

#[test]
fn a_referrer_that_goes_in_the_relock_is_left_alone() {
    let (layer, [referrer, elsewhere, so]) = layer();
    refer(layer, referrer, so);
    meet(Window::Relock, move || {
        connect(layer, referrer, Some(elsewhere));
        let so = layer.policy.solock(&so);
        so.st().unp_refs.remove(referrer);
        layer.policy.sounlock(so);
    });
    let mut held = layer.policy.solock(&so);
    let (so2, relocked, retried) = counting(|| layer.policy.solock_referrer(&mut held));
    assert_eq!((socket_of(so2.as_ref()), relocked, retried), (None, 1, 1));
    assert_eq!(mine([referrer, elsewhere, so]), [false, false, true]);
    layer.policy.sounlock(held);
    witness::userret();
    referrer.unp_refcnt.finalize();
}

#[test]
fn a_listener_comes_before_its_embryos() {
    let (layer, [so3, head, client]) = layer();
    let policy = &layer.policy;
    let mut listener = policy.solock(&head);
    let mut embryo = policy.embryo_enter(&listener, &so3);
    assert_eq!(mine([so3, head]), [true, true]);
    policy.head_leave(&mut listener);
    assert_eq!(mine([so3, head]), [true, false]);
    let mut listener = policy.embryo_to_head(&mut embryo, &head, None);
    assert_eq!(mine([so3, head]), [true, true]);
    policy.embryo_leave(embryo);
    policy.head_leave(&mut listener);
    assert_eq!(mine([so3, head]), [false, false]);
    // The client stays locked, above both.
    let (so, mut embryo) = policy.solock_pair(&client, &so3);
    let mut listener = policy.embryo_to_head(&mut embryo, &head, Some(&client));
    assert_eq!(mine([so3, head, client]), [true; 3]);
    policy.embryo_leave(embryo);
    policy.sounlock(so);
    policy.head_leave(&mut listener);
    policy.head_return(&mut listener);
    assert_eq!(mine([so3, head, client]), [false, true, false]);
    let (so, embryo) = policy.head_to_pair(listener, &client, &so3);
    assert_eq!(mine([so3, head, client]), [true, false, true]);
    policy.sounlock_pair(so, embryo);
    witness::userret();
}

#[test]
fn the_lists_have_their_locks() {
    let (layer, [so]) = layer();
    let policy = &layer.policy;
    let collector = policy.collector();
    let ((gc, class), df) = (collector.gc_guard(), collector.deferred_guard());
    assert_eq!(class, Class::UnpGcLock);
    let held = || (so.locks.so_lock().is_mine(), is_held(gc), is_held(df));
    let mut locked = policy.solock(&so);
    policy.list_enter(&mut locked);
    assert_eq!(held(), (false, true, false));
    policy.list_exit(&mut locked);
    assert_eq!(held(), (true, false, false));
    assert!(collector.deferred_enter());
    assert_eq!(held(), (true, false, true));
    collector.deferred_exit(true);
    policy.sounlock(locked);
    collector.gc_enter();
    let scanned = policy.scan_enter(&so);
    assert_eq!(held(), (true, true, false));
    policy.scan_exit(scanned);
    assert_eq!(held(), (false, true, false));
    collector.gc_exit();
    assert_eq!(held(), (false, false, false));
    witness::userret();
}

#[test]
fn who_has_a_reference_may_lock_what_waits_for_it() {
    let (layer, [so]) = layer();
    let waiter = thread_number();
    let (tell, told) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        so.unp_refcnt.take();
        tell.send(()).unwrap();
        while !is_waiting(waiter) {
            std::thread::yield_now();
        }
        let held = layer.policy.solock(&so);
        held.set_conn(Some(so));
        so.unp_refcnt.rele();
        layer.policy.sounlock(held);
    });
    told.recv().unwrap();
    let mut held = layer.policy.solock(&so);
    layer.policy.finalize(&mut held, &so.unp_refcnt);
    assert_eq!((mine([so]), held.peer()), ([true], Some(so)));
    layer.policy.sounlock(held);
    other.join().unwrap();
    witness::userret();
}
