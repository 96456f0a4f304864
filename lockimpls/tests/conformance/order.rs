//! Both address orders: a request at the lower end locks its peer, one at the higher end relocks.
//!
//! In a fresh layer addresses ascend; the place of a closed socket is the next one given out.

use lockimpls::{Fd, Shutdown, SockType, witness};

use crate::battery::{AnyLayer, NONE, Program, is_global, is_per_socket, name, tries_first};

/// Runs a request, which must relock this often where every socket has a lock of its own.
#[track_caller]
fn relocks<T>(layer: &AnyLayer, expected: u64, request: impl FnOnce() -> T) -> T {
    let before = witness::counters();
    let result = request();
    let counts = witness::counters().since(&before).of(witness::Class::SoLock);
    if is_per_socket(layer) {
        let saved = if tries_first(layer) { expected } else { 0 };
        assert_eq!([counts.relocks, counts.saved], [expected - saved, saved]);
    } else if is_global(layer) {
        assert_eq!((counts.relocks, counts.acquisitions), (0, 0));
    }
    result
}

/// The ends of two pairs of each kind, with the relocks of a request that needs its peer: the lower
/// end of the one, the higher of the other. All are made before one is closed.
fn ends(layer: &AnyLayer, kinds: &[SockType]) -> Vec<(SockType, Fd, Fd, u64)> {
    let two = |kind| {
        let ((a, b), (c, d)) = (layer.pair(kind), layer.pair(kind));
        [(kind, a, b, 0), (kind, d, c, 1)]
    };
    kinds.iter().copied().flat_map(two).collect()
}

case!(sends_and_receives, layer, {
    for (kind, s, peer, expected) in ends(layer, &SockType::ALL) {
        // A datagram's receiver accounts to nobody.
        let accounts = if kind == SockType::Dgram { 0 } else { expected };
        relocks(layer, expected, || layer.put(s, b"x").unwrap());
        layer.put(peer, b"y").unwrap();
        relocks(layer, accounts, || layer.get(s, 1).unwrap());
        relocks(layer, expected, || layer.pass(s, b"z", &[s]).unwrap());
        layer.get(peer, 1).unwrap();
        layer.pass(peer, b"z", &[s]).unwrap();
        let got = relocks(layer, accounts, || layer.take(s, 9, 1).unwrap());
        layer.close_all(&got.fds);
        layer.close_all(&[s, peer]);
    }
});

case!(shutdowns_and_names, layer, {
    for (_, s, peer, expected) in ends(layer, &[SockType::Stream, SockType::Seqpacket]) {
        relocks(layer, expected, || layer.getpeername(s).unwrap());
        relocks(layer, 0, || layer.getsockname(s).unwrap());
        relocks(layer, 0, || layer.shutdown(s, Shutdown::Read).unwrap());
        relocks(layer, expected, || layer.shutdown(s, Shutdown::Write).unwrap());
        layer.close_all(&[s, peer]);
    }
});

case!(the_first_end_to_close, layer, {
    for (kind, s, peer, expected) in ends(layer, &SockType::ALL) {
        // A datagram socket is left by its peer, too: once for each direction. That one is locked
        // from this end, or, where locks are tried, this one from there.
        let expected = match (kind, tries_first(layer)) {
            (SockType::Dgram, false) => 2 * expected,
            (SockType::Dgram, true) => 1,
            _ => expected,
        };
        relocks(layer, expected, || layer.close(s).unwrap());
        relocks(layer, 0, || layer.close(peer).unwrap());
    }
});

case!(addressed_datagrams, layer, {
    let low = layer.socket(SockType::Dgram).unwrap();
    let there = layer.bound(SockType::Dgram, "there");
    let high = layer.socket(SockType::Dgram).unwrap();
    for (s, expected) in [(low, 0), (high, 2)] {
        // Once to append, once to part again; the connect locks a pair without a relock.
        relocks(layer, expected, || layer.sendto(s, b"x", &name("there"), NONE).unwrap());
    }
    for (s, expected) in [(low, 0), (high, 1)] {
        relocks(layer, 0, || layer.connect(s, &name("there")).unwrap());
        relocks(layer, expected, || layer.connect(s, &name("there")).unwrap());
    }
    // The destination goes: one referrer is above it, one below.
    relocks(layer, 1, || layer.close(there).unwrap());
    layer.close_all(&[low, high]);
    layer.unlink(&name("there")).unwrap();
});

case!(the_accepted_socket_is_above_or_below_its_client, layer, {
    for above in [true, false] {
        let low = layer.socket(SockType::Stream).unwrap();
        let listener = layer.listener(SockType::Stream, "here");
        let client = layer.bound(SockType::Stream, "client");
        if !above {
            layer.close(low).unwrap();
        }
        relocks(layer, 0, || layer.connect(client, &name("here")).unwrap());
        let (server, from) = relocks(layer, u64::from(above), || layer.accept(listener).unwrap());
        assert_eq!(from, name("client"));
        layer.put(server, b"x").unwrap();
        layer.put(client, b"x").unwrap();
        layer.close_all(&[server, client, listener]);
        if above {
            layer.close(low).unwrap();
        }
        layer.unlink(&name("here")).unwrap();
        layer.unlink(&name("client")).unwrap();
    }
});

case!(the_listener_is_above_or_below_what_it_accepts, layer, {
    for above in [true, false] {
        let low = [(); 3].map(|()| layer.socket(SockType::Stream).unwrap());
        let listener = layer.listener(SockType::Stream, "here");
        let clients = [(); 3].map(|()| layer.socket(SockType::Stream).unwrap());
        if above {
            layer.close_all(&low);
        }
        for client in clients {
            layer.connect(client, &name("here")).unwrap();
        }
        let (server, _) = layer.accept(listener).unwrap();
        layer.close_all(&[listener, server]);
        layer.close_all(&clients);
        if !above {
            layer.close_all(&low);
        }
        layer.unlink(&name("here")).unwrap();
    }
});
