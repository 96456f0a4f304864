//! Controls of what is sent: data overwritten, messages not freed.

use std::sync::Arc;

use super::twin::{Injection, PerSocket};
use super::{At, Control, stage};
use crate::checked::Checked;
use crate::domain::{Config, Domain, MsgFlags, SockAddr, SockType};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::{self, Check};

pub(super) const NO_LOCK: Control = Control {
    name: "no-lock",
    bug: "the receiver's lock is dropped between reading the ring's tail and writing it",
    check: Check::BytesLost,
    operation: "verify",
    at: At::Line(
        "lockimpls/src/controls/data.rs",
        include_str!("data.rs"),
        "// control: the message that was overwritten",
    ),
    fault: Injection {
        clean_window: Some(Window::Lookup),
        ..Injection::at(Step::HoldForAppend, Window::Append)
    },
    program: two_senders::<PerSocket>,
};

/// Two datagram senders, one receiver: the second sends while the first is under way.
fn two_senders<D: Domain>() {
    let layer: Arc<Checked<D>> = Arc::new(Checked::new(&Config::default()).expect("layer"));
    let name = SockAddr::new("receiver").expect("name");
    // The receiver is made last: it has the highest address, and no sender relocks.
    let [first, second, receiver] =
        [(); 3].map(|()| layer.socket(SockType::Dgram).expect("socket"));
    layer.bind(receiver, &name).expect("bind");
    layer.connect(first, &name).expect("connect");
    layer.connect(second, &name).expect("connect");
    let other = Arc::clone(&layer);
    let two = move || assert_eq!(other.send(second, b"second", MsgFlags::empty()), Ok(6));
    stage::arm(two);
    assert_eq!(layer.send(first, b"first", MsgFlags::empty()), Ok(5));
    let mut lengths = [0; 2];
    for length in &mut lengths {
        let mut data = [0; 16];
        match layer.recv(receiver, &mut data, MsgFlags::DONTWAIT) {
            Ok(bytes) => *length = bytes,
            Err(Errno::Ewouldblock) => lost(D::NAME),
            Err(errno) => panic!("recv: {errno}"),
        }
    }
    assert_eq!(lengths[0] + lengths[1], 11);
    for s in [first, second, receiver] {
        layer.close(s).expect("close");
    }
    layer.check_end();
}

fn lost(backend: &'static str) -> ! {
    let what = "two messages were sent, one arrived";
    witness::report_data(Check::BytesLost, 1, backend, what) // control: the message that was overwritten
}

pub(super) const LEAK_MESSAGE: Control = Control {
    name: "leak-message",
    bug: "a message that finds no room (ENOBUFS) is not freed",
    check: Check::ObjectsLeft,
    operation: "end of run",
    at: At::Pool("mbuf"),
    fault: Injection::of(Step::FreeOnNobufs),
    program: fill_up::<PerSocket>,
};

/// Datagrams until the receiver is full.
fn fill_up<D: Domain>() {
    let layer: Checked<D> = Checked::new(&Config::default()).expect("layer");
    let (a, b) = layer.socketpair(SockType::Dgram).expect("socketpair");
    while layer.send(a, &[0; 1024], MsgFlags::empty()).is_ok() {}
    assert_eq!(layer.send(a, &[0; 1024], MsgFlags::empty()), Err(Errno::Enobufs));
    layer.close(a).expect("close");
    layer.close(b).expect("close");
    layer.check_end();
}
