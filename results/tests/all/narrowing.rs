//! What an interval is worth when a run ends because it is narrow: thousands of ratios on a machine
//! that is made up.
//!
//! `cargo test -p results narrowing -- --nocapture` prints the table in `bench/COMPARING.md`.

use rayon::prelude::*;
use results::narrow;

use crate::synthetic::{BUSY, FLICKERING, Machine, Order, QUIET, Source};

const RATIOS: u64 = 2000;
/// What the second side does of the first.
const TRUTH: f64 = 1.0;
/// About how many launches a group has in a run of the default length.
const DEFAULT_PAIRS: u32 = 15;
/// Turns in a launch of `solock run`.
const TURNS: usize = 3;

/// How a ratio ended: its pairs, the half-width, and whether the interval holds the truth.
struct Ended {
    pairs: u32,
    half_width: f64,
    covers: bool,
}

/// Adds pairs until the interval is narrow at a look, or there are so many.
fn ratio(machine: Machine, within: f64, pairs_max: u32, seed: u64) -> Ended {
    let mut source = Source::new(machine, TRUTH, seed);
    let mut log_ratios = Vec::new();
    for pairs in 1.. {
        log_ratios.push(source.pair(TURNS, Order::Coin));
        if pairs < pairs_max && !narrow::is_look(pairs) {
            continue;
        }
        let found = narrow::interval(&log_ratios).expect("enough pairs");
        let half_width = narrow::half_width(&found);
        if pairs == pairs_max || half_width <= within {
            return Ended { pairs, half_width, covers: (found.low..=found.high).contains(&TRUTH) };
        }
    }
    unreachable!("the last number of pairs ends it")
}

fn shares(name: &str, machine: Machine, within: f64, pairs_max: u32) -> f64 {
    let of = |seed| ratio(machine, within, pairs_max, seed);
    let ended: Vec<Ended> = (0..RATIOS).into_par_iter().map(of).collect();
    let mean = |of: fn(&Ended) -> f64| ended.iter().map(of).sum::<f64>() / ended.len() as f64;
    let covers = mean(|one| f64::from(u8::from(one.covers)));
    println!(
        "| {name} | {:.0} % | {pairs_max} | {:.1} | {:.1} % | {:.1} % |",
        within * 100.0,
        mean(|one| f64::from(one.pairs)),
        mean(|one| one.half_width) * 100.0,
        covers * 100.0,
    );
    covers
}

#[test]
fn an_interval_that_ended_a_run_holds_the_truth_as_it_says() {
    for (name, machine) in [("quiet", QUIET), ("busy", BUSY), ("flickering", FLICKERING)] {
        for (within, pairs_max) in [(0.03, DEFAULT_PAIRS), (0.1, DEFAULT_PAIRS), (0.03, 150)] {
            let covers = shares(name, machine, within, pairs_max);
            assert!(covers >= narrow::LEVEL - 0.005, "{name}: {covers}");
        }
    }
}
