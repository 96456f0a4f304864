//! The locks of `endpoint-queue` (`backend/endpoint_queue.rs`): two sockets in the order of their
//! numbers; a sender that has its own socket and then its peer's queue; a send that leaves its
//! socket, and the flag that is the right to send meanwhile.

use std::sync::Arc;

use super::queue::{connect_accept, reader, receive_close, writer, writer_closed};
use super::shared::{Body, ByNumber, Model, seen, threads};
use super::sides::{
    RECEIVES, both_ways, close_in_call, layer, model, send_close, send_shutdown, there_and_gone,
};
use crate::domain::{Domain, MsgFlags, SendMsg, SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::socket::SoLock;
use crate::uipc::Locked;
use crate::witness::{self, Class};

type Layer = Locked<ByNumber>;

pub(super) const MODELS: &[Model] = &[
    model("endpoint_there_and_gone", 4, RECEIVES, there_and_gone::<ByNumber>),
    model("endpoint_both_ways", 600, RECEIVES, both_ways::<ByNumber>),
    model("endpoint_send_close", 20, &["sent", "EPIPE"], send_close::<ByNumber>),
    model("endpoint_send_shutdown", 1600, &["sent", "EPIPE"], send_shutdown::<ByNumber>),
    model("endpoint_close_in_call", 150, &["sent", "EBADF"], close_in_call::<ByNumber>),
    model(
        "endpoint_receive_close",
        380,
        &["received", "end of the stream"],
        receive_close::<ByNumber>,
    ),
    model("endpoint_connect_accept", 7, &["accepted"], connect_accept::<ByNumber>),
    Model {
        bound: [Some(3), None],
        ..model("endpoint_numbers", 150, &["relocked", "in order", "connected"], numbers)
    },
    model("endpoint_names", 700, &["its name", "no name"], names),
    model("endpoint_right_to_send", 1000, &["sent", "another sends", "no peer"], right_to_send),
    model("endpoint_writer", 1400, &["parked", "woken", "sent", "received"], writer::<ByNumber>),
    model("endpoint_writer_closed", 130, &["parked", "woken", "EPIPE"], writer_closed::<ByNumber>),
    model("endpoint_reader", 30, &["parked", "woken", "received"], reader::<ByNumber>),
];

fn name(path: &str) -> SockAddr {
    SockAddr::new(path).expect("a name")
}

/// Two bound datagram sockets: the first has the lower number, and the higher address.
fn crossed(layer: &Layer) -> [Fd; 2] {
    let [gone, first] = [(); 2].map(|()| layer.socket(SockType::Dgram).expect("a socket"));
    layer.close(gone).expect("a close");
    let second = layer.socket(SockType::Dgram).expect("a socket");
    let lock = |fd| layer.fds.find(fd).expect("its socket").locks.so_lock().addr();
    assert!(lock(first) > lock(second), "the place is used again");
    for (s, path) in [(first, "first"), (second, "second")] {
        layer.bind(s, &name(path)).expect("a name");
    }
    [first, second]
}

/// Each of two sockets is connected to the other one, and then once more.
fn numbers() {
    let layer: Arc<Layer> = layer();
    let [first, second] = crossed(&layer);
    layer.connect(first, &name("second")).expect("a connection");
    layer.connect(second, &name("first")).expect("a connection");
    let again = |s, there| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || {
            let before = witness::counters().of(Class::SoLock).relocks;
            layer.connect(s, &name(there)).expect("a connection");
            seen("connected");
            let relocks = witness::counters().of(Class::SoLock).relocks - before;
            seen(if relocks > 0 { "relocked" } else { "in order" });
        })
    };
    threads(vec![again(first, "second"), again(second, "first")]);
    for (s, there) in [(first, "second"), (second, "first")] {
        assert_eq!(layer.getpeername(s), Ok(name(there)));
    }
}

/// The name of a peer is asked for, which is closed, and whose place is another socket's then.
fn names() {
    let layer: Arc<Layer> = layer();
    let s = layer.socket(SockType::Dgram).expect("a socket");
    let old = layer.socket(SockType::Dgram).expect("a socket");
    layer.bind(old, &name("old")).expect("a name");
    layer.connect(s, &name("old")).expect("a connection");
    let (asking, closing) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || match asking.getpeername(s) {
            Ok(peer) if peer == name("old") => seen("its name"),
            Err(Errno::Enotconn) => seen("no name"),
            other => panic!("the name of what is closed: {other:?}"),
        }),
        Box::new(move || {
            closing.close(old).expect("a close");
            let stranger = closing.socket(SockType::Dgram).expect("a socket");
            closing.bind(stranger, &name("stranger")).expect("a name");
        }),
    ]);
}

/// A datagram with an address, and one without, on a socket that is not connected.
fn right_to_send() {
    let layer: Arc<Layer> = layer();
    let there = layer.socket(SockType::Dgram).expect("a socket");
    layer.bind(there, &name("there")).expect("a name");
    let s = layer.socket(SockType::Dgram).expect("a socket");
    let (addressed, plain) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let (to, flags) = (name("there"), MsgFlags::empty());
            let msg = SendMsg { to: Some(&to), data: b"to", rights: &[], flags };
            assert_eq!(addressed.sendmsg(s, &msg), Ok(2));
            seen("sent");
        }),
        Box::new(move || match plain.send(s, b"x", MsgFlags::DONTWAIT) {
            Err(Errno::Ewouldblock) => seen("another sends"),
            Err(Errno::Edestaddrreq) => seen("no peer"),
            other => panic!("a send without an address answers {other:?}"),
        }),
    ]);
    assert_eq!(layer.recv(there, &mut [0; 4], MsgFlags::DONTWAIT), Ok(2));
}
