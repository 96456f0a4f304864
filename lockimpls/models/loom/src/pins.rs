//! The locks of `receive-buffer` (`backend/receive_buffer.rs`): a sender that pins its peer with
//! both sockets locked, and then has that one's receive buffer alone: beside a parting, an end, a
//! receive that makes room, and asleep there.

use std::sync::Arc;

use super::endpoint::{PASSED, rights_shutdown};
use super::queue::{reader, receive_close, writer, writer_closed};
use super::shared::{ByPin, Model, seen, threads};
use super::sides::{
    RECEIVES, both_ways, close, close_in_call, layer, model, send_close, send_shutdown,
    there_and_gone,
};
use crate::domain::{Domain, MsgFlags, Shutdown, SockType};
use crate::errno::Errno;
use crate::policy::Policy;

/// The same, with few interruptions in the short setting.
const fn bounded(model: Model) -> Model {
    Model { bound: [Some(4), None], ..model }
}

pub(super) const MODELS: &[Model] = &[
    model("pin_there_and_gone", 13, RECEIVES, there_and_gone::<ByPin>),
    bounded(model("pin_both_ways", 1000, RECEIVES, both_ways::<ByPin>)),
    bounded(model("pin_send_close", 1200, &["sent", "EPIPE"], send_close::<ByPin>)),
    bounded(model("pin_send_shutdown", 950, &["sent", "EPIPE"], send_shutdown::<ByPin>)),
    model("pin_close_in_call", 150, &["sent", "EBADF"], close_in_call::<ByPin>),
    model("pin_writer", 410, &["parked", "woken", "sent", "received"], writer::<ByPin>),
    bounded(model(
        "pin_writer_closed",
        2700,
        &["parked", "woken", "EPIPE"],
        writer_closed::<ByPin>,
    )),
    bounded(model("pin_writer_ended", 780, &["parked", "woken", "EPIPE"], writer_ended::<ByPin>)),
    model("pin_reader", 230, &["parked", "woken", "received"], reader::<ByPin>),
    model("pin_receive_close", 110, &["received", "end of the stream"], receive_close::<ByPin>),
    bounded(model("pin_rights_shutdown", 1600, PASSED, rights_shutdown::<ByPin>)),
];

/// A writer sleeps, and another thread shuts its own socket down for writing.
fn writer_ended<P: Policy>() {
    let layer = layer::<P>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    assert_eq!(layer.send(a, b"full", MsgFlags::DONTWAIT), Ok(4));
    let (sender, ender) = (Arc::clone(&layer), Arc::clone(&layer));
    threads(vec![
        Box::new(move || {
            assert_eq!(sender.send(a, b"x", MsgFlags::empty()), Err(Errno::Epipe));
            seen("EPIPE");
        }),
        Box::new(move || ender.shutdown(a, Shutdown::Write).expect("a shutdown")),
    ]);
    close(&layer, &[a, b]);
}
