//! Descriptors in messages, and the collector.

use super::{ANY, BOTH, CONNECTED, DGRAM, ONE, Row, STREAM, row};
use crate::acquisitions::world::name;
use crate::domain::{Domain, MsgFlags, Shutdown};
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = pass();
    rows.extend(refused());
    rows.extend(take());
    rows.extend(collect());
    rows
}

fn pass<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", CONNECTED, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
    ]
}

fn refused<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("sendmsg, 2 descriptors", CONNECTED, "no room at the peer", BOTH, |w| {
            let (so, peer) = w.pair();
            w.layer.shutdown(peer, Shutdown::Read).unwrap();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", DGRAM, "no room at the peer", BOTH, |w| {
            let (so, peer) = w.pair();
            w.fill(so, b"x");
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 2 descriptors", CONNECTED, "the first is stale", ONE, |w| {
            let (so, _) = w.pair();
            let [good, stale] = [w.socket("other"), w.socket("stale")];
            w.layer.close(stale).unwrap();
            w.ask_pass(so, &[stale, good]);
        }),
        row("sendmsg, 2 descriptors", CONNECTED, "too many in flight", ONE, |w| {
            w.with_files(10);
            let (so, peer) = w.pair();
            w.ask_pass(so, &[so, peer]);
        }),
        row("sendmsg, 128 descriptors", STREAM, "too many for a message", ONE, |w| {
            let (so, _) = w.pair();
            w.ask_pass(so, &[so; 128]);
        }),
    ]
}

fn take<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("recvmsg, 2 descriptors", CONNECTED, "done", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", DGRAM, "done", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "no control asked for", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 0);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "room for one", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.ask_take(so, 1);
        }),
        row("recvmsg, 2 descriptors", CONNECTED, "no descriptors left", BOTH, |w| {
            w.with_files(20);
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            while w.layer.dup(so).is_ok() {}
            w.ask_take(so, 2);
        }),
        row("recvmsg, 2 descriptors", ANY, "MSG_PEEK", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.receive(so, MsgFlags::PEEK);
        }),
    ]
}

fn collect<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("unp_gc", STREAM, "nothing to do", ONE, |w| {
            w.collect();
        }),
        row("unp_gc", STREAM, "a dropped message with 2 descriptors", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.layer.shutdown(so, Shutdown::Read).unwrap();
            w.collect();
        }),
        row("unp_gc", STREAM, "a socket in flight that lives", ONE, |w| {
            let (_, peer) = w.pair();
            let passed = w.socket("passed");
            w.pass(peer, &[passed]).unwrap();
            w.layer.close(passed).unwrap();
            w.collect();
        }),
        row("unp_gc", STREAM, "a socket that only it refers to", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so]).unwrap();
            w.layer.close(so).unwrap();
            w.collect();
        }),
        row("unp_gc", STREAM, "a listener in its own queue", ONE, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.pass(so, &[head]).unwrap();
            w.layer.close(head).unwrap();
            w.collect();
        }),
    ]
}
