//! A lane that sends on one socket and receives on another, and must never wait for room while
//! somebody waits for it to receive: what `duplex` and `ring` have in common.

use lockimpls::{Fd, MsgFlags};

use crate::call::{Caller, Step, give_way};
use crate::message::{Order, Sink, Source};
use crate::{Event, Meter, Plan};

/// The most messages a lane is ahead of the one that receives them.
const WINDOW_MAX: usize = 16;
/// How many bytes these may have: half the buffer of the layer's least socket.
const WINDOW_BYTES: usize = 4096;

/// One lane's two directions.
pub(crate) struct Exchange<'a> {
    caller: Caller<'a>,
    out: Fd,
    source: Source,
    inward: Fd,
    sink: Sink,
    order: Order,
    /// Messages received that no operation has counted yet.
    credit: u64,
    /// The last message has arrived.
    ended: bool,
}

impl<'a> Exchange<'a> {
    /// Sends on `out`; receives on `inward` what the lane `from` sent.
    pub(crate) fn new(caller: Caller<'a>, plan: &Plan, out: Fd, inward: Fd, from: usize) -> Self {
        let lane = caller.place.lane as u16;
        Exchange {
            caller,
            out,
            source: Source::new(plan.message_bytes, lane, plan.verify),
            inward,
            sink: Sink::new(plan.message_bytes),
            order: Order::new(plan.message_bytes, from as u16),
            credit: 0,
            ended: false,
        }
    }

    /// Runs the lane to its end and gives its caller back.
    pub(crate) fn run<M: Meter>(mut self, plan: &Plan, meter: &mut M) -> Caller<'a> {
        let window = (WINDOW_BYTES / plan.message_bytes).saturating_sub(1).min(WINDOW_MAX);
        for _ in 0..window {
            self.source.fill();
            self.send(meter);
        }
        meter.skip();
        while !self.ended && meter.running() {
            self.source.fill();
            self.send(meter);
            meter.lap(Event::Send);
            if self.credit == 0 && !self.ended {
                self.receive();
            }
            self.credit = self.credit.saturating_sub(1);
            meter.lap(Event::Receive);
        }
        self.source.fill_end();
        self.send(meter);
        while !self.ended {
            self.receive();
        }
        self.caller
    }

    /// Sends the whole message, receiving while there is no room for it.
    #[inline]
    fn send<M: Meter>(&mut self, meter: &mut M) {
        if self.caller.send(self.out, &mut self.source, MsgFlags::DONTWAIT) != Step::Whole {
            self.send_slow(meter);
        }
    }

    #[cold]
    fn send_slow<M: Meter>(&mut self, meter: &mut M) {
        loop {
            let moved = !self.ended && self.take(MsgFlags::DONTWAIT) != Step::Blocked;
            match self.caller.send(self.out, &mut self.source, MsgFlags::DONTWAIT) {
                Step::Whole => return,
                Step::Blocked if !moved => give_way(meter),
                _ => {}
            }
        }
    }

    /// Waits for one message.
    #[inline]
    fn receive(&mut self) {
        while self.take(MsgFlags::empty()) != Step::Whole {}
    }

    #[inline]
    fn take(&mut self, flags: MsgFlags) -> Step {
        let step = self.caller.recv(self.inward, &mut self.sink, flags);
        if step == Step::Whole {
            self.credit += 1;
            self.ended = self.order.check(self.sink.message(), &self.caller.place);
        } else if step == Step::Eof {
            self.caller.ended_early();
        }
        step
    }
}
