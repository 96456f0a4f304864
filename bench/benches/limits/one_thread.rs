//! One thread: the yardsticks, and a 64-byte stream message sent and received on each backend of a
//! run.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use lockimpls::raw::AnyLock;
use lockimpls::{Algorithm, Backend, Config, MsgFlags, SockType, calibrate, witness};
use solock::echo;
use solock::matrix;
use solock::noise::Snapshot;
use solock::pool::Lanes;
use solock::slice::Process;

use crate::Effort;
use crate::ratio::report;

/// The workload's lane on a layer that only copies, the same calls alone, and what they do behind
/// the boundary.
const LANE: &str = "pairs on a layer that only copies";
const CALLS: &str = "the same calls without the workload";
const COPIES: &str = "the same without the boundary";

/// A 64-byte message.
const MESSAGE: [u8; 64] = [0x5a; 64];

/// Something that is done `n` times.
type Case = (String, Box<dyn FnMut(u64) + Send>);

/// Nanoseconds per operation of each case in each round; `None` where the thread had to wait for
/// its CPU.
type Times = Vec<(String, Vec<Option<f64>>)>;

/// Measures and prints.
pub(crate) fn run(lanes: &Lanes, process: &Process, effort: Effort) {
    let mut cases = yardsticks();
    cases.extend(matrix::usual_backends().iter().map(backend));
    cases.push((LANE.to_owned(), Box::new(echo::lane())));
    cases.push((CALLS.to_owned(), Box::new(echo::calls())));
    cases.push((COPIES.to_owned(), Box::new(echo::copies())));
    let times = measure(lanes, process, &mut cases, effort);
    print_times(&times);
    print_ratios(&times);
}

fn yardsticks() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut add =
        |name: &str, case: Box<dyn FnMut(u64) + Send>| cases.push((name.to_owned(), case));
    let counter = AtomicU64::new(0);
    add(
        "atomic RMW",
        Box::new(move |n| {
            for _ in 0..n {
                black_box(&counter).fetch_add(1, Ordering::Relaxed);
            }
        }),
    );
    add("lock + unlock, checked", Box::new(calibrate::lock_pairs_checked));
    add("lock + unlock, unchecked", Box::new(calibrate::lock_pairs_unchecked));
    let mut to = MESSAGE;
    add(
        "copy of 64 bytes",
        Box::new(move |n| {
            for _ in 0..n {
                // A length that is not known when this is compiled, as a message's is not.
                let length = black_box(MESSAGE.len());
                black_box(&mut to[..length]).copy_from_slice(black_box(&MESSAGE[..length]));
            }
        }),
    );
    let clock = quanta::Clock::new();
    add(
        "clock",
        Box::new(move |n| {
            (0..n).for_each(|_| {
                black_box(clock.raw());
            })
        }),
    );
    let mut histogram = results::histogram::new();
    add(
        "histogram record",
        Box::new(move |n| {
            for i in 0..n {
                histogram.saturating_record(black_box(100 + i % 1024));
            }
        }),
    );
    cases.extend(locks());
    cases.extend(peers());
    cases
}

/// The algorithms that can stand under the layer's locks, each compiled for itself, and as `--lock`
/// has it: the lock is asked which it is.
fn locks() -> impl Iterator<Item = Case> {
    Algorithm::ALL.into_iter().flat_map(|lock| {
        let own = move |n| calibrate::lock_pairs_of(lock, n);
        let asked = move |n| calibrate::lock_pairs_asked::<AnyLock>(lock, false, n);
        let name = format!("lock + unlock, {}", lock.name());
        let asked: Case = (format!("{name}, asked"), Box::new(asked));
        [(name, Box::new(own) as _), asked]
    })
}

fn peers() -> Vec<Case> {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<[u8; 64]>::new(128);
    let ring = move |n| {
        for _ in 0..n {
            assert!(producer.push(black_box(MESSAGE)).is_ok());
            assert!(black_box(consumer.pop()).is_ok());
        }
    };
    let (sender, receiver) = crossbeam_channel::bounded::<[u8; 64]>(128);
    let channel = move |n| {
        for _ in 0..n {
            assert!(sender.try_send(black_box(MESSAGE)).is_ok());
            assert!(black_box(receiver.try_recv()).is_ok());
        }
    };
    vec![("rtrb".to_owned(), Box::new(ring)), ("crossbeam-channel".to_owned(), Box::new(channel))]
}

/// A message there and back on a backend.
fn backend(backend: &Backend) -> Case {
    let layer = (backend.open)(&Config::default()).expect("a layer");
    let (a, b) = layer.socketpair(SockType::Stream).expect("a pair");
    let mut data = [0; 64];
    let there_and_back = move |n| {
        for _ in 0..n {
            assert_eq!(layer.send(a, black_box(&MESSAGE), MsgFlags::empty()), Ok(64));
            assert_eq!(layer.recv(b, black_box(&mut data), MsgFlags::empty()), Ok(64));
        }
    };
    (backend.name.to_owned(), Box::new(there_and_back))
}

/// How many locks that backend takes for it, counted at the second message.
fn locks_of(name: &str) -> u64 {
    let backends = matrix::usual_backends();
    let found = backends.iter().find(|backend| backend.name == name).expect("a backend");
    let (_, mut there_and_back) = backend(found);
    there_and_back(1);
    let before = witness::counters();
    there_and_back(1);
    witness::counters().since(&before).acquisitions()
}

fn measure(lanes: &Lanes, process: &Process, cases: &mut [Case], effort: Effort) -> Times {
    let cases = std::sync::Mutex::new(cases);
    lanes.run_on_first(|| {
        let mut cases = cases.lock().expect("nobody else runs");
        let counts: Vec<u64> = cases.iter_mut().map(|case| fit(case, process, effort)).collect();
        let mut times: Times =
            cases.iter().map(|(name, _)| (name.clone(), vec![None; effort.rounds])).collect();
        let mut order: Vec<usize> = (0..cases.len()).collect();
        for round in 0..effort.rounds {
            fastrand::shuffle(&mut order);
            for &at in &order {
                times[at].1[round] = slice(lanes, process, &mut cases[at], counts[at]);
            }
        }
        times
    })
}

/// How often the case is done in a slice. Also its warm-up.
fn fit((_, case): &mut Case, process: &Process, effort: Effort) -> u64 {
    let mut n = 16;
    loop {
        let start = process.clock.raw();
        case(n);
        let took = process.clock.delta_as_nanos(start, process.clock.raw());
        if took >= effort.slice_ns / 2 {
            return (n * effort.slice_ns / took.max(1)).max(1);
        }
        n *= 2;
    }
}

fn slice(lanes: &Lanes, process: &Process, (_, case): &mut Case, n: u64) -> Option<f64> {
    let before = Snapshot::take(lanes.tasks());
    let start = process.clock.raw();
    case(n);
    let took = process.clock.delta_as_nanos(start, process.clock.raw());
    let noise = Snapshot::take(lanes.tasks()).since(&before, std::time::Duration::from_nanos(took));
    (!noise.flagged).then_some(took as f64 / n as f64)
}

fn of<'a>(times: &'a Times, name: &str) -> &'a [Option<f64>] {
    times.iter().find(|(case, _)| case == name).map_or(&[], |(_, values)| values)
}

fn print_times(times: &Times) {
    say!("one thread, nanoseconds (for orientation: only ratios of one run are to be trusted)");
    for (name, values) in times {
        let quiet: Vec<f64> = values.iter().copied().flatten().collect();
        report(&format!("  {name}"), &quiet, " ns");
    }
}

/// The ratio, round by round, of `case` to a sum of yardsticks, each taken so many times.
fn ratios(times: &Times, case: &str, yardsticks: &[(f64, &str)]) -> Vec<f64> {
    let rounds = of(times, case).iter().enumerate();
    let ratio = |(round, value): (usize, &Option<f64>)| {
        let parts: Option<f64> =
            yardsticks.iter().map(|(count, name)| Some(count * of(times, name)[round]?)).sum();
        Some((*value)? / parts?)
    };
    rounds.filter_map(ratio).collect()
}

fn print_ratios(times: &Times) {
    say!("\none thread, 64 bytes, send + receive: ratios");
    let (lock, copy) = ("lock + unlock, checked", "copy of 64 bytes");
    let one = |name| vec![(1.0, name)];
    let show = |name: &str, case, parts: &[(f64, &str)]| {
        report(name, &ratios(times, case, parts), " x");
    };
    for backend in ["global", "per-socket", "per-buffer"] {
        let locks = locks_of(backend);
        let name = format!("{backend} / ({locks} locks + 3 copies)");
        show(&name, backend, &[(locks as f64, lock), (3.0, copy)]);
    }
    show("lock-free / crossbeam-channel", "lock-free", &one("crossbeam-channel"));
    show("lock-free / rtrb", "lock-free", &one("rtrb"));
    for backend in ["global", "per-socket", "per-buffer", "lock-free"] {
        let name = format!("host / {backend}");
        show(&name, "host", &one(backend));
    }
    print_checker(times, lock, "lock + unlock, unchecked");
    let around = difference(times, LANE, CALLS);
    report("loop around an operation", &around, " ns");
    let global = of(times, "global").iter().copied().flatten().collect::<Vec<f64>>();
    if let Some(global) = results::stats::median(&global) {
        let share: Vec<f64> = around.iter().map(|ns| 100.0 * ns / global).collect();
        report("loop, of global's operation", &share, " %");
    }
    let boundary = difference(times, CALLS, COPIES);
    let boundary: Vec<f64> = boundary.iter().map(|ns| ns / 2.0).collect();
    report("boundary, per call", &boundary, " ns");
}

/// What the checker costs.
fn print_checker(times: &Times, checked: &str, unchecked: &str) {
    let ns = difference(times, checked, unchecked);
    let percent: Vec<f64> =
        ratios(times, checked, &[(1.0, unchecked)]).iter().map(|r| 100.0 * (r - 1.0)).collect();
    report("checker, per lock + unlock", &ns, " ns");
    report("checker, of a lock + unlock", &percent, " %");
}

/// What one case takes longer than another, round by round.
fn difference(times: &Times, longer: &str, shorter: &str) -> Vec<f64> {
    let pairs = of(times, longer).iter().zip(of(times, shorter));
    pairs.filter_map(|(longer, shorter)| Some((*longer)? - (*shorter)?)).collect()
}
