//! Whole runs on a machine that is made up.

mod ends;
mod lines;

use std::collections::BTreeMap;

use results::{Checks, Host, Instrument, Ratio};

use super::*;
use crate::cli::{OwnArgs, RunArgs};
use crate::cpus::Cpus;
use crate::protocol::SliceDone;
use crate::turns::made_up::{Event, MadeUp, Now, disturbed, quiet};

/// What a run published, and what it said in the end.
struct Ran {
    records: Vec<Record>,
    summary: Summary,
    rounds: u32,
    elapsed: Duration,
}

impl Ran {
    fn measured(&self) -> impl Iterator<Item = &results::Measured> + Clone {
        self.records.iter().filter_map(Record::as_measured)
    }

    fn ratios(&self) -> Vec<&Ratio> {
        fn ratio(record: &Record) -> Option<&Ratio> {
            match record {
                Record::Ratio(ratio) => Some(ratio),
                _ => None,
            }
        }
        self.records.iter().filter_map(ratio).collect()
    }

    fn ratio(&self, cell: &str) -> &Ratio {
        let ratios = self.ratios();
        ratios.into_iter().find(|ratio| ratio.cell.starts_with(cell)).expect(cell)
    }
}

#[derive(Default)]
struct Recorder {
    records: Vec<Record>,
    rounds: u32,
}

impl Observer for Recorder {
    fn round(&mut self, _round: u32, _groups: usize, _elapsed: Duration) {
        self.rounds += 1;
    }

    fn launch(&mut self, _group: &Group, _elapsed: Duration) {}

    fn publish(&mut self, record: &Record) -> Result<(), String> {
        record.to_line().map_err(|error| error.to_string())?;
        self.records.push(record.clone());
        Ok(())
    }
}

/// `pairs` on two backends with one and two threads, unless `change` says otherwise.
pub(super) fn in_session<T>(
    world: &MadeUp,
    change: impl FnOnce(&mut RunArgs),
    then: impl FnOnce(&Session<'_>) -> T,
) -> T {
    let mut args = RunArgs::default();
    args.cells.workload = vec!["pairs".to_owned()];
    args.cells.backend = vec!["global".to_owned(), "per-socket".to_owned()];
    args.cells.threads = vec!["1,2".to_owned()];
    args.cells.seed = Some(7);
    change(&mut args);
    let settings = Settings::new(&args, &Cpus::allowed().unwrap()).unwrap();
    let planned = plan(&settings).unwrap();
    let (instrument, on_lock) = (Instrument::default(), BTreeMap::new());
    let host = Host { cpu: "made up".to_owned(), ..Host::default() };
    let context = Context { host, instrument, on_lock, seed: settings.seed };
    then(&Session {
        settings: &settings,
        planned: &planned,
        world,
        program: Path::new("solock"),
        context: &context,
        current: &Current::default(),
    })
}

/// A whole run of that.
fn ran(world: &MadeUp, change: impl FnOnce(&mut RunArgs)) -> Ran {
    let mut recorder = Recorder::default();
    let summary = in_session(world, change, |session| run(session, &mut recorder).unwrap());
    let Recorder { records, rounds } = recorder;
    Ran { records, summary, rounds, elapsed: world.elapsed() }
}

/// What a process does: `per-socket` this share of `global`, each process a little different, as
/// far apart as `spread` says.
fn done(now: &Now<'_>, share: f64, spread: f64) -> SliceDone {
    let share = if now.prepare.cell.backend == "global" { 1.0 } else { share };
    let luck = ((now.process * 7919 % 101) as f64 / 50.0 - 1.0) * spread;
    let checks = Checks { operations_checked: 9, ..Checks::default() };
    SliceDone { checks, ..quiet(now.asked, 1e6 * share * luck.exp()) }
}

fn world(share: f64, spread: f64) -> MadeUp {
    MadeUp::new(move |now| Ok(done(now, share, spread)))
}

#[test]
fn so_many_rounds_give_so_many_lines_of_each_measure_whatever_the_ratios() {
    let ran = ran(&world(0.5, 0.001), |args| (args.rounds, args.seconds) = (Some(3), Some(1.0)));
    assert_eq!((ran.rounds, ran.summary.measured), (3, 3 * 2 * 4));
    for backend in ["global", "per-socket"] {
        for measure in [Measure::Throughput, Measure::Latency] {
            let lines = ran.measured().filter(|line| {
                line.cell.backend == backend && line.measure == measure && line.cell.threads == 2
            });
            let rounds: Vec<u32> = lines.clone().map(|line| line.round).collect();
            assert_eq!(rounds, [0, 1, 2]);
            for line in lines {
                assert!((line.seconds - 0.5).abs() < 1e-6, "half of the time for each measure");
                assert_eq!(line.checks.faults(), 0);
                assert_eq!(line.checks.operations_checked, 9 * 26);
                assert_eq!(line.slices.unwrap().kept, 26);
                assert!(!line.host_noise.flagged);
            }
        }
    }
}

#[test]
fn lines_are_numbered_in_their_order_and_the_order_is_drawn_from_the_seed() {
    let lines = |seed| -> Vec<(u32, String)> {
        let ran = ran(&world(0.5, 0.0), |args| {
            (args.rounds, args.cells.seed) = (Some(4), Some(seed));
        });
        ran.measured().map(|line| (line.order_in_run, line.cell.id())).collect()
    };
    let first = lines(1);
    assert!(first.iter().map(|(place, _)| *place).eq(0..first.len() as u32));
    // Tables show the cells in the order of the first round, which is the plan's.
    let threads = |line: &(u32, String)| if line.1.contains("/t1/") { 1 } else { 2 };
    for seed in 1..8 {
        assert!(lines(seed)[..8].iter().map(threads).eq([1, 1, 1, 1, 2, 2, 2, 2]), "{seed}");
    }
    assert_eq!(first, lines(1));
    assert!((2..6).any(|seed| lines(seed) != first));
}

#[test]
fn groups_take_turns_in_an_order_that_is_drawn() {
    let ran = ran(&world(0.5, 0.0), |args| args.rounds = Some(20));
    let lines: Vec<u32> = ran.measured().map(|line| line.cell.threads).collect();
    let rounds: Vec<u32> = lines.chunks(8).map(|round| round[0]).collect();
    assert!(
        lines.chunks(8).all(|round| round.iter().filter(|threads| **threads == 1).count() == 4)
    );
    assert!(rounds.contains(&1) && rounds.contains(&2), "{rounds:?}");
}

#[test]
fn a_run_ends_when_every_ratio_is_narrow_and_its_lines_say_the_ratios() {
    let ran = ran(&world(0.5, 0.01), |_| {});
    assert_eq!(ran.rounds, 10, "the first look");
    let ratio = ran.ratio("pairs/per-socket/stream/64B/t2");
    assert_eq!(ratio.against, "pairs/global/stream/64B/t2/adaptive");
    let Ratio { ratio: Some(middle), low: Some(low), high: Some(high), .. } = *ratio else {
        panic!("{ratio:?}")
    };
    assert!(low <= middle && middle <= high && low < 0.5 && high > 0.5, "{ratio:?}");
    assert!((ratio.pairs, ratio.threads, ratio.within) == (10, 2, Some(0.03)), "{ratio:?}");
    assert!(ratio.level >= 0.95 && ratio.why.is_none());
    assert_eq!(ratio.budget_seconds, Some(12.0));
}

#[test]
fn what_is_known_gives_its_time_to_what_is_not() {
    // Two threads: each process has luck of 20 %.
    let uneven = MadeUp::new(|now| {
        Ok(done(now, 0.5, if now.prepare.cell.threads == 1 { 0.001 } else { 0.2 }))
    });
    let ran = ran(&uneven, |args| args.budget = Some("60s".to_owned()));
    let pairs = |cell| ran.ratio(cell).pairs;
    assert_eq!(pairs("pairs/per-socket/stream/64B/t1"), 10);
    assert!(pairs("pairs/per-socket/stream/64B/t2") > 40);
}

#[test]
fn the_budget_ends_a_run_and_what_is_wide_stays_wide() {
    let ran = ran(&world(0.5, 0.5), |args| args.budget = Some("10s".to_owned()));
    let spent = Duration::from_secs(9)..=Duration::from_secs(10);
    assert!(spent.contains(&ran.elapsed), "{:?}", ran.elapsed);
    let ratio = ran.ratio("pairs/per-socket/stream/64B/t1");
    assert!(ratio.high.unwrap() / ratio.low.unwrap() > 1.1, "{ratio:?}");
}

/// The first launch has three processes, the next ones two.
#[test]
fn a_launch_that_does_not_fit_into_the_budget_is_not_begun() {
    let with_budget = |budget: &str| {
        ran(&world(0.5, 0.5), |args| {
            (args.budget, args.seconds) = (Some(budget.to_owned()), Some(1.0));
            args.cells.threads = vec!["1".to_owned()];
        })
    };
    let one = with_budget("100ms").elapsed;
    let three = with_budget(&format!("{}ms", one.as_millis() * 29 / 10));
    assert_eq!(three.rounds, 3, "and no fourth, which would take it to three times the first");
    assert!(three.elapsed <= one * 29 / 10, "{:?} of {one:?}", three.elapsed);
    let two = with_budget(&format!("{}ms", one.as_millis() * 18 / 10));
    assert_eq!(two.rounds, 2, "two thirds of the first are enough for the second");
    let none = with_budget(&format!("{}ms", one.as_millis() * 3 / 2));
    assert_eq!((none.rounds, none.elapsed), (1, one), "no second one is begun");
}

#[test]
fn every_group_is_measured_once_whatever_the_budget() {
    let ran = ran(&world(0.5, 0.0), |args| args.budget = Some("100ms".to_owned()));
    assert_eq!((ran.rounds, ran.summary.measured), (1, 8), "no second round is announced");
    let ratio = ran.ratio("pairs/per-socket/stream/64B/t1");
    assert_eq!((ratio.pairs, ratio.ratio, ratio.low, ratio.level), (1, None, None, 0.0));
}

#[test]
fn where_one_waits_for_another_ten_percent_will_do() {
    let ran = ran(&world(0.5, 0.0), |args| {
        args.cells.workload = vec!["stream".to_owned(), "pairs".to_owned()];
        args.cells.threads = vec!["2".to_owned()];
    });
    let within = |cell| ran.ratio(cell).within;
    assert_eq!((within("stream/per"), within("pairs/per")), (Some(0.1), Some(0.03)));
}

#[test]
fn one_launch_in_five_has_the_reference_twice_and_its_copy_stands_in_no_line() {
    let world = world(0.5, 0.001);
    let ran = ran(&world, |args| {
        (args.rounds, args.cells.threads) = (Some(50), vec!["1".to_owned()]);
    });
    let global = |event: &Event| matches!(event, Event::Start(_, _, name) if name == "global");
    assert_eq!(world.events().iter().filter(|event| global(event)).count(), 50 + 10);
    assert_eq!(ran.measured().filter(|line| line.cell.backend == "global").count(), 100);
    let itself = ran.ratio("pairs/global");
    assert_eq!((itself.cell == itself.against, itself.pairs), (true, 10));
    assert!((itself.ratio.unwrap() - 1.0).abs() < 0.01, "the copy does what the reference does");
    assert!(!ran.summary.itself.as_ref().unwrap().1);
}

#[test]
fn where_the_reference_differs_from_itself_no_ratio_is_said() {
    let world = world(0.5, 0.001);
    in_session(
        &world,
        |_| {},
        |session| {
            let group = session.planned.groups().next().unwrap();
            let mut state = State::new(group, session.settings);
            state.backends[1].log_ratios = vec![-0.7; 20];
            let said = |itself: &(AgainstItself, bool)| {
                let lines = ratios::of_group(session, &state, Some(itself));
                lines.into_iter().find(|ratio| !ratio.is_against_itself()).unwrap()
            };
            let agrees = (AgainstItself { ratio: 1.001, low: 0.99, high: 1.01, pairs: 12 }, false);
            assert!(said(&agrees).low.is_some());
            let differs = (AgainstItself { ratio: 0.9, low: 0.88, high: 0.91, pairs: 12 }, true);
            let ratio = said(&differs);
            assert_eq!((ratio.ratio, ratio.low, ratio.pairs), (None, None, 20));
            let why = ratio.why.expect("a reason");
            assert_eq!(why, "invalid: global differs from itself, 0.900 [0.880, 0.910]");
        },
    );
}

#[test]
fn a_busy_host_is_said_in_numbers_and_its_lines_are_flagged() {
    let busy = MadeUp::new(|now| Ok(disturbed(now.asked, 1e6)));
    let ran = ran(&busy, |args| args.rounds = Some(2));
    assert_eq!(ran.summary.measured, 2 * 2 * 4, "every round has its lines");
    assert!(ran.measured().all(|line| line.host_noise.flagged && line.operations > 0));
    let why = ran.ratio("pairs/per-socket/stream/64B/t1").why.clone().unwrap();
    assert!(why.starts_with("host busy: ") && why.contains(" slices disturbed: off CPU "), "{why}");
}

#[test]
fn a_warm_up_is_a_fifth_of_what_is_measured_and_a_quarter_of_a_second_at_most() {
    let of = |ms| warm_up(Duration::from_millis(ms)).as_millis();
    assert_eq!([100, 1_000, 1_250, 2_000].map(of), [20, 200, 250, 250]);
}

#[test]
fn a_slice_of_a_paced_workload_has_room_for_operations() {
    let seconds = |rate: f64| {
        let ran = ran(&world(0.5, 0.0), |args| {
            args.cells.workload = vec!["paced".to_owned()];
            args.cells.threads = vec!["1".to_owned()];
            args.cells.own = OwnArgs::given(&[("rate", &[rate])]);
            args.rounds = Some(1);
        });
        let line = ran.measured().next().unwrap();
        line.seconds / f64::from(line.slices.unwrap().kept)
    };
    assert!((seconds(10_000.0) - 0.02).abs() < 1e-9);
    assert!((seconds(1000.0) - 0.1).abs() < 1e-9);
    assert!((seconds(1.0) - 1.0).abs() < 1e-9);
}

/// A launch of two threads has its own look at the two CPUs, in each of its lines; one thread has
/// none, and where threads wander nobody looks.
#[test]
fn lines_say_what_the_two_cpus_were_in_their_launch() {
    let looks = |pin: bool, cpus: Option<String>| {
        let world = world(0.5, 0.0);
        let look = |share| TwoCpus { cpus: [0, 1], at_once_share: share, ..TwoCpus::default() };
        world.two_cpus.borrow_mut().extend([0.6, 0.9, 0.7].map(look));
        let ran = ran(&world, |args| {
            args.rounds = Some(3);
            (args.cells.no_pin, args.cells.cpus) = (!pin, cpus);
        });
        let of = |line: &results::Measured| {
            let share = line.two_cpus.as_ref().map(|two| two.at_once_share);
            (line.cell.threads, line.round, share)
        };
        ran.measured().map(of).collect::<Vec<_>>()
    };
    let (seen, allowed) = (looks(true, None), Cpus::allowed().unwrap());
    if allowed.count() > 1 {
        for line in &seen {
            let share = [0.6, 0.9, 0.7][line.1 as usize];
            assert_eq!(line.2, (line.0 == 2).then_some(share), "{line:?}");
        }
    }
    assert_eq!(seen.len(), 3 * 2 * 4);
    let nobody_looks =
        |seen: Vec<(u32, u32, Option<f64>)>| seen.iter().all(|(_, _, share)| share.is_none());
    assert!(nobody_looks(looks(false, None)));
    assert!(nobody_looks(looks(true, Some(allowed.order()[0].to_string()))), "there is one CPU");
}
