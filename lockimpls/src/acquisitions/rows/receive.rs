//! receive without descriptors, and shutdown.

use super::{ANY, BOTH, CONNECTED, DGRAM, HIGHER, ONE, Row, SEQPACKET, relock_for_buffer, row};
use crate::acquisitions::world::NOW;
use crate::domain::{Domain, MsgFlags, Shutdown};
use crate::errno::Errno;
use crate::fault::Window;
use crate::objects::socket::Side;
use crate::policy::Policy;

const PLAIN: MsgFlags = MsgFlags::empty();

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = receive();
    rows.extend(nothing());
    rows.extend(meanwhile());
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
        row("receive", DGRAM, "what a peer left that is gone", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", SEQPACKET, "a record of no bytes", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"", PLAIN).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", SEQPACKET, "a record of no bytes, then one", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"", PLAIN).unwrap();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", SEQPACKET, "a record of no bytes, and the end", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"", PLAIN).unwrap();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", DGRAM, "a record of no bytes", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"", PLAIN).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", DGRAM, "a record of no bytes, and the peer is gone", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"", PLAIN).unwrap();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", CONNECTED, "without room", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.ask(|layer| layer.recv(so, &mut [], NOW));
        }),
        row("receive", DGRAM, "without room", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.ask(|layer| layer.recv(so, &mut [], NOW));
        }),
    ]
}

fn nothing<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("receive", ANY, "without room, nothing there", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.recv(so, &mut [], NOW));
        }),
        row("receive", ANY, "shut down", ONE, |w| {
            let (so, _) = w.pair();
            w.layer.shutdown(so, Shutdown::Read).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "MSG_OOB", ONE, |w| {
            let (so, _) = w.pair();
            w.receive(so, MsgFlags::OOB);
        }),
        row("receive", ANY, "another one receives, MSG_DONTWAIT", ONE, |w| {
            let (so, _) = w.pair();
            w.another_one_has(so, Side::Rcv);
            w.receive(so, PLAIN);
        }),
        row("receive", CONNECTED, "the end", ONE, |w| {
            let (so, peer) = w.pair();
            w.layer.close(peer).unwrap();
            w.receive(so, PLAIN);
        }),
        row("receive", ANY, "so_error", ONE, |w| {
            let (so, _) = w.pair();
            w.set(so, |parts| parts.st.so_error.set(Some(Errno::Econnreset)));
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

fn meanwhile<P: Policy>() -> Vec<Row<P>> {
    vec![
        relock_for_buffer("receive", CONNECTED, "the peer goes in the relock", HIGHER, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.parts_in_the_relock(so);
            w.receive(so, PLAIN);
        }),
        row("receive", CONNECTED, "its last descriptor is closed meanwhile", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.meanwhile(Window::CopiedOut, move |layer| layer.close(so).unwrap());
            w.receive(so, PLAIN);
        }),
        row("receive", DGRAM, "its last descriptor is closed meanwhile", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.send(peer, b"x", PLAIN).unwrap();
            w.meanwhile(Window::CopiedOut, move |layer| layer.close(so).unwrap());
            w.receive(so, PLAIN);
        }),
        relock_for_buffer(
            "shutdown",
            CONNECTED,
            "SHUT_WR, the peer goes in the relock",
            HIGHER,
            |w| {
                let (so, _) = w.pair();
                w.parts_in_the_relock(so);
                w.ask(|layer| layer.shutdown(so, Shutdown::Write));
            },
        ),
    ]
}

fn shutdown<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("shutdown", ANY, "SHUT_RD with descriptors unread", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[peer]).unwrap();
            w.ask(|layer| layer.shutdown(so, Shutdown::Read));
        }),
        row("shutdown", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.shutdown(so, Shutdown::Read));
        }),
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
        row("shutdown", DGRAM, "SHUT_RDWR", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.shutdown(so, Shutdown::Both));
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
