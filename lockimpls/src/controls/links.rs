//! Bugs with the lock of all links: in which mode it is held, what it keeps away, and what keeps a
//! message and its account together.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{
    Injection, SharedLink, bound, close_all, layer, layer_of, name, receive, send_byte,
    send_rights, verify,
};
use crate::domain::{Config, Domain, MsgFlags, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const OF_LINKS: [Control; 9] = [
        Control::CONNECTED_BY_READER,
        Control::ADDRESSED_BY_READER,
        Control::APPENDED_WITHOUT,
        Control::QUEUE_UNLOCKED,
        Control::DETACH_RECURSES,
        Control::NOBUFS_LEAKS,
        Control::DISCARDED_UNDER_LINKS,
        Control::ACCOUNT_LATE,
        Control::ACCOUNT_EARLY,
    ];
}

impl Control {
    const CONNECTED_BY_READER: Control = Control {
        name: "links-shared-to-connect",
        bug: "whoever connects or parts two sockets has the lock of all links in shared mode",
        check: Check::OrderViolation,
        operation: "sys_socketpair",
        at: at!("uipc/create.rs", "fn soconnect2(", "self.policy.solock_pair(&so, &so2)"),
        fault: Injection::of(Step::LinksAlone),
        program: there_and_gone::<SharedLink>,
    };
}

impl Control {
    const ADDRESSED_BY_READER: Control = Control {
        name: "links-shared-to-address",
        bug: "an addressed send, which connects, takes the lock of all links in shared mode",
        check: Check::NotHeld,
        operation: "sys_sendto",
        at: at!("uipc/connect.rs", "fn unp_connect(", "self.policy.links_leave()"),
        fault: Injection::of(Step::AddressedAlone),
        program: addressed::<SharedLink>,
    };
}

impl Control {
    const APPENDED_WITHOUT: Control = Control {
        name: "links-not-shared",
        bug: "a send goes to its peer without the lock of all links",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("uipc/apart.rs", "fn append_apart(", "so.peer()"),
        fault: Injection::of(Step::LinkForAppend),
        program: there_and_gone::<SharedLink>,
    };
}

impl Control {
    const QUEUE_UNLOCKED: Control = Control {
        name: "queue-unlocked",
        bug: "a connection comes to its listener's queue without the lock of the queues",
        check: Check::Unlocked,
        operation: "sys_connect",
        at: at!("uipc/create.rs", "fn embryo_is_ready(", "so3.queues()"),
        fault: Injection::of(Step::QueueLock),
        program: accepted::<SharedLink>,
    };
}

impl Control {
    const DETACH_RECURSES: Control = Control {
        name: "links-taken-twice",
        bug: "detach takes the lock of all links, which its caller has",
        check: Check::OrderViolation,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn unp_detach(", "self.policy.detach_exit(so)"),
        fault: Injection::of(Step::DetachLeavesLinks),
        program: there_and_gone::<SharedLink>,
    };
}

impl Control {
    const NOBUFS_LEAKS: Control = Control {
        name: "leak-nobufs-under-links",
        bug: "a control message finds no room (ENOBUFS), and the receiving socket stays locked",
        check: Check::LeakedLock,
        operation: "sys_sendmsg",
        at: at!("uipc/apart.rs", "fn append_apart(", "self.policy.solock(&so2)"),
        fault: Injection::of(Step::SendNobufsPeer),
        program: pass_to_shut::<SharedLink>,
    };
}

impl Control {
    const DISCARDED_UNDER_LINKS: Control = Control {
        name: "B20-discard-under-links",
        bug: "the descriptors of a datagram that finds no room are disposed of with the links \
              shared",
        check: Check::OrderViolation,
        operation: "sys_sendmsg",
        at: at!("uipc/rights.rs", "fn end_flight(", "flight_enter()"),
        fault: Injection::of(Step::DiscardLater),
        program: pass_to_full::<SharedLink>,
    };
}

impl Control {
    const ACCOUNT_LATE: Control = Control {
        name: "B23-stop-after-drain",
        bug: "a send tells of a full buffer with the receiving socket unlocked, when that is empty",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn sosend(", "self.sbwait(so, Side::Snd)"),
        fault: Injection::at(Step::HoldToAccount, Window::Appended),
        program: drained_before_account::<SharedLink>,
    };
}

impl Control {
    const ACCOUNT_EARLY: Control = Control {
        name: "B23-room-told-twice",
        bug: "a receive looks what is left before it locks its socket, and tells of room that is \
              gone",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/links.rs", "fn sent_before_account<", "verify::<D>("),
        fault: Injection::at(Step::LookLocked, Window::Accounting),
        program: sent_before_account::<SharedLink>,
    };
}

/// One message is sent and received; both ends are closed.
fn there_and_gone<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_byte(&layer, a), Ok(1));
    assert_eq!(receive(&layer, b), Ok(1));
    close_all(&layer, &[a, b]);
}

/// A datagram goes to a name.
fn addressed<D: Domain>() {
    let layer = layer::<D>();
    let there = bound(&layer, SockType::Dgram, "there");
    let s = layer.socket(SockType::Dgram).expect("socket");
    assert_eq!(layer.sendto(s, b"x", &name("there"), MsgFlags::empty()), Ok(1));
    assert_eq!(receive(&layer, there), Ok(1));
    close_all(&layer, &[s, there]);
}

/// A connection is accepted.
fn accepted<D: Domain>() {
    let layer = layer::<D>();
    let head = bound(&layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    let (server, _) = layer.accept(head).expect("accept");
    close_all(&layer, &[client, server, head]);
}

/// A descriptor is passed to a socket that has no receive buffer any more.
pub(super) fn pass_to_shut<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    layer.shutdown(b, crate::domain::Shutdown::Read).expect("shutdown");
    assert_eq!(send_rights(&layer, a, &[a]), Err(Errno::Enobufs));
    layer.collect();
    close_all(&layer, &[a, b]);
}

/// A descriptor is passed in a datagram to a receiver that is full.
fn pass_to_full<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Dgram).expect("socketpair");
    while send_byte(&layer, a).is_ok() {}
    assert_eq!(send_rights(&layer, a, &[a]), Err(Errno::Enobufs));
    layer.collect();
    close_all(&layer, &[a, b]);
}

/// A send fills the buffer, and the reader empties it before the sender knows.
fn drained_before_account<D: Domain>() {
    let config = Config::default();
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (other, size) = (Arc::clone(&layer), config.pipsiz_bytes);
    stage::arm(move || {
        let mut room = vec![0; size];
        assert_eq!(other.recv(b, &mut room, MsgFlags::empty()), Ok(size));
    });
    assert_eq!(layer.send(a, &vec![0; size], MsgFlags::empty()), Ok(size));
    stage::end();
    assert_eq!(send_byte(&layer, a), Ok(1));
    close_all(&layer, &[a, b]);
}

/// A reader has emptied the buffer, and another message comes before it tells the sender.
fn sent_before_account<D: Domain>() {
    let config = Config::default();
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let half = config.pipsiz_bytes / 2;
    assert_eq!(layer.send(a, &vec![0; half], MsgFlags::empty()), Ok(half));
    let other = Arc::clone(&layer);
    stage::arm(move || {
        assert_eq!(other.send(a, &vec![0; half], MsgFlags::DONTWAIT), Ok(half));
    });
    assert_eq!(layer.recv(b, &mut vec![0; half], MsgFlags::empty()), Ok(half));
    stage::end();
    let more = layer.send(a, &vec![0; 2 * half], MsgFlags::DONTWAIT);
    let what = "a buffer that was half full took more than the other half";
    verify::<D>(Check::WrongAnswer, more == Ok(half), what);
    close_all(&layer, &[a, b]);
}
