//! hackbench: groups of senders and receivers, each sender writing to every receiver of its group.
//!
//! A group has `fan` senders and `fan` receivers. Each receiver has a pair: it reads one end, and
//! all senders of the group share the other, as in hackbench. A sender's operation is one message
//! to each receiver; what is counted is one message received, so the receivers count. The messages
//! of each sender must arrive at each receiver in order.
//!
//! Lanes are the groups one after another, the senders of each before its receivers.
//!
//! # What this does not show
//!
//! Several threads on one end of a socket is what a lock-free path made for one cannot serve: here
//! it shows its slow path. With more threads than processors, as hackbench has it, the scheduler is
//! measured along with the locks.

use lockimpls::{Errno, Layer, SockType};

use crate::call::Caller;
use crate::message::{LANE_BYTES, Order, Sink, Source};
use crate::sockets::{self, Pairs};
use crate::{Event, Kind, LaneSums, Meter, Parameter, Plan, Question, Values, Workload};

/// The longest stream message that is never taken in parts while others send on the same socket:
/// MCLBYTES, the low-water mark of a send buffer, below which a sender waits.
const STREAM_BYTES_MAX: usize = 2048;

/// As many as there can be threads.
const MOST: Values = Values::Whole { most: 120 };
const GROUPS: Parameter = Parameter {
    flag: "groups",
    value_name: "N",
    about: "How many groups `groups` has",
    field: "groups",
    default: 1.0,
    values: MOST,
};
const FAN: Parameter = Parameter {
    flag: "fan",
    value_name: "N",
    about: "How many senders, and how many receivers, a group has",
    field: "fan",
    default: 1.0,
    values: MOST,
};

/// See the module's text.
pub(crate) struct Groups;

impl Kind for Groups {
    type On = On;
    const NAME: &'static str = "groups";
    const ABOUT: &'static str = "hackbench: groups of senders and receivers, all to all";
    const OPERATION: &'static str = "one message received";
    const QUESTION: Option<Question> =
        Some(Question { name: "many to one", label: "in groups", operation: "message" });

    const PARAMETERS: &'static [Parameter] = &[GROUPS, FAN];

    fn threads(plan: &Plan) -> Option<usize> {
        let [groups, fan] = numbers(plan);
        Some(groups.saturating_mul(fan).saturating_mul(2))
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        let threads = Groups::threads(plan).unwrap_or(0);
        if threads == 0 {
            return Err(String::from("there is nobody in it; ask for --groups 1 --fan 1 or more"));
        }
        let [groups, fan] = numbers(plan);
        if threads != plan.threads {
            return Err(format!(
                "{groups} groups of {fan} senders and receivers are {threads} threads, not {}; \
                 ask for --threads {threads}",
                plan.threads
            ));
        }
        let is_shared = plan.socket_type == SockType::Stream && fan > 1;
        if is_shared && plan.message_bytes > STREAM_BYTES_MAX {
            return Err(format!(
                "longer stream messages of several senders may be mixed; \
                 ask for --size {STREAM_BYTES_MAX} or less, or for --type seqpacket"
            ));
        }
        sockets::fits_bytes(plan, LANE_BYTES, "its sender's number")
    }
}

/// How many groups there are, and how many senders and receivers each has.
fn numbers(plan: &Plan) -> [usize; 2] {
    [GROUPS, FAN].map(|parameter| plan.value(&parameter) as usize)
}

/// One pair for each receiver.
pub(crate) struct On {
    plan: Plan,
    /// How many senders and how many receivers each group has.
    fan: usize,
    pairs: Pairs,
}

impl On {
    /// The group of a lane, and its place in it: `fan` senders, then `fan` receivers.
    fn place(&self, lane: usize) -> (usize, usize) {
        (lane / (2 * self.fan), lane % (2 * self.fan))
    }

    fn send<M: Meter>(&self, caller: &mut Caller<'_>, group: usize, meter: &mut M) {
        let lane = caller.place.lane as u16;
        let (fan, plan) = (self.fan, &self.plan);
        let ends = &self.pairs[group * fan..(group + 1) * fan];
        let mut sources: Vec<Source> =
            ends.iter().map(|_| Source::new(plan.message_bytes, lane, plan.verify)).collect();
        meter.skip();
        while meter.running() {
            for (source, (end, _)) in sources.iter_mut().zip(ends) {
                source.fill();
                caller.send_whole(*end, source, meter);
                meter.lap(Event::Send);
            }
        }
        for (source, (end, _)) in sources.iter_mut().zip(ends) {
            source.fill_end();
            caller.send_whole(*end, source, meter);
        }
    }

    fn receive<M: Meter>(&self, caller: &mut Caller<'_>, pair: usize, meter: &mut M) {
        let (fan, bytes) = (self.fan, self.plan.message_bytes);
        let first = pair / fan * 2 * fan;
        let mut sink = Sink::new(bytes);
        let mut orders: Vec<Order> =
            (0..fan).map(|sender| Order::new(bytes, (first + sender) as u16)).collect();
        let mut sending = fan;
        meter.skip();
        while sending > 0 {
            meter.running();
            caller.recv_whole(self.pairs[pair].1, &mut sink);
            let lane = usize::from(sink.origin() & 0xff);
            let at = lane.wrapping_sub(first).min(fan - 1);
            if orders[at].check(sink.message(), &caller.place) {
                sending -= 1;
            }
            meter.lap(Event::Receive);
        }
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let [groups, fan] = numbers(plan);
        let pairs = sockets::open_pairs(domain, groups * fan, plan.socket_type)?;
        Ok(On { plan: plan.clone(), fan, pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Groups::NAME, lane, &self.plan);
        let (group, place) = self.place(lane);
        match place.checked_sub(self.fan) {
            None => self.send(&mut caller, group, meter),
            Some(receiver) => {
                self.receive(&mut caller, group * self.fan + receiver, meter);
            }
        }
        caller.sums
    }

    fn counts(&self, lane: usize) -> bool {
        self.place(lane).1 >= self.fan
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Groups::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
