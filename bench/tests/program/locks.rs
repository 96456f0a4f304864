//! `--lock`: a run on every algorithm of the layer's locks.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use lockimpls::Algorithm;
use results::{Measured, Run, Slices, Store};
use solock::cpus::Cpus;

/// All but the default.
fn others() -> impl Iterator<Item = &'static str> {
    Algorithm::ALL.into_iter().skip(1).map(Algorithm::name)
}

/// A short run of `pairs`: what was recorded, its table, and what was said meanwhile.
fn pairs(asked: &[&str]) -> (Run, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let how = ["run", "--workload", "pairs", "--seconds", "0.05", "--rounds", "1", "--out"];
    let mut solock = Command::new(env!("CARGO_BIN_EXE_solock"));
    solock.args(how).arg(folder.path()).args(asked).stdin(Stdio::null());
    let output = solock.output().expect("solock starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let (table, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let files = Store::at(folder.path()).list().expect("the folder can be read");
    (Run::read(&files[0]).expect("the run can be read"), table, said)
}

#[test]
fn algorithms_are_recorded_with_the_cell_and_lock_no_other_number_of_times() {
    let asked = ["--threads", "1", "--backend", "per-socket,host", "--lock", "all"];
    let (run, table, said) = pairs(&asked);
    let skipped = "skipped: pairs with 1 thread, stream, 64 B, adaptive, lock rwlock9 (and 7 more)";
    let why = format!("{skipped}:\n    host is the machine's own layer");
    assert!(said.contains(&why), "{said}");
    assert!(table.lines().all(|line| line.len() <= 80), "{table}");
    for lock in others() {
        assert!(table.contains(&format!("lock {lock}\n")), "{table}");
        assert!(table.contains(&format!("{lock}: ")), "{table}");
    }
    let (mut seen, mut operations) = (BTreeSet::new(), 0);
    for round in run.measured().filter(|round| round.cell.backend != "host") {
        let found = round.locks.iter().find(|lock| lock.class == "solock");
        let found = found.map_or(0, |lock| lock.acquisitions);
        // A message sent and received: 7 (`lockimpls/tests/conformance/counts.rs`). A slice ends
        // between two calls; on a busy machine nothing may be done in it.
        let most = 14 * round.slices.as_ref().map_or(1, Slices::measured);
        assert!(found.abs_diff(7 * round.operations) <= most, "{}", round.cell_id);
        operations += round.operations;
        assert!(round.instrument.lock_ns_per_pair > 0.0);
        seen.insert(round.cell_id.clone());
    }
    let name = "pairs/per-socket/stream/64B/t1/adaptive";
    let expected = others().map(|lock| format!("{name}/{lock}")).chain([name.to_owned()]);
    assert_eq!(seen, expected.collect());
    assert!(operations > 0);
}

#[test]
fn locks_that_spin_for_more_threads_than_there_are_cpus_are_flagged() {
    let cpu = Cpus::allowed().expect("CPUs").order()[0].to_string();
    let asked = ["--threads", "2", "--cpus", &cpu, "--backend", "global", "--lock", "futex,ticket"];
    let (run, table, said) = pairs(&asked);
    assert!(said.contains("locks that spin: ticket;"), "{said}");
    for text in ["more threads than CPUs: ", "more threads than CPUs, and whoever waits for a lock"]
    {
        assert_eq!(table.matches(text).count(), 1, "{table}");
    }
    let found = |round: &Measured| (round.cell.lock.clone(), round.pinning.spinning);
    let found: BTreeSet<(String, bool)> = run.measured().map(found).collect();
    assert_eq!(found, [("futex".to_owned(), false), ("ticket".to_owned(), true)].into());
    assert!(run.measured().all(|round| round.pinning.oversubscribed));
}
