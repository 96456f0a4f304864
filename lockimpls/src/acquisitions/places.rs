//! The places in the requests' source that take a lock: a program comes to each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Global, PerSocket, folder, observed};

/// What takes a lock. `verbs.rs` compares it with the traits.
pub(super) const TAKES: [&str; 27] = [
    ".solock(",
    ".solock_fd(",
    ".solock_peer(",
    ".solock_pair(",
    ".solock_referrer(",
    ".name_enter(",
    ".name_to_head(",
    ".name_to_pair(",
    ".head_to_pair(",
    ".embryo_enter(",
    ".embryo_to_head(",
    ".head_return(",
    ".list_enter(",
    ".list_exit(",
    ".gc_enter(",
    ".scan_enter(",
    ".flight_enter(",
    ".gc_to_deferred(",
    ".deferred_enter(",
    ".deferred_return(",
    ".deferred_to_gc(",
    ".finalize(",
    "unp_rights_mtx.enter(",
    "fds.enter(",
    "names.lookup(",
    "names.create(",
    "names.unbind(",
];

/// The lines of a source, with their numbers, but those of functions that are in a broken twin
/// alone.
fn of_the_real_backends(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut is_twin = false;
    for (at, line) in (1..).zip(text.lines()) {
        is_twin |= ["/// A broken twin", "/// The broken twin"]
            .iter()
            .any(|begin| line.trim_start().starts_with(begin));
        if !is_twin {
            lines.push((at, line));
        }
        is_twin &= line != "    }";
    }
    lines
}

/// Every line of the requests that takes a lock.
fn places() -> Vec<String> {
    let uipc = std::fs::read_dir(folder().join("uipc")).unwrap();
    let mut files: Vec<PathBuf> = uipc.map(|entry| entry.unwrap().path()).collect();
    // Folders hold tests; `mod.rs` locks for its callers, `wait.rs` after a sleep, and no row is of a
    // fifo.
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let without = ["mod.rs", "wait.rs", "fifo.rs"];
    files.retain(|file| !without.iter().any(|name| file.ends_with(name)));
    let mut places = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(folder()).unwrap().display();
        for (at, line) in of_the_real_backends(&text) {
            let code = line.split("//").next().unwrap_or("");
            if TAKES.iter().any(|take| code.contains(take)) {
                places.push(format!("lockimpls/src/{name}:{at}"));
            }
        }
    }
    places
}

#[test]
fn every_place_that_locks_is_reached() {
    let mut reached = BTreeSet::new();
    for (_, sites) in observed::<PerSocket>(0).into_iter().chain(observed::<Global>(2)) {
        reached.extend(sites);
    }
    let missing: Vec<String> =
        places().into_iter().filter(|place| !reached.contains(place)).collect();
    assert!(missing.is_empty(), "no program comes to {missing:#?}");
}

#[test]
fn places_are_those_that_take_a_lock() {
    let text = "/// A request.\n    fn f() {\n        self.policy.solock(&so); // .solock(\n    }\n\
                \n/// A broken twin.\n    fn g() {\n        self.policy.solock(&so);\n    }\n\
                    fn h() {}\n";
    let lines: Vec<usize> = of_the_real_backends(text).into_iter().map(|(at, _)| at).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 10]);
    assert!(places().len() > 60, "{} places", places().len());
}
