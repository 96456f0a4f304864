//! Runs that end before all is known: what is kept, and what is said.

use super::*;

#[test]
fn a_backend_that_fails_is_named_and_the_others_go_on() {
    let world = MadeUp::new(|now| match &*now.prepare.cell.backend {
        "per-socket" => Err(Failure::Broken("its process ended (signal: 9)".to_owned())),
        _ => Ok(done(now, 0.5, 0.0)),
    });
    let ran = ran(&world, |args| args.rounds = Some(2));
    let failed = "pairs/per-socket/stream/64B/t1/adaptive: its process ended (signal: 9)";
    assert!(ran.summary.failed.contains(&failed.to_owned()), "{:?}", ran.summary.failed);
    assert_eq!(ran.summary.failed.len(), 2, "once for each cell");
    assert_eq!(ran.measured().filter(|line| line.cell.backend == "global").count(), 2 * 2 * 2);
    assert_eq!(ran.summary.measured, 8);
}

#[test]
fn without_the_reference_there_is_no_ratio_to_wait_for() {
    let world = MadeUp::new(|now| match &*now.prepare.cell.backend {
        "global" => Err(Failure::Broken("gone".to_owned())),
        _ => Ok(done(now, 0.5, 0.5)),
    });
    let ran = ran(&world, |args| args.budget = Some("1h".to_owned()));
    assert_eq!((ran.rounds, ran.ratios().len()), (10, 0));
}

#[test]
fn a_finding_ends_the_run_and_is_handed_over() {
    let world = MadeUp::new(|now| {
        if now.process < 4 {
            return Ok(done(now, 0.5, 0.0));
        }
        Err(Failure::Found { finding: None, report: "\nwitness: userret".to_owned() })
    });
    let ran = ran(&world, |args| args.rounds = Some(9));
    let found = ran.summary.found.as_ref().expect("a finding");
    assert_eq!(found.report, "witness: userret");
    assert!(found.cell.as_ref().is_some_and(|cell| cell.starts_with("pairs/")));
    // Of what no process could say the rest.
    assert_eq!((&*found.check, found.count, &*found.operation), ("unknown", 1, "none"));
    assert!(found.cell.as_ref().is_some_and(|cell| cell.contains(&found.backend)));
    assert!(["global", "per-socket"].contains(&&*found.backend), "{found:?}");
    assert_eq!((&found.commit, &*found.host.cpu), (&host::commit(), "made up"));
    assert!(results::time::parse_rfc3339(&found.started).is_some(), "{found:?}");
    assert!(!ran.summary.interrupted && ran.summary.measured > 0);
    assert_eq!(ran.rounds, 1, "no round is announced after it");
    assert!(Record::from(found.clone()).to_line().is_ok());
}

/// A disk that has room for what is measured, and for no ratio.
struct Full;

impl Observer for Full {
    fn round(&mut self, _round: u32, _groups: usize, _elapsed: Duration) {}

    fn launch(&mut self, _group: &Group, _elapsed: Duration) {}

    fn publish(&mut self, record: &Record) -> Result<(), String> {
        if matches!(record, Record::Ratio(_)) { Err("full".to_owned()) } else { Ok(()) }
    }
}

#[test]
fn a_ratio_that_cannot_be_kept_ends_a_run_but_costs_no_finding() {
    let full = |finds: bool| {
        let world = MadeUp::new(move |now| match now.process {
            process if finds && process >= 4 => {
                Err(Failure::Found { finding: None, report: String::new() })
            }
            _ => Ok(done(now, 0.5, 0.0)),
        });
        in_session(&world, |args| args.rounds = Some(1), |session| run(session, &mut Full))
    };
    assert_eq!(full(false).unwrap_err(), "full");
    let summary = full(true).unwrap();
    assert!(summary.found.is_some() && summary.unkept.as_deref() == Some("full"));
}

#[test]
fn an_interrupt_keeps_what_had_ended() {
    let world = world(0.5, 0.0);
    world.interrupt_at.set(Duration::from_secs(1));
    let ran = ran(&world, |args| args.rounds = Some(1000));
    assert!(ran.summary.interrupted);
    assert!(ran.summary.measured > 0 && ran.elapsed < Duration::from_secs(2));
    assert!(ran.ratio("pairs/per-socket").pairs > 0, "the ratios so far are kept, too");
}

#[test]
fn nothing_is_started_again_after_an_interrupt() {
    let world = MadeUp::new(|_| Err(Failure::Broken("gone".to_owned())));
    world.interrupt_at.set(Duration::from_nanos(1));
    let ran = ran(&world, |args| args.rounds = Some(1000));
    assert!(ran.summary.interrupted);
    let started = world.events().iter().filter(|event| matches!(event, Event::Start(..))).count();
    assert_eq!(started, 3, "one launch: both backends, and the reference's copy");
}
