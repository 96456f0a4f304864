//! The locks of `state-queue` (`backend/state_queue.rs`): a sender that locks its peer alone, then
//! that one's queue; what it looks at again there; how it sleeps, and a reader gives it room, with
//! nothing of its own held. Some of the programs are those of `endpoint-queue` too (`endpoint.rs`).

use std::sync::Arc;

use super::shared::{ByQueue, Model, seen, threads};
use super::sides::{
    RECEIVES, TAKEN, account, both_ways, close, close_in_call, layer, model, receive, send_close,
    send_shutdown, there_and_gone,
};
use crate::domain::{Domain, MsgFlags, SockAddr, SockType};
use crate::errno::Errno;
use crate::objects::descriptors::Fd;
use crate::policy::Policy;
use crate::uipc::Locked;
use crate::witness::{self, Class};

type Layer = Locked<ByQueue>;

/// Where a datagram is whose sender is connected elsewhere.
const ELSEWHERE: &[&str] = &["at the old one", "at the new one", "retried"];

pub(super) const MODELS: &[Model] = &[
    model("queue_there_and_gone", 4, RECEIVES, there_and_gone::<ByQueue>),
    model("queue_both_ways", 600, RECEIVES, both_ways::<ByQueue>),
    model("queue_send_close", 14000, &["sent", "EPIPE"], send_close::<ByQueue>),
    model("queue_send_shutdown", 7000, &["sent", "EPIPE"], send_shutdown::<ByQueue>),
    model("queue_close_in_call", 150, &["sent", "EBADF"], close_in_call::<ByQueue>),
    model("queue_receive_close", 200, &["received", "end of the stream"], receive_close::<ByQueue>),
    Model { bound: [Some(3), None], ..model("queue_elsewhere", 3000, ELSEWHERE, elsewhere) },
    model("queue_place_used_again", 800, &["sent", "refused", "another socket"], place_used_again),
    model("queue_connect_accept", 9, &["accepted"], connect_accept::<ByQueue>),
    model("queue_account", 290, TAKEN, account::<ByQueue>),
    model("queue_writer", 1400, &["parked", "woken", "sent", "received"], writer::<ByQueue>),
    model("queue_writer_closed", 14000, &["parked", "woken", "EPIPE"], writer_closed::<ByQueue>),
    model("queue_reader", 30, &["parked", "woken", "received"], reader::<ByQueue>),
];

fn name(path: &str) -> SockAddr {
    SockAddr::new(path).expect("a name")
}

fn retries() -> u64 {
    witness::counters().of(Class::SoLock).retries
}

/// An end receives what lies there, and gives room back to a peer that is closed.
pub(super) fn receive_close<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    assert_eq!(layer.send(a, b"x", MsgFlags::DONTWAIT), Ok(1));
    let (receiver, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            assert_eq!(receive(&receiver, b), 1);
            match receiver.recv(b, &mut [0], MsgFlags::DONTWAIT) {
                Ok(0) => seen("end of the stream"),
                Err(Errno::Ewouldblock) => {}
                other => panic!("a receive at the end answers {other:?}"),
            }
        }),
        Box::new(move || closer.close(a).expect("a close")),
    ]);
    close(&layer, &[b]);
}

/// A datagram is sent while its sender is connected elsewhere: it is at one of the two.
fn elsewhere() {
    let layer: Arc<Layer> = layer();
    let [old, new] = ["old", "new"].map(|path| {
        let s = layer.socket(SockType::Dgram).expect("a socket");
        layer.bind(s, &name(path)).expect("a name");
        s
    });
    let s = layer.socket(SockType::Dgram).expect("a socket");
    layer.connect(s, &name("old")).expect("a connection");
    let (sender, other) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let before = retries();
            // Between the two it is connected nowhere.
            match sender.send(s, b"x", MsgFlags::DONTWAIT) {
                Ok(1) | Err(Errno::Enotconn | Errno::Edestaddrreq) => {}
                other => panic!("a send answers {other:?}"),
            }
            if retries() > before {
                seen("retried");
            }
        }),
        Box::new(move || other.connect(s, &name("new")).expect("a connection")),
    ]);
    let has = |s: Fd, what| {
        if layer.recv(s, &mut [0], MsgFlags::DONTWAIT) == Ok(1) {
            seen(what);
        }
    };
    has(old, "at the old one");
    has(new, "at the new one");
}

/// A send has read its peer, which is closed; another socket comes in its place, and gets nothing.
fn place_used_again() {
    let layer: Arc<Layer> = layer();
    let [s, old] = [(); 2].map(|()| layer.socket(SockType::Dgram).expect("a socket"));
    layer.bind(old, &name("old")).expect("a name");
    layer.connect(s, &name("old")).expect("a connection");
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || match sender.send(s, b"x", MsgFlags::DONTWAIT) {
            Ok(1) => seen("sent"),
            Err(Errno::Econnreset | Errno::Enotconn | Errno::Edestaddrreq) => seen("refused"),
            other => panic!("a send to what is closed answers {other:?}"),
        }),
        Box::new(move || {
            closer.close(old).expect("a close");
            let stranger = closer.socket(SockType::Dgram).expect("a socket");
            seen("another socket");
            let got = closer.recv(stranger, &mut [0], MsgFlags::DONTWAIT);
            assert_eq!(got, Err(Errno::Ewouldblock), "what a stranger has got");
        }),
    ]);
}

/// A client is connected while its listener accepts: listener, then client.
pub(super) fn connect_accept<P: Policy>() {
    let layer = layer::<P>();
    let [client, head] = [(); 2].map(|()| layer.socket(SockType::Stream).expect("a socket"));
    layer.bind(head, &name("head")).expect("a name");
    layer.listen(head, 1).expect("a listener");
    layer.set_nonblocking(head, true).expect("O_NONBLOCK");
    let (connecting, accepting) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || connecting.connect(client, &name("head")).expect("a connection")),
        Box::new(move || {
            if let Ok((server, _)) = accepting.accept(head) {
                seen("accepted");
                assert_eq!(accepting.send(server, b"x", MsgFlags::DONTWAIT), Ok(1));
            }
        }),
    ]);
}

/// More than a stream holds.
const FULL: &[u8; 5] = b"abcde";

/// A writer sleeps until there is room: with nothing held, or at its peer's buffer.
pub(super) fn writer<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    assert_eq!(layer.send(a, &FULL[..4], MsgFlags::DONTWAIT), Ok(4));
    let (sender, reader) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(a, &FULL[4..], MsgFlags::empty()), Ok(1));
            seen("sent");
        }),
        Box::new(move || {
            assert_eq!(reader.recv(b, &mut [0; 4], MsgFlags::empty()), Ok(4));
            seen("received");
        }),
    ]);
    assert_eq!(receive(&layer, b), 1);
    close(&layer, &[a, b]);
}

/// A writer sleeps, and its peer is closed.
pub(super) fn writer_closed<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    assert_eq!(layer.send(a, &FULL[..4], MsgFlags::DONTWAIT), Ok(4));
    let (sender, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(a, b"x", MsgFlags::empty()), Err(Errno::Epipe));
            seen("EPIPE");
        }),
        Box::new(move || closer.close(b).expect("a close")),
    ]);
    close(&layer, &[a]);
}

/// A reader sleeps with what it has looked with, and is woken when that is unlocked.
pub(super) fn reader<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let (sender, reader) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || assert_eq!(sender.send(a, b"x", MsgFlags::empty()), Ok(1))),
        Box::new(move || {
            assert_eq!(reader.recv(b, &mut [0], MsgFlags::empty()), Ok(1));
            seen("received");
        }),
    ]);
    close(&layer, &[a, b]);
}
