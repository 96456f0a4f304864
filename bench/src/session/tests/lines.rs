//! What the lines of kind `ratio` say beside the ratio itself.

use std::cell::RefCell;
use std::collections::HashSet;

use results::Slices;
use results::verdict::Rule;

use super::*;

fn one_thread(args: &mut RunArgs) {
    args.cells.threads = vec!["1".to_owned()];
}

#[test]
fn a_ratio_says_where_and_when_it_was_measured() {
    let before = results::time::rfc3339_utc(SystemTime::now());
    let ran = ran(&world(0.5, 0.0), |args| args.rounds = Some(1));
    assert!(!ran.summary.interrupted, "it came to its end");
    for ratio in ran.ratios() {
        let of_it = |line: &&results::Measured| line.cell.id() == ratio.cell;
        let first = ran.measured().find(of_it).expect("it was measured");
        assert_eq!((&ratio.started, ratio.threads), (&first.started, first.cell.threads));
        assert!(ratio.started >= before, "{ratio:?}");
        assert_eq!(ratio.metric, results::ratio::THROUGHPUT);
        assert_eq!((&ratio.commit, ratio.dirty), (&host::commit(), host::dirty()));
        assert_eq!(ratio.host.cpu, "made up");
    }
}

#[test]
fn a_copy_says_nothing_before_its_tenth_pair_but_how_many_there_are() {
    let itself = |rounds| {
        let ran = ran(&world(0.5, 0.001), |args| {
            one_thread(args);
            args.rounds = Some(rounds);
        });
        ran.ratio("pairs/global").clone()
    };
    let few = itself(45);
    assert_eq!((few.pairs, few.ratio, few.low, few.level), (9, None, None, 0.0));
    let enough = itself(46);
    assert_eq!((enough.pairs, enough.level), (10, Rule::default().level_per_look));
    assert!(enough.low < enough.ratio && enough.ratio < enough.high, "{enough:?}");
}

/// A process does more where it is the reference's copy: the one that is warmed up last of three.
/// Of the cells with one thread no process measures at all.
#[test]
fn a_run_whose_reference_differs_from_itself_says_no_ratio() {
    let (copies, warm) = (RefCell::new(HashSet::new()), RefCell::new(0));
    let world = MadeUp::new(move |now| {
        if now.prepare.cell.threads == 1 {
            return Err(Failure::Broken("gone".to_owned()));
        }
        let mut warm = warm.borrow_mut();
        *warm = if now.slice == 0 { *warm + 1 } else { 0 };
        if *warm == 3 {
            copies.borrow_mut().insert(now.process);
        }
        let more = if copies.borrow().contains(&now.process) { 1.2 } else { 1.0 };
        let done = done(now, 0.5, 0.001);
        Ok(SliceDone { operations_per_second: done.operations_per_second * more, ..done })
    });
    let ran = ran(&world, |args| args.rounds = Some(50));
    let (itself, differs) = ran.summary.itself.as_ref().expect("pairs enough");
    assert!(*differs && itself.low > 1.1 && itself.pairs == 10, "{itself:?}");
    let ratio = ran.ratio("pairs/per-socket");
    assert_eq!((ratio.ratio, ratio.low, ratio.level, ratio.pairs), (None, None, 0.0, 50));
    assert!(ratio.why.as_ref().is_some_and(|why| why.starts_with("invalid: global differs")));
    // What was not measured has no line, not even to say why.
    assert!(ran.ratios().iter().all(|ratio| ratio.threads == 2), "{:?}", ran.ratios());
}

#[test]
fn a_host_is_busy_that_disturbed_more_than_three_slices_in_ten() {
    in_session(
        &world(0.5, 0.0),
        |_| {},
        |session| {
            let group = session.planned.groups().next().expect("a group");
            let mut state = State::new(group, session.settings);
            state.backends[1].log_ratios = vec![-0.7; 20];
            let mut why = |slices: Slices| {
                state.backends[1].slices = slices;
                let lines = ratios::of_group(session, &state, None);
                lines.into_iter().find(|ratio| !ratio.is_against_itself()).expect("a line").why
            };
            let three = Slices {
                kept: 7,
                repeated: 2,
                given_up: 1,
                off_cpu: 2,
                stolen: 1,
                ..Slices::default()
            };
            assert_eq!(why(three), None);
            let four = Slices { kept: 6, given_up: 2, ..three };
            let expected = "host busy: 4 of 10 slices disturbed: off CPU 2, stolen 1";
            assert_eq!(why(four).as_deref(), Some(expected));
        },
    );
}

#[test]
fn a_backend_that_measured_nothing_has_no_line() {
    let world = MadeUp::new(|now| match &*now.prepare.cell.backend {
        "per-socket" => Err(Failure::Broken("gone".to_owned())),
        _ => Ok(done(now, 0.5, 0.0)),
    });
    let ran = ran(&world, |args| args.rounds = Some(2));
    assert!(ran.ratios().iter().all(|ratio| ratio.is_against_itself()), "{:?}", ran.ratios());
}

/// Of three backends one is known after the first look; the last has luck of 20 %.
fn uneven() -> MadeUp {
    MadeUp::new(|now| {
        let is_even = now.prepare.cell.backend != "per-buffer";
        Ok(done(now, 0.5, if is_even { 0.001 } else { 0.2 }))
    })
}

fn of_three(args: &mut RunArgs) {
    one_thread(args);
    args.cells.backend = ["global", "per-socket", "per-buffer"].map(str::to_owned).to_vec();
}

#[test]
fn within_a_group_what_is_known_gives_its_time_to_what_is_not() {
    let ran = ran(&uneven(), |args| {
        of_three(args);
        args.budget = Some("60s".to_owned());
    });
    assert_eq!(ran.ratio("pairs/per-socket").pairs, 10);
    assert!(ran.ratio("pairs/per-buffer").pairs > 30, "{:?}", ran.ratio("pairs/per-buffer"));
}

#[test]
fn where_the_rounds_are_given_every_backend_has_each_of_them() {
    let ran = ran(&uneven(), |args| {
        of_three(args);
        args.rounds = Some(20);
    });
    let pairs = |cell| ran.ratio(cell).pairs;
    assert_eq!((pairs("pairs/per-socket"), pairs("pairs/per-buffer")), (20, 20));
}
