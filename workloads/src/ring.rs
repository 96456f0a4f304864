//! The threads stand in a ring: thread i sends on pair i and receives on pair i-1, so every lock
//! order between neighbours occurs at once.
//!
//! One operation is one message sent to the next lane and one received from the one before. Each
//! lane begins a few messages ahead (up to 16, at most 4096 bytes). Sends never wait: while there
//! is no room the lane receives. A lane whose predecessor has ended ends too.
//!
//! # What this does not show
//!
//! The slowest lane sets the pace of all, so with more threads than processors this measures the
//! scheduler. A backend that locks in the wrong order need not deadlock here within a run; the
//! witness reports the order, not the luck.

use lockimpls::{Errno, Layer};

use crate::call::Caller;
use crate::exchange::Exchange;
use crate::sockets::{self, Pairs};
use crate::{Kind, LaneSums, Meter, Plan, Question, Workload};

/// See the module's text.
pub(crate) struct Ring;

impl Kind for Ring {
    type On = On;
    const NAME: &'static str = "ring";
    const ABOUT: &'static str =
        "each thread sends to the next one and receives from the one before";
    const OPERATION: &'static str = "one message sent and one received by the same thread";
    const QUESTION: Option<Question> =
        Some(Question { name: "neighbours", label: "in a ring", operation: "message" });

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.threads >= 2 {
            return Ok(());
        }
        Err(String::from("a ring has at least 2 threads; ask for --threads 2 or more"))
    }
}

/// One pair for each lane, from it to the next.
pub(crate) struct On {
    plan: Plan,
    pairs: Pairs,
}

impl Workload for On {
    fn new(domain: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = sockets::open_pairs(domain, plan.threads, plan.socket_type)?;
        Ok(On { plan: plan.clone(), pairs })
    }

    fn lane<M: Meter>(&self, domain: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let caller = Caller::new(domain, Ring::NAME, lane, &self.plan);
        let from = (lane + self.plan.threads - 1) % self.plan.threads;
        let (out, inward) = (self.pairs[lane].0, self.pairs[from].1);
        Exchange::new(caller, &self.plan, out, inward, from).run(&self.plan, meter).sums
    }

    fn finish(self, domain: &dyn Layer, sums: &[LaneSums]) {
        sockets::verify_all_received(Ring::NAME, domain.name(), sums);
        sockets::close_pairs(domain, self.pairs);
    }
}
