//! Bugs of kernels around buffers: their flags, their mirror at the sender, who may touch them.

use std::sync::Arc;

use super::control::{Control, at};
use super::stage;
use super::twin::{
    Injection, LockFree, PerSocket, close_all, layer, layer_of, receive, send_byte, verify,
};
use crate::domain::{Config, Domain, MsgFlags, Shutdown, SockType, WaitStrategy};
use crate::errno::Errno;
use crate::fault::{Step, Window};
use crate::witness::Check;

impl Control {
    pub(super) const END_LATE: Control = Control {
        name: "B15-end-after-parting",
        bug: "close clears ISCONNECTED of the peer before it sets CANTSENDMORE",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/buffer.rs", "fn write_while_parting<", "verify::<D>("),
        fault: Injection::at(Step::EndWhileParting, Window::Parted),
        program: write_while_parting::<PerSocket>,
    };
}

/// One end is closed; another thread writes on the other as soon as it can.
fn write_while_parting<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || {
        let is_right = send_byte(&other, b) == Err(Errno::Epipe);
        let what = "a writer whose peer is closed is told something else than EPIPE";
        verify::<D>(Check::WrongAnswer, is_right, what);
    });
    layer.close(a).expect("close");
    close_all(&layer, &[b]);
}

impl Control {
    pub(super) const END_UNSEEN: Control = Control {
        name: "B15-enotconn-after-relock",
        bug: "a writer whose peer is closed while it relocks is told that it was never connected",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/buffer.rs", "fn close_while_relocking<", "verify::<D>("),
        fault: Injection::at(Step::PartedIsEpipe, Window::Relock),
        program: close_while_relocking::<PerSocket>,
    };
}

/// The lower end is closed while the higher one relocks to write to it.
fn close_while_relocking<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (lower, higher) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(lower).expect("close"));
    let is_right = send_byte(&layer, higher) == Err(Errno::Epipe);
    let what = "a writer whose peer is closed is told something else than EPIPE";
    verify::<D>(Check::WrongAnswer, is_right, what);
    close_all(&layer, &[higher]);
}

impl Control {
    pub(super) const PART_ALONE: Control = Control {
        name: "B32-seqpacket-parts-alone",
        bug: "close of a seqpacket socket leaves the peer connected, as a datagram socket's may",
        check: Check::WrongAnswer,
        operation: "verify",
        at: at!("controls/buffer.rs", "fn write_after_close<", "verify::<D>("),
        fault: Injection::of(Step::SeqpacketParts),
        program: write_after_close::<PerSocket>,
    };
}

/// One end is closed; the other writes.
fn write_after_close<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Seqpacket).expect("socketpair");
    layer.close(a).expect("close");
    let is_right = send_byte(&layer, b) == Err(Errno::Epipe);
    let what = "a message was taken for a socket that is closed";
    verify::<D>(Check::WrongAnswer, is_right, what);
    close_all(&layer, &[b]);
}

impl Control {
    pub(super) const FLUSH_ANYWAY: Control = Control {
        name: "B21-flush-under-reader",
        bug: "shutdown flushes a buffer without the right to drain it, under a reader that has it",
        check: Check::Unlocked,
        operation: "sys_shutdown",
        at: at!("uipc/shutdown.rs", "fn flush(", "witness::kept_by_another("),
        fault: Injection::at(Step::FlushSblock, Window::CopiedOut),
        program: flush_in_read::<PerSocket>,
    };
}

/// While a reader has copied the first message out, another thread ends its direction and sends a
/// second message, which such a stream still takes.
fn flush_in_read<D: Domain>() {
    let layer = Arc::new(layer::<D>());
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(layer.send(a, b"first", MsgFlags::empty()), Ok(5));
    let other = Arc::clone(&layer);
    stage::arm(move || {
        other.shutdown(b, Shutdown::Read).expect("shutdown");
        assert_eq!(other.send(a, b"later", MsgFlags::empty()), Ok(5));
    });
    assert_eq!(receive(&layer, b), Ok(5));
    stage::end();
    assert_eq!(receive(&layer, b), Ok(5));
    close_all(&layer, &[a, b]);
}

impl Control {
    pub(super) const STALE_MIRROR: Control = Control {
        name: "B23-stop-never-cleared",
        bug: "the buffer is empty, and the sender is still told that it is full",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("uipc/send.rs", "fn sosend(", "self.sbwait(so, Side::Snd)"),
        fault: Injection::of(Step::MirrorReceived),
        program: drain_for_sender::<PerSocket>,
    };
}

/// A sender waits for room; the reader makes it.
pub(super) fn drain_for_sender<D: Domain>() {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let (other, size) = (Arc::clone(&layer), config.pipsiz_bytes + 100);
    stage::begin(move || {
        assert_eq!(other.send(a, &vec![7; size], MsgFlags::empty()), Ok(size));
    });
    let mut data = vec![0; config.pipsiz_bytes];
    assert_eq!(layer.recv(b, &mut data, MsgFlags::DONTWAIT), Ok(config.pipsiz_bytes));
    stage::end();
    assert_eq!(layer.recv(b, &mut data, MsgFlags::DONTWAIT), Ok(100));
    close_all(&layer, &[a, b]);
}

impl Control {
    pub(super) const NO_RETEST: Control = Control {
        name: "B30-no-look-after-register",
        bug: "a writer registers for a wake-up and does not look again: its peer died just before",
        check: Check::Hang,
        operation: "sys_sendto",
        at: at!("backend/lock_free/waiting.rs", "fn wait(", "witness::sleep("),
        fault: Injection::at(Step::RetestWaiting, Window::BeforeRegister),
        program: close_before_register::<LockFree>,
    };
}

/// A writer finds its peer full; the peer is closed before the writer can be woken.
pub(super) fn close_before_register<D: Domain>() {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    let layer = Arc::new(layer_of::<D>(&config));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let size = config.pipsiz_bytes;
    assert_eq!(layer.send(a, &vec![7; size], MsgFlags::empty()), Ok(size));
    let other = Arc::clone(&layer);
    stage::arm(move || other.close(b).expect("close"));
    assert_eq!(send_byte(&layer, a), Err(Errno::Epipe));
    close_all(&layer, &[a]);
}

impl Control {
    pub(super) const READ_UNLOCKED: Control = Control {
        name: "B34-peer-read-after-unlock",
        bug: "a send wakes and unlocks the peer, and then looks into its buffer",
        check: Check::Unlocked,
        operation: "sys_sendto",
        at: at!("fault/instead.rs", "fn mirror_later(", "so2.rcv_fill("),
        fault: Injection::of(Step::MirrorLocked),
        program: exchange_one::<PerSocket>,
    };
}

/// One message is sent and received.
fn exchange_one<D: Domain>() {
    let layer = layer::<D>();
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    assert_eq!(send_byte(&layer, a), Ok(1));
    assert_eq!(receive(&layer, b), Ok(1));
    close_all(&layer, &[a, b]);
}
