//! Intervals that stayed wider than was asked for: what is said of why is what the run recorded,
//! and where it recorded nothing out of the ordinary nothing is said.

use results::answer::Answers;
use results::{Interrupted, Measured, Ratio, Record, Run, Slices, TwoCpus, summarise};

use crate::fixture::{cell, host, run, throughput, words};

/// A ratio that pays, 18 % wide to each side where 10 % were asked for.
fn wide() -> Ratio {
    let [cell, against] = ["per-socket", "global"].map(|backend| cell("pairs", backend, 2).id());
    Ratio {
        cell,
        against,
        threads: 2,
        metric: "throughput".to_owned(),
        ratio: Some(2.0),
        low: Some(1.7),
        high: Some(2.4),
        level: 0.95,
        pairs: 24,
        within: Some(0.1),
        budget_seconds: Some(60.0),
        host: host(),
        ..Ratio::default()
    }
}

/// A run of one ratio over launches in which nothing was out of the ordinary, but for the changes.
fn of(ratio: Ratio, change: impl Fn(&mut Measured)) -> Run {
    let quiet = Slices { kept: 100, repeated: 5, off_cpu: 5, ..Slices::default() };
    let two_cores = TwoCpus { cpus: [0, 1], at_once_share: 1.0, line_round_trip_ns: Some(60.0) };
    let line = |backend: &str, round: u32| {
        let mut line = throughput(backend, round, 1000);
        (line.slices, line.two_cpus) = (Some(quiet), Some(two_cores.clone()));
        change(&mut line);
        line
    };
    let lines = (0..24).flat_map(|round| ["global", "per-socket"].map(|name| line(name, round)));
    let mut run = run(lines.collect());
    run.records.push(ratio.into());
    run
}

/// What it says of the widths, and what it cannot answer.
fn said(run: Run) -> Vec<String> {
    let runs = [run];
    let summary = summarise(&runs, "global").expect("sums up");
    let answers = Answers::of(&runs, &summary, &words());
    let told = answers.iter().filter(|one| one.question != "the two CPUs");
    let told = told.filter(|one| one.question != "private pairs");
    told.map(|one| format!("{}: {}", one.question, one.sentence)).collect()
}

/// The same of a wide ratio, without what all such sentences begin with.
fn why(ratio: Ratio, change: impl Fn(&mut Measured)) -> Option<String> {
    let mut said = said(of(ratio, change));
    let said = said.pop()?;
    let begin = "wide intervals: pairs per-socket with 2 threads / global: wider than the 10 % \
                 asked for: ";
    Some(said.strip_prefix(begin).unwrap_or_else(|| panic!("{said}")).to_owned())
}

#[test]
fn where_the_record_tells_nothing_nothing_is_said() {
    assert_eq!(why(wide(), |_| ()), None);
    let disturb =
        |line: &mut Measured| line.slices = Some(Slices { repeated: 90, ..Slices::default() });
    assert!(why(wide(), disturb).is_some());
    let narrow = Ratio { low: Some(1.9), high: Some(2.1), ..wide() };
    assert_eq!(why(narrow, disturb), None, "as narrow as was asked for");
    // The arithmetic is not exact.
    let [low, high] = [2.0 / 1.1, 2.0 * 1.1].map(Some);
    assert_eq!(why(Ratio { low, high, ..wide() }, disturb), None, "exactly so");
    assert_eq!(why(Ratio { within: None, ..wide() }, disturb), None, "nothing was asked for");
    // So many rounds were asked for, and no width.
    assert_eq!(why(Ratio { budget_seconds: None, ..wide() }, disturb), None);
    let too_many = |line: &mut Measured| {
        disturb(line);
        line.pinning.oversubscribed = true;
    };
    let said = said(of(wide(), too_many));
    assert!(said.iter().all(|one| !one.starts_with("wide")), "it is not used at all: {said:?}");
}

#[test]
fn few_pairs_are_said() {
    let pairs = |pairs| why(Ratio { pairs, ..wide() }, |_| ());
    assert_eq!(pairs(9).as_deref(), Some("only 9 pairs of processes"));
    assert_eq!(pairs(10), None, "so many can end a run");
}

#[test]
fn repeated_slices_are_said_with_what_most_of_them_were_repeated_for() {
    let of = |slices: Slices| why(wide(), move |line| line.slices = Some(slices));
    let tenth = Slices { kept: 90, repeated: 10, off_cpu: 10, ..Slices::default() };
    let because = "10 % of the slices had to be repeated, because a thread was kept off its CPU";
    assert_eq!(of(tenth).as_deref(), Some(because));
    assert_eq!(of(Slices { kept: 91, repeated: 9, ..tenth }), None);
    let given_up = Slices { repeated: 5, given_up: 5, stolen: 6, off_cpu: 4, ..tenth };
    let most = "10 % of the slices had to be repeated, most because the hypervisor gave time to \
                others";
    assert_eq!(of(given_up).as_deref(), Some(most));
    // Neither of two is the reason of most.
    let both = Slices { off_cpu: 5, switched: 5, ..tenth };
    assert_eq!(of(both).as_deref(), Some("10 % of the slices had to be repeated"));
    // The reference's slices are behind the ratio too.
    let of_reference = why(wide(), |line| {
        let repeated = if line.cell.backend == "global" { 300 } else { 0 };
        line.slices = Some(Slices { kept: 100, repeated, ..Slices::default() });
    });
    assert_eq!(of_reference.as_deref(), Some("60 % of the slices had to be repeated"));
}

#[test]
fn cpus_that_were_not_always_the_same_to_each_other_are_said() {
    let of = |cpus: fn(u32) -> (f64, f64)| {
        why(wide(), move |line| {
            let two = line.two_cpus.as_mut().expect("looked at");
            let (share, way) = cpus(line.round);
            (two.at_once_share, two.line_round_trip_ns) = (share, Some(way));
        })
    };
    let core = of(|round| (if round < 5 { 0.6 } else { 1.0 }, 60.0));
    let as_one = "the two CPUs worked as one core does in 5 of 24 launches";
    assert_eq!(core.as_deref(), Some(as_one));
    assert_eq!(of(|_| (0.6, 60.0)), None, "always one core");
    let far = of(|round| (1.0, if round < 5 { 60.0 } else { 90.0 }));
    let way = "a cache line's way between two cores was longer in some launches";
    assert_eq!(far.as_deref(), Some(way));
    assert_eq!(of(|round| (1.0, if round < 5 { 60.0 } else { 89.0 })), None);
    // Another group's launches are not behind this ratio.
    let mut others = self::of(wide(), |_| ());
    for round in 0..24 {
        for backend in ["global", "per-socket"] {
            let mut line = throughput(backend, round, 1000);
            line.cell.workload = "stream".to_owned();
            line.cell_id = line.cell.id();
            let at_once_share = if round < 5 { 0.6 } else { 1.0 };
            line.two_cpus = Some(TwoCpus { cpus: [0, 1], at_once_share, line_round_trip_ns: None });
            others.records.push(line.into());
        }
    }
    assert!(said(others).iter().all(|one| !one.starts_with("wide intervals")));
    // One core's short way is no change of the way.
    assert_eq!(of(|round| (if round < 5 { 0.6 } else { 1.0 }, 60.0 + f64::from(round % 2))), core);
}

#[test]
fn an_interrupted_run_says_so_and_reasons_stand_together() {
    let mut run = of(Ratio { pairs: 7, ..wide() }, |line| {
        line.slices = Some(Slices { kept: 50, repeated: 50, switched: 50, ..Slices::default() });
    });
    run.records.push(Record::from(Interrupted { host: host(), ..Interrupted::default() }));
    let expected = "wide intervals: pairs per-socket with 2 threads / global: wider than the 10 % \
                    asked for: the run was interrupted; only 7 pairs of processes; 50 % of the \
                    slices had to be repeated, because threads were switched too often";
    assert_eq!(said(run), [expected]);
}

#[test]
fn what_is_not_answered_has_its_reason_in_its_sentence_and_no_other() {
    let open = Ratio { ratio: Some(1.0), low: Some(0.8), high: Some(1.2), pairs: 8, ..wide() };
    let said = said(of(open, |_| ()));
    let expected = "not answered: pairs per-socket with 2 threads / global: 1.00 [0.80, 1.20], too \
                    wide (only 8 pairs of processes); --budget 4m would decide 10 %";
    assert_eq!(said, [expected]);
}

/// The machine's own sockets are not ranked, but have an interval.
#[test]
fn cells_of_a_group_stand_together_those_that_are_not_ranked_among_them() {
    let mut run = of(Ratio { pairs: 8, ..wide() }, |_| ());
    let mut host_line = throughput("host", 0, 1000);
    (host_line.locks, host_line.fast_path) = Default::default();
    let of_host = Ratio { cell: host_line.cell_id.clone(), pairs: 9, ..wide() };
    run.records.push(host_line.into());
    run.records.push(of_host.into());
    let said = said(run);
    let begin = "wide intervals: pairs host, per-socket with 2 threads / global: wider than the \
                 10 % asked for: only 8 to 9 pairs of processes";
    assert!(said.len() == 1 && said[0].starts_with(begin), "{said:?}");
}

#[test]
fn a_sentence_names_the_cells_that_it_speaks_of() {
    let run = of(Ratio { pairs: 8, ..wide() }, |_| ());
    let runs = [run];
    let summary = summarise(&runs, "global").expect("sums up");
    let answers = Answers::of(&runs, &summary, &words());
    let told = answers.iter().find(|one| one.question == "wide intervals").expect("told");
    assert_eq!(told.cells, [wide().cell]);
}

#[test]
fn groups_of_one_reason_stand_in_one_sentence() {
    let mut run = of(Ratio { pairs: 8, ..wide() }, |_| ());
    for backend in ["global", "per-socket"] {
        let mut line = throughput(backend, 0, 1000);
        line.cell.workload = "duplex".to_owned();
        line.slices = Some(Slices { kept: 100, ..Slices::default() });
        line.cell_id = line.cell.id();
        run.records.push(line.into());
    }
    let [cell, against] = ["per-socket", "global"].map(|backend| cell("duplex", backend, 2).id());
    run.records.push(Ratio { cell, against, pairs: 8, ..wide() }.into());
    let expected = "wide intervals: pairs per-socket with 2 threads / global; duplex per-socket \
                    with 2 threads / global: wider than the 10 % asked for: only 8 pairs of \
                    processes";
    let said = said(run);
    assert!(said.iter().any(|one| one == expected), "{said:?}");
}
