//! `paced`: responses from the plan, services from the start.

use super::*;

/// What `paced` records of operations that take two calls, one of which stalls.
fn paced(stall: (u64, u64)) -> (Vec<(u64, u64)>, String) {
    struct Find((u64, u64), Vec<(u64, u64)>, String);
    impl workloads::Visitor for Find {
        fn visit<K: Kind>(&mut self) {
            if K::NAME != "paced" {
                return;
            }
            let (done, latencies) = run::<K>(&plan(1, SockType::Stream), 20, self.0).remove(0);
            let of =
                |event| latencies.iter().filter(move |(of, _)| *of == event).map(|(_, ns)| *ns);
            self.1 = of(Event::Response).zip(of(Event::Service)).collect();
            self.2 = done;
        }
    }
    let mut find = Find(stall, Vec::new(), String::new());
    workloads::visit_all(&mut find);
    (find.1, find.2)
}

/// More than the readings of an operation take.
const SLACK_NS: u64 = 10;

#[track_caller]
fn is_about(is: u64, must_be: u64) {
    assert!(is >= must_be && is <= must_be + SLACK_NS, "{is} for {must_be}");
}

#[test]
fn paced_measures_responses_from_the_plan_and_services_from_the_start() {
    const PERIOD_NS: u64 = 10_000;
    const STALL_NS: u64 = 45_000;
    let (latencies, done) = paced((0, 0));
    assert_eq!(done, format!("{}.vsv", "rsvPV".repeat(20)));
    assert_eq!(latencies.len(), 20);
    for (response, service) in latencies {
        is_about(response, 2 * CALL_NS);
        is_about(service, 2 * CALL_NS);
    }
    // The send of the sixth operation, the eleventh call, stalls: those planned meanwhile are late.
    let (latencies, _) = paced((11, STALL_NS));
    let mut late_ns = 0;
    for (index, (response, service)) in latencies.into_iter().enumerate() {
        let takes = if index == 5 { STALL_NS + CALL_NS } else { 2 * CALL_NS };
        is_about(service, takes);
        // Each late operation adds its own readings.
        let slack = SLACK_NS * index as u64;
        let planned = late_ns + takes;
        assert!(
            response >= planned && response <= planned + slack + SLACK_NS,
            "{index}: {response}"
        );
        late_ns = planned.saturating_sub(PERIOD_NS);
    }
}

#[test]
fn paced_ends_when_the_next_operation_is_due() {
    for operations in [1, 2, 20] {
        struct Find(u64, u64);
        impl workloads::Visitor for Find {
            fn visit<K: Kind>(&mut self) {
                if K::NAME == "paced" {
                    let plan = plan(1, SockType::Stream);
                    let layer = lockimpls::backends()[0];
                    let layer = (layer.open)(&Config::default()).unwrap();
                    let on = K::On::new(&*layer, &plan).unwrap();
                    NOW_NS.set(0);
                    let mut meter = Ending { left: self.0, ended_ns: 0 };
                    let sums = on.lane(&*layer, 0, &mut meter);
                    on.finish(&*layer, &[sums]);
                    self.1 = meter.ended_ns;
                }
            }
        }
        let mut find = Find(operations, 0);
        workloads::visit_all(&mut find);
        is_about(find.1, operations * 10_000);
    }
}

/// Says when it was asked for an operation that it refused.
struct Ending {
    left: u64,
    ended_ns: u64,
}

impl Meter for Ending {
    fn running(&mut self) -> bool {
        if self.left == 0 {
            self.ended_ns = NOW_NS.get();
            return false;
        }
        self.left -= 1;
        true
    }

    fn lap(&mut self, _: Event) {}

    fn skip(&mut self) {}

    fn now_ns(&self) -> u64 {
        pass(READING_NS);
        NOW_NS.get()
    }

    fn stopping(&self) -> bool {
        self.left == 0
    }

    fn record(&mut self, _: Event, _: u64) {}
}
