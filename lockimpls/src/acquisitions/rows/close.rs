//! close.

use super::{ANY, BOTH, CONNECTED, DGRAM, HIGHER, ONE, Row, relock, row};
use crate::acquisitions::world::name;
use crate::domain::Domain;
use crate::policy::Policy;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = last();
    rows.extend(referred_to());
    rows.extend(relocked());
    rows.extend(not_the_last());
    rows
}

fn last<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("close", ANY, "a socket alone", ONE, |w| {
            let so = w.socket("so");
            w.ask(|layer| layer.close(so));
        }),
        row("close", ANY, "a bound socket", ONE, |w| {
            let so = w.bound("so", "here");
            w.ask(|layer| layer.close(so));
        }),
        row("close", CONNECTED, "connected", BOTH, |w| {
            let (so, _) = w.pair();
            w.ask(|layer| layer.close(so));
        }),
        row("close", CONNECTED, "with descriptors unread", BOTH, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[peer]).unwrap();
            w.ask(|layer| layer.close(so));
        }),
        row("close", DGRAM, "with descriptors unread", ONE, |w| {
            let (so, passed) = (w.bound("so", "here"), w.socket("passed"));
            let other = w.socket("other");
            w.layer.connect(other, &name("here")).unwrap();
            w.pass(other, &[passed]).unwrap();
            w.layer.close(other).unwrap();
            w.ask(|layer| layer.close(so));
        }),
        row("close", DGRAM, "connected", BOTH, |w| {
            let (so, _) = w.so_and_bound("peer", "there");
            w.layer.connect(so, &name("there")).unwrap();
            w.ask(|layer| layer.close(so));
        }),
    ]
}

fn referred_to<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("close", DGRAM, "another is connected to it", BOTH, |w| {
            let (so, referrer) = if w.way == "higher" {
                let referrer = w.socket("referrer");
                (w.bound("so", "here"), referrer)
            } else {
                (w.bound("so", "here"), w.socket("referrer"))
            };
            w.layer.connect(referrer, &name("here")).unwrap();
            w.ask(|layer| layer.close(so));
        }),
        row("close", DGRAM, "connected to itself", ONE, |w| {
            let so = w.bound("so", "here");
            w.layer.connect(so, &name("here")).unwrap();
            w.ask(|layer| layer.close(so));
        }),
        row("close", CONNECTED, "a listener with a connection", BOTH, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.ask(|layer| layer.close(head));
        }),
    ]
}

fn relocked<P: Policy>() -> Vec<Row<P>> {
    vec![
        relock("close", CONNECTED, "the peer goes in the relock", HIGHER, |w| {
            let (so, _) = w.pair();
            w.parts_in_the_relock(so);
            w.ask(|layer| layer.close(so));
        }),
        relock("close", DGRAM, "another one that parts in the relock", HIGHER, |w| {
            let referrer = w.socket("referrer");
            let so = w.bound("so", "here");
            w.layer.connect(referrer, &name("here")).unwrap();
            w.parts_in_the_relock(referrer);
            w.ask(|layer| layer.close(so));
        }),
    ]
}

fn not_the_last<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("close", ANY, "a call is under way", ONE, |w| {
            let so = w.socket("so");
            w.a_call_is_under_way(so);
            w.ask(|layer| layer.close(so));
        }),
        row("close", ANY, "not the last descriptor", ONE, |w| {
            let so = w.socket("so");
            w.layer.dup(so).unwrap();
            w.ask(|layer| layer.close(so));
        }),
        row("close", ANY, "a stale descriptor", ONE, |w| {
            let so = w.socket("so");
            w.layer.close(so).unwrap();
            w.ask(|layer| layer.close(so));
        }),
    ]
}
