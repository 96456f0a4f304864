//! Bugs of kernels' collectors: what they take for dead, what they miss, what they do not lock.

use super::control::{At, Control, at};
use super::twin::{
    Injection, PerSocket, bound, close_all, layer, name, receive_right, send_rights, verify,
};
use crate::domain::{Domain, SockType};
use crate::fault::Step;
use crate::witness::Check;

impl Control {
    pub(super) const NO_REACHABILITY: Control = Control {
        name: "B06-in-flight-is-dead",
        bug: "the collector takes a socket that is merely in flight for garbage",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/collector.rs", "fn collect_in_flight<", "verify::<D>("),
        fault: Injection::of(Step::GcReachable),
        program: collect_in_flight::<PerSocket>,
    };
}

impl Control {
    pub(super) const NO_FIRST_VALUE: Control = Control {
        name: "B28-gcrefs-uninitialised",
        bug: "the collector does not set the count it works on, and takes a living socket for dead",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/collector.rs", "fn collect_in_flight<", "verify::<D>("),
        fault: Injection::of(Step::GcrefsInit),
        program: collect_in_flight::<PerSocket>,
    };
}

/// A socket with a descriptor in its buffer is passed and closed; then the collector runs.
fn collect_in_flight<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (c, d) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_rights(&layer, d, &[a]), Ok(1));
    assert_eq!(send_rights(&layer, a, &[c]), Ok(1));
    layer.close(c).expect("close");
    layer.collect();
    let c = receive_right(&layer, b).expect("the socket that was passed");
    let inner = receive_right(&layer, c);
    let what = "a descriptor that could be received is gone";
    verify::<D>(Check::BytesLost, inner.is_some(), what);
    close_all(&layer, &[a, b, c, d, inner.expect("verified")]);
}

impl Control {
    pub(super) const SCAN_UNLOCKED: Control = Control {
        name: "B12-scan-without-lock",
        bug: "the collector looks into a socket without locking it",
        check: Check::Unlocked,
        operation: "collect",
        at: at!("uipc/collect.rs", "fn is_used(", "so.st().users.get()"),
        fault: Injection::of(Step::ScanLock),
        program: pass_to_itself::<PerSocket>,
    };
}

/// A pair is passed over itself and closed: only the collector can find it.
fn pass_to_itself<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_rights(&layer, a, &[a]), Ok(1));
    assert_eq!(send_rights(&layer, a, &[b]), Ok(1));
    close_all(&layer, &[a, b]);
}

impl Control {
    pub(super) const LIST_LOCKED: Control = Control {
        name: "B18-collector-after-socket",
        bug: "a new socket enters the collector's list with its own lock held, against the order",
        check: Check::OrderViolation,
        operation: "sys_socketpair",
        at: at!("uipc/create.rs", "fn unp_attach(", "self.policy.list_enter(so)"),
        fault: Injection::of(Step::ListEnter),
        program: pass_to_itself::<PerSocket>,
    };
}

impl Control {
    pub(super) const NO_EMBRYOS: Control = Control {
        name: "B33-embryo-not-scanned",
        bug: "the collector does not look into connections that wait to be accepted",
        check: Check::ObjectsLeft,
        operation: "end of run",
        at: At::Pool("file"),
        fault: Injection::of(Step::GcEmbryos),
        program: pass_listener_to_itself::<PerSocket>,
    };
}

/// A listener is passed over a connection that waits in its own queue, and closed.
fn pass_listener_to_itself<D: Domain>() {
    let layer = layer::<D>();
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    let s = layer.socket(SockType::Stream).expect("socket");
    layer.connect(s, &name("head")).expect("connect");
    assert_eq!(send_rights(&layer, s, &[head]), Ok(1));
    close_all(&layer, &[head, s]);
}
