//! Every workload on every backend, with every socket type and number of threads that fits: it
//! ends, all sums are right, and nothing is left.

use lockimpls::{Backend, Config, SockType, WaitStrategy};
use workloads::testing::{self, Outcome};
use workloads::{Event, Kind, Own, Parameter, Plan};

fn plan(threads: usize, socket_type: SockType, message_bytes: usize, verify: bool) -> Plan {
    Plan {
        threads,
        socket_type,
        message_bytes,
        verify,
        own: Own::from_iter([("rate_asked", 100_000.0), ("fan", 2.0)]),
        seed: 1,
    }
}

/// The usual sizes, but no more sockets than are opened here.
fn config() -> Config {
    Config { sockets_max: 256, ..Config::default() }
}

/// Calls `each` for every backend and workload.
fn for_all(each: &impl Cell) {
    struct On<'a, C>(&'a C, Backend);
    impl<C: Cell> workloads::Visitor for On<'_, C> {
        fn visit<K: Kind>(&mut self) {
            self.0.on::<K>(&self.1);
        }
    }
    for backend in lockimpls::backends() {
        workloads::visit_all(&mut On(each, backend));
    }
}

/// What is done with one workload on one backend.
trait Cell {
    fn on<K: Kind>(&self, backend: &Backend);
}

/// Runs the plan if it fits, with the number of threads that the workload wants.
fn run<K: Kind>(
    backend: &Backend,
    config: &Config,
    mut plan: Plan,
    operations: u64,
) -> Option<(Plan, Outcome)> {
    plan.threads = K::threads(&plan).unwrap_or(plan.threads);
    K::fits(&plan).ok()?;
    let outcome = testing::run::<K>(backend, config, &plan, operations);
    Some((plan, outcome))
}

#[test]
fn every_type_and_number_of_threads() {
    struct All;
    impl Cell for All {
        fn on<K: Kind>(&self, backend: &Backend) {
            let mut ran = 0;
            for socket_type in SockType::ALL {
                for threads in 1..=4 {
                    let plan = plan(threads, socket_type, 64, false);
                    let Some((plan, outcome)) = run::<K>(backend, &config(), plan, 2000) else {
                        continue;
                    };
                    ran += 1;
                    let cell = format!("{} on {}, {plan:?}: {outcome:?}", K::NAME, backend.name);
                    assert!(outcome.operations > 0, "{cell}");
                    assert!(outcome.laps.iter().any(|laps| *laps > 0), "{cell}");
                    // A short churn may find nobody at home at all; it has a test of its own.
                    let sent = outcome.sums.iter().any(|sums| sums.messages_sent > 0);
                    assert!(sent || K::NAME == "churn", "{cell}");
                }
            }
            assert!(ran > 0, "{} fits nothing", K::NAME);
        }
    }
    for_all(&All);
}

#[test]
fn every_length_with_every_byte_checked() {
    struct All;
    impl Cell for All {
        fn on<K: Kind>(&self, backend: &Backend) {
            for socket_type in SockType::ALL {
                for message_bytes in [1, 2, 3, 5, 8, 15, 16, 17, 1000] {
                    run::<K>(backend, &config(), plan(2, socket_type, message_bytes, true), 300);
                }
            }
        }
    }
    for_all(&All);
}

#[test]
fn stream_messages_longer_than_any_buffer() {
    struct All;
    impl Cell for All {
        fn on<K: Kind>(&self, backend: &Backend) {
            for threads in 1..=3 {
                for (message_bytes, operations) in [(10_000, 100), (1 << 20, 5)] {
                    let plan = plan(threads, SockType::Stream, message_bytes, false);
                    run::<K>(backend, &config(), plan, operations);
                }
            }
        }
    }
    for_all(&All);
}

#[test]
fn every_way_to_wait() {
    struct All;
    impl Cell for All {
        fn on<K: Kind>(&self, backend: &Backend) {
            for wait in WaitStrategy::ALL {
                for socket_type in SockType::ALL {
                    let config = Config { wait, ..config() };
                    run::<K>(backend, &config, plan(2, socket_type, 64, false), 500);
                }
            }
        }
    }
    for_all(&All);
}

#[test]
fn a_round_without_operations_ends_too() {
    struct All;
    impl Cell for All {
        fn on<K: Kind>(&self, backend: &Backend) {
            for socket_type in SockType::ALL {
                for threads in 1..=4 {
                    let outcome =
                        run::<K>(backend, &config(), plan(threads, socket_type, 64, false), 0);
                    if let Some((_, outcome)) = outcome {
                        assert_eq!(outcome.operations, 0, "{}", K::NAME);
                        assert_eq!(outcome.laps, [0; workloads::EVENTS], "{}", K::NAME);
                    }
                }
            }
        }
    }
    for_all(&All);
}

#[test]
fn churn_delivers_and_refuses() {
    struct Churn;
    impl Cell for Churn {
        fn on<K: Kind>(&self, backend: &Backend) {
            if K::NAME != "churn" {
                return;
            }
            for socket_type in SockType::ALL {
                let (mut received, mut refused) = (0, 0);
                // Whether the two lanes meet is luck on a busy machine; not to meet in all is not.
                for _ in 0..20 {
                    let plan = plan(2, socket_type, 64, true);
                    let operations = if backend.modelled { 20_000 } else { 1000 };
                    let (_, outcome) = run::<K>(backend, &config(), plan, operations).unwrap();
                    received += outcome.sums[1].messages_received;
                    refused += outcome.sums[0].refusals;
                    if received > 0 && refused > 0 {
                        break;
                    }
                }
                assert!(received > 0, "{} {socket_type:?} delivered nothing", backend.name);
                assert!(refused > 0, "{} {socket_type:?} refused nothing", backend.name);
            }
        }
    }
    for_all(&Churn);
}

#[test]
fn pairs_sends_half_of_all_from_each_end() {
    struct Pairs;
    impl Cell for Pairs {
        fn on<K: Kind>(&self, backend: &Backend) {
            if K::NAME != "pairs" {
                return;
            }
            let plan = plan(2, SockType::Stream, 64, false);
            let (_, outcome) = run::<K>(backend, &config(), plan, 1000).unwrap();
            assert_eq!(outcome.operations, 2000);
            assert_eq!(outcome.laps[Event::Send as usize], 1000);
            assert_eq!(outcome.laps[Event::SendHigher as usize], 1000);
            assert_eq!(outcome.laps[Event::Receive as usize], 2000);
        }
    }
    for_all(&Pairs);
}

#[test]
fn who_does_not_fit_says_what_to_ask_for() {
    struct All;
    impl workloads::Visitor for All {
        fn visit<K: Kind>(&mut self) {
            for socket_type in SockType::ALL {
                for (threads, bytes, rate) in [(1, 1, 1.0), (3, 64, 0.0), (4, 1 << 20, f64::NAN)] {
                    let mut plan = plan(threads, socket_type, bytes, false);
                    plan.own = Own::from_iter([("rate_asked", rate), ("fan", 2.0)]);
                    if let Err(why) = K::fits(&plan) {
                        assert!(why.contains("ask for --"), "{}: {why}", K::NAME);
                    }
                }
            }
        }
    }
    workloads::visit_all(&mut All);
}

#[test]
fn names_are_words_and_are_different() {
    struct Names(Vec<&'static str>, Vec<Parameter>);
    impl workloads::Visitor for Names {
        fn visit<K: Kind>(&mut self) {
            assert!(K::NAME.bytes().all(|byte| byte.is_ascii_lowercase()), "{}", K::NAME);
            assert!(!K::ABOUT.is_empty() && !K::OPERATION.is_empty());
            assert!(!self.0.contains(&K::NAME), "{}", K::NAME);
            self.0.push(K::NAME);
            for parameter in K::PARAMETERS {
                assert_eq!(parameter.check(parameter.default), Ok(()), "{parameter:?}");
                let other = self
                    .1
                    .iter()
                    .find(|other| other.flag == parameter.flag || other.field == parameter.field);
                assert_eq!(other, None, "{parameter:?}");
                self.1.push(*parameter);
            }
        }
    }
    let mut names = Names(Vec::new(), Vec::new());
    workloads::visit_all(&mut names);
    assert_eq!(names.0.len(), 11);
}
