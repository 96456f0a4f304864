//! send without descriptors.

use super::{ATOMIC, BOTH, CONNECTED, DGRAM, ONE, Row, SEQPACKET, STREAM, row};
use crate::acquisitions::world::{NOW, name};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = done();
    rows.extend(refused());
    rows.extend(addressed());
    rows
}

fn done<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("send", CONNECTED, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "done", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.layer.connect(so, &name("here")).unwrap();
            w.send(so, b"x");
        }),
        row("send", STREAM, "a part, then no room, MSG_DONTWAIT", BOTH, |w| {
            let (so, _) = w.pair();
            w.send(so, &[b'x'; 10_000]);
        }),
    ]
}

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("send", STREAM, "MSG_EOR", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.send(so, b"x", NOW | MsgFlags::EOR));
        }),
        row("send", CONNECTED, "shut down", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.shutdown(so, Shutdown::Write).unwrap();
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "so_error", ONE, |w| {
            let (so, _) = w.pair();
            w.set(so, |st| st.so_error.set(Some(Errno::Econnreset)));
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.send(so, b"x");
        }),
        row("send", DGRAM, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.send(so, b"x");
        }),
        row("send", ATOMIC, "too long", ONE, |w| {
            let (so, _) = w.pair();
            w.send(so, &[b'x'; 10_000]);
        }),
        row("send", CONNECTED, "no room, MSG_DONTWAIT", ONE, |w| {
            let (so, _) = w.pair();
            w.fill(so, &[b'x'; 64]);
            w.send(so, &[b'x'; 64]);
        }),
        row("send", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, _) = w.pair();
            w.fill(so, b"x");
            w.send(so, b"x");
        }),
        row("send", SEQPACKET, "no peer any more", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.send(so, b"x");
        }),
        row("send", DGRAM, "no peer any more, ECONNRESET told", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.send(so, b"x");
        }),
        row("send", CONNECTED, "a stale descriptor", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.close(so).unwrap();
            w.send(so, b"x");
        }),
    ]
}

fn addressed<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendto", DGRAM, "done", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.send_to(so, "here");
        }),
        row("sendto", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            let other = w.layer.socket(w.kind).unwrap();
            w.layer.connect(other, &name("there")).unwrap();
            w.fill(other, b"x");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "connected", ONE, |w| {
            let (so, _) = w.pair();
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "no such name", ONE, |w| {
            let so = w.socket("so");
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "no socket at the name", ONE, |w| {
            let (so, other) = w.so_and_bound("other", "there");
            w.layer.close(other).unwrap();
            w.send_to(so, "there");
        }),
        row("sendto", DGRAM, "another type", ONE, |w| {
            let other = w.layer.socket(SockType::Stream).unwrap();
            w.layer.bind(other, &name("there")).unwrap();
            let so = w.socket("so");
            w.send_to(so, "there");
        }),
    ]
}
