//! Lines of kind `profile` and `split`.

use results::{
    Events, LineError, Parts, Profile, Record, Run, Site, Slices, Split, Times, summarise,
};
use serde_json::Value;

use crate::fixture::{cell, host, throughput};

fn events(count: u64, waits: u64) -> Events {
    Events {
        acquisitions: count,
        contentions: waits,
        acq_bounces: count / 2,
        con_bounces: waits / 2,
        relocks: 3 * count,
        retries: 2 * waits,
        saved: 4 * count,
        wait_ns: Times::new(waits, [7, 90], 50 * waits),
        hold_ns: Times::new(count, [5, 70], 30 * count),
    }
}

pub(crate) fn profile() -> Profile {
    let site = |at: &str, count, waits| Site { at: at.to_owned(), events: events(count, waits) };
    let mut whole = events(100, 10);
    whole.hold_ns.histogram = Some("HISTFAAA".to_owned());
    Profile {
        cell: cell("duplex", "per-socket", 2).id(),
        class: "a_class".to_owned(),
        events: whole,
        sites: vec![site("a.rs:1", 60, 8), site("b.rs:2", 40, 2)],
        commit: Some("0123456789abcdef".to_owned()),
        dirty: Some(false),
        started: "2026-11-23T09:15:00.000Z".to_owned(),
        host: host(),
    }
}

pub(crate) fn split() -> Split {
    let cell = cell("duplex", "per-socket", 2);
    Split {
        cell_id: cell.id(),
        cell,
        operations: 1000,
        ns_per_operation: Parts {
            copy: 1.0,
            wait: 2.0,
            hold: 3.0,
            relock: 4.0,
            parked: 5.0,
            rest: 6.0,
        },
        wall_ns_per_operation: 21.5,
        profiling_ns_per_pair: 40.0,
        lock_ns_per_pair: 6.0,
        slices: Slices { kept: 10, repeated: 2, off_cpu: 2, ..Slices::default() },
        commit: None,
        dirty: None,
        started: "2026-11-23T09:15:00.000Z".to_owned(),
        host: host(),
    }
}

#[test]
fn both_kinds_have_their_fields_and_come_back_whole() {
    for (record, kind) in [(Record::from(profile()), "profile"), (split().into(), "split")] {
        let line = record.to_line().expect("a line");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["kind"], kind);
        assert_eq!(value["cell"], "duplex/per-socket/stream/64B/t2/adaptive");
        assert_eq!(Record::from_line(&line).expect("a record"), record);
        assert_eq!(record.host(), Some(&host()));
    }
    let line: Value =
        serde_json::from_str(&Record::from(profile()).to_line().expect("a line")).expect("JSON");
    for (name, whole, first) in [
        ("acquisitions", 100, 60),
        ("contentions", 10, 8),
        ("acq_bounces", 50, 30),
        ("con_bounces", 5, 4),
        ("relocks", 300, 180),
        ("retries", 20, 16),
        ("saved", 400, 240),
    ] {
        assert_eq!([&line[name], &line["sites"][0][name]], [whole, first], "{name}: {line}");
    }
    for times in [&line["wait_ns"], &line["hold_ns"], &line["sites"][1]["hold_ns"]] {
        for name in ["min", "max", "total", "avg"] {
            assert!(times[name].is_number(), "{name}: {line}");
        }
    }
    assert_eq!(line["wait_ns"]["avg"], 50.0);
    assert_eq!(line["hold_ns"]["histogram"], "HISTFAAA");
    assert!(line["sites"][0]["hold_ns"].get("histogram").is_none(), "{line}");
    let line: Value =
        serde_json::from_str(&Record::from(split()).to_line().expect("a line")).expect("JSON");
    assert_eq!(line["operations"], 1000);
    for (name, value) in split().ns_per_operation.all() {
        assert_eq!(line["ns_per_operation"][name], value);
    }
    assert_eq!(split().ns_per_operation.total(), 21.0);
}

/// Lines from before relocks that a try saved were counted have none, and so have those of locks
/// that are not tried.
#[test]
fn what_no_try_saved_is_left_out_and_read_as_none() {
    let mut plain = profile();
    plain.events.saved = 0;
    plain.sites.iter_mut().for_each(|site| site.events.saved = 0);
    let line = Record::from(plain.clone()).to_line().expect("a line");
    assert!(!line.contains("saved"), "{line}");
    assert_eq!(Record::from_line(&line).expect("a record"), plain.into());
}

#[test]
fn sums_that_do_not_agree_are_no_record() {
    let changes: [fn(&mut Profile); 7] = [
        |profile| profile.events.acquisitions += 1,
        |profile| profile.events.wait_ns.total -= 1,
        |profile| profile.sites[1].events.retries += 1,
        |profile| profile.events.saved += 1,
        |profile| profile.sites[0].events.con_bounces -= 1,
        |profile| _ = profile.sites.pop(),
        |profile| profile.events.hold_ns.avg = -1.0,
    ];
    for change in changes {
        let mut bad = profile();
        change(&mut bad);
        let error = Record::from(bad).to_line().expect_err("no profile");
        assert!(matches!(error, LineError::Number { .. }), "{error}");
    }
    let changes: [fn(&mut Split); 3] = [
        |split| split.ns_per_operation.parked = -0.5,
        |split| split.ns_per_operation.rest = f64::INFINITY,
        |split| split.cell.threads = 3,
    ];
    for change in changes {
        let mut bad = split();
        change(&mut bad);
        Record::from(bad).to_line().expect_err("no split");
    }
}

#[test]
fn a_run_of_profiles_measures_nothing_and_is_no_row() {
    let run = |records| Run { records, ..crate::fixture::run(Vec::new()) };
    let only = run(vec![profile().into(), split().into()]);
    assert!(only.is_profile() && !only.is_comparison());
    assert_eq!((only.profiles().count(), only.splits().count()), (1, 1));
    assert_eq!(only.measured().count(), 0);
    let summary = summarise(&[only], "global").expect("a summary");
    assert!(summary.rows.is_empty());
    let measured = run(vec![throughput("global", 0, 1000).into(), split().into()]);
    assert!(!measured.is_profile());
}
