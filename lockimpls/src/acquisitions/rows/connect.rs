//! connect and accept.

use super::{BOTH, CONNECTED, DGRAM, ONE, Row, STREAM, row};
use crate::acquisitions::world::name;
use crate::domain::{Domain, Shutdown, SockAddr, SockType};
use crate::policy::Policy;
use crate::socket::State;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = connect();
    rows.extend(refused());
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

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("connect", CONNECTED, "listening", ONE, |w| {
            let so = w.listener("so", "here");
            w.ask(|layer| layer.connect(so, &name("here")));
        }),
        row("connect", CONNECTED, "connected already", ONE, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", CONNECTED, "another connects it", ONE, |w| {
            let so = w.socket("so");
            w.set(so, |st| st.set(State::CONNECTING));
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", CONNECTED, "no name given", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.connect(so, &SockAddr::UNNAMED));
        }),
        row("connect", CONNECTED, "no such name", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", CONNECTED, "no socket at the name", ONE, |w| {
            let (so, other) = w.so_and_bound("other", "there");
            w.layer.close(other).unwrap();
            w.ask(|layer| layer.connect(so, &name("there")));
        }),
        row("connect", STREAM, "another type", ONE, |w| {
            let other = w.layer.socket(SockType::Dgram).unwrap();
            w.layer.bind(other, &name("there")).unwrap();
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
    ]
}

fn accept<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("accept", CONNECTED, "done", BOTH, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "the client is gone", ONE, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.layer.close(so).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "no descriptor", ONE, |w| {
            w.with_files(1);
            let head = w.listener("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "not listening", ONE, |w| {
            let head = w.bound("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "nobody waits, O_NONBLOCK", ONE, |w| {
            let head = w.listener("head", "head");
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "nobody waits, shut down", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.shutdown(head, Shutdown::Read).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
        row("accept", CONNECTED, "a stale descriptor", ONE, |w| {
            let head = w.listener("head", "head");
            w.layer.close(head).unwrap();
            w.ask(|layer| layer.accept(head));
        }),
    ]
}
