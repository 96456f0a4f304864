//! Which lock a socket has, from its first day to its last.

use std::sync::Arc;

use super::*;
use crate::backend::kept;
use crate::domain::{Config, Domain, Fd, MsgFlags, SockAddr};
use crate::errno::Errno;
use crate::fault::met::{Met, has_met, meet};
use crate::witness::{counters, is_held, is_waiting, thread_number};

use SockType::{Dgram, Seqpacket, Stream};

type Layer = Locked<PairPolicy<Met>>;
type Sock = crate::policy::SoRef<PairPolicy<Met>>;

fn layer() -> &'static Layer {
    kept::layer()
}

fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

/// A socket that is bound and listens.
fn listener(layer: &Layer, kind: SockType) -> Fd {
    let head = layer.socket(kind).unwrap();
    layer.bind(head, &name("head")).unwrap();
    layer.listen(head, 1).unwrap();
    layer.set_nonblocking(head, true).unwrap();
    head
}

/// The lock of a socket: the place where it lies; none: `uipc_lock`.
fn lock_of(layer: &Layer, fd: Fd) -> Option<Sock> {
    layer.fds.find(fd).unwrap().locks.so_lock()
}

/// Each lock is one socket's own, or kept for one by a lock that two share: none is lost, none is
/// two sockets'. How many are kept.
fn every_lock_is_somebodys(layer: &Layer) -> usize {
    let of = |lock: Option<Sock>| lock.map(|at| layer.sockets.place_of(at));
    let places: Vec<Sock> = layer.sockets.all().collect();
    let spares: Vec<usize> = places.iter().filter_map(|so| of(so.locks.spare.get())).collect();
    let kept = spares.len();
    // The shared lock itself is told by the pointers that lead there.
    let ends = places.iter().filter(|so| so.locks.own.get().is_none());
    let mut shared: Vec<usize> = ends.filter_map(|so| of(so.locks.so_lock())).collect();
    shared.sort_unstable();
    shared.dedup();
    let owned = places.iter().filter_map(|so| of(so.locks.own.get()));
    let mut all: Vec<usize> = owned.chain(spares).chain(shared).collect();
    all.sort_unstable();
    assert_eq!(all, Vec::from_iter(0..places.len()));
    kept
}

#[test]
fn a_socket_is_born_with_a_lock_of_its_own() {
    let layer = layer();
    for kind in [Stream, Seqpacket] {
        let fd = layer.socket(kind).unwrap();
        assert_eq!(lock_of(layer, fd), Some(layer.fds.find(fd).unwrap()));
    }
    let fd = layer.socket(Dgram).unwrap();
    assert_eq!(lock_of(layer, fd), None);
    // In its place a stream has its lock again.
    layer.close(fd).unwrap();
    let fd = layer.socket(Stream).unwrap();
    assert_eq!(lock_of(layer, fd), Some(layer.fds.find(fd).unwrap()));
    assert_eq!(every_lock_is_somebodys(layer), 0);
}

#[test]
fn a_pair_shares_the_lock_of_the_first_until_both_are_gone() {
    for kind in [Stream, Seqpacket] {
        let layer = layer();
        let (a, b) = layer.socketpair(kind).unwrap();
        let sockets = [a, b].map(|fd| layer.fds.find(fd).unwrap());
        let shared = Some(sockets[0]);
        assert_eq!([a, b].map(|fd| lock_of(layer, fd)), [shared; 2]);
        assert_eq!(every_lock_is_somebodys(layer), 1);
        layer.close(a).unwrap();
        // Whichever went first took the other lock.
        assert_eq!(lock_of(layer, b), shared);
        assert_eq!(sockets[0].locks.own.get(), Some(sockets[1]));
        assert_eq!(every_lock_is_somebodys(layer), 0);
        let c = layer.socket(kind).unwrap();
        assert_eq!(lock_of(layer, c), Some(sockets[1]));
        layer.close(b).unwrap();
        assert_eq!(sockets[1].locks.own.get(), shared);
        assert_eq!(every_lock_is_somebodys(layer), 0);
    }
}

#[test]
fn datagram_sockets_have_one_lock_even_in_a_pair() {
    let layer = layer();
    let (a, b) = layer.socketpair(Dgram).unwrap();
    assert_eq!([a, b].map(|fd| lock_of(layer, fd)), [None; 2]);
    layer.close(a).unwrap();
    layer.close(b).unwrap();
    assert_eq!(every_lock_is_somebodys(layer), 0);
}

#[test]
fn a_connection_comes_to_the_lock_of_its_client() {
    for kind in [Stream, Seqpacket] {
        let layer = layer();
        let head = listener(layer, kind);
        assert_eq!(lock_of(layer, head), None);
        let client = layer.socket(kind).unwrap();
        let own = lock_of(layer, client);
        layer.connect(client, &name("head")).unwrap();
        assert_eq!(lock_of(layer, client), None);
        let (server, _) = layer.accept(head).unwrap();
        assert_eq!([client, server, head].map(|fd| lock_of(layer, fd)), [own, own, None]);
        assert_eq!(every_lock_is_somebodys(layer), 1);
        layer.close(client).unwrap();
        assert_eq!(lock_of(layer, server), own);
        // Whichever stays, and connects again, is alone on the way.
        layer.connect(server, &name("head")).unwrap();
        let (third, _) = layer.accept(head).unwrap();
        assert_eq!([server, third].map(|fd| lock_of(layer, fd)), [own; 2]);
        for fd in [server, third, head] {
            layer.close(fd).unwrap();
        }
        assert_eq!(every_lock_is_somebodys(layer), 0);
    }
}

#[test]
fn whoever_leaves_that_way_stays_on_the_lock_of_all() {
    let layer = layer();
    let head = listener(layer, Stream);
    let client = || {
        let client = layer.socket(Stream).unwrap();
        layer.connect(client, &name("head")).map(|()| client).map_err(|_| client)
    };
    // Its client is gone when it is accepted.
    layer.close(client().unwrap()).unwrap();
    let (server, _) = layer.accept(head).unwrap();
    assert_eq!(lock_of(layer, server), None);
    // It has a lock of its own all the same, for its next connection.
    layer.connect(server, &name("head")).unwrap();
    let (third, _) = layer.accept(head).unwrap();
    assert!(lock_of(layer, server).is_some());
    assert_eq!(lock_of(layer, third), lock_of(layer, server));
    // The queue is full.
    let refused = (0..).find_map(|_| client().err()).unwrap();
    assert_eq!(lock_of(layer, refused), None);
    // It never gets a name to listen at.
    let unbound = layer.socket(Stream).unwrap();
    assert_eq!(layer.listen(unbound, 1), Err(Errno::Einval));
    assert_eq!(lock_of(layer, unbound), None);
    layer.close(head).unwrap();
    every_lock_is_somebodys(layer);
}

#[test]
fn a_name_without_a_listener_is_asked_with_its_own_lock() {
    let layer = layer();
    let [bound, client] = [(); 2].map(|()| layer.socket(Stream).unwrap());
    layer.bind(bound, &name("there")).unwrap();
    let before = counters();
    assert_eq!(layer.connect(client, &name("there")), Err(Errno::Econnrefused));
    let counts = counters().since(&before);
    // Own to begin, own and that of all, the other's; at the end that of all.
    let taken = [Class::SoLock, Class::UnpLock].map(|class| counts.of(class).acquisitions);
    assert_eq!(taken, [3, 2]);
    assert_eq!(lock_of(layer, client), None);
    assert_eq!(layer.connect(bound, &name("there")), Err(Errno::Econnrefused));
    witness::userret();
}

#[test]
fn a_lock_that_changes_before_it_is_taken_is_looked_for_again() {
    let layer = layer();
    let s = layer.socket(Stream).unwrap();
    layer.bind(s, &name("here")).unwrap();
    let before = counters();
    meet(Window::LockRead, move || layer.listen(s, 1).unwrap());
    assert_eq!(layer.getsockname(s), Ok(name("here")));
    assert!(has_met());
    let counts = counters().since(&before);
    assert_eq!(counts.of(Class::SoLock).retries, 1);
    let taken = [Class::SoLock, Class::UnpLock].map(|class| counts.of(class).acquisitions);
    assert_eq!(taken, [1, 1]);
    witness::userret();
}

#[test]
fn whoever_waits_for_the_old_lock_gets_the_new_one() {
    let layer = layer();
    let head = listener(layer, Stream);
    let client = layer.socket(Stream).unwrap();
    layer.connect(client, &name("head")).unwrap();
    // The accept lets another thread in, which waits for the lock that the client is about to
    // leave.
    let (tell, told) = std::sync::mpsc::channel();
    meet(Window::Accepting, move || {
        let (begun, number) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            begun.send(thread_number()).unwrap();
            let before = counters();
            assert_eq!(layer.getpeername(client), Ok(name("head")));
            counters().since(&before).of(Class::UnpLock).retries
        });
        let number = number.recv().unwrap();
        while !is_waiting(number) {
            std::thread::yield_now();
        }
        tell.send(other).unwrap();
    });
    let (server, _) = layer.accept(head).unwrap();
    assert_eq!(told.recv().unwrap().join().unwrap(), 1);
    assert_eq!(lock_of(layer, client), lock_of(layer, server));
}

#[test]
fn whoever_sleeps_is_woken_with_the_new_lock() {
    let layer = layer();
    let head = listener(layer, Stream);
    let client = layer.socket(Stream).unwrap();
    layer.connect(client, &name("head")).unwrap();
    let (begun, number) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        begun.send(thread_number()).unwrap();
        let result = layer.recv(client, &mut [0], MsgFlags::empty());
        witness::userret();
        result
    });
    let number = number.recv().unwrap();
    while !is_waiting(number) {
        std::thread::yield_now();
    }
    let (server, _) = layer.accept(head).unwrap();
    layer.send(server, b"x", MsgFlags::empty()).unwrap();
    assert_eq!(reader.join().unwrap(), Ok(1));
}

#[test]
fn the_lists_have_their_locks() {
    let layer = layer();
    let [stream, dgram] = [Stream, Dgram].map(|kind| layer.socket(kind).unwrap());
    let policy = &layer.policy;
    let gc = policy.collector().gc_guard().0;
    for fd in [stream, dgram] {
        let so = layer.fds.find(fd).unwrap();
        let held = || (is_held(so.guard_addr()), is_held(gc));
        let mut token = policy.solock(&so);
        policy.list_enter(&mut token);
        assert_eq!(held(), (false, true));
        policy.list_exit(&mut token);
        assert_eq!(held(), (true, false));
        policy.list_enter(&mut token);
        policy.list_to_name(&mut token);
        assert_eq!(held(), (false, false));
        policy.collector().gc_enter();
        let token = policy.scan_enter(&so);
        assert_eq!(held(), (true, true));
        policy.scan_exit(token);
        policy.collector().gc_exit();
        assert_eq!(held(), (false, false));
        witness::userret();
    }
}

/// Threads that connect, accept, send, part and listen at the same names.
#[test]
fn no_lock_is_lost_where_many_change() {
    let layer = Arc::new(Layer::new(&Config::default()).unwrap());
    let head = listener(&layer, Stream);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for _ in 0..500 {
                    let client = layer.socket(Stream).unwrap();
                    if layer.connect(client, &name("head")).is_ok() {
                        let _ = layer.send(client, b"x", MsgFlags::DONTWAIT);
                    }
                    let _ = layer.listen(client, 1);
                    layer.close(client).unwrap();
                }
            });
            threads.spawn(|| {
                for _ in 0..500 {
                    if let Ok((server, _)) = layer.accept(head) {
                        let _ = layer.recv(server, &mut [0], MsgFlags::DONTWAIT);
                        layer.close(server).unwrap();
                    }
                }
            });
        }
    });
    layer.close(head).unwrap();
    assert_eq!(every_lock_is_somebodys(&layer), 0);
    assert!(layer.pools().iter().all(|pool| pool.in_use == 0), "{:?}", layer.pools());
}
