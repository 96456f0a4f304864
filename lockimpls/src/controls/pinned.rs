//! Bugs of a sender that pins its peer, and is at that one's receive buffer alone
//! (`uipc/pinned.rs`).

use std::sync::Arc;

use super::buffer::drain_for_sender;
use super::control::{Control, at};
use super::links::pass_to_shut;
use super::stage;
use super::twin::{Injection, ReceiveBuffer, close_all, layer, receive, send_byte, verify};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const OF_PINS: [Control; 7] = [
        Control::PINS_NOTHING,
        Control::PINS_FOR_GOOD,
        Control::PINS_PER_WAIT,
        Control::KEEPS_RIGHT,
        Control::PEER_UNTOLD,
        Control::DISCARDED_AT_BUFFER,
        Control::FLUSHED_BESIDE_READER,
    ];
}

impl Control {
    const PINS_NOTHING: Control = Control {
        name: "pin-without-reference",
        bug: "a send takes no reference on the peer that it unlocks, and gives one back",
        check: Check::NotHeld,
        operation: "sys_sendto",
        at: at!("uipc/pinned.rs", "fn send_to_peer(", "so2.so_refcnt.rele()"),
        fault: Injection::of(Step::PinTake),
        program: there_and_back::<ReceiveBuffer>,
    };
}

impl Control {
    const PINS_FOR_GOOD: Control = Control {
        name: "pin-keeps-reference",
        bug: "a send does not give back the reference on its peer",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("uipc/pinned.rs", "fn pin_peer(", "so2.so_refcnt.take()"),
        fault: Injection::of(Step::PinRele),
        program: there_and_back::<ReceiveBuffer>,
    };
}

/// A byte each way.
fn there_and_back<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    for (s, peer) in [(a, b), (b, a)] {
        assert_eq!(send_byte(&layer, s), Ok(1));
        assert_eq!(receive(&layer, peer), Ok(1));
    }
    close_all(&layer, &[a, b]);
}

impl Control {
    const PINS_PER_WAIT: Control = Control {
        name: "B22-reference-per-wait",
        bug: "a send takes a reference on its peer for each wait, and gives one back",
        check: Check::LeakedLock,
        operation: "sys_sendto",
        at: at!("uipc/pinned.rs", "fn pin_peer(", "so2.so_refcnt.take()"),
        fault: Injection::of(Step::PinOnce),
        program: drain_for_sender::<ReceiveBuffer>,
    };
}

impl Control {
    const KEEPS_RIGHT: Control = Control {
        name: "right-to-send-kept",
        bug: "a sender sleeps at its peer with the right to send",
        check: Check::SleepingWithLock,
        operation: "sys_sendto",
        at: at!("uipc/pinned.rs", "fn sosend_pinned(", "self.policy.sb_lock(so"),
        fault: Injection::of(Step::RightToWait),
        program: drain_for_sender::<ReceiveBuffer>,
    };
}

impl Control {
    const PEER_UNTOLD: Control = Control {
        name: "writer-unwoken",
        bug: "a receive makes room, and does not wake the writer that waits at its buffer",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/pinned.rs", "fn room_at_peer(", "self.wait_at_peer(so, so2)"),
        fault: Injection::of(Step::WakeWriter),
        program: drain_for_sender::<ReceiveBuffer>,
    };
}

impl Control {
    const DISCARDED_AT_BUFFER: Control = Control {
        name: "B20-discard-at-buffer",
        bug: "the descriptors of a message that finds no room are disposed of at the peer's buffer",
        check: Check::OrderViolation,
        operation: "sys_sendmsg",
        at: at!("uipc/rights.rs", "fn end_flight(", "flight_enter()"),
        fault: Injection::of(Step::DiscardLater),
        program: pass_to_shut::<ReceiveBuffer>,
    };
}

impl Control {
    const FLUSHED_BESIDE_READER: Control = Control {
        name: "B21-flush-beside-reader",
        bug: "a shutdown empties the buffer without the right to receive, which a reader has",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/pinned.rs", "fn flush_in_copy<", "verify::<D>("),
        fault: Injection::at(Step::FlushSblock, Window::CopiedOut),
        program: flush_in_copy::<ReceiveBuffer>,
    };
}

/// While a reader copies, another thread ends its direction: when it has, nobody else has the right
/// to receive, and there is nothing but the end.
fn flush_in_copy<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(layer.send(a, b"first", MsgFlags::empty()), Ok(5));
    let other = Arc::clone(&layer);
    stage::arm(move || {
        other.shutdown(b, Shutdown::Read).expect("shutdown");
        let is_end = other.recv(b, &mut [0], MsgFlags::DONTWAIT) == Ok(0);
        verify::<D>(Check::WrongAnswer, is_end, "a reader has the right to what is flushed");
    });
    assert_eq!(receive(&layer, b), Ok(5));
    stage::end();
    close_all(&layer, &[a, b]);
}
