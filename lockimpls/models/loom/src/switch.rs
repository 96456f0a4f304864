//! The lock of `per-pair` that can be another one (`backend/per_pair.rs`): calls that read which
//! lock a socket has while another call gives it a new one.

use std::sync::Arc;

use super::shared::{ALL_LOOKS, Body, ByPair, Model, seen, small, threads};
use crate::domain::{Domain, MsgFlags, SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::socket::{Part, SocketLocks};
use crate::policy::Policy;
use crate::witness::{self, Class};

/// A model of so many threads.
const fn model(
    name: &'static str,
    threads: usize,
    at_least: u64,
    branches: &'static [&'static str],
    program: fn(),
) -> Model {
    Model { name, threads, bound: [None; 2], looks: ALL_LOOKS, at_least, branches, program }
}

pub(super) const MODELS: &[Model] = &[
    model("switch_listen", 2, 6, &["own lock", "lock of all", "retried"], listen),
    model("switch_listen_two_users", 3, 500, &["own lock", "lock of all", "retried"], two_users),
    model("switch_accept", 2, 6, &["lock of all", "lock of the pair", "retried"], accept),
    model("switch_accept_send", 2, 6, &["sent", "received", "nothing there"], accept_send),
    model("switch_accept_sleeper", 2, 50, &["received"], accept_sleeper),
    model("switch_reuse", 2, 300, &["own lock", "gone", "another socket"], reuse),
    model("switch_left_behind", 2, 4, &["accepted", "listened"], left_behind),
];

fn layer() -> Arc<ByPair> {
    Arc::new(ByPair::new(&small()).expect("a layer"))
}

fn name() -> SockAddr {
    SockAddr::new("head").expect("a name")
}

/// How often this thread began again.
fn retries() -> u64 {
    let counts = witness::counters();
    counts.of(Class::SoLock).retries + counts.of(Class::UnpLock).retries
}

/// What any call does with a socket: it has the lock that guards it, and no other, to the end.
fn use_socket(layer: &ByPair, s: Fd) {
    let so = layer.fds.find(s).expect("a socket");
    let before = retries();
    let held = layer.policy.solock(&so);
    if retries() > before {
        seen("retried");
    }
    // What the lock guards: two at it at once are found.
    held.st().so_qlimit.set(held.st().so_qlimit.get() + 1);
    let class = so.locks.guard(Part::Socket).1;
    let is_of_pair = class == Class::SoLock && held.peer().is_some();
    seen(match class {
        Class::UnpLock => "lock of all",
        _ if is_of_pair => "lock of the pair",
        _ => "own lock",
    });
    layer.policy.sounlock(held);
}

/// A socket listens while others use it.
fn listen_among(users: usize) {
    let layer = layer();
    let s = layer.socket(SockType::Stream).expect("a socket");
    let user = |_| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || use_socket(&layer, s))
    };
    let mut bodies: Vec<Body> = (0..users).map(user).collect();
    let other = Arc::clone(&layer);
    // It has no name; the lock is another one all the same.
    bodies.push(Box::new(move || assert_eq!(other.listen(s, 1), Err(Errno::Einval))));
    threads(bodies);
}

fn listen() {
    listen_among(1);
}

fn two_users() {
    listen_among(2);
}

/// A listener, and a client of it that waits.
fn listener_and_client(layer: &ByPair) -> (Fd, Fd) {
    let head = layer.socket(SockType::Stream).expect("a socket");
    layer.bind(head, &name()).expect("a name");
    layer.listen(head, 1).expect("a listener");
    layer.set_nonblocking(head, true).expect("O_NONBLOCK");
    let client = layer.socket(SockType::Stream).expect("a socket");
    layer.connect(client, &name()).expect("a connection");
    (head, client)
}

fn accept_one(layer: &ByPair, head: Fd) -> Fd {
    let (server, _) = layer.accept(head).expect("a connection waits");
    seen("accepted");
    server
}

/// A client is accepted while it is used.
fn accept() {
    let layer = layer();
    let (head, client) = listener_and_client(&layer);
    let (user, acceptor) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || use_socket(&user, client)),
        Box::new(move || _ = accept_one(&acceptor, head)),
    ]);
}

/// A client sends while it is accepted, and what it sent is there, if it was before.
fn accept_send() {
    let layer = layer();
    let (head, client) = listener_and_client(&layer);
    let (sender, acceptor) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(client, b"x", MsgFlags::DONTWAIT), Ok(1));
            seen("sent");
        }),
        Box::new(move || {
            let server = accept_one(&acceptor, head);
            match acceptor.recv(server, &mut [0], MsgFlags::DONTWAIT) {
                Ok(1) => seen("received"),
                Err(Errno::Ewouldblock) => seen("nothing there"),
                other => panic!("a receive answers {other:?}"),
            }
        }),
    ]);
}

/// A client sleeps with the one lock, is accepted, and woken with the other.
fn accept_sleeper() {
    let layer = layer();
    let (head, client) = listener_and_client(&layer);
    let (reader, acceptor) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            assert_eq!(reader.recv(client, &mut [0], MsgFlags::empty()), Ok(1));
            seen("received");
        }),
        Box::new(move || {
            let server = accept_one(&acceptor, head);
            assert_eq!(acceptor.send(server, b"x", MsgFlags::DONTWAIT), Ok(1));
        }),
    ]);
}

/// A pair is closed and its places are used again while another thread comes for one of them.
fn reuse() {
    let layer = layer();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    layer.close(a).expect("a close");
    let (user, closer) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || match user.getsockname(b) {
            Ok(_) => seen("own lock"),
            Err(Errno::Ebadf) => seen("gone"),
            other => panic!("{other:?}"),
        }),
        Box::new(move || {
            closer.close(b).expect("a close");
            for _ in 0..2 {
                let s = closer.socket(SockType::Stream).expect("a socket");
                use_socket(&closer, s);
            }
            seen("another socket");
        }),
    ]);
}

/// One end of a pair goes, and what comes in its place is accepted, while the other end listens.
fn left_behind() {
    let layer = layer();
    let (gone, left) = layer.socketpair(SockType::Stream).expect("a pair");
    layer.close(gone).expect("a close");
    // The client first: in the place of the one that went.
    let client = layer.socket(SockType::Stream).expect("a socket");
    let head = layer.socket(SockType::Stream).expect("a socket");
    layer.bind(head, &name()).expect("a name");
    layer.listen(head, 1).expect("a listener");
    layer.connect(client, &name()).expect("a connection");
    let (listener, acceptor) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            assert_eq!(listener.listen(left, 1), Err(Errno::Einval));
            seen("listened");
        }),
        Box::new(move || _ = accept_one(&acceptor, head)),
    ]);
}
