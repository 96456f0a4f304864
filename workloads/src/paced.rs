//! An open loop: each thread sends and receives on its own pair at planned moments, whether or not
//! the one before was in time.
//!
//! Operation i of a lane is planned for i/R seconds after the lane began (R is `--rate`). A round
//! begins with an operation and ends when the next one is due, so that N operations have N periods.
//! [`Event::Response`] is measured from the plan, [`Event::Service`] from the real start. A late
//! operation starts at once, and none is skipped, so one long pause makes every operation that was
//! planned in it late: a closed loop would have shown one slow operation. One operation is one
//! message sent and received by the same thread, as in `pairs`.
//!
//! # What this does not show
//!
//! The threads spin until the planned moment, so they compete for nothing but what they measure,
//! and the machine is never idle as it would be under a real load of this rate. Where the achieved
//! rate stays below the one asked for, the response times say only how long the run was.

use lockimpls::{Errno, Layer, MsgFlags};

use crate::call::Caller;
use crate::message::{Order, Sink, Source};
use crate::sockets::{self, Pairs};
use crate::{Event, Kind, LaneSums, Meter, Parameter, Plan, Values, Workload};

/// A lane whose next operation is no further off than this, one second, waits for it at the end of
/// a round; one with a slower pace ends at once, and may have one operation more than periods.
const LAST_PERIOD_MAX_NS: f64 = 1e9;

/// How far off a moment must be for the lane to let others run while it waits.
const YIELD_NS: u64 = 200_000;

/// R.
const RATE: Parameter = Parameter {
    flag: "rate",
    value_name: "PER_SECOND",
    about: "Operations per second and thread of `paced`",
    field: "rate_asked",
    default: 10_000.0,
    values: Values::Above0 { most: 1e9 },
};

/// See the module's text.
pub(crate) struct Paced;

impl Kind for Paced {
    type On = On;
    const NAME: &'static str = "paced";
    const ABOUT: &'static str = "each thread sends and receives on its own pair at planned moments";
    const OPERATION: &'static str =
        "one message sent and received by the same thread, on time or late";

    const PARAMETERS: &'static [Parameter] = &[RATE];

    fn pace(plan: &Plan) -> Option<f64> {
        Some(plan.value(&RATE))
    }

    fn fits(plan: &Plan) -> Result<(), String> {
        let rate = plan.value(&RATE);
        let no_pace =
            |_| format!("{rate} operations per second is no pace; ask for --rate 1000, say");
        RATE.check(rate).map_err(no_pace)
    }
}

/// One pair for each lane.
pub(crate) struct On {
    plan: Plan,
    pairs: Pairs,
}

/// Waits until the moment has come; if asked to, no longer than the round. Says when it is now.
fn wait_until<M: Meter>(planned_ns: u64, ends_early: bool, meter: &M) -> u64 {
    loop {
        let now = meter.now_ns();
        if now >= planned_ns || (ends_early && meter.stopping()) {
            return now;
        }
        if planned_ns - now > YIELD_NS {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let mut caller = Caller::new(domain, Paced::NAME, lane, &self.plan);
        let mut source = Source::new(self.plan.message_bytes, lane as u16, self.plan.verify);
        let mut sink = Sink::new(self.plan.message_bytes);
        let mut order = Order::new(self.plan.message_bytes, lane as u16);
        let ends = self.pairs[lane];
        let (began, period_ns) = (meter.now_ns(), 1e9 / self.plan.value(&RATE));
        let ends_early = period_ns > LAST_PERIOD_MAX_NS;
        let mut operation = 0u64;
        loop {
            let planned = began + (operation as f64 * period_ns) as u64;
            let started = wait_until(planned, ends_early, meter);
            if !meter.running() {
                break;
            }
            source.fill();
            caller.send(ends.0, &mut source, MsgFlags::DONTWAIT);
            caller.ferry(ends, &mut source, &mut sink);
            order.check(sink.message(), &caller.place);
            let ended = meter.now_ns();
            meter.record(Event::Response, ended.saturating_sub(planned));
            meter.record(Event::Service, ended.saturating_sub(started));
            operation += 1;
        }
        source.fill_end();
        caller.ferry(ends, &mut source, &mut sink);
        order.check(sink.message(), &caller.place);
        caller.sums
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Paced::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
