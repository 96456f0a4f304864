//! Bugs with sockets that are locked in the order of their numbers, with sends that have their own
//! locked, and with what such a send leaves (`backend/endpoint_queue.rs`).

use std::sync::{Arc, OnceLock};

use super::buffer::close_before_register;
use super::control::{Control, at};
use super::queue::{receive_in_copy, send_before_account};
use super::stage;
use super::twin::{
    EndpointQueue, Injection, bound, close_all, layer, name, receive, send_byte, verify,
};
use crate::checked::Checked;
use crate::domain::{Domain, MsgFlags, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const OF_ENDPOINTS: [Control; 12] = [
        Control::READER_UNLOCKED,
        Control::ENDPOINT_REFUSED_LOCKED,
        Control::BY_ADDRESS,
        Control::ENDPOINT_CLIENT_FIRST,
        Control::ITSELF,
        Control::RIGHT_UNSEEN,
        Control::ENDPOINT_TWO_READERS,
        Control::ENDPOINT_ACCOUNT_UNLOCKED,
        Control::ENDPOINT_NO_LOOK_BEFORE_SLEEP,
        Control::NO_REFERENCE,
        Control::ENDPOINT_KEEPS_REFERENCE,
        Control::ENDPOINT_PART_UNLOCKED,
    ];
}

impl Control {
    const READER_UNLOCKED: Control = Control {
        name: "B34-reader-read-after-unlock",
        bug: "a send unlocks its socket, and then reads off it whom to wake",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("fault/instead.rs", "fn wake_by_link(", "so.peer()"),
        fault: Injection::of(Step::ReaderKept),
        program: there_and_gone::<EndpointQueue>,
    };
}

impl Control {
    const ENDPOINT_PART_UNLOCKED: Control = Control {
        name: "endpoint-parted-alone",
        bug: "close takes the peer's link away with its own socket alone locked, beside a send",
        check: Check::Unlocked,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn unp_disconnect(", "so2.set_conn(None)"),
        fault: Injection::of(Step::PeerToPart),
        program: there_and_gone::<EndpointQueue>,
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

impl Control {
    const ENDPOINT_REFUSED_LOCKED: Control = Control {
        name: "B35-refused-with-both-locked",
        bug: "a connect that is refused unlocks neither its own socket nor the other one",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("objects/names.rs", "fn rele(", "self.table.enter()"),
        fault: Injection::of(Step::ConnectHeadRefused),
        program: connect_to_bound::<EndpointQueue>,
    };
}

/// At the name is a socket that does not listen.
fn connect_to_bound<D: Domain>() {
    let layer = layer::<D>();
    let there = bound(&layer, SockType::Stream, "there");
    let client = layer.socket(SockType::Stream).expect("socket");
    assert_eq!(layer.connect(client, &name("there")), Err(Errno::Econnrefused));
    close_all(&layer, &[client, there]);
}

impl Control {
    const BY_ADDRESS: Control = Control {
        name: "numbered-by-address",
        bug: "of two sockets the one with the lower address is locked first, not the lower number",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn connect_stream(", "self.policy.name_to_head("),
        fault: Injection::of(Step::NumberOrder),
        program: connect_from_a_place_used_again::<EndpointQueue>,
    };
}

/// The client has a higher number than its listener, and a lower address.
fn connect_from_a_place_used_again<D: Domain>() {
    let layer = layer::<D>();
    let gone = layer.socket(SockType::Stream).expect("socket");
    let head = listener(&layer);
    layer.close(gone).expect("close");
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    close_all(&layer, &[client, head]);
}

fn listener<D: Domain>(layer: &Checked<D>) -> D::Sock {
    let head = bound(layer, SockType::Stream, "head");
    layer.listen(head, 1).expect("listen");
    head
}

impl Control {
    const ENDPOINT_CLIENT_FIRST: Control = Control {
        name: "numbered-own-first",
        bug: "a connect locks its own socket first, whatever the numbers",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn connect_stream(", "self.policy.name_to_head("),
        fault: Injection::of(Step::AddressOrder),
        program: connect_from_the_higher::<EndpointQueue>,
    };
}

/// The listener was made before its client.
fn connect_from_the_higher<D: Domain>() {
    let layer = layer::<D>();
    let head = listener(&layer);
    let client = layer.socket(SockType::Stream).expect("socket");
    layer.connect(client, &name("head")).expect("connect");
    close_all(&layer, &[client, head]);
}

impl Control {
    const ITSELF: Control = Control {
        name: "connect-locks-itself-twice",
        bug: "a connect does not look whether the other socket is its own",
        check: Check::OrderViolation,
        operation: "sys_connect",
        at: at!("uipc/connect.rs", "fn connect_stream(", "self.policy.name_to_head("),
        fault: Injection::of(Step::SelfLock),
        program: connect_to_itself::<EndpointQueue>,
    };
}

/// A bound socket connects to its own name.
fn connect_to_itself<D: Domain>() {
    let layer = layer::<D>();
    let here = bound(&layer, SockType::Stream, "here");
    assert_eq!(layer.connect(here, &name("here")), Err(Errno::Econnrefused));
    close_all(&layer, &[here]);
}

impl Control {
    const RIGHT_UNSEEN: Control = Control {
        name: "sends-where-anothers-address-is",
        bug: "a send does not look whether another one has left its socket while it is connected",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/endpoint.rs", "fn send_in_sendto<", "verify::<D>("),
        fault: Injection::at(Step::RightLooked, Window::Connected),
        program: send_in_sendto::<EndpointQueue>,
    };
}

/// While a datagram goes to a name, another thread sends one without: it would have to wait.
fn send_in_sendto<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let there = bound(&layer, SockType::Dgram, "there");
    let s = layer.socket(SockType::Dgram).expect("socket");
    let answer = Arc::new(OnceLock::new());
    let (other, its) = (Arc::clone(&layer), Arc::clone(&answer));
    stage::arm(move || its.set(other.send(s, b"x", MsgFlags::DONTWAIT)).expect("one"));
    assert_eq!(layer.sendto(s, b"to", &name("there"), MsgFlags::empty()), Ok(2));
    stage::end();
    let is_refused = answer.get() == Some(&Err(Errno::Ewouldblock));
    let has_come = receive(&layer, there) == Ok(2) && receive(&layer, there).is_err();
    let what = "a message without an address goes where another one's address is";
    verify::<D>(Check::WrongAnswer, is_refused && has_come, what);
    close_all(&layer, &[s, there]);
}

impl Control {
    const ENDPOINT_TWO_READERS: Control = Control {
        name: "receiver-not-locked",
        bug: "a receive does not take the receiver's lock: two copy the same bytes",
        check: Check::BytesLost,
        operation: "verify",
        at: at!("controls/queue.rs", "fn receive_in_copy<", "verify::<D>("),
        fault: Injection::at(Step::ReaderAlone, Window::CopiedOut),
        program: receive_in_copy::<EndpointQueue>,
    };
}

impl Control {
    const ENDPOINT_ACCOUNT_UNLOCKED: Control = Control {
        name: "room-given-back-unlocked",
        bug: "a receive gives room back with its queue unlocked: what was sent since is forgotten",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/queue.rs", "fn send_before_account<", "verify::<D>("),
        fault: Injection::at(Step::AccountLocked, Window::Account),
        program: send_before_account::<EndpointQueue>,
    };
}

impl Control {
    const ENDPOINT_NO_LOOK_BEFORE_SLEEP: Control = Control {
        name: "endpoint-no-look-before-sleep",
        bug: "a writer unlocks its socket to sleep, and does not ask for wake-ups that came since",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn sosend(", "self.await_room(so, seen)"),
        fault: Injection::at(Step::RetestWaiting, Window::BeforeRegister),
        program: close_before_register::<EndpointQueue>,
    };
}

impl Control {
    /// That a reference which nobody took is found where it is given back, whatever the peer does.
    /// What it keeps from the asker, another socket's name, shows the model `endpoint_names`.
    const NO_REFERENCE: Control = Control {
        name: "name-without-reference",
        bug: "no reference on the peer is taken to ask for its name, and one is given back",
        check: Check::NotHeld,
        operation: "sys_getpeername",
        at: at!("uipc/name.rs", "fn peeraddr(", "self.policy.peer_looked("),
        fault: Injection::of(Step::UnpRefTake),
        program: ask_for_a_name::<EndpointQueue>,
    };
}

impl Control {
    const ENDPOINT_KEEPS_REFERENCE: Control = Control {
        name: "name-keeps-reference",
        bug: "the reference on the peer, taken to ask for its name, is not given back",
        check: Check::LeakedLock,
        operation: "sys_getpeername",
        at: at!("uipc/name.rs", "fn peeraddr(", "self.policy.peer_look("),
        fault: Injection::of(Step::UnpRefRelock),
        program: ask_for_a_name::<EndpointQueue>,
    };
}

/// The name of a peer.
fn ask_for_a_name<D: Domain>() {
    let layer = layer::<D>();
    let there = bound(&layer, SockType::Dgram, "there");
    let s = layer.socket(SockType::Dgram).expect("socket");
    layer.connect(s, &name("there")).expect("connect");
    assert_eq!(layer.getpeername(s), Ok(name("there")));
    close_all(&layer, &[s, there]);
}
