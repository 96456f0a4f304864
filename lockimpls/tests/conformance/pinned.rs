//! Where a connection's sender holds its peer's receive side alone: what a message takes, as
//! FreeBSD's source of 2025 has it (`acquisitions` of `lockimpls` has the lines), and that a writer
//! which waits there is found by whoever ends its waiting. The other backends run the same
//! programs.

use std::time::Duration;

use lockimpls::witness::{Class, counters};
use lockimpls::{Errno, Fd, Shutdown, SockType};

use crate::battery::{AnyLayer, NONE, Program, is_receive_buffer, settle};

const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];
const DGRAM: SockType = SockType::Dgram;

/// Makes a call, which takes so many `sb_lock`s, locks of sockets, of receive and of send sides.
#[track_caller]
fn takes<T>(layer: &AnyLayer, locks: [u64; 4], call: impl FnOnce() -> T) -> T {
    let before = counters();
    let result = call();
    let counts = counters().since(&before);
    if is_receive_buffer(layer) {
        let classes = [Class::SbLock, Class::SoLock, Class::SbMtxRcv, Class::SbMtxSnd];
        assert_eq!(classes.map(|class| counts.of(class).acquisitions), locks);
        assert_eq!(counts.of(Class::SoLock).relocks, 0);
    }
    result
}

// Both sockets, to find the peer; then its receive side. A receive is at its own, twice, as the
// bytes lie in a ring, and nowhere else.
case!(a_send_passes_two_sockets_and_a_receive_none, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        for (s, peer) in [(a, b), (b, a)] {
            takes(layer, [1, 2, 1, 0], || layer.send(s, b"x", NONE).unwrap());
            takes(layer, [1, 0, 2, 0], || layer.recv(peer, &mut [0], NONE).unwrap());
        }
        layer.close_all(&[a, b]);
    }
});

// It looks at its send side, and holds both sockets at the destination.
case!(a_datagram_holds_both_sockets, layer, {
    let (a, b) = layer.pair(DGRAM);
    for (s, peer) in [(a, b), (b, a)] {
        takes(layer, [1, 2, 1, 1], || layer.send(s, b"x", NONE).unwrap());
        takes(layer, [1, 0, 2, 0], || layer.recv(peer, &mut [0], NONE).unwrap());
    }
    layer.close_all(&[a, b]);
});

// Descriptors are looked up when there is room for them, and the peer's side is locked once more.
case!(descriptors_cost_the_receivers_side_once_more, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    takes(layer, [1, 2, 2, 0], || layer.pass(a, b"x", &[a]).unwrap());
    let got = layer.take(b, 1, 1).unwrap();
    layer.close_all(&got.fds);
    layer.close_all(&[a, b]);
});

/// Fills a pair, and writes one message more, which waits; meanwhile this is done.
fn while_one_waits(
    layer: &AnyLayer,
    kind: SockType,
    meanwhile: impl FnOnce(Fd, Fd),
) -> Result<usize, Errno> {
    let (a, b) = layer.pair(kind);
    layer.fill(a, &[7; 1024]);
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| layer.send(a, &[8; 1024], NONE));
        settle();
        meanwhile(a, b);
        writer.join().unwrap()
    })
}

case!(a_writer_that_waits_is_told_of_room, layer, {
    for kind in CONNECTED {
        let mut ends = None;
        let sent = while_one_waits(layer, kind, |a, b| {
            while layer.get(b, 4096).is_ok() {}
            ends = Some((a, b));
        });
        assert_eq!(sent, Ok(1024));
        let (a, b) = ends.unwrap();
        layer.close_all(&[a, b]);
    }
});

case!(a_writer_that_waits_is_told_of_a_close, layer, {
    for kind in CONNECTED {
        let mut end = None;
        let sent = while_one_waits(layer, kind, |a, b| {
            layer.close(b).unwrap();
            end = Some(a);
        });
        assert_eq!(sent, Err(Errno::Epipe));
        layer.close(end.unwrap()).unwrap();
    }
});

case!(a_writer_that_waits_is_told_of_its_own_end, layer, {
    for kind in CONNECTED {
        let mut ends = None;
        let sent = while_one_waits(layer, kind, |a, b| {
            layer.shutdown(a, Shutdown::Write).unwrap();
            ends = Some((a, b));
        });
        assert_eq!(sent, Err(Errno::Epipe));
        let (a, b) = ends.unwrap();
        layer.close_all(&[a, b]);
    }
});

// Bytes go in both directions at once, each of more than a buffer holds.
case!(both_directions_wait_at_the_same_time, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    let many = 100_000;
    std::thread::scope(|threads| {
        for (s, peer) in [(a, b), (b, a)] {
            threads.spawn(move || assert_eq!(layer.send(s, &vec![9; many], NONE), Ok(many)));
            threads.spawn(move || {
                let (mut got, mut data) = (0, [0; 3000]);
                while got < many {
                    let bytes = layer.recv(peer, &mut data, NONE).unwrap();
                    assert!(data[..bytes].iter().all(|byte| *byte == 9));
                    got += bytes;
                    std::thread::sleep(Duration::from_micros(20));
                }
            });
        }
    });
    layer.close_all(&[a, b]);
});
