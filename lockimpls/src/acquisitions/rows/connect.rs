//! connect and accept.

use super::{ANY, BOTH, CONNECTED, DGRAM, HIGHER, LOWER, ONE, Row, relock, relock_for_name, row};
use crate::acquisitions::world::name;
use crate::domain::{Domain, Shutdown, SockAddr};
use crate::errno::Errno;
use crate::fault::Window;
use crate::objects::socket::State;
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = connect();
    rows.extend(meanwhile());
    rows.extend(refused());
    rows.extend(not_found());
    rows.extend(accept());
    rows
}

fn connect<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("connect", CONNECTED, "done", BOTH, |w| {
            let (so, _) = w.client_and_head();
            w.ask(|layer| layer.connect(so, &name("head")));
        }),
        row("connect", DGRAM, "done", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", DGRAM, "to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.ask(|layer| layer.connect(so, &name("here")));
        }),
        row("connect", DGRAM, "done, so_error", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.set(so, |parts| parts.st.so_error.set(Some(Errno::Econnreset)));
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", DGRAM, "elsewhere", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.bound("new", "elsewhere");
            w.layer.connect(so, &name("there")).unwrap();
            w.ask(|layer| layer.connect(so, &name("elsewhere")));
        }),
        row("connect", DGRAM, "elsewhere, where nothing is", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.layer.connect(so, &name("there")).unwrap();
            w.ask(|layer| layer.connect(so, &name("elsewhere")));
        }),
    ]
}

fn meanwhile<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("connect", CONNECTED, "the listener closes at the end", BOTH, |w| {
            let (so, head) = w.client_and_head();
            w.meanwhile(Window::Connected, move |layer| layer.close(head).unwrap());
            w.ask(|layer| layer.connect(so, &name("head")));
        }),
        row("connect", DGRAM, "the peer closes at the end", BOTH, |w| {
            let (so, peer) = w.so_and_bound("peer", "there");
            w.meanwhile(Window::Connected, move |layer| layer.close(peer).unwrap());
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        relock("connect", DGRAM, "elsewhere, parted in the relock", HIGHER, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.bound("new", "elsewhere");
            w.layer.connect(so, &name("there")).unwrap();
            w.parts_in_the_relock(so);
            w.ask(|layer| layer.connect(so, &name("elsewhere")));
        }),
    ]
}

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("connect", ANY, "listening", ONE, |w| {
            let so = w.listener("so", "here");
            w.ask(|layer| layer.connect(so, &name("here")));
        }),
        row("connect", CONNECTED, "connected already", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", ANY, "another connects it", ONE, |w| {
            let so = w.socket("so");
            w.set(so, |parts| parts.st.set(State::CONNECTING));
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", DGRAM, "connected, and another connects it", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.layer.connect(so, &name("there")).unwrap();
            w.set(so, |parts| parts.st.set(State::CONNECTING));
            w.ask(|layer| layer.connect(so, &name("elsewhere")));
        }),
        row("connect", ANY, "another binds it", ONE, |w| {
            let so = w.socket("so");
            w.set(so, |parts| parts.st.set(State::BINDING));
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", ANY, "a stale descriptor", ONE, |w| {
            let so = w.stale();
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
    ]
}

fn not_found<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("connect", ANY, "no name given", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.connect(so, &SockAddr::UNNAMED));
        }),
        row("connect", ANY, "no such name", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", ANY, "no socket at the name", ONE, |w| {
            let (so, other) = w.so_and_bound("other", "there");
            w.layer.close(other).unwrap();
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", ANY, "another type", ONE, |w| {
            w.another_type_bound("there");
            let so = w.socket("so");
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", CONNECTED, "nobody listens", ONE, |w| {
            let (so, _) = w.so_and_bound("head", "there");
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", CONNECTED, "the queue is full", ONE, |w| {
            let (so, _) = w.client_and_head();
            while {
                let client = w.layer.socket(w.kind).unwrap();
                w.layer.connect(client, &name("head")).is_ok()
            } {}
            w.ask(|layer| layer.connect(so, &name("head")));
        }),
        row("connect", CONNECTED, "no memory for the connection", ONE, |w| {
            w.with_sockets(2);
            let (so, _) = (w.socket("so"), w.listener("head", "head"));
            w.ask(|layer| layer.connect(so, &name("head")));
        }),
        row("connect", CONNECTED, "the listener is shut for reading", ONE, |w| {
            let (so, head) = w.client_and_head();
            w.layer.shutdown(head, Shutdown::Read).unwrap();
            w.ask(|layer| layer.connect(so, &name("head")));
        }),
    ]
}

fn accept<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("accept", CONNECTED, "done", BOTH, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        relock_for_name("accept", CONNECTED, "the client goes in the relock", LOWER, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.parts_in_the_relock(so);
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "the client is gone", ONE, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.layer.close(so).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "no descriptor", ONE, |w| {
            w.with_files(1);
            let head = w.listener("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "no file", ONE, |w| {
            // Refused before anybody looks whether the socket listens.
            let head = w.with_no_file();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "so_error", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.set_nonblocking(head, false).unwrap();
            w.set(head, |parts| parts.st.so_error.set(Some(Errno::Econnreset)));
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "not listening", ONE, |w| {
            let head = w.bound("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "nobody waits, O_NONBLOCK", ONE, |w| {
            let head = w.listener("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "nobody waits, shut down", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.shutdown(head, Shutdown::Read).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "nobody waits, shut down, may sleep", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.set_nonblocking(head, false).unwrap();
            w.layer.shutdown(head, Shutdown::Read).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", ANY, "a stale descriptor", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.close(head).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
    ]
}
