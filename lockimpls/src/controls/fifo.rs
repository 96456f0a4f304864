//! Controls of fifos: the lock of the vnode, and what one side is told of the other.

use super::control::{Control, at};
use super::stage;
use super::twin::{Injection, PerSocket, layer_of};
use crate::checked::Checked;
use crate::checked::fifo::{Fifo, FifoFile};
use crate::domain::{Config, WaitStrategy};
use crate::errno::Errno;
use crate::fault::Step;
use crate::uipc::fifo::{Fifofs, OpenMode};
use crate::witness::Check;

impl Control {
    pub(super) const READ_LOCKED: Control = Control {
        name: "fifo-read-locked",
        bug: "a read of a fifo keeps the vnode locked: while it waits for data, no writer can open",
        check: Check::SleepingWithLock,
        operation: "sys_read",
        at: at!("uipc/fifo.rs", "Fifofs for Locked<P>", "fn fifo_read(", "vp.i_lock.enter()"),
        fault: Injection::of(Step::FifoReceive),
        program: open_under_reader::<PerSocket>,
    };
}

/// A reader waits for data; another writer opens, writes and closes.
fn open_under_reader<D: Fifofs>() {
    let layer = parking::<D>();
    let fifo = fifo_of(layer);
    let both = open(fifo, OpenMode::READ | OpenMode::WRITE);
    stage::begin(move || {
        assert_eq!(both.read(&mut [0; 8]), Ok(1));
        both.close();
    });
    let writer = open(fifo, OpenMode::WRITE);
    assert_eq!(writer.write(b"x"), Ok(1));
    writer.close();
    stage::end();
    layer.check_end();
}

impl Control {
    pub(super) const WRITER_UNTOLD: Control = Control {
        name: "fifo-writer-untold",
        bug: "the last reader's close does not tell a writer that waits for room",
        check: Check::Hang,
        operation: "sys_write",
        at: at!("uipc/send.rs", "fn sosend(", "self.sbwait(so, Side::Snd)"),
        fault: Injection::of(Step::FifoEndWriter),
        program: close_under_writer::<PerSocket>,
    };
}

/// A writer waits for room; the only reader closes.
fn close_under_writer<D: Fifofs>() {
    let layer = parking::<D>();
    let fifo = fifo_of(layer);
    let reader = open(fifo, OpenMode::READ | OpenMode::NONBLOCK);
    let writer = open(fifo, OpenMode::WRITE);
    stage::begin(move || {
        assert_eq!(writer.write(&[7; 100_000]), Err(Errno::Epipe));
        writer.close();
    });
    reader.close();
    stage::end();
    layer.check_end();
}

/// A layer whose threads park at once when they must wait. It is never freed, so that other threads
/// can have its fifos: a control is a process.
fn parking<D: Fifofs>() -> &'static Checked<D> {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    Box::leak(Box::new(layer_of(&config)))
}

/// A fifo of such a layer.
fn fifo_of<D: Fifofs>(layer: &'static Checked<D>) -> &'static Fifo<'static, D> {
    Box::leak(Box::new(layer.mkfifo()))
}

fn open<D: Fifofs>(fifo: &'static Fifo<'static, D>, mode: OpenMode) -> FifoFile<'static, D> {
    fifo.open(mode).expect("open")
}
