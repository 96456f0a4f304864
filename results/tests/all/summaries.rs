//! Summaries: from the lines of runs to a row for each cell.

mod ratios;

use results::{
    FastPath, LockCounts, Measured, Ratio, Run, Slices, StoreError, Summary, histogram, summarise,
    table,
};

use crate::fixture::{cell, latency, run, throughput};

/// Three rounds in which `per-socket` does twice of what `global` does, whatever the round.
pub(crate) fn two_backends() -> Vec<Measured> {
    doubled(&[1_000_000, 1_100_000, 1_300_000])
}

/// Rounds in which `global` does so much, and `per-socket` twice as much.
fn doubled(operations: &[u64]) -> Vec<Measured> {
    let mut rounds = Vec::new();
    for (round, operations) in operations.iter().copied().enumerate() {
        let round = u32::try_from(round).expect("few");
        rounds.push(throughput("per-socket", round, operations * 2));
        rounds.push(throughput("global", round, operations));
    }
    rounds
}

pub(crate) fn summary(rounds: Vec<Measured>) -> Summary {
    summarise(&[run(rounds)], "global").expect("sums up")
}

#[test]
fn rows_hold_the_middle_and_the_ratio_by_round() {
    let summary = summary(two_backends());
    let names: Vec<&str> = summary.rows.iter().map(|row| row.cell.backend.as_str()).collect();
    assert_eq!(names, ["global", "per-socket"]);
    let row = &summary.rows[1];
    let throughput = row.throughput.expect("throughput rounds");
    assert_eq!(throughput.operations_per_second, 2_200_000.0);
    assert_eq!((throughput.low, throughput.high), (2_000_000.0, 2_600_000.0));
    assert!((throughput.half_range_share - 0.3 / 2.2).abs() < 1e-12);
    assert!(row.interval().is_none(), "three pairs give 75 %");
    let ratio = row.ratio.as_ref().expect("what is known of it");
    assert_eq!((ratio.ratio, ratio.low, ratio.pairs, ratio.level), (None, None, 3, 0.75));
    let why = "3 of 3 rounds undisturbed on both sides, 6 are needed for 95 %";
    assert_eq!(ratio.why.as_deref(), Some(why));
    assert!(summary.rows[0].ratio.is_none(), "global is no ratio to itself");
    assert_eq!(row.acquisitions_per_operation, Some(4.0));
    assert_eq!(row.relocks_per_operation, Some(0.5));
    assert_eq!((row.saved_per_operation, row.saved_share), (None, None), "none is none");
    assert_eq!(row.contended_share, Some(0.25));
    assert_eq!(row.fast_path_share, Some(0.0));
    assert_eq!(row.fairness_jain, Some(1.0));
    assert!(row.latency.is_none() && row.flags.flagged_rounds == 0);
    let checker = summary.checker.expect("rounds");
    assert!((checker.share_of_pair - 0.12).abs() < 1e-12);
}

#[test]
fn flagged_rounds_count_for_nothing_unless_there_are_no_others() {
    let mut rounds = two_backends();
    rounds[4].host_noise.flagged = true;
    let one = summary(rounds.clone());
    let row = &one.rows[1];
    assert_eq!(row.throughput.expect("two rounds").round_count, 2);
    assert_eq!(row.ratio.as_ref().expect("two pairs").pairs, 2);
    assert_eq!((row.flags.flagged_rounds, row.flags.all_flagged), (1, false));
    for round in &mut rounds {
        round.host_noise.flagged = true;
    }
    let all = summary(rounds);
    assert!(all.rows[1].flags.all_flagged);
    assert_eq!(all.rows[1].ratio.as_ref().expect("no pair").pairs, 0);
    assert_eq!(all.rows[1].throughput.expect("three rounds").round_count, 3);
}

#[test]
fn latencies_are_merged_over_rounds_runs_and_both_addresses() {
    let mut second = latency("global", 1, &[300; 10]);
    let higher = latency("global", 1, &[9000; 5]).latency_ns.send;
    second.latency_ns.send_higher_address = higher;
    let runs = [
        run(vec![throughput("global", 0, 1000), latency("global", 1, &[100; 10])]),
        run(vec![throughput("global", 0, 3000), second]),
    ];
    let summary = summarise(&runs, "global").expect("sums up");
    let row = &summary.rows[0];
    let latency = row.latency.as_ref().expect("latency rounds");
    assert_eq!((latency.event, latency.quantiles.count), ("send", 25));
    assert_eq!(latency.quantiles.p50_ns, 300);
    assert_eq!(latency.quantiles.max_ns / 10, 900);
    let [lower, higher] = row.send_by_address.expect("two sides");
    assert_eq!((lower.count, higher.count), (20, 5));
    assert_eq!(row.throughput.expect("two runs").operations_per_second, 2000.0);
    assert!(!row.flags.quantised, "300 ns is more than ten steps of 10 ns");
}

#[test]
fn flags_follow_from_rounds() {
    let mut round = latency("global", 0, &[50; 10]);
    round.pinning.unpinned = true;
    round.pinning.oversubscribed = true;
    round.overloaded = true;
    round.latency_ns.send.as_mut().expect("sends").lost_count = 7;
    let flags = summary(vec![round.clone()]).rows[0].flags.clone();
    assert!(flags.unpinned && flags.oversubscribed && flags.overloaded && flags.quantised);
    assert_eq!((flags.lost_count, flags.rounds, flags.spinning), (7, 1, false));
    round.pinning.spinning = true;
    assert!(summary(vec![round]).rows[0].flags.spinning);
    // Ten steps of the clock are enough.
    let is_quantised = |ns| summary(vec![latency("global", 0, &[ns; 10])]).rows[0].flags.quantised;
    assert!(is_quantised(99) && !is_quantised(100));
}

#[test]
fn the_checkers_cost_is_that_on_one_algorithm() {
    let on = |lock: &str, pair_ns: f64| {
        let mut round = throughput("global", 0, 1000);
        round.cell.lock = lock.to_owned();
        round.cell_id = round.cell.id();
        round.instrument.lock_ns_per_pair = pair_ns;
        round.instrument.checker_ns_per_pair = pair_ns / 4.0;
        round
    };
    let cost = |rounds: Vec<_>| summary(rounds).checker.expect("rounds").ns_per_pair;
    assert_eq!(cost(vec![on("mcs", 40.0), on("", 4.0), on("clh", 80.0)]), 1.0);
    assert_eq!(cost(vec![on("mcs", 40.0), on("clh", 80.0), on("clh", 84.0)]), 10.0);
}

#[test]
fn a_damaged_histogram_is_named_by_its_line() {
    let mut bad = latency("global", 1, &[1]);
    bad.latency_ns.send.as_mut().expect("sends").histogram = "AAAA".to_owned();
    let error = summarise(&[run(vec![latency("global", 0, &[1]), bad])], "global")
        .expect_err("a damaged histogram");
    assert!(matches!(error, StoreError::Histogram { line: 2, .. }), "{error}");
}

#[test]
fn absent_things_are_absent() {
    let empty = summarise(&[], "global").expect("nothing");
    assert!(empty.rows.is_empty() && empty.checker.is_none());
    assert!(table::render(&empty, 80).contains("nothing was measured"));
    let mut round = throughput("lock-free", 0, 0);
    round.locks = vec![LockCounts::default()];
    let row = summary(vec![round]).rows[0].clone();
    assert_eq!((row.acquisitions_per_operation, row.contended_share), (None, None));
    assert!(row.fast_path_share.is_none() && row.ratio.is_none());
    assert_eq!(row.throughput.expect("a round").half_range_share, 0.0, "nothing to divide by");
    let mut unmeasured = throughput("global", 0, 1);
    unmeasured.instrument.lock_ns_per_pair = 0.0;
    assert_eq!(summary(vec![unmeasured]).checker.expect("a round").share_of_pair, 0.0);
}

#[test]
fn no_lock_named_is_not_no_lock_taken() {
    let mut host = throughput("host", 0, 10);
    host.locks.clear();
    host.fast_path = FastPath::default();
    let lockless = |backend: &str, fast_path: FastPath| {
        let mut round = throughput(backend, 0, 10);
        round.locks.clear();
        Measured { fast_path, ..round }
    };
    let fast = FastPath { sends: 10, receives: 10, ..FastPath::default() };
    let slow = FastPath { slow_receives: 1, ..FastPath::default() };
    let rows = summary(vec![host, lockless("lock-free", fast), lockless("slow", slow)]).rows;
    assert_eq!(
        rows.iter().map(|row| row.acquisitions_per_operation).collect::<Vec<_>>(),
        [None, Some(0.0), Some(0.0)]
    );
}

#[test]
fn six_rounds_give_an_interval_of_95_percent() {
    let summary = summary(doubled(&[10, 20, 30, 40, 50, 60]));
    let found = summary.rows[1].interval().expect("six pairs");
    assert!((found.estimate - 2.0).abs() < 1e-12 && (found.high - 2.0).abs() < 1e-12);
    assert_eq!((found.level, found.level_reached), (0.96875, true));
    let ratio = summary.rows[1].ratio.as_ref().expect("a ratio");
    assert_eq!(ratio.cell, cell("pairs", "per-socket", 2).id());
    assert_eq!(ratio.against, cell("pairs", "global", 2).id());
    assert_eq!((ratio.threads, ratio.pairs, ratio.why.as_deref()), (2, 6, None));
    let round = throughput("global", 0, 1);
    assert_eq!(
        (&*ratio.metric, &ratio.commit, ratio.dirty),
        ("throughput", &round.commit, Some(false))
    );
    assert_eq!((&ratio.started, &ratio.host), (&round.started, &round.host));
}

/// Run by run the second backend does twice of what the first does, and the second run's machine is
/// ten times as fast: rounds of different runs must not meet, though their numbers are the same.
#[test]
fn rounds_are_paired_inside_their_run() {
    let slow = doubled(&[10, 11, 12, 13, 14, 15]);
    let fast = doubled(&[100, 111, 122, 133, 144, 155]);
    let summary = summarise(&[run(slow), run(fast)], "global").expect("sums up");
    let found = summary.rows[1].interval().expect("twelve pairs");
    assert_eq!(summary.rows[1].ratio.as_ref().expect("a ratio").pairs, 12);
    assert!((found.low - 2.0).abs() < 1e-12 && (found.high - 2.0).abs() < 1e-12, "{found:?}");
}

/// A round whose flag is set on either side makes no pair.
#[test]
fn flagged_rounds_make_no_pair() {
    let mut rounds = doubled(&[10, 20, 30, 40, 50, 60, 70, 80]);
    rounds[0].host_noise.flagged = true;
    rounds[0].operations_per_second = 1.0;
    rounds[3].host_noise.flagged = true;
    rounds[3].operations_per_second = 1.0;
    let row = summary(rounds).rows.remove(1);
    assert_eq!(row.ratio.as_ref().expect("a ratio").pairs, 6);
    assert!((row.interval().expect("six pairs").low - 2.0).abs() < 1e-12);
}

#[test]
fn percentiles_are_of_all_rounds_together() {
    // 1 .. 1000 in one round, 10 times as many and ten times as long in the other: the middle of
    // the percentiles of both is none of theirs together.
    let short: Vec<u64> = (1..=1000).collect();
    let long: Vec<u64> = (1..=10_000).collect();
    let row =
        summary(vec![latency("global", 0, &short), latency("global", 1, &long)]).rows.remove(0);
    let found = row.latency.expect("latencies").quantiles;
    let near = |value: u64, expected: u64| value.abs_diff(expected) * 200 <= expected;
    // 1000 lie under 1001, and 9000 above: 0.5 * 11000 = 5500 is the 4500th above 1000 ...
    assert_eq!(found.count, 11_000);
    assert!(near(found.p50_ns, 4_500), "{found:?}");
    assert!(near(found.p90_ns, 8_900), "{found:?}");
    assert!(near(found.p99_ns, 9_890), "{found:?}");
    assert!(near(found.p999_ns, 9_989), "{found:?}");
    assert_eq!(found.max_ns / 10, 1000);
}

#[test]
fn slices_and_the_longest_of_all_are_added_up() {
    let mut first = latency("global", 0, &[100, 200]);
    let second = latency("global", 1, &[300]);
    let send = first.latency_ns.send.as_mut().expect("sends");
    (send.count_all, send.max_all) = (Some(5), Some(77_777));
    let mut higher = send.clone();
    higher.max_all = Some(99_999);
    first.latency_ns.send_higher_address = Some(higher.clone());
    higher.max_all = Some(111_111);
    first.latency_ns.receive = Some(higher);
    let summary = summary(vec![first, second, throughput("host", 0, 1)]);
    assert_eq!(summary.rows[0].max_all_ns, Some(99_999));
    let kept = |summary: &Summary, row: usize| summary.rows[row].slices.expect("slices").kept;
    assert_eq!((kept(&summary, 0), kept(&summary, 1)), (48, 24));
    let all = summary.slices().expect("slices");
    assert_eq!((all.kept, all.repeated, all.off_cpu), (72, 18, 15));
    assert_eq!((all.switched, all.stolen, all.given_up), (6, 3, 9));
    assert_eq!(
        table::ledger(&summary).expect("a ledger"),
        "slices: 72 kept, 18 (18 %) repeated, 9 (9 %) given up: 15 because a thread was kept off \
         its CPU, 6 because threads were switched too often, 3 because the hypervisor gave time \
         to others"
    );
    let said = |off_cpu, switched, stolen| {
        let mut line = throughput("global", 0, 1);
        let slices = line.slices.as_mut().expect("slices");
        (slices.off_cpu, slices.switched, slices.stolen) = (off_cpu, switched, stolen);
        table::ledger(&self::summary(vec![line])).expect("a ledger")
    };
    // Nine were left out.
    assert!(said(5, 4, 0).ends_with("switched too often"), "{}", said(5, 4, 0));
    assert!(said(5, 5, 0).ends_with("switched too often (some for both)"), "{}", said(5, 5, 0));
    assert!(said(5, 4, 1).ends_with("to others (some for several)"), "{}", said(5, 4, 1));
    let mut kept = throughput("global", 0, 1);
    kept.slices = Some(Slices { kept: 3, repeated: 1, ..Slices::default() });
    let ledger = table::ledger(&self::summary(vec![kept]));
    assert_eq!(
        ledger.as_deref(),
        Some("slices: 3 kept, 1 (25 %) repeated"),
        "nothing was given up"
    );
    let mut old = throughput("global", 0, 1);
    old.slices = None;
    assert_eq!(table::ledger(&self::summary(vec![old])), None);
}

#[test]
fn programs_of_one_commit_are_told_apart_by_how_they_were_built() {
    let mut rounds = two_backends();
    let alone = summary(rounds.clone()).commits;
    let commit = rounds[0].commit.clone().expect("a commit");
    assert_eq!(alone, [commit.as_str()]);
    rounds[1].build = Some("opt-level 0".to_owned());
    let both = summary(rounds).commits;
    let of = |build: &str| format!("{commit} (rustc 1.95.0, {build})");
    assert_eq!(both, [of("opt-level 3"), of("opt-level 0")]);
}

#[test]
fn an_empty_histogram_is_no_sample() {
    let mut round = latency("global", 0, &[]);
    let empty = histogram::latency(&histogram::new(), 0).expect("encodes");
    round.latency_ns.send = Some(empty);
    let row = summary(vec![round]).rows[0].clone();
    assert_eq!(row.latency.expect("an empty one").quantiles.count, 0);
    assert!(!row.flags.quantised);
}

/// Ratios are to the usual backend where it was measured, else to the one that they were recorded
/// to.
#[test]
fn ratios_are_to_a_backend_that_was_measured() {
    let reference = |run: Run| results::summary::reference(&[run], "global");
    let to = |against: &str| Ratio {
        cell: cell("pairs", "lock-free", 2).id(),
        against: cell("pairs", against, 2).id(),
        ..Ratio::default()
    };
    let mut with_usual = run(vec![throughput("global", 0, 1), throughput("per-socket", 0, 1)]);
    with_usual.records.push(to("per-socket").into());
    assert_eq!(reference(with_usual), "global");
    let mut without = run(vec![throughput("per-socket", 0, 1), throughput("lock-free", 0, 1)]);
    assert_eq!(reference(without.clone()), "global", "no ratio was recorded");
    without.records.push(to("per-socket").into());
    assert_eq!(reference(without), "per-socket");
}

/// As throughputs, percentiles are of flagged rounds only where there are no others.
#[test]
fn flagged_rounds_are_in_no_percentile_as_long_as_there_are_others() {
    let round = |number: u32, ns: u64, flagged: bool| {
        let mut round = latency("global", number, &[ns; 100]);
        round.host_noise.flagged = flagged;
        round
    };
    let p50 = |rounds: Vec<Measured>| {
        let summary = summarise(&[run(rounds)], "global").expect("sums up");
        summary.rows[0].latency.as_ref().expect("latencies").quantiles
    };
    let quiet = p50(vec![round(0, 100, false), round(1, 1000, true)]);
    assert_eq!((quiet.count, quiet.p50_ns, quiet.max_ns), (100, 100, 100));
    let flagged = p50(vec![round(0, 100, true), round(1, 1000, true)]);
    assert_eq!((flagged.count, flagged.max_ns), (200, 1000));
    // A quiet round of operations has no latencies, and takes none away.
    let one = p50(vec![round(0, 100, true), throughput("global", 1, 5)]);
    assert_eq!(one.count, 100);
}
