//! receive without descriptors, and shutdown.

use super::{ANY, BOTH, CONNECTED, DGRAM, ONE, Row, row};
use crate::domain::{Domain, MsgFlags, Shutdown};
use crate::errno::Errno;
use crate::policy::Policy;

const PLAIN: MsgFlags = MsgFlags::empty();

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = receive();
    rows.extend(shutdown());
    rows
}

fn receive<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("receive", CONNECTED, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", DGRAM, "done", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "MSG_PEEK", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.receive(so, MsgFlags::PEEK);
        }),
        row("receive", CONNECTED, "what a peer left that is gone", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", CONNECTED, "the end", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "so_error", ONE, |w| {
            let (so, _) = w.pair();
            w.set(so, |st| st.so_error.set(Some(Errno::Econnreset)));
            w.receive(so, PLAIN);
        }),
        row("receive", CONNECTED, "not connected", ONE, |w| {
            let so = w.socket("so");
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "nothing there, MSG_DONTWAIT", ONE, |w| {
            let (so, _) = w.pair();
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "a stale descriptor", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.close(so).unwrap();
            w.receive(so, PLAIN);
        }),
    ]
}

fn shutdown<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("shutdown", ANY, "SHUT_RD", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.shutdown(so, Shutdown::Read));
        }),
        row("shutdown", CONNECTED, "SHUT_WR", BOTH, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.shutdown(so, Shutdown::Write));
        }),
        row("shutdown", DGRAM, "SHUT_WR", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.shutdown(so, Shutdown::Write));
        }),
        row("shutdown", CONNECTED, "SHUT_RDWR", BOTH, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.shutdown(so, Shutdown::Both));
        }),
        row("shutdown", ANY, "SHUT_WR, not connected", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.shutdown(so, Shutdown::Write));
        }),
    ]
}
