//! What a request takes where one lock has all links, and in which mode: FreeBSD 10.4's source says
//! so, line by line in `acquisitions` of `lockimpls`. The other backends run the same programs.

use lockimpls::SockType;
use lockimpls::witness::{Class, counters};

use crate::battery::{AnyLayer, NONE, Program, is_shared_link, name};

const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];
const DGRAM: SockType = SockType::Dgram;

/// Makes a call, which takes the lock of all links so often, in shared mode and exclusively, and so
/// many locks of sockets; then `sb_lock`s, and locks of receive and of send sides.
#[track_caller]
fn takes<T>(layer: &AnyLayer, links: [u64; 2], others: [u64; 4], call: impl FnOnce() -> T) -> T {
    let before = counters();
    let result = call();
    let counts = counters().since(&before);
    if is_shared_link(layer) {
        let link = counts.of(Class::UnpLock);
        let classes = [Class::SoLock, Class::SbLock, Class::SbMtxRcv, Class::SbMtxSnd];
        let taken = classes.map(|class| counts.of(class).acquisitions);
        let shared = [link.shared, link.acquisitions - link.shared];
        assert_eq!((shared, taken), (links, others));
    }
    result
}

case!(a_message_shares_the_links_and_its_receive_does_not, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        for (s, peer) in [(a, b), (b, a)] {
            takes(layer, [1, 0], [1, 1, 1, 2], || layer.send(s, b"x", NONE).unwrap());
            takes(layer, [0, 0], [1, 1, 4, 1], || layer.recv(peer, &mut [0], NONE).unwrap());
        }
        layer.close_all(&[a, b]);
    }
});

case!(a_datagram_shares_the_links_unless_it_is_addressed, layer, {
    let (a, b) = layer.pair(DGRAM);
    takes(layer, [1, 0], [1, 1, 1, 1], || layer.send(a, b"x", NONE).unwrap());
    takes(layer, [0, 0], [0, 1, 2, 0], || layer.recv(b, &mut [0], NONE).unwrap());
    let there = layer.bound(DGRAM, "there");
    let s = layer.socket(DGRAM).unwrap();
    let send = || layer.sendto(s, b"x", &name("there"), NONE).unwrap();
    takes(layer, [0, 3], [5, 1, 2, 2], send);
    layer.close_all(&[a, b, s, there]);
    layer.unlink(&name("there")).unwrap();
});

case!(whatever_connects_or_parts_stops_all_who_send, layer, {
    for kind in CONNECTED {
        let head = layer.listener(kind, "head");
        let client = layer.socket(kind).unwrap();
        let before = counters();
        layer.connect(client, &name("head")).unwrap();
        let (server, _) = layer.accept(head).unwrap();
        assert_eq!(layer.getpeername(client), Ok(name("head")));
        layer.close_all(&[client, server]);
        let link = counters().since(&before).of(Class::UnpLock);
        if is_shared_link(layer) {
            // connect 3, each close 2; accept and getpeername share.
            assert_eq!((link.acquisitions - link.shared, link.shared), (7, 2));
        }
        layer.close(head).unwrap();
        layer.unlink(&name("head")).unwrap();
    }
});

case!(a_descriptor_stops_all_who_send_when_it_goes_and_when_it_comes, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    takes(layer, [1, 2], [1, 1, 1, 2], || layer.pass(a, b"x", &[a, b]).unwrap());
    let before = counters();
    let got = layer.take(b, 1, 2).unwrap();
    let link = counters().since(&before).of(Class::UnpLock);
    if is_shared_link(layer) {
        assert_eq!((link.acquisitions, link.shared), (2, 0));
    }
    layer.close_all(&got.fds);
    layer.close_all(&[a, b]);
});
