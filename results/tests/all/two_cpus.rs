//! What a run says of its two CPUs: launches whose truth is known.

use fastrand::Rng;
use results::answer::Answers;
use results::{Cell, Measure, Measured, Ratio, Run, TwoCpus, summarise};

use crate::fixture::{cell, host, run, throughput, words};

/// A launch: what the two CPUs were, and the ratio that it measured.
#[derive(Clone, Copy, Debug)]
struct Launch {
    at_once_share: f64,
    line_ns: f64,
    ratio: f64,
}

fn lines(round: u32, launch: &Launch) -> [Measured; 2] {
    let two_cpus = Some(TwoCpus {
        cpus: [0, 1],
        at_once_share: launch.at_once_share,
        line_round_trip_ns: Some(launch.line_ns),
    });
    let of = |backend: &str, rate: f64| Measured {
        operations_per_second: rate,
        two_cpus: two_cpus.clone(),
        ..throughput(backend, round, 1000)
    };
    [of("global", 1e6), of("per-socket", 1e6 * launch.ratio)]
}

/// A run of these launches of one cell, which was found to be 2 [1.9, 2.1] times the reference.
fn of(launches: &[Launch]) -> Run {
    let lines = launches.iter().zip(0..).flat_map(|(launch, round)| lines(round, launch));
    let mut run = run(lines.collect());
    let [cell, against] = ["per-socket", "global"].map(|backend| cell("pairs", backend, 2).id());
    let found = Ratio {
        cell,
        against,
        threads: 2,
        metric: "throughput".to_owned(),
        ratio: Some(2.0),
        low: Some(1.9),
        high: Some(2.1),
        level: 0.95,
        pairs: launches.len() as u32,
        host: host(),
        ..Ratio::default()
    };
    run.records.push(found.into());
    run
}

/// What it says of the CPUs.
fn said(run: Run) -> Vec<String> {
    let runs = [run];
    let summary = summarise(&runs, "global").expect("sums up");
    let answers = Answers::of(&runs, &summary, &words());
    let of_cpus = answers.iter().filter(|answer| answer.question == "the two CPUs");
    of_cpus.map(|answer| answer.sentence.clone()).collect()
}

/// So many launches of a kind, each a little of its own.
fn some(count: u32, at_once_share: f64, line_ns: f64, ratio: f64) -> Vec<Launch> {
    let luck = |launch: u32| 1.0 + f64::from(launch % 7) * 0.001;
    let launch =
        |n| Launch { at_once_share, line_ns: line_ns * luck(n), ratio: ratio * luck(n + 3) };
    (0..count).map(launch).collect()
}

#[test]
fn what_they_were_is_counted() {
    let two = some(9, 1.0, 60.0, 2.0);
    assert_eq!(
        said(of(&two)),
        ["they worked as two cores do in 9 launches; a cache line went over and back in 60 to \
             61 ns"]
    );
    let one = some(3, 0.6, 30.2, 2.0);
    assert_eq!(
        said(of(&one)),
        ["they worked as one core does in 3 launches; a cache line went over and back in 30 to \
             31 ns"]
    );
    let both = said(of(&[two, one].concat()));
    assert_eq!(
        both,
        ["they worked as one core does in 3 of 12 launches; a cache line went over and back in \
             30 to 61 ns"],
        "three launches are too few for an interval"
    );
    assert_eq!(said(of(&some(1, 1.0, 60.0, 2.0))).len(), 1);
}

#[test]
fn a_core_is_shared_below_three_quarters() {
    let shared = |at_once_share| TwoCpus { at_once_share, ..TwoCpus::default() }.are_as_one_core();
    assert!(shared(0.5) && shared(0.65) && shared(0.74));
    assert!(!shared(0.75) && !shared(0.9) && !shared(1.01));
}

#[test]
fn a_ratio_that_hangs_on_the_core_is_told_for_both() {
    let run = of(&[some(20, 1.0, 60.0, 3.0), some(10, 0.6, 50.0, 1.5)].concat());
    let said = said(run);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[1],
        "pairs per-socket with 2 threads / global: 3.01 [3.00, 3.02] where they worked as two \
         cores (20 launches), 1.51 [1.50, 1.51] where as one (10 launches)"
    );
}

#[test]
fn it_does_not_matter_of_which_kind_more_was_measured() {
    let said = said(of(&[some(20, 1.0, 60.0, 1.5), some(10, 0.6, 50.0, 3.0)].concat()));
    assert_eq!(said.len(), 2, "{said:?}");
    let both = ["where they worked as two cores (20 launches), ", " where as one (10 launches)"];
    assert!(both.iter().all(|kind| said[1].contains(kind)), "{said:?}");
    // Intervals that touch do not lie apart.
    let exact = |at_once_share| vec![Launch { at_once_share, line_ns: 60.0, ratio: 2.0 }; 10];
    assert_eq!(self::said(of(&[exact(1.0), exact(0.6)].concat())).len(), 1);
}

#[test]
fn launches_of_one_core_are_neither_near_nor_far() {
    let far = [some(10, 1.0, 50.0, 3.0), some(10, 1.0, 200.0, 2.0)].concat();
    let said = said(of(&[far, some(5, 0.6, 50.0, 9.0)].concat()));
    let of_the_way = said.iter().find(|one| one.contains("a cache line took up to"));
    let told = of_the_way.expect("told");
    assert!(told.contains("where a cache line took up to 100 ns (10 launches)"), "{told}");
}

/// Each group of cells has launches of its own; what was not looked at is not spoken of.
#[test]
fn launches_of_two_groups_are_counted_apart() {
    let launches = some(9, 1.0, 60.0, 2.0);
    let mut run = of(&launches);
    let pairs = cell("pairs", "per-socket", 2).id();
    let stream = |backend: &str| cell("stream", backend, 2);
    let Some(results::Record::Ratio(found)) = run.records.last().cloned() else { panic!() };
    let [own, against] = ["per-socket", "global"].map(|backend| stream(backend).id());
    run.records.push(Ratio { cell: own.clone(), against, ..*found }.into());
    let with = |is_looked_at: bool| {
        let mut run = run.clone();
        for line in launches.iter().zip(0..).flat_map(|(launch, round)| lines(round, launch)) {
            let cell = stream(&line.cell.backend);
            let two_cpus = line.two_cpus.clone().filter(|_| is_looked_at);
            run.records.push(Measured { cell_id: cell.id(), cell, two_cpus, ..line }.into());
        }
        let runs = [run];
        let summary = summarise(&runs, "global").expect("sums up");
        let answers = Answers::of(&runs, &summary, &words());
        let all = answers.iter().find(|answer| answer.question == "the two CPUs").expect("told");
        (all.sentence.clone(), all.cells.clone())
    };
    let (sentence, cells) = with(true);
    assert!(sentence.starts_with("they worked as two cores do in 18 launches"), "{sentence}");
    assert_eq!(cells, [pairs.clone(), own]);
    let (sentence, cells) = with(false);
    assert!(sentence.starts_with("they worked as two cores do in 9 launches"), "{sentence}");
    assert_eq!(cells, [pairs]);
}

#[test]
fn near_and_far_are_told_apart_on_two_cores_alone() {
    let far = [some(10, 1.0, 50.0, 3.0), some(10, 1.0, 200.0, 2.0)].concat();
    let told = said(of(&far));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("where a cache line took up to 100 ns (10 launches)"), "{told:?}");
    assert!(told[1].contains("2.01 [2.00, 2.01] where it took longer (10 launches)"), "{told:?}");
    let near = [some(10, 1.0, 50.0, 3.0), some(10, 1.0, 70.0, 2.0)].concat();
    assert_eq!(said(of(&near)).len(), 1, "a line that takes half as long again is told apart");
    let shared: Vec<Launch> =
        far.iter().map(|launch| Launch { at_once_share: 0.6, ..*launch }).collect();
    assert_eq!(said(of(&shared)).len(), 1);
}

#[test]
fn flagged_lines_and_latency_lines_are_in_no_ratio() {
    let spoilt = |spoil: fn(&mut Measured)| {
        let mut run = of(&[some(20, 1.0, 60.0, 3.0), some(10, 0.6, 60.0, 1.5)].concat());
        for record in &mut run.records {
            if let results::Record::Measured(line) = record
                && line.round >= 25
            {
                spoil(line);
            }
        }
        said(run).len()
    };
    assert_eq!(spoilt(|_| ()), 2);
    // Five launches are left of one kind.
    assert_eq!(spoilt(|line| line.host_noise.flagged = true), 1);
    assert_eq!(spoilt(|line| line.measure = Measure::Latency), 1);
}

/// Where the two kinds do not differ it is hardly ever said that they do.
#[test]
fn what_does_not_differ_is_not_told_apart() {
    let mut random = Rng::with_seed(5);
    let mut told = 0;
    for _ in 0..500 {
        let launch = |place: usize, random: &mut Rng| Launch {
            at_once_share: if place.is_multiple_of(2) { 1.0 } else { 0.6 },
            line_ns: 60.0,
            ratio: 2.0 * ((random.f64() - 0.5) * 0.2).exp(),
        };
        let launches: Vec<Launch> = (0..24).map(|place| launch(place, &mut random)).collect();
        told += said(of(&launches)).len() - 1;
    }
    assert!(told <= 3, "{told} of 500");
}

#[test]
fn without_a_look_nothing_is_said() {
    let mut run = of(&some(9, 1.0, 60.0, 2.0));
    for record in &mut run.records {
        if let results::Record::Measured(line) = record {
            line.two_cpus = None;
        }
    }
    assert!(said(run).is_empty());
    // Another group's look is not this one's.
    let mut run = of(&[]);
    let other = Cell { workload: "stream".to_owned(), ..cell("pairs", "global", 2) };
    let look = lines(0, &some(1, 1.0, 60.0, 2.0)[0])[0].clone();
    run.records.push(Measured { cell_id: other.id(), cell: other, ..look }.into());
    assert!(said(run).is_empty());
}
