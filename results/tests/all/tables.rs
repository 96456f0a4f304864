//! Tables: what stands in them, and that they fit.

use results::{Cell, FastPath, Ratio, Record, Run, Slices, summarise, table};

use crate::fixture::{cell, finding, host, latency, run, throughput};
use crate::summaries::{summary, two_backends};

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
    let text = table::render(&summary, 80);
    assert!(!text.contains('\x1b'));
    let has = |line: &str| assert!(text.lines().any(|other| other == line), "{text}");
    has("more threads than CPUs: all");
    has("rounds flagged (a thread was kept off its CPU; not in ratios): all 1 of 10");
    let rows = text.lines().filter(|line| line.starts_with("pairs ")).count();
    assert_eq!(rows, 4, "one line a cell: {text}");
}

#[test]
fn tables_are_of_one_algorithm_and_say_which_of_them_spin() {
    let on = |lock: &str, is_crowded: bool| {
        let mut round = throughput("global", 0, 1000);
        round.cell.lock = lock.to_owned();
        round.cell_id = round.cell.id();
        round.instrument.lock_ns_per_pair = 20.0 + lock.len() as f64;
        round.pinning.oversubscribed = is_crowded;
        round.pinning.spinning = is_crowded && lock == "mcs";
        round
    };
    let rounds = vec![on("", true), on("mcs", true), on("futex", true), on("std", false)];
    let text = table::render(&summary(rounds), 80);
    let parts: Vec<&str> = text.split("\n\n").collect();
    let spins = "more threads than CPUs, and whoever waits for a lock SPINS: pairs global t2";
    let crowded = "more threads than CPUs: pairs global t2";
    let pair = |text: &str| format!("{text} ns for a lock and its unlock that nobody else wants");
    for (part, [title, pair, flag]) in parts.iter().zip([
        ["stream, 64 B, adaptive\n", "", crowded],
        ["stream, 64 B, adaptive, lock mcs\n", &pair("mcs: 23.0"), spins],
        ["stream, 64 B, adaptive, lock futex\n", &pair("futex: 25.0"), crowded],
        ["stream, 64 B, adaptive, lock std\n", &pair("std: 23.0"), ""],
    ]) {
        assert!(part.starts_with(title) && part.contains(pair), "{text}");
        assert_eq!(part.contains("more threads"), !flag.is_empty(), "{text}");
        assert!(part.lines().any(|line| line == flag) || flag.is_empty(), "{text}");
    }
    assert!(parts.len() == 5 && text.lines().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn a_row_in_which_many_calls_took_locks_says_so() {
    let of = |workload: &str, fast: u64| {
        let mut round = throughput("lock-free", 0, 1000);
        round.cell.workload = workload.to_owned();
        round.cell_id = round.cell.id();
        round.fast_path = FastPath { sends: fast, slow_sends: 1000 - fast, ..Default::default() };
        round
    };
    let text = table::render(&summary(vec![of("pairs", 950), of("fanin", 188)]), 200);
    let note = "some calls took locks all the same; those that took none: fanin lock-free t2 18.8%";
    assert!(text.lines().any(|line| line == note), "{text}");
}

/// Every number of a row has a value of its own, so that none can stand in another's place.
fn unlike() -> Run {
    let sends: Vec<u64> = (0..2000).map(|n| 1000 + n * 7 + n * n / 50).collect();
    let higher: Vec<u64> = (0..2000).map(|n| 2000 + n * 11 + n * n / 25).collect();
    let mut rounds = Vec::new();
    for (number, operations) in [900_000, 1_000_000, 1_230_000].into_iter().enumerate() {
        let number = number as u32;
        rounds.push(throughput("global", number, operations));
        let mut fine = throughput("per-socket", number, operations * 3);
        fine.fairness_jain = 0.875;
        fine.locks[0].acquisitions = operations * 21;
        fine.locks[0].contended = operations * 2;
        fine.locks[0].relocks = operations * 5;
        fine.locks[0].saved = operations * 4;
        fine.fast_path.sends = operations;
        fine.fast_path.slow_sends = operations * 7;
        fine.slices = Some(Slices { kept: 41, repeated: 13, given_up: 2, ..Slices::default() });
        rounds.push(fine);
    }
    let mut stamped = latency("per-socket", 0, &sends);
    stamped.fairness_jain = 0.875;
    stamped.slices = None;
    stamped.operations = 0;
    stamped.locks.clear();
    stamped.fast_path = FastPath::default();
    stamped.latency_ns.send_higher_address = latency("per-socket", 0, &higher).latency_ns.send;
    let send = stamped.latency_ns.send.as_mut().expect("sends");
    (send.count_all, send.max_all) = (Some(9999), Some(7_654_321));
    rounds.push(stamped);
    let mut run = run(rounds);
    let (fine, global) = (cell("pairs", "per-socket", 2), cell("pairs", "global", 2));
    let ratio = Ratio {
        cell: fine.id(),
        against: global.id(),
        threads: 2,
        metric: "throughput".to_owned(),
        ratio: Some(3.054),
        low: Some(2.989),
        high: Some(3.111),
        level: 0.961,
        pairs: 26,
        host: host(),
        ..Ratio::default()
    };
    let itself = Ratio {
        cell: fine.id(),
        against: fine.id(),
        ratio: Some(1.013),
        low: Some(0.984),
        ..ratio
    };
    let itself = Ratio { high: Some(1.027), ..itself };
    run.records.push(Record::from(Ratio {
        against: global.id(),
        ratio: Some(3.054),
        low: Some(2.989),
        high: Some(3.111),
        ..itself.clone()
    }));
    run.records.push(itself.into());
    // A ratio of another metric, and to another cell, are not this one.
    run.records.push(Record::from(Ratio {
        cell: fine.id(),
        against: global.id(),
        metric: "send_p99".to_owned(),
        ratio: Some(9.0),
        low: Some(8.0),
        high: Some(10.0),
        level: 0.95,
        host: host(),
        ..Ratio::default()
    }));
    run
}

#[test]
fn a_table_says_it_all() {
    let summary = summarise(&[unlike()], "global").expect("sums up");
    let text = table::render(&summary, 80);
    let expected = "\
stream, 64 B, adaptive
workload  backend     t   op/s    ratio to global     p50    p99
pairs     global      2  1.00M                  1       -      -
pairs     per-socket  2  3.00M  3.05 [2.98, 3.12]  37.4µs  177µs
p50, p99: of a send
some calls took locks all the same; those that took none: pairs global t2 0.0%,
    pairs per-socket t2 12.5%

[low, high]: 95 % at least, rounded outward; of this run: another's may lie
    outside
slices: 195 kept, 57 (21 %) repeated, 15 (6 %) given up: 15 because a thread was
    kept off its CPU, 6 because threads were switched too often, 3 because the
    hypervisor gave time to others
checker on, 1.2 ns per lock pair (12 %), nothing leaked
";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn a_wide_table_says_the_rest() {
    let summary = summarise(&[unlike()], "global").expect("sums up");
    let text = table::wide(&summary);
    let expected = "\
latencies: stream, 64 B, adaptive
workload  backend     t  event     p50    p90    p99  p99.9    max  max of all
pairs     per-socket  2   send  37.4µs  122µs  177µs  183µs  184µs      7.65ms

sends by address: stream, 64 B, adaptive
workload  backend     t  lower p50     p99   p99.9  higher p50    p99  p99.9
pairs     per-socket  2     28.0µs  93.2µs  94.8µs      52.9µs  180µs  184µs

counters: stream, 64 B, adaptive
workload  backend     t  spread  locks/op  relocks  not free  no lock   Jain
pairs     global      2  ±16.5%      4.00     0.50     25.0%     0.0%  1.000
pairs     per-socket  2  ±16.5%      7.00     1.67      9.5%    12.5%  0.875

relocks that a try saved: stream, 64 B, adaptive
workload  backend     t  saved  of all
pairs     per-socket  2   1.33   44.4%

ratios and slices: stream, 64 B, adaptive
workload  backend     t  level  pairs                A/A  kept  repeated  given up
pairs     global      2      -      -                  -    72        18         9
pairs     per-socket  2  96.1%     26  1.01 [0.98, 1.03]   123        39         6

";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn a_row_without_a_ratio_has_the_reason() {
    let text = table::render(&summary(two_backends()), 80);
    assert!(
        text.contains(
            "no ratio: 3 of 3 rounds undisturbed on both sides, 6 are needed for 95 %: pairs\n\
             \u{20}   per-socket t2\n"
        ),
        "{text}"
    );
    assert!(text.contains("per-socket  2  2.20M                -    -    -\n"), "{text}");
    let alone = table::render(&summary(vec![throughput("per-socket", 0, 10)]), 80);
    assert!(alone.contains("no ratio: global was not measured: pairs per-socket t2"), "{alone}");
    assert!(!text.contains('['), "{text}");
}

#[test]
fn latencies_of_other_events_are_named() {
    let mut trip = latency("global", 0, &[1000, 2000]);
    trip.cell = cell("pingpong", "global", 2);
    trip.cell_id = trip.cell.id();
    trip.latency_ns.round_trip = trip.latency_ns.send.take();
    let text = table::render(&summary(vec![latency("global", 0, &[10]), trip]), 80);
    assert!(text.contains("p50, p99: of pairs a send, pingpong a round trip\n"), "{text}");
}

#[test]
fn an_overloaded_row_has_no_percentiles() {
    let mut round = latency("global", 0, &[50; 10]);
    round.overloaded = true;
    let summary = summary(vec![round]);
    assert!(table::render(&summary, 80).contains("void  void\n"));
    assert!(table::wide(&summary).contains("void  void  void   void  void"));
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
fn workloads_share_a_table_and_other_messages_do_not() {
    let mut rounds = two_backends();
    for (workload, threads, bytes) in [("pairs", 1, 64), ("ring", 2, 64), ("pairs", 2, 1024)] {
        let mut round = throughput("global", 0, 10);
        round.cell = Cell { message_bytes: bytes, ..cell(workload, "global", threads) };
        round.cell_id = round.cell.id();
        rounds.push(round);
    }
    let text = table::render(&summary(rounds), 80);
    let is_row =
        |line: &&str| ["stream,", "pairs  ", "ring "].iter().any(|it| line.starts_with(it));
    let order: Vec<&str> = text
        .lines()
        .filter(is_row)
        .map(|line| if line.starts_with('s') { line } else { line[..24].trim_end() })
        .collect();
    assert_eq!(
        order,
        [
            "stream, 64 B, adaptive",
            "pairs     global      1",
            "pairs     global      2",
            "pairs     per-socket  2",
            "ring      global      2",
            "stream, 1024 B, adaptive",
            "pairs     global   2  10",
        ]
    );
}

#[test]
fn only_what_there_is_has_a_note() {
    let mut long = latency("global", 0, &[50_000; 10]);
    let none = table::render(&summary(vec![long.clone()]), 80);
    assert!(!none.contains("over one minute"), "{none}");
    long.latency_ns.send.as_mut().expect("sends").lost_count = 7;
    let some = table::render(&summary(vec![long]), 80);
    let note = "latencies over one minute, counted as one minute: pairs global t2 7\n";
    assert!(some.contains(note), "{some}");
    let counted = table::render(&summary(two_backends()), 80);
    assert!(!counted.contains("p50, p99: of"), "{counted}");
    assert!(!counted.contains("several builds"), "{counted}");
    let mut rounds = two_backends();
    rounds[1].build = Some("opt-level 0".to_owned());
    let built = table::render(&summary(rounds), 200);
    assert!(built.contains("measured by several builds: 0123456789abcdef"), "{built}");
}

#[test]
fn a_wide_table_has_only_parts_that_have_rows() {
    let counted = table::wide(&summary(two_backends()));
    assert!(counted.contains("counters: ") && counted.contains("ratios and slices: "), "{counted}");
    assert!(!counted.contains("latencies: ") && !counted.contains("sends by address"), "{counted}");
    let of = |ns: u64| table::wide(&summary(vec![latency("global", 0, &[ns; 10])]));
    let note = "p50 is under 10 steps of the clock: pairs global t2\n";
    assert!(of(50).contains(note) && !of(5_000).contains("steps of the clock"), "{}", of(50));
}

/// Rows of `global`, `lock-free` and `per-socket`.
fn three_backends() -> results::Summary {
    let mut rounds = two_backends();
    rounds.extend((0..3).map(|round| throughput("lock-free", round, 5_000_000)));
    summary(rounds)
}

#[test]
fn rows_without_a_ratio_stand_together_where_they_have_one_reason() {
    let mut all = three_backends();
    let few = "no ratio: 3 of 3 rounds undisturbed on both sides, 6 are needed for 95 %";
    let text = table::render(&all, 200);
    let both = format!("{few}: pairs lock-free t2, pairs per-socket t2\n");
    assert!(text.contains(&both), "{text}");
    all.rows[2].ratio.as_mut().expect("what is known of it").why = Some("gone".to_owned());
    let text = table::render(&all, 200);
    assert!(text.contains(&format!("{few}: pairs lock-free t2\n")), "{text}");
    assert!(text.contains("no ratio: gone: pairs per-socket t2\n"), "{text}");
}

#[test]
fn a_ratio_on_which_fewer_runs_disagree_says_how_many_they_are() {
    let mut all = three_backends();
    for (row, runs, low, high) in [(1, 3, 2.0, 3.0), (2, 4, 1.5, 4.0)] {
        all.rows[row].ratio.as_mut().expect("what is known of it").ratio = Some(2.5);
        all.rows[row].disagreement = Some(results::Disagreement { runs, low, high });
    }
    let text = table::render(&all, 200);
    let note = "* 4 kept runs of this program do not agree: pairs lock-free t2 2.00 to 3.00 in 3, \
                pairs per-socket t2 1.50 to 4.00\n";
    assert!(text.contains(note), "{text}");
}

#[test]
fn a_busy_host_is_told_beside_a_ratio_too() {
    let mut run = unlike();
    for record in &mut run.records {
        if let Record::Ratio(ratio) = record
            && !ratio.is_against_itself()
        {
            ratio.why = Some("host busy: 9 of 20 slices disturbed".to_owned());
        }
    }
    let text = table::render(&summarise(&[run], "global").expect("sums up"), 200);
    let note = "pairs per-socket t2: host busy: 9 of 20 slices disturbed\n";
    assert!(text.contains(note), "{text}");
}
