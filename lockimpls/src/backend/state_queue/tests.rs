//! What a send and a receive lock, and what they find when somebody was there before.

use super::*;
use crate::backend::kept::{self, bound, close, name, socket};
use crate::domain::{Domain, MsgFlags, SendMsg, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::met::{Met, has_met, meet};

use SockType::{Dgram, Seqpacket, Stream};

type Layer = Locked<QueuePolicy<Met>>;

const NONE: MsgFlags = MsgFlags::empty();

fn layer() -> &'static Layer {
    kept::layer()
}

/// Runs it: how many iolocks, states and queues it took, and how often it found another peer.
fn taking<T>(request: impl FnOnce() -> T) -> ([u64; 3], u64) {
    let (taken, counts) = kept::taking(request);
    (taken, counts.retries)
}

#[test]
fn a_send_never_waits_for_its_own_socket() {
    let layer = layer();
    let (a, b) = layer.socketpair(Stream).unwrap();
    // All that the sender has is taken: its state, its queue, its iolock.
    let so = socket(layer, a);
    so.locks.iolock.enter();
    let held = layer.policy.side_lock(&so, Side::Rcv);
    std::thread::scope(|threads| {
        let sent = threads.spawn(|| taking(|| assert_eq!(layer.send(a, b"x", NONE), Ok(1))));
        assert_eq!(sent.join().unwrap(), ([0, 1, 1], 0));
        let received = || assert_eq!(layer.recv(b, &mut [0; 9], NONE), Ok(1));
        let received = threads.spawn(move || taking(received));
        assert_eq!(received.join().unwrap(), ([1, 1, 1], 0));
    });
    layer.policy.side_unlock(held, Side::Rcv);
    so.locks.iolock.exit();
    close(layer, &[a, b]);
}

#[test]
fn a_datagram_goes_where_its_sender_is_connected_when_that_is_locked() {
    let layer = layer();
    let [old, new] = ["old", "new"].map(|path| bound(layer, Dgram, path));
    let s = layer.socket(Dgram).unwrap();
    layer.connect(s, &name("old")).unwrap();
    meet(Window::PeerRead, move || layer.connect(s, &name("new")).unwrap());
    let (_, retries) = taking(|| assert_eq!(layer.send(s, b"x", NONE), Ok(1)));
    assert!(has_met() && retries == 1);
    assert_eq!(layer.recv(old, &mut [0], MsgFlags::DONTWAIT), Err(Errno::Ewouldblock));
    assert_eq!(layer.recv(new, &mut [0], MsgFlags::DONTWAIT), Ok(1));
    close(layer, &[old, new, s]);
}

#[test]
fn a_peer_that_is_gone_or_another_socket_by_now_is_left_alone() {
    for (kind, answer) in
        [(Stream, Errno::Epipe), (Seqpacket, Errno::Epipe), (Dgram, Errno::Enotconn)]
    {
        let layer = layer();
        let (a, b) = layer.socketpair(kind).unwrap();
        let place = socket(layer, b);
        meet(Window::PeerRead, move || {
            layer.close(b).unwrap();
            let (another, _) = layer.socketpair(kind).unwrap();
            assert_eq!(socket(layer, another), place);
        });
        let (_, retries) = taking(|| assert_eq!(layer.send(a, b"x", NONE), Err(answer)));
        assert!(has_met() && retries == 1, "{kind:?}");
    }
}

#[test]
fn what_a_shutdown_ends_before_the_peer_is_locked_does_not_go() {
    for kind in [Stream, Seqpacket] {
        let layer = layer();
        let (a, b) = layer.socketpair(kind).unwrap();
        meet(Window::PeerRead, move || layer.shutdown(a, Shutdown::Write).unwrap());
        assert_eq!(layer.send(a, b"x", NONE), Err(Errno::Epipe));
        assert!(has_met());
        assert_eq!(layer.recv(b, &mut [0], NONE), Ok(0));
        close(layer, &[a, b]);
    }
}

#[test]
fn limits_and_ends_are_words_at_once() {
    kept::limits_and_ends_are_words_at_once(layer());
}

#[test]
fn a_connect_locks_the_listener_before_its_client() {
    for head_is_lower in [true, false] {
        let layer = layer();
        let sockets = [(); 2].map(|()| layer.socket(Stream).unwrap());
        let [head, client] = if head_is_lower { sockets } else { [sockets[1], sockets[0]] };
        layer.bind(head, &name("head")).unwrap();
        layer.listen(head, 1).unwrap();
        // The client's own before and after; listener, embryo; client and embryo with the listener.
        let (taken, _) = taking(|| layer.connect(client, &name("head")).unwrap());
        assert_eq!(taken[1], 2 + 2 + 2, "{head_is_lower}");
        let (server, _) = layer.accept(head).unwrap();
        assert_eq!(layer.send(client, b"x", NONE), Ok(1));
        close(layer, &[head, client, server]);
    }
}

#[test]
fn descriptors_are_found_with_nothing_of_the_socket_held() {
    let layer = layer();
    for kind in SockType::ALL {
        let (a, b) = layer.socketpair(kind).unwrap();
        let plain = taking(|| layer.send(a, b"x", NONE).unwrap()).0;
        let msg = SendMsg { to: None, data: b"x", rights: &[b], flags: NONE };
        let passed = taking(|| layer.sendmsg(a, &msg).unwrap()).0;
        assert_eq!(plain, passed, "{kind:?}");
        layer.close(a).unwrap();
        layer.close(b).unwrap();
        layer.collect();
    }
}
