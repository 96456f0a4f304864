//! Descriptors and pairs: socket, socketpair, dup, close, and calls on what is not open.

use lockimpls::{Config, Errno, MsgFlags, RecvMsg, SendMsg, Shutdown, SockOpt, SockType};

use crate::battery::{NONE, Program, name};

case!(both_ends_of_a_pair_send_and_receive, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.put(a, b"to b"), Ok(4));
        assert_eq!(layer.put(b, b"to a"), Ok(4));
        assert_eq!(layer.get(b, 9).unwrap(), b"to b");
        assert_eq!(layer.get(a, 9).unwrap(), b"to a");
        assert_eq!(layer.get(a, 9), Err(Errno::Ewouldblock));
        assert_eq!(layer.get(b, 9), Err(Errno::Ewouldblock));
        layer.close_all(&[a, b]);
    }
});

case!(every_call_on_a_closed_descriptor_is_refused, layer, {
    let (gone, b) = layer.pair(SockType::Stream);
    layer.close(gone).unwrap();
    for again in [false, true] {
        // The second time another socket has the place of the closed descriptor.
        let other = again.then(|| layer.socket(SockType::Stream).unwrap());
        let ebadf = Errno::Ebadf;
        assert_eq!(layer.put(gone, b"x"), Err(ebadf));
        assert_eq!(layer.get(gone, 1), Err(ebadf));
        assert_eq!(layer.pass(gone, b"x", &[b]), Err(ebadf));
        assert!(layer.pass(b, b"x", &[gone]).is_err());
        assert_eq!(layer.bind(gone, &name("x")), Err(ebadf));
        assert_eq!(layer.listen(gone, 1), Err(ebadf));
        assert_eq!(layer.connect(gone, &name("x")), Err(ebadf));
        assert_eq!(layer.accept(gone).unwrap_err(), ebadf);
        assert_eq!(layer.shutdown(gone, Shutdown::Both), Err(ebadf));
        assert_eq!(layer.dup(gone).unwrap_err(), ebadf);
        assert_eq!(layer.same_file(gone, b), Err(ebadf));
        assert_eq!(layer.getsockname(gone), Err(ebadf));
        assert_eq!(layer.getpeername(gone), Err(ebadf));
        assert_eq!(layer.setsockopt(gone, SockOpt::SndBuf, 1), Err(ebadf));
        assert_eq!(layer.getsockopt(gone, SockOpt::Error), Err(ebadf));
        assert_eq!(layer.set_nonblocking(gone, true), Err(ebadf));
        assert_eq!(layer.close(gone), Err(ebadf));
        layer.close_all(other.as_slice());
    }
    layer.close(b).unwrap();
});

case!(a_dup_keeps_the_socket_open, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        let a2 = layer.dup(a).unwrap();
        assert_eq!(layer.same_file(a, a2), Ok(true));
        assert_eq!(layer.same_file(a, b), Ok(false));
        layer.close(a).unwrap();
        assert_eq!(layer.put(a2, b"still here"), Ok(10));
        assert_eq!(layer.get(b, 10).unwrap(), b"still here");
        layer.close_all(&[a2, b]);
    }
});

case!(a_dup_races_the_last_close, layer, {
    for _ in 0..500 {
        let (a, b) = layer.pair(SockType::Stream);
        let again = std::thread::scope(|threads| {
            let dup = threads.spawn(|| layer.dup(a));
            layer.close(a).unwrap();
            dup.join().unwrap()
        });
        // Either the socket is open, or it is gone: no descriptor refers to a closed socket.
        match again {
            Ok(again) => {
                assert_eq!(layer.put(b, b"x"), Ok(1));
                assert_eq!(layer.get(again, 1).unwrap(), b"x");
                layer.close(again).unwrap();
            }
            Err(errno) => assert_eq!(errno, Errno::Ebadf),
        }
        assert_eq!(layer.put(b, b"x"), Err(Errno::Epipe));
        layer.close(b).unwrap();
    }
});

fn four_files() -> Config {
    Config { maxfiles: 4, ..Config::default() }
}

case!(the_descriptor_table_is_full, four_files(), layer, {
    let listener = layer.listener(SockType::Stream, "here");
    let client = layer.client(SockType::Stream, "here");
    let third = layer.socket(SockType::Stream).unwrap();
    // One is left: the pair needs two, and gives the first back.
    assert_eq!(layer.socketpair(SockType::Stream).unwrap_err(), Errno::Emfile);
    let fourth = layer.dup(third).unwrap();
    assert_eq!(layer.socket(SockType::Stream).unwrap_err(), Errno::Emfile);
    assert_eq!(layer.socketpair(SockType::Stream).unwrap_err(), Errno::Emfile);
    assert_eq!(layer.dup(third).unwrap_err(), Errno::Emfile);
    assert_eq!(layer.accept(listener).unwrap_err(), Errno::Emfile);
    layer.close(fourth).unwrap();
    // The connection was not lost.
    let (server, _) = layer.accept(listener).unwrap();
    layer.close_all(&[listener, client, third, server]);
    layer.unlink(&name("here")).unwrap();
});

fn three_sockets() -> Config {
    Config { sockets_max: 3, ..Config::default() }
}

case!(there_is_no_memory_for_another_socket, three_sockets(), layer, {
    let (a, b) = layer.pair(SockType::Stream);
    // Room for one: the pair needs two, and gives the first back.
    assert_eq!(layer.socketpair(SockType::Dgram).unwrap_err(), Errno::Enobufs);
    let c = layer.socket(SockType::Seqpacket).unwrap();
    assert_eq!(layer.socket(SockType::Stream).unwrap_err(), Errno::Enobufs);
    assert_eq!(layer.socketpair(SockType::Stream).unwrap_err(), Errno::Enobufs);
    layer.close(c).unwrap();
    let c = layer.socket(SockType::Stream).unwrap();
    layer.close_all(&[a, b, c]);
});

case!(urgent_data_is_not_supported, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.send(a, b"!", MsgFlags::OOB), Err(Errno::Eopnotsupp));
        assert_eq!(layer.recv(b, &mut [0], MsgFlags::OOB), Err(Errno::Eopnotsupp));
        assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
        layer.close_all(&[a, b]);
    }
});

case!(a_socket_without_a_peer, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let s = layer.socket(kind).unwrap();
        assert_eq!(layer.put(s, b"x"), Err(Errno::Enotconn));
        assert_eq!(layer.put(s, b""), Err(Errno::Enotconn));
        // Nothing but descriptors passes the socket layer; the protocol refuses it.
        assert_eq!(layer.pass(s, b"", &[s]), Err(Errno::Enotconn));
        assert_eq!(layer.get(s, 1), Err(Errno::Enotconn));
        assert_eq!(layer.get(s, 0), Err(Errno::Enotconn));
        assert_eq!(layer.getpeername(s), Err(Errno::Enotconn));
        layer.close(s).unwrap();
    }
    let s = layer.socket(SockType::Dgram).unwrap();
    assert_eq!(layer.put(s, b"x"), Err(Errno::Edestaddrreq));
    assert_eq!(layer.pass(s, b"", &[s]), Err(Errno::Edestaddrreq));
    assert_eq!(layer.get(s, 1), Err(Errno::Ewouldblock));
    assert_eq!(layer.getpeername(s), Err(Errno::Enotconn));
    layer.close(s).unwrap();
});

case!(a_connected_stream_ignores_a_destination, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let (a, b) = layer.pair(kind);
        let msg = SendMsg { to: Some(&name("x")), data: b"x", rights: &[], flags: NONE };
        assert_eq!(layer.sendmsg(a, &msg), Ok(1));
        assert_eq!(layer.get(b, 9).unwrap(), b"x");
        layer.close_all(&[a, b]);
    }
});

case!(empty_messages, layer, {
    let (a, b) = layer.pair(SockType::Stream);
    assert_eq!(layer.put(a, b""), Ok(0));
    assert_eq!(layer.get(b, 0).unwrap(), b"");
    assert_eq!(layer.get(b, 1), Err(Errno::Ewouldblock));
    layer.close_all(&[a, b]);
    for kind in [SockType::Seqpacket, SockType::Dgram] {
        let (a, b) = layer.pair(kind);
        assert_eq!(layer.get(b, 0).unwrap(), b"");
        assert_eq!(layer.put(a, b""), Ok(0));
        assert_eq!(layer.put(a, b"x"), Ok(1));
        // A datagram has an address; a record of no bytes has nothing, and is passed over.
        if kind == SockType::Dgram {
            assert_eq!(layer.get(b, 9).unwrap(), b"");
        }
        assert_eq!(layer.get(b, 9).unwrap(), b"x");
        assert_eq!(layer.get(b, 9), Err(Errno::Ewouldblock));
        layer.close_all(&[a, b]);
    }
});

case!(a_message_that_is_used_again_tells_of_the_last_receive, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.pair(kind);
        layer.pass(a, b"x", &[a]).unwrap();
        layer.put(a, b"y").unwrap();
        let (mut data, mut fds) = ([0], [None]);
        let mut msg = RecvMsg::with_rights(&mut data, &mut fds, NONE);
        for descriptors in [1, 0] {
            assert_eq!(layer.recvmsg(b, &mut msg), Ok(1));
            assert_eq!((msg.rights_len, msg.flags), (descriptors, NONE));
        }
        layer.close_all(&[a, b, fds[0].unwrap()]);
    }
});
