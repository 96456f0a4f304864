//! `cargo bench --bench limits`: each backend of a run beside the parts it is made of and the peers
//! it is judged by.
//!
//! All in one run: the cases take turns in slices of about 10 ms, in an order drawn anew each
//! round, on a pinned thread. A figure is the median of the ratios of neighbours, over rounds in
//! which no thread had to wait for its CPU; beside it stand the quartiles. A time alone says
//! nothing on a shared machine, so none is judged.
//!
//! Without `--bench` (as `cargo test --benches` runs it), or with `--test`, each case runs once.
//! With any other argument it does nothing: `cargo bench -- FILTER` is meant for criterion.

/// Prints a line of the table; without a place for it there is nothing to go on for.
macro_rules! say {
    ($($argument:tt)*) => {
        if let Err(error) = solock::cmd::print(&(format!($($argument)*) + "\n")) {
            solock::tell!("limits: {error}");
            std::process::exit(solock::cmd::EXIT_USAGE);
        }
    };
}

mod one_thread;
mod ratio;
mod two_threads;

use solock::cpus::Cpus;
use solock::interrupt::Interrupt;
use solock::pool::{Lanes, Pin};
use solock::slice::Process;
use solock::tell;
use solock::watchdog::{self, Watchdog};

/// How long all of it may take.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Rounds of the cases of one thread.
    rounds: usize,
    /// The same for two threads, which take longer.
    rounds_of_two: usize,
    /// How long a slice is, in nanoseconds.
    slice_ns: u64,
}

const FULL: Effort = Effort { rounds: 61, rounds_of_two: 31, slice_ns: 10_000_000 };
const ONCE: Effort = Effort { rounds: 1, rounds_of_two: 1, slice_ns: 100_000 };

/// What stands above the figures.
const MEANING: &str = "\
How near does a backend come to the parts it is made of? \"x / y\" is the time (of streams and of
two threads: the speed) of x over that of y, measured in turns: the median over rounds, [the
quartiles].
  / (locks + copies)  1 would be a send and receive of nothing but its locks and copies
  / rtrb, / crossbeam-channel  the queues that users would take instead; under 1 is faster than they
  2 threads / 1       2 is twice the work with twice the threads; under 1 the second only disturbs
";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("--list") {
        say!("limits: benchmark");
        return;
    }
    // A filter, a baseline: whoever gives one speaks to criterion, which this is not.
    if arguments.iter().any(|argument| !["--bench", "--test"].contains(&argument.as_str())) {
        tell!("limits: left out, because criterion was given arguments");
        return;
    }
    let effort = if has("--bench") && !has("--test") { FULL } else { ONCE };
    if let Err(error) = run(effort) {
        tell!("limits: {error}");
        std::process::exit(1);
    }
}

fn run(effort: Effort) -> Result<(), String> {
    let cpus = Cpus::allowed()?;
    let process = Process {
        clock: quanta::Clock::new(),
        interrupt: Interrupt::catch()?,
        watchdog: Watchdog::start(watchdog::LIMIT)?,
    };
    say!("{MEANING}");
    let one = Lanes::start(1, &cpus, Pin::Each)?;
    one_thread::run(&one, &process, effort);
    if cpus.count() < 2 {
        say!("\ntwo threads: skipped, there is one CPU");
        return Ok(());
    }
    drop(one);
    two_threads::run(&cpus, &process, effort)?;
    say!("\npeak memory of this process: {}", solock::host::peak_memory());
    Ok(())
}
