//! Bugs of kernels around descriptors in messages: taken in, taken back, refused, handed out.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{
    Injection, PerSocket, close_all, layer, layer_of, receive, receive_right, send_byte,
    send_rights, verify,
};
use crate::domain::{Config, Domain, Shutdown, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const LAND_LATE: Control = Control {
        name: "B07-in-flight-too-long",
        bug: "a received descriptor can be closed while it still counts as in flight",
        check: Check::Unlocked,
        operation: "sys_recvmsg",
        at: at!("uipc/rights.rs", "fn land(", "self.fds.assert_locked()"),
        fault: Injection::of(Step::LandUnderFdplock),
        program: pass_one::<PerSocket>,
    };
}

/// A descriptor is passed.
fn pass_one<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_rights(&layer, a, &[a]), Ok(1));
    let received = receive_right(&layer, b).expect("a descriptor");
    close_all(&layer, &[a, b, received]);
}

impl Control {
    pub(super) const ADD_THEN_TEST: Control = Control {
        name: "B11-add-then-test",
        bug: "a request that is too large is counted until it is refused, and others with it",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/rights.rs", "fn greedy_and_innocent<", "verify::<D>("),
        fault: Injection::at(Step::TestThenAdd, Window::Reserve),
        program: greedy_and_innocent::<PerSocket>,
    };
}

/// Seven descriptors may be in flight: one thread asks for eight, another meanwhile for one.
fn greedy_and_innocent<D: Domain>() {
    let config = Config { maxfiles: 70, ..Config::default() };
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (c, d) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        let what = "one descriptor in flight is refused where seven are allowed";
        let is_right = send_rights(&other, c, &[c]) == Ok(1);
        verify::<D>(Check::WrongAnswer, is_right, what);
    });
    assert_eq!(send_rights(&layer, a, &[a; 8]), Err(Errno::Emfile));
    close_all(&layer, &[a, b, c, d]);
}

impl Control {
    pub(super) const UNWIND_TWICE: Control = Control {
        name: "B13-unwind-twice",
        bug: "a send whose second descriptor is bad releases the file of the first twice",
        check: Check::NotHeld,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn closef(", "witness::no_reference("),
        fault: Injection::of(Step::UnwindOnce),
        program: pass_bad_one::<PerSocket>,
    };
}

/// Two descriptors are passed, of which one is closed already.
fn pass_bad_one<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let [good, bad] = [(); 2].map(|()| layer.socket(SockType::Stream).expect("socket"));
    layer.close(bad).expect("close");
    assert_eq!(send_rights(&layer, a, &[bad, good]), Err(Errno::Ebadf));
    close_all(&layer, &[good, a, b]);
}

impl Control {
    pub(super) const NOBUFS_HIDDEN: Control = Control {
        name: "B17-nobufs-hidden",
        bug: "a send with a descriptor that finds no room is reported as done",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/rights.rs", "fn pass_without_room<", "verify::<D>("),
        fault: Injection::of(Step::ReportNobufs),
        program: pass_without_room::<PerSocket>,
    };
}

/// A descriptor is passed to a peer that takes no more.
fn pass_without_room<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    layer.shutdown(b, Shutdown::Read).expect("shutdown");
    let sent = send_rights(&layer, a, &[a]).unwrap_or(0);
    let is_right = receive(&layer, b) == Ok(sent);
    let what = "a message was sent, and is not there";
    verify::<D>(Check::BytesLost, is_right, what);
    close_all(&layer, &[a, b]);
}

impl Control {
    pub(super) const DISCARD_LOCKED: Control = Control {
        name: "B20-discard-with-locks",
        bug: "the descriptors of a datagram that finds no room are disposed of with both locks \
              held",
        check: Check::OrderViolation,
        operation: "sys_sendmsg",
        at: at!("uipc/rights.rs", "fn end_flight(", "flight_enter()"),
        fault: Injection::of(Step::DiscardLater),
        program: pass_to_full::<PerSocket>,
    };
}

/// A descriptor is passed in a datagram to a receiver that is full.
fn pass_to_full<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Dgram).expect("socketpair");
    while send_byte(&layer, a).is_ok() {}
    assert_eq!(send_rights(&layer, a, &[a]), Err(Errno::Enobufs));
    close_all(&layer, &[a, b]);
}
