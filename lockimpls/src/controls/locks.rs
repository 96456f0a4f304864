//! Controls of the locks: leaked, out of order, not looked at again.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{
    Injection, PerSocket, UnderKernel, bound, close_all, layer, layer_of, name, receive, send_byte,
    send_rights,
};
use crate::domain::{Ambient, Config, Domain, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const LEAK_NOBUFS: Control = Control {
        name: "leak-nobufs",
        bug: "send does not unlock the peer when a message with a descriptor finds no room \
              (ENOBUFS)",
        check: Check::LeakedLock,
        operation: "sys_sendmsg",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::SendNobufsPeer),
        program: leak_nobufs::<PerSocket>,
    };
}

/// `a, b = socketpair(stream); shutdown(b, SHUT_RD); sendmsg(a, "x", rights=[a])`
fn leak_nobufs<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    layer.shutdown(b, Shutdown::Read).expect("shutdown");
    assert_eq!(send_rights(&layer, a, &[a]), Err(Errno::Enobufs));
    close_all(&layer, &[a, b]);
}

impl Control {
    pub(super) const LEAK_KERNEL_LOCK: Control = Control {
        name: "leak-kernel-lock",
        bug: "connect keeps the kernel lock around the layer, under which it looked the name up",
        check: Check::LeakedLock,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn unp_connect(", "self.kernel_lock()"),
        fault: Injection::of(Step::KernelConnect),
        program: leak_kernel_lock::<UnderKernel>,
    };
}

/// `connect(s, "nobody") = ENOENT`, with the kernel lock around the layer.
fn leak_kernel_lock<D: Domain>() {
    let config = Config { ambient: Ambient::KERNEL_LOCK, ..Config::default() };
    let layer = layer_of::<D>(&config);
    let s = layer.socket(SockType::Stream).expect("socket");
    assert_eq!(layer.connect(s, &name("nobody")), Err(Errno::Enoent));
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const ORDER: Control = Control {
        name: "order",
        bug: "the peer is locked without regard to its address",
        check: Check::OrderViolation,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::AddressOrder),
        program: send_from_higher::<PerSocket>,
    };
}

/// A send from the end with the higher address: it must unlock itself to lock its peer first.
fn send_from_higher<D: Domain>() {
    let layer = layer::<D>();
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_byte(&layer, higher), Ok(1));
    assert_eq!(receive(&layer, lower), Ok(1));
    close_all(&layer, &[lower, higher]);
}

impl Control {
    pub(super) const LEAK_REF: Control = Control {
        name: "leak-ref",
        bug: "the reference on the peer, taken for the relock, is not given back",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn append_connected(", "self.policy.peer_pin(so)"),
        fault: Injection::of(Step::UnpRefRelock),
        program: send_from_higher::<PerSocket>,
    };
}

impl Control {
    pub(super) const NO_RECHECK: Control = Control {
        name: "no-recheck",
        bug: "after the relock the peer is taken for the one that was locked",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("uipc/datagram.rs", "fn append_to_peer(", "so2.has_room(bytes)"),
        fault: Injection::at(Step::RelockRecheck, Window::Relock),
        program: reconnect_in_window::<PerSocket>,
    };
}

/// A datagram socket sends to a lower peer; while it relocks, another thread connects it elsewhere
/// and closes the old peer. The message must go to the new one.
fn reconnect_in_window<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let [old, new] = ["old", "new"].map(|path| bound(&layer, SockType::Dgram, path));
    let sender = layer.socket(SockType::Dgram).expect("socket");
    layer.connect(sender, &name("old")).expect("connect");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        other.connect(sender, &name("new")).expect("reconnect");
        // The thread that relocks has a reference on the old peer: its close waits for that. So it
        // is left to others.
        std::thread::spawn(move || other.close(old).expect("close"));
    });
    assert_eq!(send_byte(&layer, sender), Ok(1));
    assert_eq!(receive(&layer, new), Ok(1));
    layer.close(sender).expect("close");
    layer.close(new).expect("close");
    while layer.pools().iter().any(|pool| pool.name == "socket" && pool.in_use > 0) {
        std::thread::yield_now();
    }
    layer.check_end();
}
