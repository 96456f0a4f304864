//! Both ends of one pair send and receive at once: two threads on the same two sockets.
//!
//! Lanes 2k and 2k+1 share a pair. One operation is one message sent and one received by the same
//! lane; both count. Each lane begins a few messages ahead (up to 16, at most 4096 bytes), so that
//! the two do not work in lockstep. Sends never wait: while there is no room the lane receives.
//!
//! # What this does not show
//!
//! Where both sockets are locked for every request, no backend can be twice as fast as one thread
//! here, however fine its locks; that is the point, and no fault of it. The latency of a receive
//! contains the wait for the other lane.

use lockimpls::{Errno, Layer};

use crate::call::Caller;
use crate::exchange::Exchange;
use crate::sockets::{self, Pairs};
use crate::{Kind, LaneSums, Meter, Plan, Question, Workload};

/// See the module's text.
pub(crate) struct Duplex;

impl Kind for Duplex {
    type On = On;
    const NAME: &'static str = "duplex";
    const ABOUT: &'static str = "two threads send and receive at once on one pair";
    const OPERATION: &'static str = "one message sent and one received by the same thread";
    const QUESTION: Option<Question> =
        Some(Question { name: "one busy pair", label: "both ways", operation: "message" });
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

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads / 2, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let caller = Caller::new(domain, Duplex::NAME, lane, &self.plan);
        let (first, second) = self.pairs[lane / 2];
        let end = if lane.is_multiple_of(2) { first } else { second };
        Exchange::new(caller, &self.plan, end, end, lane ^ 1).run(&self.plan, meter).sums
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Duplex::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
