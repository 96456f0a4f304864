//! Two threads send one message to and fro: the latency of a message's way, and of waking a
//! thread that waits.
//!
//! Lane 2k sends a message to lane 2k+1 on a pair of their own and waits for the answer. One
//! operation is one round trip, recorded as [`Event::RoundTrip`] by the even lane, which counts.
//! The last message is not answered.
//!
//! # What this does not show
//!
//! Never more than one message is under way, so nothing is said about throughput; and how the
//! waiting thread waits (`--wait`) weighs more than any lock. Half a round trip is not a one-way
//! latency unless both ways cost the same, which address order makes untrue for locked backends.

use lockimpls::{Errno, Fd, Layer};

use crate::call::Caller;
use crate::message::{Order, Sink, Source};
use crate::sockets::{self, Pairs};
use crate::{Event, Kind, LaneSums, Meter, Plan, Question, Workload};

/// See the module's text.
pub(crate) struct Pingpong;

impl Kind for Pingpong {
    type On = On;
    const NAME: &'static str = "pingpong";
    const ABOUT: &'static str = "two threads send one message to and fro";
    const OPERATION: &'static str = "one round trip";
    const QUESTION: Option<Question> =
        Some(Question { name: "request/reply", label: "ping-pong", operation: "round trip" });
    const IS_USUAL: bool = true;

    fn fits(plan: &Plan) -> Result<(), String> {
        sockets::fits_even(plan)
    }
}

/// One pair for every two lanes.
pub(crate) struct On {
    plan: Plan,
    pairs: Pairs,
}

/// What a lane of this workload has in its hands.
struct Player<'a> {
    caller: Caller<'a>,
    source: Source,
    sink: Sink,
    order: Order,
    end: Fd,
}

impl Player<'_> {
    fn ping<M: Meter>(&mut self, meter: &mut M) {
        meter.skip();
        while meter.running() {
            self.source.fill();
            self.caller.send_whole(self.end, &mut self.source, meter);
            self.caller.recv_whole(self.end, &mut self.sink);
            self.order.check(self.sink.message(), &self.caller.place);
            meter.lap(Event::RoundTrip);
        }
        self.source.fill_end();
        self.caller.send_whole(self.end, &mut self.source, meter);
    }

    fn pong<M: Meter>(&mut self, meter: &mut M) {
        loop {
            meter.running();
            self.caller.recv_whole(self.end, &mut self.sink);
            if self.order.check(self.sink.message(), &self.caller.place) {
                break;
            }
            self.source.fill();
            self.caller.send_whole(self.end, &mut self.source, meter);
        }
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads / 2, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let pair = self.pairs[lane / 2];
        let mut player = Player {
            caller: Caller::new(domain, Pingpong::NAME, lane, &self.plan),
            source: Source::new(self.plan.message_bytes, lane as u16, self.plan.verify),
            sink: Sink::new(self.plan.message_bytes),
            order: Order::new(self.plan.message_bytes, lane as u16 ^ 1),
            end: if lane.is_multiple_of(2) { pair.0 } else { pair.1 },
        };
        if lane.is_multiple_of(2) {
            player.ping(meter);
        } else {
            player.pong(meter);
        }
        player.caller.sums
    }

    fn counts(&self, lane: usize) -> bool {
        lane.is_multiple_of(2)
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Pingpong::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
