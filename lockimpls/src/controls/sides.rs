//! Bugs with the locks of buffers: the order of two sides, what each guards, what keeps a peer.

use super::control::{Control, at};
use super::twin::{Injection, PerBuffer, close_all, layer, receive, send_byte};
use crate::domain::{Domain, SockType};
use crate::fault::Step;
use crate::witness::Check;

impl Control {
    pub(super) const SIDES_REVERSED: Control = Control {
        name: "sides-reversed",
        bug: "a send locks its own side before the receiving one, a receive the other way",
        check: Check::OrderViolation,
        operation: "sys_sendto",
        at: at!("fault/instead.rs", "fn sides_reversed(", "self.policy.side_enter(so2, Side::Rcv)"),
        fault: Injection::of(Step::SideOrder),
        program: there_and_gone::<PerBuffer>,
    };
}

impl Control {
    pub(super) const END_UNGUARDED: Control = Control {
        name: "end-unguarded",
        bug: "a send looks whether its stream has ended with neither lock under which that is \
              written",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn sosend_once(", "so.cantsendmore()"),
        fault: Injection::of(Step::EndGuarded),
        program: there_and_gone::<PerBuffer>,
    };
}

impl Control {
    pub(super) const PART_UNLOCKED: Control = Control {
        name: "part-unlocked",
        bug: "close takes the peer's link away with its own socket locked alone, as a send may \
              read it",
        check: Check::Unlocked,
        operation: "sys_close",
        at: at!("uipc/close.rs", "fn unp_disconnect(", "so2.set_conn(None)"),
        fault: Injection::of(Step::PeerToPart),
        program: there_and_gone::<PerBuffer>,
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
