//! Summaries and their tables.

use results::{
    FastPath, LockCounts, Measured, Run, StoreError, Summary, histogram, summarise, table,
};

use crate::fixture::{cell, finding, latency, run, throughput};

/// Three rounds in which `per-socket` does twice of what `global` does, whatever the round.
fn two_backends() -> Vec<Measured> {
    let mut rounds = Vec::new();
    for (round, operations) in [1_000_000, 1_100_000, 1_300_000].into_iter().enumerate() {
        let round = u32::try_from(round).expect("few");
        rounds.push(throughput("per-socket", round, operations * 2));
        rounds.push(throughput("global", round, operations));
    }
    rounds
}

fn summary(rounds: Vec<Measured>) -> Summary {
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
    let ratio = row.ratio.expect("three pairs");
    assert!((ratio.estimate - 2.0).abs() < 1e-12 && (ratio.high - 2.0).abs() < 1e-12);
    assert_eq!((ratio.level, ratio.level_reached), (0.75, false));
    assert_eq!(row.acquisitions_per_operation, Some(4.0));
    assert_eq!(row.relocks_per_operation, Some(0.5));
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
    assert_eq!(row.ratio.expect("two pairs").level, 0.5);
    assert_eq!((row.flags.flagged_rounds, row.flags.all_flagged), (1, false));
    for round in &mut rounds {
        round.host_noise.flagged = true;
    }
    let all = summary(rounds);
    assert!(all.rows[1].flags.all_flagged && all.rows[1].ratio.is_none());
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
    let flags = summary(vec![round]).rows[0].flags.clone();
    assert!(flags.unpinned && flags.oversubscribed && flags.overloaded && flags.quantised);
    assert_eq!((flags.lost_count, flags.rounds), (7, 1));
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
    assert_eq!((row.fast_path_share, row.ratio), (None, None));
}

#[test]
fn no_lock_named_is_not_no_lock_taken() {
    let mut host = throughput("host", 0, 10);
    host.locks.clear();
    host.fast_path = FastPath::default();
    let mut lock_free = throughput("lock-free", 0, 10);
    lock_free.locks.clear();
    lock_free.fast_path = FastPath { sends: 10, receives: 10, ..FastPath::default() };
    let rows = summary(vec![host, lock_free]).rows;
    assert_eq!(
        rows.iter().map(|row| row.acquisitions_per_operation).collect::<Vec<_>>(),
        [None, Some(0.0)]
    );
}

/// A run with everything a table can show, in unpleasant sizes.
fn crowded() -> Run {
    let mut rounds = Vec::new();
    for backend in ["global", "per-socket", "lock-free", "host"] {
        for round in 0..5 {
            rounds.push(throughput(backend, round, 123_456_789 * u64::from(round + 1)));
            let mut slow = latency(backend, round, &[30, 999_999, 59_999_999_999]);
            slow.latency_ns.send_higher_address = slow.latency_ns.send.clone();
            slow.host_noise.flagged = round == 0;
            slow.pinning.oversubscribed = true;
            rounds.push(slow);
        }
    }
    let mut run = run(rounds);
    run.partial = true;
    run
}

#[test]
fn tables_fit() {
    let summary = summarise(&[crowded()], "global").expect("sums up");
    for columns in [table::COLUMNS_DEFAULT, 100, 120, 160, 200] {
        let text = table::render(&summary, columns);
        for line in text.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
            assert_eq!(line.trim_end(), line);
        }
    }
    let wide = table::render(&summary, 200);
    let narrow = table::render(&summary, 80);
    assert_eq!(narrow.lines().count() - wide.lines().count(), 5 + 1, "{narrow}{wide}");
    assert!(!narrow.contains('\x1b'));
    let has = |line: &str| assert!(narrow.lines().any(|other| other == line), "{narrow}");
    has("send by address  t  lower p50    p99  p99.9  higher p50    p99  p99.9");
    has("per-socket       2     1.00ms  60.0s  60.0s      1.00ms  60.0s  60.0s");
    has("more threads than CPUs: all");
    has("rounds flagged (a thread was kept off its CPU; not in ratios): all 1 of 10");
}

#[test]
fn a_table_says_it_all() {
    let mut rounds = two_backends();
    rounds.extend((0..2).map(|round| latency("global", round, &[41, 1234, 2_000_000])));
    rounds[0].host_noise.flagged = true;
    let text = table::render(&summary(rounds), 80);
    let expected = "\
pairs: stream, 64 B, adaptive
backend     t   op/s  spread  send p50     p99   p99.9     max
    locks/op  relocks  contended  fast path   Jain    ratio to global  level
global      2  1.10M  ±13.6%    1.23µs  2.00ms  2.00ms  2.00ms
        4.00     0.50      25.0%       0.0%  1.000  1.00 [1.00, 1.00]    75%
per-socket  2  2.40M   ±8.3%         -       -       -       -
        4.00     0.50      25.0%       0.0%  1.000  2.00 [2.00, 2.00]    50%
rounds flagged (a thread was kept off its CPU; not in ratios): per-socket t2 1
    of 3

ratios are paired by round; few rounds give their widest interval, which has the
    level shown (95 % needs 6 rounds)
checker on, 1.2 ns per lock pair (12 %), nothing leaked
";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn the_last_line_is_the_verdict() {
    let mut run = run(two_backends());
    run.records.push(finding().into());
    let text = table::render(&summarise(&[run], "global").expect("sums up"), 200);
    let last = text.lines().last().expect("a last line");
    assert_eq!(
        last,
        "checker on, 1.2 ns per lock pair (12 %), FOUND: leaked_locks (1) at \
         lockimpls/src/uipc/send.rs:42, in sys_sendmsg, backend per-socket, thread 1"
    );
    let mut rounds = two_backends();
    rounds[0].checks.bytes_lost = 3;
    let summary = summary(rounds);
    assert_eq!(
        table::verdict(&summary).split("FOUND: ").nth(1),
        Some("3 faults in measured rounds")
    );
}

#[test]
fn threads_share_a_table_and_other_cells_do_not() {
    let mut rounds = two_backends();
    for (workload, threads) in [("pairs", 1), ("ring", 2)] {
        let mut round = throughput("global", 0, 10);
        round.cell = cell(workload, "global", threads);
        round.cell_id = round.cell.id();
        rounds.push(round);
    }
    let text = table::render(&summary(rounds), 200);
    assert_eq!(text.matches("stream, 64 B, adaptive").count(), 2, "{text}");
    let order: Vec<&str> = text.lines().skip(2).take(3).map(|line| &line[..13]).collect();
    assert_eq!(order, ["global      1", "global      2", "per-socket  2"]);
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
