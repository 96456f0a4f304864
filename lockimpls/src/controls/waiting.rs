//! Controls of sleeping and waking.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{Injection, PerSocket, close_all, layer_of, send_byte};
use crate::domain::{Config, Domain, MsgFlags, SockType, WaitStrategy};
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const LOST_WAKEUP: Control = Control {
        name: "lost-wakeup",
        bug: "the reader is not woken after an append",
        check: Check::Hang,
        operation: "sys_recvfrom",
        at: at!("uipc/receive.rs", "fn soreceive(", "self.sbwait(so, Side::Rcv)"),
        fault: Injection {
            in_window: stage::about_to_park,
            ..Injection::at(Step::WakeReader, Window::BeforePark)
        },
        program: wake_parked_reader::<PerSocket>,
    };
}

/// A reader parks, then a byte is sent.
fn wake_parked_reader<D: Domain>() {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    let reader = std::thread::spawn(move || {
        assert_eq!(other.recv(b, &mut [0; 8], MsgFlags::empty()), Ok(1));
    });
    stage::await_parker();
    assert_eq!(send_byte(&layer, a), Ok(1));
    reader.join().expect("the reader");
    close_all(&layer, &[a, b]);
}
