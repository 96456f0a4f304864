//! References that keep a control block while its lock is dropped (`objects/socket/refcount.rs`).

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::shared::{
    ALL_LOOKS, Body, Layer, Model, SockRef, layer, leaves_out, pair, relocks, seen, threads,
};
use crate::domain::{Domain, SockType};
use crate::fault::Step;
use crate::policy::Policy;
use crate::primitives::Ordering;

use Ordering::Relaxed;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "refs_one_holder",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 12,
        branches: &["kept", "too late", "waited for"],
        program: one_holder,
    },
    Model {
        name: "refs_two_holders",
        threads: 3,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 3000,
        branches: &["kept", "too late", "waited for"],
        program: two_holders,
    },
    Model {
        name: "refs_three_holders",
        threads: 4,
        bound: [Some(4); 2],
        looks: ALL_LOOKS,
        at_least: 21000,
        branches: &["kept", "too late", "waited for"],
        program: three_holders,
    },
    Model {
        name: "refs_relock_and_reuse",
        threads: 2,
        bound: [None; 2],
        looks: ALL_LOOKS,
        at_least: 86,
        branches: &["relocked", "gone", "gone in the relock", "reused"],
        program: relock_and_reuse,
    },
];

/// Takes a reference if the socket is still there, uses the socket without its lock, gives the
/// reference back.
fn hold(layer: &Layer, so: SockRef, held: &AtomicUsize) {
    let locked = layer.policy.solock(&so);
    let is_there = locked.st().so_pcb.get();
    if is_there {
        so.unp_refcnt.take();
        held.fetch_add(1, Relaxed);
    }
    layer.policy.sounlock(locked);
    if !is_there {
        seen("too late");
        return;
    }
    assert_eq!(so.so_type.get(), SockType::Stream, "the socket is another one");
    seen("kept");
    so.unp_refcnt.rele();
    held.fetch_sub(1, Relaxed);
}

/// Takes the socket away, waits for references, makes it another one.
fn detach(layer: &Layer, so: SockRef, held: &AtomicUsize) {
    let mut locked = layer.policy.solock(&so);
    locked.st().so_pcb.set(false);
    if held.load(Relaxed) > 0 {
        seen("waited for");
    }
    if leaves_out("finalize") {
        layer.policy.so_leave(&mut locked);
        layer.policy.so_enter(&mut locked);
    } else {
        layer.policy.finalize(&mut locked, &so.unp_refcnt);
    }
    locked.reset(SockType::Dgram);
    layer.policy.sounlock(locked);
}

fn holders(count: usize) {
    let layer = layer();
    let (sockets, _) = pair(&layer, SockType::Stream);
    // Not of the model, and exact at every moment: how many hold a reference.
    let held = Arc::new(AtomicUsize::new(0));
    let so = sockets[0];
    let holder = |_| -> Body {
        let (layer, held) = (Arc::clone(&layer), Arc::clone(&held));
        Box::new(move || hold(&layer, so, &held))
    };
    let mut bodies: Vec<Body> = (0..count).map(holder).collect();
    bodies.push(Box::new(move || detach(&layer, so, &held)));
    threads(bodies);
}

fn one_holder() {
    holders(1);
}

fn two_holders() {
    holders(2);
}

fn three_holders() {
    holders(3);
}

/// The lower end of a stream is closed while the higher one relocks for it; its place is used for a
/// new socket as soon as it is free.
fn relock_and_reuse() {
    let layer = layer();
    let ([lower, higher], [lower_fd, _]) = pair(&layer, SockType::Stream);
    let (user, closer) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            let before = relocks().0;
            let mut so = user.policy.solock(&higher);
            if let Some(so2) = user.policy.solock_peer(&mut so) {
                assert_eq!(so2.socket(), lower);
                assert_eq!(so2.so_type.get(), SockType::Stream);
                user.policy.sounlock_peer(&so, so2);
                seen("relocked");
            } else {
                seen(if relocks().0 > before { "gone in the relock" } else { "gone" });
            }
            user.policy.sounlock(so);
        }),
        Box::new(move || {
            closer.close(lower_fd).expect("a close");
            let fd = closer.socket(SockType::Dgram).expect("a socket");
            assert_eq!(closer.fds.find(fd), Ok(lower), "the last freed place is used first");
            seen("reused");
        }),
    ]);
    // Ends only if no reference of the old socket was given back to the new one.
    let mut so = layer.policy.solock(&lower);
    layer.policy.finalize(&mut so, &lower.unp_refcnt);
    layer.policy.sounlock(so);
}
