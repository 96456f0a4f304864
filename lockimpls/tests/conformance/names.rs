//! Names: bind, listen, connect, accept, and the queue of a listener.

use lockimpls::{Config, Errno, Shutdown, SockAddr, SockType};

use crate::battery::{Program, name};

const STREAM: SockType = SockType::Stream;
const CONNECTED: [SockType; 2] = [SockType::Stream, SockType::Seqpacket];

case!(a_name_is_given_once, layer, {
    let s = layer.bound(STREAM, "here");
    assert_eq!(layer.getsockname(s), Ok(name("here")));
    assert_eq!(layer.bind(s, &name("elsewhere")), Err(Errno::Einval));
    let other = layer.socket(STREAM).unwrap();
    assert_eq!(layer.getsockname(other), Ok(SockAddr::UNNAMED));
    assert_eq!(layer.bind(other, &name("here")), Err(Errno::Eaddrinuse));
    // namei(9) finds no file of no name.
    assert_eq!(layer.bind(other, &SockAddr::UNNAMED), Err(Errno::Enoent));
    assert_eq!(layer.bind(s, &SockAddr::UNNAMED), Err(Errno::Einval));
    // A failing bind may be tried again.
    assert_eq!(layer.bind(other, &name("there")), Ok(()));
    layer.close_all(&[s, other]);
    layer.unlink(&name("here")).unwrap();
    layer.unlink(&name("there")).unwrap();
    assert_eq!(layer.unlink(&name("there")), Err(Errno::Enoent));
});

case!(names_have_103_bytes, layer, {
    assert_eq!(SockAddr::new([b'x'; 104]), Err(Errno::Einval));
    assert_eq!(SockAddr::new(""), Err(Errno::Einval));
    let long = SockAddr::new([b'x'; 103]).unwrap();
    let s = layer.socket(SockType::Dgram).unwrap();
    layer.bind(s, &long).unwrap();
    layer.connect(s, &long).unwrap();
    layer.put(s, b"x").unwrap();
    assert_eq!(layer.take(s, 1, 0).unwrap().from, long);
    layer.close(s).unwrap();
    layer.unlink(&long).unwrap();
});

case!(a_name_outlives_its_socket_and_a_socket_its_name, layer, {
    let s = layer.listener(STREAM, "here");
    layer.close(s).unwrap();
    let client = layer.socket(STREAM).unwrap();
    assert_eq!(layer.connect(client, &name("here")), Err(Errno::Econnrefused));
    assert_eq!(layer.bind(client, &name("here")), Err(Errno::Eaddrinuse));
    layer.unlink(&name("here")).unwrap();
    let s = layer.listener(STREAM, "here");
    layer.unlink(&name("here")).unwrap();
    assert_eq!(layer.connect(client, &name("here")), Err(Errno::Enoent));
    assert_eq!(layer.getsockname(s), Ok(name("here")));
    let other = layer.listener(STREAM, "here");
    layer.connect(client, &name("here")).unwrap();
    assert_eq!(layer.accept(s).unwrap_err(), Errno::Ewouldblock);
    let (server, _) = layer.accept(other).unwrap();
    layer.close_all(&[s, other, client, server]);
    layer.unlink(&name("here")).unwrap();
});

fn two_names() -> Config {
    Config { sockets_max: 2, ..Config::default() }
}

case!(there_is_no_memory_for_another_name, two_names(), layer, {
    for path in ["one", "two"] {
        let s = layer.bound(STREAM, path);
        layer.close(s).unwrap();
    }
    let s = layer.socket(STREAM).unwrap();
    assert_eq!(layer.bind(s, &name("three")), Err(Errno::Enospc));
    layer.unlink(&name("two")).unwrap();
    assert_eq!(layer.bind(s, &name("three")), Ok(()));
    layer.close(s).unwrap();
    layer.unlink(&name("one")).unwrap();
    layer.unlink(&name("three")).unwrap();
});

case!(who_may_not_listen, layer, {
    let s = layer.socket(STREAM).unwrap();
    assert_eq!(layer.listen(s, 5), Err(Errno::Einval));
    let listener = layer.listener(STREAM, "here");
    let client = layer.bound(STREAM, "client");
    layer.connect(client, &name("here")).unwrap();
    assert_eq!(layer.listen(client, 5), Err(Errno::Einval));
    // A second listen changes the queue alone.
    assert_eq!(layer.listen(listener, -1), Ok(()));
    layer.close_all(&[s, listener, client]);
    layer.unlink(&name("here")).unwrap();
    layer.unlink(&name("client")).unwrap();
});

case!(who_cannot_be_connected_to, layer, {
    let s = layer.socket(STREAM).unwrap();
    let silent = layer.bound(STREAM, "silent");
    let records = layer.listener(SockType::Seqpacket, "records");
    assert_eq!(layer.connect(s, &name("nowhere")), Err(Errno::Enoent));
    assert_eq!(layer.connect(s, &name("silent")), Err(Errno::Econnrefused));
    assert_eq!(layer.connect(s, &name("records")), Err(Errno::Eprototype));
    assert_eq!(layer.connect(s, &SockAddr::UNNAMED), Err(Errno::Enoent));
    assert_eq!(layer.connect(silent, &name("silent")), Err(Errno::Econnrefused));
    assert_eq!(layer.connect(records, &name("records")), Err(Errno::Eopnotsupp));
    // None of these has left anything on the socket.
    let listener = layer.listener(STREAM, "here");
    assert_eq!(layer.connect(s, &name("here")), Ok(()));
    assert_eq!(layer.connect(s, &name("here")), Err(Errno::Eisconn));
    assert_eq!(layer.connect(s, &name("nowhere")), Err(Errno::Eisconn));
    layer.close_all(&[s, silent, records, listener]);
    for path in ["silent", "records", "here"] {
        layer.unlink(&name(path)).unwrap();
    }
});

case!(a_connection_from_connect_to_close, layer, {
    for kind in CONNECTED {
        let listener = layer.listener(kind, "server");
        assert_eq!(layer.accept(listener).unwrap_err(), Errno::Ewouldblock);
        let client = layer.bound(kind, "client");
        layer.connect(client, &name("server")).unwrap();
        // The connection carries data before it is accepted.
        assert_eq!(layer.put(client, b"hello"), Ok(5));
        assert_eq!(layer.getpeername(client), Ok(name("server")));
        let (server, from) = layer.accept(listener).unwrap();
        assert_eq!(from, name("client"));
        assert_eq!(layer.getsockname(server), Ok(name("server")));
        assert_eq!(layer.getpeername(server), Ok(name("client")));
        assert_eq!(layer.get(server, 9).unwrap(), b"hello");
        assert_eq!(layer.put(server, b"hi"), Ok(2));
        assert_eq!(layer.get(client, 9).unwrap(), b"hi");
        layer.close(client).unwrap();
        assert_eq!(layer.get(server, 9).unwrap(), b"");
        assert_eq!(layer.put(server, b"x"), Err(Errno::Epipe));
        assert_eq!(layer.getpeername(server), Err(Errno::Enotconn));
        layer.close_all(&[listener, server]);
        layer.unlink(&name("server")).unwrap();
        layer.unlink(&name("client")).unwrap();
    }
});

case!(the_first_to_connect_is_the_first_accepted, layer, {
    let listener = layer.listener(STREAM, "here");
    let clients = [0, 1, 2].map(|i| {
        let client = layer.client(STREAM, "here");
        layer.put(client, &[i]).unwrap();
        client
    });
    for i in 0..3 {
        let (server, from) = layer.accept(listener).unwrap();
        assert!(from.is_unnamed());
        assert_eq!(layer.get(server, 9).unwrap(), [i]);
        layer.close(server).unwrap();
    }
    layer.close_all(&clients);
    layer.close(listener).unwrap();
    layer.unlink(&name("here")).unwrap();
});

case!(a_client_goes_before_it_is_accepted, layer, {
    let listener = layer.listener(STREAM, "here");
    let client = layer.client(STREAM, "here");
    layer.put(client, b"bye").unwrap();
    layer.close(client).unwrap();
    let (server, from) = layer.accept(listener).unwrap();
    assert!(from.is_unnamed());
    assert_eq!(layer.get(server, 9).unwrap(), b"bye");
    assert_eq!(layer.get(server, 9).unwrap(), b"");
    layer.close_all(&[listener, server]);
    layer.unlink(&name("here")).unwrap();
});

case!(who_cannot_accept, layer, {
    let s = layer.socket(STREAM).unwrap();
    assert_eq!(layer.accept(s).unwrap_err(), Errno::Einval);
    let listener = layer.listener(STREAM, "here");
    layer.shutdown(listener, Shutdown::Read).unwrap();
    assert_eq!(layer.accept(listener).unwrap_err(), Errno::Econnaborted);
    layer.close_all(&[s, listener]);
    layer.unlink(&name("here")).unwrap();
});

case!(the_queue_of_a_listener_is_full, layer, {
    for kind in CONNECTED {
        let listener = layer.listener(kind, "here");
        // Three times the least backlog, 80, and one.
        let clients: Vec<_> = (0..241).map(|_| layer.client(kind, "here")).collect();
        let late = layer.socket(kind).unwrap();
        assert_eq!(layer.connect(late, &name("here")), Err(Errno::Econnrefused));
        let (server, _) = layer.accept(listener).unwrap();
        assert_eq!(layer.connect(late, &name("here")), Ok(()));
        // Whoever was not accepted sees the end.
        layer.close(listener).unwrap();
        assert_eq!(layer.put(late, b"x"), Err(Errno::Epipe));
        assert_eq!(layer.get(clients[240], 1).unwrap(), b"");
        assert_eq!(layer.put(clients[0], b"x"), Ok(1));
        layer.close_all(&clients);
        layer.close_all(&[late, server]);
        layer.unlink(&name("here")).unwrap();
    }
});

case!(there_is_no_memory_for_the_connection, two_names(), layer, {
    let listener = layer.listener(STREAM, "here");
    let client = layer.socket(STREAM).unwrap();
    assert_eq!(layer.connect(client, &name("here")), Err(Errno::Econnrefused));
    layer.close_all(&[listener, client]);
    layer.unlink(&name("here")).unwrap();
});

case!(an_accepted_socket_does_as_its_listener_did, layer, {
    let listener = layer.listener(STREAM, "here");
    let client = layer.client(STREAM, "here");
    let (server, _) = layer.accept(listener).unwrap();
    // The listener is nonblocking.
    assert_eq!(layer.recv(server, &mut [0], crate::battery::NONE), Err(Errno::Ewouldblock));
    layer.close_all(&[listener, client, server]);
    layer.unlink(&name("here")).unwrap();
});

case!(many_connect_while_one_accepts, layer, {
    let listener = layer.listener(STREAM, "here");
    layer.set_nonblocking(listener, false).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                // Together fewer than the queue holds: a connect to a full queue is refused.
                for _ in 0..60 {
                    let client = layer.client(STREAM, "here");
                    layer.put(client, b"x").unwrap();
                    layer.close(client).unwrap();
                }
            });
        }
        for _ in 0..180 {
            let (server, _) = layer.accept(listener).unwrap();
            assert_eq!(layer.recv(server, &mut [0], crate::battery::NONE), Ok(1));
            layer.close(server).unwrap();
        }
    });
    layer.close(listener).unwrap();
    layer.unlink(&name("here")).unwrap();
});
