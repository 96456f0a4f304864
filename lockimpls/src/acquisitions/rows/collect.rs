//! The collector.

use super::{ANY, BOTH, CONNECTED, DGRAM, ONE, Row, row};
use crate::acquisitions::world::{World, name};
use crate::domain::{Domain, Shutdown};
use crate::policy::Policy;
use crate::primitives::Ordering;

pub(super) fn rows<P: Policy>() -> Vec<Row<P>> {
    let mut rows = living();
    rows.extend(dead());
    rows
}

fn living<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("unp_gc", ANY, "nothing to do", ONE, |w| {
            w.collect();
        }),
        row("unp_gc", ANY, "another one collects", ONE, |w| {
            w.layer.in_flight.unp_gcing.store(1, Ordering::Relaxed);
            w.collect();
        }),
        row("unp_gc", ANY, "a dropped message with 2 descriptors", ONE, |w| {
            let (so, peer) = w.pair();
            w.pass(peer, &[so, peer]).unwrap();
            w.layer.shutdown(so, Shutdown::Read).unwrap();
            w.collect();
        }),
        row("unp_gc", ANY, "a socket in flight that lives", ONE, |w| {
            let (_, peer) = w.pair();
            let passed = w.socket("passed");
            w.pass(peer, &[passed]).unwrap();
            w.layer.close(passed).unwrap();
            w.collect();
        }),
    ]
}

fn dead<P: Policy>() -> Vec<Row<P>> {
    vec![
        row("unp_gc", CONNECTED, "a socket that only it refers to", BOTH, in_itself),
        row("unp_gc", DGRAM, "a socket that only it refers to", BOTH, in_itself),
        row("unp_gc", CONNECTED, "a bound socket that only it refers to", BOTH, bound_in_itself),
        row("unp_gc", DGRAM, "a bound socket that only it refers to", BOTH, bound_in_itself),
        row("unp_gc", CONNECTED, "a listener in its own queue", BOTH, |w| {
            let (so, head) = w.client_and_head();
            w.layer.connect(so, &name("head")).unwrap();
            w.pass(so, &[head]).unwrap();
            w.layer.close(head).unwrap();
            w.collect();
        }),
    ]
}

/// The one descriptor of a connected socket lies in its own buffer.
fn in_itself<P: Policy>(w: &mut World<P>) {
    let (so, peer) = w.pair();
    w.pass(peer, &[so]).unwrap();
    w.layer.close(so).unwrap();
    w.collect();
}

fn bound_in_itself<P: Policy>(w: &mut World<P>) {
    let (so, peer) = w.pair();
    w.layer.bind(so, &name("here")).unwrap();
    w.pass(peer, &[so]).unwrap();
    w.layer.close(so).unwrap();
    w.collect();
}
