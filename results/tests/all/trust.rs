//! What the sequential rule is worth: thousands of comparisons on a machine that is made up.
//!
//! `cargo test -p results trust -- --nocapture` prints the table in `bench/COMPARING.md`.

use std::ops::RangeInclusive;

use rayon::prelude::*;
use results::Verdict;
use results::verdict::{Better, FAMILY_ERROR, Rule};

use crate::synthetic::{BUSY, FLICKERING, Machine, Order, QUIET, Source};

const COMPARISONS: u64 = 1000;
/// About how many pairs of two or three quads a minute has room for.
const MINUTE_PAIRS: u32 = 90;
/// About how many pairs of [`COMPARE_QUADS`].
const COMPARE_MINUTE_PAIRS: u32 = 60;
/// How many quads `solock compare` puts into a pair.
const COMPARE_QUADS: usize = 6;
/// As many as the rule ever takes: four minutes.
const PAIRS_MAX: u32 = 375;
/// Quads in a pair, unless said otherwise.
const QUADS: usize = 2;

/// What is compared, and how.
#[derive(Clone)]
struct Setting {
    machine: Machine,
    rule: Rule,
    quads: usize,
    order: Order,
    pairs_max: u32,
    /// Layouts of each side; none: where code lies is worth nothing.
    layouts: usize,
}

impl Setting {
    fn new(machine: Machine) -> Setting {
        let (rule, order) = (Rule::default(), Order::Coin);
        Setting { machine, rule, quads: QUADS, order, pairs_max: MINUTE_PAIRS, layouts: 0 }
    }

    fn with_pairs(self, pairs_max: u32) -> Setting {
        Setting { pairs_max, ..self }
    }

    fn with_quads(self, quads: usize) -> Setting {
        Setting { quads, ..self }
    }

    fn with_layouts(self, layouts: usize) -> Setting {
        Setting { layouts, ..self }
    }

    /// The pairs of `solock compare` that a minute has room for.
    fn with_compare_quads(self) -> Setting {
        self.with_quads(COMPARE_QUADS).with_pairs(COMPARE_MINUTE_PAIRS)
    }
}

/// How one comparison ended.
struct Ended {
    verdict: Verdict,
    pairs: u32,
    covered: bool,
    log_ratios: Vec<f64>,
}

/// Adds pairs until the rule has enough.
fn compare(setting: &Setting, ratio: f64, seed: u64) -> Ended {
    let Setting { machine, rule, quads, order, pairs_max, layouts } = setting;
    let mut source = Source::new(*machine, ratio, seed).with_layouts(*layouts);
    let mut log_ratios = Vec::new();
    loop {
        let next = rule.next_look(log_ratios.len() as u32 + 1).unwrap_or(*pairs_max);
        let wanted = next.min(*pairs_max) as usize;
        log_ratios.resize_with(wanted, || source.pair(*quads, *order));
        let spent = wanted == *pairs_max as usize;
        let decision = rule.look(&log_ratios, Better::Higher, spent);
        if decision.is_final {
            let estimate = decision.estimate.expect("enough pairs");
            return Ended {
                verdict: decision.verdict,
                pairs: estimate.pairs,
                covered: (estimate.low..=estimate.high).contains(&ratio),
                log_ratios,
            };
        }
    }
}

/// How a thousand ended, as shares.
struct Shares {
    faster: f64,
    slower: f64,
    same: f64,
    covered: f64,
    mean_pairs: f64,
}

impl Shares {
    fn decided(&self) -> f64 {
        self.faster + self.slower
    }
}

fn thousand(setting: &Setting, ratio: f64) -> Vec<Ended> {
    // Seeds of their own for every ratio, so that the rows of the table are independent.
    let first = (ratio * 1000.0) as u64 * COMPARISONS;
    (0..COMPARISONS).into_par_iter().map(|seed| compare(setting, ratio, first + seed)).collect()
}

fn shares(name: &str, setting: &Setting, ratio: f64) -> Shares {
    let ended = thousand(setting, ratio);
    let of_all = |count: usize| count as f64 / ended.len() as f64;
    let share = |verdict| of_all(ended.iter().filter(|end| end.verdict == verdict).count());
    let shares = Shares {
        faster: share(Verdict::Faster),
        slower: share(Verdict::Slower),
        same: share(Verdict::Same),
        covered: of_all(ended.iter().filter(|end| end.covered).count()),
        mean_pairs: of_all(ended.iter().map(|end| end.pairs as usize).sum()),
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    println!(
        "| {name} | {} | {} | {:.0} % | {} | {} | {} | {} | {:.0} | {} |",
        setting.quads,
        setting.pairs_max,
        (1.0 - ratio) * 100.0,
        percent(shares.faster),
        percent(shares.slower),
        percent(shares.same),
        percent(share(Verdict::Unclear)),
        shares.mean_pairs,
        percent(shares.covered),
    );
    shares
}

#[test]
fn a_busy_machine() {
    let setting = Setting::new(BUSY).with_pairs(120);
    let rows = [1.0, 0.98, 0.95, 0.9].map(|ratio| shares("busy", &setting, ratio));
    let [same, two, five, ten] = &rows;
    assert!(same.decided() <= 0.02);
    assert!(two.slower >= 0.15);
    assert!(five.slower >= 0.95 && five.mean_pairs <= 75.0);
    assert!(ten.slower >= 0.99 && ten.mean_pairs <= 35.0);
    for row in &rows {
        assert!(row.covered >= 0.97);
    }
    for row in &rows[1..] {
        assert!(row.faster <= 0.01);
    }
}

#[test]
fn a_busy_machine_for_a_minute() {
    let two_quads = Setting::new(BUSY);
    let three_quads = two_quads.clone().with_quads(3);
    let as_compare = Setting::new(BUSY).with_compare_quads();
    let settings = [(two_quads, 0.75), (three_quads, 0.95), (as_compare, 0.9)];
    for (setting, found_at_four_percent) in settings {
        let rows = [1.0, 0.96, 0.92].map(|ratio| shares("busy", &setting, ratio));
        let [same, four, eight] = &rows;
        assert!(same.decided() <= 0.02);
        assert!(four.slower >= found_at_four_percent && four.faster <= 0.002);
        assert!(eight.slower >= 0.995 && eight.faster == 0.0);
        assert!(rows.iter().all(|row| row.covered >= 0.97));
    }
}

#[test]
fn a_flickering_machine_wants_more_quads() {
    let few = Setting::new(FLICKERING).with_quads(3);
    let as_compare = Setting::new(FLICKERING).with_compare_quads();
    let [few, many] = [few, as_compare].map(|setting| {
        let rows = [1.0, 0.96, 0.92].map(|ratio| shares("flickering", &setting, ratio));
        assert!(rows[0].decided() <= 0.02 && rows.iter().all(|row| row.covered >= 0.97));
        rows
    });
    assert!(many[1].slower >= few[1].slower + 0.05 && many[2].slower >= 0.995);
}

#[test]
fn more_time_finds_smaller_changes() {
    let setting = Setting::new(BUSY).with_quads(3).with_pairs(PAIRS_MAX);
    let [same, two] = [1.0, 0.98].map(|ratio| shares("busy", &setting, ratio));
    assert!(same.decided() <= 0.02 && same.same >= 0.9 && same.covered >= 0.97);
    assert!(two.slower >= 0.6 && two.slower + two.same >= 0.95 && two.faster == 0.0);
}

#[test]
fn a_quiet_machine() {
    let setting = Setting::new(QUIET).with_pairs(120);
    let rows = [1.0, 0.98, 0.96].map(|ratio| shares("quiet", &setting, ratio));
    let [same, two, four] = &rows;
    assert!(same.decided() <= 0.02 && same.same >= 0.9);
    // The rest is SAME: two percent lie inside the margin.
    assert!(two.slower >= 0.8 && two.slower + two.same >= 0.97);
    assert!(four.slower >= 0.99);
    assert!(rows.iter().all(|row| row.covered >= 0.97));
}

#[test]
fn a_family_errs_seldom_and_keeps_its_verdicts() {
    let setting = Setting { rule: Rule::of_family(12), ..Setting::new(BUSY).with_quads(3) };
    let same = shares("busy, one of 12", &setting, 1.0);
    let four = shares("busy, one of 12", &setting, 0.96);
    assert!(same.decided() <= 0.008 && four.slower >= 0.9);
    let ended = (0..200).map(|seed| compare(&setting, 0.94, seed));
    let mut decided = ended.filter(|end| end.verdict == Verdict::Slower);
    assert!(decided.all(|end| setting.rule.p_value(&end.log_ratios) <= FAMILY_ERROR / 12.0));
}

#[test]
fn the_smallest_visible_change_is_found_nine_times_in_ten() {
    let rule = Rule { looks: vec![50], ..Rule::default() };
    let fifty = |ratio: f64, seed: u64| {
        let mut source = Source::new(BUSY, ratio, seed);
        let log_ratios: Vec<f64> = (0..50).map(|_| source.pair(3, Order::Coin)).collect();
        rule.look(&log_ratios, Better::Higher, false)
    };
    let visible = |seed| fifty(1.0, seed).estimate.expect("fifty pairs").smallest_visible;
    let mean = (0..300).into_par_iter().map(visible).sum::<f64>() / 300.0;
    let is_found = |seed: &u64| fifty(1.0 + mean, *seed).verdict == Verdict::Faster;
    let found = (300..1300_u64).into_par_iter().filter(is_found).count();
    assert!((860..=960).contains(&found), "{found} of 1000 changes of {mean}");
}

/// What a layout is worth, and a process, as measured where nothing else ran
/// (`bench/COMPARING.md`).
const LINKED: Machine = Machine { launch: 0.017, slice: 0.02, layout: 0.01, drift: 0.0, ..BUSY };
/// So many layouts has each side of `solock compare`: every pair has its own.
const COMPARE_LAYOUTS: usize = COMPARE_MINUTE_PAIRS as usize;

#[test]
fn luck_with_the_layout_wants_many() {
    let setting = Setting::new(LINKED).with_compare_quads();
    let [one, many] = [1, COMPARE_LAYOUTS].map(|layouts| {
        let setting = setting.clone().with_layouts(layouts);
        let name = format!("linked, {layouts} layouts");
        [1.0, 0.96, 0.92].map(|ratio| shares(&name, &setting, ratio))
    });
    assert!(one[0].decided() > 0.1, "one layout a side has to go wrong");
    assert!(many[0].decided() <= 0.02 && many.iter().all(|row| row.covered >= 0.97));
    assert!(many[1].slower >= 0.95 && many[2].slower >= 0.995);
    for layouts in [4, 16, 32] {
        shares(&format!("linked, {layouts} layouts"), &setting.clone().with_layouts(layouts), 1.0);
    }
}

#[test]
fn a_fixed_order_under_drift_goes_wrong() {
    let falling = Machine { trend: -0.02, ..BUSY };
    let coin = Setting::new(falling);
    let fixed = Setting { order: Order::Fixed, ..coin.clone() };
    assert!(shares("drift, ABBA or BAAB", &coin, 1.0).decided() <= 0.02);
    let wrong = shares("drift, AABB", &fixed, 1.0);
    assert!(wrong.decided() > 0.1);
}

#[test]
fn pooled_slices_go_wrong() {
    let decided = (0..COMPARISONS).into_par_iter().filter(|seed| {
        let mut source = Source::new(BUSY, 1.0, *seed);
        let mut pool = || -> Vec<f64> { (0..5).flat_map(|_| source.process(40)).collect() };
        let (first, second) = (pool(), pool());
        // 2.97: two-sided 0.003.
        rank_sum_score(&first, &second).abs() > 2.97
    });
    let share = decided.count() as f64 / COMPARISONS as f64;
    println!(
        "| slices of 5 processes pooled, Mann-Whitney | 0 % | {:.1} % decided |",
        share * 100.0
    );
    assert!(share > 0.1, "{share}");
}

/// Mann and Whitney's rank sum in standard deviations from its middle; there are no ties.
fn rank_sum_score(first: &[f64], second: &[f64]) -> f64 {
    let wins: usize = first.iter().map(|one| second.iter().filter(|two| one > *two).count()).sum();
    let (m, n) = (first.len() as f64, second.len() as f64);
    (wins as f64 - m * n / 2.0) / (m * n * (m + n + 1.0) / 12.0).sqrt()
}

#[test]
fn noise_is_as_it_is_said_to_be() {
    let deviation = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (squares / values.len() as f64).sqrt()
    };
    let still = Machine { launch: 0.0, slice: 0.0, drift: 0.0, outliers: 0.0, ..BUSY };
    let of = |machine: Machine| -> Vec<f64> {
        let mut source = Source::new(machine, 1.0, 1);
        (0..4000).flat_map(|_| source.process(1)).map(f64::ln).collect()
    };
    let within = |values: &[f64], range: RangeInclusive<f64>| range.contains(&deviation(values));
    assert!(within(&of(Machine { launch: 0.04, ..still }), 0.038..=0.042));
    assert!(within(&of(Machine { slice: 0.05, ..still }), 0.048..=0.052));
    let drift = of(Machine { drift: 0.05, ..still });
    assert!(within(&drift, 0.042..=0.058));
    let steps: Vec<f64> = drift.windows(2).map(|two| two[1] - 0.9 * two[0]).collect();
    assert!(within(&steps, 0.021..=0.023), "what is new is 0.05 times the root of 1 - 0.81");
    let outliers = of(Machine { outliers: 0.03, ..still });
    let low = outliers.iter().filter(|value| **value < 13.5).count();
    assert!((90..=150).contains(&low), "{low} of 4000");
}
