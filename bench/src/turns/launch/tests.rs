//! Launches on a machine that is made up.

use std::collections::BTreeSet;

use super::*;
use crate::turns::made_up::{Event, MadeUp, disturbed, quiet};

const ASKED: Asked =
    Asked { slice: Duration::from_millis(20), throughput_turns: 3, latency_turns: 1, noisy: false };

fn measured(world: &MadeUp, parties: usize, asked: &Asked, seed: u64) -> Launch {
    let (program, prepare) = (Path::new("program"), Prepare::default());
    let parties = vec![Party { program, prepare: &prepare }; parties];
    measure(world, &parties, asked, &mut fastrand::Rng::with_seed(seed)).unwrap()
}

#[test]
fn a_turn_goes_there_and_back_through_fresh_processes() {
    let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
    let launch = measured(&world, 3, &ASKED, 1);
    let turns = [world.turns(Measure::Throughput), world.turns(Measure::Latency)].concat();
    assert_eq!(turns.len(), 3 * 2 * 3 + 2 * 3);
    for turn in turns.chunks(6) {
        let (there, back) = turn.split_at(3);
        assert!(there.iter().eq(back.iter().rev()), "{turn:?}");
        assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), 3, "{turn:?}");
    }
    let is = |wanted: fn(&Event) -> bool| world.events().iter().filter(|e| wanted(e)).count();
    assert_eq!(is(|event| matches!(event, Event::Start(..))), 3);
    assert_eq!(is(|event| matches!(event, Event::End(_))), 3);
    // One slice of each before all turns, which is in no figure.
    assert!(launch.parties.iter().all(|taken| taken.slices.len() == 8));
}

#[test]
fn a_process_takes_its_start_a_warm_up_and_each_slice_twice_at_most() {
    // Two slices of a turn, each repeated, and the first one, all of 22 ms.
    assert_eq!(ASKED.longest(), AROUND + Duration::from_millis(22) * (4 * 4 + 1));
    let none = Asked { throughput_turns: 0, latency_turns: 0, ..ASKED };
    assert_eq!(none.longest(), AROUND + Duration::from_millis(22));
}

#[test]
fn the_order_of_turns_and_of_starts_is_drawn_and_no_party_is_favoured() {
    let mut firsts = [0; 2];
    let mut starts = [0; 2];
    for seed in 0..200 {
        let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6 * (now.process + 1) as f64)));
        let launch = measured(&world, 2, &ASKED, seed);
        firsts[launch.order[0]] += 1;
        // The process that was started second does twice as much: which party is it?
        starts[usize::from(launch.log_ratio(1, 0).unwrap() > 0.0)] += 1;
    }
    assert!(firsts.iter().chain(&starts).all(|times| (70..=130).contains(times)), "a coin");
}

#[test]
fn the_seed_decides_the_order() {
    let turns = |seed| {
        let world = MadeUp::new(|now| Ok(quiet(now.asked, 1e6)));
        measured(&world, 4, &ASKED, seed);
        world.events()
    };
    assert_eq!(turns(7), turns(7));
    assert!((0..5).any(|seed| turns(seed) != turns(7)));
}

#[test]
fn a_slice_is_repeated_for_its_covariates_and_never_for_its_value() {
    // Every third slice is disturbed and twice as fast; every fifth is slow, and nothing else.
    let world = MadeUp::new(|now| match now.slice {
        slice if slice % 3 == 0 => Ok(disturbed(now.asked, 2e6)),
        slice if slice % 5 == 0 => Ok(quiet(now.asked, 1e3)),
        _ => Ok(quiet(now.asked, 1e6)),
    });
    let launch = measured(&world, 2, &ASKED, 1);
    for taken in &launch.parties {
        let rates: Vec<f64> =
            taken.used(Measure::Throughput).map(|done| done.operations_per_second).collect();
        assert_eq!(rates.len(), 6);
        assert!(rates.contains(&1e3) && !rates.contains(&2e6), "{rates:?}");
        let repeated = taken.slices.iter().filter(|slice| slice.signs.off_cpu);
        assert_eq!(repeated.count(), taken.slices.len() - 8, "kept in sight");
        let last = taken.slices.iter().filter(|slice| slice.is_last);
        assert!(last.clone().count() == 8 && last.clone().all(|slice| slice.is_used));
    }
}

#[test]
fn a_slice_that_a_thread_slept_through_is_repeated() {
    let world = MadeUp::new(|now| {
        let was_not_run = now.slice == 2;
        let rate = if was_not_run { 5e5 } else { 1e6 };
        Ok(SliceDone { was_not_run, ..quiet(now.asked, rate) })
    });
    let launch = measured(&world, 2, &ASKED, 1);
    for taken in &launch.parties {
        assert_eq!(taken.slices.len(), 9);
        assert!(taken.used(Measure::Throughput).all(|done| done.operations_per_second == 1e6));
    }
}

#[test]
fn a_busy_host_ends_the_repeating_and_nothing_is_used() {
    let world = MadeUp::new(|now| Ok(disturbed(now.asked, 1e6)));
    let launch = measured(&world, 2, &ASKED, 1);
    assert_eq!(launch.log_ratio(1, 0), None);
    let measured = launch.parties.iter().map(|taken| taken.slices.len()).sum::<usize>();
    assert_eq!(measured, 2 * 16, "as many repeats as slices");
    let long = Asked { throughput_turns: 5, latency_turns: 0, ..ASKED };
    let long = self::measured(&world, 2, &long, 1);
    let measured = long.parties.iter().map(|taken| taken.slices.len()).sum::<usize>();
    assert_eq!(measured, 2 * 20, "however many turns there are");
    let noisy = self::measured(&world, 2, &Asked { noisy: true, ..ASKED }, 1);
    assert_eq!(noisy.log_ratio(1, 0), Some(0.0));
    assert_eq!(noisy.parties[0].used(Measure::Throughput).count(), 6, "one attempt of each");
}

#[test]
fn a_trend_that_is_even_in_time_cancels_and_the_ratio_is_of_the_named_over_the_other() {
    // Each slice of the launch is a tenth faster than the one before it; the second does half.
    let slices = std::cell::Cell::new(0);
    let world = MadeUp::new(move |now| {
        slices.set(slices.get() + 1);
        let share = if now.prepare.cell.backend == "half" { 0.5 } else { 1.0 };
        Ok(quiet(now.asked, 1e6 * 1.1_f64.powi(slices.get()) * share))
    });
    let program = Path::new("program");
    let [whole, half] = ["whole", "half"].map(|backend| Prepare {
        cell: results::Cell { backend: backend.to_owned(), ..results::Cell::default() },
        ..Prepare::default()
    });
    let parties = [&whole, &half].map(|prepare| Party { program, prepare });
    let launch = measure(&world, &parties, &ASKED, &mut fastrand::Rng::with_seed(3)).unwrap();
    let ratio = |of, against| launch.log_ratio(of, against).unwrap().exp();
    assert!((ratio(1, 0) - 0.5).abs() < 1e-9 && (ratio(0, 1) - 2.0).abs() < 1e-9);
}

#[test]
fn the_rate_of_a_party_is_the_middle_one_of_the_slices_that_count() {
    let slice = |measure, operations_per_second, is_used| {
        let done = SliceDone { operations_per_second, ..SliceDone::default() };
        Slice { measure, done, is_used, ..Slice::default() }
    };
    let slices = vec![
        slice(Measure::Throughput, 5.0, true),
        slice(Measure::Throughput, 100.0, false),
        slice(Measure::Latency, 200.0, true),
        slice(Measure::Throughput, 9.0, true),
        slice(Measure::Throughput, 7.0, true),
    ];
    assert_eq!(Taken { slices, ..Taken::default() }.middle_rate(), Some(7.0));
    assert_eq!(Taken::default().middle_rate(), None);
}

#[test]
fn the_first_party_that_ran_no_copy_says_why() {
    let launch = |why: &[Option<&str>]| {
        let taken =
            |why: &Option<&str>| Taken { uncopied: why.map(str::to_owned), ..Taken::default() };
        Launch { parties: why.iter().map(taken).collect(), order: Vec::new() }
    };
    let said = launch(&[None, Some("refused"), Some("full")]);
    assert_eq!(said.uncopied(), Some("refused"));
    assert_eq!(launch(&[None, None]).uncopied(), None);
}

#[test]
fn a_party_that_fails_is_named() {
    let world = MadeUp::new(|now| match now.process {
        1 => Err(Failure::Broken("gone".to_owned())),
        _ => Ok(quiet(now.asked, 1e6)),
    });
    let (program, prepare) = (Path::new("program"), Prepare::default());
    let parties = [Party { program, prepare: &prepare }; 2];
    let failed = |seed| {
        let random = &mut fastrand::Rng::with_seed(seed);
        measure(&world, &parties, &ASKED, random).map(|_| ()).unwrap_err()
    };
    assert_eq!(failed(1).failure, Failure::Broken("gone".to_owned()));
}

#[test]
fn a_slice_in_which_nothing_was_done_counts_and_has_no_ratio() {
    let world = MadeUp::new(|now| {
        let is_idle = now.process == 1 && now.slice % 3 == 1;
        Ok(quiet(now.asked, if is_idle { 0.0 } else { 1e6 }))
    });
    let launch = measured(&world, 2, &ASKED, 1);
    let idle =
        |taken: &Taken| taken.used(Measure::Throughput).filter(|done| done.operations == 0).count();
    assert!(launch.parties.iter().all(|taken| taken.slices.len() == 8), "none is repeated");
    assert_eq!(launch.parties.iter().map(idle).sum::<usize>(), 2);
    assert_eq!((launch.log_ratio(1, 0), launch.log_ratio(0, 1)), (None, None));
}
