//! Each thread has a pair of its own, sends into one end and receives from the other:
//! will-it-scale's `unix1`.
//!
//! One operation is one message sent and received. Even operations send from the end with the lower
//! address ([`Event::Send`]), odd ones from the other ([`Event::SendHigher`]): where two sockets
//! are locked in address order, half of all sends must lock again, and which half is known only
//! here.
//!
//! A stream message that is longer than the socket's buffer goes in parts: what follows the first
//! part counts to the receive.
//!
//! # What this does not show
//!
//! No message crosses from one processor to another and nobody ever waits, so nothing is said about
//! wake-ups or cache lines that travel. The threads share what the whole layer shares and nothing
//! else: a backend that is fast here may still be slow on one busy socket (see `duplex`, `fanin`).

use lockimpls::{Errno, Layer, MsgFlags};

use crate::call::Caller;
use crate::message::{Order, Sink, Source};
use crate::sockets::{self, Pairs as Ends};
use crate::{Event, Kind, LaneSums, Meter, Plan, Question, Workload};

/// See the module's text.
pub struct Pairs;

impl Kind for Pairs {
    type On = On;
    const NAME: &'static str = "pairs";
    const ABOUT: &'static str = "each thread sends and receives on its own pair";
    const OPERATION: &'static str = "one message sent and received by the same thread";
    const QUESTION: Option<Question> =
        Some(Question { name: "private pairs", label: "private pairs", operation: "message" });
    const IS_USUAL: bool = true;
    const IS_PRIVATE: bool = true;

    fn fits(_plan: &Plan) -> Result<(), String> {
        Ok(())
    }
}

/// One pair for each lane.
pub struct On {
    plan: Plan,
    pairs: Ends,
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Pairs::NAME, lane, &self.plan);
        let mut source = Source::new(self.plan.message_bytes, lane as u16, self.plan.verify);
        let mut sink = Sink::new(self.plan.message_bytes);
        let mut order = Order::new(self.plan.message_bytes, lane as u16);
        let (lower, higher) = self.pairs[lane];
        let (mut ends, mut event) = ((lower, higher), Event::Send);
        meter.skip();
        while meter.running() {
            source.fill();
            caller.send(ends.0, &mut source, MsgFlags::DONTWAIT);
            meter.lap(event);
            caller.ferry(ends, &mut source, &mut sink);
            order.check(sink.message(), &caller.place);
            meter.lap(Event::Receive);
            ends = (ends.1, ends.0);
            event = if event == Event::Send { Event::SendHigher } else { Event::Send };
        }
        source.fill_end();
        caller.ferry(ends, &mut source, &mut sink);
        order.check(sink.message(), &caller.place);
        caller.sums
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Pairs::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
