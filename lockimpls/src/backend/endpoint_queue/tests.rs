//! What requests lock, whose order is that of numbers; and what a send finds when another one has
//! left the socket.

use std::time::{Duration, Instant};

use super::*;
use crate::backend::kept::{self, bound, close, name, socket};
use crate::domain::{Domain, Fd, MsgFlags, RecvMsg, SendMsg, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::Window;
use crate::fault::met::{Met, has_met, meet};
use crate::primitives::Ordering;

use SockType::{Dgram, Seqpacket, Stream};

type Layer = Locked<EndpointPolicy<Met>>;

const NONE: MsgFlags = MsgFlags::empty();
const NOW: MsgFlags = MsgFlags::DONTWAIT;

/// How long it takes at most, on a busy machine, until a send that has to wait sleeps.
const SLEEPS_WITHIN: Duration = Duration::from_secs(60);

fn layer() -> &'static Layer {
    kept::layer()
}

/// Sends to the name "there".
fn send_there(layer: &Layer, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
    layer.sendmsg(s, &SendMsg { to: Some(&name("there")), data, rights: &[], flags })
}

/// Runs it: how many receivers' locks, endpoints and queues it took, and how often it relocked.
fn taking<T>(request: impl FnOnce() -> T) -> ([u64; 3], u64) {
    let (taken, counts) = kept::taking(request);
    (taken, counts.relocks)
}

#[test]
fn a_send_has_its_endpoint_and_the_peers_queue() {
    let layer = layer();
    for kind in SockType::ALL {
        let (a, b) = layer.socketpair(kind).unwrap();
        for (from, to) in [(a, b), (b, a)] {
            // All that the peer has but its queue is taken.
            let peer = socket(layer, to);
            peer.locks.receiver.enter();
            let held = layer.policy.solock(&peer);
            std::thread::scope(|threads| {
                let send = || taking(|| assert_eq!(layer.send(from, b"x", NONE), Ok(1)));
                assert_eq!(threads.spawn(send).join().unwrap(), ([0, 1, 1], 0), "{kind:?}");
            });
            layer.policy.sounlock(held);
            peer.locks.receiver.exit();
            let receive = || assert_eq!(layer.recv(to, &mut [0; 9], NONE), Ok(1));
            assert_eq!(taking(receive), ([1, 1, 2], 0), "{kind:?}");
        }
        layer.close(a).unwrap();
        layer.close(b).unwrap();
    }
}

/// Two sockets, of which the first has the lower number and the higher address.
fn lower_number_at_higher_address(layer: &Layer, kind: SockType) -> [Fd; 2] {
    let [gone, first] = [(); 2].map(|()| layer.socket(kind).unwrap());
    layer.close(gone).unwrap();
    let second = layer.socket(kind).unwrap();
    let [a, b] = [first, second].map(|s| socket(layer, s));
    assert!(a.locks.number() < b.locks.number());
    assert!(a.locks.endpoint.addr() > b.locks.endpoint.addr());
    [first, second]
}

#[test]
fn the_lower_number_is_locked_first_whatever_the_addresses() {
    let layer = layer();
    let [first, second] = lower_number_at_higher_address(layer, Dgram);
    layer.bind(first, &name("first")).unwrap();
    layer.bind(second, &name("second")).unwrap();
    layer.connect(first, &name("second")).unwrap();
    layer.connect(second, &name("first")).unwrap();
    // From the lower number there is no relock, from the higher one there is.
    for (s, relocks) in [(second, 1), (first, 0)] {
        let there = if s == first { "second" } else { "first" };
        let (_, taken) = taking(|| layer.connect(s, &name(there)).unwrap());
        assert_eq!(taken, relocks);
    }
    close(layer, &[first, second]);
}

#[test]
fn a_connect_has_client_and_listener_in_the_order_of_their_numbers() {
    for head_is_first in [true, false] {
        let layer = layer();
        let sockets = lower_number_at_higher_address(layer, Stream);
        let [head, client] = if head_is_first { sockets } else { [sockets[1], sockets[0]] };
        layer.bind(head, &name("head")).unwrap();
        // Refused: the client before and after, and the two.
        let refused = || assert_eq!(layer.connect(client, &name("head")), Err(Errno::Econnrefused));
        assert_eq!(taking(refused).0, [0, 1 + 2 + 1, 0]);
        layer.listen(head, 1).unwrap();
        // The client before and after; the two; the embryo when it is made, and to be connected.
        let (taken, relocks) = taking(|| layer.connect(client, &name("head")).unwrap());
        assert_eq!((taken[1], relocks), (1 + 2 + 2 + 1, 0), "{head_is_first}");
        // The listener, the embryo; to ask for a name the client alone, and the embryo again.
        let mut server = None;
        let (taken, relocks) = taking(|| server = Some(layer.accept(head).unwrap().0));
        assert_eq!((taken[1], relocks), (2 + 2, 0));
        close(layer, &[head, client, server.unwrap()]);
    }
}

#[test]
fn a_socket_that_connects_to_itself_is_locked_once() {
    let layer = layer();
    let s = bound(layer, Stream, "here");
    // Before, for the two that it is, and after.
    let refused = || assert_eq!(layer.connect(s, &name("here")), Err(Errno::Econnrefused));
    assert_eq!(taking(refused), ([0, 3, 0], 0));
    let d = bound(layer, Dgram, "there");
    assert_eq!(taking(|| layer.connect(d, &name("there")).unwrap()), ([0, 3, 0], 0));
    assert_eq!(taking(|| assert_eq!(layer.send(d, b"x", NONE), Ok(1))), ([0, 1, 1], 0));
    let ask = || assert_eq!(layer.getpeername(d), Ok(name("there")));
    assert_eq!(taking(ask), ([0, 3, 0], 0));
    let receive = || assert_eq!(layer.recv(d, &mut [0], NONE), Ok(1));
    assert_eq!(taking(receive), ([1, 1, 2], 0));
    // To part from itself, and for another time.
    assert_eq!(taking(|| layer.connect(d, &name("there")).unwrap()), ([0, 3, 0], 0));
    close(layer, &[s, d]);
}

#[test]
fn a_name_is_asked_for_with_one_socket_locked() {
    let layer = layer();
    let there = bound(layer, Dgram, "there");
    let s = layer.socket(Dgram).unwrap();
    layer.connect(s, &name("there")).unwrap();
    let ask = || assert_eq!(layer.getpeername(s), Ok(name("there")));
    assert_eq!(taking(ask), ([0, 3, 0], 0));
    close(layer, &[there, s]);
}

#[test]
fn a_plain_datagram_does_not_go_where_anothers_address_is() {
    let layer = layer();
    let there = bound(layer, Dgram, "there");
    let s = layer.socket(Dgram).unwrap();
    meet(Window::Connected, move || {
        assert_eq!(layer.send(s, b"plain", NOW), Err(Errno::Ewouldblock));
        assert_eq!(send_there(layer, s, b"x", NOW), Err(Errno::Ewouldblock));
    });
    assert_eq!(send_there(layer, s, b"to", NONE), Ok(2));
    assert!(has_met());
    assert_eq!(layer.send(s, b"plain", NOW), Err(Errno::Edestaddrreq));
    let mut data = [0; 9];
    assert_eq!(layer.recv(there, &mut data, NOW), Ok(2));
    assert_eq!(layer.recv(there, &mut data, NOW), Err(Errno::Ewouldblock));
    close(layer, &[there, s]);
}

#[test]
fn a_send_waits_for_one_that_has_left_the_socket() {
    let layer = layer();
    let there = bound(layer, Dgram, "there");
    let s = layer.socket(Dgram).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    meet(Window::Connected, move || {
        // It sleeps until the first has gone.
        let second = std::thread::spawn(move || send_there(layer, s, b"second", NONE));
        let begun = Instant::now();
        while socket(layer, s).sblock_wait[Side::Snd].waiting.load(Ordering::Relaxed) == 0 {
            assert!(!second.is_finished() && begun.elapsed() < SLEEPS_WITHIN, "it does not sleep");
            std::thread::yield_now();
        }
        tell.send(second).unwrap();
    });
    assert_eq!(send_there(layer, s, b"first", NONE), Ok(5));
    assert!(has_met());
    assert_eq!(told.recv().unwrap().join().unwrap(), Ok(6));
    let mut data = [0; 9];
    assert_eq!(layer.recv(there, &mut data, NONE), Ok(5));
    assert_eq!(layer.recv(there, &mut data, NONE), Ok(6));
    close(layer, &[there, s]);
}

#[test]
fn what_ends_while_descriptors_are_looked_up_does_not_go() {
    for kind in [Stream, Seqpacket] {
        for closes in [false, true] {
            let layer = layer();
            let (a, b) = layer.socketpair(kind).unwrap();
            meet(Window::CopiedIn, move || {
                if closes {
                    layer.close(b).unwrap();
                } else {
                    layer.shutdown(a, Shutdown::Write).unwrap();
                }
            });
            let msg = SendMsg { to: None, data: b"x", rights: &[a], flags: NONE };
            assert_eq!(layer.sendmsg(a, &msg), Err(Errno::Epipe));
            assert!(has_met());
            layer.close(a).unwrap();
            if !closes {
                layer.close(b).unwrap();
            }
        }
    }
}

#[test]
fn limits_and_ends_are_words_at_once() {
    kept::limits_and_ends_are_words_at_once(layer());
}

#[test]
fn descriptors_cost_the_endpoint_once_more() {
    let layer = layer();
    for kind in SockType::ALL {
        let (a, b) = layer.socketpair(kind).unwrap();
        let msg = SendMsg { to: None, data: b"x", rights: &[b], flags: NONE };
        let (taken, _) = taking(|| assert_eq!(layer.sendmsg(a, &msg), Ok(1)));
        assert_eq!(taken, [0, 2, 1], "{kind:?}");
        let (mut data, mut rights) = ([0; 1], [None]);
        let mut msg = RecvMsg::with_rights(&mut data, &mut rights, NONE);
        assert_eq!(layer.recvmsg(b, &mut msg), Ok(1));
        close(layer, &[a, b, rights[0].unwrap()]);
    }
}
