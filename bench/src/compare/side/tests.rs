//! Names and what they mean, in a folder of runs, with a checkout and without one.

use std::time::{Duration, SystemTime};

use results::{Cell, Compared, Foreign, Measured, Record, Split};
use tempfile::TempDir;

use super::*;

/// A folder of runs.
struct Runs {
    folder: TempDir,
    store: Store,
    now: SystemTime,
}

impl Runs {
    fn new() -> Runs {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        Runs { folder, store, now: SystemTime::now() }
    }

    /// Stores a run of one line, so many seconds ago; its id.
    fn stored(&self, ago: u64, record: impl Into<Record>) -> String {
        let writer = self.store.start(self.now - Duration::from_secs(ago)).expect("a run");
        writer.append(&record.into()).expect("a line");
        let id = writer.id().to_owned();
        writer.finish().expect("the end");
        id
    }

    /// The sides of these names, where there is no checkout.
    fn sides(&self, names: &[&str]) -> Result<Vec<Side>, String> {
        self.sides_in(&Err("no git".to_owned()), names)
    }

    fn sides_in(
        &self,
        repository: &Result<Repository, String>,
        names: &[&str],
    ) -> Result<Vec<Side>, String> {
        let programs = ["x=y=/bin/a", "new=/bin/b"].map(str::to_owned);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Names { repository, store: &self.store, programs: &programs }.sides(&names)
    }
}

fn measured() -> Measured {
    let cell = Cell { backend: "global".to_owned(), ..Cell::default() };
    Measured { cell_id: cell.id(), cell, ..Measured::default() }
}

#[test]
fn a_program_goes_by_what_stands_before_its_path() {
    let sides = Runs::new().sides(&["new", "x=y"]).expect("two programs");
    let found = sides.iter().map(|side| match &side.source {
        Source::Program(path) => (side.name.as_str(), path.to_str().expect("UTF-8")),
        other => panic!("{other:?}"),
    });
    assert_eq!(found.collect::<Vec<_>>(), [("new", "/bin/b"), ("x=y", "/bin/a")]);
}

#[test]
fn the_working_tree_is_one_of_a_checkout() {
    let runs = Runs::new();
    let repository = Ok(Repository { root: runs.folder.path().to_owned() });
    let sides = runs.sides_in(&repository, &[".", "new"]).expect("two sides");
    assert!(matches!(sides[0].source, Source::Tree), "{sides:?}");
    let why = runs.sides(&[".", "new"]).expect_err("there is no checkout");
    assert_eq!(why, "side \".\": this folder is in no checkout (no git)");
}

#[test]
fn a_name_that_means_nothing_is_answered_with_what_there_is() {
    let runs = Runs::new();
    let why = runs.sides(&["new", "nosuch"]).expect_err("there is no such side");
    assert!(why.starts_with("there is no side \"nosuch\"; a side is a commit"), "{why}");
    assert!(why.ends_with("; commits: none here (no git); newest runs: none"), "{why}");
    let ids = [3, 2, 1, 0].map(|ago| runs.stored(ago, measured()));
    let why = runs.sides(&["new", "nosuch"]).expect_err("there is no such side");
    let newest = format!("newest runs: {}, {}, {}", ids[3], ids[2], ids[1]);
    assert!(why.ends_with(&newest), "{why}");
    for (names, named) in [(&[][..], "nothing alone"), (&["new"][..], "new alone")] {
        let why = runs.sides(names).expect_err("too few");
        assert!(why.starts_with(named) && why.contains("name two sides or more"), "{why}");
    }
}

#[test]
fn a_stored_run_is_measured_by_solock_and_named_once() {
    let runs = Runs::new();
    let [one, two] = [1, 2].map(|ago| runs.stored(ago, measured()));
    let refused = |names: &[&str]| runs.sides(names).expect_err("refused");
    for names in [&[one.as_str(), "new"][..], &[&one, &two], &["new", &two, &one]] {
        assert_eq!(runs.sides(names).expect("measured").len(), names.len());
    }
    for names in [&[one.as_str(), &one][..], &["new", &two, &one, "x=y", &one]] {
        assert_eq!(refused(names), format!("run {one} is named twice; it is its own equal"));
    }
    let foreign = runs.stored(3, Foreign::default());
    let profile = runs.stored(4, Split { cell_id: Cell::default().id(), ..Split::default() });
    for names in [[one.as_str(), &foreign], [&foreign, "new"]] {
        assert!(refused(&names).starts_with(&format!("run {foreign} holds numbers of others")));
    }
    assert_eq!(refused(&["new", &profile]), no_rates(&profile));
}

#[test]
fn a_comparison_is_only_shown_again() {
    let runs = Runs::new();
    let [one, other] = [1, 2].map(|ago| runs.stored(ago, Compared::default()));
    let measured = runs.stored(3, measured());
    assert_eq!(runs.sides(&[&one, &one]).expect("one comparison").len(), 2);
    let again = format!("`solock compare {one} {one}` shows it again");
    assert!(no_measure(&one).starts_with(&format!("run {one} is a comparison")));
    assert!(no_measure(&one).ends_with(&again), "{}", no_measure(&one));
    for names in [[one.as_str(), "new"], ["new", &one], [&one, &other], [&measured, &one]] {
        assert_eq!(runs.sides(&names).expect_err("nothing to compare"), no_measure(&one));
    }
}
