//! One thread sends as fast as it can, its partner receives as fast as it can: one way, two
//! processors.
//!
//! Lane 2k sends, lane 2k+1 receives, on a pair of their own. One operation is one message
//! received; the receivers count. The sender ends with a last message and, on streams and
//! seqpackets, a shutdown(2); the receiver takes everything up to the end of the file and finds
//! nothing behind it.
//!
//! A datagram for which there is no room is refused (`ENOBUFS`) and sent again, and the refused
//! attempt is in no latency; on the `host` of Linux the send waits instead.
//!
//! # What this does not show
//!
//! The slower side sets the pace: with a full buffer this measures the receiver and the wake-up of
//! the sender, with an empty one the other way round. Latencies are those of the calls, not of a
//! message's way from one thread to the other (see `pingpong`).

use lockimpls::{Errno, Layer, Shutdown, SockType};

use crate::call::Caller;
use crate::message::{Order, Sink, Source};
use crate::sockets::{self, Pairs};
use crate::{Event, Kind, LaneSums, Meter, Need, Plan, Question, Workload};

/// See the module's text.
pub(crate) struct Stream;

impl Kind for Stream {
    type On = On;
    const NAME: &'static str = "stream";
    const ABOUT: &'static str = "one thread sends, its partner receives";
    const OPERATION: &'static str = "one message received";
    const QUESTION: Option<Question> =
        Some(Question { name: "one busy pair", label: "streaming", operation: "message" });
    const IS_USUAL: bool = true;

    fn needs(_socket_type: SockType) -> &'static [Need] {
        &[Need::Socketpair, Need::Shutdown]
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        sockets::fits_even(plan)
    }
}

/// One pair for every two lanes.
pub(crate) struct On {
    plan: Plan,
    pairs: Pairs,
}

impl On {
    fn send<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let lane = caller.place.lane;
        let mut source = Source::new(self.plan.message_bytes, lane as u16, self.plan.verify);
        let end = self.pairs[lane / 2].0;
        meter.skip();
        while meter.running() {
            source.fill();
            caller.send_whole(end, &mut source, meter);
            meter.lap(Event::Send);
        }
        source.fill_end();
        caller.send_whole(end, &mut source, meter);
        if self.plan.socket_type != SockType::Dgram {
            caller.must("shutdown", caller.domain.shutdown(end, Shutdown::Write));
        }
    }

    fn receive<M: Meter>(&self, caller: &mut Caller<'_>, meter: &mut M) {
        let lane = caller.place.lane;
        let mut sink = Sink::new(self.plan.message_bytes);
        let mut order = Order::new(self.plan.message_bytes, lane as u16 - 1);
        let end = self.pairs[lane / 2].1;
        meter.skip();
        loop {
            meter.running();
            caller.recv_whole(end, &mut sink);
            if order.check(sink.message(), &caller.place) {
                break;
            }
            meter.lap(Event::Receive);
        }
        if self.plan.socket_type != SockType::Dgram {
            caller.expect_eof(end, &mut sink);
        }
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads / 2, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Stream::NAME, lane, &self.plan);
        if lane.is_multiple_of(2) {
            self.send(&mut caller, meter);
        } else {
            self.receive(&mut caller, meter);
        }
        caller.sums
    }

    fn counts(&self, lane: usize) -> bool {
        lane % 2 == 1
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Stream::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
