//! The locks of `endpoint-queue` (`backend/endpoint_queue.rs`): two sockets in the order of their
//! numbers; a sender that has its own socket and then its peer's queue; a send that leaves its
//! socket, and the flag that is the right to send meanwhile.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::queue::{connect_accept, reader, receive_close, writer, writer_closed};
use super::shared::{Body, ByNumber, Model, seen, small, threads};
use super::sides::{
    RECEIVES, TAKEN, account, both_ways, close_in_call, layer, layer_of, model, send_close,
    send_shutdown, there_and_gone,
};
use crate::domain::{Config, Domain, MsgFlags, SendMsg, Shutdown, SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::objects::socket::SoLock;
use crate::policy::Policy;
use crate::primitives::Ordering;
use crate::uipc::Locked;
use crate::witness::{self, Class};

use Ordering::Relaxed;

type Layer = Locked<ByNumber>;

/// What a send of a descriptor beside a shutdown comes to.
pub(super) const PASSED: &[&str] = &["sent", "EPIPE", "passed"];

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
        ..model("endpoint_numbers", 460, &["relocked", "in order", "connected"], numbers)
    },
    model("endpoint_names", 700, &["its name", "no name"], names),
    model("endpoint_right_to_send", 1000, &["sent", "another sends", "no peer"], right_to_send),
    model("endpoint_right_awaited", 2600, &["sent", "no peer", "parked", "woken"], right_awaited),
    Model {
        bound: [Some(3), None],
        ..model("endpoint_rights_shutdown", 220, PASSED, rights_shutdown::<ByNumber>)
    },
    model("endpoint_account", 290, TAKEN, account::<ByNumber>),
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

/// A socket is connected to one with a higher number, which is connected to it at the same time.
/// Then each is connected once more, and parts first.
fn numbers() {
    let layer: Arc<Layer> = layer();
    let [first, second] = crossed(&layer);
    layer.connect(first, &name("second")).expect("a connection");
    let connect = |s, there, times| -> Body {
        let layer = Arc::clone(&layer);
        Box::new(move || {
            for _ in 0..times {
                let before = witness::counters().of(Class::SoLock).relocks;
                layer.connect(s, &name(there)).expect("a connection");
                seen("connected");
                let relocks = witness::counters().of(Class::SoLock).relocks - before;
                seen(if relocks > 0 { "relocked" } else { "in order" });
            }
        })
    };
    threads(vec![connect(first, "second", 1), connect(second, "first", 2)]);
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
            Ok(peer) if peer == name("stranger") => panic!("the name of a stranger"),
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

/// The same where the one without may wait: it sleeps until the other one has gone.
fn right_awaited() {
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
        Box::new(move || {
            assert_eq!(plain.send(s, b"x", MsgFlags::empty()), Err(Errno::Edestaddrreq));
            seen("no peer");
        }),
    ]);
    assert_eq!(layer.recv(there, &mut [0; 4], MsgFlags::DONTWAIT), Ok(2));
    assert!(layer.recv(there, &mut [0; 4], MsgFlags::DONTWAIT).is_err());
}

/// A byte and a descriptor are sent on an end that is shut down: while the descriptor is looked up
/// the send has no socket and no buffer locked. What comes before the end of the stream is read.
pub(super) fn rights_shutdown<P: Policy>() {
    let layer = layer_of::<P>(Config { pipsiz_bytes: 64, maxfiles: 10, ..small() });
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let passed = layer.socket(SockType::Dgram).expect("a socket");
    // Not of the model: how many bytes are said to be sent, and how many came before the end.
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let [sent, read] = counts.clone();
    let (sender, ender) = (Arc::clone(&layer), layer);
    threads(vec![
        Box::new(move || {
            let (rights, flags) = (&[passed], MsgFlags::DONTWAIT);
            match sender.sendmsg(a, &SendMsg { to: None, data: b"x", rights, flags }) {
                Ok(1) => {
                    seen("sent");
                    sent.store(1, Relaxed);
                }
                Err(Errno::Epipe) => seen("EPIPE"),
                other => panic!("a send with a descriptor answers {other:?}"),
            }
        }),
        Box::new(move || {
            ender.shutdown(a, Shutdown::Write).expect("a shutdown");
            while ender.recv(b, &mut [0], MsgFlags::DONTWAIT) == Ok(1) {
                seen("passed");
                read.fetch_add(1, Relaxed);
            }
        }),
    ]);
    let [sent, read] = counts.map(|count| count.load(Relaxed));
    assert_eq!(sent, read, "bytes sent, and bytes read up to the end");
}
