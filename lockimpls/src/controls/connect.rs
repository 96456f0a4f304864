//! Bugs of kernels around names and connections: connect, listen, bind, accept.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{Global, Injection, PerSocket, bound, close_all, layer, name, send_byte, verify};
use crate::domain::{Domain, MsgFlags, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const NO_PEER: Control = Control {
        name: "B02-peer-gone-after-connect",
        bug: "an addressed send goes to its peer without looking whether there still is one",
        check: Check::Panic,
        operation: "sys_sendto",
        at: at!("uipc/connect.rs", "fn unp_connect(", "self.policy.so_enter(so)"),
        fault: Injection::at(Step::PeerGone, Window::Connected),
        program: close_before_append::<Global>,
    };
}

/// The destination of an addressed send is closed between the connect and the append.
fn close_before_append<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let s = layer.socket(SockType::Dgram).expect("socket");
    let to = bound(&layer, SockType::Dgram, "to");
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(to).expect("close"));
    let sent = layer.sendto(s, b"x", &name("to"), MsgFlags::empty());
    assert_eq!(sent, Err(Errno::Econnrefused));
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const LISTEN_ANYWAY: Control = Control {
        name: "B04-listen-during-connect",
        bug: "a socket on its way to its own name becomes a listener, and is both",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("uipc/create.rs", "fn embryo_is_ready(", "self.policy.embryo_to_head("),
        fault: Injection::at(Step::ListenConnecting, Window::Connecting),
        program: listen_in_connect::<PerSocket>,
    };
}

/// `connect(s, "s")`, with `listen(s)` by another thread before the name is looked up.
fn listen_in_connect<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let s = bound(&layer, SockType::Stream, "s");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        let _ = other.listen(s, 1);
    });
    assert_eq!(layer.connect(s, &name("s")), Err(Errno::Econnrefused));
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const NAME_UNLOCKED: Control = Control {
        name: "B10-name-cleared-unlocked",
        bug: "close does not lock the name, so that a connect goes on with the freed listener",
        check: Check::Unlocked,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn connect_stream(", "head.assert_generation("),
        fault: Injection::at(Step::NameLock, Window::NameFound),
        program: close_in_connect::<PerSocket>,
    };
}

/// A listener is closed when a connect has found it and not locked it yet.
fn close_in_connect<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    let s = layer.socket(SockType::Stream).expect("socket");
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(head).expect("close"));
    // Whether the closer or the connect was faster at the end is not fixed.
    let _ = layer.connect(s, &name("head"));
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const CONNECT_TWICE: Control = Control {
        name: "B19-two-connects",
        bug: "of two connects of one datagram socket both succeed, and it is on two peers' lists",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/connect.rs", "fn connect_in_connect<", "verify::<D>("),
        fault: Injection::at(Step::ConnectConnecting, Window::Connecting),
        program: connect_in_connect::<PerSocket>,
    };
}

/// Two threads connect one socket; then the peer that lost goes away, which must change nothing.
fn connect_in_connect<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let [first, second] = ["first", "second"].map(|path| bound(&layer, SockType::Dgram, path));
    let s = layer.socket(SockType::Dgram).expect("socket");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        let _ = other.connect(s, &name("first"));
    });
    layer.connect(s, &name("second")).expect("connect");
    layer.close(first).expect("close");
    let what = "the peer lives, another was closed, and a send to the peer is refused";
    verify::<D>(Check::WrongAnswer, send_byte(&layer, s) == Ok(1), what);
    close_all(&layer, &[s, second]);
}

impl Control {
    pub(super) const LEAK_HEAD_REF: Control = Control {
        name: "B22-listener-reference-leak",
        bug: "a connect that succeeds does not give back its reference on the listener",
        check: Check::LeakedLock,
        operation: "sys_connect",
        at: at!("uipc/create.rs", "fn embryo_is_ready(", "head.so_refcnt.take()"),
        fault: Injection::of(Step::NewconnRef),
        program: connect_once::<PerSocket>,
    };
}

/// A client connects and is accepted.
fn connect_once<D: Domain>() {
    let layer = layer::<D>();
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    let s = layer.socket(SockType::Stream).expect("socket");
    layer.connect(s, &name("head")).expect("connect");
    let (accepted, _) = layer.accept(head).expect("accept");
    close_all(&layer, &[s, accepted, head]);
}

impl Control {
    pub(super) const BIND_LOCKED: Control = Control {
        name: "B26-bind-with-lock",
        bug: "bind goes to the table of names with its socket locked",
        check: Check::OrderViolation,
        operation: "sys_bind",
        at: at!("uipc/bind.rs", "fn sys_bind(", "self.names.create(name)"),
        fault: Injection::of(Step::BindResolve),
        program: bind_once::<PerSocket>,
    };
}

/// A socket is bound.
fn bind_once<D: Domain>() {
    let layer = layer::<D>();
    let s = bound(&layer, SockType::Stream, "s");
    close_all(&layer, &[s]);
}

impl Control {
    pub(super) const REFUSED_LOCKED: Control = Control {
        name: "B35-refused-connect-locked",
        bug: "a connect that is refused returns with the other socket locked",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("objects/names.rs", "fn rele(", "self.table.enter()"),
        fault: Injection::of(Step::ConnectHeadRefused),
        program: connect_to_deaf::<PerSocket>,
    };
}

/// A client connects to a socket that does not listen.
fn connect_to_deaf<D: Domain>() {
    let layer = layer::<D>();
    let deaf = bound(&layer, SockType::Stream, "deaf");
    let s = layer.socket(SockType::Stream).expect("socket");
    assert_eq!(layer.connect(s, &name("deaf")), Err(Errno::Econnrefused));
    close_all(&layer, &[s, deaf]);
}
