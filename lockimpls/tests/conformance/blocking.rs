//! Calls that wait, and everything that ends the wait, with every way to wait.

use std::sync::mpsc::channel;

use lockimpls::witness::{awaits_wakeup, thread_number};
use lockimpls::{Errno, Fd, RecvMsg, SendMsg, Shutdown, SockOpt, SockType};

use crate::battery::{AnyLayer, NONE, Program, name, settle};

const STREAM: SockType = SockType::Stream;
const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

/// Runs a call that must wait on another thread, and when it sleeps what ends the wait; the call's
/// answer.
fn blocked<T: Send>(call: impl FnOnce() -> T + Send, wake: impl FnOnce()) -> T {
    std::thread::scope(|threads| {
        let (tell, told) = channel();
        let call = threads.spawn(move || {
            tell.send(thread_number()).unwrap();
            call()
        });
        let number = told.recv().unwrap();
        while !awaits_wakeup(number) {
            assert!(!call.is_finished(), "the call did not wait");
            std::thread::yield_now();
        }
        wake();
        call.join().unwrap()
    })
}

waiting_case!(a_receive_waits_for_data, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        for (s, peer) in [(a, b), (b, a)] {
            let got = blocked(
                || layer.recv(s, &mut [0; 9], NONE),
                || assert_eq!(layer.put(peer, b"data"), Ok(4)),
            );
            assert_eq!(got, Ok(4));
        }
        layer.close_all(&[a, b]);
    }
});

waiting_case!(a_receive_waits_for_a_descriptor, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let got = blocked(|| receive(layer, b, 9), || assert_eq!(layer.pass(a, b"", &[a]), Ok(0)));
        layer.close_all(&[a, b, got.1.unwrap()]);
    }
});

/// Receives with room for this much and a descriptor, and may wait.
fn receive(layer: &AnyLayer, s: Fd, room: usize) -> (usize, Option<Fd>) {
    let (mut data, mut fds) = (vec![0; room], [None]);
    let mut msg = RecvMsg::with_rights(&mut data, &mut fds, NONE);
    let bytes = layer.recvmsg(s, &mut msg).unwrap();
    (bytes, fds[0])
}

waiting_case!(a_receive_below_its_low_water_mark, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.setsockopt(b, SockOpt::RcvLowat, 1000).unwrap();
    // All that is asked for is there.
    layer.put(a, b"abcd").unwrap();
    assert_eq!(receive(layer, b, 4), (4, None));
    // What comes with a descriptor is not received with what was before it.
    layer.put(a, b"ab").unwrap();
    layer.pass(a, b"c", &[a]).unwrap();
    assert_eq!(receive(layer, b, 2000), (2, None));
    // What comes after it is.
    let waited =
        blocked(|| receive(layer, b, 2000), || assert_eq!(layer.put(a, &[0; 1000]), Ok(1000)));
    assert_eq!(waited.0, 1001);
    // And the descriptor is not counted any more.
    let hiwat = layer.getsockopt(a, SockOpt::SndBuf).unwrap();
    assert_eq!(layer.put(a, &vec![0; hiwat + 1]), Ok(hiwat));
    assert_eq!(receive(layer, b, hiwat), (hiwat, None));
    // Unless there is another descriptor.
    layer.pass(a, b"d", &[a]).unwrap();
    layer.pass(a, b"e", &[a]).unwrap();
    let first = receive(layer, b, 2000);
    assert_eq!(first.0, 1);
    let second = layer.take(b, 9, 1).unwrap();
    assert_eq!(second.data, b"e");
    layer.close_all(&[a, b, waited.1.unwrap(), first.1.unwrap(), second.fds[0]]);
});

waiting_case!(a_receive_ends_with_the_stream, layer, {
    for kind in CONNECTED {
        for (how, peers) in
            [(Shutdown::Write, true), (Shutdown::Both, true), (Shutdown::Read, false)]
        {
            let (a, b) = layer.pair(kind);
            let got = blocked(
                || layer.recv(b, &mut [0; 9], NONE),
                || layer.shutdown(if peers { a } else { b }, how).unwrap(),
            );
            assert_eq!(got, Ok(0));
            layer.close_all(&[a, b]);
        }
        let (a, b) = layer.pair(kind);
        let got = blocked(|| layer.recv(b, &mut [0; 9], NONE), || layer.close(a).unwrap());
        assert_eq!(got, Ok(0));
        layer.close(b).unwrap();
    }
});

waiting_case!(a_send_waits_for_room, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        for (s, peer) in [(a, b), (b, a)] {
            layer.put(s, &[1; 8192]).unwrap();
            let sent = blocked(
                || layer.send(s, &[2; 5000], NONE),
                || assert_eq!(layer.get(peer, 8192).unwrap().len(), 8192),
            );
            assert_eq!(sent, Ok(5000));
            assert_eq!(layer.get(peer, 8192).unwrap(), [2; 5000]);
        }
        layer.close_all(&[a, b]);
    }
});

waiting_case!(a_send_longer_than_the_buffer_goes_piece_by_piece, layer, {
    let (a, b) = layer.pair(STREAM);
    let sent = blocked(
        || layer.send(a, &[3; 30_000], NONE),
        || {
            let mut got = 0;
            while got < 30_000 {
                got += layer.recv(b, &mut [0; 7000], NONE).unwrap();
            }
        },
    );
    assert_eq!(sent, Ok(30_000));
    layer.close_all(&[a, b]);
});

waiting_case!(a_send_ends_when_it_cannot_go_on, layer, {
    for kind in CONNECTED {
        for way in 0..3 {
            let (a, b) = layer.pair(kind);
            layer.put(a, &[1; 8192]).unwrap();
            let sent = blocked(
                || layer.send(a, &[2; 5000], NONE),
                || match way {
                    0 => layer.shutdown(a, Shutdown::Write).unwrap(),
                    1 => layer.shutdown(a, Shutdown::Both).unwrap(),
                    _ => layer.close(b).unwrap(),
                },
            );
            assert_eq!(sent, Err(Errno::Epipe));
            let both = [a, b];
            layer.close_all(if way == 2 { &both[..1] } else { &both });
        }
    }
});

waiting_case!(what_went_out_before_the_pipe_broke_is_hidden, layer, {
    let (a, b) = layer.pair(STREAM);
    let sent = blocked(|| layer.send(a, &[2; 9000], NONE), || layer.close(b).unwrap());
    assert_eq!(sent, Err(Errno::Epipe));
    layer.close(a).unwrap();
});

waiting_case!(a_send_with_a_descriptor_waits_too, layer, {
    let (a, b) = layer.pair(STREAM);
    layer.put(a, &[1; 8192]).unwrap();
    let sent = blocked(
        || {
            let msg = lockimpls::SendMsg { to: None, data: b"x", rights: &[a], flags: NONE };
            layer.sendmsg(a, &msg)
        },
        || assert_eq!(layer.get(b, 100).unwrap().len(), 100),
    );
    assert_eq!(sent, Ok(1));
    layer.drain(b, 8192);
    layer.close_all(&[a, b]);
});

// `control = NULL` behind the first part (`uipc_socket.c` 1.279, line 661).
waiting_case!(descriptors_go_with_the_first_part_of_a_send, layer, {
    let (a, b) = layer.pair(STREAM);
    let msg = SendMsg { to: None, data: &[7; 10_000], rights: &[a], flags: NONE };
    let sent = blocked(
        || layer.sendmsg(a, &msg),
        || {
            let (bytes, passed) = receive(layer, b, 9000);
            assert_eq!(bytes, 8160);
            layer.close(passed.unwrap()).unwrap();
            assert_eq!(receive(layer, b, 9000), (1840, None));
        },
    );
    assert_eq!(sent, Ok(10_000));
    layer.close_all(&[a, b]);
});

waiting_case!(an_accept_waits_for_a_connection, layer, {
    let listener = layer.listener(STREAM, "here");
    layer.set_nonblocking(listener, false).unwrap();
    let client = layer.socket(STREAM).unwrap();
    let accepted =
        blocked(|| layer.accept(listener), || layer.connect(client, &name("here")).unwrap());
    layer.close_all(&[listener, client, accepted.unwrap().0]);
    layer.unlink(&name("here")).unwrap();
});

// `unp_detach` (`uipc_usrreq.c` 1.167, line 630) leaves the error and wakes nobody; the data that
// comes then is received before the error is looked at (`uipc_socket.c` 1.279, line 862).
waiting_case!(a_receive_goes_on_waiting_when_its_destination_closes, layer, {
    let (a, b) = layer.pair(SockType::Dgram);
    layer.bind(a, &name("here")).unwrap();
    let other = layer.socket(SockType::Dgram).unwrap();
    let got = blocked(
        || layer.recv(a, &mut [0; 9], NONE),
        || {
            layer.close(b).unwrap();
            settle();
            assert_eq!(layer.sendto(other, b"data", &name("here"), NONE), Ok(4));
        },
    );
    assert_eq!(got, Ok(4));
    let pending = layer.getsockopt(a, SockOpt::Error).unwrap();
    assert_eq!(pending, Errno::Econnreset.code() as usize);
    layer.close_all(&[a, other]);
    layer.unlink(&name("here")).unwrap();
});

// SOCK_NONBLOCK_INHERIT (`uipc_syscalls.c` 1.196, line 314): the listener was nonblocking when the
// connection came, and is not when it is accepted.
waiting_case!(an_accepted_socket_waits_as_its_listener_does_now, layer, {
    let listener = layer.listener(STREAM, "here");
    let client = layer.client(STREAM, "here");
    layer.set_nonblocking(listener, false).unwrap();
    let (server, _) = layer.accept(listener).unwrap();
    let got = blocked(
        || layer.recv(server, &mut [0; 9], NONE),
        || assert_eq!(layer.put(client, b"data"), Ok(4)),
    );
    assert_eq!(got, Ok(4));
    layer.close_all(&[listener, client, server]);
    layer.unlink(&name("here")).unwrap();
});

// `socantsendmore` wakes those that wait for room, and an accept waits for a connection
// (`uipc_socket2.c` 1.125, line 338). Nor does `socantrcvmore`, after which no connection comes.
waiting_case!(an_accept_goes_on_waiting_when_its_listener_is_shut, layer, {
    let listener = layer.listener(STREAM, "here");
    layer.set_nonblocking(listener, false).unwrap();
    let client = layer.socket(STREAM).unwrap();
    let accepted = blocked(
        || layer.accept(listener),
        || {
            layer.shutdown(listener, Shutdown::Write).unwrap();
            settle();
            layer.connect(client, &name("here")).unwrap();
        },
    );
    let (server, _) = accepted.unwrap();
    assert_eq!(layer.put(server, b"x"), Err(Errno::Epipe));
    layer.close_all(&[listener, client, server]);
    layer.unlink(&name("here")).unwrap();
});

waiting_case!(two_threads_in_one_receive, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        std::thread::scope(|threads| {
            let readers = [(); 2].map(|()| threads.spawn(|| layer.recv(b, &mut [0], NONE)));
            settle();
            layer.put(a, b"1").unwrap();
            settle();
            layer.put(a, b"2").unwrap();
            for reader in readers {
                assert_eq!(reader.join().unwrap(), Ok(1));
            }
        });
        layer.close_all(&[a, b]);
    }
});

/// How many messages two threads move through one end.
const SHARED: usize = 1500;

waiting_case!(two_threads_send_on_one_socket, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        std::thread::scope(|threads| {
            for tag in [1_u8, 2] {
                threads.spawn(move || {
                    for _ in 0..SHARED {
                        assert_eq!(layer.send(a, &[tag; 1024], NONE), Ok(1024));
                    }
                });
            }
            let (mut data, mut counts) = ([0; 1024], [0; 3]);
            for _ in 0..2 * SHARED {
                // Messages are never mixed: a message fits whole before it starts.
                assert_eq!(layer.recv(b, &mut data, NONE), Ok(1024));
                assert!(data.iter().all(|byte| *byte == data[0]));
                counts[usize::from(data[0])] += 1;
            }
            assert_eq!(counts, [0, SHARED, SHARED]);
        });
        layer.close_all(&[a, b]);
    }
});

waiting_case!(two_threads_receive_on_one_socket, layer, {
    for kind in CONNECTED {
        let (a, b) = layer.pair(kind);
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(move || {
                    let mut data = [0; 1024];
                    for _ in 0..SHARED {
                        assert_eq!(layer.recv(b, &mut data, NONE), Ok(1024));
                        assert!(data.iter().all(|byte| *byte == data[0]));
                    }
                });
            }
            for i in 0..2 * SHARED {
                assert_eq!(layer.send(a, &[i as u8; 1024], NONE), Ok(1024));
            }
        });
        layer.close_all(&[a, b]);
    }
});

waiting_case!(a_ping_and_a_pong, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        std::thread::scope(|threads| {
            threads.spawn(move || {
                let mut data = [0; 4];
                for _ in 0..500 {
                    assert_eq!(layer.recv(b, &mut data, NONE), Ok(4));
                    assert_eq!(layer.send(b, &data, NONE), Ok(4));
                }
            });
            for i in 0..500_u32 {
                let mut data = [0; 4];
                assert_eq!(layer.send(a, &i.to_le_bytes(), NONE), Ok(4));
                assert_eq!(layer.recv(a, &mut data, NONE), Ok(4));
                assert_eq!(data, i.to_le_bytes());
            }
        });
        layer.close_all(&[a, b]);
    }
});
